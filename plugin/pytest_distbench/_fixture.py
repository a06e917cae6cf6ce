"""The value of the ``distbench`` fixture."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from distbench.errors import DistbenchError, EncoderError, InputError, PreservationError
from pytest_distbench._checks import name_of
from pytest_distbench._hunt import checked_hunt
from pytest_distbench._marker import read_marker
from pytest_distbench._record import CALLED, RAISED
from pytest_distbench._recording import record_check, record_failure, record_rows, record_unjudged
from pytest_distbench._session import fits_of, rerun_line
from pytest_distbench._settings import settings_of

if TYPE_CHECKING:
    from distbench.evaluation.report import Report
    from distbench.hunting import Hunt
    from distbench.suites.check import Check, Outcome

__all__ = ["DistbenchFixture"]

DEFAULT_K = 10
STANDING_OPTIONS = ("distance_x", "distance_z", "queries", "seed")  # that a baseline is judged with too


class DistbenchFixture:
    """Judges encoders inside a test; results are shown at the end of the run.

    Use it as the fixture ``distbench``; the class is public for annotations.

    Parameters
    ----------
    item : pytest.Item
        The test.
    """

    def __init__(self, item: pytest.Item) -> None:
        self._item = item
        self._marker = read_marker(item)

    def check(
        self,
        encoder: Any,
        X_test: Any = None,
        *,
        reference: Any = None,
        k: int | None = None,
        name: str | None = None,
        include_queries: bool = True,
        **options: Any,
    ) -> Report:
        """Judge an encoder on test points and hold it to limits.

        Parameters
        ----------
        encoder : encoder or recipe
            With ``X_test``: whatever :func:`distbench.evaluate` takes. Alone: a recipe (a class or object with
            ``fit(X, code_size, seed)``, or the name of a baseline), fitted on the train points of the marker's data
            set and judged on its test points.
        X_test : array of shape (m, ...) or list of m objects, optional
            The points to judge on; texts and other objects with ``input_space=`` among the options.
        reference : array of shape (n, ...) or list of n objects, optional
            The points to look neighbours up in, mostly the train points; the test points if not given.
        k : int, optional
            Neighbours; the marker's, else 10.
        name : str, optional
            The encoder's name in reports; its own by default.
        include_queries : bool
            Whether the other test points are candidates beside the reference.
        **options
            Limits, one a metric, of any of the table: at least or at most, as the metric's direction says.
            They add to the marker's, which add to the ini file's, and win over them; ``--distbench-limit`` wins over
            all. And ``undecided`` as for :meth:`Report.check`, and whatever else :func:`distbench.evaluate` takes;
            with a recipe ``metrics`` and distances alone. Metrics that have a limit are measured besides those that
            are asked for.

        Returns
        -------
        Report
            The report, if every limit is met.

        Raises
        ------
        PreservationError
            A limit is broken (an ``AssertionError``). The message says by how much, how sure, and where.
        InputError
            There is no limit, no metric has that name, its metric cannot have such a value, no encoder of that
            code size can meet the limit on these points, or the points cannot be used. Raised before the encoder
            runs, except where its code size is known only afterwards.
        """
        __tracebackhide__ = True
        self._item.stash[CALLED] = True
        try:
            from distbench.evaluation.limits import limits_and_options
            from distbench.inference.verdicts import check_undecided

            settings = settings_of(self._item.config)
            undecided = check_undecided(settings.undecided(options.pop("undecided", None)))
            before = {**settings.ini_limits, **self._marker.limits}
            limits, rest = limits_and_options(self._with_distance(options), before, settings.line_limits)
            asked = self._asked(encoder, X_test, reference, k, name, include_queries)
            return self._check(replace(asked, limits=limits, options=rest, undecided=undecided))
        except DistbenchError as error:
            self._item.stash[RAISED] = error
            if not isinstance(error, PreservationError):
                record_unjudged(self._item, encoder)
            raise error.with_traceback(None)  # noqa: B904 - the same error: a test's author sees the test's line
        except Exception:  # of a fit
            record_unjudged(self._item, encoder)
            raise

    def evaluate(
        self,
        encoder: Any,
        X_test: Any = None,
        *,
        reference: Any = None,
        k: int | None = None,
        name: str | None = None,
        include_queries: bool = True,
        **options: Any,
    ) -> Report:
        """Judge an encoder on test points, without limits.

        Parameters
        ----------
        encoder, X_test, reference, k, name, include_queries
            As in :meth:`check`.
        **options
            For :func:`distbench.evaluate`; with a recipe ``metrics`` and distances alone.

        Returns
        -------
        Report
            The report; its rows are in the leaderboards of the run.

        Raises
        ------
        InputError
            The points cannot be used, or a recipe is given without a data set to fit it on.
        """
        __tracebackhide__ = True
        self._item.stash[CALLED] = True
        try:
            from distbench.evaluation.limits import refuse_unknown

            refuse_unknown(options)
            asked = self._asked(encoder, X_test, reference, k, name, include_queries)
            outcome = self._run(replace(asked, options=self._with_distance(options)))
            record_rows(self._item, outcome.report, labels=outcome.labels, **outcome.about)
            return outcome.report
        except DistbenchError as error:
            self._item.stash[RAISED] = error
            raise error.with_traceback(None)  # noqa: B904 - as in check

    def hunt(
        self,
        encoder: Any,
        X_test: Any,
        *,
        expansion: float | None = None,
        contraction: float | None = None,
        **options: Any,
    ) -> Hunt:
        """Look for inputs near the test points that an encoder merges or tears apart.

        Parameters
        ----------
        encoder : encoder
            A function, a Keras model, or an object with ``transform``, ``encode`` or ``predict``; no recipe.
        X_test : array of shape (m, ...)
            The points to look around.
        expansion, contraction : float, optional
            The largest ``|z - z'| / |x - x'|`` and ``|x - x'| / |z - z'|`` that may be found, in the units of points
            and codes. The marker's and the ini file's limits do not count here: they are of test points alone.
        **options
            For :func:`distbench.hunt`: ``budget``, ``seed``, ``reach``, ``bounds``, ``plausible``, ``directions``, ...

        Returns
        -------
        Hunt
            What was found, where every limit is met.

        Raises
        ------
        PreservationError
            A limit is broken (an ``AssertionError``): by which pair, and how to see it again.
        InputError
            An argument cannot be used.
        """
        __tracebackhide__ = True
        limits = {"expansion": expansion, "contraction": contraction}
        try:
            return checked_hunt(self._item, encoder, X_test, limits, options)
        except DistbenchError as error:
            self._item.stash[RAISED] = error
            raise error.with_traceback(None)  # noqa: B904 - as in check

    def _asked(
        self, encoder: Any, X_test: Any, reference: Any, k: int | None, name: str | None, include_queries: bool
    ) -> Check:
        """Return what a call asks for; the marker says which data a recipe is fitted on."""
        from distbench.suites.check import Check

        marker = self._marker
        asked = Check(
            encoder=encoder,
            X_test=X_test,
            reference=reference,
            k=next(number for number in (k, marker.k, DEFAULT_K) if number is not None),
            name=name or name_of(self._item, encoder),
            include_queries=include_queries,
        )
        if X_test is not None:
            return asked
        if marker.dataset is None or marker.code_size is None:
            raise InputError(
                "X_test",
                "not given",
                "give the test points, or mark the test with @pytest.mark.distbench(dataset=..., code_size=...) to "
                "have a recipe fitted and judged",
            )
        seed = settings_of(self._item.config).seed(marker.seed) or 0
        return replace(asked, dataset=marker.dataset, code_size=marker.code_size, seed=seed)

    def _check(self, check: Check) -> Report:
        outcome = self._run(check)
        report, broken = outcome.report, outcome.broken
        record_rows(self._item, report, labels=outcome.labels, limits=check.limits, **outcome.about)
        record_check(self._item, report, check.limits, passed=not broken, undecided=check.undecided)
        if broken:
            raise PreservationError("\n".join(self._failure(check, report, broken)))
        return report

    def _failure(self, check: Check, report: Report, broken: dict[str, float]) -> list[str]:
        """Return where limits are broken, what baselines reach, what to do, and how to run the test again."""
        from distbench.evaluation.text import failure_lines
        from distbench.suites.reference_scores import fitted_reference_scores, stored_reference_scores

        size, best = check.code_size or report.code_size, {}
        if check.dataset is not None:
            best = stored_reference_scores(report, check.dataset, size, broken)
        elif "precision" not in check.options:  # which points that judges depends on the encoder
            options = {name: check.options[name] for name in STANDING_OPTIONS if name in check.options}
            best = fitted_reference_scores(report, broken, {**options, "include_queries": check.include_queries})
        lines = failure_lines(report, broken, best, size)
        return [*lines, rerun_line(self._item)]

    def _with_distance(self, options: dict[str, Any]) -> dict[str, Any]:
        distance = self._marker.distance
        return options if distance is None else {"distance_x": distance, "distance_z": distance, **options}

    def _run(self, check: Check) -> Outcome:
        """Return what was measured; an encoder that fails leaves a row that says so, without a place."""
        from pytest_distbench._progress import Training

        fits = fits_of(self._item.config)
        try:
            with Training(self._item.config) as training:
                return check.run(fits, training)
        except Exception as error:
            if isinstance(error, InputError) and not isinstance(error, EncoderError):
                raise  # the call is at fault, not the encoder
            record_failure(self._item, error, check, fits)
            raise
