"""What stands beside a value: chance, what is counted twice, intervals, floors; each written down a second time."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from oracles import definitions
from scipy.spatial.distance import cdist
from scipy.stats import t as student

import distbench
import distbench.metrics as metrics
from distbench.engine import gather
from distbench.engine.random_signs import SKETCHES, add_signed
from distbench.inference import floors as floors_module
from distbench.inference.attainable import attainable
from distbench.inference.chance import chance
from distbench.inference.floors import check_floors, floors
from distbench.inference.intervals import degrees_of_freedom, jackknife_interval, jackknife_standard_error
from distbench.inference.verdicts import passes, points_to_decide, verdict
from distbench.metrics import METRICS
from distbench.metrics._quantiles import measure_quantiles

RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def _seeded(monkeypatch):
    """Each test draws the same, by itself and after any other."""
    monkeypatch.setitem(globals(), "RNG", np.random.default_rng(0))


def gathered(points, names, k=2, **options):
    X, Z, X_ref, Z_ref, include = points
    families = frozenset().union(*(METRICS[name].families for name in names))
    return gather(X, Z, X_ref, Z_ref, k=k, include_queries=include, families=families, threads=1, **options)


class TestChance:
    """Closed forms against the mean over all orders of the codes."""

    def test_in_sample(self):
        X, Z = RNG.normal(size=(5, 3)), RNG.normal(size=(5, 2))
        labels = np.array([0, 1, 1, 0, 1])
        found = gathered((X, Z, None, None, True), METRICS.keys() - {"reconstruction_mse"}, k=1, labels=labels)
        rows = [
            definitions.per_query(X, Z[list(order)], 1)
            | definitions.extra_per_query(X, Z[list(order)], 1, labels=labels)
            for order in permutations(range(5))
        ]
        mean = {name: np.mean([row[name] for row in rows]) for name in rows[0]}
        mean |= {"pearson": 0.0, "spearman": 0.0, "kendall": 0.0}
        a, b = definitions.pairs(X, Z)
        cross = a.sum() * b.sum() / 10
        mean["scaled_stress"] = np.sqrt(1 - cross**2 / (a @ a) / (b @ b))
        mean["stress"] = np.sqrt((a @ a - 2 * cross + b @ b) / (a @ a))
        for name, expected in mean.items():
            assert METRICS[name].measure(found).chance == pytest.approx(expected, abs=1e-12), name
        for name in METRICS.keys() - mean.keys() - {"reconstruction_mse"}:
            assert METRICS[name].measure(found).chance is None, name

    @pytest.mark.parametrize("include", [True, False])
    def test_against_references(self, include):
        X, Z, X_ref, Z_ref = (RNG.normal(size=shape) for shape in ((5, 3), (5, 2), (9, 3), (9, 2)))
        Z_ref = 3 * Z_ref  # chance is by pairs of one kind
        found = gathered((X, Z, X_ref, Z_ref, include), ("stress", "scaled_stress", "knn_recall"))
        a, b = definitions.pairs(X, Z, X_ref, Z_ref, include)
        own, other = (definitions._candidates(X, Z, X_ref, Z_ref, False) for _ in range(2))
        cross = own[0].sum() * other[1].sum() / 45
        if include:
            cross += np.multiply(*(values.sum() for values in definitions.pairs(X, Z))) / 10
        expected = np.sqrt(1 - cross**2 / (a @ a) / (b @ b))
        assert METRICS["scaled_stress"].measure(found).chance == pytest.approx(expected, rel=1e-12)
        expected = np.sqrt((a @ a - 2 * cross + b @ b) / (a @ a))
        assert METRICS["stress"].measure(found).chance == pytest.approx(expected, rel=1e-12)
        assert METRICS["knn_recall"].measure(found).chance == pytest.approx(2 / (13 if include else 9))

    def test_without_a_closed_form_it_is_the_mean_of_seeded_shuffles(self):
        X, Z = RNG.normal(size=(12, 3)), RNG.normal(size=(12, 2))
        rng = np.random.default_rng(7)
        values = [metrics.sigma_distortion(X, Z[rng.permutation(12)]) for _ in range(4)]
        assert chance(X, Z, "sigma_distortion", k=2, shuffles=4, seed=7) == pytest.approx(np.mean(values), rel=1e-12)
        assert chance(X, Z, "knn_recall", k=2) == pytest.approx(2 / 11)
        assert chance(RNG.normal(size=(25, 3)), RNG.normal(size=(25, 2)), "knn_recall") == pytest.approx(10 / 24)
        rng = np.random.default_rng(0)
        values = [metrics.sigma_distortion(X, Z[rng.permutation(12)]) for _ in range(3)]
        assert chance(X, Z, "sigma_distortion", k=2) == pytest.approx(np.mean(values), rel=1e-12)
        with pytest.raises(distbench.InputError, match="metric: found 'nothing'"):
            chance(X, Z, "nothing")
        more, codes = RNG.normal(size=(9, 3)), RNG.normal(size=(9, 2))
        for among in (True, False):
            rng, values = np.random.default_rng(0), []
            for _ in range(3):
                shuffled = codes[rng.permutation(9)]
                points = X, Z[rng.permutation(12)], more, shuffled, among
                values.append(METRICS["sigma_distortion"].measure(gathered(points, ["sigma_distortion"])).value)
            measured = chance(X, Z, "sigma_distortion", reference=(more, codes), k=2, include_queries=among)
            assert measured == pytest.approx(np.mean(values), rel=1e-12)
            expected = 2 / (20 if among else 9)
            assert chance(X, Z, "knn_recall", reference=(more, codes), k=2, include_queries=among) == pytest.approx(
                expected
            )


class TestCountedTwice:
    """The signed sums in the units of the metric."""

    @pytest.mark.parametrize("name", ["trustworthiness", "continuity", "knn_recall"])
    def test_of_neighbourhoods(self, name):
        X, Z = RNG.normal(size=(13, 3)), RNG.normal(size=(13, 2))
        found = gathered((X, Z, None, None, True), [name])
        signed = {
            "trustworthiness": found.ranks.trust.signed,
            "continuity": found.ranks.continuity.signed,
            "knn_recall": found.ranks.overlap_signed,
        }[name]
        unit = 1 / 2 if name == "knn_recall" else 2 / (2 * (2 * 12 - 6 + 1))
        measured = METRICS[name].measure(found)
        np.testing.assert_allclose(measured.interaction, signed * unit / 13, rtol=1e-13)
        alone = gathered((X[:5], Z[:5], X[5:], Z[5:], False), [name])
        assert METRICS[name].measure(alone).interaction is None

    def test_signs_stand_for_the_points_that_leave(self):
        """Without noise: what point p's leaving changes in query i, signed, for one query and one neighbour."""
        X = np.array([[0.0], [1.0], [3.0], [7.0], [15.0]])
        Z = np.array([[0.0], [9.0], [2.0], [5.0], [4.0]])
        found = gathered((X, Z, None, None, True), ["knn_recall"], k=1)
        expected = np.zeros((5, SKETCHES))
        whole = definitions.per_query(X, Z, 1)["knn_recall"]
        for p in range(5):
            rest = np.delete(np.arange(5), p)
            change = definitions.per_query(X[rest], Z[rest], 1)["knn_recall"] - whole[rest]
            for i, delta in zip(rest, change, strict=True):
                add_signed(delta, p, expected[i])
        np.testing.assert_allclose(found.ranks.overlap_signed, expected, atol=1e-12)


