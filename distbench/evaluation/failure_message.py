"""The message of a broken limit: value, worst pairs, scores of baselines, and advice."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING

from distbench._util.notes import codes_of
from distbench._util.numbers import at_bound, distinct, interval, number, percent
from distbench.inference.verdicts import is_met, points_to_decide, verdict
from distbench.metrics import METRICS

if TYPE_CHECKING:
    from distbench.evaluation.report import Report, Score
    from distbench.evaluation.scores import ReferenceScore

__all__ = ["advice", "failure_lines", "failure_text", "reference_lines", "setting"]

MAX_PAIRS = 3
MAX_LIMITS = 4
MAX_LINES = 19  # of the failure text; baselines, advice and the command that reruns the test add up to 6
MAX_REFERENCES = 2
SIDES = "(input -> codes)"
LOSSES = {"keras": "distbench.keras.PairwiseDistanceLoss", "torch": "a loss on pairwise distances"}
"""What keeps distances in encoders that a framework trains."""


def setting(report: Report) -> str:
    """Return the numbers of test points, candidates and neighbors as text."""
    groups = "" if report.groups is None else f" in {len(report.groups)} groups"
    k = METRICS.shown_k(report, report.k)
    return f"m = {report.m} test points{groups}, M = {report.M} candidates each, k = {k}"


def failure_lines(
    report: Report,
    broken: Mapping[str, float],
    references: Mapping[str, ReferenceScore],
    code_size: int,
    framework: str = "",
) -> list[str]:
    """Return the failure text, the scores of other encoders at this code size, and advice, one item each.

    `framework` is the one that trains the encoder, "keras" or "torch", or empty. No other encoders are shown beside a
    search, whose codes differ in bytes, not in columns.
    """
    if report.is_search:
        references = {}
    return [
        failure_text(report, broken),
        *reference_lines(references, code_size),
        f"next: {advice(report, broken, references, framework)}",
    ]


def failure_text(report: Report, broken: Mapping[str, float]) -> str:
    """Return value, interval and limit for each broken limit, then n, k, M, the worst pairs and notes.

    Blocks of lines that would make it longer than ``MAX_LINES`` are left out.
    """
    limits = f"{len(broken)} limit{'s' * (len(broken) > 1)}"
    if _all_values_meet(report, broken):
        limits += " for sure"
    lines = [f"{report.encoder}{_size(report)} does not meet {limits}:"]
    for name, limit in list(broken.items())[:MAX_LIMITS]:
        lines += _limit_lines(report, report[name], limit)
    if len(broken) > MAX_LIMITS:
        lines.append(f"  and {', '.join(list(broken)[MAX_LIMITS:])}")
    lines.append(f"  {setting(report)}")
    for block in _details(report, broken):
        if len(lines) + len(block) <= MAX_LINES:
            lines += block
    return "\n".join(lines)


def _size(report: Report) -> str:
    """Return the size of the codes in brackets; a search, whose codes are not seen, may tell their bytes."""
    if not report.is_search:
        return f" (codes of {report.code_size})"
    return f" ({report.code_bytes:,} bytes a point)" if report.code_bytes else ""


def _all_values_meet(report: Report, limits: Mapping[str, float]) -> bool:
    return all(is_met(report[name].value, limit, report[name].direction) for name, limit in limits.items())


def _limit_lines(report: Report, score: Score, limit: float) -> list[str]:
    value, bound = distinct(score.value, limit)
    chance = "" if score.chance is None else f"; shuffled codes score {number(score.chance)}"
    lines = [f"  {score.metric} = {value}, limit {at_bound(score.direction, bound)}{chance}"]
    if is_met(score.value, limit, score.direction):
        lines.append("    the value itself is on the good side: fails because undecided='fail'")
    return [*lines, f"    {_certainty(report, score, limit)}"]


def _certainty(report: Report, score: Score, limit: float) -> str:
    """Return where the interval lies, and whether more test points would decide."""
    if score.low is None or score.high is None:
        return "no interval: the metric is a worst case, there are too few points, or the value rests on one point"
    if verdict(score.value, score.low, score.high, limit, score.direction) == "broken":
        certainty = "breaks it: more test points are unlikely to help"
    else:
        count, units = (report.m, "test points") if report.groups is None else (len(report.groups), "groups")
        needed = points_to_decide(score.value, score.low, score.high, limit, count)
        more = "more" if needed is None else f"about {needed:,}"
        certainty = f"contains it, so undecided: {more} {units} would decide"
    return f"{percent(report.confidence)} interval {interval(score.low, score.high)} {certainty}"


def _details(report: Report, broken: Mapping[str, float]) -> Iterator[list[str]]:
    """Yield worst pairs and notes in blocks of lines, the most important first."""
    pairs = report.worst_pairs(MAX_PAIRS)
    if pairs:
        yield [f"  near in input, torn apart in the codes {SIDES}:", *(f"    {pair}" for pair in pairs)]
    extremes = report.worst_pairs(2, kind="extreme")
    if "distortion" in broken and extremes:
        yield [f"  largest and least ratio of code to input distance {SIDES}:", *(f"    {pair}" for pair in extremes)]
    merged = report.worst_pairs(1, kind="merged")
    if merged:
        yield [f"  far in input, brought near in the codes {SIDES}:", f"    {merged[0]}"]
    other_metrics = set(report.scores) - set(broken)
    for note in report.notes:
        if not codes_of([note]) & other_metrics:
            yield [f"  note: {note}"]


def reference_lines(references: Mapping[str, ReferenceScore], code_size: int) -> list[str]:
    """Return the best scores of other encoders at this code size, one line for each metric."""
    lines = []
    for score in list(references.values())[:MAX_REFERENCES]:
        kind = "best baseline" if score.is_baseline else "better"
        value = f"{score.metric} = {number(score.value)}"
        lines.append(f"  {kind} at code size {code_size}: {score.encoder} ({score.where}), {value}")
    return lines


def advice(
    report: Report, broken: Mapping[str, float], references: Mapping[str, ReferenceScore], framework: str = ""
) -> str:
    """Return what to try next, given the broken limits and the framework that trains the encoder, if any."""
    codes = codes_of(report.notes)
    if "all_codes_equal" in codes:
        return "all codes are the same: look for a layer that is dead or constant, or for a fit that diverged"
    if "few_columns" in codes:
        return (
            "few columns make up all distances (see the note): pass a fitted scaler, such as pipeline[0], as "
            "input_space=; or scale the points first, and evaluate an encoder of the scaled points"
        )
    if set(report.verdicts(broken).values()) == {"undecided"}:
        if _all_values_meet(report, broken):
            return "evaluate more test points, until the limit lies outside the interval; or pass undecided='value'"
        return (
            "these test points do not decide it; evaluate more of them, or choose what an undecided limit does "
            "(undecided=)"
        )
    if report.is_search:
        return _search_advice(codes, report.searches_all)
    known = {name: references[name] for name in broken if name in references}
    met = [score for name, score in known.items() if is_met(score.value, broken[name], report[score.metric].direction)]
    if len(met) == len(broken):
        encoder = met[0].encoder
        source = f"distbench.fit_baseline({encoder!r}, ...)" if met[0].is_baseline else met[0].where
        more = f", or put {LOSSES[framework]} into the training" if framework in LOSSES else ""
        return f"the limit can be met at this code size: see how {encoder} does it ({source}){more}"
    missed = [score for score in references.values() if score not in met]
    better = [score for score in missed if _is_better(score, report[score.metric])]
    if better:
        found = " and ".join(f"{score.encoder} has a better {score.metric}" for score in better[:MAX_REFERENCES])
        return f"{found}, but not one within the limit at this code size: take larger codes, or another limit"
    if missed:
        found = " and ".join(f"{score.encoder} with {score.metric}" for score in missed[:MAX_REFERENCES])
        return f"{found} would not meet its limit at this code size either: take larger codes, or another limit"
    more = f", or {LOSSES[framework]} in training," if framework in LOSSES else ""
    pairs = report.worst_pairs(1) or report.worst_pairs(1, kind="merged")
    return f"{'look at these pairs; ' * bool(pairs)}larger codes{more} keep more"


def _search_advice(codes: Collection[str], searches_all: bool) -> str:
    """Return what to try next if a search, maybe of all codes, loses neighbors; `codes` are of the report's notes."""
    codes_keep = "take larger codes, or fetch more neighbors and sort them again by the full points"
    search_finds = "search more of the index (a larger nprobe or efSearch)"
    if searches_all:
        search_finds = "the index searches all codes already; let it search by the distance of codes= (distance_z)"
    if "code_loss" in codes and "search_loss" not in codes:
        return f"the codes lose most (see the note): {codes_keep}"
    if "search_loss" in codes and "code_loss" not in codes:
        return f"the search loses most (see the note): {search_finds}"
    if "search_loss" in codes:
        return f"the codes and the search both lose neighbors (see the notes): {search_finds}; {codes_keep}"
    if searches_all:
        return f"the index searches all codes already: {codes_keep}"
    return f"{search_finds}; {codes_keep}; codes= tells whether the codes or the search lose most"


def _is_better(reference: ReferenceScore, score: Score) -> bool:
    return not is_met(score.value, reference.value, score.direction)
