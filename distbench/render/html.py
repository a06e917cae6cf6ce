"""A run as one page of HTML, which loads nothing from the network and no other file."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from itertools import groupby
from typing import TYPE_CHECKING, Any

from distbench._util.imports import require
from distbench._util.text import plain_text
from distbench.render._details import details_of
from distbench.render._page_pictures import CURVE_SIZE, add_pictures
from distbench.render.changes import change_text, group_changes, title
from distbench.render.formats import SIGNS
from distbench.render.text import DROP_ORDER
from distbench.results.leaderboard_table import Table, tables_of

if TYPE_CHECKING:
    from distbench.results.diagrams import Diagrams
    from distbench.results.gates import RunComparison
    from distbench.results.run import RunResults

__all__ = ["render_html"]

DIGITS = 9  # of the numbers that tables are sorted by
DECIMALS = 3  # in leaderboards; the details of encoders have four
VERDICTS = (BROKEN := "broken", "undecided", "met")
MAX_OPEN = 10  # broken encoders whose details are open
FEW_METRICS = 2  # columns of metrics at first, beside the one that ranks


def render_html(run: RunResults, heading: str = "distbench") -> str:
    """Return a run as an HTML page that contains its styles, script and pictures; equal runs give equal pages.

    Raises
    ------
    MissingDependencyError
        jinja2 is not installed, or matplotlib is not although there are pictures.
    """
    require("jinja2")
    style, script = _text("report.css"), _text("report.js")
    tables = tables_of(run.rows, run.sort, DECIMALS)
    diagrams = _by_encoder(run.diagrams)
    sections = [_section(table, f"t{place}", diagrams, run.advice) for place, table in enumerate(tables)]
    broken = [
        details for section in sections for details in section["details"].values() if details["verdict"] == BROKEN
    ]
    add_pictures(details for section in sections for details in section["details"].values())
    page: str = _template().render(
        heading=heading,
        sign=SIGNS["html"],
        style=style,
        script=script,
        style_hash=_hash(style),
        script_hash=_hash(script),
        chips=_chips(run, tables),
        sections=sections,
        red=broken,
        max_open=MAX_OPEN,
        groups={name: list(group) for name, group in groupby(sections, lambda section: section["table"].name)},
        curve_size=CURVE_SIZE,
        sort=run.sort,
        broken=run.broken,
        claims=run.claims,
        changes=None if run.comparison is None else _changes(run.comparison),
        environment={name: str(value) for name, value in run.environment.items()},
    )
    return page


@cache
def _template() -> Any:
    """Return the page's template, compiled once."""
    import jinja2

    # Indentation would be a fifth of a page with many encoders.
    source = "\n".join(line.lstrip() for line in _text("report.html.j2").splitlines())
    return jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined, finalize=_plain
    ).from_string(source)


def _plain(value: Any) -> Any:
    """Return a value for the page: text with control characters spelled out, unless it is markup, and short numbers."""
    if type(value) is float:
        return f"{value:.{DIGITS}g}"
    return plain_text(value) if type(value) is str else value


def _text(name: str) -> str:
    return resources.files("distbench.render").joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """Return the hash with which a page's policy allows its style sheet and script."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _by_encoder(diagrams: Sequence[Diagrams]) -> dict[tuple[str, str], list[Diagrams]]:
    """Return diagrams by the name and the data set of their encoder."""
    found: dict[tuple[str, str], list[Diagrams]] = {}
    for one in diagrams:
        found.setdefault((one["encoder"], one["dataset"]), []).append(one)
    return found


def _section(
    table: Table,
    name: str,
    diagrams: Mapping[tuple[str, str], Sequence[Diagrams]],
    advice: Mapping[tuple[str, str], Sequence[str]],
) -> dict[str, Any]:
    """Return a leaderboard, and the details of each encoder by id."""
    entries = {f"{name}e{place}": entry for place, entry in enumerate((*table.entries, *table.unranked))}
    sort = next(column.key for column in table.columns if column.kind == "sort")
    details = {key: details_of(entry, sort, diagrams, key, advice) for key, entry in entries.items()}
    for one in details.values():
        one["board"] = f"{table.name}, {table.size}" if table.size else ""
    return {
        "id": name if table.size else "checks",
        "table": table,
        "details": details,
        "links": list(details),
        "few": _few_columns(table),
    }


def _few_columns(table: Table) -> set[str]:
    """Return the keys of the columns that are shown at first: those with limits, and the most telling others."""
    metrics = [column for column in table.columns if column.kind == "metric"]
    limited = [column.key for column in metrics if any(cell.verdict for cell in column.cells)]
    others = sorted((column.key for column in metrics if column.key not in limited), key=_rank, reverse=True)
    kept = [*limited, *others[: max(0, FEW_METRICS - len(limited))]]
    return {column.key for column in table.columns if column.kind not in ("metric", "size", "fit")} | {
        *kept,
        "code_size",
    }


def _rank(metric: str) -> int:
    return DROP_ORDER.index(metric) if metric in DROP_ORDER else -1


def _chips(run: RunResults, tables: Sequence[Table]) -> list[tuple[str, str, str]]:
    """Return the counts at the top of the page: each is a number, a label, and the CSS class that colors them."""
    encoders = {row.encoder for row in run.rows}
    verdicts: list[str] = [row.verdict for row in run.rows]
    as_expected = sum(claim.verdict == claim.expect for claim in run.claims)
    counts = [
        (int(run.is_cut), "runs ended before the last test", "broken"),
        (run.unevaluated, "checks not evaluated", "broken"),
        (len(encoders), "encoders ", ""),
        (sum(bool(table.size) for table in tables), "leaderboards ", ""),
        *((verdicts.count(verdict), f"limits {verdict}", verdict) for verdict in VERDICTS),
        (as_expected, "claims as expected", "met"),
        (len(run.claims) - as_expected, "claims not as expected", "broken"),
        (len(run.broken), "gates broken", "broken"),
        (sum(len(table.unranked) for table in tables), "without a place", "undecided"),
    ]
    return [
        (f"{count:,}", label.replace("s ", " ", 1) if count == 1 else label, name)
        for count, label, name in counts
        if count
    ]


def _changes(comparison: RunComparison) -> dict[str, Any]:
    groups = group_changes(comparison)
    lines = []
    for state, changes in (("worse", groups.worse), ("better", groups.better)):
        for change in changes:
            is_decided = change in groups.sure or change.low is None
            texts = dict(zip(("before", "now", "difference", "interval"), change_text(change), strict=True))
            lines.append({"state": state if is_decided else "unclear", "change": change, **texts})
    lines.sort(key=lambda line: ("worse", "better", "unclear").index(line["state"]))
    return {
        "title": title(comparison),
        "lines": lines,
        "notes": [
            *(["unclear: the interval of the difference contains 0"] if lines else []),
            f"{groups.unchanged} unchanged",
            *(f"only now: {name}" for name in comparison.only_now),
            *(f"only before: {name}" for name in comparison.only_before),
            *(f"not compared: {entry}" for entry in comparison.not_compared),
        ],
    }
