"""The value of the ``distbench`` fixture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from distbench.errors import DistbenchError, InputError, PreservationError
from distbench.outcome import SORT_METRIC
from pytest_distbench._limits import Asked, Floors
from pytest_distbench._marker import read_marker
from pytest_distbench._record import CheckRecord, record_of
from pytest_distbench._session import bench_of, rerun_line

if TYPE_CHECKING:
    from distbench.datasets import Dataset
    from distbench.report import Report

__all__ = ["DistbenchFixture"]

DEFAULT_K = 10


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
            With ``X_test``: a function, a Keras model, or an object with ``transform``, ``encode`` or
            ``predict``. Alone: a recipe (a class or object with ``fit(X, code_size, seed)``, or the
            name of a baseline), fitted on the train points of the marker's data set and judged on its
            test points.
        X_test : array of shape (m, ...), optional
            The points to judge on.
        reference : array of shape (n, ...), optional
            The points to look neighbours up in, mostly the train points; the test points if not given.
        k : int, optional
            Neighbours; the marker's, else 10.
        name : str, optional
            The encoder's name in reports; its own by default.
        include_queries : bool
            Whether the other test points are candidates beside the reference.
        **options
            Limits, one a metric, of any of the table: at least or at most, as the metric's direction says.
            They add to the marker's, and win over them. And ``undecided`` as for :meth:`Report.check`, and
            whatever else :func:`distbench.evaluate` takes; with a recipe ``metrics`` alone. Metrics that have
            a limit are measured besides those that are asked for.

        Returns
        -------
        Report

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
        try:
            return self._check(encoder, X_test, reference, k, name, include_queries, options)
        except DistbenchError as error:
            raise error.with_traceback(None)  # noqa: B904 - the same error: a test's author sees the test's line

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
            For :func:`distbench.evaluate`; with a recipe ``metrics`` alone.

        Returns
        -------
        Report

        Raises
        ------
        InputError
            The points cannot be used, or a recipe is given without a data set to fit it on.
        """
        __tracebackhide__ = True
        try:
            return self._evaluate(encoder, X_test, reference, k, name, include_queries, options)
        except DistbenchError as error:
            raise error.with_traceback(None)  # noqa: B904 - as in check

    def _check(
        self,
        encoder: Any,
        X_test: Any,
        reference: Any,
        k: int | None,
        name: str | None,
        queries: bool,
        options: dict[str, Any],
    ) -> Report:
        from distbench.inference.verdicts import check_undecided

        undecided = check_undecided(options.pop("undecided", "value"))
        asked = Asked.of(self._marker.limits, options)
        k = self._neighbours(k)
        floors = Floors(asked.limits, k, X_test, reference is not None, queries, asked.options)
        if X_test is None:
            floors.check_recipe(self._dataset(), self._marker.code_size)
        else:
            floors.check_encoder(encoder)
        report = self._evaluate(encoder, X_test, reference, k, name, queries, asked.options)
        failure = ""
        try:
            report.check(undecided=undecided, **asked.limits)
        except PreservationError as error:
            failure = str(error)
        if failure:
            floors.check_report(report)
        self._note_check(report, met=not failure)
        if failure:
            raise PreservationError(f"{failure}\n{rerun_line(self._item)}")
        return report

    def _evaluate(
        self,
        encoder: Any,
        X_test: Any,
        reference: Any,
        k: int | None,
        name: str | None,
        queries: bool,
        options: dict[str, Any],
    ) -> Report:
        k = self._neighbours(k)
        if X_test is None:
            return self._judge_recipe(encoder, reference, k, name, queries, options)
        import distbench

        report = distbench.evaluate(
            encoder, X_test, reference=reference, k=k, name=name, include_queries=queries, **options
        )
        self._note_rows(report)
        return report

    def _neighbours(self, k: int | None) -> int:
        if k is not None:
            return k
        return DEFAULT_K if self._marker.k is None else self._marker.k

    def _dataset(self) -> Dataset | None:
        dataset = self._marker.dataset
        return None if dataset is None else bench_of(self._item.config).dataset(dataset)

    def _judge_recipe(
        self, recipe: Any, reference: Any, k: int, name: str | None, queries: bool, options: dict[str, Any]
    ) -> Report:
        from distbench.suites import as_recipe
        from pytest_distbench._progress import Training

        dataset, code_size, seed = self._marker.dataset, self._marker.code_size, self._marker.seed
        if dataset is None or code_size is None:
            raise InputError(
                "X_test: not given; give the test points, or mark the test with "
                "@pytest.mark.distbench(dataset=..., code_size=...) to have a recipe fitted and judged"
            )
        metrics = options.get("metrics", "default")
        given = ["reference"] * (reference is not None) + [option for option in options if option != "metrics"]
        if given:
            raise InputError(f"{given[0]}: given for a recipe, which is judged on {dataset} as it is; leave it out")
        fitted = as_recipe(recipe)
        with Training(self._item.config) as training:
            progress = training(f"{name or fitted.name}[{code_size}] seed {seed}")
            run = bench_of(self._item.config).run(
                fitted,
                dataset,
                code_size,
                seed,
                k=k,
                name=name,
                include_queries=queries,
                metrics=metrics if isinstance(metrics, str) else tuple(metrics),
                progress=progress,
            )
        self._note_rows(
            run.report,
            dataset=dataset,
            code_size=code_size,
            seed=seed,
            seconds=run.seconds,
            in_sample=run.in_sample,
            note=run.note,
        )
        return run.report

    def _note_rows(self, report: Report, **about: Any) -> None:
        from distbench.results import rows_of

        rows = rows_of(report, test=self._item.nodeid, leave_one_out={SORT_METRIC}, **about)
        record_of(self._item).rows.extend(rows)

    def _note_check(self, report: Report, met: bool) -> None:
        check = CheckRecord(test=self._item.nodeid, encoder=report.encoder, met=met)
        record_of(self._item).checks.append(check)
