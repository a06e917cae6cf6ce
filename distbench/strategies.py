"""The public path of the Hypothesis strategies, which live with the search for counterexamples."""

from distbench.hunting.strategies import (
    CLOUD_KINDS,
    ENCODER_KINDS,
    DrawnEncoder,
    Moves,
    cloud,
    encoders,
    near_pairs,
    perturbations,
    point_clouds,
)

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
