"""The Hypothesis strategies under their public name; their code is in `distbench.hunting`."""

from distbench.hunting import strategies
from distbench.hunting.strategies import *  # noqa: F403 - all public names, which are listed there

__all__ = strategies.__all__
