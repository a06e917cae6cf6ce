"""Fresh draws of test points from known distributions, scored for fixed encoders: shared by coverage and flakiness."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

import distbench

__all__ = ["REFERENCES", "SETTINGS", "SOURCES", "Case", "Found", "K", "all_draws"]

K = 10
REFERENCES = 500
FITTED_ON = 5_000
SETTINGS = ("in sample", "train only", "train and test")
CHUNK = 25  # draws a task

Draw = Callable[[np.random.Generator, int], np.ndarray]
Code = Callable[[np.ndarray], np.ndarray]
Fit = Callable[[np.ndarray], Code]
Metrics = str | tuple[str, ...]


def blobs(rng: np.random.Generator, m: int) -> np.ndarray:
    """Six Gaussian blobs in ten dimensions."""
    centres = 2 * np.random.default_rng(5).normal(size=(6, 10))
    return centres[rng.integers(0, len(centres), m)] + rng.normal(size=(m, 10))


def swiss_roll(rng: np.random.Generator, m: int) -> np.ndarray:
    """A rolled-up sheet in three dimensions, a little off its surface."""
    turn = 1.5 * np.pi * (1 + 2 * rng.random(m))
    sheet = np.column_stack([turn * np.cos(turn), 21 * rng.random(m), turn * np.sin(turn)])
    return sheet + 0.3 * rng.normal(size=sheet.shape)


def heavy_tails(rng: np.random.Generator, m: int) -> np.ndarray:
    """Ten independent coordinates, each of Student's distribution with 1.5 degrees of freedom: no variance."""
    return rng.standard_t(1.5, size=(m, 10))


RARE_SHARE = 0.03
RARE_PLACE = 16.0  # in the first column, as far from the blobs as these are wide


def rare_cluster(rng: np.random.Generator, m: int) -> np.ndarray:
    """The blobs, and a cluster far from them that has 3 % of the points."""
    X = blobs(rng, m)
    rare = rng.random(m) < RARE_SHARE
    X[rare] = rng.normal(size=(int(rare.sum()), X.shape[1]))
    X[rare, 0] += RARE_PLACE
    return X


GROUP_SIZE = 10


def grouped(shared: float, alone: float, rng: np.random.Generator, m: int) -> np.ndarray:
    """Draw groups of ten points, each around one place: a centre of the blobs, moved by what its points share."""
    centres = 2 * np.random.default_rng(5).normal(size=(6, 10))
    groups = -(-m // GROUP_SIZE)
    places = centres[rng.integers(0, len(centres), groups)] + shared * rng.normal(size=(groups, 10))
    return places[np.arange(m) // GROUP_SIZE] + alone * rng.normal(size=(m, 10))


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


def scrambling(fit: Fit, sample: np.ndarray) -> Code:
    """An encoder that scatters the rare cluster over all codes."""
    code = fit(sample)
    spread = code(sample).std(axis=0)
    directions = np.random.default_rng(4).normal(size=(sample.shape[1], len(spread)))

    def scrambled(X: np.ndarray) -> np.ndarray:
        scattered = 2 * spread * np.sin(1e4 * (X @ directions))
        return np.where(X[:, :1] > RARE_PLACE / 2, scattered, code(X))

    return scrambled


def bent(amplitude: float, sample: np.ndarray) -> Code:
    """The points themselves, every coordinate bent a little."""
    del sample
    return lambda X: X + amplitude * np.sin(7 * X)


ENCODERS: dict[str, Fit] = {"PCA": pca, "nonlinear": nonlinear}


@dataclass(frozen=True)
class Source:
    """A known distribution, the two encoders that are evaluated on it, and how many consecutive points are a group."""

    draw: Draw
    encoders: dict[str, Fit]
    group_size: int = 1


SOURCES = {
    "blobs": Source(blobs, ENCODERS),
    "swiss roll": Source(swiss_roll, ENCODERS),
    "heavy tails": Source(heavy_tails, ENCODERS),
    "rare cluster": Source(rare_cluster, {name: partial(scrambling, fit) for name, fit in ENCODERS.items()}),
    "near 1": Source(blobs, {f"bent by {size:g}": partial(bent, size) for size in (0.03, 0.0003)}),
    "groups of 10": Source(partial(grouped, 1.0, 0.5), ENCODERS, GROUP_SIZE),
    "loose groups of 10": Source(partial(grouped, 0.5, 1.0), ENCODERS, GROUP_SIZE),
}


@dataclass(frozen=True)
class Case:
    """One distribution, one way of looking up neighbors, one number of test points."""

    source: str
    setting: str
    m: int


Found = dict[tuple[str, str], list[tuple[float, float, float]]]


def all_draws(
    cases: Iterable[Case], draws: int, jobs: int, metrics: Metrics, encoders: tuple[str, ...] | None = None
) -> Iterator[tuple[Case, Found]]:
    """Run all draws of each case in turn, for all or some encoders of its source; the same for any number of jobs."""
    with ProcessPoolExecutor(jobs) as pool:
        for case in cases:
            began = time.perf_counter()
            starts = range(0, draws, CHUNK)
            stops = [min(draws, start + CHUNK) for start in starts]
            found: Found = {}
            for part in pool.map(partial(_draws_of, case, metrics, encoders), starts, stops):
                for key, rows in part.items():
                    found.setdefault(key, []).extend(rows)
            print(f"{case}: {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
            yield case, found


def _draws_of(case: Case, metrics: Metrics, encoders: tuple[str, ...] | None, start: int, stop: int) -> Found:
    """Return (value, low, high) of every metric of each encoder, and of the difference of two, for a run of draws."""
    source = SOURCES[case.source]
    sample, X_ref = (source.draw(np.random.default_rng(seed), n) for seed, n in ((9, FITTED_ON), (77, REFERENCES)))
    codes = {name: fit(sample) for name, fit in source.encoders.items() if encoders is None or name in encoders}
    found: Found = {}
    for draw in range(start, stop):
        X = source.draw(np.random.default_rng(1_000 + draw), case.m)
        groups = np.arange(case.m) // source.group_size if source.group_size > 1 else None
        options = {"metrics": metrics, "groups": groups}
        reports = {name: _report(X, X_ref, code, case.setting, **options) for name, code in codes.items()}
        for name, report in reports.items():
            for metric, score in report.items():
                found.setdefault((name, metric), []).append(_ends(score))
        if len(reports) == 2:
            for metric, difference in distbench.compare(*reports.values()).items():
                found.setdefault(("difference", metric), []).append(_ends(difference))
    return found


def _report(X: np.ndarray, X_ref: np.ndarray, code: Code, setting: str, **options: Any) -> distbench.Report:
    reference = None if setting == "in sample" else (X_ref, code(X_ref))
    return distbench.evaluate_codes(
        X, code(X), reference=reference, k=min(K, len(X) // 3), include_queries=setting != "train only", **options
    )


def _ends(score: distbench.Score | distbench.Difference) -> tuple[float, float, float]:
    none = score.low is None or score.high is None
    return score.value, np.nan if none else score.low, np.nan if none else score.high
