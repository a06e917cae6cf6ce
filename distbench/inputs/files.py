"""Reads points and codes from files: ``.npy``, ``.npz``, ``.parquet`` and ``.h5ad``. Nothing in a file is ever run."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from distbench._util.text import did_you_mean, join_names, short_repr, shortened
from distbench.errors import DatasetError, InputError, MissingDependencyError
from distbench.inputs.size_guards import refuse_archive, refuse_array

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ENDINGS", "is_file_name", "open_archive", "read_array", "read_points", "reading"]

T = TypeVar("T")

ENDINGS = (".npy", ".npz", ".parquet", ".h5ad")
KEYED = ENDINGS[1:]
MAPPED = 64 << 20  # bytes from which an array stays in its file; a smaller one may be written over meanwhile


def is_file_name(value: Any) -> bool:
    """Say whether a text or path is meant as a file of points: it ends as one does, with or without a key."""
    return isinstance(value, str | PathLike) and _parts(value)[0].suffix.lower() in ENDINGS


def read_points(source: str | PathLike[str], name: str) -> Any:
    """Return the points of a file, not checked yet.

    Parameters
    ----------
    source : str or path-like
        An ``.npy``, of which one of 64 MB or more stays in its file; an ``.npz`` of one array, or ``file.npz:key``; a
        ``.parquet`` of columns of numbers or with one column of lists, or ``file.parquet:column``; an ``.h5ad``, for
        its ``X``, or ``file.h5ad:key`` for that key of its ``obsm``.
    name : str
        The argument's name, for error messages.

    Returns
    -------
    array of shape (n, ...)
        Of numpy; of HDF5 where an ``.h5ad`` has much in it.

    Raises
    ------
    InputError
        There is no such file, it is damaged, says that it holds more than it can, or holds something else.
    MissingDependencyError
        The package that reads such files is not installed.
    """
    path, key = _parts(source)
    kind = path.suffix.lower()
    try:
        if kind not in ENDINGS:
            raise DatasetError(f"found {short_repr(str(source))}; give a file that ends in {', '.join(ENDINGS)}")
        if path.is_dir():
            raise DatasetError(path.name, "is a folder", "give a file")
        return reading(path, lambda: _READERS[kind](path, key))
    except (DatasetError, OSError, ValueError) as error:  # also of what can be no path
        raise InputError(name, shortened(str(error))) from error.__cause__
    except MissingDependencyError as error:
        raise MissingDependencyError(f"{name}: {error}") from error.__cause__


def _parts(source: str | PathLike[str]) -> tuple[Path, str]:
    """Return a file and the key behind it; a colon may be part of a name too."""
    text = str(Path(source).expanduser())
    if not text.lower().endswith(ENDINGS):
        for place in (place for place, sign in enumerate(text[:-1]) if sign == ":"):
            if text[:place].lower().endswith(KEYED):
                return Path(text[:place]), text[place + 1 :]
    return Path(text), ""


def reading(path: Path, read: Callable[[], T]) -> T:
    """Return what ``read`` does; its errors name the file.

    Raises
    ------
    DatasetError
        The file is missing, damaged or lacks something: which, and what to do.
    MissingDependencyError
        The package that reads such files is not installed.
    """
    try:
        return read()
    except MissingDependencyError as error:
        raise MissingDependencyError(f"{path.name}: {error}") from error
    except DatasetError as error:
        raise DatasetError(path.name, str(error)) from None
    except FileNotFoundError as error:
        raise DatasetError(f"no such file: {path}") from error
    except Exception as error:  # numpy, zipfile, pyarrow and h5py raise all kinds for a damaged file
        raise DatasetError(path.name, f"cannot be read: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    if "allow_pickle" in str(error) or "Python objects" in str(
        error
    ):  # also numpy's guess about a file of another kind
        return "it is damaged, or holds Python objects, which could run code; save numbers with numpy.save"
    told = " ".join(f"{type(error).__name__}: {error}".split())
    return f"{told}; is it whole? save it anew"


def read_array(path: Path, mapped: bool = False) -> NDArray[Any]:
    """Return the array of an ``.npy``: in memory, or mapped read-only. Its errors do not name the file yet."""
    import numpy as np

    with path.open("rb") as file:
        refuse_array(file)
        found = np.load(path, mmap_mode="r", allow_pickle=False) if mapped else np.load(file, allow_pickle=False)
        if isinstance(found, np.ndarray):
            return found
        found.close()
        raise DatasetError("holds several arrays; give it the ending .npz and name it as file")


def open_archive(file: Any) -> Any:
    """Return the arrays of an open ``.npz`` by name, none of which is read yet; refuse one that unfolds to too much."""
    import numpy as np

    refuse_archive(file)
    found = np.load(file, allow_pickle=False)
    if isinstance(found, np.ndarray):
        raise DatasetError("holds one array and no names; give it the ending .npy, or save it with numpy.savez")
    return found


def _npy(path: Path, key: str) -> NDArray[Any]:
    return read_array(path, mapped=path.stat().st_size >= MAPPED)


def _npz(path: Path, key: str) -> NDArray[Any]:
    import numpy as np

    with path.open("rb") as file:  # which numpy would leave open where it is damaged
        arrays = open_archive(file)
        names = arrays.files
        if key and key not in names:
            raise DatasetError(f"has no array {key!r}; {did_you_mean(key, names) if names else 'it is empty'}")
        if not key and len(names) != 1:
            if {"indptr", "indices", "shape"} <= set(names):
                raise DatasetError("holds a sparse matrix of scipy; save it as numbers: numpy.save(path, X.toarray())")
            hint = f"; name one: {path.name}:{names[0]}" if names else "; save one with numpy.savez"
            raise DatasetError(f"holds {len(names)} arrays{': ' * bool(names)}{join_names(names)}{hint}")
        found = arrays[key or names[0]]
        if not isinstance(found, np.ndarray):  # the bytes of some other file
            raise DatasetError(f"{key or names[0]} is no array; save it with numpy.savez")
        return found


def _parquet(path: Path, key: str) -> NDArray[Any]:
    from distbench.inputs.parquet import read_columns

    return read_columns(path, key)


def _h5ad(path: Path, key: str) -> Any:
    from distbench.inputs.h5ad import read_h5ad

    return read_h5ad(path, key)


_READERS: dict[str, Callable[[Path, str], Any]] = {".npy": _npy, ".npz": _npz, ".parquet": _parquet, ".h5ad": _h5ad}
