"""The decoder that an encoder brings along, if any."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from distbench._util.text import first_line
from distbench.encoders.adapters import adapter_of
from distbench.encoders.encoder import detached
from distbench.errors import DistbenchError, EncoderError

__all__ = ["decode", "decoder_of"]


def decoder_of(encoder: Any) -> Callable[[Any], Any] | None:
    """Return what turns codes back into points: ``inverse_transform``, ``decode`` or ``decoder``; None without one."""
    if isinstance(encoder, str | type):
        return None
    for name in ("inverse_transform", "decode"):
        method = getattr(encoder, name, None)
        if callable(method):
            return _asked(encoder, method)
    part = getattr(encoder, "decoder", None)
    predict = getattr(part, "predict_on_batch", None) or getattr(part, "predict", None)
    if callable(predict):
        return predict  # type: ignore[no-any-return]
    return _asked(part, part) if callable(part) else None


def _asked(owner: Any, method: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return a method as its owner's framework wants it asked: with tensors, in eval mode."""
    adapter = adapter_of(owner)
    return method if adapter is None else adapter.method(owner, method)


def decode(decoder: Callable[[Any], Any], codes: Any, batch_size: int) -> Any:
    """Return the points that a decoder makes of codes, batch by batch, one row a code.

    Raises
    ------
    EncoderError
        If a batch does not come back as one point a code, or the decoder raises an error.
    """
    parts = []
    for start in range(0, len(codes), batch_size):
        batch = np.array(codes[start : start + batch_size])
        try:
            made = np.asarray(detached(decoder(batch)))
        except DistbenchError:
            raise
        except Exception as error:
            raise EncoderError(f"decoder raised {type(error).__name__}: {first_line(error)}") from error
        if made.ndim == 0 or len(made) != len(batch):
            raise EncoderError(f"decoder returned shape {made.shape} for {len(batch)} codes; return one point a code")
        parts.append(made.reshape(len(batch), -1))
    return np.concatenate(parts)
