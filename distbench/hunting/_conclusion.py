"""The worst pair of a kind as a finding: shrunk, encoded once more, and held against test pairs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench.hunting._book import WORSE, Candidate, Kind, WorstPairs
from distbench.hunting._directions import Directions
from distbench.hunting._finding import Finding, worst_of
from distbench.hunting._shrink import home_rows, shrunk
from distbench.hunting._text import snippet_of

__all__ = ["concluded"]


def concluded(
    book: WorstPairs, kind: Kind, worst_test: Candidate, rows: NDArray[np.int64], directions: Directions
) -> Finding:
    """Return what was found of one kind.

    Parameters
    ----------
    book : WorstPairs
        What is known; what is left of its budget is spent.
    kind : {"merge", "tear"}
        Which.
    worst_test : Candidate
        The worst pair of test points; its score is the plain ratio.
    rows : ndarray of int
        The user's numbers of the test points.
    directions : {"any", "data"}
        In which inputs may be moved.
    """
    best = next(iter(book.worst(kind)), worst_test)
    best = best if best.score > worst_test.score and _is_seen_again(book, kind, best) else worst_test
    found = best.score > WORSE * worst_test.score
    small = shrunk(book, kind, best, worst_test.score, directions) if found else best
    small = small if _is_seen_again(book, kind, small) else best
    codes, d_x, d_z = _again(book, best)
    value, typical = worst_of(kind, d_x, d_z), book.scale.typical
    usual = 1 / typical if kind == "merge" and typical else typical
    return Finding(
        kind=kind,
        found=found,
        pair=_given(book, best),
        codes=codes,
        d_x=d_x,
        d_z=d_z,
        ratio=_over(value, worst_test.score) if found else 1.0,
        relative=_over(value, usual),
        test_rows=(int(rows[worst_test.origin]), int(rows[book.region.nearest(worst_test.y[None])[0][0]])),
        test_value=worst_test.score,
        how=best.how,
        **_told(book, small, rows),
    )


def _told(book: WorstPairs, small: Candidate, rows: NDArray[np.int64]) -> dict[str, Any]:
    """Return what a finding says of its shrunk pair."""
    region, homes = book.region, home_rows(book, small)
    _, d_x, d_z = _again(book, small)
    own = (int(rows[homes[0]]), int(rows[homes[1]]))
    changed = [int((one != region.rows[home]).sum()) for one, home in zip((small.x, small.y), homes, strict=True)]
    return {
        "shrunk": _given(book, small),
        "shrunk_d_x": d_x,
        "shrunk_d_z": d_z,
        "rows": own,
        "changed": (changed[0], changed[1]),
        "snippet": snippet_of(book.asker.encoder.name, region, (small.x, small.y), homes, own),
    }


def _is_seen_again(book: WorstPairs, kind: Kind, pair: Candidate) -> bool:
    """Say whether a pair is as bad as it was when it is asked for again; else it is no finding."""
    _, d_x, d_z = _again(book, pair)
    return WORSE * worst_of(kind, d_x, d_z) >= pair.score


def _over(value: float, other: float) -> float:
    if value == other:
        return 1.0
    return value / other if other else math.inf


def _again(book: WorstPairs, pair: Candidate) -> tuple[tuple[Any, Any], float, float]:
    """Have a pair encoded in one call of two, as whoever reruns it does; return codes and both distances."""
    codes = book.asker.codes(np.stack([pair.x, pair.y]))
    return (codes[0], codes[1]), pair.d_x, float(np.linalg.norm(codes[0] - codes[1]))


def _given(book: WorstPairs, pair: Candidate) -> tuple[Any, Any]:
    """Return the two inputs as the user's points are."""
    both = np.asarray(book.region.shaped(np.stack([pair.x, pair.y])))
    return both[0], both[1]
