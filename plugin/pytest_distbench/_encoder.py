"""One encoder of a suite at one code size as a test: by its stored rows, or fitted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pytest

from distbench.errors import InputError, MissingDependencyError, PreservationError, TrainingError
from distbench.results.rows import FAILED, OK, STALE, Row, direction_of, failed_row, report_of
from distbench.results.suite_store_match import RECIPE_CHANGED, Wanted, changes, stale_reasons
from distbench.suites.model import SuiteEncoder
from distbench.suites.recipes import NotInstalledError, Recipe, as_recipe
from pytest_distbench._failure import Broken, broken_lines
from pytest_distbench._item import SuiteItem, of_this_machine, traceback_lines
from pytest_distbench._noting import broken_limits, note_check, note_rows
from pytest_distbench._progress import Training
from pytest_distbench._record import DriftRecord, StoredRecord, UpdateRecord, record_of
from pytest_distbench._session import RETRAIN, bench_of, rerun_line, retrains, updates
from pytest_distbench._settings import settings_of

if TYPE_CHECKING:
    from distbench.evaluation.report import Report

__all__ = ["EncoderItem"]


class EncoderItem(SuiteItem):
    """An encoder of a suite at a code size: held to its limits in each seed.

    Its stored rows are used where they hold; else it is fitted with every seed.
    """

    def __init__(self, *, encoder: SuiteEncoder, code_size: int, added: bool, **rest: Any) -> None:
        super().__init__(**rest)
        self.encoder = encoder
        self.added = added  # by an option: nothing is stored of it
        self.code_size = code_size
        self._recipe_hash = ""
        self._in_sample = encoder.in_sample
        self._broken: list[Broken] = []

    def runtest(self) -> None:
        """Judge the encoder; its rows are kept, whatever becomes of the limits."""
        self._broken = []
        bench = bench_of(self.config)
        try:
            bench.dataset(self.suite.dataset)  # skips where its package is missing
        except NotInstalledError as error:
            pytest.skip(str(error))
        try:  # data that cannot be loaded fail as they are: without points there is no row to note
            recipe = as_recipe(self.encoder.recipe, self.encoder.options)
            self._in_sample = self.encoder.in_sample or recipe.in_sample_only
            bench.check_floors(self._limits(), self.suite.dataset, self.code_size, self.suite.k)
            stored = [] if self.added else self.store.rows_of(self.encoder.name, self.code_size)
            if stored or self._is_stored():
                self._recipe_hash = self._hash()
        except NotInstalledError as error:
            pytest.skip(str(error))
        except InputError as error:
            self._note_failure(None, error)
            raise
        reasons = stale_reasons(stored, self._wanted(recipe)) if stored else []
        fits = retrains(self.config) or not stored
        if stored and not fits and not reasons:
            self._hold_stored(stored)
        elif stored and not fits and not updates(self.config):
            day = stored[0]["stored"]
            self._note_failure(None, f"{'; '.join(reasons)} (stored on {day})", STALE)
            raise self.note_stale(day, reasons)
        else:
            self._fit(recipe, stored, reasons)

    def _hash(self) -> str:
        from distbench.suites.recipe_hash import recipe_hash

        return recipe_hash(self.encoder.recipe, self.encoder.options)

    def _seeds(self, recipe: Recipe) -> tuple[int, ...]:
        seed = settings_of(self.config).seed() if self.added else None
        seeds = self.suite.seeds_of(self.encoder) if seed is None else (seed,)
        return seeds[:1] if recipe.deterministic else seeds

    def _limits(self) -> dict[str, float]:
        """Return the limits: the file's; those of the options for an encoder that came with them."""
        if self.added:
            return settings_of(self.config).limits
        return self.encoder.limits_at(self.code_size)

    def _is_stored(self) -> bool:
        """Say whether what is measured goes to the store: not that of an encoder which the file does not name."""
        return updates(self.config) and not self.added

    def _metrics(self) -> tuple[str, ...]:
        """Return the metrics that are measured: the default ones, and others that have a limit."""
        from distbench.metrics import METRICS

        wanted = set(self._limits())
        if self.added:
            wanted.add(settings_of(self.config).sort)
        return tuple(name for name, metric in METRICS.items() if metric.default or name in wanted)

    def _wanted(self, recipe: Recipe) -> Wanted:
        from distbench.metrics import METRICS

        about = self._about()
        # What a package has measured everywhere makes no row stale that was stored without that package.
        needed = {*METRICS.own(), *self._limits()}
        return Wanted(
            dataset=about["dataset"],
            data_sha256=about["data_sha256"],
            recipe_hash=self._recipe_hash,
            in_sample=self._in_sample,
            k=about["k"],
            m=about["m"],
            M=about["M"],
            seeds=self._seeds(recipe),
            metrics={name: METRICS[name].version for name in self._metrics() if name in needed},
        )

    def _about(self) -> dict[str, Any]:
        data = bench_of(self.config).dataset(self.suite.dataset)
        return {
            "encoder": self.encoder.name,
            "dataset": self.suite.dataset,
            "code_size": self.code_size,
            "k": self.suite.k,
            "m": len(data.test),
            "M": len(data.train) + len(data.test) - 1,
            "test": self.nodeid,
            "data_sha256": data.sha256,
            "recipe_hash": self._recipe_hash,
        }

    def _hold_stored(self, stored: Sequence[Row]) -> None:
        """Hold stored rows to the limits of today; a fit that failed fails again."""
        record, day = record_of(self), stored[0]["stored"]
        environment = self.store.environment_of(self.encoder.name, self.code_size)
        record.stored.append(StoredRecord(kind="encoder", suite=str(self.path), day=day, environment=environment))
        record.rows += [self._held_row(row) for row in stored]
        note = f"stored on {day}, with no pairs: {RETRAIN} fits it anew and shows where it breaks"
        failed = []
        for seed in dict.fromkeys(row["seed"] for row in stored):
            rows = [row for row in stored if row["seed"] == seed]
            bad = [row["status"] for row in rows if row["status"] != OK]
            if bad:
                failed.append(f"seed {seed}: {bad[0]}")
                continue
            self._hold(report_of(rows, notes=[note]), seed)
        again = rerun_line(self, RETRAIN)
        if failed:
            first = f"{self.name} could not be fitted and judged in {len(failed)} seeds when it was stored on {day}"
            raise TrainingError("\n".join([first, *failed, *self._told_broken(), again]))
        if self._broken:
            raise PreservationError("\n".join([*self._told_broken(), again]))

    def _held_row(self, row: Row) -> Row:
        """Return a stored row with the limit of today and what its interval says of it."""
        from distbench.inference.verdicts import verdict

        held, limit = Row(**{**row, "test": self.nodeid}), self._limits().get(row["metric"])
        if limit is not None and row["value"] is not None:
            held["limit"] = limit
            held["verdict"] = verdict(row["value"], row["low"], row["high"], limit, direction_of(row))
        return held

    def _fit(self, recipe: Recipe, stored: Sequence[Row], reasons: Sequence[str]) -> None:
        seeds = self._seeds(recipe)
        failed: list[tuple[int, Exception]] = []
        with Training(self.config) as training:
            for seed in seeds:
                try:
                    self._judge(recipe, seed, training)
                except NotInstalledError as error:
                    pytest.skip(str(error))
                except MissingDependencyError as error:  # the other seeds would miss it too
                    failed.append((seed, error))
                    self._note_failure(seed, error)
                    break
                except Exception as error:
                    failed.append((seed, error))
                    self._note_failure(seed, error)
        if stored:
            self._note_drift(stored, reasons)
        if self._is_stored() and not any(of_this_machine(error) for _, error in failed):
            self._note_update()
        rerun = rerun_line(self)
        if failed:
            raise TrainingError("\n".join([self._failures(failed, len(seeds)), *self._told_broken(), rerun]))
        if self._broken:
            raise PreservationError("\n".join([*self._told_broken(), rerun]))

    def _judge(self, recipe: Recipe, seed: int, training: Training) -> None:
        from distbench.suites.names import default_metrics

        metrics, bench = self._metrics(), bench_of(self.config)
        run = bench.run(
            recipe,
            self.suite.dataset,
            self.code_size,
            seed,
            k=self.suite.k,
            name=self.encoder.name,
            metrics="default" if set(metrics) == set(default_metrics()) else metrics,
            progress=training(f"{self.name} seed {seed}"),
            in_sample=self._in_sample,
        )
        data = bench.dataset(self.suite.dataset)
        note_rows(
            self,
            run.report,
            dataset=self.suite.dataset,
            code_size=self.code_size,
            seed=seed,
            seconds=run.seconds,
            in_sample=run.in_sample,
            note=run.note,
            data_sha256=data.sha256,
            recipe_hash=self._recipe_hash,
            limits=self._limits(),
            labels=data.labels_test,
        )
        self._hold(run.report, seed)

    def _hold(self, report: Report, seed: int | None) -> None:
        """Hold a report to the limits; those that it breaks are kept."""
        from distbench.inference.verdicts import check_undecided

        limits = self._limits()
        if limits:
            broken = broken_limits(report, limits, check_undecided(settings_of(self.config).undecided()))
            note_check(self, report, limits, passed=not broken, seed=seed)
            if broken:
                self._broken.append(Broken(seed, report, broken))

    def _told_broken(self) -> list[str]:
        return broken_lines(self._broken, self.suite.dataset, self.code_size) if self._broken else []

    def _note_failure(self, seed: int | None, error: Exception | str, status: str = FAILED) -> None:
        reason = error if isinstance(error, str) else f"{type(error).__name__}: {error}"
        row = failed_row(reason, seed=seed, in_sample=self._in_sample, status=status, **self._about())
        record_of(self).rows.append(row)

    def _note_drift(self, stored: Sequence[Row], reasons: Sequence[str]) -> None:
        record = record_of(self)
        # Only the same points, seeds, k and metrics can be compared; that another recipe is measured is the point.
        found = [] if set(reasons) - {RECIPE_CHANGED} else changes(stored, record.rows)
        drift = DriftRecord(
            name=self.name,
            suite=str(self.path),
            changes=found,
            told="" if found else f"not compared: {'; '.join(reasons) or 'no numbers to compare'}",
        )
        record.drift.append(drift)

    def _note_update(self) -> None:
        from distbench.results.environment import environment

        update = UpdateRecord(
            suite=str(self.path),
            encoder=self.encoder.name,
            code_size=self.code_size,
            environment=environment(),
            finding=None,
        )
        record_of(self).updates.append(update)

    def _failures(self, failed: list[tuple[int, Exception]], seeds: int) -> str:
        lines = [f"{self.name} could not be fitted and judged in {len(failed)} of {seeds} seeds"]
        lines += [f"seed {seed}: {type(error).__name__}: {error}" for seed, error in failed]
        return "\n".join([*lines, *traceback_lines(failed[0][1])])
