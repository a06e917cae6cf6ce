"""Encodes the points of an evaluation: once, with a check that codes can be repeated, or in several draws."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import chain
from typing import Any

import numpy as np

from distbench._util.distances import HAMMING, PACKED_HAMMING, PRECOMPUTED
from distbench.encoders.decoder import decode
from distbench.encoders.determinism import check_same_again
from distbench.encoders.encoder import Encoder
from distbench.errors import EncoderError
from distbench.evaluation.code_distances import checked_code_distance
from distbench.evaluation.given_distances import given_distances
from distbench.evaluation.points import REFERENCE, TEST, EncodedPoints, InputPoints
from distbench.evaluation.settings import Settings
from distbench.inputs.arrays import (
    as_points,
    bytes_per_row,
    check_row_shapes,
    check_same_columns,
    check_same_rows,
)
from distbench.inputs.sparse import is_sparse, without_empty_columns
from distbench.metrics.reconstruction import squared_errors

__all__ = ["encode", "with_codes"]

CODES = (f"codes of {TEST}", f"codes of {REFERENCE}")
FLATTENED = "arrays of shape {} flattened to {} columns; if these are vectors of tokens, pool them"
RECONSTRUCTED = "points returned by the decoder"


def encode(
    encoders: tuple[Encoder, Encoder],
    points: tuple[Any, Any],
    inputs: InputPoints,
    decoder: Callable[[Any], Any] | None,
    settings: Settings,
    notes: list[str],
) -> list[EncodedPoints]:
    """Return the points with their codes, once for each draw; append notes for readers of the report to `notes`.

    `encoders` are that of the test points, which the report is on, and that of the reference points; often the same.
    `points` are the test points and the reference points (or None) as the encoder takes them; input distances are
    measured between `inputs`. Raises EncoderError if codes cannot be used, differ when the encoder is called again, or
    have different sizes in different draws.
    """
    encoder, stored = encoders[0], encoders[1] if points[1] is not None else encoders[0]

    def draw(notes: list[str]) -> tuple[EncodedPoints, list[Any]]:
        outputs = [None if part is None else own.outputs(part) for own, part in zip(encoders, points, strict=True)]
        codes = list(map(_widened, outputs))
        encoded = with_codes(inputs, (codes[0], codes[1]), CODES, settings, notes)
        kept = outputs[0] if stored is encoder else outputs[1]  # what an index stores
        encoded = replace(encoded, code_bytes=stored.code_bytes or bytes_per_row(kept))
        codes = [codes if is_sparse(codes) else Z for codes, Z in zip(codes, (encoded.Z, encoded.Z_ref), strict=True)]
        if decoder is None:
            return encoded, codes
        reconstructed = as_points(decode(decoder, codes[0], encoder.batch_size), RECONSTRUCTED)
        errors = squared_errors(inputs.X, reconstructed, (inputs.names[0], RECONSTRUCTED))
        return replace(encoded, squared_errors=errors), codes

    first, codes = draw(notes)
    if settings.draws == 1:
        sets = zip(encoders, points, codes, (TEST, REFERENCE), strict=True)
        found = [check_same_again(own, part, Z, name) for own, part, Z, name in sets if Z is not None]
        notes += list(chain.from_iterable(found))[:1]
        return [first]
    draws = [first, *(draw([])[0] for _ in range(settings.draws - 1))]
    for number, other in enumerate(draws, start=1):
        if other.code_size != first.code_size:
            raise EncoderError(
                f"encoder {encoder.name!r}",
                f"returned codes of size {other.code_size} in draw {number}, {first.code_size} in the first",
                "return codes of one size",
            )
    return draws


def _widened(codes: Any) -> Any:
    """Return codes of half precision as float32 and bits as float64, in which they are measured and decoded."""
    wide = {"float16": np.float32, "bool": np.float64}.get(str(getattr(codes, "dtype", "")))
    return codes if wide is None else codes.astype(wide)


def with_codes(
    points: InputPoints, codes: tuple[Any, Any], names: tuple[str, str], settings: Settings, notes: list[str]
) -> EncodedPoints:
    """Return points with the codes of test and reference points; `names` are those of the codes in errors.

    Raises InputError unless each point has one code, all codes have the same size, and the distance of the settings can
    be measured between them.
    """
    if settings.distance_z == PRECOMPUTED:
        n = 0 if points.X_ref is None else len(points.X_ref)
        Z, Z_ref = given_distances(codes[0], names[0], n, settings.include_queries)
        check_same_rows(points.X, Z, (points.names[0], names[0]))
        return EncodedPoints(points.X, Z, points.X_ref, Z_ref, distance_z=PRECOMPUTED)
    parts: list[Any] = [codes[0]] if points.X_ref is None else [codes[0], codes[1]]
    narrow = parts if settings.distance_z == HAMMING else without_empty_columns(parts, names)
    is_packed = settings.distance_z == PACKED_HAMMING
    both = [
        as_points(part, name, notes, FLATTENED, keep_bytes=is_packed) for part, name in zip(narrow, names, strict=False)
    ]
    Z, Z_ref = both[0], both[1] if len(both) == 2 else None
    distance = checked_code_distance(both, codes[: len(both)], names[: len(both)], settings.distance_z, notes)
    full_size = codes[0].shape[1] if narrow[0] is not codes[0] else None
    check_same_rows(points.X, Z, (points.names[0], names[0]))
    if points.X_ref is not None and Z_ref is not None:
        check_same_rows(points.X_ref, Z_ref, (points.names[1], names[1]))
        check_same_columns(Z, Z_ref, names)
        check_row_shapes(codes, names)
    size = bytes_per_row(codes[0] if settings.include_queries or codes[1] is None else codes[1])  # of what is stored
    return EncodedPoints(
        points.X, Z, points.X_ref, Z_ref, distance_z=distance, full_code_size=full_size, code_bytes=size
    )
