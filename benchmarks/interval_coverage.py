"""How often the intervals hold, and how wide they are: fresh draws of test points from known distributions.

    python benchmarks/interval_coverage.py --draws 1000 --m 100 300 1000 --jobs 2 --out docs/appendix-intervals.md

Encoders and reference points are fixed; each draw is a new set of m test points. The population value of a metric is
its mean over the draws. For every metric with an interval the table says in how many draws the interval held that
value, how wide it was on average against the ideal (twice 1.96 standard deviations over the draws), and what that means
for a check: how often a limit exactly at the population value reads undecided, and how often an encoder exactly at its
limit passes with ``undecided="fail"``. ``difference`` rows judge the paired interval of two encoders.
"""

from __future__ import annotations

import argparse
import os
import platform
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
from _draws import REFERENCES, SETTINGS, SOURCES, Case, Found, K, all_draws
from tabulate import tabulate

import distbench
from distbench.inference.verdicts import verdict

IDEAL = 2 * 1.959964
GROUPED = ("groups of 10", "loose groups of 10")
LEAST_COVERAGE = {"rare cluster": 0.90, **dict.fromkeys(GROUPED, 0.90)}  # else 0.93, or 0.92 of few points
MOST_WIDTH = {"near 1": 2.0, **dict.fromkeys(GROUPED, 2.0)}  # else 1.3, or 1.5 of few points
FEW_POINTS = 100
MIN_GROUPS = 10


@dataclass(frozen=True)
class Line:
    """What the draws say of one metric of one encoder."""

    case: Case
    encoder: str
    metric: str
    held: float
    width: float  # over the ideal
    without: float  # share of draws without an interval
    undecided: float
    passed: float  # with undecided="fail", at the limit

    @property
    def accepted(self) -> bool:
        """Whether coverage and width are what METRICS asks for."""
        few = self.case.m <= FEW_POINTS
        held = LEAST_COVERAGE.get(self.case.source, 0.92 if few else 0.93)
        return self.held >= held and self.width <= MOST_WIDTH.get(self.case.source, 1.5 if few else 1.3)


def lines_of(case: Case, found: Found) -> Iterator[Line]:
    """Judge the intervals of a case by all of its draws; metrics without intervals are left out."""
    for (encoder, metric), rows in found.items():
        value, low, high = np.array(rows).T
        has = np.isfinite(low) & np.isfinite(high)
        if not has.any() or not np.isfinite(value).all():
            continue
        mean, spread = value.mean(), value.std(ddof=1)
        verdicts = [verdict(v, lo, hi, mean, "up") for v, lo, hi in zip(value[has], low[has], high[has], strict=True)]
        yield Line(
            case,
            encoder,
            metric,
            held=float(np.mean((low <= mean) & (mean <= high))),
            width=float(np.mean((high - low)[has]) / (IDEAL * spread)) if spread > 0 else np.inf,
            without=float(1 - has.mean()),
            undecided=verdicts.count("undecided") / len(verdicts),
            passed=max(verdicts.count("met"), verdicts.count("broken")) / len(verdicts),
        )


def markdown(lines: list[Line], draws: int) -> str:
    """Return the study as a page."""
    text = [
        "# Do the intervals hold?",
        "",
        f"Each case has {draws:,} sets of m test points (*draws*), {REFERENCES} train points, k = {K} (at most m / 3) "
        "and codes of 2. The *population value* of a score is its mean over the draws. Rows of the encoder "
        "*difference* are about the paired interval of the first encoder minus the second. Worst cases have "
        "no interval.",
        "",
        "- *held*: share of draws whose 95 % interval contains the population value",
        "- *width*: mean width of the interval, divided by 3.92 standard deviations of the value over the draws (1 is "
        "ideal)",
        "- *undecided*: share of draws in which a limit at the population value is undecided",
        '- *passed*: share of draws in which an encoder exactly at its limit passes with `undecided="fail"` (the '
        "worse of both directions)",
        "- *heavy tails*: ten coordinates of Student's distribution with 1.5 degrees of freedom",
        "- *rare cluster*: blobs, and a far cluster of 3 % of the points whose codes are scrambled",
        "- *near 1*: blobs; codes are the points plus a small sine of each coordinate",
        "- *groups of 10*: ten points share a place, around which they vary half as much as the places of one blob, or "
        "twice as much (*loose*); intervals are over groups",
        "",
        f"distbench {distbench.__version__}, numpy {np.__version__}, Python {platform.python_version()}, "
        f"{os.cpu_count()} cores; written by `python benchmarks/interval_coverage.py --draws {draws}`.",
        "",
        "## Worst of all settings",
        "",
        _worst(lines),
    ]
    for m in sorted({line.case.m for line in lines}):
        rows = [_row(line) for line in lines if line.case.m == m]
        text += ["", f"## m = {m}", "", tabulate(rows, headers="keys", tablefmt="pipe", disable_numparse=True)]
    missed = [line for line in lines if not line.accepted]
    aim = (
        f"held in at least 93 % of draws (92 % for m up to {FEW_POINTS}, 90 % for the rare cluster and groups), at "
        f"most 1.3 times as wide as ideal (1.5 for m up to {FEW_POINTS}, 2 near 1 and for groups)"
    )
    text += ["", f"{len(lines) - len(missed)} of {len(lines)} rows meet the aim: {aim}."]
    return "\n".join(text) + "\n"


def _worst(lines: list[Line]) -> str:
    rows = []
    for metric, m in product(dict.fromkeys(line.metric for line in lines), sorted({line.case.m for line in lines})):
        of = [line for line in lines if (line.metric, line.case.m) == (metric, m)]
        if of:
            held = [line.held for line in of]
            width = [line.width for line in of]
            rows.append(
                {
                    "metric": metric,
                    "m": m,
                    "held, least to most": f"{min(held):.1%} to {max(held):.1%}",
                    "width, least to most": f"{min(width):.2f} to {max(width):.2f}",
                    "passed, most": f"{max(line.passed for line in of):.1%}",
                }
            )
    return tabulate(rows, headers="keys", tablefmt="pipe", disable_numparse=True)


def _row(line: Line) -> dict[str, str]:
    return {
        "points": line.case.source,
        "setting": line.case.setting,
        "encoder": line.encoder,
        "metric": line.metric,
        "held": f"{line.held:.1%}",
        "width": f"{line.width:.2f}",
        "undecided": f"{line.undecided:.1%}",
        "passed": f"{line.passed:.1%}",
        "": "" if line.accepted else "missed",
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=1_000)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--m", type=int, nargs="+", default=[15, 30, 100, 300, 1_000])
    parser.add_argument("--sources", nargs="+", choices=SOURCES, default=list(SOURCES), metavar="NAME")
    parser.add_argument("--metrics", nargs="+", help="names; default: the default set")
    parser.add_argument("--out", type=Path, help="Markdown file; default: print")
    arguments = parser.parse_args()
    metrics = tuple(arguments.metrics) if arguments.metrics else "default"
    cases = [
        Case(source, setting, m)
        for m, source, setting in product(arguments.m, arguments.sources, SETTINGS)
        if SOURCES[source].group_size == 1 or m >= MIN_GROUPS * SOURCES[source].group_size
    ]
    study = all_draws(cases, arguments.draws, arguments.jobs, metrics)
    lines = [line for case, found in study for line in lines_of(case, found)]
    text = markdown(lines, arguments.draws)
    if arguments.out:
        arguments.out.write_text(text, encoding="utf-8")
    else:
        print(text)


if __name__ == "__main__":
    main()
