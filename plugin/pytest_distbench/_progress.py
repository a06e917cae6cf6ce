"""Progress bars while encoders train: on a terminal only, never in logs or on xdist workers."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

__all__ = ["Training"]

PAUSE = 0.2  # seconds between two drawings: each suspends pytest's capture


class Training:
    """A context that gives each fit a bar on the terminal, and removes the last one at the end."""

    def __init__(self, config: pytest.Config) -> None:
        reporter = config.pluginmanager.get_plugin("terminalreporter")
        self._reporter = reporter if reporter is not None and reporter.isatty else None
        self._capture = config.pluginmanager.get_plugin("capturemanager")
        self._bar: _Bar | None = None

    def __enter__(self) -> Training:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def __call__(self, description: str) -> Callable[[int, int], None] | None:
        """Return a function that draws a fit's progress ``(done, total)``; None without a terminal."""
        if self._reporter is None:
            return None
        self._close()
        self._bar = _Bar(self._reporter, self._capture, description)
        return self._bar

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None


class _Bar:
    def __init__(self, reporter: Any, capture: Any, description: str) -> None:
        self._reporter = reporter
        self._capture = capture
        self._description = description
        self._drawn = 0.0
        self._tqdm: Any = None

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self._drawn < PAUSE:
            return
        with self._uncaptured():
            if self._tqdm is None:
                self._tqdm = self._started(total)
            self._tqdm.n = done
            self._tqdm.refresh()
        self._drawn = now

    def close(self) -> None:
        if self._tqdm is not None:
            with self._uncaptured():
                self._tqdm.close()
            self._tqdm = None

    def _uncaptured(self) -> contextlib.AbstractContextManager[None]:
        if self._capture is None:
            return contextlib.nullcontext()
        context: contextlib.AbstractContextManager[None] = self._capture.global_and_fixture_disabled()
        return context

    def _started(self, total: int) -> Any:
        from tqdm import tqdm

        class Quiet(tqdm):  # type: ignore[type-arg]
            monitor_interval = 0  # else tqdm's thread draws while pytest captures

        self._reporter.ensure_newline()
        return Quiet(total=total, desc=self._description, file=sys.stderr, leave=False, dynamic_ncols=True)
