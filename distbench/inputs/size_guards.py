"""Refuses files that claim to hold much more data than their size allows, before memory is allocated."""

from __future__ import annotations

import math
import os
import struct
import zipfile
import zlib
from collections.abc import Iterable
from typing import IO, Any

from distbench._util.text import short_repr
from distbench.errors import DatasetError

__all__ = [
    "IN_MEMORY_BYTES",
    "other_method",
    "refuse_archive",
    "refuse_array",
    "refuse_table",
    "refuse_unfolded",
    "understated_member",
]

IN_MEMORY_BYTES = 64 << 20  # larger arrays stay in their file and are read block by block
MAX_BYTES = 1 << 28  # uncompressed bytes that any file may have
CHUNK = 1 << 20  # bytes that are unfolded at once
MAX_RATIO = 200  # in larger files, of uncompressed to compressed bytes
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Compressions of zip archives that are read. zipfile unfolds the others as far as they go, whatever they claim."""


def refuse_array(file: IO[bytes], size: int | None = None) -> None:
    """Raise DatasetError if an ``.npy`` claims to hold more bytes than its `size`; ignore files of other types.

    Reads the start of the file, and goes back to it if possible.
    """
    import numpy as np

    read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    size = os.fstat(file.fileno()).st_size if size is None else size
    try:
        shape, _, dtype = read[np.lib.format.read_magic(file)](file)
    except (ValueError, KeyError, EOFError):  # numpy will report it
        shape, dtype = (), np.dtype("u1")
    else:
        is_too_large = math.prod(shape) * dtype.itemsize > size and not dtype.hasobject  # numpy will refuse objects
        if is_too_large or min(shape, default=0) < 0:
            raise DatasetError(
                f"claims {shape} numbers of {dtype.itemsize} bytes, but has {size:,} bytes "
                "in all; is the file complete? save it again"
            )
    if file.seekable():
        file.seek(0)


def refuse_archive(file: IO[bytes]) -> None:
    """Raise DatasetError if an ``.npz`` unfolds to far more bytes than its file has."""
    size = os.fstat(file.fileno()).st_size
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            if other := other_method(members):
                raise DatasetError(f"has {other}, whose compression is not read; save it with numpy.savez")
            refuse_unfolded(sum(member.file_size for member in members), size, "numpy.savez, which does not compress")
            for member in members:
                if member.filename.endswith(".npy"):
                    with archive.open(member) as inner:
                        refuse_array(inner, member.file_size)
    except DatasetError:
        raise
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError):
        pass  # numpy will report it
    file.seek(0)


def other_method(members: Iterable[zipfile.ZipInfo]) -> str:
    """Return the name of a member of a zip archive with a compression that is not read; empty if there is none."""
    return next((short_repr(member.filename) for member in members if member.compress_type not in METHODS), "")


def understated_member(archive: zipfile.ZipFile) -> str:
    """Return the name of a deflated member that unfolds to more than it claims; empty if there is none.

    zipfile cuts a member to the size that it claims, but unfolds it first where it is read at once.
    """
    for member in archive.infolist():
        if member.compress_type == zipfile.ZIP_DEFLATED and _is_understated(archive.fp, member):
            return short_repr(member.filename)
    return ""


def _is_understated(file: Any, member: zipfile.ZipInfo) -> bool:
    file.seek(member.header_offset + 26)
    name, extra = struct.unpack("<HH", file.read(4))
    file.seek(name + extra, os.SEEK_CUR)
    inflate, packed, unfolded = zlib.decompressobj(-zlib.MAX_WBITS), b"", 0
    left = member.compress_size
    while not inflate.eof and unfolded <= member.file_size and (packed or left > 0):
        if not packed:
            packed = file.read(min(left, CHUNK))
            left = left - len(packed) if packed else 0
        unfolded += len(inflate.decompress(packed, CHUNK))
        packed = inflate.unconsumed_tail
    return unfolded > member.file_size


def refuse_table(metadata: Any, size: int) -> None:
    """Raise DatasetError if a Parquet table unfolds to far more bytes than its file has."""
    groups = range(getattr(metadata, "num_row_groups", 0))
    # Sizes of columns would be more exact, but reading them from a damaged file aborts pyarrow 26.
    pages = sum(metadata.row_group(at).total_byte_size for at in groups)
    refuse_unfolded(max(metadata.num_rows * metadata.num_columns * 8, pages), size, "compression=None")


def refuse_unfolded(unfolded: int, size: int, how: str) -> None:
    """Raise DatasetError if a file of `size` bytes unfolds to far more; `how` is a way to save such data."""
    if unfolded > max(MAX_BYTES, MAX_RATIO * size):
        raise DatasetError(
            f"has {size:,} bytes that unfold to {unfolded:,}, so it is not read; if this is correct, save it with {how}"
        )
