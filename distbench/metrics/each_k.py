"""Measures metrics that have their own numbers of neighbors from one pass of the engine."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Any

from distbench.engine import Statistics, gather
from distbench.metrics._metric import Measured, Metric

__all__ = ["gather_each_k", "measured"]


def gather_each_k(
    metrics: Iterable[Metric], k: int, *arrays: Any, families: Collection[str] = (), **options: Any
) -> Statistics:
    """Return the statistics that metrics need, and these `families`, at `k` and at each metric's own k.

    `arrays` and `options` are those of `distbench.engine.gather`.
    """
    metrics = list(metrics)
    needed = frozenset(families).union(*(metric.families for metric in metrics))
    searches = [metric.search(metric.at(k)) for metric in metrics if metric.search]
    ks = k, *(metric.at(k) for metric in metrics if not metric.search)
    return gather(*arrays, k=ks, families=needed, searches=searches, **options)


def measured(metric: Metric, statistics: Statistics) -> Measured:
    """Return the values of a metric from `gather_each_k`, at its own k if it has one.

    Two candidates, if one of them may be left out, are too few for an interval: any codes keep the order of one.
    """
    whole = metric.measure(statistics.at(metric.at(statistics.k)))
    has_interval = statistics.M > 2 or not statistics.queries_are_candidates
    return whole if has_interval else replace(whole, leave_one_out=None, interaction=None)
