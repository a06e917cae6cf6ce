"""An encoder that counts the rows it encodes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from distbench._util.text import first_line
from distbench.encoders.determinism import Rounding
from distbench.encoders.encoder import Encoder
from distbench.errors import EncoderError
from distbench.hunting._region import PlausibleRegion

__all__ = ["BudgetedEncoder"]

Array = NDArray[np.float64]

REPEATED_ROWS = 64  # encoded twice, to check that the encoder is deterministic


class BudgetedEncoder:
    """An encoder of flat points that counts rows against a budget. `encode` never refuses: check `left` before."""

    def __init__(self, encoder: Encoder, region: PlausibleRegion, budget: int) -> None:
        self.encoder = encoder
        self.region = region
        self.budget = budget
        self.spent = 0

    @property
    def left(self) -> int:
        """The number of rows that may still be encoded."""
        return max(0, self.budget - self.spent)

    def spend(self, rows: int) -> None:
        """Count rows that were evaluated without `encode`, to compute gradients."""
        self.spent += rows

    def encode(self, points: Array) -> Array:
        """Return the codes of flat points as float64; an EncoderError shows the first input that failed."""
        self.spent += len(points)
        try:
            return self._codes(points)
        except EncoderError as error:
            point, failure = self._first_failing(points, error)
            point_text = np.array2string(point, precision=6, threshold=8, edgeitems=4, max_line_width=200)
            raise EncoderError(
                f"{first_line(failure)} (the hunt made this input, and it fails alone: {point_text}; exclude such "
                "inputs with plausible= or bounds=)"
            ) from (failure.__cause__ or failure)

    def _codes(self, points: Array) -> Array:
        return np.asarray(self.encoder.encode(self.region.as_passed(points)), dtype=np.float64)

    def _first_failing(self, points: Array, error: EncoderError) -> tuple[Array, EncoderError]:
        """Find the first point on which the encoder fails, by bisection; return it and its error."""
        while len(points) > 1:
            half = len(points) // 2
            try:
                self._codes(points[:half])
                points = points[half:]
            except EncoderError as failure:
                points, error = points[:half], failure
        try:
            self._codes(points)
        except EncoderError as failure:
            error = failure
        return points[0], error

    def encode_test_points(self) -> Array:
        """Return the codes of the region's rows; raise EncoderError if some change when they are encoded again."""
        rows = self.region.rows
        raw = self.encoder.encode(self.region.as_passed(rows))
        self.spent += len(rows)
        # Not all rows are repeated: codes that depend on the other rows of the batch would not change.
        count = min(REPEATED_ROWS, (len(rows) + 1) // 2)
        repeated = np.unique(np.linspace(0, len(rows) - 1, count).astype(np.int64))
        codes = np.asarray(raw, dtype=np.float64)
        if Rounding(raw).change(codes[repeated], self.encode(rows[repeated]), other_batches=True):
            raise EncoderError(
                f"encoder {self.encoder.name!r} gave different codes for the same points the second time, or among "
                "other points; hunts need a deterministic one (eval mode, fixed seed)"
            )
        return codes
