"""The results of a run for its reports, as plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from distbench.results.diagrams import Diagrams
    from distbench.results.gates import RunComparison
    from distbench.results.rows import ClaimOutcome, Row

__all__ = ["SORT_METRIC", "RunResults"]

SORT_METRIC = "continuity"


@dataclass(frozen=True)
class RunResults:
    """The results of a run.

    Attributes
    ----------
    rows : sequence of Row
        Rows of all encoders, metrics and seeds.
    environment : mapping
        The environment, from :func:`distbench.results.environment.environment`.
    claims : sequence of ClaimOutcome
        The claims of suites and their verdicts.
    diagrams : sequence of Diagrams
        The numbers of diagrams for each encoder, data set, code size and seed, if a report shows them.
    comparison : RunComparison or None
        The changes since a stored run, if there is one to compare with.
    broken : sequence of str
        One line for each broken gate on that comparison.
    sort : str
        The metric that ranks.
    """

    rows: Sequence[Row]
    environment: Mapping[str, Any] = field(default_factory=dict)
    claims: Sequence[ClaimOutcome] = ()
    diagrams: Sequence[Diagrams] = ()
    comparison: RunComparison | None = None
    broken: Sequence[str] = ()
    sort: str = SORT_METRIC
