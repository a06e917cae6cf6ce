"""A run as GitHub-flavored Markdown, for a file or the summary page of a CI job."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from distbench._util.numbers import at_bound, distinct, interval
from distbench._util.text import plain_text
from distbench.render.changes import SURE, change_text, group_changes, title
from distbench.render.formats import SIGNS
from distbench.results.leaderboard_table import Table, tables_of
from distbench.results.rows import OK
from distbench.results.run import holm_line

if TYPE_CHECKING:
    from distbench.results.gates import RunComparison
    from distbench.results.rows import ClaimOutcome, Row
    from distbench.results.run import RunResults

__all__ = ["escaped", "list_item", "render_markdown", "render_summary"]

MAX_ITEMS = 50  # in a list
_SPECIAL = re.compile(r"[&<>|`*\[\]~\\$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_NAMED = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_CALLS = re.compile(r"([@#])(?=[A-Za-z0-9])")
_OPENS = re.compile(r"^([#+=-]|[0-9]+[.)])")
LEFT_OUT = "\n*{} left out: this page holds no more. A file has all of them: `--distbench-report md:PATH`.*\n"


def render_markdown(run: RunResults) -> str:
    """Return a run as Markdown: leaderboards with all metrics, changes, claims and the environment."""
    return "\n".join(["# distbench\n", f"{SIGNS['md']}\n", *_parts(run)])


def render_summary(run: RunResults, limit: int = 2**20) -> str:
    """Return a run as Markdown of less than `limit` bytes, for the summary page of a CI job.

    Parts that do not fit are left out, and the last line counts them. If the first line does not fit, the text is
    empty.
    """
    room = limit - 1 - _bytes(LEFT_OUT.format("10,000 parts"))
    kept, left_out = [], 0
    for part in ("## distbench\n", *_parts(run)):
        size = _bytes(part) + 1
        if size <= room:
            kept.append(part)
            room -= size
        else:
            left_out += 1
    if not kept:
        return ""
    return "\n".join([*kept, LEFT_OUT.format(f"{left_out:,} part{'s' * (left_out > 1)}") if left_out else ""])


def escaped(text: object) -> str:
    """Return text for a line or a cell of a table in GitHub-flavored Markdown.

    Special characters become character references, so they are not read as markup; a line break becomes a space, and
    control characters are spelled out. An empty comment follows ``@`` and ``#``, so that nobody is notified and no
    issue is linked.
    """
    plain = plain_text(" ".join(str(text).splitlines()))
    parts = _CALLS.split(plain)  # every second part is a sign, @ or #
    return "".join(f"{part}<!-- -->" if number % 2 else _quoted(part) for number, part in enumerate(parts))


def list_item(text: object) -> str:
    """Return text as an item of a list, in which it opens neither a list nor a heading."""
    return "- " + _OPENS.sub(lambda match: f"{match[0][:-1]}&#{ord(match[0][-1])};", escaped(str(text).strip()))


def _quoted(text: str) -> str:
    return _SPECIAL.sub(lambda match: _NAMED.get(match[0], f"&#{ord(match[0])};"), text)


def _bytes(text: str) -> int:
    return len(text.encode("utf-8"))


def _parts(run: RunResults) -> Iterator[str]:
    yield _counts(run)
    yield from _failures(run)
    if run.comparison is not None:
        yield from _comparison(run.comparison)
    yield from map(_leaderboard, tables_of(run.rows, run.sort))
    if run.claims:
        yield _claims(run.claims)
    if run.environment:
        grid = _grid(("", ""), [(name, str(value)) for name, value in run.environment.items()], words=2)
        yield f"<details>\n<summary>Environment</summary>\n\n{grid}\n</details>\n"


def _counts(run: RunResults) -> str:
    """Return one line that counts verdicts on limits, broken gates, failed fits and verdicts on claims."""
    verdicts = [row.verdict for row in run.rows if row.verdict]
    limits = [f"{verdicts.count(word)} {word}" for word in ("broken", "undecided", "met") if word in verdicts]
    failed = sum(row.status != OK for row in run.rows)
    parts = ["**the run ended before its last test**"] if run.is_cut else []
    parts += [f"**{run.unevaluated} check{'s' * (run.unevaluated > 1)} not evaluated**"] if run.unevaluated else []
    parts += [f"limits: {', '.join(limits)}"] if limits else []
    parts += [f"gates: **{len(run.broken)} broken**"] if run.broken else []
    parts += [f"without scores: {failed} fit{'s' * (failed > 1)}"] if failed else []
    if run.claims:
        words = [claim.verdict for claim in run.claims]
        parts.append("claims: " + ", ".join(f"{words.count(word)} {escaped(word)}" for word in dict.fromkeys(words)))
    return f"{'; '.join(parts) or 'no limits, gates or claims'}\n"


def _failures(run: RunResults) -> Iterator[str]:
    """Yield lists of failures and of unexpected verdicts on claims, which come first on the page."""
    failed = dict.fromkeys(f"{_row_name(row)}: {row.status}" for row in run.rows if row.status != OK)
    unexpected = [claim for claim in run.claims if claim.verdict != claim.expect]
    lists = {
        "Broken gates": run.broken,
        "Broken limits": [_broken_limit(row) for row in run.rows if row.verdict == "broken"],
        "Without scores": list(failed),
        "Claims with an unexpected verdict": [
            f"{claim.verdict}, expected: {claim.expect}: {claim.statement}" for claim in unexpected
        ],
    }
    for head, lines in lists.items():
        if lines:
            more = [f"- and {len(lines) - MAX_ITEMS} more"] if len(lines) > MAX_ITEMS else []
            yield "\n".join([f"### {head}\n", *map(list_item, lines[:MAX_ITEMS]), *more, ""])


def _row_name(row: Row) -> str:
    seed = "" if row.seed is None else f", seed {row.seed}"
    return f"{row.encoder}, {row.dataset or row.test}, code size {row.size_text}{seed}"


def _broken_limit(row: Row) -> str:
    assert row.value is not None
    value, limit = distinct(row.value, row.limit or 0.0)
    ends = "" if row.low is None else f" ({interval(row.low, row.high)})"
    return f"{_row_name(row)}: {row.metric} {value}{ends}, limit {at_bound(row.direction, limit)}"


def _leaderboard(table: Table) -> str:
    size, setting = f", {table.size}" if table.size else "", f"\n{escaped(table.setting)}\n" if table.setting else ""
    lines = [f"### {escaped(table.name)}{size}\n{setting}"]
    if table.entries:
        rows = zip(*[[f"{cell.text}{cell.mark}" for cell in column.cells] for column in table.columns], strict=True)
        lines.append(_grid([column.label for column in table.columns], rows, words=2))
    if table.notes:
        lines += [*map(list_item, table.notes), ""]
    return "\n".join(lines)


def _comparison(comparison: RunComparison) -> Iterator[str]:
    groups = group_changes(comparison)
    counts = f"{len(groups.worse)} worse, {len(groups.better)} better, {groups.unchanged} unchanged"
    sure = f" (\\*: {SURE}: {len(groups.sure)})" if groups.sure else ""
    yield f"### {escaped(title(comparison))}\n\n{counts}{sure}\n"
    head = ("encoder", "metric", "before", "now", "change", "95 % interval", "")
    for word, changes in (("Worse", groups.worse), ("Better", groups.better)):
        rows = []
        for change in changes:
            before, now, difference, ends = change_text(change)
            star = " *" * (change in groups.sure)
            rows.append((change.label, change.metric, before, now, f"{difference}{star}", ends, change.note))
        if rows:
            yield f"**{word}**\n\n{_grid(head, rows, words=2)}"
    missing = list(map(str, comparison.not_compared))
    for word, lines in (
        ("not compared", missing),
        ("only before", comparison.only_before),
        ("only now", comparison.only_now),
    ):
        if lines:
            yield "\n".join([*(f"- {word}: {escaped(line)}" for line in lines), ""])


def _claims(claims: Sequence[ClaimOutcome]) -> str:
    def row(claim: ClaimOutcome) -> tuple[str, ...]:
        expected = "" if claim.verdict == claim.expect else f" (expected: {claim.expect})"
        stored = f" (stored {claim.stored})" if claim.stored else ""
        return f"{claim.verdict}{expected}{stored}", claim.statement, claim.evidence, claim.source

    decided = holm_line(claims)
    grid = _grid(("verdict", "claim", "evidence", "source"), map(row, claims), words=4)
    return f"### Claims\n\n{grid}" + f"\n{decided[:1].upper()}{decided[1:]}.\n" * bool(decided)


def _grid(head: Sequence[str], rows: Iterable[Sequence[str]], words: int) -> str:
    """Return a table whose first `words` columns are aligned to the left, the others to the right."""
    aligned = ["---" if place < words else "---:" for place in range(len(head))]
    first, *rest = (f"| {' | '.join(escaped(cell) for cell in row)} |" for row in (head, *rows))
    return "\n".join([first, f"| {' | '.join(aligned)} |", *rest, ""])
