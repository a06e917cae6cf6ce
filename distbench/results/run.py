"""The results of a run for its reports, as plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from distbench.results.diagrams import Diagrams
    from distbench.results.gates import RunComparison
    from distbench.results.rows import ClaimOutcome, Row

__all__ = ["SORT_METRIC", "RunResults", "holm_line"]

SORT_METRIC = "continuity"
DECIDED = ("borne out", "refuted")  # verdicts on claims


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
        The metric that ranks encoders.
    advice : mapping
        For the test and the encoder of a broken check, what other encoders reach and what to do next.
    unevaluated : int
        Number of checks whose encoder was not evaluated.
    is_cut : bool
        Whether the run ended before its last test.
    """

    rows: Sequence[Row]
    environment: Mapping[str, Any] = field(default_factory=dict)
    claims: Sequence[ClaimOutcome] = ()
    diagrams: Sequence[Diagrams] = ()
    comparison: RunComparison | None = None
    broken: Sequence[str] = ()
    sort: str = SORT_METRIC
    advice: Mapping[tuple[str, str], Sequence[str]] = field(default_factory=dict)
    unevaluated: int = 0
    is_cut: bool = False


def holm_line(claims: Sequence[ClaimOutcome]) -> str:
    """Return a sentence: how many claims intervals decide without Holm's correction, and how many with it.

    Parameters
    ----------
    claims : sequence of ClaimOutcome
        The claims of a run.

    Returns
    -------
    str
        The sentence; empty if intervals decide fewer than two claims.
    """
    from distbench.inference.verdicts import holm

    p_values = [claim.p_value for claim in claims if claim.p_value is not None]
    decided = sum(claim.p_value is not None and claim.verdict in DECIDED for claim in claims)
    if decided < 2:
        return ""
    return f"intervals decide {decided} of the {len(claims)}, {holm(p_values)} of them also with Holm's correction"
