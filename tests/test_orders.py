"""The order of candidates by their keys, and their levels among the members of the other space."""

import numpy as np
import pytest
from scipy.stats import rankdata

from distbench.engine import levels, orders

RNG = np.random.default_rng(0)


def dealt(keys, own=False, most=None, margin=0.0):
    """Return the candidates of queries 0, 1, ... in the order of buckets, with room for groups; and the buckets."""
    size, n = keys.shape
    most, buckets = n - own if most is None else most, 4 * n
    order = orders.Order(*np.empty((3, size, n), dtype=np.int32), np.full(size, orders.UNSORTED, dtype=np.uint8))
    of, start = np.empty((size, n), dtype=np.uint16), np.empty((size, buckets + 2), dtype=np.int32)
    made = orders.Buckets(of, start, np.empty((size, 3)), np.empty((size, 2), dtype=np.int32))
    scratch = np.empty(buckets + 2, dtype=np.int32), np.empty(n)
    orders.deal(keys, 0, own, most, margin, order.state, *made, *scratch, order.order)
    return order, made


def sort(keys, made, tolerance=0.0, room=100):
    """Sort them, and return the pairs of candidates in doubt of the first query."""
    doubts = np.empty((2, room), dtype=np.int32)
    used = orders.sort_rows(keys, tolerance, made[1].found, *made[0], np.empty(keys.shape[1]), doubts)
    return sorted({tuple(sorted(pair)) for pair in doubts[1, :used].reshape(-1, 2).tolist()})


KEYS = {
    "random": lambda n: RNG.random(n),
    "growing": lambda n: np.arange(float(n)),
    "falling": lambda n: np.arange(float(n), 0, -1),
    "equal": lambda n: np.ones(n),
    "few levels": lambda n: RNG.integers(0, 4, n).astype(float),
    "far candidates": lambda n: np.exp(9 * RNG.normal(size=n)),
    "two clusters": lambda n: RNG.random(n) * np.where(np.arange(n) % 2, 1e-9, 1.0),
    "near the smallest number": lambda n: RNG.integers(0, 50, n) * 5e-324,
}


class TestOrders:
    @pytest.mark.parametrize("kind", KEYS)
    @pytest.mark.parametrize("own", [False, True])
    @pytest.mark.parametrize("n", [2, 9, 150, 1000])
    def test_places_and_groups(self, kind, own, n):
        keys = KEYS[kind](n)[None]
        rest = keys[0, 1:] if own else keys[0]
        made = dealt(keys.copy(), own)
        sort(keys, made)
        order = made[0]
        assert order.order[0, n - 1] == 0 or not own
        np.testing.assert_array_equal(keys[0, order.order[0, : len(rest)]], np.sort(rest))
        np.testing.assert_array_equal(order.less[0, own:], rankdata(rest, "min") - 1)
        np.testing.assert_array_equal(order.upto[0, own:], rankdata(rest, "max"))
        assert order.state[0] == (orders.TIED if len(np.unique(rest)) < len(rest) else 0)

    @pytest.mark.parametrize("kind", KEYS)
    @pytest.mark.parametrize("own", [False, True])
    @pytest.mark.parametrize("most", [1, 8, 60])
    def test_the_nearest_alone(self, kind, own, most):
        n, margin = 150, 1e-3
        keys = KEYS[kind](n)[None]
        rest = keys[0, 1:] if own else keys[0]
        order, buckets = made = dealt(keys.copy(), own, most, margin)
        sort(keys, made)
        found = buckets.found[0, 0]
        edge = np.sort(rest)[most - 1] * (1 + margin)
        assert (rest <= edge).sum() <= found <= n - own
        np.testing.assert_array_equal(keys[0, order.order[0, :found]], np.sort(rest)[:found])
        is_found = np.isin(np.arange(n), order.order[0, :found])
        ranks = [np.append([n] * own, rankdata(rest, way) - (way == "min")) for way in ("min", "max")]
        for values, expected in zip((order.less, order.upto), ranks, strict=True):
            np.testing.assert_array_equal(values[0], np.where(is_found, expected, n))

    def test_only_rows_with_a_state_are_sorted(self):
        keys = RNG.random((3, 50))
        made = dealt(keys)
        made[0].state[1] = 0
        made[0].less[:] = -1
        sort(keys, made)
        assert (made[0].less[1] == -1).all()
        np.testing.assert_array_equal(made[0].less[[0, 2]], rankdata(keys[[0, 2]], axis=1) - 1)


class TestDoubts:
    """Candidates are in doubt if their keys differ by no more than rounding."""

    def test_are_between_neighbors_in_the_order(self):
        keys = np.array([[7.0, 1.0, 3.0, 3.0 * (1 + 1e-4), 9.0, 9.0 * (1 - 1e-4)]])
        for tolerance, expected in ((1e-3, [(2, 3), (4, 5)]), (1e-5, [])):
            made = dealt(keys)
            assert sort(keys, made, tolerance=tolerance) == expected
            assert made[0].state[0] == (orders.IN_DOUBT if expected else 0)

    def test_too_many_leave_all_in_doubt(self):
        keys = np.ones((1, 30))
        made = dealt(keys)
        assert sort(keys, made, tolerance=1e-3, room=57) == []
        assert made[0].state[0] == orders.ALL_IN_DOUBT

    def test_keys_that_were_in_doubt_are_exact(self):
        keys = np.array([[1.0, 2.0, 2.0 * (1 + 1e-9)]])
        made = dealt(keys)
        made[0].state[0] = orders.IN_DOUBT
        assert sort(keys, made, tolerance=1e-3) == []
        assert made[0].less[0].tolist() == [0, 1, 2]


