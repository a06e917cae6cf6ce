"""``distbench compare``: show what changed between two files of results, and check gates."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from distbench._util.text import join_names
from distbench.cli import _common as common
from distbench.cli._common import PATH, CannotDo, json_option, width_option
from distbench.inference.verdicts import Undecided

if TYPE_CHECKING:
    from distbench.results.file import Results
    from distbench.results.gates import BrokenGate, Gate, RunComparison
    from distbench.results.rows import ClaimOutcome, Row

__all__ = ["command"]

WIDER = "only the first are listed; a larger --width also shows intervals"


def _gates(context: click.Context, parameter: click.Parameter, texts: Sequence[str]) -> tuple[Gate, ...]:
    from distbench.errors import InputError
    from distbench.results.gates import parse_gate

    try:
        return tuple(map(parse_gate, texts))
    except InputError as error:
        raise click.BadParameter(str(error)) from error


@click.command(
    "compare",
    cls=common.Command,
    examples=[
        "distbench compare before.json results.json --fail continuity:25% --fail scaled_stress:10%",
        "distbench compare before.json part1.json part2.json --fail continuity:25%",
    ],
)
@click.argument("before", type=PATH)
@click.argument("now", nargs=-1, required=True, type=PATH)
@click.option(
    "--fail",
    "gates",
    multiple=True,
    metavar="METRIC:CHANGE",
    callback=_gates,
    help="Exit with 1 if a metric of an encoder got worse by more than this: continuity:25% or continuity:0.01. Can be "
    "repeated.",
)
@common.undecided_option(
    "How to decide a change whose interval contains the threshold: by its value, or let it fail or pass."
)
@json_option
@width_option
def command(
    before: Path, now: tuple[Path, ...], gates: tuple[Gate, ...], undecided: Undecided, as_json: bool, width: int | None
) -> None:
    """Print what changed between two runs.

    BEFORE is the file of results of a run, NOW the file or files of a later run: several if its tests ran in several
    parts. The changes are from BEFORE to NOW, and changes for the worse come first. With --fail, the exit code is 1 if
    something got worse by more than a threshold or is missing in NOW, and 2 if nothing could be compared.
    """
    from distbench.render.changes import render_changes
    from distbench.results.file import read_results
    from distbench.results.gates import broken_gates, compare_rows

    with common.errors_as_lines():
        earlier, runs = read_results(before), [_of_last_run(path) for path in now]
        rows = _rows_of_parts(now, [run.rows for run in runs])
        comparison = compare_rows(earlier.rows, rows, source=str(before))
    claims = _changed_claims(earlier.claims, [claim for run in runs for claim in run.claims])
    broken = broken_gates(comparison, gates, undecided, _accept(before, now) if rows else "")
    if as_json:
        common.print_document(_document(comparison, broken, bool(gates)) | {"claims": claims})
    else:
        common.print_text("\n".join([render_changes(comparison, common.width_or_terminal(width), rest=WIDER), *claims]))
        if broken:
            common.print_text("")
            common.print_text("\n".join(map(str, broken)), fg="red", bold=True)
    if broken:
        sys.exit(1 if any(gate.compared for gate in broken) else CannotDo.exit_code)


def _of_last_run(path: Path) -> Results:
    """Return what a file's last run measured; what it kept of an earlier one says nothing about it."""
    from distbench.results.file import read_results

    results = read_results(path)
    rows = [row for row in results.rows if not (results.environment and row.environment)]
    claims = [claim for claim in results.claims if not (results.environment and claim.environment)]
    if kept := len(results.rows) - len(rows):
        common.print_text(f"note: {path}: {kept} rows are of an earlier run and do not count; run all tests", err=True)
    return replace(results, rows=rows, claims=claims)


def _rows_of_parts(paths: Sequence[Path], parts: Sequence[Sequence[Row]]) -> list[Row]:
    """Return the rows of the files of one run; those of a file that is named twice, or was copied, count once."""
    rows: list[Row] = []
    known: set[str] = set()
    for path, part in zip(paths, parts, strict=True):
        texts = [repr(replace(row, environment="", stored="", seconds=None)) for row in part]
        new = [row for row, text in zip(part, texts, strict=True) if text not in known]
        if repeated := len(part) - len(new):
            common.print_text(f"note: {path}: {repeated} rows are in another file too and count once", err=True)
        rows += new
        known.update(texts)
    return rows


def _changed_claims(before: Sequence[ClaimOutcome], now: Sequence[ClaimOutcome]) -> list[str]:
    """Return a line for each claim that was as expected and has another verdict now, and one for all missing now."""
    verdicts = {claim.id: claim.verdict for claim in now}
    missing = [claim.id for claim in before if claim.id not in verdicts]
    return [
        f"claim {claim.id}: was {claim.verdict}, is now {verdicts[claim.id]}"
        for claim in before
        if claim.verdict == claim.expect != verdicts.get(claim.id, claim.verdict)
    ] + [f"claims that are missing now: {join_names(missing)}"] * bool(missing)


def _accept(before: Path, now: Sequence[Path]) -> str:
    """Return the command that makes the later run the one to compare with."""
    if len(now) > 1:
        return f"pytest --distbench {shlex.quote(f'--distbench-report=json:{before}')}"
    return shlex.join(["cp", str(now[0]), str(before)])


def _document(comparison: RunComparison, broken: Sequence[BrokenGate], gated: bool) -> dict[str, Any]:
    from distbench.results.matching import MISSING

    missing = [entry.label for entry in comparison.not_compared if entry.reason == MISSING]
    return {
        "source": comparison.source,
        "met": not broken if gated else None,
        "broken": list(map(str, broken)),
        "changes": [vars(change) for change in comparison.changes],
        "not_compared": [{**vars(entry), "had": sorted(entry.had)} for entry in comparison.not_compared],
        "only_before": [*comparison.only_before, *missing],
        "only_now": list(comparison.only_now),
    }
