"""One claim of a suite as a test."""

from __future__ import annotations

from typing import Any

from distbench._util.text import type_and_line
from distbench.errors import TrainingError
from distbench.results.rows import ClaimOutcome
from distbench.suites.claims import ClaimResult, claim_key, judge
from distbench.suites.recipes import NotInstalledError
from distbench.suites.suite import Claim
from pytest_distbench._item import SuiteItem, of_this_machine, traceback_lines
from pytest_distbench._progress import Training
from pytest_distbench._record import record_of
from pytest_distbench._session import fits_of, rerun_line
from pytest_distbench._settings import settings_of

__all__ = ["ClaimItem"]

STALE = "the claim's numbers, data, recipes, seeds or metric have changed"


class ClaimItem(SuiteItem):
    """A claim of a suite, which passes if its verdict is the one that the suite expects."""

    def __init__(self, *, claim: Claim, **rest: Any) -> None:
        super().__init__(**rest)
        self.claim = claim

    def check(self) -> None:
        """Use the stored verdict, if nothing that it depends on has changed; else evaluate the claim."""
        stored = self.store.claim(self.claim.id)
        fits_of(self.config).dataset(self.claim.dataset)
        key = claim_key(self.claim, self.suite) if stored or settings_of(self.config).update else ""
        if stored and not settings_of(self.config).retrain:
            day = stored.stored
            if stored.key == key:
                self.record_stored("claim", day, self.store.environment_of(stored))
                self._record(stored.verdict, stored.evidence, day, p_value=stored.p_value)
                self._expect(stored.verdict, f"{stored.evidence} (stored on {day})")
                return
            if not settings_of(self.config).update:
                self._record("stale", f"was {stored.verdict}: {stored.evidence}", day)
                raise self.stale_error(day, [STALE])
        result = self._judge(key)
        self._record(result.verdict, result.evidence, key=key, p_value=result.p_value)
        if stored:
            change = f"was {stored.verdict} when stored on {stored.stored}, is now {result.verdict}"
            self.record_drift([], "" if stored.verdict == result.verdict else change)
        if settings_of(self.config).update:
            self.record_update()
        self._expect(result.verdict, result.evidence)

    def _judge(self, key: str) -> ClaimResult:
        try:
            with Training(self.config) as training:
                return judge(self.claim, self.suite, fits_of(self.config), training)
        except NotInstalledError:
            raise
        except Exception as error:
            reason = type_and_line(error)
            self._record("not judged", reason, key=key)
            if settings_of(self.config).update and not of_this_machine(error):
                self.record_update()  # the stored verdict is no longer valid
            text = "\n".join([f"claim {self.claim.id} could not be evaluated: {reason}", *traceback_lines(error)])
            raise TrainingError(text) from error

    def _expect(self, verdict: str, evidence: str) -> None:
        if verdict != self.claim.expect:
            raise AssertionError(
                f"claim {self.claim.id} is {verdict}, expected {self.claim.expect}: "
                f"{self.claim.statement}\n{evidence}\nsource: {self.claim.source}\n{rerun_line(self)}"
            )

    def _record(
        self, verdict: str, evidence: str, stored: str = "", key: str = "", p_value: float | None = None
    ) -> None:
        claim = ClaimOutcome(
            id=self.claim.id,
            statement=self.claim.statement,
            source=self.claim.source,
            verdict=verdict,
            expect=self.claim.expect,
            evidence=evidence,
            key=key,
            stored=stored,
            p_value=p_value,
        )
        record_of(self).claims.append(claim)
