"""Single kernels, on sizes and values that are rare in whole metrics; quick in plain Python too."""

from __future__ import annotations

import gc
from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
from numba.core import event
from scipy.spatial.distance import cdist
from scipy.stats import kendalltau, rankdata, spearmanr
from threadpoolctl import threadpool_info, threadpool_limits

from distbench.engine import (
    distances,
    moments,
    neighbors,
    pairs,
    point_space,
    rank_correlation,
    sampled_pairs,
)
from distbench.engine.parallel import blas
from distbench.engine.parallel.blas import one_blas_thread
from distbench.engine.random_signs import SKETCHES, add_partners, signs_of
from distbench.engine.ratio_tails import Tail, grown
from distbench.engine.triplets import (
    MAX_CANDIDATES,
    MAX_COMPARISONS,
    MIN_CANDIDATES,
    candidates_per_query,
    triplet_rows,
)

RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def _seeded(monkeypatch):
    """Draw the same numbers in each test, in any order of tests."""
    monkeypatch.setitem(globals(), "RNG", np.random.default_rng(0))


def splitmix64(point):
    """Return the signs of a point, computed with integers."""
    mask = (1 << 64) - 1
    state = (point + 1) * 0x9E3779B97F4A7C15 & mask
    state = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9 & mask
    state = (state ^ (state >> 27)) * 0x94D049BB133111EB & mask
    return [1.0 if state >> 40 + sketch & 1 else -1.0 for sketch in range(SKETCHES)]


def test_signs_are_those_of_splitmix64():
    assert SKETCHES == 4  # stored rows rest on it
    for point in (0, 1, 2, 63, 10**6):
        bits = signs_of(np.array([point]))[0] >> np.arange(SKETCHES) & 1
        np.testing.assert_array_equal(2.0 * bits - 1, splitmix64(point))
    out = np.zeros((3, SKETCHES))
    places = np.array([30, 20, 10])
    pairs, weights = (np.array([0, 2, 2]), np.array([2, 1, 0])), np.array([1.0, 1.0, 0.5])
    add_partners(*pairs, weights, places, signs_of(places), out)
    signs = [np.array(splitmix64(place)) for place in places.tolist()]
    np.testing.assert_array_equal(out, [signs[0] * 0, signs[0] * 0, 1.5 * signs[0] + signs[1]])


def nearest(keys, k, tolerance=0.0):
    """Return the nearest candidates of one query, their keys, and whether they are open."""
    near, best = np.empty((1, k + 2), dtype=np.int64), np.empty((1, k + 2))
    is_open = np.zeros(1, dtype=np.uint8)
    neighbors.nearest(keys[None], k, tolerance, near, best, is_open)
    return near[0], best[0], bool(is_open[0])


class TestNearest:
    @pytest.mark.parametrize("n", [5, 64, 65, 200])
    @pytest.mark.parametrize("order", ["random", "falling", "growing"])
    def test_smallest_first(self, n, order):
        keys = RNG.random(n)
        keys = {"random": keys, "falling": np.sort(keys)[::-1].copy(), "growing": np.sort(keys)}[order]
        places, best, is_open = nearest(keys, 2)
        np.testing.assert_array_equal(places, np.argsort(keys)[:4])
        np.testing.assert_array_equal(best, np.sort(keys)[:4])
        assert not is_open

    @pytest.mark.parametrize("scale", [1.0, 1e-10, 1e10])
    @pytest.mark.parametrize("spread", [1e-12, 1e-7])
    def test_keys_that_single_precision_cannot_tell_apart(self, scale, spread):
        keys = scale * (1.0 + spread * RNG.permutation(150))
        np.testing.assert_array_equal(nearest(keys, 2)[0], np.argsort(keys)[:4])

    def test_fewer_candidates_than_places(self):
        for keys, is_open in (([2.0, 1.0], False), ([2.0], True), ([1.0, np.inf], True)):
            places, best, found = nearest(np.array(keys), 1)
            size = np.isfinite(keys).sum()
            assert places.tolist() == [*np.argsort(keys)[:size], *[-1] * (3 - size)]
            assert best.tolist() == [*np.sort(keys)[:size], *[np.inf] * (3 - size)]
            assert found == is_open

    @pytest.mark.parametrize("gap", [0, 1, 2])
    def test_open_by_the_gaps_around_the_kth(self, gap):
        """Neighbor k and k + 1 are apart from the rest if each gap exceeds the rounding of its larger key."""
        keys = np.array([1.0, 2.0, 4.0, 8.0, 16.0])
        keys[gap + 1] = keys[gap] / 0.8  # a gap of a fifth of the larger
        for k in (1, 2, 3):
            assert not nearest(keys, k, 0.19)[2]
            assert nearest(keys, k, 0.21)[2] is (gap in (k - 1, k))

    def test_equal_keys_are_never_apart(self):
        assert nearest(np.array([1.0, 1.0, 2.0]), 1)[2]
        assert nearest(np.array([1.0, 2.0, 2.0]), 1)[2]
        assert not nearest(np.array([1.0, 2.0, 3.0, 3.0]), 1)[2]


