"""The codes that an encoder gives for the points it is judged on: once, checked on some points again, or in draws."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from distbench.encoders.decoder import decode
from distbench.encoders.determinism import check_same_again
from distbench.encoders.encoder import Encoder
from distbench.errors import EncoderError
from distbench.evaluation.points import EncodedPoints, InputPoints
from distbench.evaluation.settings import Settings
from distbench.inputs.arrays import as_points, check_distance, check_same_columns, check_same_rows
from distbench.metrics.reconstruction import squared_errors

__all__ = ["encode", "with_codes"]

NAMES = ("codes of X_test", "codes of reference")


def encode(
    encoder: Encoder,
    points: tuple[Any, Any],
    inputs: InputPoints,
    decoder: Callable[[Any], Any] | None,
    settings: Settings,
    notes: list[str],
) -> list[EncodedPoints]:
    """Return the checked points with their codes: one draw, or as many as the settings say.

    Parameters
    ----------
    encoder : Encoder
        Returns the codes.
    points : tuple of array-like or list of objects
        What the encoder gets: test points and reference points, which may be None.
    inputs : InputPoints
        What input distances are measured between.
    decoder : callable or None
        Makes points of codes, where reconstructions are judged.
    settings : Settings
        Say how many draws, and which distance codes have.
    notes : list of str
        What a reader of scores must know is added here.

    Raises
    ------
    EncoderError
        Codes cannot be used, differ when the encoder is asked again, or have another size in another draw.
    """

    def draw(notes: list[str]) -> EncodedPoints:
        codes, codes_ref = (None if part is None else encoder.encode(part) for part in points)
        encoded = with_codes(inputs, (codes, codes_ref), NAMES, settings, notes)
        if decoder is None:
            return encoded
        reconstructed = as_points(decode(decoder, codes, encoder.batch_size), "points made by the decoder")
        return replace(encoded, squared_errors=squared_errors(inputs.X, reconstructed))

    first = draw(notes)
    if settings.draws == 1:
        notes += _asked_again(encoder, points, first)
        return [first]
    draws = [first, *(draw([]) for _ in range(settings.draws - 1))]
    for number, other in enumerate(draws, start=1):
        if other.Z.shape[1] != first.Z.shape[1]:
            raise EncoderError(
                f"encoder {encoder.name!r}",
                f"returned codes of size {other.Z.shape[1]} in draw {number}, {first.Z.shape[1]} in the first",
                "return codes of one size",
            )
    return draws


def _asked_again(encoder: Encoder, points: tuple[Any, Any], encoded: EncodedPoints) -> list[str]:
    notes = check_same_again(encoder, points[0], encoded.Z)
    if encoded.Z_ref is not None:
        notes += check_same_again(encoder, points[1], encoded.Z_ref, "reference")
    return notes[:1]


def with_codes(
    points: InputPoints, codes: tuple[Any, Any], names: tuple[str, str], settings: Settings, notes: list[str]
) -> EncodedPoints:
    """Return points with their codes, if these are one a point, of one space, and have the distance asked for.

    Parameters
    ----------
    points : InputPoints
        Checked.
    codes : tuple of array-like
        Codes of the test points and of the reference points.
    names : tuple of str
        What both are called in messages.
    settings : Settings
        Say which distance is measured.
    notes : list of str
        What a reader of scores must know is added here.

    Raises
    ------
    InputError
        If the codes cannot be used.
    """
    Z = as_points(codes[0], names[0], notes)
    Z_ref = None if points.X_ref is None else as_points(codes[1], names[1], notes)
    check_distance(Z, settings.distance_z, names[0])
    if Z_ref is not None:
        check_distance(Z_ref, settings.distance_z, names[1])
    check_same_rows(points.X, Z, (points.names[0], names[0]))
    if points.X_ref is not None and Z_ref is not None:
        check_same_rows(points.X_ref, Z_ref, (points.names[1], names[1]))
        check_same_columns(Z, Z_ref, names)
    return EncodedPoints(points.X, Z, points.X_ref, Z_ref)
