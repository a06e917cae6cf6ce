"""Scores of reference encoders, which are shown beside a broken limit."""

from __future__ import annotations

import math
import statistics
from collections.abc import Collection, Mapping
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from distbench.errors import DistbenchError, SuiteError
from distbench.evaluation.scores import ReferenceScore
from distbench.results.rows import distance_of

if TYPE_CHECKING:
    from distbench.evaluation.report import Report
    from distbench.results.rows import Row

__all__ = ["fitted_reference_scores", "stored_reference_scores"]

SAME = 1e-6  # relative difference of values of the same encoder, by its rounding
MAX_NUMBERS = 5_000_000  # PCA is fitted on arrays of at most this size
MAX_PAIRS = 20_000_000  # PCA is evaluated on at most so many pairs of a test point and a candidate


def stored_reference_scores(
    report: Report, dataset: str, code_size: int, metrics: Collection[str]
) -> dict[str, ReferenceScore]:
    """Return the best reference encoder for each metric, from the stored rows of a shipped suite.

    Only rows with the report's k, numbers of points and distances are used. Rows of encoders that ignore the code size,
    that were fitted on the test points, or that are the encoder itself under another name, are not.
    """
    from distbench.metrics import METRICS

    values: dict[str, dict[str, list[float]]] = {metric: {} for metric in metrics}
    for row in _stored_rows(dataset, code_size):
        same_setting = row.setting.method == (report.k, distance_of(report), report.m, report.M)
        fair = row.code_width == code_size and not row.in_sample and row.encoder != report.encoder
        metric = METRICS.same(row.metric, values, row.k) if same_setting and fair else None
        if metric is not None and row.value is not None:
            values[metric].setdefault(row.encoder, []).append(row.value)
    scores = {}
    for metric, by_encoder in values.items():
        means = {encoder: statistics.fmean(of_seeds) for encoder, of_seeds in by_encoder.items()}
        others = {encoder: mean for encoder, mean in means.items() if not _is_same(mean, report[metric].value)}
        if others:
            best = max if report[metric].direction == "up" else min
            encoder = best(others, key=others.__getitem__)
            scores[metric] = ReferenceScore(metric, encoder, others[encoder], f"stored, on {dataset}")
    return scores


def _is_same(value: float, other: float) -> bool:
    """Return whether values of a metric are so alike that their encoders are one, under two names."""
    return math.isclose(value, other, rel_tol=SAME)


def _stored_rows(dataset: str, code_size: int) -> list[Row]:
    from distbench.results.suite_store import read_store, store_path

    try:
        store = read_store(store_path(Path(str(resources.files("distbench_suites"))) / f"{dataset}.toml"))
    except (ModuleNotFoundError, SuiteError):
        return []  # without stored rows, the message of the broken limit shows no reference scores
    return [row for row in store.results.rows if row.dataset == dataset and row.code_size == code_size]


def fitted_reference_scores(
    report: Report, metrics: Collection[str], options: Mapping[str, Any]
) -> dict[str, ReferenceScore]:
    """Return the scores of PCA with the same code size, fitted on the reference points, else on the test points.

    `options` are the options of :func:`distbench.evaluate` with which the report was made. The result is empty if PCA
    cannot be fitted on these points, cannot have so many columns, would take long, or is the encoder itself.
    """
    from distbench.baselines import fit_baseline
    from distbench.evaluation.evaluate import evaluate

    if report.clouds is None:
        return {}
    X_test, reference = report.clouds.X, report.clouds.X_ref
    points = X_test if reference is None else reference
    if points.size > MAX_NUMBERS or report.m * report.M > MAX_PAIRS or not report.code_size < points.shape[1]:
        return {}
    try:
        encoder = fit_baseline("pca", points, code_size=report.code_size)
        options = {**options, "metrics": tuple(metrics), "k": report.k}
        pca = evaluate(encoder, X_test, reference=reference, **options)
    except DistbenchError:
        return {}
    where = "fitted on the test points" if reference is None else "fitted on the reference"
    measured = {metric: pca[metric].value for metric in metrics if metric in pca}
    if all(_is_same(value, report[metric].value) for metric, value in measured.items()):
        return {}
    return {metric: ReferenceScore(metric, "pca", value, where) for metric, value in measured.items()}
