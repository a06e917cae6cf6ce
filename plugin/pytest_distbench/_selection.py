"""Which tests a run was asked for: one that it left out on purpose is not missing."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Collection, Sequence
from fnmatch import fnmatch
from functools import cached_property
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from _pytest.mark.expression import Expression

from pytest_distbench._session import is_worker, node_id

__all__ = ["Selection", "is_cut"]

IGNORING = ("ignore", "ignore_glob")
DESELECTING = {"deselect_by_keyword": "keyword", "deselect_by_mark": "markexpr"}
"""Options by the functions of pytest that deselect tests for them."""
LAST_FAILED = ("--lf", "--last-failed")
PARTIAL = (*DESELECTING.values(), "deselect", "lf", "stepwise", "setuponly", "setupplan", *IGNORING)
KEY = "distbench_selection"


class Selection:
    """Hooks that find out what is selected, in every process; the controller knows what its workers deselected."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._collected = 0
        self._deselected: set[str] = set()
        self._by_option: set[tuple[str, str]] = set()  # the option and the test
        self._is_incomplete = False
        self._failed_before = config.cache.get("cache/lastfailed", {}) if self._has_option(("lf",)) else {}

    def pytest_itemcollected(self) -> None:
        """Count the tests that were found."""
        self._collected += 1

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Remember that tests were removed without a word: by ``--lf``, or by a plugin or ``conftest.py``."""
        if any(item.nodeid in self._failed_before for item in session.items):
            self._by_option.add(("lf", ""))
        unknown = self._collected - len(session.items) - len(self._deselected)
        self._is_incomplete = self._is_incomplete or unknown > 0

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        """Remember which tests do not run, and which of them an option of pytest deselected.

        Nobody asked for what another plugin or ``conftest.py`` deselects. The hook does not say who calls it.
        """
        names = set(map(node_id, items))
        self._deselected |= names
        package, function = _caller()
        if package == "_pytest":
            self._by_option |= {(DESELECTING.get(function, ""), name) for name in names}

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Remember that tests could not be collected."""
        self._is_incomplete = self._is_incomplete or report.failed

    def pytest_keyboard_interrupt(self) -> None:
        """Remember that the run was ended, for instance by ``pytest.exit``, which may have any exit code."""
        self._is_incomplete = True

    def pytest_sessionfinish(self) -> None:
        """Send to the controller which tests were deselected, and whether others are missing."""
        if is_worker(self._config):
            known = sorted(self._deselected), sorted(self._by_option), self._is_incomplete
            self._config.workeroutput[KEY] = known  # type: ignore[attr-defined]

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Receive what a worker of xdist sends."""
        deselected, by_option, is_incomplete = getattr(node, "workeroutput", {}).get(KEY, ((), (), False))
        self._deselected.update(deselected)
        self._by_option.update(map(tuple, by_option))
        self._is_incomplete = self._is_incomplete or is_incomplete

    def is_whole(self, session: pytest.Session) -> bool:
        """Return whether all the tests ran to the end; if unsure, False."""
        config = self._config
        from_root = config.args_source == pytest.Config.ArgsSource.TESTPATHS or (
            config.args_source == pytest.Config.ArgsSource.INVOCATION_DIR
            and config.invocation_params.dir == config.rootpath
        )
        is_partial = self._deselected or self._is_incomplete or self._has_option(PARTIAL)
        return from_root and not (is_partial or is_cut(session))

    def left_out(self, test: str, session: pytest.Session) -> bool:
        """Return whether this run was not asked for a test that did not run; the test may no longer exist."""
        if is_cut(session, pytest.ExitCode.NO_TESTS_COLLECTED) or self._has_never_failed(test):
            return True
        deselected = {name for option, name in self._by_option if self._asked(option)}
        if not test:
            return bool(deselected) or any(map(self._asked, IGNORING))
        is_chosen = self._is_named(test) and not self._is_ignored(test) and self._has_keyword(test)
        return test in deselected or not is_chosen

    def _has_never_failed(self, test: str) -> bool:
        """Return whether the run has only tests that failed in the run before, and this is none of them."""
        return ("lf", "") in self._by_option and bool(self._asked("lf")) and test not in self._failed_before

    def _has_keyword(self, test: str) -> bool:
        """Return whether ``-k`` and ``--deselect`` choose a node id; True if it needs a mark that the test may have."""
        if any(map(test.startswith, self._asked("deselect"))):
            return False
        marks = {line.partition(":")[0].partition("(")[0] for line in self._config.getini("markers")}

        def is_name(word: str, /, **_: object) -> bool:
            return word.lower() in test.lower()

        def may_be(word: str, /, **_: object) -> bool:
            return word in marks or is_name(word)

        expressions = map(Expression.compile, self._asked("keyword"))
        return all(expression.evaluate(is_name) or expression.evaluate(may_be) for expression in expressions)

    def _has_option(self, names: Collection[str]) -> bool:
        return any(getattr(self._config.option, name, None) for name in names)

    def _asked(self, name: str) -> list[str]:
        """Return the values of an option for this run: not those that ``addopts`` has or a ``conftest.py`` set."""
        used: Any = getattr(self._config.option, name, None)
        if not used or used != getattr(self._config.known_args_namespace, name, None):
            return []
        values = LAST_FAILED if used is True else [used] if isinstance(used, str) else used
        return [value for value in values if self._is_word(value)]

    def _is_word(self, value: str) -> bool:
        words = [*map(str, self._config.invocation_params.args), *shlex.split(os.environ.get("PYTEST_ADDOPTS", ""))]
        given = (text for word in words for text in (word, word.partition("=")[2], word[2:]) if word.startswith("-"))
        return not self._config.getini("addopts") or value in {*words, *given}

    def _is_ignored(self, test: str) -> bool:
        """Return whether an option leaves out the file of a test, or a folder around it."""
        path, here = self._config.rootpath / test.partition("::")[0], self._config.invocation_params.dir
        paths, globs = ([os.path.abspath(here / place) for place in self._asked(name)] for name in IGNORING)  # noqa: PTH100
        places = [str(place) for place in (path, *path.parents)]
        return any(place in paths or any(fnmatch(place, glob) for glob in globs) for place in places)

    def _is_named(self, test: str) -> bool:
        """Return whether a test is in one of the folders, files or tests of the command line; if unsure, True."""
        file, _, name = test.partition("::")
        if self._arguments is None:
            return True
        path = (self._config.rootpath / file).resolve()
        return any(
            path.is_relative_to(place) and (not chosen or _is_part(name, chosen)) for place, chosen in self._arguments
        )

    @cached_property
    def _arguments(self) -> list[tuple[Path, str]] | None:
        """The folders and files of the command line, each with the name of what is chosen from it.

        None if they are those of the ini file, or one is a module, or a path outside pytest's root, which node ids
        lack.
        """
        source, sources = self._config.args_source, pytest.Config.ArgsSource
        if source == sources.TESTPATHS or (source == sources.ARGS and not any(map(self._is_word, self._config.args))):
            return None
        parts = [argument.partition("::") for argument in self._config.args]
        arguments = [((self._config.invocation_params.dir / place).resolve(), chosen) for place, _, chosen in parts]
        root = self._config.rootpath.resolve()
        is_known = all(place.exists() and place.is_relative_to(root) for place, _ in arguments)
        return arguments if is_known else None


def _is_part(name: str, chosen: str) -> bool:
    return name == chosen or name.startswith((f"{chosen}::", f"{chosen}["))


def _caller() -> tuple[str, str]:
    """Return the package and the function that called a hook, from a function that the hook calls."""
    frame: FrameType | None = sys._getframe(2)
    name, function = "pluggy", ""
    while frame is not None and name == "pluggy":
        name, function = str(frame.f_globals.get("__name__")).partition(".")[0], frame.f_code.co_name
        frame = frame.f_back
    return name, function


def is_cut(session: pytest.Session, *other_ends: pytest.ExitCode) -> bool:
    """Return whether a run ended before its last test."""
    ends = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, *other_ends)
    return bool(session.shouldstop or session.shouldfail or session.exitstatus not in ends)
