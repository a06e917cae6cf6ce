"""Refuses arguments that are no points: an encoder in their place, or the inputs of an encoder that takes several."""

from __future__ import annotations

from typing import Any

import numpy as np

from distbench._util.text import slices_of_columns
from distbench.errors import InputError

__all__ = ["refuse_parts", "refuse_swapped"]

FEW = 4  # so many points are needed


def refuse_swapped(encoder: Any, X_test: Any) -> None:
    """Raise InputError if the points are given first, then the encoder."""
    encodes = any(hasattr(X_test, name) for name in ("transform", "encode", "predict")) or callable(X_test)
    if isinstance(encoder, np.ndarray) and encodes and not hasattr(X_test, "__array__"):
        raise InputError("encoder, X_test: look swapped; pass the encoder first, then the test points")


def refuse_parts(X_test: Any, reference: Any) -> None:
    """Raise InputError for lists of a few matrices, which are the inputs of an encoder, not points."""
    lists = [X_test] if reference is None else [X_test, reference]
    if all(isinstance(part, list | tuple) and 1 < len(part) < FEW for part in lists):
        shapes = {tuple(getattr(part, "shape", ())) for part in X_test}
        if all(len(shape) > 1 and shape[0] >= FEW for shape in shapes) and len({rows for rows, *_ in shapes}) == 1:
            raise InputError(
                "X_test",
                f"found a list of {len(X_test)} arrays, each of which counts as one point",
                "for an encoder of several inputs, pass points with the columns of all, and a function that splits "
                f"them: lambda batch: encoder({slices_of_columns([part.shape[-1] for part in X_test])})",
            )
