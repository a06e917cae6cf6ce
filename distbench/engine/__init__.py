"""The engine: one pass over (queries x candidates) that gathers the statistics of all metrics."""

from distbench.engine.gather import gather
from distbench.engine.problem import FAMILIES
from distbench.engine.statistics import Statistics

__all__ = ["FAMILIES", "Statistics", "gather"]
