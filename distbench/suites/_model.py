"""What a suite file says, once it has been read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

__all__ = ["AngleClaim", "BetterClaim", "BoundClaim", "Claim", "Suite", "SuiteEncoder", "Verdict"]

Verdict = Literal["borne out", "refuted", "undecided"]


@dataclass(frozen=True)
class SuiteEncoder:
    """An encoder of a suite: its name, its recipe, and the limits it has to keep.

    A limit is a number, or a mapping from code size to number where it differs between them.
    """

    name: str
    recipe: str
    limits: Mapping[str, float | Mapping[int, float]]

    def limits_at(self, code_size: int) -> dict[str, float]:
        """Return the limits that hold at a code size, by metric."""
        found = {}
        for metric, limit in self.limits.items():
            if not isinstance(limit, Mapping):
                found[metric] = limit
            elif code_size in limit:
                found[metric] = limit[code_size]
        return found


@dataclass(frozen=True)
class _ClaimBase:
    id: str
    statement: str
    source: str
    expect: Verdict
    code_size: int


@dataclass(frozen=True)
class BoundClaim(_ClaimBase):
    """An encoder's metric is at least, or at most, a bound."""

    encoder: str
    metric: str
    at_least: float | None
    at_most: float | None


@dataclass(frozen=True)
class BetterClaim(_ClaimBase):
    """One encoder is better than another by a metric."""

    better: str
    than: str
    metric: str


@dataclass(frozen=True)
class AngleClaim(_ClaimBase):
    """An encoder spans the subspace of the principal components, to within an angle in degrees."""

    encoder: str
    at_most: float


Claim = BoundClaim | BetterClaim | AngleClaim


@dataclass(frozen=True)
class Suite:
    """A question, the data it is asked of, and the encoders and claims that answer it."""

    path: Path
    name: str
    question: str
    dataset: str
    code_sizes: tuple[int, ...]
    seeds: tuple[int, ...]
    k: int
    encoders: tuple[SuiteEncoder, ...]
    claims: tuple[Claim, ...]

    def recipe(self, encoder: str) -> str:
        """Return the recipe of an encoder: as the suite declares it, else the name itself."""
        declared = {entry.name: entry.recipe for entry in self.encoders}
        return declared.get(encoder, encoder)
