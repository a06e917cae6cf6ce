"""What an encoder makes of the points it is judged on: asked once, and again for some, or over draws; checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from distbench.encoders.decoder import decode
from distbench.encoders.determinism import check_same_again
from distbench.encoders.encoder import Encoder
from distbench.evaluation.draws import check_same_width
from distbench.evaluation.input_space import InputPoints
from distbench.evaluation.measure import EncodedPoints
from distbench.evaluation.settings import Labels, Settings
from distbench.inputs.arrays import as_points, check_distance, check_same_columns, check_same_rows

__all__ = ["EncodeRequest", "check_codes"]

NAMES = ("X_test", "codes of X_test", "reference", "codes of reference")


@dataclass(frozen=True)
class EncodeRequest:
    """An encoder, perhaps its decoder, and the points they are asked about, as they were given.

    Attributes
    ----------
    encoder : Encoder
        Asked for codes.
    X_test, reference : array-like or list of objects
        The points; `reference` may be None.
    decoder : callable or None
        Makes points of codes, where reconstructions are judged.
    """

    encoder: Encoder
    X_test: Any
    reference: Any
    decoder: Callable[[Any], Any] | None

    def draws(
        self, given: InputPoints, known: Labels | None, settings: Settings, notes: list[str]
    ) -> list[EncodedPoints]:
        """Return the checked points with their codes: one draw of them, or as many as the settings say.

        Parameters
        ----------
        given : InputPoints
            What input distances are measured between.
        known : Labels or None
            Their labels.
        settings : Settings
            Say how many draws, and which distance codes have.
        notes : list of str
            Where to say what a reader of scores must know.

        Raises
        ------
        EncoderError
            Codes cannot be used, are others the second time, or are of another size in another draw.
        """
        first = self._draw(given, known, settings, notes)
        if settings.draws == 1:
            notes += self._asked_again(first)
            return [first]
        drawn = [first, *(self._draw(given, known, settings, []) for _ in range(settings.draws - 1))]
        check_same_width(self.encoder.name, [draw.Z.shape[1] for draw in drawn])
        return drawn

    def _draw(self, given: InputPoints, known: Labels | None, settings: Settings, notes: list[str]) -> EncodedPoints:
        codes = self.encoder.encode(self.X_test)
        codes_ref = None if self.reference is None else self.encoder.encode(self.reference)
        made = None
        if self.decoder is not None:
            made = as_points(decode(self.decoder, codes, self.encoder.batch_size), "points made by the decoder")
        Z = as_points(codes, NAMES[1], notes)
        Z_ref = None if codes_ref is None else as_points(codes_ref, NAMES[3], notes)
        points = EncodedPoints(given.X, Z, given.X_ref, Z_ref, known, made, notes, given.space)
        check_codes(points, NAMES, settings.distance_z)
        return points

    def _asked_again(self, points: EncodedPoints) -> list[str]:
        told = check_same_again(self.encoder, self.X_test, points.Z)
        if points.Z_ref is not None:
            told += check_same_again(self.encoder, self.reference, points.Z_ref, "reference")
        return told[:1]


def check_codes(points: EncodedPoints, names: tuple[str, str, str, str], distance: str) -> None:
    """Raise InputError unless codes are one a point, of one space, and have that distance."""
    for codes, name in ((points.Z, names[1]), (points.Z_ref, names[3])):
        if codes is not None:
            check_distance(codes, distance, name)
    check_same_rows(points.X, points.Z, (names[0], names[1]))
    if points.X_ref is not None and points.Z_ref is not None:
        check_same_rows(points.X_ref, points.Z_ref, (names[2], names[3]))
        check_same_columns(points.Z, points.Z_ref, (names[1], names[3]))
