"""Whether an encoder gives the same codes again: its scores would be those of one draw if it did not."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench._util.notes import Note
from distbench._util.text import first_line
from distbench.encoders.encoder import Encoder
from distbench.encoders.resolve import rests_on_own_row
from distbench.errors import EncoderError
from distbench.inputs.batches import rows_of_points, some_rows
from distbench.inputs.blocks import is_stored

__all__ = ["Rounding", "check_same_again"]

Codes = NDArray[np.floating]

OVER_DRAWS = ", or pass stochastic=True to judge it over draws"
SAMPLE = 64  # rows that are asked for again
ROUNDING = 1e-4  # of a column's spread: kernels for other batch sizes add in another order
SEEN = 1e-2  # of the spread: up to here, codes that rest on the batch are told in a note
ULPS = 16  # of a column's largest code: codes far from 0 have a coarse grid
FEW, FEW_ROWS, FEW_OF_COLUMN = 1 / 200, 1 / 8, 1 / 16  # may flip where codes are steps, as rounding moves some


def check_same_again(
    encoder: Encoder, X: Any, codes: Codes, name: str = "X_test", advice: str = OVER_DRAWS
) -> list[str]:
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
    name : str
        Of the points, for messages.
    advice : str
        What else can be done about an encoder that answers differently each time.

    Returns
    -------
    list of str
        A note where codes depend on the batch a little, as in low precision.

    Raises
    ------
    EncoderError
        If codes differ by more than rounding.
    """
    points, scale = rows_of_points(X), Rounding(codes)
    rows = _rows(points, len(codes))
    again = _asked(encoder, points, rows)
    if not isinstance(again, EncoderError) and scale.change(codes[rows], again) == 0:
        return []
    first = np.arange(min(encoder.batch_size, len(codes)))
    repeated = _asked(encoder, points, first)
    if isinstance(repeated, EncoderError):
        raise _silent(encoder, repeated, name) from (repeated.__cause__ or repeated)
    if anew := scale.change(codes[first], repeated):
        raise EncoderError(
            f"encoder {encoder.name!r} gave other codes (by up to {_share(anew)}) the second time it was asked for the "
            f"same points{_of(name)}; make it deterministic (eval mode, fixed seed){advice}"
        )
    if isinstance(again, EncoderError):  # it takes batches of one size alone, and gives the same for them
        return []
    changed = scale.change(codes[rows], again, in_company=True)
    if changed == 0:
        return []
    told = f"codes of a point{_of(name)} differ by up to {_share(changed)} with the other points of its batch"
    if changed <= SEEN or _places_jointly(encoder):
        return [Note("warning", "batches", f"{told}; scores are those of batches of {len(first)}")]
    raise EncoderError(
        f"encoder {encoder.name!r}",
        told,
        f"{_remedy(encoder)}, or judge ready codes with distbench.evaluate_codes",
    )


def _silent(encoder: Encoder, error: EncoderError, name: str) -> EncoderError:
    cause = error.__cause__
    found = first_line(error) if cause is None else f"{type(cause).__name__}: {first_line(cause)}"
    return EncoderError(
        f"encoder {encoder.name!r} gave no codes the second time it was asked for the same points{_of(name)} "
        f"({found}); mend that, or judge ready codes with distbench.evaluate_codes"
    )


def _of(name: str) -> str:
    return "" if name == "X_test" else f" of {name}"


def _remedy(encoder: Encoder) -> str:
    """Return what makes codes rest on their own points alone; models that were in eval mode need not be put into it."""
    if rests_on_own_row(next(iter(getattr(encoder.call, "args", ())), None)):
        return "it is in eval mode, so a layer uses its whole batch, as dynamic quantisation does: pass batch_size=1"
    return "put it into eval mode (batch normalisation)"


def _places_jointly(encoder: Encoder) -> bool:
    """Say whether an encoder fits the places of points, like umap-learn's: it keeps those of the fit."""
    owner: Any = getattr(encoder.call, "__self__", None)
    owner = getattr(owner, "best_estimator_", owner)  # of a search
    owner = owner.steps[-1][1] if isinstance(getattr(owner, "steps", None), list) else owner  # of a pipeline
    return hasattr(owner, "codes_") or hasattr(owner, "embedding_")


