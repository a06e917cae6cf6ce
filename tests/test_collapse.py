from __future__ import annotations

import itertools
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import pdist
from sklearn.decomposition import PCA

import distbench
from distbench.errors import InputError
from distbench.suites._collapse import MAX_STARTS, find_collapse


@pytest.fixture(scope="module")
def cloud():
    """Points with an uneven spread, off the origin."""
    return np.random.default_rng(0).normal(3.0, np.linspace(0.5, 4.0, 12), size=(300, 12))


def of_layers(rng, sizes, dtype=np.float64):
    """A ReLU network with random weights."""
    weights = [rng.normal(size=(a, b)) / np.sqrt(a) for a, b in itertools.pairwise(sizes)]
    biases = [rng.normal(size=b) for b in sizes[1:]]

    def encode(X):
        H = np.asarray(X, dtype=dtype)
        for n, (W, b) in enumerate(zip(weights, biases, strict=True)):
            H = H @ W.astype(dtype) + b.astype(dtype)
            H = np.maximum(H, 0) if n < len(weights) - 1 else H
        return H

    return encode


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10_000), st.integers(2, 8), st.data())
def test_the_null_direction_of_a_linear_map_is_found_to_rounding(seed, d, data):
    dim = data.draw(st.integers(1, d - 1))
    rng = np.random.default_rng(seed)
    X, A = rng.normal(size=(60, d)) * rng.uniform(0.1, 10, d), rng.normal(size=(d, dim))
    pair = find_collapse(lambda X: X @ A, X)
    assert pair.ratio < 1e-6
    assert np.linalg.norm((pair.first - pair.second) @ A) == pytest.approx(pair.code_distance, abs=1e-9)
    assert pair.input_distance == pytest.approx(np.median(pdist(X)), rel=1e-9)


def test_the_pair_of_pca_lies_along_what_it_leaves_out(cloud):
    pca = PCA(3).fit(cloud)
    pair = find_collapse(pca, cloud)
    away = (pair.first - pair.second) / pair.input_distance
    assert np.abs(pca.components_ @ away).max() < 1e-9
    assert abs(PCA(4).fit(cloud).components_[3] @ away) == pytest.approx(1)
    assert re.fullmatch("two points .* apart in input \\(the median of pairs is .*, found in 1 start", str(pair))


@settings(deadline=None, max_examples=10)
@given(st.floats(1e-6, 1e6), st.floats(1e-3, 1e3))
def test_units_of_points_and_codes_change_nothing_but_the_distances(cloud, unit_x, unit_z):
    encode = of_layers(np.random.default_rng(1), (12, 30, 2))
    plain = find_collapse(encode, cloud)
    other = find_collapse(lambda X: unit_z * encode(X / unit_x), cloud * unit_x)
    assert other.input_distance == pytest.approx(unit_x * plain.input_distance)
    assert other.median_code == pytest.approx(unit_z * plain.median_code)
    assert max(plain.ratio, other.ratio) < 1e-4


@pytest.mark.parametrize("dim", [1, 2, 5, 11])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_relu_network(cloud, dim, dtype):
    encode = of_layers(np.random.default_rng(dim), (12, 64, 32, dim), dtype)
    pair = find_collapse(encode, cloud, goal=1e-5)
    gap = np.linalg.norm(encode(pair.first[None]) - encode(pair.second[None]))
    assert gap == pytest.approx(pair.code_distance, abs=1e-5)
    assert pair.ratio <= 1e-5


@pytest.mark.parametrize("dim", [1, 2, 8])
def test_random_waves_have_the_same_pair_each_time(cloud, dim):
    rng = np.random.default_rng(dim)  # random Fourier features, mixed down
    W, b, A = rng.normal(size=(12, 100)) / 10, rng.uniform(0, 2 * np.pi, 100), rng.normal(size=(100, dim))
    pair, again = (find_collapse(lambda X: np.cos(X @ W + b) @ A, cloud, goal=1e-8) for _ in range(2))
    assert pair.ratio <= 1e-8
    np.testing.assert_array_equal(pair.first, again.first)


def test_a_trained_autoencoder():
    data = distbench.load_dataset("digits")
    encoder = distbench.fit_baseline("autoencoder", data.train, 2, epochs=5)
    pair = find_collapse(encoder, data.train, goal=1e-5)
    assert pair.ratio <= 1e-5
    assert pair.input_distance == pytest.approx(np.median(pdist(data.train)), rel=0.02)


def test_equal_codes_and_a_map_that_jumps(cloud):
    pair = find_collapse(lambda X: np.zeros((len(X), 2)), cloud)
    assert (pair.ratio, pair.code_distance, pair.median_code) == (0.0, 0.0, 0.0)
    X = np.random.default_rng(0).normal(size=(200, 2)) * (5.0, 1e-3)
    pair = find_collapse(lambda X: X[:, :1] + 100 * np.sign(X[:, 1:]), X)
    assert pair.starts == MAX_STARTS
    assert pair.ratio > 0.01


@pytest.mark.parametrize(
    ("encode", "points", "message"),
    [
        (lambda X: X, np.eye(12), "codes of 12 numbers for points of 12, so different points need not share"),
        (lambda X: X[:, :1], np.ones((20, 3)), "points: found most of them equal"),
        (lambda X: X[:, :1] * np.nan, np.eye(5), "codes.*NaN|NaN.*codes"),
    ],
)
def test_codes_that_cannot_be_searched(encode, points, message):
    with pytest.raises(InputError, match=message):
        find_collapse(encode, points)
