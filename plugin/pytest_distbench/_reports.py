"""Writes the reports of a run: files, and the summary page of a GitHub job."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from distbench._util.text import plain_text
from distbench.render.formats import SIGNS
from pytest_distbench._session import relative_path

if TYPE_CHECKING:
    from distbench.results.run import RunResults

__all__ = ["check_reports", "write_reports"]

SUMMARY = "GITHUB_STEP_SUMMARY"
SUMMARY_BYTES = 1 << 20
WIDTH = 120  # characters in a line of a text file
MAX_SIGN = 100  # characters of the first line that the old and the new file of a package's format share
UNCHANGED = "; no file was changed: make room or name another path, and run again"
EXTRA = 'needs the package {}, which is not installed; run pip install "distbench[report]"'

Requests = Sequence[tuple[str, Path | None]]
"""Types of reports with their paths; None for a report that is not a file."""


def check_reports(reports: Requests, compare: Path | None, junit: str | None) -> None:
    """Raise ``pytest.UsageError`` for reports that could not be written, before anything is fitted.

    `compare` is the results file of an earlier run to compare with, which only new results may replace; `junit` is the
    path of pytest's own report.
    """
    import importlib.util

    from distbench._util.files import is_stream, write_problem

    seen = {os.path.realpath(os.path.expanduser(junit))} if junit else set()  # noqa: PTH111 - as in settings
    compared = None if compare is None else os.path.realpath(compare)
    for kind, path in reports:
        if kind == "github" and (summary := os.environ.get(SUMMARY)) and (problem := write_problem(Path(summary))):
            raise _wrong(f"{SUMMARY}: {problem}")
        if path is None:
            continue
        real = os.path.realpath(path)  # unlike Path.resolve, it accepts a link that leads to itself
        if real in seen:
            raise _wrong(f"--distbench-report: two reports go to {path}; give each another path")
        seen.add(real)
        if kind != "json" and real == compared:
            raise _wrong(f"--distbench-report {kind}: {path} is also compared with; name another file")
        if problem := write_problem(path, SIGNS.get(kind, "")):
            raise _wrong(f"--distbench-report {kind}: {problem}")
        if kind == "json" and path.exists() and not is_stream(path):
            from distbench.errors import ResultsError
            from distbench.results.file import read_results

            try:
                read_results(path)  # another kind of file is never overwritten
            except ResultsError as error:
                raise _wrong(f"--distbench-report json: {error}") from None
        for package in ("jinja2", "matplotlib") if kind == "html" else ():
            if importlib.util.find_spec(package) is None:
                raise _wrong(f"--distbench-report {kind}: {EXTRA.format(package)}")


def _wrong(text: str) -> pytest.UsageError:
    return pytest.UsageError(plain_text(text))  # paths may have any signs


def write_reports(
    config: pytest.Config, reports: Requests, run: RunResults, whole: bool, text: Callable[[int], str]
) -> tuple[list[str], list[str]]:
    """Write the reports of a run; return a line for each report that was written, and for each that could not be.

    A file of results gets only the run's rows if the run is `whole`, that is if all tests ran; otherwise the file keeps
    the rows of the other tests. `text` takes a width and returns the summary.
    """
    from distbench._util.files import is_stream, os_problem

    written, failed = [], []
    for kind, path in reports:
        try:
            place = _write(kind, path, run, whole, text)
        except (Exception, SystemExit) as error:  # the other reports and the summary are still written
            named = "" if path is None else f" {path}"
            hint = UNCHANGED if getattr(error, "errno", None) and path is not None and not is_stream(path) else ""
            other = f"{named}: {type(error).__name__}: {error}"
            failed.append(f"{kind} report{f': {os_problem(error)}{hint}' if isinstance(error, OSError) else other}")
        else:
            shown = place if path is None else relative_path(path, config)
            written += [f"{kind} report: {shown}"] if place else []
    return written, failed


def _write(kind: str, path: Path | None, run: RunResults, whole: bool, text: Callable[[int], str]) -> str:
    """Write one report, and return its place: empty for the terminal's report, which is printed anyway."""
    if kind == "github":
        return _append_summary(run)
    if path is None:
        return ""
    if kind == "json":
        from distbench.results.file import write_results

        write_results(path, run.rows, run.environment, claims=run.claims, whole=whole)
        return str(path)
    from distbench._util.files import write_problem, write_whole
    from distbench.render.formats import render_added
    from distbench.render.html import render_html
    from distbench.render.markdown import render_markdown

    if kind == "term":
        page = f"{SIGNS[kind]}\n{text(WIDTH)}\n"
    elif kind in SIGNS:
        page = {"md": render_markdown, "html": render_html}[kind](run)
    else:
        page = render_added(kind, copy.deepcopy(run))  # a package may change its copy
    if problem := write_problem(path, SIGNS.get(kind) or page.lstrip().partition("\n")[0][:MAX_SIGN]):
        raise OSError(problem)
    write_whole(path, page)
    return str(path)


def _append_summary(run: RunResults) -> str:
    path = os.environ.get(SUMMARY, "")
    if not path:
        return f"not written, as {SUMMARY} is not set here"
    from distbench._util.files import is_stream, write_whole
    from distbench.render.markdown import render_summary

    Path(path).parent.mkdir(parents=True, exist_ok=True)
    used = Path(path).stat().st_size if Path(path).exists() else 0
    page = render_summary(run, limit=max(0, SUMMARY_BYTES - used - 1))
    if is_stream(Path(path)):
        write_whole(Path(path), page)
    else:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(page)
    return "the job's summary page"
