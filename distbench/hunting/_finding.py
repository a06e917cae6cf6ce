"""What a hunt finds."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from distbench._util.imports import imported
from distbench.errors import InputError, PreservationError
from distbench.hunting._book import Kind

__all__ = ["LIMITS", "Finding", "Hunt", "checked_limits", "worst_of"]

LIMITS = ("expansion", "contraction")


@dataclass(frozen=True, eq=False)
class Finding:
    """The worst pair of one kind.

    Parameters
    ----------
    kind : {"merge", "tear"}
        Inputs apart with codes together, or inputs together with codes apart.
    found : bool
        Whether the pair is worse than every test pair, by at least 1 % and by more than rounding; else it is about as
        bad as the worst of them, and not shrunk.
    pair : tuple of ndarray
        The two inputs, in the shape and type of the points.
    codes : tuple of ndarray of shape (dim,)
        Their codes.
    d_x, d_z : float
        Euclidean distances of inputs and of codes.
    shrunk : tuple of ndarray
        The simplest pair that is still bad, in the shape of the points: few numbers differ from those of test points,
        and they are round. With ``directions="data"`` these are mixtures of test points, which differ in many
        numbers.
    shrunk_d_x, shrunk_d_z : float
        Its distances.
    rows : tuple of int
        The test points that the shrunk pair is told by.
    changed : tuple of int
        In how many numbers its inputs differ from these.
    ratio : float
        How many times worse than the worst test pair.
    relative : float
        How many times worse than what is usual: the median over test points and their nearest others.
    test_rows : tuple of int
        The worst test pair.
    test_value : float
        Its expansion or contraction.
    how : str
        What found the pair.
    snippet : str
        Code that has the shrunk pair encoded again, where ``X`` and ``encoder`` are at hand.
    """

    kind: Kind
    found: bool
    pair: tuple[Any, Any]
    codes: tuple[Any, Any]
    d_x: float
    d_z: float
    shrunk: tuple[Any, Any]
    shrunk_d_x: float
    shrunk_d_z: float
    rows: tuple[int, int]
    changed: tuple[int, int]
    ratio: float
    relative: float
    test_rows: tuple[int, int]
    test_value: float
    how: str
    snippet: str = field(repr=False)

    @property
    def value(self) -> float:
        """The pair's contraction where it is merged, its expansion where it is torn."""
        return worst_of(self.kind, self.d_x, self.d_z)

    @property
    def shrunk_value(self) -> float:
        """The same of the shrunk pair."""
        return worst_of(self.kind, self.shrunk_d_x, self.shrunk_d_z)

    def __str__(self) -> str:
        return str(imported("distbench.hunting._text:finding_text")(self))


@dataclass(frozen=True, eq=False)
class Hunt:
    """What a hunt found; `kind`, `pair` and their like are those of the worse of its two findings.

    Parameters
    ----------
    encoder : str
        Name of the encoder.
    code_size : int
        Numbers of a code.
    m : int
        Test points that were looked around.
    merged, torn : Finding
        The worst pair of each kind.
    asked : int
        Rows that the encoder was asked for; a backward pass counts as one.
    seed : int
        Of the hunt: the same seed finds the same pairs.
    by_gradient : bool
        Whether the encoder's own gradients were used.
    notes : tuple of str
        What a reader must know.
    options : tuple of (str, any)
        Of the hunt: those that are not the defaults.
    """

    encoder: str
    code_size: int
    m: int
    merged: Finding
    torn: Finding
    asked: int
    seed: int
    by_gradient: bool
    notes: tuple[str, ...] = ()
    options: tuple[tuple[str, Any], ...] = field(default=(), repr=False)

    @property
    def worst(self) -> Finding:
        """The finding that is worse beside the test pairs."""
        one, other = self.merged, self.torn
        if one.found != other.found:
            return one if one.found else other
        return one if one.ratio >= other.ratio else other

    @property
    def found(self) -> bool:
        """Whether any pair is worse than every test pair."""
        return self.worst.found

    @property
    def kind(self) -> Kind:
        """Kind of the worse finding: "merge" or "tear"."""
        return self.worst.kind

    @property
    def pair(self) -> tuple[Any, Any]:
        """Its inputs."""
        return self.worst.pair

    @property
    def codes(self) -> tuple[Any, Any]:
        """Their codes."""
        return self.worst.codes

    @property
    def d_x(self) -> float:
        """Distance of its inputs."""
        return self.worst.d_x

    @property
    def d_z(self) -> float:
        """Distance of its codes."""
        return self.worst.d_z

    @property
    def shrunk(self) -> tuple[Any, Any]:
        """The simplest pair that is still bad."""
        return self.worst.shrunk

    @property
    def ratio(self) -> float:
        """How many times worse than the worst test pair."""
        return self.worst.ratio

    @property
    def rows(self) -> tuple[int, int]:
        """The test points that the shrunk pair is told by."""
        return self.worst.rows

    @property
    def snippet(self) -> str:
        """Code that has the shrunk pair encoded again."""
        return self.worst.snippet

    @property
    def expansion(self) -> float:
        """Largest |z - z'| / |x - x'| that was seen, in the units of the points and codes."""
        return max(self.torn.value, self.torn.test_value)

    @property
    def contraction(self) -> float:
        """Largest |x - x'| / |z - z'| that was seen, in the units of the points and codes."""
        return max(self.merged.value, self.merged.test_value)

    def broken(self, **limits: float) -> dict[str, float]:
        """Return the limits that do not hold, of expansion and contraction."""
        return {name: limit for name, limit in limits.items() if not getattr(self, name) <= limit}

    def check(self, *, expansion: float | None = None, contraction: float | None = None) -> Hunt:
        """Return the hunt if nothing worse was found than the limits allow.

        Parameters
        ----------
        expansion, contraction : float, optional
            The largest that there may be; at least one.

        Raises
        ------
        PreservationError
            A limit is broken: by how much, by which pair, and how to see it again.
        InputError
            There is no limit, or one is no number above 0.
        """
        __tracebackhide__ = True
        broken = self.broken(**checked_limits(expansion=expansion, contraction=contraction))
        if broken:
            raise PreservationError(imported("distbench.hunting._text:failure_text")(self, broken))
        return self

    def __str__(self) -> str:
        return str(imported("distbench.hunting._text:hunt_text")(self))


def worst_of(kind: Kind, d_x: float, d_z: float) -> float:
    """Return the contraction of merged inputs, the expansion of torn ones."""
    above, below = (d_x, d_z) if kind == "merge" else (d_z, d_x)
    return above / below if below else (math.inf if above else 0.0)


def checked_limits(**limits: Any) -> dict[str, float]:
    """Return the limits that are given, as floats.

    Parameters
    ----------
    **limits : float or None
        Of ``expansion`` and ``contraction``, above 0; None is none.

    Returns
    -------
    dict of str to float
        By name.

    Raises
    ------
    InputError
        There is none, or one is no number above 0.
    """
    from distbench.inference.limits import check_bounds, check_limits

    given = {name: limit for name, limit in limits.items() if limit is not None}
    if not given:
        raise InputError("limits", "found none", "pass expansion=, contraction= or both, e.g. contraction=10")
    checked = check_limits(given, LIMITS)
    check_bounds(checked)
    for name, limit in checked.items():
        if not 0 < limit < math.inf:
            raise InputError(name, f"found the limit {limit:g}", f"pass a number above 0, e.g. {name}=10")
    return checked
