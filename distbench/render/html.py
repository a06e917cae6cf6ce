"""A run as one page of HTML that needs nothing else: no network, no other file."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from distbench._util.imports import require
from distbench.render._boards import Board, RowsOf, board_of, checks_board, number, rows_by_entry
from distbench.render._details import Detail, detail_of
from distbench.results.leaderboard import Leaderboard, leaderboard
from distbench.results.run import RunResults

if TYPE_CHECKING:
    from distbench.results.gates import Change, RunComparison

__all__ = ["render_html"]

STATES = ("worse", "better", "unclear")
VERDICTS = ("broken", "undecided", "met")


@dataclass(frozen=True)
class _Section:
    """A leaderboard, and what there is to say of each encoder in it."""

    board: Board
    details: tuple[Detail, ...]


def render_html(outcome: RunResults, title: str = "distbench") -> str:
    """Return a run as a page.

    Parameters
    ----------
    outcome : RunResults
        What the run found.
    title : str
        Of the page.

    Returns
    -------
    str
        HTML with its styles, script and pictures inside. The same outcome gives the same page.

    Raises
    ------
    MissingDependencyError
        jinja2 is not installed, or matplotlib is not and there are pictures.
    """
    require("jinja2")
    style, script = _text("report.css"), _text("report.js")
    tables = leaderboard(outcome.rows, outcome.sort)
    sections = _sections(outcome, tables)
    page: str = _template().render(
        title=title,
        style=style,
        script=script,
        style_hash=_hash(style),
        script_hash=_hash(script),
        chips=_chips(outcome, tables),
        sections=sections,
        groups=_groups(sections),
        broken=outcome.broken,
        claims=outcome.claims,
        comparison=_comparison(outcome.comparison),
        environment={name: str(value) for name, value in outcome.environment.items()},
        sort=outcome.sort.replace("_", " "),
    )
    return page


@cache
def _template() -> Any:
    """Return the page's template, which takes a while to compile."""
    import jinja2

    return jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    ).from_string(_text("report.html.j2"))


def _text(name: str) -> str:
    return resources.files("distbench.render").joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """Return the hash by which a page's policy knows its own style and script."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _sections(outcome: RunResults, tables: Sequence[Leaderboard]) -> list[_Section]:
    """Return the leaderboards; tables of one encoder on points of its own are one list, before them."""
    rows = rows_by_entry(outcome.rows)
    alone = [table for table in tables if table.stands_alone]
    ranked = [table for table in tables if table not in alone]
    checks = [_section(outcome, alone, rows, "checks")] if alone else []
    return checks + [_section(outcome, [table], rows, f"t{place}") for place, table in enumerate(ranked)]


def _section(outcome: RunResults, tables: Sequence[Leaderboard], rows: RowsOf, name: str) -> _Section:
    entries = [(table, entry) for table in tables for entry in table.entries]
    details = [detail_of(*one, rows, outcome.diagrams, f"{name}e{place}") for place, one in enumerate(entries)]
    links = [detail.id for detail in details]
    if name == "checks":
        return _Section(checks_board(tables, rows, links, name), tuple(details))
    return _Section(board_of(tables[0], rows, dict(enumerate(links)), name), tuple(details))


def _groups(sections: Sequence[_Section]) -> dict[str, list[Board]]:
    """Return the boards by what stands above them in the page's list."""
    groups: dict[str, list[Board]] = {}
    for section in sections:
        groups.setdefault(section.board.heading, []).append(section.board)
    return groups


def _chips(outcome: RunResults, tables: Sequence[Leaderboard]) -> list[tuple[str, str, str]]:
    """Return the counts at the head of the page: number, what of, and the class that colours it."""
    encoders = {entry.encoder for table in tables for entry in table.entries}
    unranked = sum(entry.place is None for table in tables for entry in table.entries)
    boards = sum(not table.stands_alone for table in tables)
    verdicts = [row.get("verdict") for row in outcome.rows]
    counts = [(len(encoders), "encoders ", ""), (boards, "leaderboards ", "")]
    counts += [(verdicts.count(verdict), f"limits {verdict}", verdict) for verdict in VERDICTS]
    claims = outcome.claims
    as_expected = sum(claim["verdict"] == claim["expect"] for claim in claims)
    counts += [
        (as_expected, "claims as expected", "met"),
        (len(claims) - as_expected, "claims not as expected", "broken"),
        (len(outcome.broken), "gates broken", "broken"),
        (unranked, "without a place", "undecided"),
    ]
    return [
        (f"{count:,}", what.replace("s ", " ", 1) if count == 1 else what, name)
        for count, what, name in counts
        if count
    ]


def _comparison(comparison: RunComparison | None) -> dict[str, Any] | None:
    if comparison is None:
        return None
    changed = [change for change in comparison.changes if change.is_change]
    lines = [(_state(change), change) for change in changed]
    lines.sort(key=lambda line: STATES.index(line[0]))
    return {
        "source": comparison.source,
        "lines": [_change(state, change) for state, change in lines],
        "unchanged": len(comparison.changes) - len(changed),
        "only_before": comparison.only_before,
        "only_now": comparison.only_now,
        "not_compared": comparison.not_compared,
    }


def _state(change: Change) -> str:
    """Say whether a change is one for the worse; it is unclear where its interval holds 0."""
    worse, low, high = change.worsening
    if low is not None and high is not None and low <= 0 <= high:
        return "unclear"
    return "worse" if worse > 0 else "better"


def _change(state: str, change: Change) -> dict[str, Any]:
    interval = "-" if change.low is None or change.high is None else f"{change.low:+.4f} to {change.high:+.4f}"
    return {
        "state": state,
        "encoder": change.encoder,
        "on": change.dataset or change.test,
        "code_size": change.code_size,
        "metric": change.metric,
        "before": number(change.before),
        "now": number(change.now),
        "difference": f"{change.difference:+.4f}",
        "value": change.difference,
        "interval": interval,
        "how": "paired" if change.paired else "not paired",
        "note": change.note,
    }
