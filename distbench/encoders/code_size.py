"""Reads the size of codes that an encoder declares, without running it."""

from __future__ import annotations

import math
from typing import Any

__all__ = ["declared_code_size"]


def declared_code_size(encoder: Any) -> int | None:
    """Return the code size that an encoder declares, or None.

    Keras models declare an ``output_shape``, scikit-learn's transformers ``get_feature_names_out``, the encoders of
    `distbench.baselines` and most linear ones their ``components_``. The output shape of a model with an ``encode``
    method does not count: its output is a reconstruction.
    """
    if isinstance(encoder, type):
        return None
    if callable(getattr(encoder, "transform", None)):
        return _names(encoder) or _rows(getattr(encoder, "components_", None))
    if callable(getattr(encoder, "encode", None)):
        return None
    return _product(getattr(encoder, "output_shape", None))


def _names(encoder: Any) -> int | None:
    try:
        return len(encoder.get_feature_names_out()) or None
    except Exception:  # missing, or not fitted: the encoder will raise an error itself
        return None


def _rows(components: Any) -> int | None:
    shape: tuple[int, ...] = getattr(components, "shape", ())
    return int(shape[0]) if len(shape) == 2 and shape[0] else None


def _product(shape: Any) -> int | None:
    sizes: tuple[Any, ...] = shape[1:] if isinstance(shape, tuple) else ()
    return math.prod(sizes) if sizes and all(isinstance(size, int) for size in sizes) else None
