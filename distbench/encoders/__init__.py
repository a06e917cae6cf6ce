"""Encoders, which map points to codes: their kinds, frameworks, decoders and repeatability."""

from __future__ import annotations

from distbench.encoders.encoder import Encoder, as_encoder

__all__ = ["Encoder", "as_encoder"]