class TestQuantiles:
    @staticmethod
    def many(m=84):
        rng = np.random.default_rng(3)
        X = rng.normal(size=(m, 3))
        return X, X[:, :2] + 0.1 * rng.normal(size=(m, 2))

    def test_first_order_is_about_what_leaving_out_changes(self):
        X, Z = self.many()
        found = gathered((X, Z, None, None, True), ["distortion_q"])
        measured = measure_quantiles(found)
        assert measured.value == pytest.approx(definitions.quantile_ratio(*definitions.pairs(X, Z)), rel=1e-12)
        without = [
            definitions.quantile_ratio(*definitions.pairs(np.delete(X, p, 0), np.delete(Z, p, 0))) for p in range(84)
        ]
        assert np.corrcoef(np.log(measured.leave_one_out), np.log(without))[0, 1] > 0.8
        assert measured.interaction.shape == (84, SKETCHES)

    @pytest.mark.parametrize("m", [84, 140])
    def test_change_is_that_of_the_slope_times_the_ratios_a_point_is_part_of(self, m):
        X, Z = self.many(m)
        found = gathered((X, Z, None, None, True), ["distortion_q"])
        measured = measure_quantiles(found)
        a, b = cdist(X, X), cdist(Z, Z)
        i, j = np.triu_indices(m, 1)
        rho = (b / np.where(a > 0, a, 1))[i, j]
        order = np.argsort(rho)
        pairs, position = len(rho), 0.001 * (len(rho) - 1)
        unit, change, signed = 0.001 * pairs, np.zeros(m), np.zeros((m, SKETCHES))
        owners = np.zeros(m, dtype=bool)
        for side, sign in ((order[::-1], 1.0), (order, -1.0)):
            tail = rho[side]
            last = min(4 * position + 1, len(found.shepard.low.ratios if sign < 0 else found.shepard.high.ratios) - 1.0)
            at = [np.interp(place, np.arange(len(tail)), tail) for place in (position / 4, last)]
            slope = np.log(at[1] / at[0]) / np.log((last + 0.5) / (position / 4 + 0.5))
            ends = side[: int(position) + 1]
            touching = np.bincount(np.concatenate([i[ends], j[ends]]), minlength=m)
            change += sign * slope * (touching - 0.001 * (m - 1))
            partners = np.zeros((m, SKETCHES))
            for pair in ends:
                add_signed(1.0, j[pair], partners[i[pair]])
            signed += sign * slope * partners
            owners |= touching > 0.25 * unit
        smooth = measured.value * np.exp(change / unit)
        np.testing.assert_allclose(measured.leave_one_out[~owners], smooth[~owners], rtol=1e-9)
        np.testing.assert_allclose(measured.interaction, signed * measured.value / unit * np.sqrt(0.6), rtol=1e-9)
        for p in np.flatnonzero(owners):
            pairs_left = definitions.pairs(np.delete(X, p, 0), np.delete(Z, p, 0))
            assert measured.leave_one_out[p] == pytest.approx(definitions.quantile_ratio(*pairs_left), rel=1e-9)
        assert 0 < owners.sum() < m

    def test_none_of_a_single_point(self):
        X, Z = RNG.normal(size=(7, 3)), RNG.normal(size=(7, 2))
        found = gathered(
            (X[:1], Z[:1], X[1:], Z[1:], False), ["distortion_q", "pearson", "spearman", "trustworthiness"]
        )
        for name in ("distortion_q", "pearson", "spearman", "trustworthiness"):
            assert METRICS[name].measure(found).leave_one_out is None, name


