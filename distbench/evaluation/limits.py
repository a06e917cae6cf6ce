"""Limits told from options, and refused before an encoder runs where no encoder could keep them."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from distbench.errors import InputError

if TYPE_CHECKING:
    from distbench.datasets import Dataset
    from distbench.evaluation.report import Report

__all__ = ["CheckOptions", "Floors", "recipe_options", "refuse_unknown"]


@dataclass(frozen=True)
class CheckOptions:
    """The limits of a check, by metric, and what goes to `distbench.evaluate`."""

    limits: dict[str, float]
    options: dict[str, Any]

    @classmethod
    def of(
        cls,
        given: Mapping[str, Any],
        before: Mapping[str, float] = MappingProxyType({}),
        after: Mapping[str, float] = MappingProxyType({}),
        required: bool = True,
    ) -> CheckOptions:
        """Tell limits from options.

        Parameters
        ----------
        given : mapping of str to any
            A call's limits and options.
        before, after : mapping of str to float
            Limits that those of the call replace, and limits that replace those of the call.
        required : bool
            Whether there has to be a limit.

        Raises
        ------
        InputError
            There is no limit, or one names no metric, or is none that the metric can take.
        """
        import distbench
        from distbench.inference.limits import check_bounds, check_limits
        from distbench.metrics import METRICS

        known = set(inspect.signature(distbench.evaluate).parameters)
        options = {name: value for name, value in given.items() if name in known}
        wanted = {**before, **{name: value for name, value in given.items() if name not in known}, **after}
        for name in wanted:
            if name not in METRICS:  # a misspelt option looks like a limit
                raise InputError(name, "found no metric and no option of that name", _hint(name, known))
        limits = check_limits(wanted, METRICS) if wanted or required else {}
        check_bounds(limits)
        return cls(limits, {**options, **_metrics(options.get("metrics", "default"), limits)})


def refuse_unknown(options: Collection[str]) -> None:
    """Raise InputError for what :func:`distbench.evaluate` does not take: a limit, or an option with a slip in it."""
    import distbench
    from distbench.metrics import METRICS

    known = set(inspect.signature(distbench.evaluate).parameters)
    for name in options:
        if name in METRICS:
            raise InputError(
                name, "found a limit, which evaluate does not take", f"call check, or report.check({name}=...)"
            )
        if name not in known:
            raise InputError(name, "found no option of that name", _hint(name, known))


def _hint(name: str, options: Collection[str]) -> str:
    if name == "limits":
        return "write each limit by its metric's name: continuity=0.95"
    if name == "distance":
        return "write distance_x= for the points and distance_z= for the codes"
    from distbench._util.text import did_you_mean
    from distbench.metrics import METRICS

    return did_you_mean(name, [*METRICS, *options], otherwise=f"metrics are {', '.join(METRICS)}")


def _metrics(chosen: Any, limits: Mapping[str, float]) -> dict[str, Any]:
    """Return the metrics to measure where those that have limits are not among the chosen ones."""
    from distbench.metrics import METRICS

    if isinstance(chosen, str):
        if chosen == "all":
            return {}
        chosen = [name for name, metric in METRICS.items() if metric.default] if chosen == "default" else [chosen]
    if not isinstance(chosen, Iterable):
        return {}  # evaluate says what is wrong with it
    names = list(chosen)
    missing = [name for name in limits if name not in names]
    return {"metrics": (*names, *missing)} if missing or not isinstance(chosen, Collection) else {}


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
        if dataset is not None and code_size is not None and self.include_queries and self._euclidean():
            self._check(dataset.test, code_size, reference=True)

    def check_encoder(self, encoder: Any) -> None:
        """Check where the encoder declares its code size."""
        from distbench.encoders.code_size import declared_code_size

        own = self.options.get("input_space") is None  # others are known once they were measured
        size = declared_code_size(encoder) if own and self._bind() else None
        if size is not None:
            self._check(self.X_test, size, self.reference)

    def check_report(self, report: Report) -> None:
        """Check where a limit is broken, with the code size that the codes turned out to have."""
        if self.X_test is not None and self._bind():
            given = None if self.options.get("input_space") is None else report.clouds
            self._check(self.X_test if given is None else given.X, report.code_size, self.reference)

    def _euclidean(self) -> bool:
        return all(self.options.get(name, "euclidean") == "euclidean" for name in ("distance_x", "distance_z"))

    def _bind(self) -> bool:
        options = self.options
        some = options.get("queries") is not None or options.get("precision") is not None
        return self._euclidean() and not some and (self.include_queries or not self.reference)

    def _check(self, points: Any, code_size: int, reference: bool) -> None:
        from distbench.inference.floors import check_floors

        check_floors(self.limits, points, code_size, k=self.k, reference=reference)


RECIPE_OPTIONS = ("metrics", "distance_x", "distance_z")


def recipe_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of :func:`distbench.evaluate` that a recipe can be judged with.

    Raises
    ------
    InputError
        For any other: the data set's own points are judged as they are.
    """
    for name in options:
        if name not in RECIPE_OPTIONS:
            raise InputError(name, "given for a recipe, which is judged on its data set as it is", "leave it out")
    metrics = options.get("metrics", "default")
    return {**options, "metrics": metrics if isinstance(metrics, str) else tuple(metrics)}
