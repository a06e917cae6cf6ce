"""Chance, double counts and leave-one-out values beside a metric's value, against a second implementation."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from clouds import WORST
from oracles import definitions
from scipy.spatial.distance import cdist

import distbench
import distbench.metrics as metrics
from distbench.engine.canonical_order import canonical_order
from distbench.engine.random_signs import SKETCHES, signs_of
from distbench.engine.searches import EXACT
from distbench.inference.chance import chance
from distbench.metrics import METRICS
from distbench.metrics._quantiles import measure_quantiles
from distbench.metrics.each_k import gather_each_k

RNG = np.random.default_rng(0)


def signs(places):
    """Return the random signs of points at these places, a row each."""
    return 2.0 * (signs_of(places)[:, None] >> np.arange(SKETCHES) & 1) - 1


@pytest.fixture(autouse=True)
def _seeded(monkeypatch):
    """Each test draws the same, by itself and after any other."""
    monkeypatch.setitem(globals(), "RNG", np.random.default_rng(0))


def gathered(points, names, k=2, **options):
    X, Z, X_ref, Z_ref, include = points
    measured = [METRICS[name] for name in names]
    return gather_each_k(measured, k, X, Z, X_ref, Z_ref, include_queries=include, threads=1, **options)


class TestChance:
    """Closed forms against the mean over all orders of the codes."""

    def test_in_sample(self):
        X, Z = RNG.normal(size=(5, 3)), RNG.normal(size=(5, 2))
        labels = np.array([0, 1, 1, 0, 1])
        statistics = gathered((X, Z, None, None, True), METRICS.keys() - {"reconstruction_mse"}, k=1, labels=labels)
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
            assert METRICS[name].measure(statistics).chance == pytest.approx(expected, abs=1e-12), name
        for name in METRICS.keys() - mean.keys() - {"reconstruction_mse"}:
            assert METRICS[name].measure(statistics).chance is None, name

    @pytest.mark.parametrize("include", [True, False])
    def test_against_references(self, include):
        X, Z, X_ref, Z_ref = (RNG.normal(size=shape) for shape in ((5, 3), (5, 2), (9, 3), (9, 2)))
        Z_ref = 3 * Z_ref  # chance is by pairs of one kind
        statistics = gathered((X, Z, X_ref, Z_ref, include), ("stress", "scaled_stress", "knn_recall"))
        a, b = definitions.pairs(X, Z, X_ref, Z_ref, include)
        own, other = (definitions._candidates(X, Z, X_ref, Z_ref, False) for _ in range(2))
        cross = own[0].sum() * other[1].sum() / 45
        if include:
            cross += np.multiply(*(values.sum() for values in definitions.pairs(X, Z))) / 10
        expected = np.sqrt(1 - cross**2 / (a @ a) / (b @ b))
        assert METRICS["scaled_stress"].measure(statistics).chance == pytest.approx(expected, rel=1e-12)
        expected = np.sqrt((a @ a - 2 * cross + b @ b) / (a @ a))
        assert METRICS["stress"].measure(statistics).chance == pytest.approx(expected, rel=1e-12)
        assert METRICS["knn_recall"].measure(statistics).chance == pytest.approx(2 / (13 if include else 9))

    def test_without_a_closed_form_it_is_the_mean_of_seeded_shuffles(self):
        X, more = (points[canonical_order(points)] for points in (RNG.normal(size=(12, 3)), RNG.normal(size=(9, 3))))
        Z, codes = RNG.normal(size=(12, 2)), RNG.normal(size=(9, 2))
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
        for among in (True, False):
            rng, values = np.random.default_rng(0), []
            for _ in range(3):
                shuffled = codes[rng.permutation(9)]
                points = X, Z[rng.permutation(12)], more, shuffled, among
                values.append(METRICS["sigma_distortion"].measure(gathered(points, ["sigma_distortion"])).value)
            measured = chance(X, Z, "sigma_distortion", reference=(more, codes), k=2, include_queries=among)
            assert measured == pytest.approx(np.mean(values), rel=1e-12)
            expected = 2 / (20 if among else 9)
            recall = chance(X, Z, "knn_recall", reference=(more, codes), k=2, include_queries=among)
            assert recall == pytest.approx(expected)


class TestCountedTwice:
    """The signed sums in the units of the metric."""

    @pytest.mark.parametrize("name", ["trustworthiness", "continuity", "knn_recall"])
    def test_of_neighborhoods(self, name):
        X, Z = RNG.normal(size=(13, 3)), RNG.normal(size=(13, 2))
        statistics = gathered((X, Z, None, None, True), [name])
        signed = {
            "trustworthiness": lambda: statistics.ranks.trust.signed,
            "continuity": lambda: statistics.ranks.continuity.signed,
            "knn_recall": lambda: statistics.extras["found"][2, 2, EXACT].signed,
        }[name]()
        unit = 1 / 2 if name == "knn_recall" else 2 / (2 * (2 * 12 - 6 + 1))
        measured = METRICS[name].measure(statistics)
        np.testing.assert_allclose(measured.interaction, signed * unit / 13, rtol=1e-13)
        alone = gathered((X[:5], Z[:5], X[5:], Z[5:], False), [name])
        assert METRICS[name].measure(alone).interaction is None

    def test_signs_stand_for_the_points_that_leave(self):
        """The change in query i without point p, with its sign, for one neighbor and without noise."""
        X = np.array([[0.0], [1.0], [3.0], [7.0], [15.0]])
        Z = np.array([[0.0], [9.0], [2.0], [5.0], [4.0]])
        statistics = gathered((X, Z, None, None, True), ["knn_recall"], k=1)
        expected = np.zeros((5, SKETCHES))
        whole = definitions.per_query(X, Z, 1)["knn_recall"]
        for p in range(5):
            rest = np.delete(np.arange(5), p)
            change = definitions.per_query(X[rest], Z[rest], 1)["knn_recall"] - whole[rest]
            for i, delta in zip(rest, change, strict=True):
                expected[i] += delta * signs(statistics.places)[p]
        np.testing.assert_allclose(statistics.extras["found"][1, 1, EXACT].signed, expected, atol=1e-12)


class TestQuantiles:
    @staticmethod
    def many(m=84):
        rng = np.random.default_rng(3)
        X = rng.normal(size=(m, 3))
        return X, X[:, :2] + 0.1 * rng.normal(size=(m, 2))

    def test_first_order_is_about_what_leaving_out_changes(self):
        X, Z = self.many()
        statistics = gathered((X, Z, None, None, True), ["distortion_q"])
        measured = measure_quantiles(statistics)
        assert measured.value == pytest.approx(definitions.quantile_ratio(*definitions.pairs(X, Z)), rel=1e-12)
        without = [
            definitions.quantile_ratio(*definitions.pairs(np.delete(X, p, 0), np.delete(Z, p, 0))) for p in range(84)
        ]
        assert np.corrcoef(np.log(measured.leave_one_out), np.log(without))[0, 1] > 0.8
        assert measured.interaction.shape == (84, SKETCHES)

    @pytest.mark.parametrize("m", [84, 140])
    def test_change_is_that_of_the_slope_times_the_ratios_a_point_is_part_of(self, m):
        X, Z = self.many(m)
        statistics = gathered((X, Z, None, None, True), ["distortion_q"])
        measured = measure_quantiles(statistics)
        a, b = cdist(X, X), cdist(Z, Z)
        i, j = np.triu_indices(m, 1)
        rho = (b / np.where(a > 0, a, 1))[i, j]
        order = np.argsort(rho)
        pairs, position = len(rho), 0.001 * (len(rho) - 1)
        unit, change, signed = 0.001 * pairs, np.zeros(m), np.zeros((m, SKETCHES))
        owners = np.zeros(m, dtype=bool)
        for side, sign in ((order[::-1], 1.0), (order, -1.0)):
            tail = rho[side]
            tails = statistics.shepard.low if sign < 0 else statistics.shepard.high
            last = min(4 * position + 1, len(tails.ratios) - 1.0)
            at = [np.interp(place, np.arange(len(tail)), tail) for place in (position / 4, last)]
            slope = np.log(at[1] / at[0]) / np.log((last + 0.5) / (position / 4 + 0.5))
            ends = side[: int(position) + 1]
            touching = np.bincount(np.concatenate([i[ends], j[ends]]), minlength=m)
            change += sign * slope * (touching - 0.001 * (m - 1))
            partners, places = np.zeros((m, SKETCHES)), statistics.places
            for first, second in (sorted((i[pair], j[pair]), key=places.__getitem__) for pair in ends):
                partners[first] += signs(places)[second]
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
        names = ("distortion_q", "pearson", "spearman", "trustworthiness")
        statistics = gathered((X[:1], Z[:1], X[1:], Z[1:], False), names)
        for name in names:
            assert METRICS[name].measure(statistics).leave_one_out is None, name


@pytest.mark.parametrize("include", [None, True, False])
def test_of_sorted_pairs_to_first_order(include):
    X, Z, X_ref, Z_ref = (RNG.normal(size=shape) for shape in ((9, 3), (9, 2), (8, 3), (8, 2)))
    points = (X, Z, None, None, True) if include is None else (X, Z, X_ref, Z_ref, include)
    statistics = gathered(points, ["spearman", "kendall", "nonmetric_stress"])
    sample = statistics.extras["sampled_pairs"]
    pairs, own = {None: (36, 8), True: (9 * 8 + 36, 16), False: (72, 8)}[include]
    expected = statistics.shepard.spearman - statistics.shepard.influence / (pairs - own)
    np.testing.assert_allclose(METRICS["spearman"].measure(statistics).leave_one_out, expected, rtol=1e-13)
    assert sample.pairs == pairs
    np.testing.assert_array_equal(sample.touching, own)
    expected = sample.kendall - sample.kendall_influence / (pairs - own)
    np.testing.assert_allclose(METRICS["kendall"].measure(statistics).leave_one_out, expected, rtol=1e-13)
    left = sample.squares - sample.squares_of
    expected = np.sqrt(left[:, 0] / left[:, 1])
    np.testing.assert_allclose(METRICS["nonmetric_stress"].measure(statistics).leave_one_out, expected, rtol=1e-13)
    a, b = definitions.pairs(*points)
    assert sample.squares == pytest.approx([definitions.monotone_residual(a, b), b @ b], rel=1e-9)
    touching = (sample.squares_of / (2 if include is None else 1)).sum(axis=0)
    if include is not True:
        assert touching == pytest.approx(sample.squares, rel=1e-9)


@pytest.mark.parametrize("m", [1, 2, 3])
def test_leaving_out_needs_two_points(m):
    X, Z = RNG.normal(size=(12, 3)), RNG.normal(size=(12, 2))
    names = [name for name in METRICS if name not in ("reconstruction_mse", "distortion_q", *WORST)]
    labels = np.arange(12) % 2
    statistics = gathered((X[:m], Z[:m], X[m:], Z[m:], False), names, labels=labels[:m], labels_ref=labels[m:])
    for name in names:
        without = METRICS[name].measure(statistics).leave_one_out
        assert without is None if m == 1 else without.shape == (m,), name
