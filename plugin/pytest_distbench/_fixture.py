"""The value of the ``distbench`` fixture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from distbench.errors import DistbenchError, EncoderError, InputError, PreservationError
from distbench.evaluation.limits import CheckOptions, Floors, refuse_unknown
from pytest_distbench._checks import name_of
from pytest_distbench._hunt import checked_hunt
from pytest_distbench._marker import read_marker
from pytest_distbench._recipe import Judged, judge_recipe
from pytest_distbench._record import note_attempt, note_raised
from pytest_distbench._recording import broken_limits, record_check, record_failure, record_rows, record_unjudged
from pytest_distbench._session import bench_of, rerun_line
from pytest_distbench._settings import settings_of

if TYPE_CHECKING:
    from distbench.datasets import Dataset
    from distbench.evaluation.report import Report
    from distbench.hunting import Hunt
    from distbench.inference.verdicts import Undecided

__all__ = ["DistbenchFixture"]

DEFAULT_K = 10
STANDING_OPTIONS = ("distance_x", "distance_z", "queries", "seed")  # that a baseline is judged with too


class DistbenchFixture:
    """Judges encoders inside a test; what it finds is shown at the end of the run.

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
            Where every limit is met.

        Raises
        ------
        PreservationError
            A limit is broken (an ``AssertionError``): which, by how much, how sure, and where.
        InputError
            No limit is given, no metric has that name, a limit is one that the metric cannot take or that no
            encoder of that code size can keep on these points, or the points cannot be used. Before the encoder
            runs, except that the code size of some encoders is known only then.
        """
        __tracebackhide__ = True
        note_attempt(self._item)
        try:
            return self._check(encoder, X_test, self._judged(reference, k, name, include_queries), options)
        except DistbenchError as error:
            note_raised(self._item, error)
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
            Of the encoder; its rows are in the leaderboards of the run.

        Raises
        ------
        InputError
            The points cannot be used, or a recipe is given without a data set to fit it on.
        """
        __tracebackhide__ = True
        note_attempt(self._item)
        try:
            judged = self._judged(reference, k, name, include_queries)
            refuse_unknown(options)
            report, about = self._measured_or_failed(encoder, X_test, judged, self._with_distance(options))
            record_rows(self._item, report, **about)
            return report
        except DistbenchError as error:
            note_raised(self._item, error)
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
            note_raised(self._item, error)
            raise error.with_traceback(None)  # noqa: B904 - as in check

    def _check(self, encoder: Any, X_test: Any, judged: Judged, options: dict[str, Any]) -> Report:
        from distbench.inference.verdicts import check_undecided

        settings = settings_of(self._item.config)
        undecided = check_undecided(settings.undecided(options.pop("undecided", None)))
        before = {**settings.ini_limits, **self._marker.limits}
        asked = CheckOptions.of(self._with_distance(options), before, settings.line_limits)
        floors = Floors(
            asked.limits, judged.k, X_test, judged.reference is not None, judged.include_queries, asked.options
        )
        if X_test is None:
            floors.check_recipe(self._dataset(), self._marker.code_size)
        else:
            floors.check_encoder(encoder)
        report, about = self._measured_or_failed(encoder, X_test, judged, asked.options)
        failure = ""
        try:
            report.check(undecided=undecided, **asked.limits)
        except PreservationError as error:
            failure = str(error)
        if failure:
            floors.check_report(report)
        record_rows(self._item, report, limits=asked.limits, **about)
        record_check(self._item, report, asked.limits, passed=not failure, undecided=undecided)
        if failure:
            raise PreservationError("\n".join([failure, *self._told_after(report, asked, undecided, X_test, judged)]))
        return report

    def _told_after(
        self, report: Report, asked: CheckOptions, undecided: Undecided, X_test: Any, judged: Judged
    ) -> list[str]:
        """Return what is said after where it breaks: what baselines reach, what to do, and how to run it again."""
        from distbench.evaluation.text import advice, reference_lines
        from distbench.suites.reference_scores import fitted_reference_scores, stored_reference_scores

        broken = broken_limits(report, asked.limits, undecided)
        if X_test is None:
            size = self._marker.code_size or report.code_size
            best = stored_reference_scores(report, str(self._marker.dataset), size, broken)
        else:
            options = {name: asked.options[name] for name in STANDING_OPTIONS if name in asked.options}
            options["include_queries"] = judged.include_queries
            size, best = report.code_size, {}
            if "precision" not in asked.options:  # which points that judges depends on the encoder
                best = fitted_reference_scores(report, broken, options)
        return [*reference_lines(best, size), advice(report, broken, best), rerun_line(self._item)]

    def _with_distance(self, options: dict[str, Any]) -> dict[str, Any]:
        distance = self._marker.distance
        return options if distance is None else {"distance_x": distance, "distance_z": distance, **options}

    def _measured_or_failed(
        self, encoder: Any, X_test: Any, judged: Judged, options: dict[str, Any]
    ) -> tuple[Report, dict[str, Any]]:
        """Return what was measured; an encoder that fails leaves a row that says so, without a place."""
        try:
            return self._measured(encoder, X_test, judged, options)
        except Exception as error:
            if isinstance(error, InputError) and not isinstance(error, EncoderError):
                raise  # the call is at fault, not the encoder
            from distbench.encoders.resolve import name_of as own_name

            name = judged.name or name_of(self._item, encoder) or own_name(encoder)
            data = self._dataset() if X_test is None else None
            points = (X_test, judged.reference) if data is None else (data.test, data.train)
            sha256 = "" if data is None else data.sha256
            record_failure(self._item, error, name, self._marker, judged.k, points, sha256)
            raise

    def _measured(
        self, encoder: Any, X_test: Any, judged: Judged, options: dict[str, Any]
    ) -> tuple[Report, dict[str, Any]]:
        """Return the report, and what its rows say beside it."""
        if X_test is None:
            return judge_recipe(self._item, self._marker, encoder, judged, options)
        import distbench
        from distbench._util.notes import warnings_of

        name = judged.name or name_of(self._item, encoder)
        report = distbench.evaluate(
            encoder,
            X_test,
            reference=judged.reference,
            k=judged.k,
            name=name,
            include_queries=judged.include_queries,
            **options,
        )
        return report, {"labels": options.get("labels"), "note": warnings_of(report.notes)}

    def _judged(self, reference: Any, k: int | None, name: str | None, include_queries: bool) -> Judged:
        if k is None:
            k = DEFAULT_K if self._marker.k is None else self._marker.k
        return Judged(reference, k, name, include_queries)

    def _dataset(self) -> Dataset | None:
        dataset = self._marker.dataset
        return None if dataset is None else bench_of(self._item.config).dataset(dataset)
