"""The measuring engine: one pass over (queries x candidates) that gathers what every metric needs."""

from distbench.engine.gather import gather
from distbench.engine.problem import FAMILIES
from distbench.engine.statistics import Statistics

__all__ = ["FAMILIES", "Statistics", "gather"]
