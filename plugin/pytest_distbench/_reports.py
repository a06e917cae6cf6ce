"""Writes what a run found where the options ask for it: files, and the summary page of a job."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from distbench.render.formats import OURS

if TYPE_CHECKING:
    from distbench.results.run import RunResults

__all__ = ["Reports", "check_reports"]

SUMMARY = "GITHUB_STEP_SUMMARY"
WIDTH = 120  # of the text in a file
KEPT = "; what was there before is as it was: make room for it or name another path, and run again"
EXTRA = 'the package {} is needed for it, which is not installed; run pip install "distbench[report]"'


def check_reports(reports: Sequence[tuple[str, Path | None]]) -> None:
    """Refuse reports that could not be written, before anything is fitted for them.

    Raises
    ------
    pytest.UsageError
        A path is a folder or cannot be written, two reports have one path, or a package is missing.
    """
    import importlib.util

    seen = set()
    for kind, path in reports:
        if path is None:
            continue
        path = path.resolve()
        if path in seen:
            raise pytest.UsageError(f"--distbench-report: two reports go to {path}; give each its own")
        seen.add(path)
        if path.is_dir():
            raise pytest.UsageError(f"--distbench-report {kind}: {path} is a folder; name a file")
        folder = next(folder for folder in path.absolute().parents if folder.exists())
        if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
            raise pytest.UsageError(f"--distbench-report {kind}: {folder} cannot be written; name another path")
        if kind == "json":
            _check_results(path)
        for package in ("jinja2", "matplotlib") if kind == "html" else ():
            if importlib.util.find_spec(package) is None:
                raise pytest.UsageError(f"--distbench-report {kind}: {EXTRA.format(package)}")


def _check_results(path: Path) -> None:
    """Refuse a file that is there and is none of results, which is never written over."""
    from distbench.errors import ResultsError
    from distbench.results.file import read_results

    if path.exists():
        try:
            read_results(path)
        except ResultsError as error:
            raise pytest.UsageError(f"--distbench-report json: {error}") from None


class Reports:
    """Writes the reports of a run.

    Parameters
    ----------
    reports : sequence of (type, path)
        From the options.
    whole : bool
        Whether the run was of everything that was collected, so that a file of results holds it alone; else what the
        file has of other tests stays.
    text : callable
        Takes a width, returns the outcome as text.
    """

    def __init__(self, reports: Sequence[tuple[str, Path | None]], whole: bool, text: Callable[[int], str]) -> None:
        self._reports = reports
        self._whole = whole
        self._text = text

    def write(self, outcome: RunResults) -> tuple[list[str], list[str]]:
        """Write them all.

        Returns
        -------
        written, failed : list of str
            One line each.
        """
        written, failed = [], []
        for kind, path in self._reports:
            try:
                where = self._write(kind, path, outcome)
            except (Exception, SystemExit) as error:  # whatever it is, the other reports and the summary are still due
                hint = KEPT if isinstance(error, OSError) and path is not None else ""
                failed.append(f"{kind} report{f' {path}' * (path is not None)}: {type(error).__name__}: {error}{hint}")
            else:
                written += [f"{kind} report: {where}"] if where else []
        return written, failed

    def _write(self, kind: str, path: Path | None, outcome: RunResults) -> str:
        if kind == "github":
            return _append_summary(outcome)
        if path is None:
            return ""  # the terminal's own, which is there anyway
        if kind == "json":
            from distbench.results.file import write_results

            write_results(path, outcome.rows, outcome.environment, claims=outcome.claims, whole=self._whole)
            return str(path)
        from distbench._util.files import write_whole

        write_whole(path, self._rendered(kind, outcome))
        return str(path)

    def _rendered(self, kind: str, outcome: RunResults) -> str:
        if kind == "md":
            from distbench.render.markdown import render_markdown

            return render_markdown(outcome)
        if kind == "html":
            from distbench.render.html import render_html

            return render_html(outcome)
        if kind not in OURS:
            from distbench.render.formats import rendered

            return rendered(kind, copy.deepcopy(outcome))  # what a package does to it is no part of other reports
        return f"{self._text(WIDTH)}\n"


def _append_summary(outcome: RunResults) -> str:
    path = os.environ.get(SUMMARY, "")
    if not path:
        return f"not written, as {SUMMARY} is not set here"
    from distbench.render.markdown import render_summary

    taken = Path(path).stat().st_size if Path(path).exists() else 0
    with Path(path).open("a", encoding="utf-8") as file:
        file.write(render_summary(outcome, limit=max(0, (1 << 20) - taken - 1)))
    return "the job's summary page"
