"""The output of ``distbench evaluate``: lines of text, a JSON document, and files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from distbench.errors import plain_text

if TYPE_CHECKING:
    from distbench.inference.verdicts import Undecided, Verdict
    from distbench.results.rows import Row
    from distbench.suites.check_flow import Outcome

__all__ = ["limit_lines", "report_document", "write_files"]

MAX_PAIRS = 5
KEYS_OF_ROWS = ("k", "m", "M", "distance", "data_sha256", "seed")
"""If one of these differs, new rows do not replace the rows of an earlier command with the same names."""
SCORE = ("metric", "direction", "value", "low", "high", "chance", "floor", "draws", "sd_draws")
REPORT = (
    *("encoder", "code_size", "code_bytes", "compression"),
    *("k", "m", "M", "n_reference", "confidence", "distance_x", "distance_z"),
)
PAIR = ("query", "partner", "partner_set", "input_distance", "code_distance", "rank_input", "rank_code", "labels")


def limit_lines(outcome: Outcome, limits: Mapping[str, float], undecided: Undecided) -> list[str]:
    """Return a line with the verdict of each limit; if it is undecided, the line also says whether it passes."""
    from distbench._util.numbers import at_bound, number

    deciding = "by the value alone" if undecided == "value" else f"as --undecided={undecided} says"
    lines = []
    for name, verdict in _verdicts(outcome, limits).items():
        line = f"{name} {at_bound(outcome.report[name].direction, number(limits[name]))}: {verdict}"
        passes = f", {'fails' if name in outcome.broken else 'passes'} {deciding}"
        lines.append(f"{line}{passes if verdict == 'undecided' else ''}")
    return lines


def _verdicts(outcome: Outcome, limits: Mapping[str, float]) -> dict[str, Verdict]:
    return outcome.report.verdicts(limits) if limits else {}


def report_document(outcome: Outcome, limits: Mapping[str, float]) -> dict[str, Any]:
    """Return a report as plain values, for JSON."""
    report, row_fields = outcome.report, outcome.row_fields
    verdicts = _verdicts(outcome, limits)
    scores = []
    for name, score in report.items():
        passed = name not in outcome.broken if name in limits else None
        limit = {"limit": limits.get(name), "verdict": verdicts.get(name), "passes": passed}
        scores.append({key: getattr(score, key) for key in SCORE} | limit)
    torn, merged = (
        [{key: getattr(pair, key) for key in PAIR} for pair in report.worst_pairs(MAX_PAIRS, kind)]
        for kind in ("torn", "merged")
    )
    return {
        **{key: getattr(report, key) for key in REPORT},
        "dataset": row_fields["dataset"],
        "seed": row_fields.get("seed"),
        "in_sample": row_fields.get("in_sample", False),
        "scores": scores,
        "torn": torn,
        "merged": merged,
        "notes": list(report.notes),
    }


def write_files(
    outcome: Outcome, limits: Mapping[str, float], html: Path | None, results: Path | None, advice: Sequence[str] = ()
) -> list[str]:
    """Write the page, with advice on broken limits, and the rows to the paths that are not None.

    Returns a line of text for each file.
    """
    if html is None and results is None:
        return []
    from distbench.results.environment import environment
    from distbench.results.rows import rows_of

    rows = rows_of(outcome.report, leave_one_out=set(outcome.report), limits=limits, **outcome.row_fields)
    measured_in = environment(Path.cwd())
    lines = []
    if results is not None:
        from distbench.results.file import write_results

        replaced = write_results(results, rows, measured_in, whole=False, apart=KEYS_OF_ROWS)
        old_rows = f"{replaced} row{'s' * (replaced > 1)} of {outcome.report.encoder} on the same points"
        more = f", in place of {old_rows} and with the same options; --name distinguishes encoders" if replaced else ""
        lines.append(f"written: {plain_text(results)}{more}")
    if html is not None:
        _write_page(outcome, rows, measured_in, html, advice)
        lines.insert(0, f"written: {plain_text(html)}")
    return lines


def _write_page(
    outcome: Outcome, rows: list[Row], measured_in: Mapping[str, Any], path: Path, advice: Sequence[str]
) -> None:
    from distbench._util.files import write_whole
    from distbench.render.html import render_html
    from distbench.results.diagrams import diagrams_of
    from distbench.results.run import SORT_METRIC, RunResults

    known = {
        key: outcome.row_fields[key]
        for key in ("dataset", "code_size", "seed", "in_sample")
        if key in outcome.row_fields
    }
    run = RunResults(
        rows,
        measured_in,
        diagrams=[diagrams_of(outcome.report, labels=outcome.labels, **known)],
        sort=SORT_METRIC if SORT_METRIC in outcome.report else next(iter(outcome.report)),
        advice={("", outcome.report.encoder): [line.strip() for line in advice]},
    )
    write_whole(path, render_html(run))
