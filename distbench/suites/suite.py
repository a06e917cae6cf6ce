"""The content of a suite file; the annotations describe the values that each key may have."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from msgspec import Meta

from distbench._util.distances import EUCLIDEAN
from distbench.suites._toml import TomlLocation

if TYPE_CHECKING:
    from distbench.datasets import Dataset, DataSource

__all__ = [
    "AngleClaim",
    "BetterClaim",
    "BoundClaim",
    "Claim",
    "CollapseClaim",
    "Count",
    "Counts",
    "FloorClaim",
    "Number",
    "Seeds",
    "Suite",
    "SuiteEncoder",
    "Table",
    "Text",
    "Verdict",
]

_LARGEST = sys.float_info.max
Text = Annotated[str, Meta(pattern=r"\S", description="a text in quotes")]
Number = Annotated[float, Meta(ge=-_LARGEST, le=_LARGEST, description="a number")]
NumberFrom0 = Annotated[float, Meta(ge=0, le=_LARGEST, description="a number from 0")]
Count = Annotated[int, Meta(ge=1, description="an integer from 1")]
Counts = Annotated[tuple[Count, ...], Meta(min_length=1, description="a list of integers from 1, such as [2, 8]")]
CountsOrNone = Annotated[tuple[Count, ...], Meta(description="a list of integers from 1, such as [2, 8], or []")]
Seeds = Annotated[
    tuple[Annotated[int, Meta(ge=0)], ...], Meta(min_length=1, description="a list of integers from 0, such as [0, 1]")
]
Flag = Annotated[bool, Meta(description="true or false")]
Table = Annotated[dict[str, Any], Meta(description="a table: {name = value}")]
Verdict = Literal["borne out", "refuted", "undecided"]
_Expected = Annotated[Verdict, Meta(description="one of 'borne out', 'refuted', 'undecided'")]


@dataclass(frozen=True)
class SuiteEncoder:
    """An encoder of a suite.

    Attributes
    ----------
    name : str
        The name in reports and in the suite's claims.
    recipe : str
        A baseline, or ``module:object``.
    limits : mapping
        For each metric a number, or a mapping from code size to number.
    in_sample : bool
        Whether it is fitted on train and test points together, and the codes from this fit are evaluated.
    options : mapping
        Keyword arguments of the recipe's ``fit``.
    code_sizes, seeds : tuple of int or None
        Code sizes and seeds, out of the suite's, with which it is run; None means all. If `code_sizes` is empty, it is
        used only for claims.
    """

    name: Text
    recipe: Text
    limits: Table = field(default_factory=dict)
    in_sample: Flag = False
    options: Table = field(default_factory=dict)
    code_sizes: CountsOrNone | None = None
    seeds: Seeds | None = None

    def limits_at(self, code_size: int) -> dict[str, float]:
        """Return the limits that hold at a code size, by metric."""
        limits = {}
        for metric, limit in self.limits.items():
            if not isinstance(limit, Mapping):
                limits[metric] = limit
            elif code_size in limit:
                limits[metric] = limit[code_size]
        return limits


@dataclass(frozen=True, kw_only=True)
class _ClaimBase:
    id: Text
    statement: Text
    source: Text
    expect: _Expected = "borne out"
    dataset: Text
    code_size: Count


@dataclass(frozen=True, kw_only=True)
class BoundClaim(_ClaimBase):
    """An encoder's metric is at least, or at most, a bound."""

    encoder: Text
    metric: Text
    at_least: Number | None = None
    at_most: Number | None = None


@dataclass(frozen=True, kw_only=True)
class BetterClaim(_ClaimBase):
    """One encoder is better than another by a metric; with a margin, it may be worse by less than the margin."""

    better: Text
    than: Text
    metric: Text
    margin: NumberFrom0 = 0.0


@dataclass(frozen=True, kw_only=True)
class AngleClaim(_ClaimBase):
    """The subspace that an encoder spans is within an angle (in degrees) of that of the principal components."""

    encoder: Text
    at_most: Number


@dataclass(frozen=True, kw_only=True)
class FloorClaim(_ClaimBase):
    """No encoder of the code size can have a value of a metric below a bound, on the test points in sample."""

    metric: Text
    at_least: Number


@dataclass(frozen=True, kw_only=True)
class CollapseClaim(_ClaimBase):
    """Two points far apart have codes within a distance, in units of the median distance between codes."""

    encoder: Text
    at_most: NumberFrom0


Claim = BoundClaim | BetterClaim | AngleClaim | FloorClaim | CollapseClaim


@dataclass(frozen=True)
class Suite:
    """A question about a data set, with the encoders and claims that answer it, in the order of the file.

    `dataset` is the name of a shipped data set or of `source`, the suite's own data. `where` has the line numbers of
    the file's keys, for error messages.
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
    distance: str = EUCLIDEAN
    where: TomlLocation = field(default=TomlLocation(), compare=False, repr=False)

    @property
    def options(self) -> dict[str, str]:
        """Options of `distbench.evaluate`: the distance of points and of codes, unless it is the Euclidean one."""
        return {} if self.distance == EUCLIDEAN else {"distance_x": self.distance, "distance_z": self.distance}

    def load_dataset(self, name: str) -> Dataset:
        """Load the suite's own data set or a shipped one by name."""
        if self.source is not None and name == self.source.name:
            return self.source.load()
        from distbench.datasets import load_dataset

        return load_dataset(name)

    def encoder(self, name: str) -> SuiteEncoder:
        """Return the suite's encoder with this name, else the baseline or recipe with this name."""
        declared = {encoder.name: encoder for encoder in self.encoders}
        return declared.get(name, SuiteEncoder(name, name))

    def code_sizes_of(self, encoder: SuiteEncoder) -> tuple[int, ...]:
        """Return the code sizes that an encoder runs at."""
        return self.code_sizes if encoder.code_sizes is None else encoder.code_sizes

    def seeds_of(self, encoder: SuiteEncoder) -> tuple[int, ...]:
        """Return the seeds that an encoder is fitted with."""
        return self.seeds if encoder.seeds is None else encoder.seeds

    def encoders_of(self, claim: Claim) -> tuple[SuiteEncoder, ...]:
        """Return the encoders that a claim names; a floor names none, since it holds for all encoders."""
        if isinstance(claim, FloorClaim):
            return ()
        names = (claim.better, claim.than) if isinstance(claim, BetterClaim) else (claim.encoder,)
        return tuple(self.encoder(name) for name in names)
