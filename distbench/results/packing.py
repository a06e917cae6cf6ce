"""Packs the arrays behind intervals as short text, with the precision that intervals need.

Leave-one-out values are kept as deviations from the value, as half floats, with a relative error below 0.0005.
Interactions enter intervals only through a sum of squares, for which one byte for each number is enough: its signed
root, which is finer near 0, where most of them are.
"""

from __future__ import annotations

import base64
import binascii
import math
import zlib
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypedDict

from distbench.errors import InputError
from distbench.inference.estimate import Estimate

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from distbench.results.rows import Row

__all__ = ["ARRAYS", "PackedArray", "estimate_of", "pack", "packed_arrays", "unpack", "unpacked_size"]

ARRAYS = {"leave_one_out": "float16", "interaction": "root8", "losses": "float16"}
"""The arrays of a row, and the form in which each is packed."""
DTYPES = {"float16": "<f2", "root8": "|i1"}
MAX_BYTE = 127
MAX_NUMBERS = 10**8  # in an array; a file with a larger array is damaged
FREE_NUMBERS = 1 << 23  # in an array that may be packed to nothing, such as one of equal numbers
MAX_RATIO = 200  # in larger arrays, of unpacked to packed bytes


class PackedArray(TypedDict):
    """``data`` is base64 of zlib of an array of that ``shape``, in C order.

    Values are ``offset + scale * a`` with half floats a for the dtype ``float16``, and ``offset + scale * b * abs(b)``
    with signed bytes b for ``root8``.
    """

    dtype: str
    shape: list[int]
    offset: float
    scale: float
    data: str


def pack(values: Sequence[Any] | NDArray[np.float64], dtype: str, offset: float = 0.0) -> PackedArray | None:
    """Return a packed array; None if it is not finite.

    The deviations from `offset`, a number near most values, become half floats or bytes, as in `PackedArray`.
    """
    import numpy as np

    array = np.asarray(values, dtype=np.float64)
    if not (np.isfinite(array).all() and np.isfinite(offset)):
        return None
    array = array - offset
    largest = float(np.abs(array).max(initial=0.0))
    scale = float(f"{largest / (MAX_BYTE**2 if dtype == 'root8' else 1):.9e}") or 1.0
    scaled = array / scale
    if dtype == "root8":
        scaled = np.rint(np.sign(scaled) * np.sqrt(np.abs(scaled))).clip(-MAX_BYTE, MAX_BYTE)
    scaled = scaled.astype(DTYPES[dtype])
    data = base64.b64encode(zlib.compress(scaled.tobytes(), 9)).decode()
    return PackedArray(dtype=dtype, shape=list(array.shape), offset=offset, scale=scale, data=data)


def packed_arrays(row: Row, names: Collection[str] = tuple(ARRAYS)) -> dict[str, Any]:
    """Return a row's packed arrays by name, without those that are missing or cannot be packed."""
    packed: dict[str, Any] = {}
    for name in names:
        array = getattr(row, name)
        if array is not None and not isinstance(array, dict) and row.value is not None:
            array = pack(array, ARRAYS[name], row.value if name == "leave_one_out" else 0.0)
        if isinstance(array, dict):
            packed[name] = array
    return packed


def estimate_of(row: Row) -> Estimate:
    """Return a row's value with its leave-one-out values, or else with its interval."""
    value = math.nan if row.value is None else row.value
    without, interaction = unpack(row.leave_one_out), unpack(row.interaction)
    counts, ends = (row.k, row.M, row.m), (row.low, row.high)
    estimate = Estimate.of_metric(row.metric, value, without, interaction, counts=counts, ends=ends)
    return estimate if row.losses is None else replace(estimate, losses=unpack(row.losses))


def unpack(packed: PackedArray | Sequence[Any] | None) -> NDArray[np.float64] | None:
    """Return the array from its packed form or a list; None stays None. Raises InputError for damage."""
    if packed is None:
        return None
    import numpy as np

    if not isinstance(packed, dict):
        return np.asarray(packed, dtype=np.float64)
    try:
        scaled = np.frombuffer(_unpacked_bytes(packed), dtype=DTYPES[packed["dtype"]])
        units = scaled.astype(np.float64).reshape(packed["shape"])
        units = units * np.abs(units) if packed["dtype"] == "root8" else units
        return packed["offset"] + packed["scale"] * units
    except (KeyError, TypeError, ValueError, binascii.Error, zlib.error) as error:
        raise InputError(f"packed array: damaged ({error})") from error


def unpacked_size(row: Row) -> int:
    """Return the number of bytes that a row's packed arrays claim to unpack to."""
    shapes = [packed.get("shape") for name in ARRAYS if isinstance(packed := getattr(row, name), dict)]
    sound = [shape for shape in shapes if isinstance(shape, list) and all(map(_is_count, shape))]
    return sum(2 * min(math.prod(shape), MAX_NUMBERS) for shape in sound)


def _is_count(length: Any) -> bool:
    return isinstance(length, int) and length >= 0


def _unpacked_bytes(packed: PackedArray) -> bytes:
    """Return an array's bytes, but no more than its shape needs."""
    count, size = math.prod(packed["shape"]), len(packed["data"])
    if not 0 <= count <= MAX_NUMBERS or 2 * count > max(2 * FREE_NUMBERS, MAX_RATIO * size):
        raise ValueError(f"its shape is {packed['shape']}, for {size:,} characters")
    return zlib.decompressobj().decompress(base64.b64decode(packed["data"]), 2 * count + 1)
