"""Reports on a few random points, for tests of tables and files made from reports."""

from __future__ import annotations

from functools import cache

import numpy as np

import distbench
from distbench.results.rows import ClaimOutcome

__all__ = ["DAY", "LATER", "claim", "three_columns", "two_and_four_columns"]

DAY = {"date": "2026-01-02", "python": "3.11.7", "cores": 2}
LATER = {**DAY, "date": "2026-03-04"}


def claim(name="one", verdict="borne out", **about):
    about = {"statement": "it holds", "source": "a paper", "expect": "borne out", "evidence": "0.5", **about}
    return ClaimOutcome(id=name, verdict=verdict, **about)


@cache
def three_columns():
    """Return the report of an encoder that keeps three columns of five."""
    rng = np.random.default_rng(0)
    train, test = rng.normal(size=(90, 5)), rng.normal(size=(30, 5))
    return distbench.evaluate(lambda X: X[:, :3], test, reference=train, k=7, name="a")


@cache
def two_and_four_columns():
    """Return the reports of encoders that keep two and four columns of six, by their number."""
    points = np.random.default_rng(0).normal(size=(200, 6))
    return {n: distbench.evaluate(lambda X, n=n: X[:, :n], points[:60], reference=points[60:], k=7) for n in (2, 4)}
