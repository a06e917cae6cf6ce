"""The results of a hunt, and their text."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from distbench._util.text import code_repr
from distbench.errors import InputError, PreservationError
from distbench.hunting._worst_pairs import Kind, plain_ratio

__all__ = ["Finding", "Hunt", "checked_limits"]

LIMITS = ("expansion", "contraction")
MAX_SNIPPET_LINES = 12  # errors do not show longer snippets
WORDS = {"merge": ("merged", "contraction"), "tear": ("torn apart", "expansion")}


@dataclass(frozen=True, eq=False)
class Finding:
    """The worst pair of one kind.

    Parameters
    ----------
    kind : {"merge", "tear"}
        Distant inputs with similar codes, or similar inputs with distant codes.
    found : bool
        Whether the pair is worse than every pair of test points, by at least 1 % and by more than rounding. If
        not, it is about as bad as the worst test pair, and it is not shrunk.
    pair : tuple of ndarray
        The two inputs, in the shape and type of the points.
    codes : tuple of ndarray of shape (code_size,)
        Their codes.
    d_x, d_z : float
        Euclidean distances of the inputs and of the codes.
    shrunk : tuple of ndarray
        The simplest pair that is still bad, in the shape of the points: few numbers differ from those of test points,
        and they are round. With ``directions="data"`` its inputs are mixtures of test points, so that many numbers
        differ.
    shrunk_d_x, shrunk_d_z : float
        Distances of the shrunk inputs and of their codes.
    rows : tuple of int
        The test points that the shrunk inputs are compared with.
    changed : tuple of int
        The number of columns in which each shrunk input differs from its test point.
    ratio : float
        How many times as bad the pair is as the worst pair of test points.
    relative : float
        How many times as bad the pair is as the median pair of a test point and its nearest neighbor.
    test_rows : tuple of int
        The worst pair of test points.
    test_value : float
        The contraction or expansion of the worst pair of test points.
    how : str
        The stage of the hunt that found the pair.
    snippet : str
        Code that encodes the shrunk pair again, given ``X`` and ``encoder``.
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
        """The contraction of a merged pair, the expansion of a torn one."""
        return plain_ratio(self.kind, self.d_x, self.d_z)

    @property
    def shrunk_value(self) -> float:
        """The contraction or expansion of the shrunk pair."""
        return plain_ratio(self.kind, self.shrunk_d_x, self.shrunk_d_z)

    def __str__(self) -> str:
        word, measure = WORDS[self.kind]
        value, test_value = _short(self.value), _short(self.test_value)
        test = f"test points {self.test_rows[0]} and {self.test_rows[1]} ({measure} {test_value})"
        if not self.found:
            return f"{word}: nothing worse than {test}" + f"; {measure} {value} nearby" * (value != test_value)
        ratio = "more than 1e+09" if self.ratio > 1e9 else f"{self.ratio:.{3 if self.ratio >= 1.1 else 4}g}"
        return (
            f"{word}: inputs {_short(self.d_x)} apart, codes {_short(self.d_z)} apart; {measure} {value}, "
            f"{ratio} times that of {test}\n"
            f"  shrunk: {self._shrunk_text()}; inputs {_short(self.shrunk_d_x)}, codes {_short(self.shrunk_d_z)} apart"
        )

    def _shrunk_text(self) -> str:
        """Describe the shrunk inputs: their test points, and how many numbers were changed."""
        (i, j), (a, b) = self.rows, self.changed
        x, y = (f" with {count} of {np.size(self.shrunk[0])} numbers changed" if count else "" for count in (a, b))
        return f"test point {i}, and the same{y}" if i == j and not a else f"test point {i}{x}, and test point {j}{y}"


