"""The decoder that an encoder brings along, if any."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from distbench.errors import EncoderError

__all__ = ["decode", "decoder_of"]


def decoder_of(encoder: Any) -> Callable[[Any], Any] | None:
    """Return what turns codes back into points: ``inverse_transform``, ``decode`` or ``decoder``; None without one."""
    if isinstance(encoder, str | type):
        return None
    for name in ("inverse_transform", "decode"):
        method = getattr(encoder, name, None)
        if callable(method):
            return method  # type: ignore[no-any-return]
    part = getattr(encoder, "decoder", None)
    predict = getattr(part, "predict_on_batch", None) or getattr(part, "predict", None)
    if callable(predict):
        return predict  # type: ignore[no-any-return]
    return part if callable(part) else None


def decode(decoder: Callable[[Any], Any], codes: Any, batch_size: int) -> Any:
    """Return the points that a decoder makes of codes, batch by batch, one row a code.

    Raises
    ------
    EncoderError
        If a batch does not come back as one point a code.
    """
    parts = []
    for start in range(0, len(codes), batch_size):
        batch = np.array(codes[start : start + batch_size])
        made = decoder(batch)
        made = np.asarray(made.detach().cpu() if hasattr(made, "detach") else made)
        if made.ndim == 0 or len(made) != len(batch):
            raise EncoderError(f"decoder returned shape {made.shape} for {len(batch)} codes; return one point a code")
        parts.append(made.reshape(len(batch), -1))
    return np.concatenate(parts)
