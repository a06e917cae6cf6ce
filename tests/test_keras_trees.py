"""Minimum spanning trees, compared with those of scipy."""

from __future__ import annotations

import numpy as np
import pytest
from frameworks import Lazy, tf
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.spatial.distance import pdist, squareform

trees = Lazy("distbench.keras._trees", "keras", "tensorflow")


def edges_of(parents: np.ndarray) -> set[frozenset[int]]:
    return {frozenset((child, int(parent))) for child, parent in enumerate(parents) if child}


@settings(max_examples=30, deadline=None)
@given(n=st.integers(2, 20), d=st.integers(1, 4), seed=st.integers(0, 2**32 - 1))
def test_it_is_the_tree_of_scipy(n: int, d: int, seed: int) -> None:
    clouds = np.random.default_rng(seed).normal(size=(2, n, d))
    distances = np.stack([squareform(pdist(points)) for points in clouds])
    edges = np.asarray(trees.spanning_edges(distances.astype("float32")))
    for matrix, parents in zip(distances, edges, strict=True):
        rows, columns = minimum_spanning_tree(matrix).nonzero()
        assert edges_of(parents) == {frozenset(map(int, pair)) for pair in zip(rows, columns, strict=True)}
        assert parents[0] == 0


@settings(max_examples=20, deadline=None)
@given(n=st.integers(2, 15), values=st.integers(1, 4), seed=st.integers(0, 2**32 - 1))
def test_with_ties_it_is_a_tree_and_as_short(n: int, values: int, seed: int) -> None:
    weights = np.random.default_rng(seed).integers(0, values, (n, n))
    weights = np.triu(weights, 1) + np.triu(weights, 1).T
    parents = np.asarray(trees.spanning_edges(weights[None].astype("float32")))[0]
    edges = edges_of(parents)
    assert len(edges) == n - 1
    reached, frontier = {0}, [0]
    while frontier:
        point = frontier.pop()
        new = {other for edge in edges if point in edge for other in edge} - reached
        reached |= new
        frontier += new
    assert reached == set(range(n))
    # scipy treats 0 as no edge, so every length is increased by one, in a tree of n - 1 edges.
    expected = minimum_spanning_tree(np.where(np.eye(n), 0, weights + 1)).sum() - (n - 1)
    assert sum(weights[child, parent] for child, parent in enumerate(parents)) == expected


@pytest.mark.parametrize("jit", [False, True])
def test_compiled_and_with_a_dynamic_size(jit: bool) -> None:
    signature = [tf.TensorSpec((2, None, None), tf.float32)]
    compiled = tf.function(trees.spanning_edges, jit_compile=jit, input_signature=signature)
    for n in (5, 8, 1):
        points = np.random.default_rng(n).normal(size=(2, n, 3)).astype("float32")
        distances = np.linalg.norm(points[:, :, None] - points[:, None], axis=-1)
        np.testing.assert_array_equal(compiled(distances), trees.spanning_edges(distances))
