"""What a suite file says, once it has been read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

__all__ = [
    "AngleClaim",
    "BetterClaim",
    "BoundClaim",
    "Claim",
    "CollapseClaim",
    "FloorClaim",
    "Suite",
    "SuiteEncoder",
    "Verdict",
]

Verdict = Literal["borne out", "refuted", "undecided"]


@dataclass(frozen=True)
class SuiteEncoder:
    """An encoder of a suite: its name, its recipe, and the limits it has to keep.

    Attributes
    ----------
    name : str
        As in reports, and as claims of the suite call it.
    recipe : str
        A baseline, or ``module:object``.
    limits : mapping
        By metric: a number, or a mapping from code size to number where it differs between them.
    in_sample : bool
        Whether it is fitted on train and test points together, and judged on the codes it gives those.
    options : mapping
        Handed to the recipe's fit.
    code_sizes : tuple of int or None
        Those of the suite's that it runs at; None: all. Empty: only claims speak of it.
    seeds : tuple of int or None
        Those of the suite's that it is fitted with; None: all.
    """

    name: str
    recipe: str
    limits: Mapping[str, float | Mapping[int, float]]
    in_sample: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)
    code_sizes: tuple[int, ...] | None = None
    seeds: tuple[int, ...] | None = None

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
    dataset: str
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
    """One encoder is better than another by a metric; with a margin: no worse than it by so much."""

    better: str
    than: str
    metric: str
    margin: float = 0.0


@dataclass(frozen=True)
class AngleClaim(_ClaimBase):
    """An encoder spans the subspace of the principal components, to within an angle in degrees."""

    encoder: str
    at_most: float


@dataclass(frozen=True)
class FloorClaim(_ClaimBase):
    """No encoder of the code size can have a metric below a bound on the test points among themselves."""

    metric: str
    at_least: float


@dataclass(frozen=True)
class CollapseClaim(_ClaimBase):
    """Two points far apart can be found whose codes are, in units of the median pair, at most so far apart."""

    encoder: str
    at_most: float


Claim = BoundClaim | BetterClaim | AngleClaim | FloorClaim | CollapseClaim


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

    def encoder(self, name: str) -> SuiteEncoder:
        """Return an encoder: as the suite declares it, else the baseline or recipe of that name."""
        declared = {entry.name: entry for entry in self.encoders}
        return declared.get(name, SuiteEncoder(name, name, {}))

    def recipe(self, encoder: str) -> str:
        """Return the recipe of an encoder: as the suite declares it, else the name itself."""
        return self.encoder(encoder).recipe

    def code_sizes_of(self, encoder: SuiteEncoder) -> tuple[int, ...]:
        """Return the code sizes that an encoder runs at."""
        return self.code_sizes if encoder.code_sizes is None else encoder.code_sizes

    def seeds_of(self, encoder: SuiteEncoder) -> tuple[int, ...]:
        """Return the seeds that an encoder is fitted with."""
        return self.seeds if encoder.seeds is None else encoder.seeds

    def encoders_of(self, claim: Claim) -> tuple[SuiteEncoder, ...]:
        """Return the encoders that a claim speaks of; none of a claim about all of them."""
        if isinstance(claim, FloorClaim):
            return ()
        names = (claim.better, claim.than) if isinstance(claim, BetterClaim) else (claim.encoder,)
        return tuple(self.encoder(name) for name in names)
