"""A report as text: the table of scores, and the message of a broken limit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from tabulate import tabulate

from distbench._util.notes import codes_of
from distbench.inference.limits import is_met
from distbench.inference.verdicts import points_to_decide, verdict

if TYPE_CHECKING:
    from distbench.evaluation.report import Report, Score
    from distbench.evaluation.scores import ReferenceScore

__all__ = [
    "advice",
    "failure_text",
    "number",
    "report_columns",
    "report_notes",
    "report_text",
    "setting",
    "standing_lines",
]

WORST_PAIRS = 3
MOST_LIMITS = 4
MOST_LINES = 19  # of a failure; with baselines, advice and the command that reruns it 25


def number(value: float | None) -> str:
    """Return a value with four significant digits, or four decimals for what is near 1; '-' for None."""
    if value is None:
        return "-"
    return f"{value:.4f}" if 0.001 <= abs(value) < 10 or value == 0 else f"{value:.4g}"


def interval(score: Score) -> str:
    """Return the interval in brackets, or '-' where there is none."""
    if score.low is None or score.high is None:
        return "-"
    return f"[{number(score.low)}, {number(score.high)}]"


def setting(report: Report) -> str:
    """Return test points, candidates and neighbours in a few words."""
    return f"n = {report.m} test points, M = {report.M} candidates each, k = {report.k}"


def report_text(report: Report) -> str:
    """Return the table of a report's scores."""
    head, rows = report_columns(report)
    table = tabulate(
        rows,
        headers=head,
        tablefmt="simple",
        disable_numparse=True,
        colalign=("left", "left", "right", "left", *("right" for _ in head[4:])),
    )
    lines = [f"{report.encoder}: codes of {report.code_size}, {setting(report)}", "", table]
    notes = report_notes(report)
    return "\n".join([*lines, *(["", *(f"note: {note}" for note in notes)] if notes else [])])


def report_columns(report: Report) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return head and cells of the table of a report's scores."""
    marks = _marks(report)
    rows = [
        (
            score.metric,
            "higher" if score.direction == "up" else "lower",
            number(score.value),
            interval(score),
            *(number(getattr(score, mark)) for mark in marks),
        )
        for score in report.scores.values()
    ]
    return ("metric", "better", "value", f"{100 * report.confidence:g}% interval", *marks), rows


def report_notes(report: Report) -> list[str]:
    """Return what a reader of a report must know."""
    return [*report.notes, *_on_marks(report, _marks(report))]


def _marks(report: Report) -> list[str]:
    scores = report.scores.values()
    return ["chance", *(mark for mark in ("attainable", "floor") if any(getattr(s, mark) is not None for s in scores))]


def _on_marks(report: Report, marks: Sequence[str]) -> list[str]:
    """Say what floors and attainable values are of, where the scores are of something else."""
    said = []
    if "floor" in marks and not report.in_sample():
        said.append("floors are those of the test points alone, in sample; here only that of distortion binds")
    if "attainable" in marks:
        said.append("attainable: metric MDS of the test points themselves (at most 1,000), in sample")
    return said


def failure_text(report: Report, broken: Mapping[str, float]) -> str:
    """Return what a user must know of broken limits: value, interval, limit, n, k, M and the worst pairs.

    At most ``MOST_LINES`` lines: what says least is left out first.
    """
    limits = f"{len(broken)} limit{'s' * (len(broken) > 1)}"
    if all(is_met(report[name].value, limit, report[name].direction) for name, limit in broken.items()):
        limits += " for sure"
    lines = [f"{report.encoder} (codes of {report.code_size}) does not meet {limits}:"]
    for name, limit in list(broken.items())[:MOST_LIMITS]:
        lines += _limit_lines(report, report[name], limit)
    if len(broken) > MOST_LIMITS:
        lines.append(f"  and {', '.join(list(broken)[MOST_LIMITS:])}")
    lines.append(f"  {setting(report)}")
    for block in _details(report, broken):
        if len(lines) + len(block) <= MOST_LINES:
            lines += block
    return "\n".join(lines)


