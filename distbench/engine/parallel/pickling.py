"""A problem on its way to other processes: pickled once, memory maps by the file that holds them."""

from __future__ import annotations

import io
import mmap
import pickle
import platform
import threading
import uuid
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench.errors import DistbenchError

__all__ = ["PickledProblem", "pack", "pack_into"]

LARGE = 1 << 20  # bytes from which an array is worth a file that all workers of a machine share


class PickledProblem:
    """What a job needs, as bytes or as the name of a file that holds them; opened once in each process."""

    def __init__(self, contents: bytes | Path, token: str) -> None:
        self._contents = contents
        self._token = token

    def open(self) -> Any:
        """Return what was packed.

        Raises
        ------
        DistbenchError
            If a file that a packed array lives in is not there, or is too short.
        """
        with _LOCK:
            if self._token not in _OPENED:
                data = self._contents if isinstance(self._contents, bytes) else self._contents.read_bytes()
                opened = pickle.loads(data)  # noqa: S301 - of this run's own main process
                _OPENED.clear()  # the problem before this one is done with
                _OPENED[self._token] = opened
            return _OPENED[self._token]

    def forget(self) -> None:
        """Let go of what was opened in this process."""
        with _LOCK:
            _OPENED.pop(self._token, None)


_OPENED: dict[str, Any] = {}
_LOCK = threading.Lock()


def pack(thing: Any) -> PickledProblem:
    """Pickle `thing`, with the memory maps of named files as references to them."""
    return PickledProblem(_pickled(thing, None), uuid.uuid4().hex)


def pack_into(folder: Path, thing: Any) -> PickledProblem:
    """Pickle `thing` into files of `folder`, which workers of this machine map and so share.

    Raises
    ------
    DistbenchError
        If there is no room for them.
    """
    path = folder / "problem.pickle"
    try:
        path.write_bytes(_pickled(thing, folder))
    except OSError as error:
        raise DistbenchError(
            f"executor: no room for the workers' data in {folder.parent} ({error}); set TMPDIR to a larger disk"
        ) from error
    return PickledProblem(path, uuid.uuid4().hex)


def _pickled(thing: Any, folder: Path | None) -> bytes:
    buffer = io.BytesIO()
    _Pickler(buffer, folder).dump(thing)
    return buffer.getvalue()


class _Pickler(pickle.Pickler):
    """Pickles arrays as references to files where there are files."""

    def __init__(self, buffer: io.BytesIO, folder: Path | None) -> None:
        super().__init__(buffer, protocol=5)
        self._folder = folder
        self._files = 0

    def reducer_override(self, thing: Any) -> Any:
        if not isinstance(thing, np.ndarray) or thing.dtype.hasobject:
            return NotImplemented
        where = _place_in_file(thing) if thing.size else None
        if where is None and self._folder is not None and thing.nbytes >= LARGE:
            where = self._written(thing)
        if where is None:
            return NotImplemented
        return _reopen, (*where, thing.dtype, thing.shape)

    def _written(self, array: NDArray[Any]) -> tuple[str, int, int, tuple[int, ...] | None]:
        assert self._folder is not None
        path = self._folder / f"array{self._files}"
        self._files += 1
        with path.open("wb") as file:
            file.write(np.ascontiguousarray(array).data)
        return str(path), 0, array.nbytes, None


def _place_in_file(array: NDArray[Any]) -> tuple[str, int, int, tuple[int, ...] | None] | None:
    """Return where a view of a memory map lies: path, first byte, number of bytes, strides (None: C order).

    None where it lies in no named file that still exists, or where its own changes never reach the file.
    """
    root: Any = array
    while isinstance(root, np.ndarray) and not isinstance(root.base, mmap.mmap):
        root = root.base
    if not isinstance(root, np.memmap) or root.filename is None or root.mode == "c":
        return None
    path = Path(root.filename).absolute()
    if not path.is_file() or any(stride < 0 for stride in array.strides):
        return None
    if root.mode != "r":
        root.flush()
    # A slice of a memory map keeps the offset of the whole: only addresses tell where it starts.
    start = array.__array_interface__["data"][0] - root.__array_interface__["data"][0] + int(root.offset)
    if array.flags.c_contiguous:
        return str(path), start, array.nbytes, None
    low, high = np.lib.array_utils.byte_bounds(array)
    return str(path), start, high - low, array.strides


def _reopen(
    path: str,
    start: int,
    size: int,
    strides: tuple[int, ...] | None,
    dtype: np.dtype[Any],
    shape: tuple[int, ...],
) -> NDArray[Any]:
    """Map an array of another process again, by the file that holds it."""
    file = Path(path)
    try:
        found = file.stat().st_size
    except OSError as error:
        raise DistbenchError(
            f"executor: a worker on {platform.node()} cannot open the memory-mapped file {path} "
            f"({error.strerror}); put it (a temporary file: set TMPDIR) where every worker can read it"
        ) from None
    if found < start + size:
        raise DistbenchError(
            f"executor: a worker on {platform.node()} found {found} bytes in {path}, but {start + size} are "
            "needed; it is not the file that was memory-mapped"
        )
    # Copy on write: nothing reaches the file, yet kernels compiled for writable arrays can be used.
    raw = np.memmap(path, dtype=np.uint8, mode="c", offset=start, shape=(size,))
    return np.ndarray(shape, dtype, buffer=raw, strides=strides)
