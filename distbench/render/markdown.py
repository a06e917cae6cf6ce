"""An outcome as GitHub-flavoured Markdown: a file, and the summary page of a job."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from distbench.evaluation.text import number
from distbench.render._escape import escaped, item
from distbench.render._grids import Grid, board_grid, checks_grid
from distbench.render.changes import change_text, grouped, named, title
from distbench.render.notes import mark_notes, own_notes, table_notes
from distbench.results.leaderboard import Leaderboard, leaderboard
from distbench.results.rows import EUCLIDEAN, OK

if TYPE_CHECKING:
    from distbench.results.gates import Change, RunComparison
    from distbench.results.rows import Row
    from distbench.results.run import ClaimOutcome, RunResults

__all__ = ["render_markdown", "render_summary"]

MOST_TROUBLES = 50
LEFT_OUT = "\n*{} left out: this page holds no more. A file has all of them: `--distbench-report md:PATH`.*\n"


def render_markdown(outcome: RunResults) -> str:
    """Return an outcome as Markdown: leaderboards with all metrics, changes, claims and the environment.

    Parameters
    ----------
    outcome : RunResults
        What a run found.

    Returns
    -------
    str
        Names of encoders and tests are text in it, whatever characters they have.
    """
    return "\n".join(["# distbench\n", _counts(outcome), *_troubles(outcome), *_tables(outcome)])


def render_summary(outcome: RunResults, limit: int = 2**20) -> str:
    """Return an outcome for the summary page of a CI job: first what is broken, then the tables.

    Parameters
    ----------
    outcome : RunResults
        What a run found.
    limit : int
        Bytes of UTF-8 that the page has left; the text stays below. Whole tables are left out for that, and the text
        says how many.

    Returns
    -------
    str
        Empty where not even the first line has room.
    """
    room = limit - 1 - _size(LEFT_OUT.format("10,000 parts"))
    kept, missing = [], 0
    for part in ("## distbench\n", _counts(outcome), *_troubles(outcome), *_tables(outcome)):
        size = _size(part) + 1
        if size <= room:
            kept.append(part)
            room -= size
        else:
            missing += 1
    if not kept:
        return ""
    return "\n".join([*kept, LEFT_OUT.format(f"{missing:,} part{'s' * (missing > 1)}") if missing else ""])


def _size(text: str) -> int:
    return len(text.encode("utf-8"))


def _counts(outcome: RunResults) -> str:
    """Return one line: how many limits and gates hold, how many fits failed and what became of claims."""
    said = [row["verdict"] for row in outcome.rows if row.get("verdict")]
    limits = [f"{said.count(word)} {word}" for word in ("broken", "undecided", "met") if word in said]
    failed = sum(row["status"] != OK for row in outcome.rows)
    parts = [f"limits: {', '.join(limits)}"] if limits else []
    parts += [f"gates: **{len(outcome.broken)} broken**"] if outcome.broken else []
    parts += [f"without scores: {failed} fit{'s' * (failed > 1)}"] if failed else []
    if outcome.claims:
        verdicts = [claim["verdict"] for claim in outcome.claims]
        parts.append("claims: " + ", ".join(f"{verdicts.count(one)} {escaped(one)}" for one in dict.fromkeys(verdicts)))
    return f"{'; '.join(parts) or 'no limits, gates or claims'}\n"


def _troubles(outcome: RunResults) -> Iterator[str]:
    """Yield what a reader must look at first, as lists."""
    yield from _list("Worse than it may be", outcome.broken)
    yield from _list("Broken limits", (_limit(row) for row in outcome.rows if row.get("verdict") == "broken"))
    failed = dict.fromkeys(f"{_whose(row)}: {row['status']}" for row in outcome.rows if row["status"] != OK)
    yield from _list("Without scores", failed)
    claims = (claim for claim in outcome.claims if claim["verdict"] != claim["expect"])
    told = (f"{claim['verdict']}, expected: {claim['expect']}: {claim['statement']}" for claim in claims)
    yield from _list("Claims that came out otherwise", told)


def _list(head: str, lines: Iterable[str]) -> Iterator[str]:
    found = list(lines)
    if found:
        more = [f"- and {len(found) - MOST_TROUBLES} more"] if len(found) > MOST_TROUBLES else []
        yield "\n".join([f"### {head}\n", *map(item, found[:MOST_TROUBLES]), *more, ""])


def _whose(row: Row) -> str:
    seed = "" if row["seed"] is None else f", seed {row['seed']}"
    return f"{row['encoder']}, {row['dataset'] or row['test']}, code size {row['code_size']}{seed}"


def _limit(row: Row) -> str:
    side = "at most" if row["direction"] == "down" else "at least"
    low, high = number(row["low"]), number(row["high"])
    interval = "" if row["low"] is None else f" ({low} to {high})"
    value, limit = number(row["value"]), number(row.get("limit"))
    if value == limit:  # a near miss must not look like a hit
        value, limit = repr(row["value"]), repr(row.get("limit"))
    return f"{_whose(row)}: {row['metric']} {value}{interval}, limit {side} {limit}"


def _tables(outcome: RunResults) -> Iterator[str]:
    if outcome.comparison is not None:
        yield from _comparison(outcome.comparison)
    tables = leaderboard(outcome.rows, outcome.sort)
    alone = [table for table in tables if table.stands_alone]
    yield from (_board(table) for table in tables if table not in alone)
    if alone:
        yield _checks(alone)
    if outcome.claims:
        yield _claims(outcome.claims)
    if outcome.environment:
        grid = Grid(("", ""), [(name, str(value)) for name, value in outcome.environment.items()], names=2)
        yield f"<details>\n<summary>Environment</summary>\n\n{_grid(grid)}\n</details>\n"


def _board(table: Leaderboard) -> str:
    distance = "" if table.distance == EUCLIDEAN else f", {table.distance} distance"
    setting = f"k = {table.k}, {table.m} test points, {table.M} candidates{distance}"
    head = f"### {escaped(table.name)}, code size {table.code_size}\n\n{escaped(setting)}\n"
    grid = board_grid(table)
    body = [_grid(grid)] if grid.rows else []
    return "\n".join([head, *body, *_notes(table_notes(table))])


def _checks(alone: Sequence[Leaderboard]) -> str:
    notes = [f"no score: {t.test}: {e.encoder}: {e.reason}" for t in alone for e in t.entries if e.reason]
    entries = [replace(e, encoder=f"{t.test}: {e.encoder}") for t in alone for e in t.entries if not e.reason]
    notes += own_notes(entries)
    grid = checks_grid(alone)
    body = [_grid(grid)] if grid.rows else []
    marks = mark_notes(entries)
    return "\n".join(["### Checks on points of their own\n", *body, *_notes([*notes, *marks])])


def _comparison(comparison: RunComparison) -> Iterator[str]:
    found = grouped(comparison)
    counts = f"{len(found.worse)} worse, {len(found.better)} better, {found.unchanged} as they were"
    surely = f" (\\*: the 95 % interval of the change excludes 0, {len(found.surely)})" if found.surely else ""
    yield f"### {escaped(title(comparison))}\n\n{counts}{surely}\n"
    for word, changes in (("Worse", found.worse), ("Better", found.better)):
        if changes:
            head = ("encoder", "metric", "before", "now", "change", "95 % interval", "")
            rows = [_change(change, change in found.surely) for change in changes]
            yield f"**{word}**\n\n{_grid(Grid(head, rows, names=2))}"
    told = [f"{named(one)}{', ' * bool(one.metric)}{one.metric}: {one.reason}" for one in comparison.not_compared]
    for word, lines in (
        ("not compared", told),
        ("only before", comparison.only_before),
        ("only now", comparison.only_now),
    ):
        if lines:
            yield "\n".join([*(f"- {word}: {escaped(line)}" for line in lines), ""])


def _change(change: Change, sure: bool) -> tuple[str, ...]:
    before, now, difference, interval = change_text(change)
    return named(change), change.metric, before, now, difference + " *" * sure, interval, change.note


def _claims(claims: Sequence[ClaimOutcome]) -> str:
    def row(claim: ClaimOutcome) -> tuple[str, ...]:
        expected = "" if claim["verdict"] == claim["expect"] else f" (expected: {claim['expect']})"
        stored = f" (stored {claim['stored']})" if claim["stored"] else ""
        return f"{claim['verdict']}{expected}{stored}", claim["statement"], claim["evidence"], claim["source"]

    head = ("verdict", "claim", "evidence", "source")
    return f"### Claims\n\n{_grid(Grid(head, [row(claim) for claim in claims], names=len(head)))}"


def _notes(notes: Iterable[str]) -> list[str]:
    lines = [item(note) for note in notes]
    return [*lines, ""] if lines else []


def _grid(grid: Grid) -> str:
    """Return a table: the first columns, which hold names, to the left, numbers to the right."""
    aligned = ["---" if number < grid.names else "---:" for number in range(len(grid.head))]
    rows = [grid.head, *grid.rows]
    first, *rest = (f"| {' | '.join(escaped(cell) for cell in row)} |" for row in rows)
    return "\n".join([first, f"| {' | '.join(aligned)} |", *rest, ""])
