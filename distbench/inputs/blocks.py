"""Reads points outside memory block by block, and keeps them as memory maps."""

from __future__ import annotations

import math
import mmap
import os
import tempfile
import weakref
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

from distbench.errors import InputError
from distbench.inputs.size_guards import IN_MEMORY_BYTES

__all__ = ["is_mapped", "is_stored", "loaded", "matrix_blocks", "release", "stored_blocks"]

BLOCK_BYTES = 16 << 20

Array = NDArray[Any]
Check = Callable[[Array, int], None]


def is_stored(value: Any) -> TypeGuard[Any]:
    """Return whether `value` is an array in chunks, such as those of HDF5, Zarr or Dask."""
    wanted = ("shape", "dtype", "chunks", "__getitem__")
    return not isinstance(value, np.ndarray) and all(hasattr(type(value), name) for name in wanted)


def is_mapped(array: Array) -> bool:
    """Return whether an array is a view of a memory map."""
    return _mapped_root(array) is not None


def _mapped_root(array: Array) -> Any:
    """Return the array that owns the memory map of which `array` is a view, or None."""
    root: Any = array
    while isinstance(root, np.ndarray) and not isinstance(root.base, mmap.mmap):
        root = root.base
    return root if isinstance(root, np.ndarray) else None


def release(array: Array) -> None:
    """Free the pages of a read-only memory map, because clusters limit memory. They are read again when needed."""
    root = _mapped_root(array)
    if isinstance(root, np.memmap) and root.mode == "r" and hasattr(mmap, "MADV_DONTNEED"):
        root.base.madvise(mmap.MADV_DONTNEED)  # type: ignore[union-attr]


def matrix_blocks(points: Array) -> Iterator[tuple[slice, Array]]:
    """Yield consecutive blocks of rows of a matrix, each with its slice; pages of a memory map are freed after use.

    Blocks have about `BLOCK_BYTES` as float64, so that the cuts do not depend on the type.
    """
    for rows in _row_blocks(len(points), 8 * points.shape[1]):
        yield rows, np.asarray(points[rows])
        release(points)


def _row_blocks(rows: int, row_bytes: int, step: int = 1) -> Iterator[slice]:
    """Cut rows into blocks of about `BLOCK_BYTES`, each a multiple of `step` rows."""
    size = max(1, BLOCK_BYTES // max(1, row_bytes * step)) * step
    for start in range(0, rows, size):
        yield slice(start, min(rows, start + size))


def loaded(value: Any, name: str, check: Check) -> Array:
    """Return stored points as a matrix of float32 or float64: in memory if small, else in a temporary memory map.

    They are read once, block by block; `check` is called with each block and the number of its first row. Images are
    flattened. In memory, the result is float32 if the stored numbers are; in a memory map, if float32 holds them
    exactly. Else it is float64.
    """
    rows, columns = int(value.shape[0]), math.prod(int(size) for size in value.shape[1:])
    dtype = np.dtype(value.dtype)
    native = dtype.newbyteorder("=") == np.float32
    if rows * columns * (4 if native else 8) < IN_MEMORY_BYTES:
        points = np.empty((rows, columns), dtype=np.float32 if native else np.float64)
        for span, block in _blocks(value, name, check):
            points[span] = block
        return points
    exact = np.can_cast(dtype, np.float32, "safe")
    return _spooled(_blocks(value, name, check), (rows, columns), np.dtype(np.float32 if exact else np.float64), name)


def _blocks(value: Any, name: str, check: Check) -> Iterator[tuple[slice, Array]]:
    """Yield checked blocks of rows, flattened."""
    start = 0
    for block in stored_blocks(value, name):
        rows = block.reshape(len(block), -1)
        check(rows, start)
        yield slice(start, start + len(rows)), rows
        start += len(rows)


def stored_blocks(value: Any, name: str) -> Iterator[Array]:
    """Yield consecutive blocks of rows; each has whole chunks, so that no chunk is read twice."""
    rows = int(value.shape[0])
    row_bytes = math.prod(int(size) for size in value.shape[1:]) * np.dtype(value.dtype).itemsize
    for span in _spans(getattr(value, "chunks", None), rows, row_bytes):
        try:
            block = np.asarray(value[span])
        except Exception as error:
            reason = str(error).split("\n", 1)[0]
            raise InputError(
                name,
                f"found {type(value).__name__} whose rows {span.start} to {span.stop - 1} cannot "
                f"be read ({type(error).__name__}: {reason})",
                "make sure that its file is open and complete",
            ) from error
        yield block


def _spans(chunks: Any, rows: int, row_bytes: int) -> Iterator[slice]:
    """Yield slices of rows that each cover whole chunks; `chunks` is the attribute of HDF5, Zarr or Dask arrays."""
    row_chunks = chunks[0] if chunks else 1
    if not isinstance(row_chunks, tuple):
        yield from _row_blocks(rows, row_bytes, min(int(row_chunks), rows))
        return
    start = stop = 0  # a Dask array can have chunks of different sizes
    for size in row_chunks:
        if stop > start and (stop + size - start) * row_bytes > BLOCK_BYTES:
            yield slice(start, stop)
            start = stop
        stop += int(size)
    yield slice(start, stop)


def _spooled(blocks: Iterator[tuple[slice, Array]], shape: tuple[int, int], dtype: np.dtype[Any], name: str) -> Array:
    """Return a memory map of a temporary file with these blocks; the file is deleted with the map."""
    handle, path = tempfile.mkstemp(prefix="distbench-", suffix=".points")
    try:
        with os.fdopen(handle, "wb") as file:  # written first, because a full disk would crash a map
            for _, block in blocks:
                file.write(np.ascontiguousarray(block, dtype=dtype).data)
        points = np.memmap(path, dtype=dtype, mode="r", shape=shape)
    except OSError as error:
        _remove(path)
        size = math.prod(shape) * dtype.itemsize / 1e9
        raise InputError(
            name,
            f"no room for a temporary copy of {size:.1f} GB in {Path(path).parent} ({error})",
            "set TMPDIR to a larger disk",
        ) from error
    except BaseException:
        _remove(path)
        raise
    weakref.finalize(points.base, _remove, path)  # the map exists as long as one of its views
    return points


def _remove(path: str) -> None:
    with suppress(PermissionError):  # some systems cannot delete a mapped file
        Path(path).unlink(missing_ok=True)