def _share(change: float) -> str:
    return f"{change:.2g} of their spread" if np.isfinite(change) else "more than their spread"


def _rows(points: Any, m: int) -> NDArray[np.int64]:
    """Return rows to ask for again: never all, so that they are among other rows than before."""
    count = min(SAMPLE, (m + 1) // 2)
    if is_stored(points):
        return np.arange(count)
    return np.unique(np.linspace(0, m - 1, count).astype(np.int64))


def _asked(encoder: Encoder, points: Any, rows: Any) -> Codes | EncoderError:
    """Return the codes of some rows, in one call where batches are as large; or why there are none."""
    try:
        return encoder.encode(some_rows(points, rows))
    except EncoderError as error:
        return error


class Rounding:
    """What counts as rounding in each column of some codes: divided by a power of two, so that nothing overflows."""

    def __init__(self, codes: Codes) -> None:
        self._exponent = -int(np.frexp(np.abs(codes).max())[1])
        scaled = self._scaled(codes)
        size, self._spread = np.abs(scaled).max(axis=0), scaled.std(axis=0)
        self._typical = np.maximum(self._spread, _middle(self._spread))  # constant columns have their rounding alone
        self._steps = _are_steps(codes)
        unit, rounding = _unit(codes), ROUNDING * self._typical
        self._allowed = rounding + ULPS * unit * np.maximum(size, _middle(size))
        # Sums in another order differ by the rounding of what cancels, which may be as large as the largest code.
        self._allowed_in_company = rounding + ULPS * np.maximum(unit * size.max(), max(unit, 2.0**-24) * size)

    def _scaled(self, codes: Codes) -> NDArray[np.float64]:
        return np.ldexp(codes.astype(np.float64), self._exponent)

    def change(self, before: Codes, again: Codes, in_company: bool = False) -> float:
        """Return by what share of their column's spread codes differ: 0 where it is rounding, inf for other sizes.

        Parameters
        ----------
        before, again : ndarray of shape (rows, dim)
            Codes of the same points.
        in_company : bool
            Whether they were made in batches of other points, so that sums may be in another order.
        """
        if before.shape != again.shape:
            return float("inf")
        with np.errstate(over="ignore"):
            differences = np.abs(self._scaled(before) - self._scaled(again))
        seen = differences > (self._allowed_in_company if in_company else self._allowed)
        if self._few_steps(seen):
            seen &= ~self._steps
        if not seen.any():
            return 0.0
        typical = np.broadcast_to(self._typical, seen.shape)[seen]
        with np.errstate(divide="ignore", over="ignore"):
            return float((differences[seen] / typical).max())

    def _few_steps(self, seen: NDArray[np.bool_]) -> bool:
        flips = seen & self._steps
        return bool(
            flips.mean() <= FEW and flips.any(axis=1).mean() <= FEW_ROWS and flips.mean(axis=0).max() <= FEW_OF_COLUMN
        )


def _middle(values: NDArray[np.float64]) -> float:
    return float(np.sort(values)[(len(values) - 1) // 2])


def _are_steps(codes: Codes) -> NDArray[np.bool_]:
    """Say of which columns the codes are steps: whole numbers, or few distinct ones."""
    some = np.sort(codes[:: max(1, len(codes) // 1024)], axis=0)
    distinct = 1 + (np.diff(some, axis=0) != 0).sum(axis=0)
    return np.asarray((some == np.rint(some)).all(axis=0) | (distinct <= max(2, len(some) // 4)))


def _unit(codes: Codes) -> float:
    """Return the relative rounding of the type that codes were computed in, so far as they show it."""
    with np.errstate(over="ignore"):
        if codes.dtype == np.float64 and not (codes.astype(np.float32) == codes).all():
            return 2.0**-53
        if codes.dtype == np.float32 and not (codes == np.rint(codes)).all():
            if not np.any(codes.view(np.uint32) & 0xFFFF):
                return 2.0**-8  # bfloat16
            if (codes.astype(np.float16) == codes).all():
                return 2.0**-11
    return 2.0**-24
