"""Metrics of search: what is found by code of the nearest by input; what vector databases call recall."""

from __future__ import annotations

from functools import partial

from distbench.engine import Statistics
from distbench.engine.searches import EXACT, Search
from distbench.metrics._leave_one_out import interaction, leave_one_out_mean
from distbench.metrics._metric import Measured, Metric
from distbench.metrics.functions import MetricDoc, neighbor_metric
from distbench.metrics.neighbor_counts import all_but_one

__all__ = ["METRICS", "WIDE", "near_recall", "recall_of"]

SLACK = 0.01  # a found candidate counts if its input distance exceeds that of the k-th nearest by no more


def recall_of(statistics: Statistics, search: Search) -> Measured:
    """Return the share of the k nearest by input, or of as many near ones, that a search finds."""
    k, found = search.k, statistics.extras["found"][search]
    rows = found.rows / k
    counting = search.among if found.near is None or search.slack == EXACT else float(found.near.mean())
    return Measured(
        value=float(rows.mean()),
        leave_one_out=leave_one_out_mean(statistics, rows, found.columns / k),
        points=rows,
        chance=counting / statistics.M,
        interaction=interaction(statistics, found.signed, 1 / k),
    )


def _measure(statistics: Statistics, within: int | None = None) -> Measured:
    return recall_of(statistics, _search(statistics.k, within))


def _search(k: int, within: int | None) -> Search:
    return Search(k, k, SLACK) if within is None else Search(k, within)


def _recall(name: str, k: int | None, within: int | None) -> Metric:
    return Metric(
        name,
        "ranks",
        "up",
        (0, 1),
        True,
        frozenset({"found"}),
        partial(_measure, within=within),
        default=False,
        least_failure=lambda k, M, m: 1 / k,
        largest_k=all_but_one,
        k=k,
        within=within,
        search=partial(_search, within=within),
    )


_NEAR_RECALL = _recall("near_recall", None, None)
METRICS = (_NEAR_RECALL,)
WIDE = {"recall": _recall}
"""Makers of metrics whose names have two numbers, as ``recall@10_in_100``, from the name and the numbers."""

near_recall = neighbor_metric(
    _NEAR_RECALL,
    MetricDoc(
        "the share of the k nearest in code space that are about as near in input space as the k nearest there",
        r"\frac{1}{m k} \sum_i |\{j \in kNN_Z(i) : a_{ij} \le 1.01 \, a_{i(k)}\}|",
        "M. Aumueller, E. Bernhardsson and A. Faithfull (2020), ANN-Benchmarks: a benchmarking tool for approximate "
        "nearest neighbor algorithms.",
        "where a(k) is the input distance of the k-th nearest. Neighbors that are nearly as near may be exchanged. "
        "Tied codes share places.",
        example=0.7143,
    ),
)
