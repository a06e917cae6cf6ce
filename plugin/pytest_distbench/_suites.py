"""Suite files as tests: one item an encoder and code size, one item a claim."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest

from distbench.errors import (
    DistbenchError,
    InputError,
    MissingDependencyError,
    PreservationError,
    SuiteError,
    TrainingError,
)
from distbench.results import failed_row, rows_of
from distbench.suites import Claim, Recipe, Suite, SuiteEncoder, as_recipe, check_suite, judge, read_suite
from pytest_distbench._fixture import SORT_METRIC
from pytest_distbench._progress import Training
from pytest_distbench._record import CheckRecord, ClaimRecord, record_of
from pytest_distbench._session import REASON, bench_of, enabled, rerun_line

__all__ = ["ClaimItem", "EncoderItem", "SuiteFile"]


class SuiteFile(pytest.File):
    """A TOML file with ``distbench = 1``."""

    def collect(self) -> Iterator[pytest.Item]:
        """Yield the encoders at each code size, then the claims."""
        try:
            suite = read_suite(self.path)
            if enabled(self.config):
                check_suite(suite)
        except SuiteError as error:
            raise self.CollectError(str(error)) from None
        for code_size in suite.code_sizes:
            for encoder in suite.encoders:
                name = f"{encoder.name}[{code_size}]"
                yield EncoderItem.from_parent(self, name=name, suite=suite, encoder=encoder, code_size=code_size)
        for claim in suite.claims:
            yield ClaimItem.from_parent(self, name=claim.id, suite=suite, claim=claim)


class _SuiteItem(pytest.Item):
    def __init__(self, *, suite: Suite, **rest: Any) -> None:
        super().__init__(**rest)
        self.suite = suite
        if not enabled(self.config):
            self.add_marker(pytest.mark.skip(reason=REASON))

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, 0, f"{self.path.name}: {self.name}"

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Show what distbench has to say as it is, without its internals; anything else as ever."""
        if isinstance(excinfo.value, DistbenchError | AssertionError):
            return excinfo.getrepr(style="value", chain=False)
        return super().repr_failure(excinfo, style)


class EncoderItem(_SuiteItem):
    """An encoder of a suite at a code size: fitted with every seed, held to its limits in each."""

    def __init__(self, *, encoder: SuiteEncoder, code_size: int, **rest: Any) -> None:
        super().__init__(**rest)
        self.encoder = encoder
        self.code_size = code_size

    def runtest(self) -> None:
        """Fit and judge the encoder; its rows are kept, whatever becomes of the limits."""
        try:
            recipe = as_recipe(self.encoder.recipe)
            self._check_limits()
        except InputError as error:
            self._note_failure(None, error)
            raise
        seeds = self.suite.seeds[:1] if recipe.deterministic else self.suite.seeds
        failed: list[tuple[int, Exception]] = []
        broken: list[str] = []
        with Training(self.config) as training:
            for seed in seeds:
                try:
                    self._judge(recipe, seed, training)
                except PreservationError as error:
                    broken.append(f"seed {seed}: {error}")
                except MissingDependencyError as error:  # the other seeds would miss it too
                    failed.append((seed, error))
                    self._note_failure(seed, error)
                    break
                except Exception as error:
                    failed.append((seed, error))
                    self._note_failure(seed, error)
        rerun = rerun_line(self)
        if failed:
            raise TrainingError("\n".join([self._failures(failed, len(seeds)), *broken, rerun]))
        if broken:
            raise PreservationError("\n".join([*broken, rerun]))

    def _check_limits(self) -> None:
        """Refuse limits that no encoder could keep, before one is fitted."""
        limits = self.encoder.limits_at(self.code_size)
        if limits:
            from distbench.inference.floors import check_floors

            test = bench_of(self.config).dataset(self.suite.dataset).test
            check_floors(limits, test, self.code_size, k=self.suite.k, reference=True)

    def _judge(self, recipe: Recipe, seed: int, training: Training) -> None:
        name, record = self.encoder.name, record_of(self)
        run = bench_of(self.config).run(
            recipe,
            self.suite.dataset,
            self.code_size,
            seed,
            k=self.suite.k,
            name=name,
            progress=training(f"{self.name} seed {seed}"),
        )
        record.rows += rows_of(
            run.report,
            dataset=self.suite.dataset,
            code_size=self.code_size,
            seed=seed,
            seconds=run.seconds,
            test=self.nodeid,
            leave_one_out={SORT_METRIC},
        )
        limits = self.encoder.limits_at(self.code_size)
        if limits:
            check = CheckRecord(test=self.nodeid, encoder=name, met=False)
            record.checks.append(check)
            run.report.check(undecided="value", **limits)
            check["met"] = True

    def _note_failure(self, seed: int | None, error: Exception) -> None:
        data = bench_of(self.config).dataset(self.suite.dataset)
        row = failed_row(
            f"{type(error).__name__}: {error}",
            encoder=self.encoder.name,
            dataset=self.suite.dataset,
            code_size=self.code_size,
            k=self.suite.k,
            m=len(data.test),
            M=len(data.train) + len(data.test) - 1,
            seed=seed,
            test=self.nodeid,
        )
        record_of(self).rows.append(row)

    def _failures(self, failed: list[tuple[int, Exception]], seeds: int) -> str:
        lines = [f"{self.name} could not be fitted and judged in {len(failed)} of {seeds} seeds"]
        lines += [f"seed {seed}: {type(error).__name__}: {error}" for seed, error in failed]
        return "\n".join([*lines, *_traceback(failed[0][1])])


class ClaimItem(_SuiteItem):
    """A claim of a suite: passes when its verdict is the one that the suite expects."""

    def __init__(self, *, claim: Claim, **rest: Any) -> None:
        super().__init__(**rest)
        self.claim = claim

    def runtest(self) -> None:
        """Judge the claim."""
        try:
            with Training(self.config) as training:
                finding = judge(self.claim, self.suite, bench_of(self.config), training)
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
            self._note("not judged", reason.splitlines()[0])
            text = "\n".join([f"claim {self.claim.id} could not be judged: {reason}", *_traceback(error)])
            raise TrainingError(text) from error
        self._note(finding.verdict, finding.evidence)
        if not finding.as_expected:
            raise AssertionError(
                f"claim {self.claim.id} is {finding.verdict}, expected {self.claim.expect}: "
                f"{self.claim.statement}\n{finding.evidence}\nsource: {self.claim.source}\n"
                f"{rerun_line(self)}"
            )

    def _note(self, verdict: str, evidence: str) -> None:
        claim = ClaimRecord(
            id=self.claim.id,
            statement=self.claim.statement,
            source=self.claim.source,
            verdict=verdict,
            expect=self.claim.expect,
            evidence=evidence,
        )
        record_of(self).claims.append(claim)


def _traceback(error: BaseException) -> list[str]:
    """Return the lines of a traceback from the first frame that is not ours; none for our own errors."""
    if isinstance(error, DistbenchError):
        return []
    frames = error.__traceback__
    while frames is not None and _is_ours(frames):
        frames = frames.tb_next
    lines = traceback.format_exception(type(error), error, frames or error.__traceback__)
    return ["", *(line.rstrip("\n") for line in lines)]


def _is_ours(frames: TracebackType) -> bool:
    package = str(frames.tb_frame.f_globals.get("__name__", "")).partition(".")[0]
    return package in ("distbench", "pytest_distbench")