@pytest.mark.parametrize("include", [None, True, False])
def test_spearman_without_a_point_is_less_its_influence(include):
    X, Z, X_ref, Z_ref = (RNG.normal(size=shape) for shape in ((9, 3), (9, 2), (8, 3), (8, 2)))
    points = (X, Z, None, None, True) if include is None else (X, Z, X_ref, Z_ref, include)
    found = gathered(points, ["spearman"])
    pairs, own = {None: (36, 8), True: (9 * 8 + 36, 16), False: (72, 8)}[include]
    expected = found.shepard.spearman - found.shepard.influence / (pairs - own)
    np.testing.assert_allclose(METRICS["spearman"].measure(found).leave_one_out, expected, rtol=1e-13)


@pytest.mark.parametrize("include", [None, True, False])
def test_of_sorted_pairs_to_first_order(include):
    X, Z, X_ref, Z_ref = (RNG.normal(size=shape) for shape in ((9, 3), (9, 2), (8, 3), (8, 2)))
    points = (X, Z, None, None, True) if include is None else (X, Z, X_ref, Z_ref, include)
    found = gathered(points, ["kendall", "nonmetric_stress"])
    sample = found.extras["sampled_pairs"]
    pairs, own = {None: (36, 8), True: (9 * 8 + 36, 16), False: (72, 8)}[include]
    assert sample.pairs == pairs
    np.testing.assert_array_equal(sample.touching, own)
    expected = sample.kendall - sample.kendall_influence / (pairs - own)
    np.testing.assert_allclose(METRICS["kendall"].measure(found).leave_one_out, expected, rtol=1e-13)
    left = sample.squares - sample.squares_of
    expected = np.sqrt(left[:, 0] / left[:, 1])
    np.testing.assert_allclose(METRICS["nonmetric_stress"].measure(found).leave_one_out, expected, rtol=1e-13)
    a, b = definitions.pairs(*points)
    assert sample.squares == pytest.approx([definitions.monotone_residual(a, b), b @ b], rel=1e-9)
    touching = (sample.squares_of / (2 if include is None else 1)).sum(axis=0)
    if include is not True:
        assert touching == pytest.approx(sample.squares, rel=1e-9)


