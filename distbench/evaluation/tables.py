"""Reports and differences as small HTML tables for notebooks, and as pandas frames."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from distbench._util.imports import require
from distbench.evaluation.text import number, report_columns, report_notes, setting

if TYPE_CHECKING:
    import pandas as pd

    from distbench.evaluation.compare import Differences
    from distbench.evaluation.report import Report

__all__ = ["differences_frame", "differences_html", "differences_text", "report_frame", "report_html"]

MARKS = ("value", "low", "high", "chance", "attainable", "floor")

# Colours are the page's own, so that it is read in the dark too.
LEFT, RIGHT = "text-align:left", "text-align:right;font-variant-numeric:tabular-nums"


def report_html(report: Report) -> str:
    """Return the table of a report's scores as HTML."""
    head, rows = report_columns(report)
    title = f"{report.encoder}: codes of {report.code_size}, {setting(report)}"
    return _table_html(title, head, rows, report_notes(report))


def differences_html(found: Differences) -> str:
    """Return the table of the differences of two reports as HTML."""
    return _table_html(found.title(), *_difference_columns(found), [])


def _table_html(title: str, head: Sequence[str], rows: Iterable[Sequence[str]], notes: Sequence[str]) -> str:
    """Return a table as HTML that needs no style sheet and no script; all text is escaped.

    Parameters
    ----------
    title : str
        Above the table.
    head : sequence of str
        Of the columns; those that hold words stand on the left: metric, better, and intervals.
    rows : iterable of sequence of str
        Of cells.
    notes : sequence of str
        Below the table.
    """
    sides = [LEFT if _is_words(name) else RIGHT for name in head]
    lines = [
        "<table>",
        f'<caption style="caption-side:top;{LEFT};color:inherit">{escape(title)}</caption>',
        _row("th", head, sides, "<thead>", "</thead>"),
        "<tbody>",
        *(_row("td", row, sides) for row in rows),
        "</tbody>",
        "</table>",
    ]
    if notes:
        lines += ["<ul>", *(f"<li>{escape(note)}</li>" for note in notes), "</ul>"]
    return "\n".join(["<div>", *lines, "</div>"])


def _is_words(name: str) -> bool:
    return name in ("metric", "better") or name.endswith("interval")


def _row(tag: str, cells: Sequence[str], sides: Sequence[str], before: str = "", after: str = "") -> str:
    scope = ' scope="col"' if tag == "th" else ""
    text = "".join(
        f'<{tag}{scope} style="{side}">{escape(cell)}</{tag}>' for cell, side in zip(cells, sides, strict=True)
    )
    return f"{before}<tr>{text}</tr>{after}"


def report_frame(report: Report) -> pd.DataFrame:
    """Return a report's scores as a frame, a metric a row."""
    rows = {
        name: {mark: getattr(score, mark) for mark in MARKS} | {"direction": score.direction, "draws": score.draws}
        for name, score in report.scores.items()
    }
    about = ("encoder", "code_size", "k", "m", "M", "n_reference", "confidence", "distance_x", "distance_z")
    return _frame(rows, (*MARKS, "direction", "draws"), MARKS, {name: getattr(report, name) for name in about})


def differences_frame(found: Differences) -> pd.DataFrame:
    """Return the differences of two reports as a frame, a metric a row."""
    numbers = ("a", "b", "value", "low", "high")
    rows = {
        name: {
            "a": found.scores[0][name].value,
            "b": found.scores[1][name].value,
            "value": one.value,
            "low": one.low,
            "high": one.high,
            "direction": found.scores[0][name].direction,
            "better": one.better,
        }
        for name, one in found.items()
    }
    about = {"a": found.encoders[0], "b": found.encoders[1], "confidence": found.confidence}
    return _frame(rows, (*numbers, "direction", "better"), numbers, about)


def _frame(
    rows: Mapping[str, Mapping[str, Any]], columns: Sequence[str], numbers: Sequence[str], about: dict[str, Any]
) -> pd.DataFrame:
    require("pandas", "to_frame()", "pandas")
    import pandas as pd

    index = pd.Index(list(rows), name="metric", dtype=object)
    frame = pd.DataFrame([dict(row) for row in rows.values()], index=index, columns=list(columns))
    frame = frame.astype(dict.fromkeys(numbers, "float64"))  # a column of None alone is of numbers too
    frame.attrs.update(about)
    return frame


def differences_text(found: Differences) -> str:
    """Return the table of the differences of two reports."""
    from tabulate import tabulate

    head, rows = _difference_columns(found)
    align = ["left" if _is_words(name) else "right" for name in head]
    table = tabulate(rows, headers=head, tablefmt="simple", disable_numparse=True, colalign=align)
    return f"{found.title()}\n\n{table}"


def _difference_columns(found: Differences) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    rows: list[tuple[str, ...]] = [
        (
            name,
            number(found.scores[0][name].value),
            number(found.scores[1][name].value),
            number(one.value),
            "-" if one.low is None or one.high is None else f"[{number(one.low)}, {number(one.high)}]",
            one.better or "-",
        )
        for name, one in found.items()
    ]
    return ("metric", "a", "b", "a - b", f"{100 * found.confidence:g}% interval", "better"), rows
