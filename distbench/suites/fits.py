"""Fits and evaluates recipes, each once in a run."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from distbench._util.notes import without_codes
from distbench.errors import MissingDependencyError
from distbench.suites._shared import Codes, fit_key, once
from distbench.suites.recipes import NotInstalledError, Progress, Recipe

if TYPE_CHECKING:
    from pathlib import Path

    from distbench.datasets import Dataset
    from distbench.evaluation.report import Report
    from distbench.suites.suite import Suite

__all__ = ["Fit", "FitCache", "Run"]


@dataclass(frozen=True)
class Run:
    """A fitted encoder and its report on the test points.

    Attributes
    ----------
    encoder : object or None
        The fitted encoder; None if another process of this run fitted it.
    report : Report
        Values and intervals.
    seconds : float
        Duration of the fit.
    in_sample : bool
        Whether it was fitted on train and test points together.
    note : str
        The encoder's note for readers of its scores, if any.
    """

    encoder: Any
    report: Report
    seconds: float
    in_sample: bool = False
    note: str = ""


@dataclass(frozen=True)
class Fit:
    """A recipe on a data set, at a code size and with a seed.

    Attributes
    ----------
    recipe : Recipe
        From :func:`distbench.suites.recipes.as_recipe`.
    dataset : str
        Name of a data set.
    code_size, seed : int
        Passed to the recipe.
    in_sample : bool
        Whether it is fitted on train and test points together, and the codes from this fit are evaluated; always true
        for a recipe that cannot encode new points. The candidates are the same in both cases.
    progress : callable, optional
        Called with ``(done, total)`` during the fit, if the recipe reports its progress.
    """

    recipe: Recipe
    dataset: str
    code_size: int
    seed: int
    in_sample: bool = False
    progress: Progress | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "in_sample", self.in_sample or self.recipe.in_sample_only)


class FitCache:
    """The data sets, fits and reports of one process, shared by the suites and claims of a run.

    Parameters
    ----------
    shared : Path, optional
        A folder in which the processes of a run share codes, so that each recipe is fitted once. Rows do not depend on
        it.
    """

    def __init__(self, shared: Path | None = None) -> None:
        self.shared = shared
        self._datasets: dict[str, Dataset] = {}
        self._suites: dict[str, Suite] = {}  # suites with their own data, by the data's name
        self._fits: dict[Fit, tuple[Any, float]] = {}
        self._codes: dict[Fit, Codes] = {}
        self._runs: dict[tuple[object, ...], Run] = {}

    def dataset(self, name: str) -> Dataset:
        """Return the data set of a registered suite, else a shipped one; it is loaded once.

        Raises NotInstalledError if a package that it needs is not installed.
        """
        if name not in self._datasets:
            from distbench.datasets import load_dataset

            load = self._suites[name].load_dataset if name in self._suites else load_dataset
            try:
                self._datasets[name] = load(name)
            except MissingDependencyError as error:
                raise NotInstalledError(str(error)) from error
        return self._datasets[name]

    def register(self, suite: Suite) -> None:
        """Register a suite's own data; raise SuiteError if another suite has different data with the same name."""
        if suite.source is None:
            return
        name = suite.source.name
        other = self._suites.setdefault(name, suite)
        if other.source != suite.source:
            raise suite.where.at("dataset", "name").error(
                f"{name!r} names different data in {other.path.name}", "give one of them another name"
            )

    def fit(self, fit: Fit) -> tuple[Any, float]:
        """Return the fitted encoder, and the duration of the fit in seconds."""
        if fit not in self._fits:
            points = self._points(fit)
            start = time.perf_counter()
            encoder = fit.recipe.fit(points, fit.code_size, fit.seed, fit.progress)
            self._fits[fit] = encoder, time.perf_counter() - start
        return self._fits[fit]

    def run(self, fit: Fit, **options: Any) -> Run:
        """Fit a recipe and evaluate it on the test points, with their labels and groups if there are any.

        The options are those of :func:`distbench.evaluate`; ``metrics`` is a tuple or a name.
        """
        options = {"metrics": "default", **options, "name": options.get("name") or fit.recipe.name}
        key = (fit, *sorted(options.items()))
        if key not in self._runs:
            self._runs[key] = self._measured(fit, options)
        return self._runs[key]

    def _measured(self, fit: Fit, options: Mapping[str, Any]) -> Run:
        from distbench.evaluation.evaluate import evaluate, evaluate_codes
        from distbench.evaluation.settings import DECODER

        data = self.dataset(fit.dataset)
        options = {**options, "labels": data.labels_test, "reference_labels": data.labels_train}
        options["groups"] = data.groups_test
        # A decoder belongs to the encoder, so codes shared by another process are not enough.
        metrics = [options["metrics"]] if isinstance(options["metrics"], str) else options["metrics"]
        if not {"all", DECODER}.isdisjoint(metrics) and not fit.in_sample:
            encoder, seconds = self.fit(fit)
            report = evaluate(encoder, data.test, reference=data.train, **options)
            return Run(encoder, report, seconds, note=_note(encoder, in_sample=False))
        codes = self._shared_codes(fit)
        report = evaluate_codes(data.test, codes.test, reference=(data.train, codes.train), **options)
        if codes.code_bytes:  # decoded codes have as many columns as the points, and are no reconstructions
            notes = without_codes(report.notes, {"code_size"})
            report = replace(report, code_bytes=codes.code_bytes, notes=notes)
        encoder, _ = self._fits.get(fit, (None, 0.0))
        return Run(encoder, report, codes.seconds, fit.in_sample, codes.note)

    def _shared_codes(self, fit: Fit) -> Codes:
        """Return the codes of the data set's points, which another process may have made."""
        if fit not in self._codes:
            setting = (self.dataset(fit.dataset).sha256, fit.code_size, fit.seed, fit.in_sample)
            key = "" if self.shared is None else fit_key(fit.recipe, setting)
            make = partial(self._encoded, fit)
            self._codes[fit] = once(self.shared / f"{key}.npz", make) if self.shared and key else make()
        return self._codes[fit]

    def _encoded(self, fit: Fit) -> Codes:
        """Fit in this process, and return the codes of the data set's points."""
        from distbench.encoders.encoder import as_encoder

        encoder, seconds = self.fit(fit)
        data, note = self.dataset(fit.dataset), _note(encoder, fit.in_sample)
        if not fit.in_sample:
            called = as_encoder(encoder)
            test, train = called.encode(data.test), called.encode(data.train)
            return Codes(test, train, seconds, note, called.code_bytes or 0)
        codes = getattr(encoder, "codes_", None)
        if codes is None:
            codes = as_encoder(encoder).encode(self._points(fit))
        n = len(data.train)
        return Codes(codes[n:], codes[:n], seconds, note)

    def _points(self, fit: Fit) -> Any:
        """Return the points to fit on: the train points, followed by the test points if the fit is in sample."""
        data = self.dataset(fit.dataset)
        if not fit.in_sample:
            return data.train
        import numpy as np

        return np.concatenate([data.train, data.test])


def _note(encoder: Any, in_sample: bool) -> str:
    """Return an encoder's note for readers of its scores; out of sample, with its note on new points."""
    notes = [getattr(encoder, "note", ""), "" if in_sample else getattr(encoder, "note_out_of_sample", "")]
    return "; ".join(str(note) for note in notes if note)