def _limit_lines(report: Report, score: Score, limit: float) -> list[str]:
    side = "at least" if score.direction == "up" else "at most"
    value, bound = number(score.value), number(limit)
    if value == bound:  # a near miss must not look like a hit
        value, bound = repr(score.value), repr(limit)
    chance = "" if score.chance is None else f"; shuffled codes score {number(score.chance)}"
    told = f"    {_certainty(report, score, limit)}{chance}"
    good = "    the value itself is on the good side: fails because undecided='fail'"
    met = is_met(score.value, limit, score.direction)
    return [f"  {score.metric} = {value}, limit {side} {bound}", *([good] if met else []), told]


def _details(report: Report, broken: Mapping[str, float]) -> Iterator[list[str]]:
    """Yield blocks of lines on where it breaks, most telling first."""
    pairs = report.worst_pairs(WORST_PAIRS)
    if pairs:
        yield ["  near in input, torn apart in the codes:", *(f"    {pair}" for pair in pairs)]
    extremes = report.worst_pairs(2, kind="extreme")
    if "distortion" in broken and extremes:
        yield ["  largest and least ratio of code to input distance:", *(f"    {pair}" for pair in extremes)]
    strangers = report.worst_pairs(1, kind="merged")
    if strangers:
        yield ["  far in input, brought near in the codes:", f"    {strangers[0]}"]
    about_others = set(report.scores) - set(broken)
    for note in report.notes:
        if not codes_of([note]) & about_others:
            yield [f"  note: {note}"]


def standing_lines(best: Mapping[str, ReferenceScore], code_size: int) -> list[str]:
    """Return what the best reference encoders reach at a code size, one line a metric, two at most."""
    return [
        f"  best baseline at code size {code_size}: {one.encoder} ({one.where}), {one.metric} = {number(one.value)}"
        for one in list(best.values())[:2]
    ]


def advice(report: Report, broken: Mapping[str, float], best: Mapping[str, ReferenceScore]) -> str:
    """Return the one line that says what to do next."""
    noted = codes_of(report.notes)
    if "all_codes_equal" in noted:
        return "next: all codes are the same: look for a layer that is dead or constant, or for a fit that diverged"
    if "few_columns" in noted:
        return (
            "next: few columns make up all distances (see the note): pass a fitted scaler, such as pipeline[0], as "
            "input_space=; or judge an encoder of scaled points on these"
        )
    found = report.verdicts(**broken)
    if all(said == "undecided" for said in found.values()):
        if all(is_met(report[name].value, limit, report[name].direction) for name, limit in broken.items()):
            return "next: judge more test points, until the interval leaves the limit out; or pass undecided='value'"
        return (
            "next: these test points do not decide it; judge more of them, or say what an undecided limit does "
            "(--distbench-undecided)"
        )
    meets = [best[name] for name, limit in broken.items() if name in best and _meets(report, best[name], limit)]
    if len(meets) == len(broken):
        other = meets[0].encoder
        return (
            f"next: the limit can be met at this code size: see how {other} does it (distbench.fit_baseline({other!r}, "
            "...)), or put distbench.keras.PairwiseDistanceLoss into the training"
        )
    if best:
        others = [f"{one.encoder} with {one.metric}" for one in best.values() if one not in meets][:2]
        if others:
            return (
                f"next: {' and '.join(others)} would not meet its limit at this code size either: "
                "take larger codes, or another limit"
            )
    return "next: look at these pairs; larger codes, or distbench.keras.PairwiseDistanceLoss in training, keep more"


def _meets(report: Report, standing: ReferenceScore, limit: float) -> bool:
    return is_met(standing.value, limit, report[standing.metric].direction)


def _certainty(report: Report, score: Score, limit: float) -> str:
    """Say whether the interval leaves room for the limit."""
    if score.low is None or score.high is None:
        return "no interval: a worst case, too few points, or all of it rests on one"
    if verdict(score.value, score.low, score.high, limit, score.direction) == "broken":
        said = "is wholly on the bad side: more test points would not help"
    else:
        needed = points_to_decide(score.value, score.low, score.high, limit, report.m)
        more = "more test points would decide" if needed is None else f"about {needed:,} test points would decide"
        said = f"contains the limit, so undecided: {more}"
    return f"{100 * report.confidence:g}% interval {interval(score)} {said}"