def excess(keys, members, n_test, tolerance=0.0, groups=None):
    """Return whether the ranks by `keys` of members, with the next one at the end, are known; and the statistics."""
    n, k = len(keys), len(members) - 1
    best, is_open = np.sort(keys)[None, : k + 2].copy(), np.zeros(1, dtype=np.uint8)
    groups, signs = np.arange(n_test) if groups is None else groups, signs_of(np.arange(n_test))
    scratch = np.empty((2, n), dtype=np.float32), np.empty(k + 1, dtype=np.int64), np.empty((3, k + 1))
    columns, out = np.zeros(n_test), np.zeros((1, neighbors.WIDTH))
    of_points = np.array([members]), groups, signs
    neighbors.excess_ranks(0, 0, k, keys[None], tolerance, best, *of_points, *scratch, columns, out, is_open)
    return not is_open[0], out[0], columns


def plain_excess(keys, members, groups):
    """Return the sum of excess ranks of members but the last, and its changes without each candidate."""
    k, n = len(members) - 1, len(keys)

    def total(rest, ends):
        rank = rankdata(keys[rest])[np.searchsorted(rest, ends)]
        return np.maximum(0.0, rank - k).sum()

    whole, changes = total(np.arange(n), members[:k]), np.zeros(n)
    for p in range(1, n):
        if p >= len(groups) or groups[p] != groups[0]:
            rest = np.delete(np.arange(n), p)
            changes[p] = total(rest, [m for m in members if m != p][:k]) - whole
    return whole, changes


class TestExcessRanks:
    @pytest.mark.parametrize("n_test", [0, 30, 150])
    @pytest.mark.parametrize("members", [[7, 2], [3, 90, 41, 8], [149, 20, 11, 80, 64, 63, 128, 100, 5, 6]])
    @pytest.mark.parametrize("spread", [1.0, 1e-9])  # the second: all alike in single precision
    @pytest.mark.parametrize("grouped", [False, True])
    def test_are_those_of_a_sort(self, n_test, members, spread, grouped):
        keys = 1.0 + spread * RNG.random(150)
        keys[0] = 3.0 if n_test else keys[0]  # a query that is a candidate is the last
        groups = np.arange(n_test) // (4 if grouped else 1)
        known, out, columns = excess(keys, members, n_test, groups=groups)
        whole, changes = plain_excess(keys, members, groups)
        assert known
        assert out[neighbors.TRUST] == whole
        np.testing.assert_array_equal(columns, changes[:n_test])
        ranks = rankdata(keys)[members[:-1]]
        assert out[neighbors.TRUST + 2] == (ranks.max() if ranks.max() > len(members) - 1 else 0)
        signed = sum(
            (changes[p] * np.array(splitmix64(p)) for p in members[:-1] if p < n_test), start=np.zeros(SKETCHES)
        )
        np.testing.assert_array_equal(out[neighbors.SIGNED : neighbors.SIGNED + SKETCHES], signed)

    def test_across_stretches(self):
        n = neighbors.STRETCH_CANDIDATES + 150
        keys = RNG.random(n)
        keys[0] = 2.0
        members = [1, n - 1, neighbors.STRETCH_CANDIDATES, 700]
        for n_test in (0, 100, n):
            known, out, columns = excess(keys, members, n_test)
            ranks = rankdata(keys)[members[:3]]
            assert known
            assert out[0] == np.maximum(0, ranks - 3).sum()
            others = np.setdiff1d(np.arange(1, n_test), members)
            farther = (keys[None] < keys[members[:3], None]) & (ranks > 3)[:, None]
            np.testing.assert_array_equal(columns[others], -farther.sum(axis=0)[others])

    @pytest.mark.parametrize("member", [0, 1, 2])
    def test_a_tie_leaves_it_open_and_nothing_added(self, member):
        keys = RNG.random(100)
        members = [10, 20, 30]
        keys[70] = keys[members[member]]
        known, out, columns = excess(keys, members, 100)
        assert not known
        assert not out.any()
        assert not columns.any()

    def test_nearer_than_the_rounding_of_keys_is_a_tie(self):
        keys = RNG.random(100)
        for gap in (1e-10, -1e-10):
            keys[70] = keys[10] * (1 + gap)
            assert excess(keys, [10, 20], 0, tolerance=1e-11)[0]
            assert not excess(keys, [10, 20], 0, tolerance=1e-9)[0]

    def test_a_key_at_the_mark_itself_is_below(self):
        keys = np.linspace(5.0, 9.0, 200)
        keys[10], keys[20], keys[150] = 1.0, 3.0, float(np.float32(1.0 - neighbors.SINGLE_ROUNDING))
        known, out, _ = excess(keys, [10, 20], 0)
        assert known
        assert out[: neighbors.TRUST + 3].tolist() == [1.0, 10.0, 2.0]

    @pytest.mark.parametrize("largest", [1e-43, 1e300])  # beyond the normal numbers of single precision
    def test_keys_that_single_precision_does_not_hold(self, largest):
        keys = np.linspace(1e-2, 1.0, 60) * largest
        known, out, _ = excess(keys, [50, 10, 30], 0)
        assert known
        assert out[: neighbors.TRUST + 3].tolist() == [51 + 11 - 4, 50, 51]


