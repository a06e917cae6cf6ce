"""What a suite file says, once it has been read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from distbench.suites._fields import TomlLocation
from distbench.suites._lines import Lines

if TYPE_CHECKING:
    from distbench.datasets import Dataset, DataSource

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
    added : bool
        Whether it is none of the file's, but was added to the suite for a run: nothing is stored of it.
    """

    name: str
    recipe: str
    limits: Mapping[str, float | Mapping[int, float]]
    in_sample: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)
    code_sizes: tuple[int, ...] | None = None
    seeds: tuple[int, ...] | None = None
    added: bool = False

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
    """A question, the data it is asked of, and the encoders and claims that answer it.

    Attributes
    ----------
    path : Path
        Its file.
    name, question : str
        What it is called, and what it asks.
    dataset : str
        Name of a shipped data set, or of ``source``.
    code_sizes, seeds : tuple of int
        What encoders are fitted with.
    k : int
        Neighbours, from 1.
    encoders : tuple of SuiteEncoder
        In the order of the file.
    claims : tuple
        Likewise.
    source : DataSource or None
        The suite's own data, where it has some.
    lines : Lines
        Where the keys of the file stand.
    """

    path: Path
    name: str
    question: str
    dataset: str
    code_sizes: tuple[int, ...]
    seeds: tuple[int, ...]
    k: int
    encoders: tuple[SuiteEncoder, ...]
    claims: tuple[Claim, ...]
    source: DataSource | None = None
    lines: Lines = field(default_factory=Lines, compare=False, repr=False)

    @property
    def where(self) -> TomlLocation:
        """The place of the whole file, for error messages."""
        return TomlLocation(self.path.name, self.lines)

    def load_dataset(self, name: str) -> Dataset:
        """Load the suite's own data set, or a shipped one, by name.

        Raises
        ------
        DatasetError
            There is none of that name, or its files cannot be used.
        MissingDependencyError
            A package that it needs is not installed.
        """
        if self.source is not None and name == self.source.name:
            return self.source.load()
        from distbench.datasets import load_dataset

        return load_dataset(name)

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
