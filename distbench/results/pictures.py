"""What the pictures of an encoder are drawn from: plain values that can be stored and sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Curve", "Diagrams", "Map", "Shepard", "Torn", "plain", "short"]

DIGITS = 5


class Shepard(TypedDict):
    """Counts of pairs by code distance (rows) and input distance (columns).

    ``beyond`` of the ``pairs`` are outside the edges. The ideal line is ``code = slope * input``: ``1 / slope`` is the
    one factor that brings code distances nearest to input distances. ``slope`` is None where all codes coincide.
    """

    counts: list[list[int]]
    input_edges: list[float]
    code_edges: list[float]
    slope: float | None
    pairs: int
    beyond: int


class Torn(TypedDict):
    """A pair that is near in input and far in the codes, and where both are on the map."""

    line: list[float]
    query: int
    partner: int
    partner_set: str
    input_distance: float
    code_distance: float
    rank_input: float
    rank_code: float
    labels: list[str] | None


class Map(TypedDict):
    """Test points at the first two columns of their codes.

    Codes of one column (``columns`` = 1) are spread out in the second direction, which then means nothing.
    ``continuity`` is each point's own, None where it was not measured or the point was not judged; ``marked`` are
    places in these lists, of the points with the worst. ``classes`` are names at the median of their points, where
    there are labels. The points are a sample ``of`` so many.
    """

    points: list[list[float]]
    rows: list[int]
    continuity: list[float | None] | None
    labels: list[str] | None
    classes: list[tuple[str, float, float]]
    marked: list[int]
    torn: list[Torn]
    columns: int
    of: int


class Curve(TypedDict):
    """R_NX(K), the share of K nearest neighbours kept beyond chance (0), over so many test points."""

    K: list[int]
    kept: list[float]
    M: int
    queries: int


class Diagrams(TypedDict):
    """Three pictures of one encoder, and whose they are; the first fields are as in `distbench.results.rows.Row`."""

    encoder: str
    dataset: str
    test: str
    code_size: int
    seed: int | None
    in_sample: bool
    k: int
    m: int
    M: int
    values: dict[str, float]
    distance: str
    shepard: Shepard
    map: Map
    curve: Curve


def plain(values: NDArray[np.float64]) -> list[float]:
    """Return numbers as floats of a few digits."""
    return [short(value) for value in values.tolist()]


def short(value: float) -> float:
    """Return a number with a few digits: more than a picture can show."""
    return float(f"{value:.{DIGITS}g}")
