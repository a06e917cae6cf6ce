"""Progress bars while encoders train: only on a terminal, never in logs or xdist workers."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

__all__ = ["Training"]

PAUSE_SECONDS = 0.2  # between two drawings, each of which suspends pytest's capture


class Training:
    """A context that draws a progress bar for each fit, and removes the last one at the end."""

    def __init__(self, config: pytest.Config) -> None:
        reporter = config.pluginmanager.get_plugin("terminalreporter")
        self._reporter: Any = reporter if reporter is not None and reporter.isatty else None
        self._capture = config.pluginmanager.get_plugin("capturemanager")
        self._bar: Any = None
        self._last_drawn = 0.0

    def __enter__(self) -> Training:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def __call__(self, description: str) -> Callable[[int, int], None] | None:
        """Return a function that draws a fit's progress ``(done, total)``; None without a terminal."""
        if self._reporter is None:
            return None
        self._close()
        self._last_drawn = 0.0
        return partial(self._draw, description)

    def _draw(self, description: str, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self._last_drawn < PAUSE_SECONDS:
            return
        with self._uncaptured():
            if self._bar is None:
                self._bar = self._new_bar(description, total)
            self._bar.n = done
            self._bar.refresh()
        self._last_drawn = now

    def _close(self) -> None:
        if self._bar is not None:
            with self._uncaptured():
                self._bar.close()
            self._bar = None

    def _uncaptured(self) -> contextlib.AbstractContextManager[None]:
        if self._capture is None:
            return contextlib.nullcontext()
        context: contextlib.AbstractContextManager[None] = self._capture.global_and_fixture_disabled()
        return context

    def _new_bar(self, description: str, total: int) -> Any:
        from tqdm import tqdm

        class Quiet(tqdm):  # type: ignore[type-arg]
            monitor_interval = 0  # otherwise tqdm's thread would draw while pytest captures output

        self._reporter.ensure_newline()
        return Quiet(total=total, desc=description, file=sys.stderr, leave=False, dynamic_ncols=True)
