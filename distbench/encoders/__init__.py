"""Encoders, whatever maps rows to rows: their kinds, frameworks and decoders, and whether they answer alike twice."""

from __future__ import annotations

from distbench.encoders.encoder import Encoder, as_encoder, detached

__all__ = ["Encoder", "as_encoder", "detached"]
