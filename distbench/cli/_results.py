"""What ``distbench evaluate`` says of a report: lines, a document, files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from distbench.evaluation.report import Pair, Report
    from distbench.inference.verdicts import Undecided, Verdict
    from distbench.results.rows import Row
    from distbench.suites.check import Outcome

__all__ = ["failure_of", "report_document", "verdict_lines", "write_files"]

PAIRS = 5
APART = ("k", "m", "M", "distance", "data_sha256", "seed")
"""By what rows are others than those of an earlier command with an encoder and data of the same name."""
SCORE = ("metric", "direction", "value", "low", "high", "chance", "floor", "draws", "sd_draws")
ABOUT = ("encoder", "code_size", "k", "m", "M", "n_reference", "confidence", "distance_x", "distance_z")
OF_PAIR = ("query", "partner", "partner_set", "input_distance", "code_distance", "rank_input", "rank_code", "labels")


def failure_of(outcome: Outcome) -> str:
    """Return what the error of broken limits says; nothing where all are met."""
    from distbench.evaluation.text import failure_text

    return failure_text(outcome.report, outcome.broken) if outcome.broken else ""


def verdict_lines(report: Report, limits: Mapping[str, float], undecided: Undecided) -> list[str]:
    """Return one line a limit: what the interval says of it, and what becomes of one that it does not decide."""
    from distbench._util.numbers import number
    from distbench.inference.verdicts import passes

    lines = []
    for name, found in _verdicts(report, limits).items():
        score = report[name]
        side = "at least" if score.direction == "up" else "at most"
        more = ""
        if found == "undecided":
            word = "passes" if passes(found, score.value, limits[name], score.direction, undecided) else "fails"
            by = "by the value alone" if undecided == "value" else f"as --undecided={undecided} says"
            more = f", {word} {by}"
        lines.append(f"{name} {side} {number(limits[name])}: {found}{more}")
    return lines


def _verdicts(report: Report, limits: Mapping[str, float]) -> dict[str, Verdict]:
    return report.verdicts(**limits) if limits else {}


def report_document(
    judged: Outcome, limits: Mapping[str, float], undecided: Undecided, failure: str, queries: int | None, seed: int
) -> dict[str, Any]:
    """Return a report as plain values; `queries` and `seed` are those of the command line."""
    from distbench.inference.verdicts import passes

    report, about = judged.report, judged.about
    verdicts = _verdicts(report, limits)
    scores = []
    for name, score in report.items():
        found, limit = verdicts.get(name), limits.get(name)
        passed = None
        if found is not None and limit is not None:
            passed = passes(found, score.value, limit, score.direction, undecided)
        scores.append(
            {key: getattr(score, key) for key in SCORE} | {"limit": limit, "verdict": found, "passes": passed}
        )
    return {
        **{key: getattr(report, key) for key in ABOUT},
        "dataset": about["dataset"],
        "seed": about.get("seed") if queries is None else seed,
        "queries": queries,
        "in_sample": about.get("in_sample", False),
        "undecided": undecided,
        "met": not failure if limits else None,
        "scores": scores,
        "torn": [_pair(pair) for pair in report.worst_pairs(PAIRS)],
        "merged": [_pair(pair) for pair in report.worst_pairs(PAIRS, kind="merged")],
        "notes": list(report.notes),
        "failure": failure or None,
    }


def _pair(pair: Pair) -> dict[str, Any]:
    return {key: getattr(pair, key) for key in OF_PAIR}


def write_files(judged: Outcome, limits: Mapping[str, float], html: Path | None, results: Path | None) -> list[str]:
    """Write the page and the rows that are asked for, and return a line for each.

    Raises
    ------
    ResultsError
        The file of results that is there is damaged, or none of ours; it stays as it is.
    MissingDependencyError
        A package that pages need is not installed.
    OSError
        A file cannot be written; the old one, if any, stays as it is.
    """
    if html is None and results is None:
        return []
    from distbench.results.environment import environment
    from distbench.results.rows import rows_of

    rows = rows_of(judged.report, leave_one_out=set(judged.report), limits=limits, **judged.about)
    found = environment(Path.cwd())
    lines = []
    if results is not None:
        from distbench.results.file import write_results

        replaced = write_results(results, rows, found, whole=False, apart=APART)
        gone = f"{replaced} row{'s' * (replaced > 1)} of {judged.report.encoder} on the same points"
        more = f", in place of {gone} and with the same options; --name keeps encoders apart" if replaced else ""
        lines.append(f"written: {results}{more}")
    if html is not None:
        _write_page(judged, rows, found, html)
        lines.insert(0, f"written: {html}")
    return lines


def _write_page(judged: Outcome, rows: list[Row], found: Mapping[str, Any], path: Path) -> None:
    from distbench._util.files import write_whole
    from distbench.render.html import render_html
    from distbench.results.diagrams import diagrams_of
    from distbench.results.run import SORT_METRIC, RunResults

    known = {key: judged.about[key] for key in ("dataset", "code_size", "seed", "in_sample") if key in judged.about}
    pictures = [diagrams_of(judged.report, labels=judged.labels, **known)]
    sort = SORT_METRIC if SORT_METRIC in judged.report else next(iter(judged.report))
    write_whole(path, render_html(RunResults(rows, found, diagrams=pictures, sort=sort)))
