"""What reference encoders reach where a user's encoder breaks its limit: the best of them, by metric."""

from __future__ import annotations

import statistics
from collections.abc import Collection, Mapping
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from distbench.evaluation.scores import ReferenceScore
from distbench.results.rows import EUCLIDEAN, distance_of

if TYPE_CHECKING:
    from distbench.evaluation.report import Report
    from distbench.results.rows import Row

__all__ = ["fitted_reference_scores", "stored_reference_scores"]

MOST_VALUES = 5_000_000  # in the points: beyond, PCA is not fitted for a failure's sake
MOST_PAIRS = 20_000_000  # of test points and candidates, likewise


def stored_reference_scores(
    report: Report, dataset: str, code_size: int, metrics: Collection[str]
) -> dict[str, ReferenceScore]:
    """Return the best shipped reference encoder at a code size of a shipped suite, by metric.

    Parameters
    ----------
    report : Report
        What is compared with: rows of another k, or of other numbers of points, say nothing about it.
    dataset : str
        Name of the data set.
    code_size : int
        Columns; encoders that ignore the code size, or have seen the test points, do not count.
    metrics : collection of str
        Which metrics.
    """
    rows = [row for row in _stored_rows(dataset) if row["code_size"] == code_size and row["code_width"] == code_size]
    same = [
        row
        for row in rows
        if (row["k"], row["m"], row["M"]) == (report.k, report.m, report.M)
        and (row.get("distance") or EUCLIDEAN) == distance_of(report)
        and not row.get("in_sample")
        and row["encoder"] != report.encoder
    ]
    found = {}
    for metric in metrics:
        values: dict[str, list[float]] = {}
        for row in same:
            if row["metric"] == metric and row["value"] is not None:
                values.setdefault(row["encoder"], []).append(row["value"])
        if values:
            best = max if report[metric].direction == "up" else min
            means = {encoder: statistics.fmean(of_seeds) for encoder, of_seeds in values.items()}
            encoder = best(means, key=means.__getitem__)
            found[metric] = ReferenceScore(metric, encoder, means[encoder], f"stored, on {dataset}")
    return found


def _stored_rows(dataset: str) -> list[Row]:
    from distbench.errors import SuiteError
    from distbench.results.suite_store import read_store, store_path

    try:
        folder = Path(str(resources.files("distbench_suites")))
        store = read_store(store_path(folder / f"{dataset}.toml"))
    except (ModuleNotFoundError, SuiteError):
        return []  # a hint is not worth an error
    names = dict.fromkeys((row["encoder"], row["code_size"]) for row in store.rows if row["dataset"] == dataset)
    return [row for encoder, code_size in names for row in store.rows_of(encoder, code_size)]


def fitted_reference_scores(
    report: Report, metrics: Collection[str], options: Mapping[str, Any]
) -> dict[str, ReferenceScore]:
    """Return what PCA reaches with as many columns, fitted on the reference (the test points, where there is none).

    Parameters
    ----------
    report : Report
        Of the user's encoder, with its points.
    metrics : collection of str
        Which metrics.
    options : mapping
        How it was judged: arguments of :func:`distbench.evaluate`.

    Returns
    -------
    dict of str to ReferenceScore
        Empty where PCA cannot be fitted on such points, has no so many columns, or would take long.
    """
    from distbench.baselines import fit_baseline
    from distbench.errors import DistbenchError
    from distbench.evaluation.evaluate import evaluate

    if report.clouds is None:
        return {}
    X_test, reference = report.clouds.X, report.clouds.X_ref
    points = X_test if reference is None else reference
    if points.size > MOST_VALUES or report.m * report.M > MOST_PAIRS or not report.code_size < points.shape[1]:
        return {}
    try:
        encoder = fit_baseline("pca", points, code_size=report.code_size)
        wanted = {**options, "metrics": tuple(metrics), "k": report.k}
        other = evaluate(encoder, X_test, reference=reference, **wanted)
    except DistbenchError:
        return {}
    where = "fitted on the test points" if reference is None else "fitted on the reference"
    return {metric: ReferenceScore(metric, "pca", other[metric].value, where) for metric in metrics if metric in other}
