"""Pickles the problem once for other processes; memory maps are pickled as the names of their files."""

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

__all__ = ["PickledProblem"]

SHARED_BYTES = 1 << 16  # larger arrays are written to files, which all workers of a machine map

Place = tuple[str, int, int, tuple[int, ...] | None]  # path, first byte, number of bytes, strides (None: C order)


class PickledProblem:
    """The bytes of a problem, which each process unpickles once.

    Memory maps of named files are pickled as references to these files. Other large arrays are written to `folder`, if
    there is one; the workers of this machine map, and so share, these files.
    """

    def __init__(self, problem: Any, folder: Path | None = None) -> None:
        self._token = uuid.uuid4().hex
        buffer = io.BytesIO()
        try:
            _Pickler(buffer, folder).dump(problem)
        except OSError as error:
            raise DistbenchError(
                f"executor: no room for the workers' data in {folder and folder.parent} ({error}); "
                "set TMPDIR to a larger disk"
            ) from error
        self._pickled = np.frombuffer(buffer.getbuffer(), np.uint8)  # an array is pickled without a copy

    def open(self) -> Any:
        """Return the problem; raise DistbenchError if a file of its arrays is missing or too short."""
        with _lock:
            if self._token not in _opened:
                problem = pickle.loads(self._pickled.data)  # noqa: S301 - from this run's main process
                _opened.clear()  # earlier problems are finished
                _opened[self._token] = problem
            return _opened[self._token]

    def forget(self) -> None:
        """Free what this process has opened."""
        with _lock:
            _opened.pop(self._token, None)


_opened: dict[str, Any] = {}
_lock = threading.Lock()


class _Pickler(pickle.Pickler):
    """Pickles arrays as references to their files, if they have any."""

    def __init__(self, buffer: io.BytesIO, folder: Path | None) -> None:
        super().__init__(buffer, protocol=5)
        self._folder = folder
        self._files = 0

    def reducer_override(self, value: Any) -> Any:
        if not isinstance(value, np.ndarray) or value.dtype.hasobject:
            return NotImplemented
        place = _place_in_file(value) if value.size else None
        if place is None and self._folder is not None and value.nbytes >= SHARED_BYTES:
            path = self._folder / f"array{self._files}"
            self._files += 1
            path.write_bytes(np.ascontiguousarray(value).data)
            place = str(path), 0, value.nbytes, None
        return NotImplemented if place is None else (_reopen, (*place, value.dtype, value.shape))


def _place_in_file(array: NDArray[Any]) -> Place | None:
    """Return the place of a view of a memory map in its file; None for other arrays and for copy-on-write maps."""
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
    # A slice of a memory map keeps the offset of the whole map, so its start is computed from addresses.
    start = array.__array_interface__["data"][0] - root.__array_interface__["data"][0] + int(root.offset)
    if array.flags.c_contiguous:
        return str(path), start, array.nbytes, None
    low, high = np.lib.array_utils.byte_bounds(array)
    return str(path), start, high - low, array.strides


def _reopen(
    path: str, start: int, size: int, strides: tuple[int, ...] | None, dtype: np.dtype[Any], shape: tuple[int, ...]
) -> NDArray[Any]:
    """Map an array of another process from its file."""
    try:
        file_size = Path(path).stat().st_size
    except OSError as error:
        raise DistbenchError(
            f"executor: a worker on {platform.node()} cannot open the memory-mapped file {path} "
            f"({error.strerror}); put it where every worker can read it (for temporary files set TMPDIR)"
        ) from None
    if file_size < start + size:
        raise DistbenchError(
            f"executor: a worker on {platform.node()} found {file_size} bytes in {path}, but {start + size} are "
            "needed; it is not the file that was memory-mapped"
        )
    # Copy on write leaves the file unchanged, but the array is writable, as compiled kernels require.
    raw = np.memmap(path, dtype=np.uint8, mode="c", offset=start, shape=(size,))
    return np.ndarray(shape, dtype, buffer=raw, strides=strides)
