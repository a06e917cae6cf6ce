"""The measuring engine: one pass over (queries x candidates) that gathers what every metric needs."""

from distbench.engine.gather import gather
from distbench.engine.gathered import Gathered
from distbench.engine.problem import FAMILIES

__all__ = ["FAMILIES", "Gathered", "gather"]
