"""Scores of baselines, which are shown beside a broken limit."""

from __future__ import annotations

import math
import statistics
from collections.abc import Collection, Mapping
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from distbench.errors import DistbenchError, SuiteError
from distbench.evaluation.report import Report
from distbench.evaluation.scores import ReferenceScore
from distbench.evaluation.settings import LABELS
from distbench.metrics.table import base_name
from distbench.results.rows import distance_of

if TYPE_CHECKING:
    from distbench.results.rows import Row
    from distbench.suites.check_flow import Check

__all__ = ["fitted_reference_scores", "options_of_references", "reference_scores", "stored_reference_scores"]

SHARED_OPTIONS = ("distance_x", "distance_z", "queries", "seed")  # a baseline is evaluated with them too
SAME = 1e-6  # relative difference of values of the same encoder, by its rounding
MAX_NUMBERS = 5_000_000  # a baseline is fitted on arrays of at most this size
MAX_PAIRS = 20_000_000  # a baseline is evaluated on at most so many pairs of a test point and a candidate


def reference_scores(check: Check, report: Report, metrics: Collection[str]) -> dict[str, ReferenceScore]:
    """Return the scores of baselines on the points of a check: stored ones of its data set, else of PCA."""
    if check.dataset is not None:
        return stored_reference_scores(report, check.dataset, check.code_size or report.code_size, metrics)
    options = options_of_references(check, report)
    return {} if options is None else fitted_reference_scores(report, metrics, options)


def options_of_references(check: Check, report: Report) -> dict[str, Any] | None:
    """Return the options with which baselines are evaluated on a check's points; None if they cannot be."""
    if "precision" in check.options:  # with it, the number of test points depends on the encoder
        return None
    options: dict[str, Any] = {name: check.options[name] for name in SHARED_OPTIONS if name in check.options}
    if not isinstance(check.encoder, Report):
        alone = check.options.get("reference_encoder") is not None
        return options | {"include_queries": check.include_queries and not alone}
    if report.judged is not None:  # a sample of test points, whose seed is not known
        return None
    options = {"distance_x": report.distance_x, "distance_z": report.distance_z}
    return options | {"include_queries": report.n_reference != report.M}


def stored_reference_scores(
    report: Report, dataset: str, code_size: int, metrics: Collection[str]
) -> dict[str, ReferenceScore]:
    """Return the best baseline for each metric, from the stored rows of a shipped suite.

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
    report: Report, metrics: Collection[str], options: Mapping[str, Any], baseline: str = "pca"
) -> dict[str, ReferenceScore]:
    """Return the scores of a baseline with the same code size, fitted on the reference points, else on the test points.

    `options` are the options of :func:`distbench.evaluate` with which the report was made. Metrics of labels are
    left out. The result is empty if the baseline cannot be fitted on these points, cannot have so many columns, would
    take long, or is the encoder itself.
    """
    from distbench.baselines import fit_baseline
    from distbench.evaluation.evaluate import evaluate

    if report.clouds is None:
        return {}
    metrics = tuple(metric for metric in metrics if base_name(metric) != LABELS)
    X_test, reference = report.clouds.X, report.clouds.X_ref
    points = X_test if reference is None else reference
    too_large = points.size > MAX_NUMBERS or report.m * report.M > MAX_PAIRS
    if not metrics or too_large or not report.code_size < points.shape[1]:
        return {}
    try:
        encoder = fit_baseline(baseline, points, code_size=report.code_size)
        options = {**options, "metrics": metrics, "k": report.k}
        scores = evaluate(encoder, X_test, reference=reference, **options)
    except DistbenchError:
        return {}
    where = "fitted on the test points" if reference is None else "fitted on the reference"
    measured = {metric: scores[metric].value for metric in metrics if metric in scores}
    if all(_is_same(value, report[metric].value) for metric, value in measured.items()):
        return {}
    return {metric: ReferenceScore(metric, baseline, value, where) for metric, value in measured.items()}
