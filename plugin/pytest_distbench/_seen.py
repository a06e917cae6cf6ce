"""Scores of the encoders that this process has evaluated so far: a broken limit is shown beside a better one."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import pytest

from distbench.results.rows import Row, distance_of

if TYPE_CHECKING:
    from distbench.evaluation.report import Report
    from distbench.evaluation.scores import ReferenceScore

__all__ = ["keep_scores", "with_better_scores"]

_SCORES: pytest.StashKey[dict[tuple[Any, ...], dict[str, list[float]]]] = pytest.StashKey()


def keep_scores(config: pytest.Config, rows: Iterable[Row]) -> None:
    """Keep the scores of encoders that were not fitted on the test points."""
    scores = config.stash.setdefault(_SCORES, {})
    for row in rows:
        if row.value is not None and not row.in_sample:
            key = (row.dataset or row.fingerprint, row.code_size, *row.setting.method, row.metric)
            scores.setdefault(key, {}).setdefault(row.encoder, []).append(row.value)


def with_better_scores(
    config: pytest.Config,
    report: Report,
    dataset: str,
    code_size: int,
    metrics: Collection[str],
    references: Mapping[str, ReferenceScore],
) -> dict[str, ReferenceScore]:
    """Return scores of baselines; where an encoder of this run is better than they are, its score.

    `dataset` is empty for points of a test. Only the same points, code size, k and distances count.
    """
    from distbench.evaluation.scores import ReferenceScore

    found = dict(references)
    for metric in metrics:
        key = (dataset or report.fingerprint, code_size, report.k, distance_of(report), report.m, report.M, metric)
        sign = 1 if report[metric].direction == "up" else -1
        for encoder, values in config.stash.get(_SCORES, {}).get(key, {}).items():
            value, known = sum(values) / len(values), found.get(metric)
            least = max(sign * report[metric].value, -float("inf") if known is None else sign * known.value)
            if encoder != report.encoder and sign * value > least:
                found[metric] = ReferenceScore(metric, encoder, value, "in this run", is_baseline=False)
    return found
