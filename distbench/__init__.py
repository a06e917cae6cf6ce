"""Tests that encoders keep neighbors and distances on points they never saw.

Importing distbench loads nothing heavy: each name below is imported when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from distbench._version import __version__
from distbench.errors import (
    DatasetError,
    DistbenchError,
    EncoderError,
    InputError,
    MissingDependencyError,
    PreservationError,
    ResultsError,
    SuiteError,
    TrainingError,
)

if TYPE_CHECKING:
    from distbench import metrics, strategies
    from distbench.baselines import fit_baseline
    from distbench.datasets import Dataset, load_dataset
    from distbench.evaluation.compare import Difference, compare
    from distbench.evaluation.evaluate import evaluate, evaluate_codes
    from distbench.evaluation.neighbors import evaluate_neighbors
    from distbench.evaluation.report import Pair, Report, Score
    from distbench.hunting import Hunt, hunt
    from distbench.suites.check_flow import check_encoder
    from pytest_distbench import checks

__all__ = [
    "Dataset",
    "DatasetError",
    "Difference",
    "DistbenchError",
    "EncoderError",
    "Hunt",
    "InputError",
    "MissingDependencyError",
    "Pair",
    "PreservationError",
    "Report",
    "ResultsError",
    "Score",
    "SuiteError",
    "TrainingError",
    "__version__",
    "check_encoder",
    "checks",
    "compare",
    "evaluate",
    "evaluate_codes",
    "evaluate_neighbors",
    "fit_baseline",
    "hunt",
    "load_dataset",
    "metrics",
    "strategies",
]

_LAZY = {
    "Dataset": "distbench.datasets",
    "Difference": "distbench.evaluation.compare",
    "Hunt": "distbench.hunting",
    "Pair": "distbench.evaluation.report",
    "Report": "distbench.evaluation.report",
    "Score": "distbench.evaluation.report",
    "check_encoder": "distbench.suites.check_flow",
    "checks": "pytest_distbench",  # the only name that needs pytest
    "compare": "distbench.evaluation.compare",
    "evaluate": "distbench.evaluation.evaluate",
    "evaluate_codes": "distbench.evaluation.evaluate",
    "evaluate_neighbors": "distbench.evaluation.neighbors",
    "fit_baseline": "distbench.baselines",
    "hunt": "distbench.hunting",
    "load_dataset": "distbench.datasets",
}


_MODULES = ("baselines", "datasets", "encoders", "errors", "hunting", "keras", "metrics", "strategies")


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"distbench.{name}")
    if name in _LAZY:
        value = getattr(importlib.import_module(_LAZY[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'distbench' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*__all__, *_MODULES})
