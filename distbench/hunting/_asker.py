"""Asks an encoder for codes, counts the rows, and knows how finely its codes are rounded."""

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

AGAIN = 64  # rows that are asked for twice
ROUNDINGS = 8  # of the last place, in a code or an input, that codes may be off by


class BudgetedEncoder:
    """An encoder with a budget of rows.

    Parameters
    ----------
    encoder : Encoder
        The encoder.
    region : PlausibleRegion
        Where its inputs lie.
    budget : int
        Rows that may be asked for.
    """

    def __init__(self, encoder: Encoder, region: PlausibleRegion, budget: int) -> None:
        self.encoder = encoder
        self.region = region
        self.budget = budget
        self.asked = 0
        self.epsilon = float(np.finfo(np.float64).eps)

    @property
    def left(self) -> int:
        """Rows that may still be asked for."""
        return max(0, self.budget - self.asked)

    def spend(self, rows: int) -> None:
        """Count rows that were asked for in another way, like gradients."""
        self.asked += rows

    def codes(self, points: Array) -> Array:
        """Return codes of flat points, float64.

        Raises
        ------
        EncoderError
            The encoder fails on one of them, which is shown.
        """
        self.asked += len(points)
        try:
            return np.asarray(self.encoder.encode(self.region.shaped(points)), dtype=np.float64)
        except EncoderError as error:
            alone, told = self._failing(points, error)
            numbers = np.array2string(alone, precision=6, threshold=8, edgeitems=4, max_line_width=200)
            raise EncoderError(
                f"{first_line(told)} (the input was a hunt's, asked alone: {numbers}; keep hunts from such inputs with "
                "plausible= or bounds=)"
            ) from (told.__cause__ or told)

    def _failing(self, points: Array, error: EncoderError) -> tuple[Array, EncoderError]:
        """Return one of some points on which the encoder fails, found by halving, and its error."""
        while len(points) > 1:
            half = len(points) // 2
            try:
                self.encoder.encode(self.region.shaped(points[:half]))
                points = points[half:]
            except EncoderError as found:
                points, error = points[:half], found
        try:
            self.encoder.encode(self.region.shaped(points))
        except EncoderError as found:
            error = found
        return points[0], error

    def first_codes(self) -> Array:
        """Return the codes of the region's rows; some are asked for twice.

        Raises
        ------
        EncoderError
            If the encoder gives other codes the second time.
        """
        rows = self.region.rows
        raw = self.encoder.encode(self.region.shaped(rows))
        self.asked += len(rows)
        self.epsilon = _epsilon(raw)
        codes = np.asarray(raw, dtype=np.float64)
        # never all: among the same others, codes that rest on their batch would be the same
        some = np.unique(np.linspace(0, len(rows) - 1, min(AGAIN, (len(rows) + 1) // 2)).astype(np.int64))
        if Rounding(raw).change(codes[some], self.codes(rows[some]), in_company=True):
            raise EncoderError(
                f"encoder {self.encoder.name!r} gave other codes the second time it was asked for the same points, or "
                "among others; hunts need a deterministic one (eval mode, fixed seed)"
            )
        return codes


def _epsilon(codes: NDArray[np.floating]) -> float:
    """Return the relative rounding of the shortest type that holds the codes as they are."""
    for dtype in (np.float16, np.float32):
        with np.errstate(over="ignore"):
            if np.array_equal(codes.astype(dtype), codes) and not np.array_equal(np.rint(codes), codes):
                return float(np.finfo(dtype).eps)
    return float(np.finfo(np.float64).eps)
