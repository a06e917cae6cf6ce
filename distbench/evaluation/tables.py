"""Reports and differences as tables: text, HTML for notebooks, and pandas frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from tabulate import tabulate

from distbench._util.imports import require
from distbench._util.numbers import bytes_text, interval, number, percent
from distbench.evaluation.failure_message import setting

if TYPE_CHECKING:
    import pandas as pd

    from distbench.evaluation.compare import Differences
    from distbench.evaluation.report import Report

__all__ = ["differences_frame", "differences_html", "differences_text", "report_frame", "report_html", "report_text"]

VALUES = ("value", "low", "high", "chance", "attainable", "floor")
SETTING = (
    *("encoder", "code_size", "code_bytes", "compression"),
    *("k", "m", "M", "n_reference", "confidence", "distance_x", "distance_z"),
)

Cells = tuple[Sequence[str], list[Sequence[str]]]


def report_text(report: Report) -> str:
    """Return the table of a report's scores, with its notes."""
    notes = [f"note: {note}" for note in _notes(report)]
    return "\n".join([_title(report), "", _table(_report_cells(report), "simple"), *([""] if notes else []), *notes])


def report_html(report: Report) -> str:
    """Return the table of a report's scores as HTML."""
    return _html(_title(report), _report_cells(report), _notes(report))


def differences_text(differences: Differences) -> str:
    """Return the table of the differences of two reports."""
    return f"{differences.title()}\n\n{_table(_difference_cells(differences), 'simple')}"


def differences_html(differences: Differences) -> str:
    """Return the table of the differences of two reports as HTML."""
    return _html(differences.title(), _difference_cells(differences), [])


def report_frame(report: Report) -> pd.DataFrame:
    """Return a report's scores as a frame with one row for each metric."""
    rows = {
        name: {key: getattr(score, key) for key in (*VALUES, "direction", "draws")}
        for name, score in report.scores.items()
    }
    return _frame(rows, VALUES, {name: getattr(report, name) for name in SETTING})


def differences_frame(differences: Differences) -> pd.DataFrame:
    """Return the differences of two reports as a frame with one row for each metric."""
    scores_a, scores_b = differences.scores
    rows = {
        name: {
            "a": scores_a[name].value,
            "b": scores_b[name].value,
            "value": difference.value,
            "low": difference.low,
            "high": difference.high,
            "direction": scores_a[name].direction,
            "better": difference.better,
        }
        for name, difference in differences.items()
    }
    encoders = dict(zip("ab", differences.encoders, strict=True))
    return _frame(rows, ("a", "b", "value", "low", "high"), encoders | {"confidence": differences.confidence})


def _frame(rows: Mapping[str, Mapping[str, Any]], numbers: Sequence[str], attributes: dict[str, Any]) -> pd.DataFrame:
    require("pandas", "to_frame()", "pandas")
    import pandas as pd

    index = pd.Index(list(rows), name="metric", dtype=object)
    frame = pd.DataFrame([dict(row) for row in rows.values()], index=index)
    frame = frame.astype(dict.fromkeys(numbers, "float64"))  # otherwise a column of only None would hold objects
    frame.attrs.update(attributes)
    return frame


def _title(report: Report) -> str:
    size = bytes_text(report.code_bytes, report.code_size, report.point_bytes)
    if report.is_search:  # its codes are known by their bytes alone
        parts = [f"codes of {size}"] if size else []
    else:
        parts = [f"codes of {report.code_size}{size and f' ({size})'}"]
    return f"{report.encoder}: {', '.join([*parts, setting(report)])}"


def _bounds(report: Report) -> list[str]:
    """Return which of "attainable" and "floor" the report's scores have."""
    return [key for key in ("attainable", "floor") if any(getattr(s, key) is not None for s in report.scores.values())]


def _notes(report: Report) -> list[str]:
    """Return the report's notes, and those that explain its floors and attainable values."""
    notes, bounds = list(report.notes), _bounds(report)
    if "floor" in bounds and not report.in_sample():
        notes.append("floors are in sample, for the test points alone; here only the floor of distortion is a bound")
    if "attainable" in bounds:
        notes.append("attainable: metric MDS of the test points themselves (at most 1,000), in sample")
    return notes


def _report_cells(report: Report) -> Cells:
    keys = ["chance", *_bounds(report)]
    rows: list[Sequence[str]] = [
        (
            score.metric,
            "higher" if score.direction == "up" else "lower",
            number(score.value),
            interval(score.low, score.high),
            *(number(getattr(score, key)) for key in keys),
        )
        for score in report.scores.values()
    ]
    return ("metric", "better", "value", f"{percent(report.confidence)} interval", *keys), rows


def _difference_cells(differences: Differences) -> Cells:
    scores_a, scores_b = differences.scores
    rows: list[Sequence[str]] = [
        (
            name,
            *map(number, (scores_a[name].value, scores_b[name].value, difference.value)),
            interval(difference.low, difference.high),
            difference.better or "-",
        )
        for name, difference in differences.items()
    ]
    return ("metric", "a", "b", "a - b", f"{percent(differences.confidence)} interval", "better"), rows


def _table(cells: Cells, form: str) -> str:
    head, rows = cells
    align = ["left" if key in ("metric", "better") or key.endswith("interval") else "right" for key in head]
    return str(tabulate(rows, headers=head, tablefmt=form, disable_numparse=True, colalign=align))


def _html(title: str, cells: Cells, notes: Sequence[str]) -> str:
    """Return a title, a table and notes as HTML that needs no style sheet and no script; all text is escaped."""
    items = "".join(f"<li>{escape(note)}</li>" for note in notes)
    return f"<div><p>{escape(title)}</p>{_table(cells, 'html')}{f'<ul>{items}</ul>' if items else ''}</div>"
