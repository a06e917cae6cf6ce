"""No codes score beyond a floor; limits beyond floors are refused; reports show floors and attainable values."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import definitions
from scipy.optimize import minimize
from scipy.spatial.distance import cdist, pdist, squareform
from sklearn.manifold import smacof

import distbench
from distbench.engine.canonical_order import canonical_order, shuffled_rows
from distbench.inference import floors as module
from distbench.inference.attainable import attainable
from distbench.inference.floors import FLOORED, check_floors, floors


def reached(X, Z, k):
    """What codes score in sample, written down from the definitions."""
    a, b = pdist(X), pdist(Z)
    near = [
        np.argsort(np.where(np.eye(len(P)), np.inf, np.linalg.norm(P[:, None] - P, axis=2)), axis=1) for P in (X, Z)
    ]
    common = [len(set(x[:k]) & set(z[:k])) for x, z in zip(*near, strict=True)]
    c = (a @ b) / (b @ b)
    return {
        "stress": np.sqrt(np.sum((a - b) ** 2) / (a @ a)),
        "scaled_stress": np.sqrt(np.sum((a - c * b) ** 2) / (a @ a)),
        "distortion": np.max(b / a) / np.min(b / a),
        "knn_recall": np.mean(common) / k,
    }


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(8, 40),
    st.integers(1, 8),
    st.integers(1, 3),
    st.sampled_from(["normal", "heavy", "sphere", "grid"]),
    st.floats(-6, 6),
)
def test_no_codes_are_better(seed, n, d, dim, kind, exponent):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d))
    if kind == "heavy":
        X = X / rng.random((n, 1)) ** 2
    elif kind == "sphere":
        X = X / np.linalg.norm(X, axis=1, keepdims=True) + 1e-6 * rng.normal(size=(n, d))
    elif kind == "grid":
        X = np.round(2 * X) + 1e-3 * rng.normal(size=(n, d))
    X = X * 10.0**exponent
    principal = (X - X.mean(axis=0)) @ np.linalg.svd(X - X.mean(axis=0), full_matrices=False)[2].T[:, :dim]
    principal = np.pad(principal, ((0, 0), (0, dim - principal.shape[1])))
    for Z in (principal, rng.normal(size=(n, dim)), principal + 0.1 * X.std() * rng.normal(size=(n, dim))):
        scores = reached(X, Z, 2)
        for name, floor in floors(X, dim, k=2).items():
            assert (scores[name] <= floor) if name == "knn_recall" else (scores[name] >= floor), name


@pytest.mark.parametrize(("n", "d", "dim"), [(6, 5, 1), (8, 7, 2), (12, 11, 2), (20, 10, 3), (40, 30, 2)])
def test_no_minimiser_is_better(n, d, dim):
    X = np.random.default_rng(n).normal(size=(n, d))
    a = pdist(X)
    known = floors(X, dim, k=2)
    best = np.inf

    def loss(z):
        return np.sum((a - pdist(z.reshape(n, dim))) ** 2)

    for seed in range(3):
        start = smacof(squareform(a), n_components=dim, n_init=1, random_state=seed)[0]
        z = minimize(loss, start.ravel(), method="L-BFGS-B", options={"maxiter": 200}).x
        best = min(best, np.sqrt(loss(z) / (a @ a)))
    assert 0 < known["stress"] <= best
    assert known["scaled_stress"] <= best


def test_a_report_shows_floors_and_refuses_limits_beyond_them():
    X = np.random.default_rng(0).normal(size=(60, 20))
    report = distbench.evaluate_codes(X, X[:, :2], k=5)
    assert "floor" not in str(report)
    known, best = floors(X, 2, k=5), attainable(X, 2, k=5)
    assert known["stress"] <= best["stress"] < report["stress"].value
    assert set(best) == set(report)
    marked = report.with_bounds(floors=known, attainable=best)
    assert [name for name, score in marked.items() if score.floor is not None] == [n for n in report if n in FLOORED]
    assert "floor" in str(marked)
    assert "attainable: metric MDS" in str(marked)
    with pytest.raises(distbench.InputError, match="stress: found a limit of at most 0"):
        marked.check(stress=0.0)
    with pytest.raises(distbench.PreservationError):
        report.check(stress=0.0)


class TestFloors:
    @staticmethod
    def slowly(X, dim, k):
        """The floors by their definitions, on whole matrices."""
        n = len(X)
        a = cdist(X, X)
        centre = np.eye(n) - 1 / n
        mu = np.sort(np.linalg.eigvalsh(-centre @ a**2 @ centre / 2))[::-1]
        T, largest = np.sqrt(np.sum(mu[dim:] ** 2)), a.max()
        one = np.sqrt(largest**2 + 2 * T) - largest
        # s (3 largest + s / sqrt(n)) = 2 T
        two = np.sqrt(n) * (np.sqrt(9 * largest**2 + 8 * T / np.sqrt(n)) - 3 * largest) / 2
        computed = {"stress": max(one, two) / np.linalg.norm(a)}
        computed["scaled_stress"] = computed["stress"]
        prefix, best = [int(a.max(axis=1).argmax())], 1.0
        while len(prefix) < n:
            prefix.append(int(a[prefix].min(axis=0).argmax()))
            own = a[np.ix_(prefix, prefix)]
            least, diameter = own[np.triu_indices(len(prefix), 1)].min(), own.max()
            if least == 0:
                break
            jung = np.sqrt((dim + 1) / (2 * dim))
            best = max(best, (len(prefix) ** (1 / dim) - 1) * jung * least / diameter)
        computed["distortion"] = best
        if dim in (1, 2):
            np.fill_diagonal(a, np.nan)
            degree = np.zeros(n)
            for i in range(n):
                others = ~np.isnan(a[i])
                degree[others] += definitions._membership(a[i][others], k)
            computed["knn_recall"] = np.minimum(degree, {1: 2, 2: 6}[dim] * k).sum() / (n * k)
        return computed

    @pytest.mark.parametrize("kind", ["normal", "wide", "long", "hub", "ties", "duplicates", "simplex"])
    @pytest.mark.parametrize("dim", [1, 2, 3])
    @pytest.mark.parametrize("k", [1, 3])
    def test_are_those_of_the_formulas(self, kind, dim, k):
        rng = np.random.default_rng(5)
        X = {
            "normal": lambda: rng.normal(size=(20, 6)),
            "wide": lambda: rng.normal(size=(9, 30)),
            "long": lambda: rng.normal(size=(40, 4)) * [100, 1, 1, 1] + 50,
            "hub": lambda: np.vstack([np.zeros(20), np.eye(20)]),
            "simplex": lambda: np.eye(60),
            "ties": lambda: np.round(rng.normal(size=(20, 5))),
            "duplicates": lambda: np.repeat(rng.normal(size=(8, 5)), 2, axis=0),
        }[kind]()
        expected = self.slowly(X, dim, k)
        computed = floors(X, dim, k=k)
        assert computed.keys() == expected.keys()
        assert computed.get("knn_recall", 0.0) <= 1.0
        for name, value in computed.items():
            assert value == pytest.approx(expected[name], rel=1e-6, abs=1e-7), name
        scaled = floors(1e6 * X, dim, k=k)
        assert scaled == pytest.approx(computed, rel=1e-9, abs=1e-12)

    def test_only_the_named_metrics_have_floors(self):
        X = np.random.default_rng(0).normal(size=(12, 4))
        whole = floors(X, 2, k=3)
        for name in whole:
            assert floors(X, 2, k=3, metrics=[name]) == {name: whole[name]}
        assert floors(X, 2, metrics=[]) == {}
        assert floors(X, 4)["stress"] == pytest.approx(0, abs=1e-6)
        assert floors(np.ones((5, 2)), 1, metrics=["stress", "distortion"]) == {"distortion": 1.0}

    def test_of_many_points(self, monkeypatch):
        X = np.random.default_rng(0).normal(size=(50, 4))
        whole = floors(X, 1, k=3)
        assert module._sample(np.zeros((2000, 4))) is None
        assert len(module._sample(np.zeros((2001, 4)))) == 2000
        assert len(module._sample(np.zeros((5000, 2000)))) == 1002
        monkeypatch.setattr(module, "MAX_POINTS", 20)
        chosen = module._sample(X)
        assert len(set(chosen)) == 20
        assert set(chosen) == set(canonical_order(X)[np.random.default_rng(0).permutation(50)[:20]])
        assert (np.diff(chosen) > 0).all()
        some = floors(X, 1, k=3)
        assert some["distortion"] == pytest.approx(floors(X[chosen], 1, k=3)["distortion"], rel=1e-12)
        spread = np.linalg.norm(np.ptp(X, axis=0))
        twice = 2 * np.linalg.norm(X - X.mean(axis=0), axis=1).max()
        assert whole["stress"] * 0.3 < some["stress"] < whole["stress"]
        assert module._diameter(X - X.mean(axis=0), None) == pytest.approx(min(spread, twice), rel=1e-12)
        with monkeypatch.context() as patch:
            patch.setattr(module, "MAX_COLUMNS", 3)
            assert set(floors(X, 1)) == {"distortion"}
        monkeypatch.setattr(module, "MAX_VALUES", 199)
        assert floors(X, 1, k=3) == pytest.approx({"distortion": some["distortion"]}, rel=1e-12)
        check_floors({"distortion": 1.0}, X, 1)  # too many values: let through
        monkeypatch.setattr(module, "MAX_VALUES", 200)
        with pytest.raises(distbench.InputError, match="distortion: found a limit of"):
            check_floors({"distortion": 1.0}, X, 1)

    def test_a_limit_at_the_floor_is_allowed(self):
        X = np.vstack([np.zeros(20), np.eye(20)])
        known = floors(X, 2, k=1)
        check_floors(known, X, 2, k=1)
        with pytest.raises(distbench.InputError, match="knn_recall: found a limit of at least"):
            check_floors({"knn_recall": known["knn_recall"] + 1e-6}, X, 2, k=1)
        with pytest.raises(distbench.InputError, match="scaled_stress: found a limit of at most"):
            check_floors({"scaled_stress": known["scaled_stress"] - 1e-6}, X, 2, k=1)
        for reference in (False, True):
            with pytest.raises(distbench.InputError, match=r"distortion: found a limit of at most 1\.01, but every"):
                check_floors({"distortion": 1.01}, np.eye(30), 2, reference=reference)
        check_floors({"knn_recall": 1.0, "stress": 0.0}, X, 2, k=1, reference=True)  # floors of the test points alone
        check_floors({"continuity": 1.0}, X, 2, k=1)

    def test_attainable_is_that_of_the_codes_that_mds_finds(self, monkeypatch):
        X = np.random.default_rng(0).normal(size=(15, 5))
        best = attainable(X, 2, k=2, metrics=["stress", "knn_recall"])
        assert list(best) == ["stress", "knn_recall"]
        assert attainable(1e6 * X, 2, k=2, metrics=["stress"])["stress"] == pytest.approx(best["stress"], rel=1e-6)
        assert attainable(X, 5, k=2, metrics=["stress"])["stress"] < 1e-3
        assert attainable(X, 7, k=2, metrics=["stress"])["stress"] < 1e-3
        monkeypatch.setattr(sys.modules["distbench.inference.attainable"], "MAX_POINTS", 10)
        drawn = shuffled_rows(X, 3)[:10]
        some = attainable(X, 2, k=2, metrics=["stress"], seed=3)
        assert some == pytest.approx(attainable(X[drawn], 2, k=2, metrics=["stress"]))
        with pytest.raises(distbench.InputError, match="k: found 5"):
            attainable(X[:11], 2, k=5)
        with pytest.raises(distbench.InputError, match="found no metric 'nothing'"):
            attainable(X, 2, metrics=["nothing"])
        for size in (0, True, 2.0, "2"):
            for function in (attainable, floors):
                with pytest.raises(distbench.InputError, match="code_size: found"):
                    function(X, size)
