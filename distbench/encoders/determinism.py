"""Checks that an encoder returns the same codes again; otherwise its scores would be those of one random draw."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench._util.notes import Note
from distbench._util.text import first_line
from distbench.encoders.encoder import Encoder, flat_codes
from distbench.encoders.resolve import runs_in_eval_mode
from distbench.errors import EncoderError
from distbench.inputs.batches import rows_of_points, some_rows
from distbench.inputs.blocks import is_stored
from distbench.inputs.sparse import is_sparse, sketch

__all__ = ["Rounding", "check_same_again"]

Codes = NDArray[np.floating]

OVER_DRAWS = ", or pass stochastic=True to evaluate it over draws"
READY_CODES = "or evaluate ready codes with distbench.evaluate_codes"
REPEATED_ROWS = 64
ROUNDING_SHARE = 1e-4  # a change below this share of its column's spread is rounding (sums in another order)
NOTED_SHARE = 1e-2  # if codes change with their batch by less than this share of the spread, a note says so
ROUNDING_UNITS = 16  # so many units in the last place of a column's largest code are rounding, too
# Codes that are steps (see _are_steps) may jump by rounding: at most so many of all codes, rows, and codes of a column.
MAX_FLIPS, MAX_FLIPPED_ROWS, MAX_FLIPS_IN_COLUMN = 1 / 200, 1 / 8, 1 / 16


def check_same_again(
    encoder: Encoder, X: Any, codes: Codes, name: str = "X_test", advice: str = OVER_DRAWS
) -> list[str]:
    """Encode some points again, in another batch, and raise EncoderError if codes differ by more than rounding.

    Returns a note if codes depend slightly on the batch, as in low precision. At most 64 rows are encoded, in one call:
    rows spread over the points, or neighboring rows of stored arrays. If their codes differ, the first batch is encoded
    again, which shows whether codes depend on the call or on the other points of the batch.

    `name` is the name of the points in messages, `advice` a further remedy for an encoder that is not deterministic.
    """
    points, codes = rows_of_points(X), _comparable(codes)
    rounding = Rounding(codes)
    of_points = "" if name == "X_test" else f" of {name}"
    rows = _rows(points, len(codes), encoder.batch_size)
    again = _encode(encoder, points, rows)
    if not isinstance(again, EncoderError) and rounding.change(codes[rows], again) == 0:
        return []
    first = np.arange(min(encoder.batch_size, len(codes)))
    repeated = _encode(encoder, points, first)
    subject = f"encoder {encoder.name!r}"
    if isinstance(repeated, EncoderError):
        cause = repeated.__cause__
        reason = first_line(repeated) if cause is None else f"{type(cause).__name__}: {first_line(cause)}"
        raise EncoderError(
            f"{subject} failed the second time it encoded the same points{of_points} ({reason}); "
            f"repair it, {READY_CODES}"
        ) from (cause or repeated)
    if change := rounding.change(codes[first], repeated):
        raise EncoderError(
            f"{subject} gave different codes (by up to {_share(change)}) the second time it encoded the same "
            f"points{of_points}; make it deterministic (eval mode, fixed seed){advice}"
        )
    if isinstance(again, EncoderError):  # it takes only batches of one size, for which it is deterministic
        return []
    change = rounding.change(codes[rows], again, other_batches=True)
    if change == 0:
        return []
    found = f"codes of a point{of_points} differ by up to {_share(change)} with the other points of its batch"
    if change <= NOTED_SHARE or _places_jointly(encoder):
        return [Note("warning", "batches", f"{found}; scores are those of batches of {len(first)}")]
    raise EncoderError(subject, found, f"{_remedy(encoder)}, {READY_CODES}")


def _remedy(encoder: Encoder) -> str:
    """Return a remedy for codes that depend on other points."""
    if runs_in_eval_mode(next(iter(getattr(encoder.call, "args", ())), None)):
        return "it is in eval mode, so a layer uses its whole batch, as dynamic quantization does: pass batch_size=1"
    return "put it into eval mode (batch normalization)"


def _places_jointly(encoder: Encoder) -> bool:
    """Return whether an encoder places points jointly, as umap-learn does: it stores the codes of its fit."""
    owner: Any = getattr(encoder.call, "__self__", None)
    owner = getattr(owner, "best_estimator_", owner)  # such as GridSearchCV
    owner = owner.steps[-1][1] if isinstance(getattr(owner, "steps", None), list) else owner  # a pipeline
    return hasattr(owner, "codes_") or hasattr(owner, "embedding_")


def _share(change: float) -> str:
    return f"{change:.2g} of their spread" if np.isfinite(change) else "more than their spread"


def _rows(points: Any, m: int, batch_size: int) -> NDArray[np.int64]:
    """Return the rows to encode again: not all (unless there is one row), so that their batch is a different one."""
    count = min(REPEATED_ROWS, (m + 1) // 2)
    if is_stored(points):  # rows from the middle of a batch on, so that they also have other places in theirs
        start = min(batch_size, m) // 2
        return np.arange(start, start + count)
    return np.unique(np.linspace(0, m - 1, count).astype(np.int64))


def _encode(encoder: Encoder, points: Any, rows: Any) -> Codes | EncoderError:
    try:
        return _comparable(encoder.outputs(some_rows(points, rows)))
    except EncoderError as error:
        return error


def _comparable(codes: Any) -> Codes:
    """Return codes as a matrix of floats; sparse ones as a few sums of their columns."""
    return sketch(codes) if is_sparse(codes) else np.asarray(flat_codes(codes))


class Rounding:
    """The rounding error of each column of codes, which are divided by a power of two so that none overflows."""

    def __init__(self, codes: Codes) -> None:
        self._exponent = -int(np.frexp(np.abs(codes).max())[1])
        scaled = self._scaled(codes)
        size, self._spread = np.abs(scaled).max(axis=0), scaled.std(axis=0)
        self._typical = np.maximum(self._spread, _middle(self._spread))  # for constant columns
        self._steps = _are_steps(codes)
        unit, rounding = _unit(codes), ROUNDING_SHARE * self._typical
        self._allowed = rounding + ROUNDING_UNITS * unit * np.maximum(size, _middle(size))
        # In another order, sums round differently. Their terms may be as large as the largest code, and cancel.
        self._allowed_in_other_batches = rounding + ROUNDING_UNITS * np.maximum(
            unit * size.max(), max(unit, 2.0**-24) * size
        )

    def _scaled(self, codes: Codes) -> NDArray[np.float64]:
        return np.ldexp(codes.astype(np.float64), self._exponent)

    def change(self, before: Codes, again: Codes, other_batches: bool = False) -> float:
        """Return the largest difference of codes of the same points, as a share of their column's spread.

        It is 0 if codes differ only by rounding. `other_batches` says that the points were in different batches, so
        that sums may have been computed in another order.
        """
        if before.shape != again.shape:
            return float("inf")
        with np.errstate(over="ignore"):
            differences = np.abs(self._scaled(before) - self._scaled(again))
        is_change = differences > (self._allowed_in_other_batches if other_batches else self._allowed)
        if self._few_steps(is_change):
            is_change &= ~self._steps
        if not is_change.any():
            return 0.0
        typical = np.broadcast_to(self._typical, is_change.shape)[is_change]
        with np.errstate(divide="ignore", over="ignore"):
            return float((differences[is_change] / typical).max())

    def _few_steps(self, is_change: NDArray[np.bool_]) -> bool:
        flips = is_change & self._steps
        return bool(
            flips.mean() <= MAX_FLIPS
            and flips.any(axis=1).mean() <= MAX_FLIPPED_ROWS
            and flips.mean(axis=0).max() <= MAX_FLIPS_IN_COLUMN
        )


def _middle(values: NDArray[np.float64]) -> float:
    return float(np.sort(values)[(len(values) - 1) // 2])


def _are_steps(codes: Codes) -> NDArray[np.bool_]:
    """Return which columns are steps, that is have only whole numbers or few distinct numbers."""
    sample = np.sort(codes[:: max(1, len(codes) // 1024)], axis=0)
    distinct = 1 + (np.diff(sample, axis=0) != 0).sum(axis=0)
    return np.asarray((sample == np.rint(sample)).all(axis=0) | (distinct <= max(2, len(sample) // 4)))


def _unit(codes: Codes) -> float:
    """Return the relative rounding error of the type in which codes seem to have been computed."""
    with np.errstate(over="ignore"):
        if codes.dtype == np.float64 and not (codes.astype(np.float32) == codes).all():
            return 2.0**-53
        if codes.dtype == np.float32 and not (codes == np.rint(codes)).all():
            if not np.any(codes.view(np.uint32) & 0xFFFF):
                return 2.0**-8  # bfloat16
            if (codes.astype(np.float16) == codes).all():
                return 2.0**-11
    return 2.0**-24
