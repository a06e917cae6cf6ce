"""Searches for pairs of inputs that an encoder merges or tears apart more than any pair of test points."""

from __future__ import annotations

from distbench.hunting._finding import Finding, Hunt, checked_limits
from distbench.hunting._hunt import hunt

__all__ = ["Finding", "Hunt", "checked_limits", "hunt"]