def leveled(keys_here, keys_there, most, own=False, tolerance=0.0, state=orders.UNSORTED, room=400):
    """Return the levels of candidates of one query, and the pairs of them in doubt."""
    n = keys_here.shape[1]
    here, there = dealt(keys_here.copy(), own, most), dealt(keys_there, own, most, 2 * tolerance)
    sort(keys_here, here)
    found = levels.Levels(*np.empty((4, 1, n), dtype=np.int32), np.empty((1, 2), dtype=np.int32), np.full(1, state))
    scratch, doubts = np.empty((4, 4 * n + 2), dtype=np.int32), np.empty((2, room), dtype=np.int32)
    rest = here[0].order, here[0].upto, *there[1][:3], *found, np.empty(n), scratch, doubts
    used = levels.level_rows(keys_there, tolerance, most, *rest)
    return found, {tuple(sorted(pair)) for pair in doubts[1, :used].reshape(-1, 2).tolist()}, here[0]


class TestLevels:
    @pytest.mark.parametrize("here", KEYS)
    @pytest.mark.parametrize("there", KEYS)
    @pytest.mark.parametrize("own", [False, True])
    def test_are_told_by_the_members_keys(self, here, there, own):
        n, most = 150, 20
        keys_here, keys = KEYS[here](n)[None], KEYS[there](n)[None]
        found, doubts, order = leveled(keys_here, keys.copy(), most, own)
        members = np.flatnonzero(order.less[0] < order.upto[0, order.order[0, most - 1]])
        size, groups = found.sizes[0]
        edges = np.unique(keys[0, members])
        assert doubts == set()
        assert (size, groups) == (len(members), len(edges))
        assert set(found.order[0, :size].tolist()) == set(members.tolist())
        np.testing.assert_array_equal(keys[0, found.order[0, :size]], np.sort(keys[0, members]))
        less, upto = ((rankdata(keys[0, own:], way) - (way == "min"))[members - own] for way in ("min", "max"))
        np.testing.assert_array_equal(found.less[0, members], less)
        np.testing.assert_array_equal(found.upto[0, members], upto)
        expected = 2 * np.searchsorted(edges, keys[0]) + np.isin(keys[0], edges)
        expected[found.order[0, :size]] = 2 * groups + 1 + np.arange(size)
        expected[:own] = 2 * groups
        np.testing.assert_array_equal(found.level[0], expected)
        assert found.state[0] == (orders.TIED if (upto - less > 1).any() else 0)

    @pytest.mark.parametrize("kind", KEYS)
    @pytest.mark.parametrize("own", [False, True])
    def test_are_the_same_where_all_candidates_are_ordered(self, kind, own):
        n, most = 150, 20
        keys_here, keys = RNG.random((1, n)), KEYS[kind](n)[None]
        found, _, _ = leveled(keys_here, keys.copy(), most, own)
        both = dealt(keys_here.copy(), own), dealt(keys.copy(), own)
        for each, each_keys in zip(both, (keys_here, keys), strict=True):
            sort(each_keys, each)
        (all_here, _), (all_there, _) = both
        order, level = np.empty((2, 1, n), dtype=np.int32)
        sizes = np.empty((1, 2), dtype=np.int32)
        rest = all_there.order, all_there.upto, all_there.state, np.ones(1, dtype=np.bool_), order, level, sizes
        levels.walk_rows(n - own, most, all_here.order, all_here.less, all_here.upto, *rest)
        np.testing.assert_array_equal(sizes, found.sizes)
        size, groups = sizes[0]
        np.testing.assert_array_equal(keys[0, order[0, :size]], keys[0, found.order[0, :size]])
        np.testing.assert_array_equal(np.minimum(level, 2 * groups + 1), np.minimum(found.level, 2 * groups + 1))

    def test_list_who_is_in_doubt_beside_a_member(self):
        here = np.array([[1.0, 2.0, 9.0, 9.0, 9.0, 9.0, 9.0, 9.0, 9.0]])
        there = np.array([[3.0, 7.0, 3.0 * (1 + 1e-4), 7.0 * (1 - 1e-4), 5.0, 5.0 * (1 + 1e-4), 0.0, 9.0, 20.0]])
        for tolerance, state, expected in (
            (1e-3, orders.UNSORTED, {(0, 2), (1, 3)}),
            (1e-5, orders.UNSORTED, set()),
            (1e-3, orders.IN_DOUBT, set()),
        ):
            found, doubts, _ = leveled(here, there.copy(), 2, tolerance=tolerance, state=state)
            assert doubts == expected
            assert found.state[0] == (orders.IN_DOUBT if expected else 0)

    def test_list_members_in_doubt_among_themselves(self):
        here = np.array([[1.0, 2.0, 3.0, 9.0, 9.0, 9.0, 9.0]])
        there = np.array([[3.0, 3.0, 3.0 * (1 + 1e-4), 1.0, 0.0, 9.0, 20.0]])
        _, doubts, _ = leveled(here, there, 3, tolerance=1e-3)
        assert doubts in ({(0, 1), (1, 2)}, {(0, 1), (0, 2)})

    def test_too_many_leave_all_in_doubt(self):
        found, doubts, _ = leveled(np.arange(30.0)[None], np.ones((1, 30)), 20, tolerance=1e-3, room=10)
        assert found.state[0] == orders.ALL_IN_DOUBT
        assert doubts == set()
