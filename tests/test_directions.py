"""Cosine distances: equal cosines tie, and multiples have distance 0, whatever rounding does."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import ortho_group

import distbench
from distbench.engine import directions, point_space
from distbench.metrics import METRICS

RNG = np.random.default_rng(3)


def keys_of(points):
    """Return all keys in two ways: of single queries, and of a block, which may come from products of matrices."""
    points = np.ascontiguousarray(points, dtype=float)
    made = point_space.Space([points], None, 0, "cosine")
    block = made.keys(0, len(points), np.empty((len(points), len(points))))
    return np.array([made.exact_keys(i) for i in range(len(points))]), block


def exact_classes(points):
    """Return the number of each pair's cosine among the distinct cosines; whole numbers of any size, no rounding."""
    rows = [[int(value) for value in row] for row in points]
    products = [[sum(a * b for a, b in zip(x, y, strict=True)) for y in rows] for x in rows]
    n, classes = len(rows), {}
    signed_squares = [
        Fraction(products[i][j] * abs(products[i][j]), products[i][i] * products[j][j])
        for i in range(n)
        for j in range(n)
    ]
    return np.array([classes.setdefault(cosine, len(classes)) for cosine in signed_squares]).reshape(n, n)


WHOLE = {
    "bits": RNG.integers(0, 2, (40, 7)),
    "counts of words": RNG.poisson(0.2, (40, 60)),
    "signed": RNG.integers(-3, 4, (40, 5)),
    "pictures of bytes": RNG.integers(0, 256, (20, 3072)),
    "products beyond 2**53": RNG.integers(0, 30_000, (30, 4)) // 9 * 9 + np.eye(30, 4, dtype=int),
}


def divided(points, by):
    """Return the points times a factor; or relative frequencies, or unit vectors, of rows that hold a 1."""
    if isinstance(by, float):
        return points * by, points
    points = np.column_stack([points, np.ones(len(points), dtype=int)])
    sizes = np.abs(points).sum(axis=1) if by == "sum" else np.linalg.norm(points, axis=1)
    return points / sizes[:, None], points


@pytest.mark.parametrize("kind", WHOLE)
@pytest.mark.parametrize("by", [1.0, 0.375, 2.0**40, "sum", "length"])
def test_equal_cosines_of_whole_numbers_tie(kind, by):
    points = WHOLE[kind][WHOLE[kind].any(axis=1)]
    passed, points = divided(np.concatenate([points, 3 * points[:4], -2 * points[2:5]]), by)
    classes = exact_classes(points)
    _, first = np.unique(classes, return_index=True)
    for keys in keys_of(passed):
        np.testing.assert_array_equal(keys, keys.ravel()[first][classes])
        assert len(np.unique(keys)) == len(first)  # unequal cosines do not tie
        plain = points / np.linalg.norm(points, axis=1)[:, None]
        np.testing.assert_allclose(keys, 2 - 2 * plain @ plain.T, atol=1e-13)


@pytest.mark.parametrize("kind", ["bits", "counts of words", "signed"])
@pytest.mark.parametrize("by", [0.1, 1 / 3, "sum", "length"])
def test_in_single_precision_they_tie_too(kind, by):
    """Single precision has so few digits that rows which are rounded are whole numbers themselves, if large ones."""
    passed, points = divided(WHOLE[kind][WHOLE[kind].any(axis=1)], by)
    for keys, wanted in zip(keys_of(passed.astype(np.float32)), keys_of(points), strict=True):
        np.testing.assert_array_equal(keys, wanted)


@given(arrays(np.int64, (8, 3), elements=st.integers(-40, 40)), st.permutations(range(3)))
def test_columns_may_be_in_any_order(points, order):
    points = points[points.any(axis=1)]
    if len(points) > 1:
        for keys, others in zip(keys_of(points), keys_of(points[:, order]), strict=True):
            np.testing.assert_array_equal(keys, others)


@pytest.mark.parametrize("d", [3, 40])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_multiples_are_at_distance_0_and_near_directions_are_not(d, kind):
    points = RNG.normal(size=(30, d)).astype(kind)
    points[10:20] = (points[:10] * RNG.uniform(0.1, 9, (10, 1))).astype(kind)
    points[20:25] = -3 * points[:5]
    angles = {np.float32: 1e-5, np.float64: 1e-9}[kind] * RNG.normal(size=(5, d))
    points[25:] = points[:5] * (1 + angles)
    for keys in keys_of(points):
        assert (keys[np.arange(10), np.arange(10, 20)] == 0).all()
        assert (keys[np.arange(5), np.arange(20, 25)] == 4).all()
        assert (keys[np.arange(5), np.arange(25, 30)] > 0).all()
        assert (keys == 0).sum() == 30 + 20
    assert len(np.unique(directions.same_directions(points))) == 20


