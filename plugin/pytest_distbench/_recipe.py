"""Recipes inside a test: fitted on the data set of the test's marker, and judged on its test points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from distbench.errors import InputError
from distbench.evaluation.limits import recipe_options
from pytest_distbench._checks import name_of
from pytest_distbench._session import bench_of
from pytest_distbench._settings import settings_of

if TYPE_CHECKING:
    from distbench.evaluation.report import Report
    from pytest_distbench._marker import MarkerArguments

__all__ = ["Judged", "judge_recipe"]


@dataclass(frozen=True)
class Judged:
    """How an encoder is judged, in a call's own arguments."""

    reference: Any
    k: int
    name: str | None
    include_queries: bool


def judge_recipe(
    item: pytest.Item, marker: MarkerArguments, recipe: Any, judged: Judged, options: dict[str, Any]
) -> tuple[Report, dict[str, Any]]:
    """Return the report of a fitted recipe, and what its rows say beside it.

    Raises
    ------
    InputError
        There is no data set to fit it on, or an argument does not go with one.
    """
    from distbench.suites.recipes import as_recipe
    from pytest_distbench._progress import Training

    dataset, code_size = _data_of(marker, judged)
    options = recipe_options(options)
    seed = settings_of(item.config).seed(marker.seed) or 0
    fitted, bench = as_recipe(recipe), bench_of(item.config)
    name = judged.name or name_of(item, recipe)
    with Training(item.config) as training:
        run = bench.run(
            fitted,
            dataset,
            code_size,
            seed,
            k=judged.k,
            name=name,
            include_queries=judged.include_queries,
            progress=training(f"{name or fitted.name}[{code_size}] seed {seed}"),
            **options,
        )
    data = bench.dataset(dataset)
    return run.report, {
        "dataset": dataset,
        "code_size": code_size,
        "seed": seed,
        "seconds": run.seconds,
        "in_sample": run.in_sample,
        "note": run.note,
        "data_sha256": data.sha256,
        "labels": data.labels_test,
    }


def _data_of(marker: MarkerArguments, judged: Judged) -> tuple[str, int]:
    """Return the marker's data set and code size."""
    if marker.dataset is None or marker.code_size is None:
        raise InputError(
            "X_test",
            "not given",
            "give the test points, or mark the test with @pytest.mark.distbench(dataset=..., "
            "code_size=...) to have a recipe fitted and judged",
        )
    if judged.reference is not None:
        raise InputError(
            "reference", f"given for a recipe, which is judged on {marker.dataset} as it is", "leave it out"
        )
    return marker.dataset, marker.code_size
