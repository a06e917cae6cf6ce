"""Counts how many of a query's k nearest by code have its label."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench.engine.partial_sums import ByK, OptionalStatistic, Part
from distbench.engine.problem import Problem
from distbench.engine.shortlists import Nearest, Shortlist, shortlists
from distbench.errors import InputError

__all__ = ["Labels", "LabelsFamily"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Labels:
    """Expected numbers of neighbors by code that have the query's label."""

    rows: Array  # (m,)
    columns: Array  # (n_test,) change in the sum of all other rows when point p is removed
    chance: float  # expected number for shuffled codes


def _neighbors_with_label(b: Array, same: Array, k: int) -> tuple[float, Array]:
    """Return a query's expected number of neighbors with its label, and that number without each candidate."""
    edge = np.partition(b, k - 1)[k - 1]
    near, tied = b < edge, b == edge
    open_places, n_tied = k - int(near.sum()), int(tied.sum())  # places that the tied share
    same_near, same_tied = float(same[near].sum()), float(same[tied].sum())
    value = same_near + open_places / n_tied * same_tied
    without = np.full(len(b), value)
    if n_tied > open_places:
        without[near] = same_near - same[near] + (open_places + 1) / n_tied * same_tied
        without[tied] = same_near + open_places / (n_tied - 1) * (same_tied - same[tied])
    else:  # all tied candidates have a place: if one is removed, the next group moves up
        following = b == b[b > edge].min()
        without[near | tied] = value - same[near | tied] + same[following].mean()
    return value, without


def _labels(problem: Problem) -> tuple[Indices, Indices]:
    if problem.labels_queries is None or problem.labels_candidates is None:
        raise InputError("labels", "found none, but label_agreement needs one label for each point", "pass labels=")
    return problem.labels_queries, problem.labels_candidates


def _matches(query_labels: Indices, labels: Indices) -> Indices:
    """Return how many of `labels` equal each query's label."""
    ordered = np.sort(labels)
    return np.searchsorted(ordered, query_labels, "right") - np.searchsorted(ordered, query_labels, "left")


def _each(lists: Iterator[tuple[Indices, list[Shortlist]]]) -> Iterator[tuple[int, Indices, Array]]:
    """Yield each query with the places and keys of the candidates in its list."""
    for queries, (near,) in lists:
        for i, places, keys in zip(queries.tolist(), near.places, near.keys, strict=True):
            count = int(np.count_nonzero(places >= 0))
            yield i, places[:count], keys[:count]


class LabelsFamily(OptionalStatistic):
    """Numbers of neighbors by code that have the query's label."""

    name = "labels"
    least_jobs = 4  # products of many queries take less time

    def part(self, problem: Problem, rows: range, state: Any, index: int) -> Part:
        """Return each query's neighbors with its label, those that are test points, and the leave-one-out changes."""
        query_labels, labels = _labels(problem)
        n_test, n_k = problem.n_test, len(problem.ks)
        sums, from_test, columns = np.empty((len(rows), n_k)), np.zeros((len(rows), n_k)), np.zeros((n_test, n_k))
        wanted = [Nearest(problem.singles[1], max(problem.ks) + 1)]  # one more may move up
        for i, places, keys in _each(shortlists(wanted, np.arange(rows.start, rows.stop))):
            same, is_test = (labels[places] == query_labels[i]).astype(float), places < n_test
            leaving = is_test.copy()
            leaving[is_test] = problem.groups[places[is_test]] != problem.groups[i] if n_test else False
            for index, k in enumerate(problem.ks):
                place = i - rows.start, index
                sums[place], without = _neighbors_with_label(keys, same, k)
                columns[places[leaving], index] += without[leaving] - sums[place]
                if n_test:
                    from_test[place], _ = _neighbors_with_label(keys, is_test.astype(float), k)
        return Part(rows={"sums": sums, "from_test": from_test}, columns={"sums": columns})

    def finish(self, problem: Problem, merged: Part, state: Any) -> ByK:
        """Return the statistics for each number of neighbors."""
        return ByK({k: self._of_k(problem, merged, index) for index, k in enumerate(problem.ks)})

    def _of_k(self, problem: Problem, merged: Part, index: int) -> Labels:
        """Return the sums, and the expected number if codes are shuffled among test points and among references."""
        query_labels, labels = _labels(problem)
        k, n_test, from_test = problem.ks[index], problem.n_test, merged.rows["from_test"][:, index]
        tests, references = _matches(query_labels, labels[:n_test]), _matches(query_labels, labels[n_test:])
        chance = 0.0
        if n_test > 1:
            chance += float(from_test.mean() * (tests - 1).mean() / (n_test - 1))  # without the query itself
        if problem.n > n_test:
            chance += float((k - from_test).mean() * references.mean() / (problem.n - n_test))
        return Labels(merged.rows["sums"][:, index], merged.columns["sums"][:, index], chance)
