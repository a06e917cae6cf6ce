"""How often the intervals hold, and how wide they are: fresh draws of test points from known distributions.

    python benchmarks/coverage.py --draws 1000 --m 100 300 1000 --jobs 2 --out docs/coverage.md

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
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import product
from pathlib import Path

# This file has the name of a package that numba looks for: what stands beside it must not be imported.
if str(Path(__file__).resolve().parent) in sys.path:
    sys.path.remove(str(Path(__file__).resolve().parent))

import numpy as np
from tabulate import tabulate

import distbench
from distbench.inference.verdicts import verdict

K = 10
REFERENCES = 500
FITTED_ON = 5_000
IDEAL = 2 * 1.959964
SETTINGS = ("in sample", "train only", "train and test")
CHUNK = 25  # draws a task
LEAST_COVERAGE = {100: 0.92}  # else 0.93
MOST_WIDTH = {100: 1.5}  # else 1.3

Draw = Callable[[np.random.Generator, int], np.ndarray]
Code = Callable[[np.ndarray], np.ndarray]


def blobs(rng: np.random.Generator, m: int) -> np.ndarray:
    """Six Gaussian blobs in ten dimensions."""
    centres = 2 * np.random.default_rng(5).normal(size=(6, 10))
    return centres[rng.integers(0, len(centres), m)] + rng.normal(size=(m, 10))


def swiss_roll(rng: np.random.Generator, m: int) -> np.ndarray:
    """A rolled-up sheet in three dimensions, a little off its surface."""
    turn = 1.5 * np.pi * (1 + 2 * rng.random(m))
    sheet = np.column_stack([turn * np.cos(turn), 21 * rng.random(m), turn * np.sin(turn)])
    return sheet + 0.3 * rng.normal(size=sheet.shape)


SOURCES: dict[str, Draw] = {"blobs": blobs, "swiss roll": swiss_roll}


def pca(sample: np.ndarray) -> Code:
    """Two principal components of a sample."""
    mean = sample.mean(axis=0)
    directions = np.linalg.svd(sample - mean, full_matrices=False)[2][:2].T
    return lambda X: (X - mean) @ directions


def nonlinear(sample: np.ndarray) -> Code:
    """A fixed map through 32 hyperbolic tangents to two numbers."""
    mean, spread = sample.mean(axis=0), sample.std()
    rng = np.random.default_rng(3)
    inner = 1.5 * rng.normal(size=(sample.shape[1], 32)) / np.sqrt(sample.shape[1]) / spread
    outer = rng.normal(size=(32, 2))
    return lambda X: np.tanh((X - mean) @ inner) @ outer


ENCODERS: dict[str, Callable[[np.ndarray], Code]] = {"PCA": pca, "nonlinear": nonlinear}


@dataclass(frozen=True)
class Case:
    """One distribution, one way of looking up neighbours, one number of test points."""

    source: str
    setting: str
    m: int


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
        held, width = LEAST_COVERAGE.get(self.case.m, 0.93), MOST_WIDTH.get(self.case.m, 1.3)
        return self.held >= held and self.width <= width


Found = dict[tuple[str, str], list[tuple[float, float, float]]]


def draws_of(case: Case, start: int, stop: int) -> Found:
    """Return (value, low, high) of every metric of both encoders, and of their difference, for a run of draws."""
    source = SOURCES[case.source]
    sample, X_ref = source(np.random.default_rng(9), FITTED_ON), source(np.random.default_rng(77), REFERENCES)
    codes = {name: fit(sample) for name, fit in ENCODERS.items()}
    found: Found = {}
    for draw in range(start, stop):
        X = source(np.random.default_rng(1_000 + draw), case.m)
        reports = {name: _report(X, X_ref, code, case.setting) for name, code in codes.items()}
        for name, report in reports.items():
            for metric, score in report.items():
                found.setdefault((name, metric), []).append(_ends(score))
        for metric, difference in distbench.compare(*reports.values()).items():
            found.setdefault(("difference", metric), []).append(_ends(difference))
    return found


def _report(X: np.ndarray, X_ref: np.ndarray, code: Code, setting: str) -> distbench.Report:
    reference = None if setting == "in sample" else (X_ref, code(X_ref))
    return distbench.evaluate_codes(
        X, code(X), reference=reference, k=K, include_queries=setting != "train only", metrics=METRICS
    )


def _ends(score: distbench.Score | distbench.Difference) -> tuple[float, float, float]:
    none = score.low is None or score.high is None
    return score.value, np.nan if none else score.low, np.nan if none else score.high


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


def study(cases: list[Case], draws: int, jobs: int) -> Iterator[Line]:
    """Run all draws of all cases; the same for any number of jobs."""
    with ProcessPoolExecutor(jobs) as pool:
        for case in cases:
            began = time.perf_counter()
            starts = range(0, draws, CHUNK)
            parts = pool.map(draws_of, [case] * len(starts), starts, [min(draws, s + CHUNK) for s in starts])
            found: Found = {}
            for part in parts:
                for key, rows in part.items():
                    found.setdefault(key, []).extend(rows)
            print(f"{case}: {time.perf_counter() - began:.0f} s", flush=True)
            yield from lines_of(case, found)


def markdown(lines: list[Line], draws: int) -> str:
    """Return the study as a page."""
    text = [
        "# Do the intervals hold?",
        "",
        f"{draws:,} fresh draws of m test points each, {REFERENCES} train points, k = {K}, codes of 2; population "
        "value = mean over the draws. *held*: share of draws whose 95 % interval holds it. *width*: mean width over "
        "3.92 standard deviations of the value over the draws (1 is ideal). *passed*: share of the draws in which an "
        'encoder exactly at its limit passes with `undecided="fail"` (the worse of both directions). Rows of the '
        "encoder *difference* judge the paired interval of PCA minus the nonlinear map. Worst cases have no interval.",
        "",
        f"distbench {distbench.__version__}, numpy {np.__version__}, Python {platform.python_version()}, "
        f"{os.cpu_count()} cores; written by `python benchmarks/coverage.py --draws {draws}`.",
        "",
        "## Worst of all settings",
        "",
        _worst(lines),
    ]
    for m in sorted({line.case.m for line in lines}):
        rows = [_row(line) for line in lines if line.case.m == m]
        text += ["", f"## m = {m}", "", tabulate(rows, headers="keys", tablefmt="pipe", disable_numparse=True)]
    missed = [line for line in lines if not line.accepted]
    text += ["", f"{len(lines) - len(missed)} of {len(lines)} rows are within coverage and width of the acceptance."]
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


METRICS: str | tuple[str, ...] = "default"


def main() -> None:
    global METRICS
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=1_000)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--m", type=int, nargs="+", default=[100, 300, 1_000])
    parser.add_argument("--metrics", nargs="+", help="names; default: the default set")
    parser.add_argument("--out", type=Path, help="Markdown file; default: print")
    arguments = parser.parse_args()
    if arguments.metrics:
        METRICS = tuple(arguments.metrics)  # before the pool forks
    cases = [Case(source, setting, m) for m, source, setting in product(arguments.m, SOURCES, SETTINGS)]
    text = markdown(list(study(cases, arguments.draws, arguments.jobs)), arguments.draws)
    if arguments.out:
        arguments.out.write_text(text, encoding="utf-8")
    else:
        print(text)


if __name__ == "__main__":
    main()
