"""The bench: fits recipes and judges what they give, each once in a run."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from distbench.errors import MissingDependencyError
from distbench.suites._shared import Codes, fit_key, once
from distbench.suites.recipes import NotInstalledError, Progress, Recipe

if TYPE_CHECKING:
    from pathlib import Path

    from distbench.datasets import Dataset
    from distbench.evaluation.report import Report
    from distbench.suites.model import Suite

__all__ = ["FitCache", "Run"]


@dataclass(frozen=True)
class Run:
    """A fitted encoder and what was found on the test points.

    Attributes
    ----------
    encoder : object or None
        What the recipe's ``fit`` returned; None where another process of this run fitted it.
    report : Report
        What was found.
    seed : int
        The training seed.
    seconds : float
        How long the fit took.
    in_sample : bool
        Whether it was fitted on the test points too.
    note : str
        What a reader of the scores must know of the encoder; mostly empty.
    """

    encoder: Any
    report: Report
    seed: int
    seconds: float
    in_sample: bool = False
    note: str = ""


@dataclass
class FitCache:
    """Keeps data sets, fits and reports, so that suites and claims of one run share them.

    A fit is known by recipe, options, data set, code size, seed and whether it is in sample. One bench serves one
    process.

    Parameters
    ----------
    shared : Path, optional
        A folder that the processes of one run have in common: what one of them has fitted, the others do not fit
        again. All rows are the same as without.
    """

    shared: Path | None = None
    _datasets: dict[str, Dataset] = field(default_factory=dict)
    _known: dict[str, Suite] = field(default_factory=dict)
    _fits: dict[tuple[object, ...], tuple[Any, float]] = field(default_factory=dict)
    _codes: dict[tuple[object, ...], Codes] = field(default_factory=dict)
    _runs: dict[tuple[object, ...], Run] = field(default_factory=dict)
    _floors: dict[tuple[object, ...], dict[str, float]] = field(default_factory=dict)

    def dataset(self, name: str) -> Dataset:
        """Return a data set by name, loaded once: a shipped one, or that of a suite which is known.

        Raises
        ------
        DatasetError
            There is none of that name, or its files cannot be used.
        NotInstalledError
            The package that ships it is not installed.
        """
        if name not in self._datasets:
            from distbench.datasets import load_dataset

            own = self._known.get(name)
            try:
                self._datasets[name] = load_dataset(name) if own is None else own.load_dataset(name)
            except MissingDependencyError as error:
                raise NotInstalledError(str(error)) from error
        return self._datasets[name]

    def know(self, suite: Suite) -> None:
        """Learn what a suite calls data of its own, so that they can be asked for by that name.

        Raises
        ------
        SuiteError
            Another suite calls other data by the same name: their rows would stand in one table.
        """
        if suite.source is None:
            return
        other = self._known.setdefault(suite.source.name, suite)
        if other.source != suite.source:
            where = suite.where.at("dataset").at("name")
            name = suite.source.name
            raise where.error(f"{name!r} stands for other data in {other.path.name}; give one of them another name")

    def check_floors(self, limits: Mapping[str, float], dataset: str, code_size: int, k: int) -> None:
        """Refuse limits that no encoder could keep, before one is fitted.

        Raises
        ------
        InputError
            A limit is beyond its floor.
        """
        from distbench.inference.floors import BINDING_WITH_REFERENCE, floors, refuse_beyond

        bound = tuple(sorted(BINDING_WITH_REFERENCE & set(limits)))
        if not bound:
            return
        key = (dataset, code_size, k, bound)
        if key not in self._floors:
            self._floors[key] = floors(self.dataset(dataset).test, code_size, k=k, metrics=bound)
        refuse_beyond(limits, self._floors[key], code_size)

    def fit(
        self,
        recipe: Recipe,
        dataset: str,
        code_size: int,
        seed: int,
        progress: Progress | None = None,
        in_sample: bool = False,
    ) -> tuple[Any, float]:
        """Return the encoder fitted on the train points, and the seconds that the fit took.

        In sample, and for a recipe that has codes of the fitted points alone, it is fitted on the train points
        followed by the test points.
        """
        in_sample = in_sample or recipe.in_sample_only
        key = (recipe.key, dataset, code_size, seed, in_sample)
        if key not in self._fits:
            points = self._fitted_points(dataset, in_sample)
            start = time.perf_counter()
            encoder = recipe.fit(points, code_size, seed, progress)
            self._fits[key] = encoder, time.perf_counter() - start
        return self._fits[key]

    def codes(
        self,
        recipe: Recipe,
        dataset: str,
        code_size: int,
        seed: int,
        progress: Progress | None = None,
        in_sample: bool = False,
    ) -> Codes:
        """Return the codes of a data set's points, by the encoder that :meth:`fit` gives.

        With a shared folder they may be those that another process has made.
        """
        in_sample = in_sample or recipe.in_sample_only
        key = (recipe.key, dataset, code_size, seed, in_sample)
        if key not in self._codes:
            make = partial(self._encoded, recipe, dataset, code_size, seed, progress, in_sample)
            name = ""
            if self.shared is not None:
                name = fit_key(recipe, self.dataset(dataset).sha256, code_size, seed, in_sample)
            self._codes[key] = once(self.shared, name, make) if self.shared is not None and name else make()
        return self._codes[key]

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
        distance_x: str = "euclidean",
        distance_z: str = "euclidean",
        progress: Progress | None = None,
        in_sample: bool = False,
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
        distance_x, distance_z : str
            As for :func:`distbench.evaluate`.
        progress : callable, optional
            Told how much of the fit is done, where the recipe says so.
        in_sample : bool
            Whether to fit on train and test points together and to judge the codes that the test points got there;
            always so for a recipe that has no others. The candidates stay the same.

        Returns
        -------
        Run
        """
        name = recipe.name if name is None else name
        in_sample = in_sample or recipe.in_sample_only
        fit = (recipe, dataset, code_size, seed, progress, in_sample)
        of_fit = (recipe.key, dataset, code_size, seed, in_sample)
        key = (*of_fit, k, name, include_queries, metrics, distance_x, distance_z)
        if key not in self._runs:
            options = {"k": k, "include_queries": include_queries, "name": name, "metrics": metrics}
            options |= {"distance_x": distance_x, "distance_z": distance_z}
            if _decodes(metrics) and not in_sample:
                encoder, seconds = self.fit(*fit)
                report, note = self._judge(encoder, dataset, options), _note(encoder, in_sample)
            else:
                codes = self.codes(*fit)
                report, note = self._judge_codes(codes, dataset, options), codes.note
                encoder, seconds = self._fits.get(of_fit, (None, 0.0))[0], codes.seconds
            self._runs[key] = Run(encoder, report, seed, seconds, in_sample, note)
        return self._runs[key]

    def _fitted_points(self, dataset: str, in_sample: bool) -> Any:
        data = self.dataset(dataset)
        if not in_sample:
            return data.train
        import numpy as np

        return np.concatenate([data.train, data.test])

    def _encoded(
        self, recipe: Recipe, dataset: str, code_size: int, seed: int, progress: Progress | None, in_sample: bool
    ) -> Codes:
        """Fit here, and return what the encoder makes of the points."""
        from distbench.encoders.encoder import as_encoder

        encoder, seconds = self.fit(recipe, dataset, code_size, seed, progress, in_sample)
        data, note = self.dataset(dataset), _note(encoder, in_sample)
        if not in_sample:
            encode = as_encoder(encoder).encode
            return Codes(encode(data.test), encode(data.train), seconds, note)
        codes = getattr(encoder, "codes_", None)
        if codes is None:
            codes = as_encoder(encoder).encode(self._fitted_points(dataset, in_sample=True))
        n = len(data.train)
        return Codes(codes[n:], codes[:n], seconds, note)

    def _judge(self, encoder: Any, dataset: str, options: dict[str, Any]) -> Report:
        from distbench.evaluation.evaluate import evaluate

        data = self.dataset(dataset)
        known: dict[str, Any] = {"labels": data.labels_test, "reference_labels": data.labels_train}
        return evaluate(encoder, data.test, reference=data.train, **known, **options)

    def _judge_codes(self, codes: Codes, dataset: str, options: dict[str, Any]) -> Report:
        from distbench.evaluation.evaluate import evaluate_codes

        data = self.dataset(dataset)
        known: dict[str, Any] = {"labels": data.labels_test, "reference_labels": data.labels_train}
        return evaluate_codes(data.test, codes.test, reference=(data.train, codes.train), **known, **options)


def _decodes(metrics: str | tuple[str, ...]) -> bool:
    """Say whether metrics need the encoder itself, since it may have a decoder."""
    from distbench.evaluation.settings import DECODER

    return metrics == "all" or DECODER in metrics


def _note(encoder: Any, in_sample: bool) -> str:
    note = str(getattr(encoder, "note", "") or "")
    return "" if in_sample and note.startswith("out of sample") else note  # no word on codes that are not judged