@pytest.mark.parametrize("m", [1, 2, 3])
def test_leaving_out_needs_two_points(m):
    X, Z = RNG.normal(size=(12, 3)), RNG.normal(size=(12, 2))
    names = [name for name in METRICS if name not in ("reconstruction_mse", "distortion", "expansion", "contraction")]
    labels = np.arange(12) % 2
    found = gathered((X[:m], Z[:m], X[m:], Z[m:], False), names, labels=labels[:m], labels_ref=labels[m:])
    for name in names:
        without = METRICS[name].measure(found).leave_one_out
        assert without is None if m == 1 else without.shape == (m,), name


class TestIntervals:
    """The formulas of `docs/intervals.md`, written down again."""

    VALUES = RNG.beta(5, 2, size=20)

    def without(self):
        return (self.VALUES.sum() - self.VALUES) / 19

    def quantile(self, without, confidence):
        squares = (without - without.mean()) ** 2
        kurtosis = 20 * np.sum((squares / squares.sum()) ** 2)
        freedom = np.clip(2 * 20 / (kurtosis - 1), 3, 19)
        assert degrees_of_freedom(without) == pytest.approx(freedom, rel=1e-12)
        return student.ppf((1 + confidence) / 2, freedom)

    @pytest.mark.parametrize("bounds", [(-np.inf, np.inf), (0.0, np.inf), (0.0, 1.0), (-1.0, 2.0)])
    @pytest.mark.parametrize("confidence", [0.8, 0.95])
    @pytest.mark.parametrize("interacting", [False, True])
    def test_are_symmetric_on_their_scale(self, bounds, confidence, interacting):
        low, high = bounds
        forward, back = {
            (False, False): (lambda v: v, lambda w: w),
            (True, False): (lambda v: np.log(v - low), lambda w: low + np.exp(w)),
            (True, True): (
                lambda v: np.log((v - low) / (high - v)),
                lambda w: (low + high * np.exp(w)) / (1 + np.exp(w)),
            ),
        }[np.isfinite(low), np.isfinite(high)]
        value, without = self.VALUES.mean(), self.without()
        interaction = 0.003 * RNG.normal(size=(20, 4)) if interacting else None
        moved = forward(without)
        variance = 19 / 20 * np.sum((moved - moved.mean()) ** 2)
        if interacting:
            slope = (forward(value + 1e-6) - forward(value - 1e-6)) / 2e-6
            less = variance - np.sum((slope * interaction) ** 2) / 4
            assert less > 0.4 * variance
            variance = less
        half = self.quantile(without, confidence) * np.sqrt(variance)
        expected = back(forward(value) - half), back(forward(value) + half)
        assert jackknife_interval(value, without, confidence, bounds, interaction) == pytest.approx(expected, rel=1e-6)
        for size in (1e150, 1e-170):
            scaled = tuple(end * size for end in bounds)
            more = None if interaction is None else interaction * size
            found = jackknife_interval(value * size, without * size, confidence, scaled, more)
            assert np.divide(found, size) == pytest.approx(expected, rel=1e-6)

    def test_at_a_bound_nothing_is_stretched(self):
        for edge, bounds in ((1.0, (0.0, 1.0)), (0.0, (0.0, 2.0))):
            without = np.append(self.without(), edge)
            low, high = jackknife_interval(without.mean(), without)
            expected = max(low, bounds[0]), min(high, bounds[1])
            assert jackknife_interval(without.mean(), without, 0.95, bounds) == pytest.approx(expected)

    def test_of_two_points_there_is_one_and_of_one_none(self):
        low, high = jackknife_interval(1.5, np.array([1.0, 2.0]))
        half = student.ppf(0.975, 1) * np.sqrt(1 / 2 * 0.5)
        assert (low, high) == pytest.approx((1.5 - half, 1.5 + half))
        assert jackknife_interval(1.5, np.array([1.0])) == (None, None)
        assert jackknife_interval(np.nan, np.array([1.0, 2.0])) == (None, None)
        assert jackknife_interval(1.0, np.array([1.0, np.nan])) == (None, None)

    def test_degrees_of_freedom_at_their_ends(self):
        assert degrees_of_freedom(np.array([1.0, 2.0, 4.0, 9.0])) == 3  # four points: no kurtosis to speak of
        assert degrees_of_freedom(np.append(np.zeros(40), 1.0)) == 3
        assert degrees_of_freedom(np.ones(7)) == 6
        assert degrees_of_freedom(np.array([1.0, -1.0] * 5)) == 9
        assert degrees_of_freedom(np.array([3.0])) == 0

    def test_scores_that_all_stand_at_a_bound(self):
        ones = np.ones(8)
        assert jackknife_interval(1.0, ones, 0.9, (0, 1), rows=8) == pytest.approx((0.05 ** (1 / 8), 1.0))
        assert jackknife_interval(2.0, 2 * ones, 0.9, (2, 4), rows=8) == pytest.approx((2, 4 - 2 * 0.05 ** (1 / 8)))
        assert jackknife_interval(4.0, 4 * ones, 0.9, (2, 4), rows=8) == pytest.approx((2 + 2 * 0.05 ** (1 / 8), 4))
        assert jackknife_interval(0.5, 0.5 * ones, 0.9, (0, 1), rows=8) == (0.5, 0.5)
        assert jackknife_interval(1.0, ones, 0.9, (0, 1)) == (1.0, 1.0)
        varied = np.array([1.0, 1.0, 0.9, 1.0, 0.8])
        assert jackknife_interval(1.0, varied, 0.9, (0, 1), rows=5) == jackknife_interval(1.0, varied, 0.9, (0, 1))

    def test_what_is_counted_twice_leaves_two_fifths(self):
        without = self.without()
        whole = jackknife_standard_error(without)
        assert whole == pytest.approx(np.sqrt(19 / 20 * np.sum((without - without.mean()) ** 2)), rel=1e-13)
        assert jackknife_standard_error(without, np.ones((20, 4))) == pytest.approx(whole * np.sqrt(0.4), rel=1e-13)
        share = whole * np.sqrt(0.3 / 20)
        assert jackknife_standard_error(without, np.full((20, 4), share)) == pytest.approx(whole * np.sqrt(0.7))