class TestOverlaps:
    @pytest.mark.parametrize("grouped", [False, True])
    def test_and_their_changes(self, grouped):
        n, k, n_test = 40, 6, 25
        x = RNG.random((3, n))
        z = x + 0.3 * RNG.random((3, n))
        for q in range(3):
            x[q, q] = z[q, q] = np.inf
        near = [np.argsort(keys, axis=1)[:, : k + 2].copy() for keys in (x, z)]
        best = [np.sort(keys, axis=1)[:, : k + 2].copy() for keys in (x, z)]
        groups = np.arange(n_test) % (5 if grouped else 99)
        columns, out = np.zeros(n_test), np.zeros((3, neighbors.WIDTH))
        of_points, is_open = (groups, signs_of(np.arange(n_test))), np.array([0, 7, 0], dtype=np.uint8)
        neighbors.overlaps(0, k, x, z, *best, *near, *of_points, columns, out, is_open)
        expected = np.zeros(n_test)
        for q in (0, 2):
            common = len(np.intersect1d(near[0][q, :k], near[1][q, :k]))
            signed = np.zeros(SKETCHES)
            for p in np.flatnonzero(groups != groups[q]).tolist():
                rest = [side[q][side[q] != p][:k] for side in near]
                expected[p] += len(np.intersect1d(*rest)) - common
                signed += (len(np.intersect1d(*rest)) - common) * np.array(splitmix64(p))
            assert out[q, neighbors.OVERLAP] == common
            np.testing.assert_array_equal(out[q, neighbors.SIGNED + 2 * SKETCHES :], signed)
        np.testing.assert_array_equal(columns, expected)
        assert not out[1].any()


