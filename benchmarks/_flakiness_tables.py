"""The tables of flakiness.py."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from itertools import product

import numpy as np
from _draws import REFERENCES, Case, K
from scipy.special import ndtr
from tabulate import tabulate

import distbench
from distbench.inference.verdicts import Undecided

__all__ = ["CHOSEN", "MARGINS", "POLICIES", "Line", "Next", "markdown"]

CHOSEN = (
    "continuity",
    "trustworthiness",
    "knn_recall",
    "scaled_stress",
    "spearman",
    "triplet_accuracy",
    "distortion_q",
)
MARGINS = (-4, -2, -1, 0, 1, 2, 4)
POLICIES: tuple[Undecided, ...] = ("value", "fail", "pass")
REACH = 1.959964


@dataclass(frozen=True)
class Line:
    """The verdicts of all runs on one metric of one encoder against one limit."""

    case: Case
    encoder: str
    metric: str
    margin: int  # standard deviations between limit and population value; above 0 the encoder is good enough
    met: float
    undecided: float
    broken: float
    passed: dict[str, float]  # by what an undecided check does
    luck: float  # change of the half width for each standard deviation that a run looks better, as a share of its mean


@dataclass(frozen=True)
class Next:
    """How often a run passes a limit that was taken from the run before it."""

    case: Case
    metric: str
    reach: float  # half widths of the first run's interval between its value and the limit
    passed: dict[str, float]


def markdown(lines: list[Line], after: list[Next], runs: int) -> str:
    """Return the tables."""
    sizes = _either(sorted({line.case.m for line in lines}))
    return "\n\n".join(
        [
            f"Each case has {runs:,} simulated runs, {REFERENCES} train points, k = {K} and codes of 2. The cases are "
            "PCA on Gaussian blobs in ten dimensions and a fixed nonlinear map of the swiss roll, in sample and "
            f"against train and test points, with {sizes} test points and {len(CHOSEN)} metrics.",
            f"distbench {distbench.__version__}, numpy {np.__version__}, Python {platform.python_version()}; written "
            f"by `python benchmarks/flakiness.py --runs {runs} --markdown docs/appendix-checks.md`.",
            _promises(lines, runs),
            "### By the distance of the limit",
            "*margin*: how far the population value is on the limit's good side, in standard deviations of the value "
            "over the runs. Cells show the mean over all cases, and in brackets the least and the largest. The columns "
            "*ideal* are for a normally distributed value and an interval of 1.96 known standard deviations.",
            _by_margin(lines),
            "### By metric and test points",
            "Cells show the least and the largest of all cases. *at the limit* is margin 0, *bad* margins "
            "-1, -2 and -4, *good* 1, 2 and 4. "
            "*luck*: by how much the half width of the interval changes for each standard deviation by which a "
            "run looks better than it is; below 0 if a lucky run also has a narrower interval.",
            _by_metric(lines),
            "### A limit taken from another run",
            "The table shows how often the next run passes if the limit is the value of the run before it, moved to "
            "the bad side by some half widths of that run's interval: the mean over all cases (the least).",
            _by_reach(after),
            "### Every case",
            "Of 100 runs: met / undecided / broken, by margin. A dash marks a limit beyond the metric's range.",
            _every_case(lines),
        ]
    )


def _promises(lines: list[Line], runs: int) -> str:
    """Return the table of promised and measured shares, and the cases that miss them."""
    at, bad = ([line for line in lines if kept(line.margin)] for kept in (lambda margin: margin == 0, lambda m: m < 0))
    most = 0.025 + REACH * np.sqrt(0.025 * 0.975 / runs)  # what chance makes of 2.5 %
    checks = {
        "`fail`: too bad by 1, 2 or 4 standard deviations, passes in at most 2.5 % of runs": (bad, _passed, (0, 0.025)),
        "`fail`: exactly at its limit, so just too bad, passes in at most 2.5 %": (at, _passed, (0, most)),
        "exactly at its limit: undecided in 93 to 97 %": (at, lambda line: line.undecided, (0.93, 0.97)),
    }
    rows, missed = [], []
    for promise, (of, share, (low, high)) in checks.items():
        shares = [share(line) for line in of]
        beyond = [(share(line), line) for line in of if not low <= share(line) <= high]
        rows.append(
            {
                "promise": promise,
                "mean": f"{np.mean(shares):.1%}",
                "least to most": _range(shares),
                "cases that miss it": f"{len(beyond)} of {len(of)}",
            }
        )
        for share_missed, line in sorted(beyond, key=lambda pair: -pair[0]):
            case = f"{line.case.source}, {line.case.setting}, m = {line.case.m:,}"
            row = promise.partition(":")[0], line.metric, case, f"{share_missed:.1%}"
            missed.append(dict(zip(("missed", "metric", "case", ""), row, strict=True)))
    chance = f"By chance a share of 2.5 % can read up to {most:.1%} in {runs:,} runs; larger shares are missed."
    return f"{chance}\n\n{_table(rows)}" + (f"\n\nMissed:\n\n{_table(missed)}" if missed else "")


def _passed(line: Line) -> float:
    return line.passed["fail"]


def _by_margin(lines: list[Line]) -> str:
    """Return the table of verdicts and passes by margin."""
    rows = []
    for margin in MARGINS:
        of, ideal = [line for line in lines if line.margin == margin], _promised(margin)
        row = {"margin": f"{margin:+d}" if margin else "0"}
        for word in ("met", "undecided", "broken"):
            row |= {word: _spread([getattr(line, word) for line in of]), f"ideal {word}": f"{ideal[word]:.1%}"}
        row["passes with `value`"] = _spread([line.passed["value"] for line in of])
        row["ideal"] = f"{ideal['value']:.1%}"
        rows.append(row | {f"with `{p}`": _spread([line.passed[p] for line in of]) for p in ("fail", "pass")})
    return _table(rows)


def _by_metric(lines: list[Line]) -> str:
    """Return the table of passes and failures by metric and number of test points."""
    rows = []
    for metric, m in product(CHOSEN, sorted({line.case.m for line in lines})):
        of = [line for line in lines if (line.metric, line.case.m) == (metric, m)]
        at = [line for line in of if line.margin == 0]
        bad, good = [line for line in of if line.margin < 0], [line for line in of if line.margin > 0]
        rows.append(
            {
                "metric": metric,
                "m": str(m),
                "undecided at the limit": _range([line.undecided for line in at]),
                "passes with `fail` at the limit": _range([line.passed["fail"] for line in at]),
                "bad, passes with `fail`": _range([line.passed["fail"] for line in bad]),
                "fails with `pass` at the limit": _range([1 - line.passed["pass"] for line in at]),
                "good, fails with `pass`": _range([1 - line.passed["pass"] for line in good]),
                "luck": f"{min(line.luck for line in at):+.0%} to {max(line.luck for line in at):+.0%}",
            }
        )
    return _table(rows)


def _by_reach(after: list[Next]) -> str:
    """Return the table of limits taken from the run before."""
    rows = []
    for reach in sorted({line.reach for line in after}):
        row = {"limit": f"{reach:g} half width{'s' * (reach > 1)} off" if reach else "the value itself"}
        for policy in POLICIES:
            of = [line.passed[policy] for line in after if line.reach == reach]
            row[f"`{policy}`"] = f"{np.mean(of):.1%} ({min(of):.1%})"
        rows.append(row)
    return _table(rows)


def _every_case(lines: list[Line]) -> str:
    """Return the table of all verdicts."""
    rows: dict[tuple[str, ...], dict[str, str]] = {}
    for line in lines:
        case = line.case
        key = (str(case.m), case.source, line.encoder, case.setting, line.metric)
        head = dict(zip(("m", "points", "encoder", "setting", "metric"), key, strict=True))
        row = rows.setdefault(key, head | {f"{margin:+d}" if margin else "0": "-" for margin in MARGINS})
        said = (line.met, line.undecided, line.broken)
        row[f"{line.margin:+d}" if line.margin else "0"] = " / ".join(f"{100 * share:.1f}" for share in said)
    return _table(list(rows.values()))


def _table(rows: list[dict[str, str]]) -> str:
    return str(tabulate(rows, headers="keys", tablefmt="pipe", disable_numparse=True))


def _spread(shares: list[float]) -> str:
    return f"{np.mean(shares):.1%} ({min(shares):.1%} to {max(shares):.1%})"


def _range(shares: list[float]) -> str:
    return f"{min(shares):.1%} to {max(shares):.1%}"


def _either(numbers: list[int]) -> str:
    *first, last = (f"{number:,}" for number in numbers)
    return f"{', '.join(first)} and {last}" if first else last


def _promised(margin: float) -> dict[str, float]:
    """Return the shares for a normally distributed value with the ideal interval."""
    met, broken = float(ndtr(margin - REACH)), float(ndtr(-margin - REACH))
    return {"met": met, "undecided": 1 - met - broken, "broken": broken, "value": float(ndtr(margin))}
