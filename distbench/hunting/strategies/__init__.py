"""Hypothesis strategies for tests of encoders: clouds of points, near pairs, moved points, and encoders."""

from __future__ import annotations

from distbench.hunting.strategies._clouds import CLOUD_KINDS, cloud, point_clouds
from distbench.hunting.strategies._encoders import ENCODER_KINDS, DrawnEncoder, encoders
from distbench.hunting.strategies._pairs import Moves, near_pairs, perturbations

__all__ = [
    "CLOUD_KINDS",
    "ENCODER_KINDS",
    "DrawnEncoder",
    "Moves",
    "cloud",
    "encoders",
    "near_pairs",
    "perturbations",
    "point_clouds",
]
