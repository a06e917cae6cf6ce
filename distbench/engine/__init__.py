"""Gathers the statistics of all metrics in one pass over (queries x candidates)."""

from distbench.engine.gather import gather
from distbench.engine.problem import FAMILIES
from distbench.engine.statistics import Statistics

__all__ = ["FAMILIES", "Statistics", "gather"]
