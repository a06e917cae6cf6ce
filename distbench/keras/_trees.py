"""Minimum spanning trees of small point clouds, on every backend."""

from __future__ import annotations

from typing import Any

from keras import ops

__all__ = ["spanning_edges"]


def spanning_edges(distances: Any) -> Any:
    """Edges of the minimum spanning trees of ``k`` complete graphs on ``n`` points, by Prim's algorithm.

    Their lengths are the thresholds on the distance at which clusters merge: the persistence pairs of dimension 0.

    Parameters
    ----------
    distances : tensor, shape (k, n, n)
        Symmetric. ``n`` may be known at run time alone.

    Returns
    -------
    tensor of int32, shape (k, n)
        The tree joins point j to point ``edges[:, j]``; point 0 is the root and stands for itself. No gradient.
    """
    weights = ops.stop_gradient(distances)
    columns = ops.arange(ops.shape(weights)[1], dtype="int32")

    def grow(_: Any, state: Any) -> Any:
        parents, nearest = state
        # Infinite: in the tree already.
        joined = ops.argmin(nearest, axis=1)
        here = ops.cast(ops.expand_dims(joined, 1), "int32") == columns
        # A sum over a mask is the row of the point that joins: cheaper under XLA than a gather.
        row = ops.sum(ops.where(ops.expand_dims(here, 2), weights, 0.0), axis=1)
        inside = ops.logical_or(here, ops.isinf(nearest))
        closer = ops.logical_and(row < nearest, ops.logical_not(inside))
        parents = ops.where(closer, ops.cast(ops.expand_dims(joined, 1), "int32"), parents)
        return parents, ops.where(inside, float("inf"), ops.where(closer, row, nearest))

    nearest = ops.where(columns == 0, float("inf"), weights[:, 0, :])
    start = (ops.zeros_like(nearest, dtype="int32"), nearest)
    return ops.fori_loop(0, ops.shape(weights)[1] - 1, grow, start)[0]
