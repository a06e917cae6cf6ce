"""Arrays as short text, for files: what intervals come from, at the precision that intervals need.

Leave-one-out values are kept as deviations from the value, as half floats: a relative error below 0.0005 of each.
What they count twice enters intervals as a sum of squares alone, for which one byte a number will do: that of its
root, which is finer near 0, where most of them are.
"""

from __future__ import annotations

import base64
import binascii
import math
import zlib
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any, TypedDict

from distbench.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from distbench.results.rows import Row

__all__ = ["PackedArray", "pack", "packed_arrays", "unpack"]

DTYPE_OF = {"leave_one_out": "float16", "interaction": "root8"}
DTYPES = {"float16": "<f2", "root8": "|i1"}
MOST = 127  # that a byte holds
MOST_NUMBERS = 10**8  # in an array; what a file says beyond is damage


class PackedArray(TypedDict):
    """``data`` is base64 of zlib of an array of that ``shape``, in C order.

    Values are ``offset + scale * a`` where the dtype is ``float16`` (half floats a), and
    ``offset + scale * b * abs(b)`` where it is ``root8`` (signed bytes b).
    """

    dtype: str
    shape: list[int]
    offset: float
    scale: float
    data: str


def pack(values: Sequence[Any] | NDArray[np.float64], dtype: str, offset: float = 0.0) -> PackedArray | None:
    """Return an array packed, or None where it cannot be: it is not finite.

    Parameters
    ----------
    values : array_like
        Numbers.
    dtype : {"float16", "root8"}
        What deviations from the offset, or their signed roots, are kept as.
    offset : float
        What most values are near.

    Returns
    -------
    PackedArray or None
    """
    import numpy as np

    array = np.asarray(values, dtype=np.float64)
    if not (np.isfinite(array).all() and np.isfinite(offset)):
        return None
    array = array - offset
    most = float(np.abs(array).max(initial=0.0))
    scale = float(f"{most / (MOST**2 if dtype == 'root8' else 1):.9e}") or 1.0
    small = array / scale
    if dtype == "root8":
        small = np.rint(np.sign(small) * np.sqrt(np.abs(small))).clip(-MOST, MOST)
    small = small.astype(DTYPES[dtype])
    data = base64.b64encode(zlib.compress(small.tobytes(), 9)).decode()
    return PackedArray(dtype=dtype, shape=list(array.shape), offset=offset, scale=scale, data=data)


def packed_arrays(row: Row, names: Collection[str] = tuple(DTYPE_OF)) -> dict[str, Any]:
    """Return a row's arrays packed, by name; those that cannot be packed, or are not there, are left out."""
    packed: dict[str, Any] = {}
    for name in names:
        array = getattr(row, name)
        if array is not None and not isinstance(array, dict) and row.value is not None:
            array = pack(array, DTYPE_OF[name], row.value if name == "leave_one_out" else 0.0)
        if isinstance(array, dict):
            packed[name] = array
    return packed


def unpack(packed: PackedArray | Sequence[Any] | None) -> NDArray[np.float64] | None:
    """Return the array that was packed; lists that never were as arrays, and None as None.

    Raises
    ------
    InputError
        The packed array is damaged.
    """
    if packed is None:
        return None
    import numpy as np

    if not isinstance(packed, dict):
        return np.asarray(packed, dtype=np.float64)
    try:
        small = np.frombuffer(_unfolded(packed), dtype=DTYPES[packed["dtype"]])
        units = small.astype(np.float64).reshape(packed["shape"])
        units = units * np.abs(units) if packed["dtype"] == "root8" else units
        return packed["offset"] + packed["scale"] * units
    except (KeyError, TypeError, ValueError, binascii.Error, zlib.error) as error:
        raise InputError(f"packed array: damaged ({error})") from error


def _unfolded(packed: PackedArray) -> bytes:
    """Return an array's bytes, and no more than its shape has room for, whatever the data unfold to."""
    numbers = math.prod(packed["shape"])
    if not 0 <= numbers <= MOST_NUMBERS:
        raise ValueError(f"its shape is {packed['shape']}")
    return zlib.decompressobj().decompress(base64.b64decode(packed["data"]), 2 * numbers + 1)
