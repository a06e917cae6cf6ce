"""Whether an encoder gives the same codes again: its scores would be those of one draw if it did not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench.encoders import Encoder, rows_of_points
from distbench.errors import EncoderError
from distbench.storage import is_stored

__all__ = ["check_same_again"]

Codes = NDArray[np.floating]

SAMPLE = 64  # rows that are asked for again
ROUNDING = 1e-4  # of the codes' spread: kernels for other batch sizes add in another order
SEEN = 1e-2  # of the spread: up to here, codes that rest on the batch are told in a note
ULPS = 16  # of the largest code: codes far from 0 have a coarse grid
FEW = 0.005  # of the numbers: where codes are thresholded, rounding moves one now and then


def check_same_again(encoder: Encoder, X: Any, codes: Codes) -> list[str]:
    """Ask for the codes of some rows again, among other rows than before.

    At most 64 rows, spread over the points (of stored arrays the first ones), in one call. Only where they differ, the
    first batch is asked for again as it was, which tells whether it is the time or the company that matters.

    Parameters
    ----------
    encoder : Encoder
        That made the codes.
    X : array-like of shape (m, ...)
        The points.
    codes : ndarray of shape (m, dim)
        What the encoder made of them.

    Returns
    -------
    list of str
        A note where codes depend on the batch a little, as in low precision.

    Raises
    ------
    EncoderError
        If codes differ by more than rounding.
    """
    points = rows_of_points(X)
    rows = _rows(points, len(codes))
    again = _asked(encoder, points, rows)
    changed = None if again is None else _change(codes[rows], again, codes)
    if changed == 0:
        return []
    first = np.arange(min(encoder.batch_size, len(codes)))
    repeated = _asked(encoder, points, first)
    anew = None if repeated is None else _change(codes[first], repeated, codes)
    if anew is None or anew > 0:
        found = "no codes" if anew is None else f"other codes (by up to {_share(anew)})"
        raise EncoderError(
            f"encoder {encoder.name!r} gave {found} the second time it was asked for the same points; make it "
            "deterministic (eval mode, fixed seed), or pass stochastic=True to judge it over draws"
        )
    if changed is None:  # it takes batches of one size alone, and gives the same for them
        return []
    told = f"codes of a point differ by up to {_share(changed)} with the other points of its batch"
    if changed <= SEEN or _places_jointly(encoder):
        return [f"{told}; scores are those of batches of {len(first)}"]
    raise EncoderError(
        f"encoder {encoder.name!r}: {told}; put it into eval mode (batch normalisation), or judge ready codes with "
        "distbench.evaluate_codes"
    )


def _places_jointly(encoder: Encoder) -> bool:
    """Say whether an encoder fits the places of points, like umap-learn's: it keeps those of the fit as ``codes_``."""
    return hasattr(getattr(encoder.call, "__self__", None), "codes_")


def _share(change: float) -> str:
    return f"{change:.2g} of their spread" if np.isfinite(change) else "more than their spread"


def _rows(points: Any, m: int) -> NDArray[np.int64]:
    """Return rows to ask for again: never all, so that they are among other rows than before."""
    count = min(SAMPLE, (m + 1) // 2)
    if is_stored(points):
        return np.arange(count)
    return np.unique(np.linspace(0, m - 1, count).astype(np.int64))


def _asked(encoder: Encoder, points: Any, rows: Any) -> Codes | None:
    """Return the codes of some rows in one call; None where the encoder does not take such a batch."""
    if is_stored(points):
        rows = slice(len(rows))  # the first ones, which are read together
    taken = points.iloc[rows] if hasattr(points, "iloc") else points[rows]
    try:
        return replace(encoder, batch_size=len(taken)).encode(taken)
    except EncoderError:
        return None


def _change(before: Codes, again: Codes, codes: Codes) -> float:
    """Return by what share of their spread codes differ: 0 where it is rounding, inf for codes of another size."""
    if before.shape != again.shape:
        return float("inf")
    spread, size = float(np.std(codes, axis=0, dtype=np.float64).max()), float(np.abs(codes).max())
    allowed = ROUNDING * spread + ULPS * _unit(codes) * size
    differences = np.abs(before.astype(np.float64) - again)
    if np.mean(differences > allowed) <= FEW:
        return 0.0
    return float(differences.max() / spread) if spread else float("inf")


def _unit(codes: Codes) -> float:
    """Return the relative rounding of the type that codes were computed in, so far as they show it."""
    if codes.dtype == np.float32 and not (codes == np.rint(codes)).all():
        if not np.any(codes.view(np.uint32) & 0xFFFF):
            return 2.0**-8  # bfloat16
        with np.errstate(over="ignore"):
            if (codes.astype(np.float16) == codes).all():
                return 2.0**-11
    return 2.0**-24
