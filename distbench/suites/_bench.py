"""The bench: fits recipes and judges what they give, each once in a run."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from distbench.suites._recipes import Progress, Recipe

if TYPE_CHECKING:
    from distbench.datasets import Dataset
    from distbench.report import Report

__all__ = ["Bench", "Run"]


@dataclass(frozen=True)
class Run:
    """A fitted encoder and what was found on the test points."""

    encoder: Any
    report: Report
    seed: int
    seconds: float


@dataclass
class Bench:
    """Keeps data sets, fits and reports, so that suites and claims of one run share them.

    A fit is known by recipe, data set, code size and seed. One bench serves one process.
    """

    _datasets: dict[str, Dataset] = field(default_factory=dict)
    _fits: dict[tuple[object, ...], tuple[Any, float]] = field(default_factory=dict)
    _runs: dict[tuple[object, ...], Run] = field(default_factory=dict)

    def dataset(self, name: str) -> Dataset:
        """Return a data set by name, loaded once."""
        if name not in self._datasets:
            from distbench.datasets import load_dataset

            self._datasets[name] = load_dataset(name)
        return self._datasets[name]

    def fit(
        self, recipe: Recipe, dataset: str, code_size: int, seed: int, progress: Progress | None = None
    ) -> tuple[Any, float]:
        """Return the encoder fitted on the train points, and the seconds that the fit took."""
        key = (recipe.key, dataset, code_size, seed)
        if key not in self._fits:
            train = self.dataset(dataset).train
            start = time.perf_counter()
            encoder = recipe.fit(train, code_size, seed, progress)
            self._fits[key] = encoder, time.perf_counter() - start
        return self._fits[key]

    def run(
        self,
        recipe: Recipe,
        dataset: str,
        code_size: int,
        seed: int,
        *,
        k: int = 10,
        name: str | None = None,
        include_queries: bool = True,
        metrics: str | tuple[str, ...] = "default",
        progress: Progress | None = None,
    ) -> Run:
        """Fit a recipe on the train points and judge it on the test points.

        Parameters
        ----------
        recipe : Recipe
            From :func:`distbench.suites.as_recipe`.
        dataset : str
            Name of a data set.
        code_size, seed : int
            Handed to the recipe.
        k : int
            Neighbours, from 1.
        name : str, optional
            The encoder's name in the report; the recipe's by default.
        include_queries : bool
            Whether the other test points are candidates too.
        metrics : str or tuple of str
            As for :func:`distbench.evaluate`; the labels of the data set, if it has any, are known.
        progress : callable, optional
            Told how much of the fit is done, where the recipe says so.

        Returns
        -------
        Run
        """
        name = recipe.name if name is None else name
        key = (recipe.key, dataset, code_size, seed, k, name, include_queries, metrics)
        if key not in self._runs:
            import distbench

            encoder, seconds = self.fit(recipe, dataset, code_size, seed, progress)
            data = self.dataset(dataset)
            report = distbench.evaluate(
                encoder,
                data.test,
                reference=data.train,
                k=k,
                include_queries=include_queries,
                name=name,
                metrics=metrics,
                labels=data.labels_test,
                reference_labels=data.labels_train,
            )
            self._runs[key] = Run(encoder, report, seed, seconds)
        return self._runs[key]