@pytest.mark.parametrize("d", [3, 40])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_multiples_tie_from_any_other_point(d, kind):
    points = RNG.normal(size=(30, d))
    points[10:20] = points[:10] / 3
    points[20:25] = points[:5] * 1e30
    points[25:] = points[:5] / -7
    keys, _ = keys_of(points.astype(kind))
    np.testing.assert_array_equal(keys[:, 10:20], keys[:, :10])
    np.testing.assert_array_equal(keys[:, 20:25], keys[:, :5])
    np.testing.assert_array_equal(keys[25:, 25:], keys[:5, :5])
    order = RNG.permutation(30)
    again, _ = keys_of(points.astype(kind)[order])
    np.testing.assert_array_equal(again, keys[np.ix_(order, order)])


@pytest.mark.parametrize("d", [6, 40])
def test_right_angles_tie(d):
    """As those of texts without a common word, weighted by the frequencies of words."""
    texts = RNG.random((60, d)) * (RNG.random((60, d)) < 0.3)
    texts = texts[texts.any(axis=1)]
    turned = ortho_group.rvs(d, random_state=0) * RNG.uniform(0.1, 9, (d, 1))
    for points, apart in ((texts, texts @ texts.T == 0), (turned, ~np.eye(d, dtype=bool))):
        for keys in keys_of(points):
            np.testing.assert_array_equal(keys == 2, apart)
    assert (texts @ texts.T == 0).any()


def test_a_space_of_whole_numbers_needs_no_second_look():
    assert point_space.Space([WHOLE["counts of words"][:, :40] + 1.0], None, 0, "cosine").tolerance == 0
    assert point_space.Space([RNG.normal(size=(20, 40))], None, 0, "cosine").tolerance > 0


@pytest.mark.parametrize("setting", ["in sample", "reference"])
def test_multiples_among_the_points_change_nothing_but_their_pairs(setting):
    points = RNG.normal(size=(80, 6))
    points[1], points[7] = 3 * points[0], 0.1 * points[5]
    options = {"k": 5, "distance_x": "cosine", "metrics": ["sammon", "distortion", "expansion", "sigma_distortion"]}
    if setting == "reference":
        options["reference"] = (points[40:] / 7, points[40:, :4])
        points = points[:40]
    report = distbench.evaluate_codes(points, points[:, :4], **options)
    assert all(value < 1e4 for value in report.as_dict().values())
    assert all(pair.input_distance > 1e-6 for pair in report.pairs["extreme"])


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.int64])
def test_codes_on_one_ray_are_one_code(kind):
    points = RNG.normal(size=(100, 8))
    ray = np.round(10 * RNG.normal(size=(1, 8))) if kind == np.int64 else RNG.normal(size=(1, 8))
    codes = (RNG.integers(1, 9, (100, 1)) * ray).astype(kind)
    names = [name for name in METRICS if name not in ("label_agreement", "reconstruction_mse")]
    report, wanted = (
        distbench.evaluate_codes(points, Z, k=5, distance_z="cosine", metrics=names) for Z in (codes, codes * 0 + 1)
    )
    assert report.as_dict() == wanted.as_dict()
    assert report["scaled_stress"].value == 1
    assert any("have only 1 distinct directions of codes (100 points" in note for note in report.notes)


def test_ranks_of_worst_pairs_count_ties():
    points = WHOLE["bits"][WHOLE["bits"].any(axis=1)]
    report = distbench.evaluate_codes(points, RNG.normal(size=(len(points), 2)), k=3, distance_x="cosine")
    classes = exact_classes(points)
    plain = points / np.linalg.norm(points, axis=1)[:, None]
    table = np.rint((1 - plain @ plain.T) * 1e9)
    for pair in (*report.pairs["torn"], *report.pairs["merged"]):
        row = np.delete(table[pair.query], pair.query)
        value = table[pair.query, pair.partner]
        assert pair.rank_input == (row < value).sum() + ((row == value).sum() + 1) / 2
    assert len(np.unique(classes)) == len(np.unique(table))
