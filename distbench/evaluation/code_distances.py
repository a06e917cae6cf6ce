"""What distance codes have: whether it can be measured, and whether whole numbers are vectors, symbols or bits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench._util.distances import HAMMING, PACKED_HAMMING
from distbench._util.notes import Note
from distbench.engine.spaces import distance_table
from distbench.errors import InputError
from distbench.evaluation.point_kinds import are_whole
from distbench.inputs.blocks import matrix_blocks
from distbench.inputs.frames import rows_in_cells

__all__ = ["checked_code_distance", "symbol_code_notes"]

Codes = NDArray[Any]

BYTES, SIGNED_BYTES = (0, 255), (-128, 127)
BITS, SIGNS = (0, 1), (-1, 1)
WORDS = (1, 2, 4)  # the numbers of bytes in which bits are packed
FEW_SYMBOLS = 4  # codes of fewer different numbers are more likely levels than symbols
ORDERED = 0.1  # correlation of numbers with input distances: below 0.09 for ids of quantizers, above 0.12 for vectors
MAX_ROWS, MOST_COMPARED, MOST_COLUMNS = 4096, 256, 64  # the codes that are looked at, and those compared in pairs


def checked_code_distance(
    codes: Sequence[Codes], raw: Sequence[Any], names: Sequence[str], distance: str, notes: list[str]
) -> str:
    """Return the distance of codes: bytes that hold packed bits have `packed_hamming` for `hamming`, with a note.

    `codes` are those of test points and perhaps of references, `raw` the same before they became floats. Raises
    InputError if the distance cannot be measured between them.
    """
    if distance not in (HAMMING, PACKED_HAMMING):
        return distance
    ranges = [_range(part, name, distance) for part, name in zip(codes, names, strict=True)]
    low, high = min(least for least, _ in ranges), max(largest for _, largest in ranges)
    is_bytes = any(least <= low and high <= largest for least, largest in (BYTES, SIGNED_BYTES))
    if distance == PACKED_HAMMING:
        if not is_bytes:
            raise InputError(
                names[0],
                f"found whole numbers from {low:g} to {high:g} in {' and '.join(names)}",
                f"{PACKED_HAMMING!r} takes bytes of eight bits each, 0 to 255 or -128 to 127, as numpy.packbits makes "
                "(of larger words: .view(numpy.uint8))",
            )
        if high <= BITS[1] and low >= BITS[0]:
            text = f"codes hold only 0 and 1, which {PACKED_HAMMING!r} takes for bytes of eight bits; if each column is"
            notes.append(Note("warning", "packed_bits", f"{text} a bit, pass {HAMMING!r}"))
        return distance
    if {BITS, SIGNS} == set(ranges) and codes[ranges.index(SIGNS)].all():
        found = f"found -1 and 1 in {names[ranges.index(SIGNS)]}, but 0 and 1 in {names[ranges.index(BITS)]}"
        raise InputError(names[0], found, "write bits in one way, such as Z > 0")
    if is_bytes and (low < SIGNS[0] or high > SIGNED_BYTES[1]) and all(map(_has_bytes, raw)):
        text = (
            f"codes of bytes were read as bits, eight packed into each, as by distance_z={PACKED_HAMMING!r}; pass "
            "this, or numpy.unpackbits(codes, axis=1); symbols, such as ids of a quantizer, pass as int64"
        )
        notes.append(Note("warning", "packed_bits", text))
        return PACKED_HAMMING
    if (low < BITS[0] or high > BITS[1]) and (low, high) != SIGNS:
        text = (
            f"codes hold whole numbers from {low:g} to {high:g}, and {HAMMING!r} counts the columns that differ, as "
            f"right for symbols; for packed bits pass {PACKED_HAMMING!r} and bytes, or numpy.unpackbits(codes, axis=1)"
        )
        notes.append(Note("info", "symbols", text))
    return distance


def _range(codes: Codes, name: str, distance: str) -> tuple[float, float]:
    """Return the least and the largest number. Raises InputError unless all are whole."""
    low, high = np.inf, -np.inf
    for _, block in matrix_blocks(codes):
        if not (np.rint(block) == block).all():
            what = "the columns that differ: pass binary codes" if distance == HAMMING else "bits of bytes: pass these"
            raise InputError(
                name, "found values that are no whole numbers", f"{distance!r} counts {what}, or use another distance"
            )
        low, high = min(low, float(block.min())), max(high, float(block.max()))
    return low, high


def _has_bytes(raw: Any) -> bool:
    """Return whether codes of any kind, or the first of a list, have numbers of one byte."""
    rows = rows_in_cells(raw)
    first = rows[0] if isinstance(rows, list | tuple) and len(rows) else rows
    types = (getattr(first, kind) for kind in ("dtype", "dtypes", "schema") if hasattr(first, kind))  # also of tables
    return "int8" in str(next(types, "")).lower()


def symbol_code_notes(X: Any, Z: Codes, distances: tuple[str, str]) -> list[Note]:
    """Return a note if codes may be symbols or packed bits, but are measured as vectors."""
    rows = Z[:: -(-len(Z) // MAX_ROWS)]
    if distances[1] in (HAMMING, PACKED_HAMMING) or not are_whole(rows):
        return []
    values = np.unique(rows)
    word = _word(float(values[-1] - values[0]))
    if len(values) < FEW_SYMBOLS or (values[0] < 0 and not word):
        return []
    if not _are_unordered(X, Z, distances[0], word):
        return []
    text = (
        f"codes are whole numbers, which {distances[1]} distances take for vectors: if they are symbols, such as ids "
        f"of a quantizer, pass distance_z={HAMMING!r}"
    )
    as_bytes = "" if word < 2 else " and bytes, .view(numpy.uint8)"
    text += f"; if they are packed bits, {PACKED_HAMMING!r}{as_bytes}" if word else ""
    return [Note("warning", "symbols", text)]


def _word(spread: float) -> int:
    """Return the bytes of the words in which whole numbers may be packed bits, which fill them; 0 if they are none."""
    size = next((size for size in WORDS if spread < 256**size), 0)
    return size if size == 1 or spread > 256**size / 4 else 0


def _are_unordered(X: Any, Z: Codes, distance: str, word: int) -> bool:
    """Return whether points with near numbers in the codes are no nearer than others, or less so than with near bits.

    Columns in which two codes are equal do not count, since points with equal symbols are near.
    """
    step = -(-len(Z) // MOST_COMPARED)
    codes, points = Z[::step, :MOST_COLUMNS], np.ascontiguousarray(X[::step])
    i, j = np.triu_indices(len(codes), 1)
    total, unequal = np.zeros(len(i)), np.zeros(len(i))
    for column in codes.T:
        values, ranks = np.unique(column, return_inverse=True)
        apart = np.abs(ranks[i] - ranks[j])
        total += apart / len(values)
        unequal += apart > 0
    between = distance_table(points, points, distance)[i, j]
    packed = codes.astype(np.int64).view(np.uint8).reshape(*codes.shape, 8)[:, :, :word].reshape(len(codes), -1)
    bits = distance_table(packed, packed, PACKED_HAMMING)[i, j] if word else np.zeros(len(i))
    with np.errstate(divide="ignore", invalid="ignore"):  # of equal distances nothing is known
        means = np.stack([total / unequal, between / np.abs(between).max(), bits])[:, unequal > 0]
        ordered, of_bits = np.corrcoef(means)[1, [0, 2]] if means.size else (1.0, 0.0)
    return bool(ordered <= max(ORDERED, of_bits if word else ORDERED))