class TestDistances:
    @pytest.mark.parametrize(
        "distance", ["euclidean", "cosine", "cityblock", "hamming", "packed_hamming", "two_values"]
    )
    @pytest.mark.parametrize("d", [1, 2, 15, 16, 17, 33, 130])
    @pytest.mark.parametrize("few", [False, True])
    def test_in_all_three_ways(self, distance, d, few, monkeypatch):
        if few:
            monkeypatch.setattr(point_space, "PREPARED_BYTES", 0)
            monkeypatch.setattr(point_space, "BLOCK_COLUMNS", 4)
            monkeypatch.setattr(point_space, "BLOCK_PAIRS", 10)
        X = RNG.normal(size=(14, d)) + (2.0 if d == 1 else 0.0)
        if distance == "hamming":
            X = np.round(X)
        if distance == "packed_hamming":
            X = RNG.integers(-128, 128, size=(14, d))
        if distance == "two_values":
            X, distance = np.where(X > 0, np.arange(d), -3.5), "hamming"
        made = point_space.Space([X[:5], X[5:]], None, 0, distance)
        exact = np.array([made.to_distance(made.exact_keys(i)) for i in range(5)])
        fast = made.to_distance(made.keys(0, 5, np.empty((5, 14))))
        i, j = np.repeat(np.arange(5), 14), np.tile(np.arange(14), 5)
        paired = made.to_distance(made.pair_keys(i, j)).reshape(5, 14)
        plain = np.unpackbits(X.astype(np.int8).view(np.uint8), axis=1) if distance == "packed_hamming" else X
        expected = np.ldexp(cdist(plain[:5], plain, distance.removeprefix("packed_")), -made.exponent)
        for keys in (exact, fast, paired):
            np.testing.assert_allclose(keys, expected, rtol=1e-9, atol=1e-15)
        np.testing.assert_array_equal(exact, paired)
        assert made.by_products == (d > 16 and distance in ("euclidean", "cosine"))
        assert (made.n, made.n_rows, made.d) == (14, 14, d)

    def test_two_values_of_each_column_are_bits(self):
        X = np.where(RNG.normal(size=(9, 130)) > 0, 2.0, -0.5)
        assert point_space.Space([X], None, 0, "hamming").rows(0, 9).shape == (9, 3)
        X[4, 7] = 1.0
        assert point_space.Space([X], None, 0, "hamming").rows(0, 9).shape == (9, 130)

    def test_below_the_normal_numbers(self):
        whole = RNG.integers(-40, 41, size=(9, 3)).astype(float)
        for d in (3, 18):
            X = np.ldexp(np.tile(whole, d // 3), -1072)
            made = point_space.Space([X], None, 0)
            expected = cdist(np.tile(whole, d // 3), np.tile(whole, d // 3))[3]
            result = np.ldexp(made.to_distance(made.exact_keys(3)), made.exponent + 1072)
            np.testing.assert_allclose(result, expected, rtol=1e-12)

    def test_far_below_the_largest(self):
        """Products of these points are few times the smallest number."""
        X = RNG.normal(size=(8, 20)) * 2.0 ** -np.repeat([500, 538], 4)[:, None]
        X[0] = 1.0
        made = point_space.Space([X], None, 0)
        keys = made.keys(1, 8, np.empty((7, 8)))
        np.testing.assert_allclose(keys, [made.exact_keys(i) for i in range(1, 8)], rtol=made.tolerance)

    def test_products_move_far_points_and_trust_a_grid(self):
        near, far = RNG.normal(size=(40, 20)), 50.0 + RNG.normal(size=(40, 20))
        assert point_space.Space([near], None, 0).origin is None
        moved = point_space.Space([far], None, 0)
        assert moved.origin is not None
        assert np.abs(moved.moved(0, 40)).max() < 10
        assert 0 < moved.tolerance == distances.tolerance(20) < 1e-9
        grid = point_space.Space([np.round(far * 8) / 8], None, 0)
        assert grid.tolerance == 0.0
        keys = grid.keys(0, 40, np.empty((40, 40)))
        np.testing.assert_array_equal(keys, [grid.exact_keys(i) for i in range(40)])

    def test_near_points_are_looked_at_again(self):
        X = RNG.normal(size=(12, 20))
        X[1] = X[0] + 1e-9
        X[2] = X[0]
        made = point_space.Space([X], None, 0)
        keys = made.keys(0, 12, np.empty((12, 12)))
        assert keys[0, 2] == 0.0
        assert keys[0, 1] == pytest.approx(20e-18, rel=1e-4)

    @pytest.mark.parametrize("d", [1, 2, 3, 4, 5])
    def test_chunks_leave_other_columns_alone(self, d):
        """There are more candidates than two chunks hold."""
        n = 3 * distances.CHUNK_CANDIDATES + 7
        queries, candidates = (RNG.integers(-3, 4, size=(rows, d)).astype(float) for rows in (2, n))
        columns = np.ascontiguousarray(candidates.T)
        apart = queries[:, None] - candidates
        for kernel, expected in (
            (distances.direct_keys, (apart**2).sum(axis=2)),
            (partial(distances.summed_keys, counts=False), np.abs(apart).sum(axis=2)),
            (partial(distances.summed_keys, counts=True), (apart != 0).sum(axis=2)),
        ):
            out = np.full((2, n + 9), 77.0)
            kernel(queries, columns, place=4, out=out)
            np.testing.assert_array_equal(out[:, 4 : n + 4], expected)
            assert (out[:, :4] == 77).all()
            assert (out[:, n + 4 :] == 77).all()

    @pytest.mark.parametrize("shift", [0, 3])
    def test_from_products(self, shift):
        queries, rows = RNG.normal(size=(3, 6)), RNG.normal(size=(5, 6))
        rows[2] = queries[1] + 1e-7  # near: computed again
        x2, y2 = (queries**2).sum(axis=1), (rows**2).sum(axis=1)
        out = np.full((3, 5 + shift + 2), 77.0)
        out[:, shift : shift + 5] = queries @ rows.T
        distances.keys_from_products(queries, x2, rows, y2, shift, out)
        expected = cdist(queries, rows) ** 2
        np.testing.assert_allclose(out[:, shift : shift + 5], expected, rtol=1e-12)
        assert out[1, shift + 2] == pytest.approx(6e-14, rel=1e-6)
        assert (out[:, :shift] == 77).all()
        assert (out[:, shift + 5 :] == 77).all()

    @pytest.mark.parametrize("both", [0.01, 1.0, 100.0])
    def test_near_is_by_the_lengths(self, both):
        """Keys below a thousandth of both squared lengths are computed again; the products are wrong, to tell which."""
        lengths = np.array([both / 2])
        for share, anew in ((0.9e-3, True), (1.1e-3, False)):
            out = np.array([[(both - share * both) / 2]])
            distances.keys_from_products(np.zeros((1, 2)), lengths, np.array([[3.0, 4.0]]), lengths, 0, out)
            assert out[0, 0] == (25.0 if anew else pytest.approx(share * both, rel=1e-9))

    @pytest.mark.parametrize(("d", "bits"), [(20, 23), (32, 23), (33, 22), (64, 22), (65, 22), (129, 21)])
    def test_a_grid_is_as_fine_as_sums_of_products_stay_exact(self, d, bits):
        for step, on_grid in ((bits, True), (bits + 1, False)):
            X = np.ldexp(RNG.integers(-(2**step) + 1, 2**step, size=(6, d)), -step)
            X[0, 0] = 0.5 + 2.0**-step
            assert (point_space.Space([X], None, 0).tolerance == 0.0) == on_grid

    def test_the_bound_on_their_error(self):
        assert distances.tolerance(62) == 8 * 64 * 2.0**-53 / 1e-3


def add_pairs(a, b, pilot, n_test=0, ranked=True, room=1000):
    """Add up the pairs of one query, given their distances."""
    n = len(a)
    task = pairs.PairTask(
        *(False, False, 1.0, 1.0, pilot.scale, 1.0, min(1, n_test), n_test, ranked, pilot.factor),
        *(pilot.a.low, pilot.a.per_unit, pilot.b.low, pilot.b.per_unit),
        *pilot.tails,
    )
    size = pairs.STRETCH_CANDIDATES
    tables = pilot.a.edges, pilot.b.edges, pilot.a.table, pilot.b.table
    sums = {
        "counts": np.zeros((2, max(len(pilot.a.table), len(pilot.b.table))), dtype=np.int64),
        "influence": np.zeros(n_test),
        "scratch": np.zeros((3, size)),
        "places": np.zeros((2, size), dtype=np.uint32),
        "shared": np.zeros((1, moments.N_MOMENTS)),
        "alone": np.zeros((1, moments.N_MOMENTS)),
        "extremes": np.array([[np.inf, -np.inf]]),
        "ranked": np.zeros((1, 2)),
        "ratios": np.zeros(room),
        "partners": np.zeros(room, dtype=np.int32),
        "owners": np.zeros(room, dtype=np.int32),
    }
    done, used = pairs.pair_rows(a[None], b[None], 0, 0, task, *tables, *sums.values(), 0)
    return sums | {"done": done, "used": used, "cells": sums["places"][:, :n]}


class TestPairs:
    def test_least_and_largest_of_distinct_inputs(self):
        a, b = np.array([1.0, 0.0, 2.0]), np.array([0.5, 9.0, 6.0])
        for kept, expected in (([0, 1, 2], [0.5, 3.0]), ([0, 2], [0.5, 3.0]), ([1], [np.inf, -np.inf])):
            pilot = rank_correlation.pilot(a, b, 0.1, True)
            assert add_pairs(a[kept], b[kept], pilot)["extremes"].tolist() == [expected]

    def test_only_ratios_beyond_the_thresholds_are_kept(self):
        a, b = np.ones(80), np.linspace(0, 1, 80)
        a[79] = 0.0
        pilot = replace(rank_correlation.pilot(a, b, 0.1, True), tails=(0.05, 0.95))
        sums = add_pairs(a, b, pilot)
        kept = np.flatnonzero((a > 0) & ((b < 0.05) | (b > 0.95)))
        np.testing.assert_array_equal(sums["partners"][: sums["used"]], kept)
        np.testing.assert_array_equal(sums["ratios"][: sums["used"]], b[kept])
        assert add_pairs(a, b, pilot, room=79)["done"] == 0  # no room for all
        assert add_pairs(a, b, pilot, room=79, ranked=False)["done"] == 1


class TestTails:
    RATIOS = np.array([0.1, 0.2, 0.3, 0.5, 0.8])
    TAIL = Tail(RATIOS, np.array([0, 1, 0, 2, 2], np.int32), np.array([1, 2, -1, -1, 3], np.int32), 1.0)

    @pytest.mark.parametrize("position", [0.0, 0.25, 1.0, 3.5, 4.0, 4.5, 5.0, 7.5])
    def test_quantiles_go_on_to_the_threshold(self, position):
        expected = np.interp(position, np.arange(6), [*self.RATIOS, 1.0])
        assert self.TAIL.quantile(position) == pytest.approx(expected, abs=1e-15)

    @pytest.mark.parametrize("position", [0.0, 0.5, 1.0, 1.25, 2.0])
    def test_quantiles_without_a_point(self, position):
        result = self.TAIL.quantiles_without(np.full(5, position))
        ends = np.stack([self.TAIL.i, self.TAIL.j])
        for point in range(5):
            left = [*self.RATIOS[(ends != point).all(axis=0)], 1.0, 1.0, 1.0]
            assert result[point] == pytest.approx(np.interp(position, np.arange(len(left)), left), abs=1e-15), point

    def test_room_grows_by_at_least_the_size_needed(self):
        out = grown(np.arange(5), 3, 10)
        assert len(out) >= 13
        assert out[:3].tolist() == [0, 1, 2]


class TestTriplets:
    @pytest.mark.parametrize("ties", [False, True])
    @pytest.mark.parametrize("n_test", [0, 6, 12])
    @pytest.mark.parametrize("size", [4, 11])
    def test_on_the_candidates_that_are_drawn(self, ties, n_test, size):
        order = RNG.permutation(12)
        x, z = RNG.random((3, 12)), RNG.random((3, 12))
        if ties:
            x, z = np.round(4 * x), np.round(4 * z)
        columns, out = np.zeros(n_test), np.empty(3)
        scratch = np.arange(n_test), np.empty(size, dtype=np.int64), np.empty((3, size))
        triplet_rows(x, z, 2, np.array([7, 0, 3]), order, 0.0, 0.0, n_test, *scratch, columns, out)
        expected = np.zeros(n_test)
        for row in range(3):
            i = 2 + row
            drawn = np.roll(order, -([7, 0, 3][row] * size % 12))
            drawn = drawn[drawn != i][:size] if n_test else drawn[:size]
            share = self.share(x[row][drawn], z[row][drawn])
            assert out[row] == pytest.approx(share, abs=1e-14)
            for place, p in enumerate(drawn):
                if p < n_test:
                    rest = np.delete(drawn, place)
                    expected[p] += self.share(x[row][rest], z[row][rest]) - share
        np.testing.assert_allclose(columns, expected, atol=1e-13)

    @staticmethod
    def share(x, z):
        j, l = np.triu_indices(len(x), 1)
        return np.mean((np.sign(x[j] - x[l]) * np.sign(z[j] - z[l]) + 1) / 2)

    def test_nearer_than_rounding_is_a_tie(self):
        x, z = np.array([[1.0, 1.0 + 1e-9, 2.0]]), np.array([[1.0, 2.0, 3.0]])
        out = np.empty(1)
        for tolerances, kept in (((0.0, 0.0), 1.0), ((1e-8, 0.0), 5 / 6)):
            drawn = np.zeros(1, np.int64), np.arange(3)
            rest = 0, np.arange(0), np.empty(3, dtype=np.int64), np.empty((3, 3)), np.zeros(0), out
            triplet_rows(x, z, 0, *drawn, *tolerances, *rest)
            assert out[0] == pytest.approx(kept, abs=1e-15)
            triplet_rows(z, x, 0, *drawn, *tolerances[::-1], *rest)
            assert out[0] == pytest.approx(kept, abs=1e-15)

    def test_as_many_as_the_budget_allows(self):
        assert candidates_per_query(10, 50) == 50
        assert candidates_per_query(10, 10**6) == MAX_CANDIDATES == 1024
        assert candidates_per_query(10**9, 10**6) == MIN_CANDIDATES == 128
        m = 3000
        assert candidates_per_query(m, 10**6) == int(np.sqrt(MAX_COMPARISONS / m)) == 316


class TestShepard:
    """The rank correlation of many pairs from a sample of them."""

    @pytest.mark.parametrize("shape", ["plain", "levels", "tail", "many levels"])
    def test_is_that_of_a_sort(self, shape, monkeypatch):
        monkeypatch.setattr(rank_correlation, "N_CELLS", 256)
        rng = np.random.default_rng(1)
        a = rng.random(4000)
        b = a + 0.5 * rng.random(4000)
        if shape == "levels":
            a, b = np.round(a, 1), np.round(b, 1)
        elif shape == "tail":
            b[:3] *= 1e5
        elif shape == "many levels":
            a = np.where(a < 0.5, 0.5, np.round(a, 3))
        sample = rng.choice(4000, 2500, replace=False)
        pilot = rank_correlation.pilot(a[sample], b[sample], 0.01, False)
        assert pilot.exact is None
        sums = add_pairs(np.append(9.0, a), np.append(9.0, b), pilot, n_test=4001, room=5000)
        result, columns, (products, total) = sums["counts"], sums["influence"][1:], sums["ranked"][0]
        grids = ((a, pilot.a), (b, pilot.b))
        cells = [rank_correlation.to_cells(v, g.low, g.per_unit, g.edges, len(g.table) - 1) for v, g in grids]
        assert result.sum(axis=1).tolist() == [4000, 4000]
        for side, values in enumerate((a, b)):  # a larger value is never in a lower cell
            assert (np.diff(cells[side][np.argsort(values, kind="stable")].astype(int)) >= 0).all()
            np.testing.assert_array_equal(result[side, : cells[side].max() + 1], np.bincount(cells[side]))
        value = rank_correlation.rank_correlation(pilot, products, result)
        assert value == pytest.approx(spearmanr(a, b).statistic, abs=2e-3)
        assert total == pytest.approx(columns.sum(), rel=1e-9)
        slopes = [spearmanr(np.delete(a, p), np.delete(b, p)).statistic for p in range(12)]
        expected = -(np.array(slopes) - spearmanr(a, b).statistic) * 3999
        assert np.abs(columns[:12] - expected).max() < 0.25
        assert columns.mean() == pytest.approx(0, abs=0.05)

    def test_of_few_pairs_is_exact(self):
        a, b = np.round(RNG.random(60), 1), RNG.random(60)
        pilot = rank_correlation.pilot(a, b, 0.1, True)
        assert pilot.exact == pytest.approx(spearmanr(a, b).statistic, abs=1e-12)
        assert rank_correlation.rank_correlation(pilot, np.nan, np.zeros((2, 1))) == pilot.exact
        assert rank_correlation.pilot(a, np.ones(60), 0.1, True).exact == 0.0
        assert pilot.scale == pytest.approx((a @ b) / (b @ b), rel=1e-14)
        assert rank_correlation.pilot(a, np.zeros(60), 0.1, True).scale == 0.0

    def test_thresholds_leave_at_least_the_share_in_both_tails(self):
        ratios = RNG.random(5000)
        low, high = rank_correlation._tails(ratios, 0.01, 0.0)
        for tail in ((ratios < low).sum(), (ratios > high).sum()):
            assert 50 + 5 * np.sqrt(50) <= tail <= 50 + 5 * np.sqrt(50) + 6
        assert rank_correlation._tails(ratios, 1.0, 0.0) == (np.inf, -np.inf)
        assert rank_correlation._tails(ratios[:0], 0.1, 0.0) == (np.inf, -np.inf)
        few = np.array([3.0, 1.0, 2.0])
        assert rank_correlation._tails(few, 0.9, 0.0) == (3.0, 1.0)

    def test_edges_stand_midway_between_levels(self, monkeypatch):
        monkeypatch.setattr(rank_correlation, "N_CELLS", 8)
        values = np.array([1.0, 1.0, 2.0, 4.0, 4.0, 8.0])
        np.testing.assert_array_equal(rank_correlation._edges(values, np.unique(values)), [1.5, 3.0, 6.0])
        values = np.concatenate([[0.0], np.repeat(5.0, 50), np.arange(10.0, 60.0), [1000.0]])
        edges = rank_correlation._edges(values, np.unique(values))
        assert (np.diff(edges) > 0).all()
        assert len(edges) < 8 + 2
        assert edges[0] == 2.5  # rare levels at both ends stay apart
        assert edges[-1] == (59 + 1000) / 2
        own = np.searchsorted(edges, values)
        counts = np.bincount(own)
        assert counts[1] == 50
        assert counts[2:-1].max() <= 102 / 8 + 1
        for first in (np.arange(50.0), np.arange(51.0)):  # no edge stands above the highest level
            values = np.concatenate([first, np.repeat(100.0, 90)])
            edges = rank_correlation._edges(values, np.unique(values))
            assert edges[-1] == (first[-1] + 100) / 2
            assert (np.diff(edges) > 0).all()

    def test_cells_are_of_equal_width_unless_they_are_crowded(self, monkeypatch):
        monkeypatch.setattr(rank_correlation, "N_CELLS", 64)
        values = np.linspace(0, 1, 640)
        low, per_unit, edges, cells = rank_correlation._grid(values)
        assert (len(edges), cells) == (0, 64)
        assert per_unit == pytest.approx(63, rel=1e-12)
        assert low == pytest.approx(-0.382 / 63, rel=1e-12)  # common values stand on no boundary
        for few in (np.array([0.0, 0.001, 0.5, 1.0]), np.where(values < 0.3, values / 1e3, values)):
            low, per_unit, edges, cells = rank_correlation._grid(few)
            assert (low, per_unit) == (0.0, 0.0)
            assert cells == len(edges) + 1 <= 64 + 2
        assert rank_correlation._grid(np.round(5 * values))[3] == 64  # few levels, each in a cell of its own

    @pytest.mark.parametrize("sign", [1, -1])
    def test_a_few_far_pairs_do_not_take_all_cells(self, sign):
        values = np.concatenate([RNG.random(30_000), [500.0, 1000.0]]) * sign
        low, inner, outer, high = np.quantile(values, [0, 1e-4, 1 - 1e-4, 1])
        result = rank_correlation._grid(values)
        if sign > 0:
            high = outer + (outer - inner) / 8
        else:
            low = inner - (outer - inner) / 8
        assert result[1] == pytest.approx(4095 / (high - low), rel=1e-12)
        assert result[0] == pytest.approx(low - 0.382 * (high - low) / 4095, rel=1e-12, abs=1e-12)
        cells = rank_correlation.to_cells(np.array([-1e9, low, high, 1e9]), *result[:3], 4095)
        assert cells.tolist() == [0, 0, 4095, 4095]

    @pytest.mark.parametrize("n_edges", range(1, 9))
    def test_cells_between_edges_and_of_equal_width(self, n_edges):
        edges = np.arange(1.0, n_edges + 1)
        values = np.array([0.0, *np.arange(0.5, n_edges + 1), *edges, 99.0])
        cells = rank_correlation.to_cells(values, 0.0, 0.0, edges, n_edges)
        np.testing.assert_array_equal(cells, np.searchsorted(edges, values))
        values = np.array([-3.0, 0.0, 0.4, 0.6, 1.1, 2.4, 2.6, 50.0])
        cells = rank_correlation.to_cells(values, 0.0, 2.0, np.empty(0), n_edges)
        np.testing.assert_array_equal(cells, np.clip(np.floor(2 * values), 0, n_edges))

    def test_what_is_far_is_by_the_spread_of_the_rest(self):
        for scale in (0.01, 1.0, 100.0):
            near = scale * np.concatenate([RNG.random(30_000), [3.9]])
            assert rank_correlation._grid(near)[1] == pytest.approx(4095 / np.ptp(near), rel=1e-12)
            far = scale * np.concatenate([RNG.random(30_000), [4.1]])
            assert rank_correlation._grid(far)[1] > 2 * 4095 / np.ptp(far)

    def test_empty_cells_are_interpolated(self):
        result = rank_correlation._filled(np.array([2.0, 0.0, 0.0, 15.0]), np.array([1.0, 0.0, 0.0, 3.0]))
        np.testing.assert_allclose(result, [2.0, 3.0, 4.0, 5.0])
        np.testing.assert_allclose(rank_correlation._above(np.array([1.0, 2.0, 4.0])), [6.5, 5.0, 2.0])
        np.testing.assert_allclose(rank_correlation._middles(np.array([1.0, 2.0, 1.0])), [0.125, 0.5, 0.875])

    def test_influence_is_the_derivative(self):
        """The derivative is that of the correlation by the weight of one pair of cells."""
        weights = RNG.random((4, 3))
        weights /= weights.sum()

        def correlation(w):
            share = w.sum(axis=1), w.sum(axis=0)
            F, G = (np.cumsum(side) - side / 2 for side in share)
            variance = (share[0] @ F**2 - 0.25) * (share[1] @ G**2 - 0.25)
            return (F @ w @ G - 0.25) / np.sqrt(variance), F, G, share

        _, F, G, share = correlation(weights)
        means = weights @ G / share[0], F @ weights / share[1]
        effects, factor = rank_correlation._influence((F, G), list(share), means, float(F @ weights @ G))
        for u in range(4):
            for v in range(3):
                more = 1e-6 * (np.outer(np.arange(4) == u, np.arange(3) == v) - weights)
                slope = (correlation(weights + more)[0] - correlation(weights - more)[0]) / 2e-6
                assert factor * F[u] * G[v] + effects[0][u] + effects[1][v] == pytest.approx(slope, abs=1e-6)
        flat = rank_correlation._influence((np.array([0.5]), G), [np.ones(1), share[1]], means, 0.25)
        assert flat[1] == 0.0
        assert not any(side.any() for side in flat[0])

    def test_tied_distances_share_their_mean_rank(self):
        values = np.array([3.0, 1.0, 3.0, 2.0, 1.0, 1.0])
        np.testing.assert_array_equal(rank_correlation._mean_ranks(values), rankdata(values))


def kendall(a, b):
    return sampled_pairs.kendall_influence(sampled_pairs.levels(a), sampled_pairs.levels(b))


class TestSampledPairs:
    @pytest.mark.parametrize("ties", [False, True])
    def test_kendall_and_the_influence_of_each_pair(self, ties):
        a, b = RNG.random(30), RNG.random(30)
        if ties:
            a, b = np.round(4 * a), np.round(3 * b)
        tau, influence = kendall(a, b)
        signs = np.sign(a[:, None] - a) * np.sign(b[:, None] - b)
        apart = [(values[:, None] != values).sum(axis=1) for values in (a, b)]
        spread = np.sqrt(apart[0].sum() * apart[1].sum())
        assert tau == pytest.approx(signs.sum() / spread, abs=1e-14)
        share = signs.sum(axis=1) / spread - tau / 2 * sum(side / side.sum() for side in apart)
        np.testing.assert_allclose(influence, 2 * 30 * share, atol=1e-12)
        assert kendall(a, np.ones(30))[0] == 0.0
        assert kendall(np.ones(30), b)[0] == 0.0

    def test_of_more_items_than_small_numbers(self):
        a, b = np.repeat(RNG.random(150), 2), RNG.random(300)
        assert kendall(a, b)[0] == pytest.approx(kendalltau(a, b).statistic, abs=1e-12)


@pytest.mark.parametrize("enabled", [True, False])
def test_no_garbage_is_collected_while_kernels_are_compiled(enabled):
    ours, other = (SimpleNamespace(py_func=function) for function in (distances.tolerance, pytest.approx))
    try:
        gc.enable() if enabled else gc.disable()
        for outer, held in ((ours, True), (other, False)):
            with event.trigger_event("numba:compile", data={"dispatcher": outer}):
                for inner in (ours, other):
                    with event.trigger_event("numba:compile", data={"dispatcher": inner}):
                        assert gc.isenabled() == (enabled and not held)
                    assert gc.isenabled() == (enabled and not held)
            assert gc.isenabled() == enabled
    finally:
        gc.enable()


def blas_threads():
    return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}


def test_blas_is_held_to_one_thread_and_let_go(monkeypatch):
    monkeypatch.setattr(blas, "_controller", None)  # libraries that were loaded since it was made are not held
    with threadpool_limits(2, "blas"):
        before = blas_threads()
        with one_blas_thread():
            assert blas_threads() == {1}
            with one_blas_thread():
                pass
            assert blas_threads() == {1}  # the inner one does not reset it
        assert blas_threads() == before
        with pytest.raises(ZeroDivisionError), one_blas_thread():
            raise ZeroDivisionError
        assert blas_threads() == before
