"""Hypothesis strategies for whoever tests encoders: clouds of points, near pairs, moved points, encoders."""

from __future__ import annotations

from distbench.strategies._clouds import CLOUD_KINDS, point_clouds
from distbench.strategies._encoders import ENCODER_KINDS, DrawnEncoder, encoders
from distbench.strategies._pairs import near_pairs, perturbations

__all__ = [
    "CLOUD_KINDS",
    "ENCODER_KINDS",
    "DrawnEncoder",
    "encoders",
    "near_pairs",
    "perturbations",
    "point_clouds",
]
