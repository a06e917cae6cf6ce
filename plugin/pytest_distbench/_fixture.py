"""The class of the ``distbench`` fixture."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from distbench.errors import DistbenchError, EncoderError, InputError, PreservationError
from pytest_distbench._checks import name_of, options_of
from pytest_distbench._failure import check_message, is_report
from pytest_distbench._hunt import checked_hunt
from pytest_distbench._marker import read_marker
from pytest_distbench._record import (
    CALLED,
    RAISED,
    record_advice,
    record_check,
    record_failure,
    record_rows,
    record_suggestion,
    record_unevaluated,
)
from pytest_distbench._session import fits_of, rerun_line
from pytest_distbench._settings import settings_of

if TYPE_CHECKING:
    from distbench.evaluation.report import Report
    from distbench.hunting import Hunt
    from distbench.suites.check_flow import Check, Outcome

__all__ = ["DistbenchFixture"]

DEFAULT_K = 10
POINTS = ("X_test", "codes", "reference", "k", "name", "include_queries")


class DistbenchFixture:
    """Evaluates encoders inside a test; the results are shown at the end of the run.

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
        k: int | Iterable[int] | None = None,
        name: str | None = None,
        include_queries: bool = True,
        **options: Any,
    ) -> Report:
        """Evaluate an encoder on test points and check limits.

        Parameters
        ----------
        encoder : encoder, recipe or Report
            With ``X_test`` an encoder, as for :func:`distbench.evaluate`; else a recipe (a class or object with
            ``fit(X, code_size, seed)``, or the name of a baseline), fitted on the train points of the marker's data
            set and evaluated on its test points. Of a report the limits alone are checked.
        X_test : array of shape (m, ...) or list of m objects, optional
            The test points; texts and other objects need ``input_space=`` among the options.
        reference : array of shape (n, ...) or list of n objects, optional
            The points in which neighbors are searched, usually the train points; by default the test points.
        k : int or iterable of int, optional
            Number of neighbors, or several; by default the marker's, else 10.
        name : str, optional
            The encoder's name in reports; by default that of its object.
        include_queries : bool
            Whether the other test points are candidates beside the reference.
        **options
            Limits by metric: the smallest allowed value, or the largest if lower is better; limits on metrics with
            their own k are in a mapping, ``limits={"knn_recall@100": 0.9}``. A limit of the call
            replaces that of the marker, and a limit of the marker replaces that of the ini file;
            ``--distbench-limit`` replaces all three. Also ``undecided``, as for :meth:`Report.check`, and the options
            of :func:`distbench.evaluate`: all of them for an encoder, only ``metrics`` and the distances for a recipe.
            Metrics with a limit are always measured.

        Returns
        -------
        Report
            The report, if every limit is met.

        Raises
        ------
        PreservationError
            A limit is broken (an ``AssertionError``). The message has the value, its interval and the worst pairs.
        InputError
            There is no limit; the metric of a limit is unknown or cannot have that value; no encoder of that code size
            can meet the limit on these points; or the points cannot be used. Raised before the encoder runs, unless its
            code size is known only afterwards.
        """
        __tracebackhide__ = True
        points = {"X_test": X_test, "reference": reference, "k": k, "name": name, "include_queries": include_queries}
        return self._judged(encoder, points | options)

    def check_codes(
        self, X_test: Any, Z_test: Any, *, reference: tuple[Any, Any] | None = None, **options: Any
    ) -> Report:
        """Check limits of codes that exist already.

        Parameters
        ----------
        X_test, Z_test
            The test points and their codes, as for :func:`distbench.evaluate_codes`.
        reference : tuple (X_ref, Z_ref), optional
            The points in which neighbors are searched, and their codes.
        **options
            Limits, ``undecided``, ``k`` and ``name`` as in :meth:`check`, and options of
            :func:`distbench.evaluate_codes`. The default name is "codes".

        Returns
        -------
        Report
            The report, if every limit is met.

        Raises
        ------
        PreservationError, InputError
            As in :meth:`check`.
        """
        __tracebackhide__ = True
        return self._judged(None, {"X_test": X_test, "codes": Z_test, "reference": reference, **options})

    def evaluate(
        self,
        encoder: Any,
        X_test: Any = None,
        *,
        reference: Any = None,
        k: int | Iterable[int] | None = None,
        name: str | None = None,
        include_queries: bool = True,
        **options: Any,
    ) -> Report:
        """Evaluate an encoder on test points, without limits.

        Parameters
        ----------
        encoder, X_test, reference, k, name, include_queries
            As in :meth:`check`.
        **options
            Options of :func:`distbench.evaluate`; only ``metrics`` and the distances for a recipe.

        Returns
        -------
        Report
            The report, whose rows are in the leaderboards of the run.

        Raises
        ------
        InputError
            The points cannot be used, or there is no data set to fit a recipe on.
        """
        __tracebackhide__ = True
        try:
            from distbench.evaluation.limits import refuse_unknown

            points = {"X_test": X_test, "reference": reference, "k": k, "name": name}
            options |= {"include_queries": include_queries} | options_of(self._item, encoder)
            check, options = self._new_check(encoder, points | options)
            refuse_unknown(options)
            outcome = self._run(replace(check, options=options))
            record_rows(self._item, outcome.report, labels=outcome.labels, **outcome.row_fields)
            record_suggestion(self._item, check, outcome.report, ())
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
        """Search near the test points for inputs that an encoder merges or tears apart.

        Parameters
        ----------
        encoder : encoder
            A function, a Keras model, or an object with ``transform``, ``encode`` or ``predict``; not a recipe.
        X_test : array of shape (m, ...)
            The points to search around.
        expansion, contraction : float, optional
            The largest allowed ``|z - z'| / |x - x'|`` and the largest allowed ``|x - x'| / |z - z'|``, in the units
            of points and codes. The limits of the marker and the ini file do not apply: they are for test points.
        **options
            Options of :func:`distbench.hunt`, such as ``budget``, ``seed``, ``reach`` and ``bounds``.

        Returns
        -------
        Hunt
            The search and its findings, if every limit is met.

        Raises
        ------
        PreservationError
            A limit is broken (an ``AssertionError``). The message has the pair, and code that reproduces it.
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

    def _judged(self, encoder: Any, arguments: dict[str, Any]) -> Report:
        """Check the limits among the arguments; those that `distbench.checks` has for the encoder come first."""
        __tracebackhide__ = True
        self._item.stash[CALLED] = True
        try:
            from distbench.evaluation.limits import limits_and_options, limits_and_others, merged_limits
            from distbench.inference.verdicts import check_undecided
            from distbench.metrics.neighbor_counts import numbers_of

            settings = settings_of(self._item.config)
            own_limits, own_options = limits_and_others(options_of(self._item, encoder))
            check, options = self._new_check(encoder, arguments | own_options)
            undecided = check_undecided(settings.undecided(options.pop("undecided", None)))
            k = encoder.k if is_report(encoder) else numbers_of(check.k)[0]
            defaults = merged_limits([settings.ini_limits, self._marker.limits], k)
            wins = merged_limits([own_limits, settings.line_limits], k)
            limits, rest = limits_and_options(options, defaults, wins, k=k, measured=is_report(encoder))
            return self._check(replace(check, limits=limits, options=rest, undecided=undecided))
        except DistbenchError as error:
            self._item.stash[RAISED] = error
            if not isinstance(error, PreservationError):
                record_unevaluated(self._item, encoder)
            raise error.with_traceback(None)  # noqa: B904 - so that pytest shows the line of the test
        except Exception:  # in a fit
            record_unevaluated(self._item, encoder)
            raise

    def _new_check(self, encoder: Any, arguments: dict[str, Any]) -> tuple[Check, dict[str, Any]]:
        """Return the check that a call asks for, and its other options; a recipe has the marker's data set."""
        from distbench.metrics.neighbor_counts import numbers_of
        from distbench.suites.check_flow import Check

        marker = self._marker
        options = self._with_marker(arguments, encoder)
        fields = {name: options.pop(name) for name in POINTS if name in options}
        fields["silence"] = settings_of(self._item.config).silence
        k, name = fields.pop("k", None), fields.pop("name", None) or name_of(self._item, encoder)
        if is_report(encoder):
            if k is not None:
                raise InputError("k", "given beside a report", "leave it out: the report has its own")
            return Check(encoder=encoder, name=name, **fields), options
        k = numbers_of(next(number for number in (k, marker.k, DEFAULT_K) if number is not None))
        check = Check(encoder=encoder, k=k, name=name, **fields)
        if check.X_test is not None:
            return check, options
        if marker.dataset is None or marker.code_size is None:
            raise InputError(
                "X_test",
                "not given",
                "give the test points, or mark the test with @pytest.mark.distbench(dataset=..., code_size=...) to fit "
                "and evaluate a recipe",
            )
        seed = settings_of(self._item.config).seed(marker.seed) or 0
        return replace(check, dataset=marker.dataset, code_size=marker.code_size, seed=seed), options

    def _check(self, check: Check) -> Report:
        outcome = self._run(check)
        report, broken = outcome.report, outcome.broken
        name = record_rows(self._item, report, labels=outcome.labels, limits=outcome.limits, **outcome.row_fields)
        record_check(self._item, report, outcome.limits, passed=not broken, encoder=name, undecided=check.undecided)
        record_suggestion(self._item, check, report, outcome.limits)
        if broken:
            message = check_message(check, report, broken, self._item.config)
            record_advice(self._item, name, message.advice)
            raise PreservationError("\n".join([*message.lines, rerun_line(self._item)]))
        return report

    def _with_marker(self, options: dict[str, Any], encoder: Any) -> dict[str, Any]:
        """Return the options of a call; the marker's distance and groups are used if the call has none."""
        if is_report(encoder):
            return options
        distance, groups = self._marker.distance, self._marker.groups
        marked = {} if distance is None else {"distance_x": distance, "distance_z": distance}
        return marked | ({} if groups is None else {"groups": groups}) | options

    def _run(self, check: Check) -> Outcome:
        """Run a check; if the encoder fails, record a row with the failure."""
        from pytest_distbench._progress import Training

        fits = fits_of(self._item.config)
        try:
            with Training(self._item.config) as training:
                return check.run(fits, training)
        except Exception as error:
            if isinstance(error, InputError) and not isinstance(error, EncoderError):
                raise  # the mistake is in the call, not in the encoder
            record_failure(self._item, error, check, fits)
            raise
