"""Looks at what files of arrays say of their size before memory is taken for it; they may be damaged, or malicious."""

from __future__ import annotations

import os
import zipfile
from typing import IO, Any

from distbench.errors import DatasetError

__all__ = ["refuse_archive", "refuse_array", "refuse_table", "refuse_unfolded"]

SMALL = 1 << 30  # bytes that any file may unfold to
RATIO = 200  # times its size that a file may unfold to beyond that


def refuse_array(file: IO[bytes], size: int | None = None) -> None:
    """Raise DatasetError where an ``.npy`` says that it holds more than it has; what is no ``.npy`` is left to numpy.

    Parameters
    ----------
    file : binary file
        At its start, where it is again afterwards if it can be.
    size : int, optional
        Bytes that it has; where it is not known, of a file on disk.
    """
    import numpy as np

    read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    size = os.fstat(file.fileno()).st_size if size is None else size
    try:
        shape, _, dtype = read[np.lib.format.read_magic(file)](file)
    except (ValueError, KeyError, EOFError):  # numpy says it better
        shape, dtype = (), np.dtype("u1")
    else:
        said = _product(shape) * dtype.itemsize
        if said > size or min(shape, default=0) < 0:
            raise DatasetError(
                f"says that it holds {shape} numbers of {dtype.itemsize} bytes, and has {size:,} bytes "
                "in all; is it whole? save it anew"
            )
    if file.seekable():
        file.seek(0)


def refuse_archive(file: IO[bytes]) -> None:
    """Raise DatasetError where an ``.npz`` unfolds to so much more than it is that nobody can have meant it."""
    size = os.fstat(file.fileno()).st_size
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            refuse_unfolded(sum(member.file_size for member in members), size, "numpy.savez, which does not compress")
            for member in members:
                if member.filename.endswith(".npy"):
                    with archive.open(member) as inner:
                        refuse_array(inner, member.file_size)
    except DatasetError:
        raise
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError):
        pass  # numpy says it better
    file.seek(0)


def refuse_table(metadata: Any, size: int) -> None:
    """Raise DatasetError where a Parquet file unfolds to so much more than it is that nobody can have meant it."""
    groups = range(getattr(metadata, "num_row_groups", 0))
    # Not by the values that each column says it has: where a file is damaged, asking pyarrow 26 for a column aborts.
    pages = sum(metadata.row_group(at).total_byte_size for at in groups)
    refuse_unfolded(max(metadata.num_rows * metadata.num_columns * 8, pages), size, "compression=None")


def refuse_unfolded(unfolded: int, size: int, how: str) -> None:
    """Raise DatasetError where a file of `size` bytes unfolds to so many that nobody can have meant it."""
    if unfolded > max(SMALL, RATIO * size):
        raise DatasetError(
            f"has {size:,} bytes that unfold to {unfolded:,}, so it is not read; if that is right, save it with {how}"
        )


def _product(shape: tuple[int, ...]) -> int:
    found = 1
    for one in shape:  # whole numbers of Python, which do not overflow
        found *= one
    return found
