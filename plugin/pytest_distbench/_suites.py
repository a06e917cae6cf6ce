"""Suite files as tests: an item for each encoder at each code size, and for each claim."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from distbench.errors import InputError, SuiteError
from distbench.results.suite_store import Store, read_store, store_path
from distbench.suites.check_names import check_recipe, check_suite
from distbench.suites.reader import read_suite
from distbench.suites.suite import Suite, SuiteEncoder
from pytest_distbench._claim import ClaimItem
from pytest_distbench._encoder import EncoderItem
from pytest_distbench._options import REASON, is_on
from pytest_distbench._session import fits_of
from pytest_distbench._settings import settings_of

__all__ = ["SuiteFile"]


class SuiteFile(pytest.File):
    """A TOML file with ``distbench = 1``."""

    def collect(self) -> Iterator[pytest.Item]:
        """Yield a test for each encoder at each code size, then a test for each claim.

        If the file has a mistake, collection fails with ``--distbench``. Without it, the file is one skipped item whose
        reason is the mistake.
        """
        try:
            suite, store, added = self._read()
        except SuiteError as error:
            if is_on(self.config):
                raise self.CollectError(str(error)) from None
            yield _Mistake.from_parent(self, name="mistake", reason=str(error).splitlines()[0])
            return
        shared: dict[str, Any] = {"suite": suite, "store": store}
        for code_size in suite.code_sizes:
            at_size = [encoder for encoder in suite.encoders if code_size in suite.code_sizes_of(encoder)]
            # If no encoder of the file runs at this code size, there is no leaderboard to join.
            for encoder in (*at_size, *(added if at_size else ())):
                attributes = {"encoder": encoder, "code_size": code_size, "added": encoder in added}
                yield EncoderItem.from_parent(self, name=f"{encoder.name}[{code_size}]", **attributes, **shared)
        for claim in suite.claims:
            yield ClaimItem.from_parent(self, name=claim.id, claim=claim, **shared)

    def _read(self) -> tuple[Suite, Store, tuple[SuiteEncoder, ...]]:
        suite, store = read_suite(self.path), Store(store_path(self.path))
        if not is_on(self.config):
            return suite, store, ()  # skipped tests need no more
        check_suite(suite)
        fits_of(self.config).register(suite)
        if settings_of(self.config).update:
            from pytest_distbench._writer import check_writable

            check_writable(store.path)
        return suite, read_store(store.path), self._added(suite)

    def _added(self, suite: Suite) -> tuple[SuiteEncoder, ...]:
        """Return the encoders of ``--distbench-encoder``."""
        declared = [encoder.name for encoder in suite.encoders]
        added = []
        for name, recipe in settings_of(self.config).encoders:
            option = f"--distbench-encoder {name}={recipe}"
            if name in declared:
                raise SuiteError(option, f"{self.path.name} has an encoder of that name", "take another name")
            try:
                check_recipe(recipe)
            except InputError as error:
                raise SuiteError(option, str(error)) from None
            added.append(SuiteEncoder(name, recipe))
        return tuple(added)


class _Mistake(pytest.Item):
    """A skipped test in place of a suite file with a mistake."""

    def __init__(self, *, reason: str, **rest: Any) -> None:
        super().__init__(**rest)
        self.reason = reason
        self.add_marker(pytest.mark.skip(reason=f"{REASON}; the file has a mistake: {reason}"))

    def runtest(self) -> None:
        """Raise the mistake, if something removed the mark to skip."""
        raise SuiteError(self.reason)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return the file and the item's name in reports."""
        return self.path, 0, f"{self.path.name}: {self.name}"
