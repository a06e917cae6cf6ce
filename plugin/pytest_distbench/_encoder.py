"""One encoder of a suite at one code size as a test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from distbench._util.text import type_and_line
from distbench.errors import InputError, MissingDependencyError, PreservationError, TrainingError
from distbench.results.rows import FAILED, OK, STALE, Row, failed_row, report_of
from distbench.results.suite_store import RECIPE_CHANGED, drifts, stale_reasons
from distbench.suites.recipe_hash import recipe_hash
from distbench.suites.recipes import NotInstalledError, Recipe, as_recipe
from distbench.suites.suite import SuiteEncoder
from pytest_distbench._failure import Broken, broken_message
from pytest_distbench._item import SuiteItem, of_this_machine, traceback_lines
from pytest_distbench._options import RETRAIN
from pytest_distbench._progress import Training
from pytest_distbench._record import record_advice, record_check, record_of, record_rows
from pytest_distbench._seen import keep_scores
from pytest_distbench._session import fits_of, node_id, rerun_line
from pytest_distbench._settings import settings_of

if TYPE_CHECKING:
    from distbench.evaluation.report import Report

__all__ = ["EncoderItem"]


class EncoderItem(SuiteItem):
    """A test of an encoder's limits at one code size, for every seed; valid stored rows replace the fits."""

    def __init__(self, *, encoder: SuiteEncoder, code_size: int, added: bool, **rest: Any) -> None:
        super().__init__(**rest)
        self.encoder = encoder
        self.code_size = code_size
        self.added = added  # by an option, so its rows are not stored
        self._recipe_hash = ""
        self._in_sample = encoder.in_sample
        self._broken: list[Broken] = []

    def check(self) -> None:
        """Record the encoder's rows, stored or new, and check its limits."""
        from distbench.inference.floors import check_floors

        self._broken = []
        # If the points cannot be loaded, there is no row to record.
        data = fits_of(self.config).dataset(self.suite.dataset)
        try:
            recipe = as_recipe(self.encoder.recipe, self.encoder.options)
            self._in_sample = self.encoder.in_sample or recipe.in_sample_only
            if not self.suite.options:  # floors are of Euclidean distances
                check_floors(self._limits(), data.test, self.code_size, k=self.suite.k, reference=True)
            stored = [] if self.added else self.store.rows_of(self.encoder.name, self.code_size)
            if stored or self._stores_rows():
                self._recipe_hash = recipe_hash(self.encoder.recipe, self.encoder.options)
        except InputError as error:
            self._record_failure(None, error)
            raise
        reasons = self._stale_reasons(stored, recipe) if stored else []
        if not stored or settings_of(self.config).retrain or (reasons and settings_of(self.config).update):
            self._fit(recipe, stored, reasons)
        elif reasons:
            day = stored[0].stored
            self._record_failure(None, f"{'; '.join(reasons)} (stored on {day})", STALE)
            raise self.stale_error(day, reasons)
        else:
            self._check_stored(stored)

    def _limits(self) -> Mapping[str, float]:
        """Return the suite's limits; for an encoder that an option added, the limits of the options."""
        from distbench.evaluation.limits import merged_limits

        settings = settings_of(self.config)
        sources = [self.encoder.limits_at(self.code_size)]
        if self.added:
            sources = [settings.ini_limits, settings.line_limits]
        return merged_limits(sources, self.suite.k)

    def _stores_rows(self) -> bool:
        return settings_of(self.config).update and not self.added

    def _seeds(self, recipe: Recipe) -> tuple[int, ...]:
        seed = settings_of(self.config).seed() if self.added else None
        seeds = self.suite.seeds_of(self.encoder) if seed is None else (seed,)
        return seeds[:1] if recipe.deterministic else seeds

    def _metrics(self) -> tuple[str, ...]:
        """Return the metrics to measure: the default ones, those with a limit, and the one that ranks leaderboards."""
        from distbench.metrics import METRICS, default_metrics

        names = [*default_metrics(), *self._limits(), *([settings_of(self.config).sort] if self.added else [])]
        return tuple(metric.name for metric in METRICS.at_each_k(METRICS.in_order(names), (self.suite.k,)))

    def _row_fields(self) -> dict[str, Any]:
        data = fits_of(self.config).dataset(self.suite.dataset)
        return {
            "encoder": self.encoder.name,
            "dataset": self.suite.dataset,
            "code_size": self.code_size,
            "k": self.suite.k,
            "m": len(data.test),
            "M": len(data.train) + len(data.test) - 1,
            "test": node_id(self),
            "data_sha256": data.sha256,
            "recipe_hash": self._recipe_hash,
            "in_sample": self._in_sample,
            "distance": self.suite.distance,
        }

    def _stale_reasons(self, stored: Sequence[Row], recipe: Recipe) -> list[str]:
        from distbench.metrics import METRICS
        from distbench.metrics.table import base_name

        # An installed package may add a metric; rows that were stored without the package are still valid.
        needed = {*METRICS.builtin(), *map(base_name, self._limits())}
        versions = {name: METRICS[name].version for name in self._metrics() if base_name(name) in needed}
        return stale_reasons(stored, self._row_fields(), self._seeds(recipe), versions)

    def _check_stored(self, stored: Sequence[Row]) -> None:
        """Check stored rows against today's limits; a stored failure of a fit fails the test again."""
        day = stored[0].stored
        self.record_stored("encoder", day, self.store.environment_of(stored[0]))
        record_of(self).rows += [self._with_limit(row) for row in stored]
        keep_scores(self.config, stored)
        note = f"stored on {day}, without pairs of points: {RETRAIN} fits the encoder again and shows the worst pairs"
        failed = []
        for seed in dict.fromkeys(row.seed for row in stored):
            rows = [row for row in stored if row.seed == seed]
            status = next((row.status for row in rows if row.status != OK), None)
            if status is None:
                self._check_limits(report_of(rows, notes=[note]), seed)
            else:
                failed.append(f"seed {seed}: {status}")
        heading = f"{self.name} could not be fitted and evaluated in {len(failed)} seeds when it was stored on {day}"
        self._raise_failures([heading, *failed] if failed else [], RETRAIN)

    def _with_limit(self, row: Row) -> Row:
        """Return a stored row with today's limit and the verdict on it."""
        from distbench.inference.verdicts import verdict
        from distbench.metrics import METRICS

        limits = self._limits()
        name = METRICS.same(row.metric, limits, row.k)
        if name is None or row.value is None:
            return replace(row, test=node_id(self))
        limit = limits[name]
        outcome = verdict(row.value, row.low, row.high, limit, row.direction)
        return replace(row, test=node_id(self), limit=limit, verdict=outcome)

    def _fit(self, recipe: Recipe, stored: Sequence[Row], reasons: Sequence[str]) -> None:
        seeds = self._seeds(recipe)
        failed: list[tuple[int, Exception]] = []
        with Training(self.config) as training:
            for seed in seeds:
                try:
                    self._evaluate(recipe, seed, training)
                except NotInstalledError:
                    raise
                except Exception as error:
                    failed.append((seed, error))
                    self._record_failure(seed, error)
                    if isinstance(error, MissingDependencyError):  # the other seeds would fail in the same way
                        break
        if stored:
            # New and stored rows are compared if only the recipe has changed.
            drift = [] if set(reasons) - {RECIPE_CHANGED} else drifts(stored, record_of(self).rows)
            self.record_drift(drift, "" if drift else f"not compared: {'; '.join(reasons) or 'no numbers to compare'}")
        if self._stores_rows() and not any(of_this_machine(error) for _, error in failed):
            self.record_update()
        lines = [f"seed {seed}: {type_and_line(error)}" for seed, error in failed]
        if failed:
            heading = f"{self.name} could not be fitted and evaluated in {len(failed)} of {len(seeds)} seeds"
            lines = [heading, *lines, *traceback_lines(failed[0][1])]
        self._raise_failures(lines)

    def _evaluate(self, recipe: Recipe, seed: int, training: Training) -> None:
        from distbench.metrics import default_metrics
        from distbench.suites.check_flow import Check

        metrics = self._metrics()
        check = Check(
            encoder=recipe,
            dataset=self.suite.dataset,
            code_size=self.code_size,
            seed=seed,
            in_sample=self._in_sample,
            k=self.suite.k,
            name=self.encoder.name,
            options={
                "metrics": "default" if set(metrics) == set(default_metrics()) else metrics,
                **self.suite.options,
            },
            limits=self._limits(),
            silence=settings_of(self.config).silence,
        )
        outcome = check.run(fits_of(self.config), training)
        hashed = {"recipe_hash": self._recipe_hash}
        record_rows(self, outcome.report, labels=outcome.labels, limits=outcome.limits, **hashed, **outcome.row_fields)
        self._check_limits(outcome.report, seed)

    def _check_limits(self, report: Report, seed: int | None) -> None:
        """Check a report's limits, and keep those that it breaks."""
        from distbench.inference.verdicts import check_undecided

        limits = self._limits()
        if limits:
            limits = report.checked_limits(limits)
            broken = report.broken(limits, check_undecided(settings_of(self.config).undecided()))
            record_check(self, report, limits, passed=not broken, encoder=report.encoder, seed=seed)
            if broken:
                self._broken.append(Broken(seed, report, broken))

    def _raise_failures(self, failed: Sequence[str], option: str = "") -> None:
        """Raise the error for seeds that failed, or else for broken limits, if there are any."""
        broken: list[str] = []
        if self._broken:
            message = broken_message(self._broken, self.suite.dataset, self.code_size, self.config)
            record_advice(self, self.encoder.name, message.advice)
            broken = message.lines
        if failed or broken:
            error = TrainingError if failed else PreservationError
            raise error("\n".join([*failed, *broken, rerun_line(self, option)]))

    def _record_failure(self, seed: int | None, error: Exception | str, status: str = FAILED) -> None:
        reason = error if isinstance(error, str) else type_and_line(error)
        row = failed_row(reason, seed=seed, status=status, **self._row_fields())
        record_of(self).rows.append(row)
