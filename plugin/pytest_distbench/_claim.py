"""One claim of a suite as a test: by its stored finding, or judged."""

from __future__ import annotations

from typing import Any

import pytest

from distbench.errors import TrainingError
from distbench.results.run import ClaimOutcome
from distbench.suites.claims import ClaimResult, claim_key, judge
from distbench.suites.model import Claim
from distbench.suites.recipes import NotInstalledError
from pytest_distbench._item import SuiteItem, of_this_machine, traceback_lines
from pytest_distbench._progress import Training
from pytest_distbench._record import DriftRecord, StoredRecord, UpdateRecord, record_of
from pytest_distbench._session import bench_of, rerun_line, retrains, updates

__all__ = ["ClaimItem"]

STALE = "what the claim rests on has changed: its numbers, data, recipes, seeds or metric"


class ClaimItem(SuiteItem):
    """A claim of a suite: passes when its verdict is the one that the suite expects."""

    def __init__(self, *, claim: Claim, **rest: Any) -> None:
        super().__init__(**rest)
        self.claim = claim

    def runtest(self) -> None:
        """Judge the claim, or take the stored finding where all that it rests on is as it was."""
        stored = self.store.finding(self.claim.id)
        try:
            bench_of(self.config).dataset(self.claim.dataset)
            key = claim_key(self.claim, self.suite) if stored or updates(self.config) else ""
            if stored and not retrains(self.config):
                if stored["key"] == key:
                    self._use(stored)
                    return
                if not updates(self.config):
                    self._note("stale", f"was {stored['verdict']}: {stored['evidence']}", stored["date"])
                    raise self.note_stale(stored["date"], [STALE])
            finding = self._judge(key)
        except NotInstalledError as error:
            pytest.skip(str(error))
        self._note(finding.verdict, finding.evidence)
        if stored:
            self._note_drift(stored, finding)
        if updates(self.config):
            self._note_update(finding.verdict, finding.evidence, key)
        self._expect(finding.verdict, finding.evidence)

    def _judge(self, key: str) -> ClaimResult:
        try:
            with Training(self.config) as training:
                return judge(self.claim, self.suite, bench_of(self.config), training)
        except NotInstalledError:
            raise
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
            self._note("not judged", reason.splitlines()[0])
            if updates(self.config) and not of_this_machine(error):
                # What was stored for it before says nothing any more.
                self._note_update("not judged", reason.splitlines()[0], key)
            text = "\n".join([f"claim {self.claim.id} could not be judged: {reason}", *traceback_lines(error)])
            raise TrainingError(text) from error

    def _use(self, stored: dict[str, Any]) -> None:
        day, environment = stored["date"], dict(self.store.environments[stored["environment"]])
        record = record_of(self)
        record.stored.append(StoredRecord(kind="claim", suite=str(self.path), day=day, environment=environment))
        self._note(stored["verdict"], stored["evidence"], day)
        self._expect(stored["verdict"], f"{stored['evidence']} (stored on {day})")

    def _expect(self, verdict: str, evidence: str) -> None:
        if verdict != self.claim.expect:
            raise AssertionError(
                f"claim {self.claim.id} is {verdict}, expected {self.claim.expect}: "
                f"{self.claim.statement}\n{evidence}\nsource: {self.claim.source}\n{rerun_line(self)}"
            )

    def _note(self, verdict: str, evidence: str, stored: str = "") -> None:
        claim = ClaimOutcome(
            id=self.claim.id,
            statement=self.claim.statement,
            source=self.claim.source,
            verdict=verdict,
            expect=self.claim.expect,
            evidence=evidence,
            stored=stored,
        )
        record_of(self).claims.append(claim)

    def _note_drift(self, stored: dict[str, Any], finding: ClaimResult) -> None:
        same = stored["verdict"] == finding.verdict
        told = "" if same else f"was {stored['verdict']} when stored on {stored['date']}, is now {finding.verdict}"
        record_of(self).drift.append(DriftRecord(name=self.name, suite=str(self.path), changes=[], told=told))

    def _note_update(self, verdict: str, evidence: str, key: str) -> None:
        from distbench.results.environment import environment

        found = {"id": self.claim.id, "key": key, "verdict": verdict, "evidence": evidence}
        update = UpdateRecord(suite=str(self.path), encoder="", code_size=0, environment=environment(), finding=found)
        record_of(self).updates.append(update)
