from __future__ import annotations

import numpy as np
import pytest

import distbench
from distbench.errors import InputError
from distbench.evaluation.sampling import FIRST_QUERIES, check_precision, check_queries, sampled

POINTS = np.random.default_rng(0).normal(size=(500, 2))


def sample(count, seed, points=POINTS):
    return sampled(lambda rows: rows, dict, points, count, None, seed)


def test_a_sample_is_seeded_sorted_without_repeats_and_grows_by_nesting():
    small, large = sample(20, 3), sample(80, 3)
    assert small.tolist() == sorted(set(small.tolist()))
    assert set(small) < set(large)
    assert sample(20, 3).tolist() == small.tolist() != sample(20, 4).tolist()
    assert large.max() < 500


def test_every_point_is_as_likely():
    drawn = np.concatenate([sample(30, seed, POINTS[:100]) for seed in range(400)])
    counts = np.bincount(drawn, minlength=100)
    assert abs(counts - 120).max() < 5 * np.sqrt(400 * 0.3 * 0.7)


@pytest.mark.parametrize("count", [500, 501])
def test_all_points_are_no_sample(count):
    assert sample(count, 0) is None


class Judge:
    """Return intervals as wide as ``spread / sqrt(points)``, like those of a mean."""

    def __init__(self, total, spread):
        self.total, self.spread, self.counts = total, spread, []

    def __call__(self, rows):
        self.counts.append(self.total if rows is None else len(rows))
        return self.spread / np.sqrt(self.counts[-1])

    def run(self, half, first=None):
        points = np.arange(self.total, dtype=float)[:, None]
        return sampled(self, lambda width: {"continuity": width}, points, first, {"continuity": half}, seed=0)


@pytest.mark.parametrize(
    ("total", "spread", "half", "first", "counts"),
    [
        (100_000, 1.0, 0.05, None, [FIRST_QUERIES]),
        (100_000, 1.0, 0.01, 500, [500, pytest.approx(1.1 / 0.01**2, rel=0.01)]),
        (3_000, 1.0, 1e-6, None, [FIRST_QUERIES, 3_000]),
        (50, np.inf, 0.1, None, [50]),
    ],
    ids=["narrow at once", "as many as the width says", "all of them", "all of them at once"],
)
def test_points_are_added_until_the_interval_is_narrow_or_none_are_left(total, spread, half, first, counts):
    judge = Judge(total, spread)
    assert judge.run(half, first) == spread / np.sqrt(judge.counts[-1])
    assert judge.counts == counts


def test_invalid_queries_and_precision():
    for queries in (0, 1, -5, 2.0, "10", True):
        with pytest.raises(InputError, match="queries: found"):
            check_queries(queries)
    for half in (0, -1, float("inf"), float("nan"), "0.1", True):
        with pytest.raises(InputError, match="precision: found"):
            check_precision({"continuity": half}, ["continuity"], 10)


def test_valid_queries_and_precision():
    assert check_queries(None) is None
    assert check_queries(np.int64(7)) == 7
    assert check_precision({"continuity": np.float32(0.5)}, ["continuity"], 10) == {"continuity": 0.5}
    assert check_precision(None, [], 10) is None


def test_unreachable_queries_and_precision_have_notes():
    X = np.random.default_rng(0).normal(size=(60, 4))
    report = distbench.evaluate_codes(X, X[:, :2], precision={"continuity": 1e-9}, queries=5000)
    assert "queries: found 5,000, but only 60 test points; all of them were evaluated" in report.notes
    assert any(note.startswith("precision: the interval of continuity is -+ 0.") for note in report.notes)
    assert distbench.evaluate_codes(X, X[:, :2], precision={"continuity": 0.5}, queries=60).notes == ()