class TestVerdicts:
    @pytest.mark.parametrize(
        ("value", "low", "high", "limit", "m", "expected"),
        [
            (0.5, 0.25, 0.75, 0.375, 100, 400),
            (0.5, 0.25, 0.75, 0.625, 100, 400),
            (0.5, 0.375, 0.75, 0.625, 100, 400),  # by the side that reaches for the limit
            (0.5, 0.375, 0.75, 0.375, 100, 101),  # one more at least
            (0.8, 0.7, 0.9, 0.77, 100, 1200),  # 1111, to two digits, upwards
            (0.8, 0.7, 0.9, 0.79, 7, 700),
            (0.5, 0.4, 0.6, 0.3, 10, 11),
            (0.5, 0.25, 0.75, 0.375, 4, 16),  # two digits as they are
            (0.5, 0.125, 0.875, 0.75, 4, 9),
            (0.8, 0.7, 0.9, 0.8, 100, None),
            (0.8, 0.8, 0.9, 0.7, 100, None),
            (0.8, -np.inf, 0.9, 0.7, 100, None),
            (0.8, 0.7, 0.9, 0.80000999, 100, None),
            (0.8, 0.7, 0.9, 0.80002, 100, 2_600_000_000),
            (0.8, None, 0.9, 0.7, 100, None),
            (0.8, 0.7, None, 0.7, 100, None),
        ],
    )
    def test_points_that_would_decide(self, value, low, high, limit, m, expected):
        found = points_to_decide(value, low, high, limit, m)
        assert found is None if expected is None else found == pytest.approx(expected, rel=0.05)
        if expected is not None and expected < 10**6:
            assert (found, type(found)) == (expected, int)

    @pytest.mark.parametrize(("low", "high"), [(None, 0.9), (0.7, None), (None, None)])
    def test_half_an_interval_is_none(self, low, high):
        assert verdict(0.8, low, high, 0.75, "up") == "met"
        assert verdict(0.8, low, high, 0.85, "up") == "broken"
        assert verdict(0.8, low, high, 0.75, "down") == "broken"

    def test_a_value_at_its_limit_is_good(self):
        assert passes("undecided", 0.8, 0.8, "up")
        assert passes("undecided", 0.8, 0.8, "down")
        assert passes("undecided", 0.79, 0.8, "down")
        assert not passes("undecided", 0.81, 0.8, "down")


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
        found = {"stress": max(one, two) / np.linalg.norm(a)}
        found["scaled_stress"] = found["stress"]
        prefix, best = [int(a.max(axis=1).argmax())], 1.0
        while len(prefix) < n:
            prefix.append(int(a[prefix].min(axis=0).argmax()))
            own = a[np.ix_(prefix, prefix)]
            least, diameter = own[np.triu_indices(len(prefix), 1)].min(), own.max()
            if least == 0:
                break
            jung = np.sqrt((dim + 1) / (2 * dim))
            best = max(best, (len(prefix) ** (1 / dim) - 1) * jung * least / diameter)
        found["distortion"] = best
        if dim in (1, 2):
            np.fill_diagonal(a, np.nan)
            degree = np.zeros(n)
            for i in range(n):
                others = ~np.isnan(a[i])
                degree[others] += definitions._membership(a[i][others], k)
            found["knn_recall"] = np.minimum(degree, {1: 2, 2: 6}[dim] * k).sum() / (n * k)
        return found

    @pytest.mark.parametrize("kind", ["normal", "wide", "long", "hub", "ties", "duplicates", "simplex"])
    @pytest.mark.parametrize("dim", [1, 2, 3])
    @pytest.mark.parametrize("k", [1, 3])
    def test_are_what_the_formulas_say(self, kind, dim, k):
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
        found = floors(X, dim, k=k)
        assert found.keys() == expected.keys()
        assert found.get("knn_recall", 0.0) <= 1.0
        for name, value in found.items():
            assert value == pytest.approx(expected[name], rel=1e-6, abs=1e-7), name
        scaled = floors(1e6 * X, dim, k=k)
        assert scaled == pytest.approx(found, rel=1e-9, abs=1e-12)

    def test_only_what_is_asked(self):
        X = RNG.normal(size=(12, 4))
        whole = floors(X, 2, k=3)
        for name in whole:
            assert floors(X, 2, k=3, metrics=[name]) == {name: whole[name]}
        assert floors(X, 2, metrics=[]) == {}
        assert floors(X, 4)["stress"] == pytest.approx(0, abs=1e-6)

    def test_of_many_points(self, monkeypatch):
        X = RNG.normal(size=(50, 4))
        whole = floors(X, 1, k=3)
        assert floors_module._sample(2000, 4) is None
        assert len(floors_module._sample(2001, 4)) == 2000
        assert len(floors_module._sample(5000, 2000)) == 1002
        monkeypatch.setattr(floors_module, "MAX_POINTS", 20)
        chosen = floors_module._sample(50, 4)
        assert len(set(chosen)) == 20
        assert set(chosen) == set(np.random.default_rng(0).choice(50, 20, replace=False))
        assert (np.diff(chosen) > 0).all()
        some = floors(X, 1, k=3)
        assert some["distortion"] == pytest.approx(floors(X[chosen], 1, k=3)["distortion"], rel=1e-12)
        spread = np.linalg.norm(np.ptp(X, axis=0))
        twice = 2 * np.linalg.norm(X - X.mean(axis=0), axis=1).max()
        assert whole["stress"] * 0.3 < some["stress"] < whole["stress"]
        assert floors_module._diameter(X - X.mean(axis=0), None) == pytest.approx(min(spread, twice), rel=1e-12)
        monkeypatch.setattr(floors_module, "MAX_VALUES", 199)
        assert floors(X, 1, k=3) == pytest.approx({"distortion": some["distortion"]}, rel=1e-12)
        check_floors({"distortion": 1.0}, X, 1)  # too many values: let through
        monkeypatch.setattr(floors_module, "MAX_VALUES", 200)
        with pytest.raises(distbench.InputError, match="distortion: found the limit"):
            check_floors({"distortion": 1.0}, X, 1)

    def test_a_limit_at_the_floor_is_allowed(self):
        X = np.vstack([np.zeros(20), np.eye(20)])
        known = floors(X, 2, k=1)
        check_floors(known, X, 2, k=1)
        with pytest.raises(distbench.InputError, match="knn_recall: found the limit at least"):
            check_floors({"knn_recall": known["knn_recall"] + 1e-6}, X, 2, k=1)
        with pytest.raises(distbench.InputError, match="scaled_stress: found the limit at most"):
            check_floors({"scaled_stress": known["scaled_stress"] - 1e-6}, X, 2, k=1)
        check_floors({"knn_recall": 1.0}, X, 2, k=1, reference=True)
        check_floors({"continuity": 1.0}, X, 2, k=1)

    def test_attainable_is_that_of_the_codes_that_mds_finds(self, monkeypatch):
        X = RNG.normal(size=(15, 5))
        best = attainable(X, 2, k=2, metrics=["stress", "knn_recall"])
        assert list(best) == ["stress", "knn_recall"]
        assert attainable(1e6 * X, 2, k=2, metrics=["stress"])["stress"] == pytest.approx(best["stress"], rel=1e-6)
        assert attainable(X, 5, k=2, metrics=["stress"])["stress"] < 1e-3
        assert attainable(X, 7, k=2, metrics=["stress"])["stress"] < 1e-3
        module = __import__("distbench.inference.attainable", fromlist=["attainable"])
        monkeypatch.setattr(module, "MAX_POINTS", 10)
        drawn = np.sort(np.random.default_rng(3).choice(15, 10, replace=False))
        some = attainable(X, 2, k=2, metrics=["stress"], seed=3)
        assert some == pytest.approx(attainable(X[drawn], 2, k=2, metrics=["stress"]))
        with pytest.raises(distbench.InputError, match="k: found 5"):
            attainable(X[:11], 2, k=5)
        with pytest.raises(distbench.InputError, match="found no metric 'nothing'"):
            attainable(X, 2, metrics=["nothing"])
        for size in (0, True, 2.0):
            with pytest.raises(distbench.InputError, match="code_size: found"):
                attainable(X, size)
