"""Notes on points that are no coordinates: a matrix of distances, or ids of tokens and other symbols."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench._util.notes import Note
from distbench.inputs.blocks import matrix_blocks

__all__ = ["are_whole", "matrix_notes", "symbol_notes"]

LEAST_IDS = 256  # whole numbers below this are more often levels, counts or bytes than ids
USED_SHARE = 0.25  # columns with more padding are not looked at
LIKE_RANGES = 0.75  # most columns of ids reach at least this share of the largest id
ROUNDING = 1e-6  # of distances, as a share of a large one
MAX_ROWS, MAX_COLUMNS = 1024, 256  # the numbers that are looked at
STEP_SHARE = 0.75  # columns side by side in signals and pictures differ by less than this share of random pairs


def matrix_notes(points: Any, name: str) -> list[Note]:
    """Return a note if points are a square matrix of distances, or of similarities.

    Such a matrix is symmetric, with one number on its diagonal: the least for distances, 0; the largest for others.
    """
    if len(points) != points.shape[1] or len(points) < 3:
        return []
    rounding, own = ROUNDING * float(np.abs(points[0]).max()), float(points[0, 0])
    if not rounding > 0 or np.abs(np.diagonal(points) - own).max() > rounding:
        return []
    others = 0
    for rows, block in matrix_blocks(points):
        beyond = own - block.min() if abs(own) <= rounding else block.max() - own
        if beyond > rounding or np.abs(block - np.asarray(points[:, rows]).T).max() > rounding:
            return []
        others += int(np.count_nonzero(block)) - len(block)
    if not others:  # points of one number each, as one-hot codes
        return []
    kind, given = ("zeros on the diagonal and nothing negative, as distances", "given distances")
    if abs(own) > rounding:
        kind, given = ("its largest number all along the diagonal, as similarities", "distances made of them")
    text = (
        f"{name}: a square matrix, symmetric, with {kind} between points make; its rows are taken for points; for "
        f"{given} pass distance_x='precomputed' (or distance_z)"
    )
    return [Note("warning", "distance_matrix", text)]


def symbol_notes(X: Any, takes_symbols: bool) -> list[Note]:
    """Return a note if points are ids: if the encoder looks them up, or if their numbers look like it."""
    if takes_symbols:
        found = "the encoder begins with an embedding, so points are ids of tokens or other symbols"
    elif _look_like_ids(X[:: -(-len(X) // MAX_ROWS)][:, _outer_columns(X.shape[1])]):
        found = "points look like ids of tokens or other symbols (whole numbers of one range in all columns)"
    else:
        return []
    advice = "distances between ids mean nothing, so pass input_space=, such as an encoder of their meaning"
    return [Note("warning", "symbols", f"{found}: {advice}")]


def _outer_columns(number: int) -> NDArray[np.int64]:
    """Return the places of at most MAX_COLUMNS columns, from both ends: texts are padded on the left or right."""
    return np.unique(np.r_[: min(number, MAX_COLUMNS // 2), max(0, number - MAX_COLUMNS // 2) : number])


def are_whole(numbers: Any) -> bool:
    """Return whether floats are whole numbers, and not because floats so large have no fractions."""
    return bool((np.rint(numbers) == numbers).all() and np.abs(numbers).max() < 1 / np.finfo(numbers.dtype).eps)


def _look_like_ids(X: Any) -> bool:
    if X.shape[1] < 2 or not are_whole(X) or X.max() < LEAST_IDS:
        return False
    if len(np.unique(X[X < 0])) > 1:  # one such number may be padding
        return False
    values, counts = np.unique(X, return_counts=True)
    padding = values[counts.argmax()]
    X = X[:, (padding != X).mean(axis=0) >= USED_SHARE]  # texts are padded to the length of the longest
    if X.shape[1] < 2 or np.quantile(X.max(axis=0), 0.25) < LIKE_RANGES * X.max():  # each column has its own range
        return False
    left, right = X[:, :-1].ravel(), X[:, 1:].ravel()
    used = (left != padding) & (right != padding)
    left, right = left[used], right[used]
    if not len(left):
        return False
    others = np.abs(left - np.random.default_rng(0).permutation(right)).mean()
    return bool(np.abs(left - right).mean() >= STEP_SHARE * others > 0)
