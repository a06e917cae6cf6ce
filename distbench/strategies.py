"""The public path of the Hypothesis strategies, which live with the search for counterexamples."""

from distbench.hunting import strategies
from distbench.hunting.strategies import *  # noqa: F403 - all public names, which are listed there

__all__ = strategies.__all__
