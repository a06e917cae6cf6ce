"""What searches find from short lists equals what full orders of all candidates say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distbench.engine import gather, point_space, shortlists, single_keys
from distbench.engine.searches import Search
from distbench.engine.spaces import space_of
from tests.clouds import KINDS, MANY, SETTINGS, cloud, split

K = 4
DISTANCES = ("euclidean", "cosine", "cityblock", "inner_product")
FIELDS = ("rows", "columns", "signed")


def both(points, distance_x="euclidean", distance_z="euclidean", **options):
    """Return what a search for the K nearest finds, from short lists and from full orders."""
    options |= {"distance_x": distance_x, "distance_z": distance_z, "include_queries": points.include}
    arrays = points.X, points.Z, points.X_ref, points.Z_ref
    search = Search(K, K)
    lists = gather(*arrays, k=K, families=frozenset({"found"}), searches=[search], **options)
    orders = gather(*arrays, k=K, families=frozenset({"ranks"}), **options)
    assert lists.ranks is None
    return lists.extras["found"][search], orders.extras["found"][search]


def assert_same(found, expected):
    for name in FIELDS if len(found.columns) else ("rows",):  # of queries that are no candidates only rows are read
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), atol=1e-12, err_msg=name)


@settings(max_examples=150, deadline=None)
@given(
    kind=st.sampled_from(KINDS),
    setting=st.sampled_from(SETTINGS),
    distances=st.tuples(st.sampled_from(DISTANCES), st.sampled_from((*DISTANCES, "hamming"))),
    d=st.sampled_from([3, MANY]),
    n=st.integers(12, 60),
    zeros=st.booleans(),
    seed=st.integers(0, 99),
)
def test_lists_say_what_orders_say(kind, setting, distances, d, n, zeros, seed):
    X, Z, labels = cloud(kind, n, seed, d=d, dim=min(d, MANY - 1))
    if zeros:  # they have no direction, and the largest inner product with nothing
        X[::5] = Z[::4] = 0
    if seed % 3 == 0:
        X = X.astype(np.float32)
    points = split(X, Z, labels, setting)
    options = {"groups": labels[: len(points.X)]} if seed % 2 and points.include else {}
    if seed % 5 == 0:
        options["judged"] = np.arange(len(points.X))[::-2]
    assert_same(*both(points, *distances, **options))


@pytest.mark.parametrize("room", [1, 3, 64])
@pytest.mark.parametrize("kind", ["plain", "binary", "collapsed"])
def test_any_room_and_any_block(monkeypatch, room, kind):
    monkeypatch.setattr(shortlists, "ROOM", room)
    monkeypatch.setattr(shortlists, "PLACES", 100)
    monkeypatch.setattr(single_keys, "BLOCK_CANDIDATES", 13)
    monkeypatch.setattr(single_keys, "KEPT_BYTES", 0)
    assert_same(*both(split(*cloud(kind, 150, d=MANY, dim=3), "train and test")))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("scale", [1e-30, 1e-12, 1.0, 1e30])
@pytest.mark.parametrize("distance", DISTANCES)
def test_many_points_that_are_not_kept(monkeypatch, dtype, scale, distance):
    """Rows of zeros, of very different lengths, and far from 0."""
    monkeypatch.setattr(point_space, "PREPARED_BYTES", 0)
    monkeypatch.setattr(single_keys, "KEPT_BYTES", 0)
    X, Z, labels = cloud("plain", 90, d=MANY, dim=MANY - 1)
    X, Z = (np.asarray((part + 5) * scale, dtype=dtype) for part in (X, Z))
    X[::9] = Z[1::9] = 0
    assert_same(*both(split(X, Z, labels, "train only"), distance, distance))


def test_a_candidate_far_away_does_not_make_lists_longer():
    X = np.random.default_rng(0).normal(size=(600, MANY))
    X[-1] = -9999  # a number that stands for missing ones
    nearest = shortlists.Nearest(single_keys.SingleKeys(space_of([X], None, 0, "euclidean")), K)
    for _, (found,) in shortlists.shortlists([nearest], np.arange(500)):
        assert found.places.shape[1] < 2 * K


@settings(max_examples=60, deadline=None)
@given(
    distance=st.sampled_from((*DISTANCES, "hamming", "packed_hamming", "precomputed")),
    kind=st.sampled_from(KINDS),
    k=st.integers(1, 9),
    slack=st.sampled_from([0.0, 0.1]),
    seed=st.integers(0, 99),
)
def test_a_list_holds_all_that_are_wanted(distance, kind, k, slack, seed):
    X, _, _ = cloud(kind, 80, seed, d=MANY)
    if distance == "packed_hamming":
        X = np.random.default_rng(seed).integers(0, 4, (80, MANY)).astype(np.uint8)
    elif distance == "precomputed":
        X = np.abs(X @ X.T)
    space = space_of([X], None, 0, distance)
    nearest = shortlists.Nearest(single_keys.SingleKeys(space), k, slack)
    seen = []
    for queries, (found,) in shortlists.shortlists([nearest], np.arange(80)):
        seen += queries.tolist()
        for query, places in zip(queries.tolist(), found.places, strict=True):
            keys = space.from_zero(space.exact_keys(query)[None], np.array([query]))[0]
            keys[query] = np.inf
            kth = np.sort(keys)[k - 1]
            wanted = np.flatnonzero(keys <= kth + slack * abs(kth))
            assert set(wanted.tolist()) <= set(places.tolist())
            assert query not in places
    assert sorted(seen) == list(range(80))
