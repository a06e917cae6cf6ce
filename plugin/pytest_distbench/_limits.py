"""What a check asks for: limits told from options, and refused before an encoder runs where none could keep them."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from distbench.datasets import Dataset
    from distbench.report import Report

__all__ = ["Asked", "Floors"]


@dataclass(frozen=True)
class Asked:
    """The limits of a check, by metric, and what goes to `distbench.evaluate`."""

    limits: dict[str, float]
    options: dict[str, Any]

    @classmethod
    def of(cls, marked: Mapping[str, float], given: Mapping[str, Any]) -> Asked:
        """Tell limits from options.

        Parameters
        ----------
        marked : mapping of str to float
            The marker's limits.
        given : mapping of str to any
            The call's limits, which win, and options.

        Raises
        ------
        InputError
            There is no limit, or one names no metric, or is none that the metric can take.
        """
        import distbench
        from distbench.limits import check_bounds, check_limits
        from distbench.metrics import METRICS

        known = set(inspect.signature(distbench.evaluate).parameters)
        options = {name: value for name, value in given.items() if name in known}
        others = {name: value for name, value in given.items() if name not in known}
        limits = check_limits({**marked, **others}, METRICS)
        check_bounds(limits)
        return cls(limits, {**options, **_metrics(options.get("metrics", "default"), limits)})


def _metrics(chosen: Any, limits: Mapping[str, float]) -> dict[str, Any]:
    """Return the metrics to measure where those that have limits are not among the chosen ones."""
    from distbench.metrics import METRICS

    names = [name for name, metric in METRICS.items() if metric.default] if chosen == "default" else chosen
    if chosen == "all":
        return {}
    names = [names] if isinstance(names, str) else list(names)
    missing = [name for name in limits if name not in names]
    return {"metrics": (*names, *missing)} if missing else {}


@dataclass(frozen=True)
class Floors:
    """Which floors bind a check, and the checks of its limits against them.

    Floors hold for Euclidean distances among all the test points, so not where only some are judged or only train
    points are candidates.
    """

    limits: Mapping[str, float]
    k: int
    X_test: Any
    reference: bool
    include_queries: bool
    options: Mapping[str, Any]

    def check_recipe(self, dataset: Dataset | None, code_size: int | None) -> None:
        """Check against the test points of a data set, which come with train points."""
        if dataset is not None and code_size is not None and self.include_queries:
            self._check(dataset.test, code_size, reference=True)

    def check_encoder(self, encoder: Any) -> None:
        """Check where the encoder declares its code size."""
        from distbench.code_size import declared_code_size

        size = declared_code_size(encoder) if self._bind() else None
        if size is not None:
            self._check(self.X_test, size, self.reference)

    def check_report(self, report: Report) -> None:
        """Check where a limit is broken, with the code size that the codes turned out to have."""
        if self.X_test is not None and self._bind():
            self._check(self.X_test, report.code_size, self.reference)

    def _bind(self) -> bool:
        options = self.options
        euclidean = all(options.get(name, "euclidean") == "euclidean" for name in ("distance_x", "distance_z"))
        some = options.get("queries") is not None or options.get("precision") is not None
        return euclidean and not some and (self.include_queries or not self.reference)

    def _check(self, points: Any, code_size: int, reference: bool) -> None:
        from distbench.inference.floors import check_floors

        check_floors(self.limits, points, code_size, k=self.k, reference=reference)
