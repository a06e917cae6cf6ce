"""The table of metrics, in which a metric of k neighbors is also found with its own k: ``knn_recall@100``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from distbench._util.registry import EntryPointTable
from distbench._util.text import did_you_mean
from distbench.metrics._metric import Metric

__all__ = ["MetricTable", "base_name", "is_metric_name"]

NUMBER = r"[1-9]\d{0,8}"
OWN_K = re.compile(rf"({NUMBER})(?:_in_({NUMBER}))?")
EXAMPLE, WIDE_EXAMPLE = "knn_recall@100", "recall@10_in_100"


def base_name(name: str) -> str:
    """Return the name of a metric without its own k."""
    return name.partition("@")[0]


def is_metric_name(name: str) -> bool:
    """Return whether a metric can have this name: what follows an ``@`` is a k, or a k among as many or more."""
    _, at, numbers = name.partition("@")
    found = OWN_K.fullmatch(numbers)
    return not at or (found is not None and int(found[1]) <= int(found[2] or found[1]))


class MetricTable(EntryPointTable[Metric]):
    """Metrics by name. Iteration yields the names without ``@``; every ``name@k`` that makes sense is found too.

    `wide` has the makers of metrics ``name@k_in_R``, which take the name, k and R.
    """

    def __init__(
        self,
        kind: str,
        group: str,
        adopt: Callable[[str, Any], Metric],
        builtin: Mapping[str, Metric],
        wide: Mapping[str, Callable[[str, int, int], Metric]] = MappingProxyType({}),
    ) -> None:
        super().__init__(kind, group, adopt, builtin)
        self._wide = wide

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or self._with_own_k(name) is not None

    def __getitem__(self, name: str) -> Metric:
        metric = self._with_own_k(name)
        return super().__getitem__(name) if metric is None else metric

    def _with_own_k(self, name: object) -> Metric | None:
        """Return the metric of a name such as ``knn_recall@100``; None for any other name."""
        if not isinstance(name, str):
            return None
        base, _, numbers = name.partition("@")
        found = OWN_K.fullmatch(numbers)
        if found is None:
            return None
        k, within = int(found[1]), int(found[2] or 0)
        if within:
            return self._wide[base](name, k, within) if base in self._wide and within >= k else None
        metric = self.get(base)
        return None if metric is None or metric.largest_k is None else replace(metric, name=name, default=False, k=k)

    def advice(self, name: object) -> str:
        """Return what to write instead of an unknown name."""
        base, at, _ = str(name).partition("@")
        if base in self._wide:
            return f"write how many of the nearest are looked up among how many that are found, as in {WIDE_EXAMPLE}"
        if not at:
            return super().advice(name)
        if not super().__contains__(base):
            return did_you_mean(base, list(self), otherwise=f"write a metric before @, as in {EXAMPLE}")
        if super().__getitem__(base).largest_k is None:
            return f"{base} has no number of neighbors; write {base}"
        return f"write a whole number of neighbors after @, as in {EXAMPLE}"

    def full_name(self, name: str, k: int) -> str:
        """Return a metric's name with its k, which is `k` unless the name has one: equal names are equal metrics.

        Names of unknown metrics, and of metrics without a number of neighbors, stay as they are.
        """
        metric = self.get(name)
        return name if metric is None or metric.largest_k is None or metric.k is not None else f"{name}@{k}"

    def same(self, name: str, names: Iterable[str], k: int) -> str | None:
        """Return which of the names means the same metric as `name`, where names without ``@`` are at `k`."""
        wanted = self.full_name(name, k)
        return next((other for other in names if self.full_name(other, k) == wanted), None)

    def short_name(self, name: str, k: int) -> str:
        """Return the name without its k if this is `k`; any other name as it is."""
        base = base_name(name)
        return base if self.full_name(base, k) == name else name

    def names_of(self, name: str, k: int) -> frozenset[str]:
        """Return all names of a metric in rows at `k`: at 10, ``knn_recall`` and ``knn_recall@10``."""
        full = self.full_name(name, k)
        return frozenset({full, self.short_name(full, k)})

    def shown_k(self, names: Iterable[str], k: int) -> str:
        """Return the k of a title above metrics: `k`, or all their own k if none of them takes its k from the title."""
        metrics = [metric for name in names if (metric := self.get(name)) is not None and metric.largest_k]
        own = sorted({metric.k for metric in metrics if metric.k is not None})
        return ", ".join(map(str, own)) if own and all(metric.k for metric in metrics) else str(k)

    def at_each_k(self, metrics: Iterable[Metric], ks: Sequence[int]) -> tuple[Metric, ...]:
        """Return metrics, each once; if there are several `ks`, metrics of neighbors without their own k have each."""
        each: dict[tuple[str, int, int | None], Metric] = {}
        for metric in metrics:
            several = metric.largest_k is not None and metric.k is None and len(ks) > 1
            for one in [self[f"{metric.name}@{k}"] for k in sorted(ks)] if several else [metric]:
                each.setdefault((base_name(one.name), one.at(ks[0]), one.within), one)
        return tuple(each.values())

    def in_order(self, names: Iterable[str]) -> list[Metric]:
        """Return the metrics of names in the order of the table; those with their own k follow the one without."""
        places = {name: place for place, name in enumerate(self)}

        def place(metric: Metric) -> tuple[int, int, int]:
            return places.get(base_name(metric.name), len(places)), metric.at(0), metric.within or 0

        return sorted((self[name] for name in names), key=place)
