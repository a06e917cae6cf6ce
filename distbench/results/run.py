"""What a run leaves for its reports, as plain data: nothing here measures, and nothing that renders computes."""

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
    """What a run found.

    Attributes
    ----------
    rows : sequence of Row
        Of all encoders, metrics and seeds.
    environment : mapping
        From :func:`distbench.results.environment.environment`.
    claims : sequence of ClaimOutcome
        The claims of suites and their verdicts.
    diagrams : sequence of Diagrams
        The numbers of diagrams, one an encoder, data set, code size and seed; only where a report shows them.
    comparison : RunComparison or None
        What changed since a stored run, where one was asked for.
    broken : sequence of str
        One line for each gate on that comparison that is broken.
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
