"""Encoders with planted faults, and helpers that check findings."""

from __future__ import annotations

import contextlib
import io

import numpy as np


def planted(columns, seed):
    """Return a matrix that loses one direction, the direction, and points."""
    rng = np.random.default_rng(seed)
    lost = rng.normal(size=columns)
    lost /= np.linalg.norm(lost)
    rotation = np.linalg.qr(rng.normal(size=(columns, columns)))[0]
    matrix = (rotation * rng.uniform(0.5, 2, size=columns)) @ (np.eye(columns) - np.outer(lost, lost))
    return matrix.T, lost, rng.normal(size=(150, columns))


def off_by(pair, direction):
    """Return the sine of the angle between the two inputs' difference and a direction."""
    gap = np.subtract(*(np.asarray(point, dtype=np.float64).ravel() for point in pair))
    gap /= np.linalg.norm(gap)
    return np.linalg.norm(gap - np.sign(gap @ direction) * direction)


def sphere(rows, columns, seed=0):
    points = np.random.default_rng(seed).normal(size=(rows, columns))
    return points / np.linalg.norm(points, axis=1, keepdims=True)


def rerun(snippet, encoder, X):
    """Run a snippet as whoever pastes it does, and return the two distances that it prints."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(snippet, {"encoder": encoder, "X": X})
    return [float(number) for number in printed.getvalue().split()]
