"""Finds the decoder of an encoder, and runs it batch by batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from distbench._util.text import first_line
from distbench.encoders.adapters import adapter_of
from distbench.errors import DistbenchError, EncoderError
from distbench.inputs.batches import detached
from distbench.inputs.sparse import is_sparse

__all__ = ["decode", "decoder_of"]


def decoder_of(encoder: Any) -> Callable[[Any], Any] | None:
    """Return an encoder's ``inverse_transform``, ``decode`` or ``decoder``, which turn codes into points, or None."""
    if isinstance(encoder, str | type):
        return None
    for name in ("inverse_transform", "decode"):
        method = getattr(encoder, name, None)
        if callable(method):
            return _method(encoder, method)
    part = getattr(encoder, "decoder", None)
    predict = getattr(part, "predict_on_batch", None) or getattr(part, "predict", None)
    if callable(predict):
        return predict  # type: ignore[no-any-return]
    return _method(part, part) if callable(part) else None


def _method(owner: Any, method: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return a function that calls a method as its owner's framework requires, for instance on tensors in eval mode."""
    adapter = adapter_of(owner)
    return method if adapter is None else adapter.method(owner, method)


def decode(decoder: Callable[[Any], Any], codes: Any, batch_size: int) -> Any:
    """Return the points that a decoder returns for codes, one row for each code. Raises EncoderError if it fails."""
    parts = []
    for start in range(0, codes.shape[0], batch_size):
        rows = codes[start : start + batch_size]
        batch = rows.copy() if is_sparse(rows) else np.array(rows)
        try:
            returned = decoder(batch)
            points = np.asarray(returned.toarray() if is_sparse(returned) else detached(returned))
        except DistbenchError:
            raise
        except Exception as error:
            raise EncoderError(f"decoder raised {type(error).__name__}: {first_line(error)}") from error
        if points.ndim == 0 or len(points) != batch.shape[0]:
            found = f"decoder returned shape {points.shape} for {batch.shape[0]} codes"
            raise EncoderError(f"{found}; return one point for each code")
        parts.append(points.reshape(len(points), -1))
    return np.concatenate(parts)
