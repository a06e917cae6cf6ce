"""Suites: questions about encoders as data (TOML files), and what it takes to answer them.

A suite names a data set, code sizes, training seeds, encoders with limits, and claims. There is no
pytest in here: the plugin turns each encoder at each code size, and each claim, into a test.
"""

from __future__ import annotations

from distbench.suites._bench import FitCache, Run
from distbench.suites._claims import ClaimResult, judge
from distbench.suites._claims_key import claim_key
from distbench.suites._model import (
    AngleClaim,
    BetterClaim,
    BoundClaim,
    Claim,
    CollapseClaim,
    FloorClaim,
    Suite,
    SuiteEncoder,
)
from distbench.suites._names import check_dataset, check_recipe, check_suite, default_metrics
from distbench.suites._reader import read_suite
from distbench.suites.detect import is_suite
from distbench.suites.recipes import Recipe, as_recipe

__all__ = [
    "AngleClaim",
    "BetterClaim",
    "BoundClaim",
    "Claim",
    "ClaimResult",
    "CollapseClaim",
    "FitCache",
    "FloorClaim",
    "Recipe",
    "Run",
    "Suite",
    "SuiteEncoder",
    "as_recipe",
    "check_dataset",
    "check_recipe",
    "check_suite",
    "claim_key",
    "default_metrics",
    "is_suite",
    "judge",
    "read_suite",
]
