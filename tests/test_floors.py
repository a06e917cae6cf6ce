"""Floors never exceed what an encoder reached; limits beyond them are refused; chance and attainable beside them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.spatial.distance import pdist
from sklearn.manifold import smacof

import distbench
from distbench.inference import floors as module
from distbench.inference.attainable import attainable
from distbench.inference.chance import chance
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


def assert_not_beaten(X, Z, k):
    known, scores = floors(X, Z.shape[1], k=k), reached(X, Z, k)
    for name, floor in known.items():
        if name == "knn_recall":
            assert scores[name] <= floor
        else:
            assert scores[name] >= floor, name


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
        assert_not_beaten(X, Z, 2)


@pytest.mark.parametrize(("n", "d", "dim"), [(6, 5, 1), (8, 7, 2), (12, 11, 2), (20, 10, 3), (40, 30, 2)])
def test_no_minimiser_is_better(n, d, dim):
    X = np.random.default_rng(n).normal(size=(n, d))
    a = pdist(X)
    known = floors(X, dim, k=2)
    best = np.inf
    for seed in range(3):
        start = smacof(np.sqrt(((X[:, None] - X) ** 2).sum(-1)), n_components=dim, n_init=1, random_state=seed)[0]

        def loss(z):
            return np.sum((a - pdist(z.reshape(n, dim))) ** 2)

        z = minimize(loss, start.ravel(), method="L-BFGS-B", options={"maxiter": 200}).x
        best = min(best, np.sqrt(loss(z) / (a @ a)))
    assert 0 < known["stress"] <= best
    assert known["scaled_stress"] <= best


def test_a_simplex_has_the_floors_written_down():
    n, dim = 9, 2
    X = np.eye(n)  # all distances sqrt(2): n - 1 eigenvalues of 1
    known = floors(X, dim, k=2)
    T, largest, root = np.sqrt(n - 1 - dim), np.sqrt(2), np.sqrt(n)
    one = np.sqrt(largest**2 + 2 * T) - largest
    two = root * (np.sqrt(9 * largest**2 + 8 * T / root) - 3 * largest) / 2
    norm = np.sqrt(n * (n - 1) * 2)
    assert known["stress"] == pytest.approx(max(one, two) / norm, rel=1e-6)
    assert known["distortion"] == pytest.approx((np.sqrt(n) - 1) * np.sqrt(3 / 4), rel=1e-6)


def test_a_hub_caps_recall():
    spokes = np.vstack([np.zeros(30), np.eye(30)])  # the hub is nearest of all thirty, a code of at most six
    assert floors(spokes, 2, k=1)["knn_recall"] < 0.9
    assert floors(spokes, 1, k=1)["knn_recall"] < floors(spokes, 2, k=1)["knn_recall"]
    assert "knn_recall" not in floors(spokes, 3, k=1)


def test_points_that_fit_have_no_floor_to_speak_of():
    flat = np.random.default_rng(0).normal(size=(50, 2)) @ np.random.default_rng(1).normal(size=(2, 6))
    known = floors(flat, 2)
    assert known["stress"] < 1e-5
    assert known["distortion"] == 1.0 or known["distortion"] < 1.5
    assert floors(np.ones((5, 2)), 1, metrics=["stress", "distortion"]) == {"distortion": 1.0}


def test_floors_of_many_points_stay_floors(monkeypatch):
    X = np.random.default_rng(0).normal(size=(300, 6))
    whole = floors(X, 2)
    monkeypatch.setattr(module, "MAX_POINTS", 60)
    some = floors(X, 2)
    assert set(some) == {"scaled_stress", "stress", "distortion"}
    assert some["stress"] <= whole["stress"]
    monkeypatch.setattr(module, "MAX_COLUMNS", 5)
    assert set(floors(X, 2)) == {"distortion"}


@pytest.mark.parametrize("reference", [False, True])
def test_limits_beyond_a_floor_are_refused(reference):
    X = np.eye(30)
    known = floors(X, 2)
    check_floors({"stress": known["stress"], "continuity": 1.0, "distortion": known["distortion"]}, X, 2)
    with pytest.raises(distbench.InputError, match=r"distortion: found the limit at most 1\.01, which no encoder"):
        check_floors({"distortion": 1.01}, X, 2, reference=reference)
    if reference:
        check_floors({"stress": 0.0}, X, 2, reference=True)  # of the test points alone: it does not bind
    else:
        with pytest.raises(distbench.InputError, match="codes of 2"):
            check_floors({"stress": 0.0}, X, 2)


@pytest.mark.parametrize("code_size", [0, True, 1.5, "2"])
def test_code_size_must_be_a_count(code_size):
    with pytest.raises(distbench.InputError, match="code_size: found"):
        floors(np.eye(5), code_size)


def test_a_report_shows_floors_and_refuses_limits_beyond_them():
    X = np.random.default_rng(0).normal(size=(60, 20))
    report = distbench.evaluate_codes(X, X[:, :2], k=5)
    assert "floor" not in str(report)
    known, best = floors(X, 2, k=5), attainable(X, 2, k=5)
    marked = report.with_bounds(floors=known, attainable=best)
    assert [name for name, score in marked.items() if score.floor is not None] == [n for n in report if n in FLOORED]
    assert "floor" in str(marked)
    assert "attainable: metric MDS" in str(marked)
    with pytest.raises(distbench.InputError, match="stress: found the limit at most 0"):
        marked.check(stress=0.0)
    with pytest.raises(distbench.PreservationError):
        report.check(stress=0.0)


def test_mds_reaches_more_than_a_projection():
    X = np.random.default_rng(0).normal(size=(80, 10))
    best = attainable(X, 2, k=5)
    projected = distbench.evaluate_codes(X, X[:, :2], k=5)
    assert best["stress"] < projected["stress"].value
    assert floors(X, 2)["stress"] <= best["stress"]
    assert set(best) == set(projected)
    with pytest.raises(distbench.InputError, match="found no metric 'nothing'"):
        attainable(X, 2, metrics=["nothing"])


def test_chance_is_closed_or_shuffled():
    X = np.random.default_rng(0).normal(size=(60, 5))
    assert chance(X, X[:, :2], "knn_recall", k=5) == pytest.approx(5 / 59)
    shuffled = chance(X, X[:, :2], "sigma_distortion", k=5, shuffles=2)
    assert shuffled > distbench.evaluate_codes(X, X[:, :2], k=5)["sigma_distortion"].value
    assert shuffled == chance(X, X[:, :2], "sigma_distortion", k=5, shuffles=2)
    against = chance(X[:20], X[:20, :2], "sigma_distortion", reference=(X[20:], X[20:, :2]), k=5)
    assert np.isfinite(against)
    with pytest.raises(distbench.InputError, match="metric: found 'nothing'"):
        chance(X, X, "nothing")
