"""Runs a check: evaluates an encoder on points, or a recipe on a data set, and compares the values with limits."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from distbench._util.distances import EUCLIDEAN
from distbench._util.notes import warnings_of, without_codes
from distbench._util.text import plain_name
from distbench.encoders.indexes import index_of
from distbench.encoders.resolve import declared_code_size
from distbench.errors import InputError
from distbench.evaluation.evaluate import evaluate, evaluate_codes
from distbench.evaluation.limits import limits_and_options
from distbench.evaluation.report import Report
from distbench.inference.floors import check_floors
from distbench.inference.verdicts import Undecided
from distbench.metrics.neighbor_counts import numbers_of
from distbench.results.rows import Row, rows_of
from distbench.suites.fits import Fit, FitCache
from distbench.suites.recipes import Progress, Recipe, as_recipe

__all__ = ["Check", "Outcome", "check_encoder"]

RECIPE_OPTIONS = ("metrics", "distance_x", "distance_z")


@dataclass(frozen=True)
class Outcome:
    """The report of a check, and the limits that are broken.

    Attributes
    ----------
    report : Report
        Values and intervals.
    broken : dict of str to float
        The limits that the report does not pass, by metric.
    limits : dict of str to float
        All limits, by the metrics' names in the report.
    row_fields : dict of str to any
        Other fields of the report's rows, as in :func:`distbench.results.rows.rows_of`.
    labels : array-like or None
        Labels of the test points.
    """

    report: Report
    broken: dict[str, float]
    limits: dict[str, float]
    row_fields: dict[str, Any]
    labels: Any = None


@dataclass(frozen=True, kw_only=True)
class Check:
    """An encoder, the points or the data set to evaluate it on, limits and options.

    Attributes
    ----------
    encoder : encoder, recipe or Report
        An encoder if `X_test` is passed, else a recipe for `dataset`; or a report, which is not measured again.
    X_test, reference : array-like or list of objects, optional
        Test points and reference points; if `codes` are passed, the reference is a tuple of points and codes.
    codes : array-like, optional
        Codes of the test points in place of an encoder; or, for a search index, the codes that it compares.
    dataset, code_size, seed
        As in `check_encoder`.
    in_sample : bool
        Whether a recipe is fitted on train and test points together.
    k, name, include_queries
        As in :func:`distbench.evaluate`.
    options : mapping of str to any
        Other options of :func:`distbench.evaluate`.
    limits : mapping of str to float
        Limits by metric.
    undecided : {"value", "fail", "pass"}
        As in :meth:`distbench.Report.check`.
    silence : collection of str
        Codes of notes that are left out.
    """

    encoder: Any = None
    X_test: Any = None
    reference: Any = None
    codes: Any = None
    dataset: str | None = None
    code_size: int | None = None
    seed: int = 0
    in_sample: bool = False
    k: int | Iterable[int] = 10
    name: str | None = None
    include_queries: bool = True
    options: Mapping[str, Any] = field(default_factory=dict)
    limits: Mapping[str, float] = field(default_factory=dict)
    undecided: Undecided = "value"
    silence: Collection[str] = ()

    def run(self, fits: FitCache | None = None, progress: Callable[[str], Progress | None] = lambda _: None) -> Outcome:
        """Fit a recipe if there is one, evaluate, and check the limits.

        Parameters
        ----------
        fits : FitCache, optional
            Keeps fits and data sets for other checks.
        progress : callable
            Takes a line that describes a fit; returns the function to which the fit reports its progress, or None.

        Raises
        ------
        InputError
            An argument cannot be used, or no encoder of that code size can meet a limit on these points.
        EncoderError
            The encoder is of no known kind, or its codes cannot be used.
        TrainingError
            The recipe could not be fitted.
        """
        if isinstance(self.encoder, Report):
            return self._run_report(self.encoder)
        if self.X_test is None:
            return self._run_recipe(FitCache() if fits is None else fits, progress)
        for argument, value in (("dataset", self.dataset), ("code_size", self.code_size)):
            if value is not None:
                found = "given beside X_test; pass points for an encoder, or a data set for a recipe"
                raise InputError(f"{argument}: {found}")
        floors_hold = self._is_euclidean and (self.include_queries or self.reference is None)
        floors_hold &= all(self.options.get(name) is None for name in ("queries", "precision", "reference_encoder"))
        floors_hold &= index_of(self.encoder) is None
        has_input_space = self.options.get("input_space") is not None
        if floors_hold and not has_input_space and (size := declared_code_size(self.encoder)) is not None:
            self._check_floors(self.X_test, size)
        report = self._evaluated()
        outcome = self._outcome(report, {"note": warnings_of(report.notes)}, self.options.get("labels"))
        if outcome.broken and floors_hold:  # the code size of some encoders is known only now
            clouds = report.clouds
            points = clouds.X if has_input_space and clouds is not None else self.X_test
            self._check_floors(points, report.code_size)
        return outcome

    @property
    def _is_euclidean(self) -> bool:
        return all(self.options.get(name, EUCLIDEAN) == EUCLIDEAN for name in ("distance_x", "distance_z"))

    def _check_floors(self, points: Any, code_size: int) -> None:
        check_floors(self.limits, points, code_size, k=self.k, reference=self.reference is not None)

    def _outcome(self, report: Report, row_fields: dict[str, Any], labels: Any = None) -> Outcome:
        limits = report.checked_limits(self.limits) if self.limits else {}
        broken = report.broken(limits, self.undecided) if limits else {}
        return Outcome(report, broken, limits, row_fields, labels)

    def _run_report(self, report: Report) -> Outcome:
        """Check the limits of a report that was measured before."""
        points = {name: getattr(self, name) for name in ("X_test", "reference", "codes", "dataset", "code_size")}
        points["include_queries"] = None if self.include_queries else False
        points["seed"] = None if self.seed == Check.seed else self.seed
        for name, value in (points | dict(self.options)).items():
            if value is not None:
                raise InputError(name, "given beside a report", "leave it out: the report has its own")
        report = replace(report, encoder=plain_name(self.name)) if self.name else report
        report = self._silenced(report)
        return self._outcome(report, {"note": warnings_of(report.notes)})

    def _evaluated(self) -> Report:
        named = {name: getattr(self, name) for name in ("k", "name", "include_queries", "seed")}
        options = {**named, **self.options}
        if self.codes is not None and self.encoder is not None:
            options["codes"] = self.codes
        elif self.codes is not None:
            for name in options:
                if name not in inspect.signature(evaluate_codes).parameters:
                    raise InputError(name, "given for ready codes", "leave it out, or pass the encoder")
            return self._silenced(evaluate_codes(self.X_test, self.codes, reference=self.reference, **options))
        return self._silenced(evaluate(self.encoder, self.X_test, reference=self.reference, **options))

    def _silenced(self, report: Report) -> Report:
        """Return a report without the notes whose codes are in `silence`."""
        return replace(report, notes=without_codes(report.notes, self.silence)) if self.silence else report

    def _run_recipe(self, fits: FitCache, progress: Callable[[str], Progress | None]) -> Outcome:
        if self.reference is not None:
            raise InputError("reference: given for a recipe, which is evaluated on its whole data set; leave it out")
        if self.dataset is None or self.code_size is None:
            advice = "give the test points, or dataset= and code_size= to fit a recipe"
            raise InputError("X_test", "not given", advice)
        for name in (*self.options, *(["codes"] if self.codes is not None else [])):
            if name not in RECIPE_OPTIONS:
                raise InputError(f"{name}: given for a recipe, which is evaluated on its whole data set; leave it out")
        recipe = self.encoder if isinstance(self.encoder, Recipe) else as_recipe(self.encoder)
        data = fits.dataset(self.dataset)
        if self.include_queries and self._is_euclidean:
            check_floors(self.limits, data.test, self.code_size, k=self.k, reference=True)
        metrics, ks = self.options.get("metrics", "default"), numbers_of(self.k)
        described = progress(plain_name(f"{self.name or recipe.name}[{self.code_size}] seed {self.seed}"))
        run = fits.run(
            Fit(recipe, self.dataset, self.code_size, self.seed, self.in_sample, described),
            name=self.name,
            k=ks if len(ks) > 1 else ks[0],
            include_queries=self.include_queries,
            **{**self.options, "metrics": metrics if isinstance(metrics, str) else tuple(metrics)},
        )
        row_fields = {"dataset": self.dataset, "code_size": self.code_size, "seed": self.seed, "seconds": run.seconds}
        report = self._silenced(run.report)
        note = "; ".join(filter(None, (warnings_of(report.notes), run.note)))  # text without a code comes last
        row_fields |= {"in_sample": run.in_sample, "note": note, "data_sha256": data.sha256}
        return self._outcome(report, row_fields, data.labels_test)


def check_encoder(
    encoder: Any,
    X_test: Any = None,
    *,
    reference: Any = None,
    dataset: str | None = None,
    code_size: int | None = None,
    seed: int = 0,
    k: int | Iterable[int] | None = None,
    name: str | None = None,
    include_queries: bool = True,
    **options: Any,
) -> list[Row]:
    """Evaluate an encoder, or fit and evaluate a recipe, and return a row with a verdict for each metric.

    It does what the check of the fixture ``distbench`` does, but without pytest: a broken limit is a verdict in a row,
    not an error.

    Parameters
    ----------
    encoder : encoder, recipe or Report
        With ``X_test`` an encoder, as in :func:`distbench.evaluate`; with ``dataset`` a recipe: a class or object with
        ``fit(X, code_size, seed)``, or the name of a baseline; or a report, which is not measured again.
    X_test, reference
        As in :func:`distbench.evaluate`.
    dataset, code_size, seed : str, int and int
        For a recipe: the data set, of which the train points are used to fit and the test points to evaluate; the
        number of columns of its codes, 1 or more; and its training seed, 0 or more. For an encoder, the seed is that of
        the sample of test points, if ``queries`` or ``precision`` asks for one.
    k, name, include_queries
        As in :func:`distbench.evaluate`; k is 10 by default.
    **options
        Limits by metric, such as ``continuity=0.95`` or ``limits={"knn_recall@100": 0.9}``, and other options of
        :func:`distbench.evaluate`.

    Returns
    -------
    list of Row
        Rows whose ``verdict`` on their ``limit`` is "met" or "broken" if the whole 95 % interval is on one side of it,
        else "undecided"; without an interval the value decides.

    Raises
    ------
    InputError
        An argument cannot be used, or no encoder of that code size can meet a limit on these points.
    EncoderError
        The encoder is of no known kind, or its codes cannot be used.
    TrainingError
        The recipe could not be fitted.
    """
    is_report = isinstance(encoder, Report)
    if is_report and k is not None:
        raise InputError("k", "given beside a report", "leave it out: the report has its own")
    ks = (encoder.k,) if is_report else numbers_of(Check.k if k is None else k)
    limits, rest = limits_and_options(options, k=ks[0], required=False, measured=is_report)
    check = Check(
        encoder=encoder,
        X_test=X_test,
        reference=reference,
        dataset=dataset,
        code_size=code_size,
        seed=seed,
        k=ks,
        name=name,
        include_queries=include_queries,
        options=rest,
        limits=limits,
    )
    outcome = check.run()
    return rows_of(outcome.report, limits=outcome.limits, **outcome.row_fields)