@dataclass(frozen=True, eq=False)
class Hunt:
    """The results of a hunt; attributes such as `kind` and `pair` are those of the worse of its two findings.

    Parameters
    ----------
    encoder : str
        Name of the encoder.
    code_size : int
        Size of the codes.
    m : int
        Number of test points around which the hunt searched.
    merged, torn : Finding
        The worst pair of each kind.
    asked : int
        Number of rows that were encoded; a backward pass counts as one row.
    seed : int
        Seed of the hunt; the same seed finds the same pairs.
    by_gradient : bool
        Whether the encoder's own gradients were used.
    notes : tuple of str
        Lines that qualify the result.
    options : tuple of (str, any)
        The options of the hunt that differ from the defaults.
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
        """The finding that is worse compared with test points."""
        return max(self.merged, self.torn, key=lambda finding: (finding.found, finding.ratio))

    @property
    def found(self) -> bool:
        """Whether any pair is worse than every pair of test points."""
        return self.worst.found

    @property
    def kind(self) -> Kind:
        """Kind of the worse finding: "merge" or "tear"."""
        return self.worst.kind

    @property
    def pair(self) -> tuple[Any, Any]:
        """Inputs of the worse finding."""
        return self.worst.pair

    @property
    def d_x(self) -> float:
        """Distance of the inputs of the worse finding."""
        return self.worst.d_x

    @property
    def d_z(self) -> float:
        """Distance of the codes of the worse finding."""
        return self.worst.d_z

    @property
    def snippet(self) -> str:
        """Code that encodes the shrunk pair of the worse finding again."""
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
        """Return the limits on `expansion` and `contraction` that are broken."""
        return {name: limit for name, limit in limits.items() if not getattr(self, name) <= limit}

    def check(self, *, expansion: float | None = None, contraction: float | None = None) -> Hunt:
        """Return the hunt if it found nothing beyond the limits.

        Parameters
        ----------
        expansion, contraction : float, optional
            The largest value that is allowed; pass at least one.

        Raises
        ------
        PreservationError
            A limit is broken. The message has the value, the pair, and code that reproduces it.
        InputError
            No limit was passed, or one is not a number above 0.
        """
        __tracebackhide__ = True
        broken = self.broken(**checked_limits(expansion=expansion, contraction=contraction))
        if broken:
            raise PreservationError(self._failure(broken))
        return self

    def __str__(self) -> str:
        by = ", by its gradients" if self.by_gradient else ""
        subject = f"hunt of {self.encoder} (codes of {self.code_size})"
        head = f"{subject} around {self.m} test points: {self.asked:,} rows{by}"
        findings = "\n".join(map(str, (self.merged, self.torn))).split("\n")
        return "\n  ".join([head, *findings, *(f"note: {note}" for note in self.notes)])

    def _failure(self, broken: Mapping[str, float]) -> str:
        """Return the message for broken limits: values, worst pairs, and code that reproduces them."""
        limits = "1 limit" if len(broken) == 1 else f"{len(broken)} limits"
        lines = [f"{self.encoder} (codes of {self.code_size}) does not meet {limits}:"]
        findings = {name: self.torn if name == "expansion" else self.merged for name in broken}
        for name, limit in broken.items():
            value = getattr(self, name)
            rounded = _short(value) != _short(limit)  # else a broken limit could look as if it were met
            value, bound = (_short(value), _short(limit)) if rounded else (repr(value), repr(limit))
            lines.append(f"  {name} = {value}, limit at most {bound}")
            lines += [f"    {line.strip()}" for line in str(findings[name]).split("\n")]
        where = f"around {self.m} test points in {self.asked:,} rows"
        lines.append(f"  found {where}; distances are in the units of points and codes")
        lines += [f"  note: {note}" for note in self.notes]
        first = next(iter(findings.values()))
        snippet = first.snippet.split("\n")
        if len(snippet) <= MAX_SNIPPET_LINES:
            lines.append("  to see it again (with encoder and X of the hunt):")
            return "\n".join([*lines, *(f"    {line}".rstrip() for line in snippet)])
        part = "torn" if first is self.torn else "merged"
        options = "".join(f", {name}={code_repr(name, value)}" for name, value in self.options)
        again = f"print(distbench.hunt(encoder, X, seed={self.seed}{options}).{part}.snippet)"
        return "\n".join([*lines, f"  to see it again ({len(snippet)} lines): {again}"])


def checked_limits(**limits: float | None) -> dict[str, float]:
    """Return the limits on ``expansion`` and ``contraction`` that are not None, as floats by name.

    Raises InputError if all are None, or if a limit is not a number above 0.
    """
    from distbench.inference.limits import check_limits

    passed = {name: limit for name, limit in limits.items() if limit is not None}
    if not passed:
        raise InputError("limits", "found none", "pass expansion=, contraction= or both, e.g. contraction=10")
    checked = check_limits(passed, LIMITS)
    for name, limit in checked.items():
        if not 0 < limit < math.inf:
            raise InputError(name, f"found the limit {limit:g}", f"pass a number above 0, e.g. {name}=10")
    return checked


def _short(value: float) -> str:
    return f"{value:.4g}"
