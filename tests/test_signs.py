"""Signed sums of the changes in queries when one neighbor is left out, compared with the definition."""

from __future__ import annotations

import numpy as np
import pytest
from oracles import definitions

from distbench.engine import gather
from distbench.engine.random_signs import SKETCHES, signs_of
from distbench.engine.searches import Search

N, K = 24, 3


def sums(X, Z, kind):
    """Return the oracle's rows as sums of excess ranks, or as numbers of common neighbors."""
    M = len(X) - 1
    rows = definitions.per_query(X, Z, K)[kind]
    return rows * K if kind == "knn_recall" else (1 - rows) * K * (2 * M - 3 * K + 1) / 2


def expected(X, Z, kind, places):
    whole, signs = sums(X, Z, kind), 2.0 * (signs_of(places)[:, None] >> np.arange(SKETCHES) & 1) - 1
    near = [
        np.array([definitions._membership(np.delete(row, i), K) for i, row in enumerate(d)]) for d in distances(X, Z)
    ]
    out = np.zeros((N, SKETCHES))
    for p in range(N):
        left = np.delete(np.arange(N), p)
        without = sums(X[left], Z[left], kind)
        for place, i in enumerate(left):
            column = p if p < i else p - 1
            member = {"continuity": near[0], "trustworthiness": near[1]}.get(kind)
            if member is None or member[i, column] > 0:
                out[i] += (without[place] - whole[i]) * signs[p]
    return out


def distances(X, Z):
    return [np.linalg.norm(P[:, None] - P, axis=2) for P in (X, Z)]


@pytest.mark.parametrize("kind", ["trustworthiness", "continuity", "knn_recall"])
@pytest.mark.parametrize("ties", [False, True])
def test_they_are_the_definitions(kind, ties):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N, 4))
    Z = X[:, :2] + 0.5 * rng.normal(size=(N, 2))
    if ties:
        X, Z = np.round(X), np.round(Z)
    statistics = gather(X, Z, k=K, families=frozenset({"ranks"}))
    ranks = statistics.ranks
    result = {
        "trustworthiness": ranks.trust.signed,
        "continuity": ranks.continuity.signed,
        "knn_recall": statistics.extras["found"][Search(K, K)].signed,
    }[kind]
    np.testing.assert_allclose(result, expected(X, Z, kind, statistics.places), atol=1e-9)
