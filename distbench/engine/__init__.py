"""The measuring engine: one pass over (queries x candidates) that gathers what every metric needs."""

from distbench.engine.gather import gather
from distbench.engine.problem import FAMILIES
from distbench.engine.statistics import Gathered

__all__ = ["FAMILIES", "Gathered", "gather"]
