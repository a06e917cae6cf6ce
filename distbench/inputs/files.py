"""Reads points and codes from ``.npy``, ``.npz``, ``.parquet`` and ``.h5ad`` files, without running code in them."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from distbench._util.files import kind_of
from distbench._util.text import did_you_mean, join_names, short_repr, shortened
from distbench.errors import DatasetError, InputError, MissingDependencyError
from distbench.inputs.size_guards import IN_MEMORY_BYTES, refuse_archive, refuse_array

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "ENDINGS",
    "is_file_name",
    "is_table",
    "names_in_file",
    "open_archive",
    "read_array",
    "read_points",
    "reading",
]

T = TypeVar("T")

ENDINGS = (".npy", ".npz", ".parquet", ".h5ad")
KEYED = ENDINGS[1:]


def is_file_name(value: Any) -> bool:
    """Return whether a text or path names a file of points, with or without a key after it."""
    return isinstance(value, str | PathLike) and _parts(value)[0].suffix.lower() in ENDINGS


def read_points(source: str | PathLike[str], name: str, *, one_column: bool = False) -> Any:
    """Return the unchecked points of a file: a numpy array, or for a large ``.h5ad`` a data set of HDF5.

    Parameters
    ----------
    source : str or path-like
        An ``.npy``, which is memory-mapped from 64 MB on; an ``.npz`` of one array, or ``file.npz:key``; a ``.parquet``
        with columns of numbers or one column of lists, or ``file.parquet:column``; an ``.h5ad``, which means its ``X``,
        or ``file.h5ad:key``, where the key is one of its ``obsm``.
    name : str
        The argument's name in errors.
    one_column : bool
        Whether to read one column of a ``.parquet``, of any type, as an array (n,): labels, groups or ids.

    Raises
    ------
    InputError
        The file is missing or damaged, claims more data than it has, or holds something else.
    MissingDependencyError
        The package that reads such files is not installed.
    """
    path, key = _parts(source)
    kind = path.suffix.lower()
    try:
        if kind not in ENDINGS:
            raise DatasetError(f"found {short_repr(str(source))}; give a file that ends in {', '.join(ENDINGS)}")
        if kind_of(path) not in ("", "a file"):  # reading a pipe could wait for ever
            raise DatasetError(str(path), f"is {kind_of(path)}", "give a file")
        read = _parquet_column if one_column and kind == ".parquet" else _READERS[kind]
        return reading(path, lambda: read(path, key), str(path))
    except (DatasetError, OSError, ValueError) as error:  # ValueError: the path is impossible
        raise InputError(name, shortened(str(error))) from error.__cause__
    except MissingDependencyError as error:
        raise MissingDependencyError(f"{name}: {error}") from error.__cause__


def is_table(source: Any) -> bool:
    """Return whether a text or path names a file whose rows and columns may have names, with or without a key."""
    return isinstance(source, str | PathLike) and _parts(source)[0].suffix.lower() in (".parquet", ".h5ad")


def names_in_file(source: str | PathLike[str]) -> tuple[list[Any] | None, list[str] | None, list[str], list[str]]:
    """Return the names of a table's rows; of the columns that were read; of those left out; and of likely ids.

    Rows or columns without names are None. If the source names a column, all are: then none is left out by mistake.
    """
    from distbench.inputs import h5ad, parquet

    path, key = _parts(source)
    if path.suffix.lower() == ".parquet":
        rows, columns, others, ids = reading(path, lambda: parquet.table_names(path))
        return (rows, None, [], []) if key else (rows, columns, others, ids)
    rows, genes = reading(path, lambda: h5ad.table_names(path))
    return rows, genes if key in ("", "X") else None, [], []


def _parts(source: str | PathLike[str]) -> tuple[Path, str]:
    """Split a source into a path, which may contain colons, and the key after it."""
    text = str(Path(source).expanduser())
    if not text.lower().endswith(ENDINGS):
        for place in (place for place, sign in enumerate(text[:-1]) if sign == ":"):
            if text[:place].lower().endswith(KEYED):
                return Path(text[:place]), text[place + 1 :]
    return Path(text), ""


def reading(path: Path, read: Callable[[], T], name: str = "") -> T:
    """Return the result of ``read``; its errors become DatasetError or MissingDependencyError and name the file.

    `name` is the file as the user typed it; by default its name without the folder.
    """
    name = name or path.name
    try:
        return read()
    except MissingDependencyError as error:
        raise MissingDependencyError(f"{name}: {error}") from error
    except DatasetError as error:
        raise DatasetError(name, str(error)) from None
    except FileNotFoundError as error:
        raise DatasetError(f"no such file: {path}") from error
    except Exception as error:  # numpy, zipfile, pyarrow and h5py raise errors of many kinds
        raise DatasetError(name, f"cannot be read: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    text = " ".join(f"{type(error).__name__}: {error}".split())
    if "allow_pickle" in text or "Python objects" in text:  # numpy says so about damaged files too
        return "it is damaged, or holds Python objects, which could run code; save numbers with numpy.save"
    return f"{text}; is the file complete? save it again"


def read_array(path: Path, mapped: bool = False) -> NDArray[Any]:
    """Return the array of an ``.npy``, in memory or mapped read-only. `reading` adds the file to errors."""
    import numpy as np

    with path.open("rb") as file:
        refuse_array(file)
        array = np.load(path, mmap_mode="r", allow_pickle=False) if mapped else np.load(file, allow_pickle=False)
        if isinstance(array, np.ndarray):
            return array
        array.close()
        raise DatasetError("holds several arrays; rename it to end in .npz")


def open_archive(file: Any) -> Any:
    """Return the arrays of an open ``.npz`` by name, without reading them; raise DatasetError if they are too large."""
    import numpy as np

    refuse_archive(file)
    archive = np.load(file, allow_pickle=False)
    if isinstance(archive, np.ndarray):
        raise DatasetError("holds one array without a name; rename it to end in .npy, or save it with numpy.savez")
    return archive


def _npy(path: Path, key: str) -> NDArray[Any]:
    # Files of small arrays may be overwritten later, because they are read into memory.
    return read_array(path, mapped=path.stat().st_size >= IN_MEMORY_BYTES)


def _npz(path: Path, key: str) -> NDArray[Any]:
    import numpy as np

    with path.open("rb") as file:  # numpy would leave a damaged file open
        arrays = open_archive(file)
        names = arrays.files
        if key and key not in names:
            raise DatasetError(f"has no array {key!r}; {did_you_mean(key, names) if names else 'it is empty'}")
        if not key and len(names) != 1:
            if {"indptr", "indices", "shape"} <= set(names):
                raise DatasetError("holds a sparse matrix of scipy; save it as numbers: numpy.save(path, X.toarray())")
            hint = f"; name one: {path}:{names[0]}" if names else "; save one with numpy.savez"
            raise DatasetError(f"holds {len(names)} arrays{': ' * bool(names)}{join_names(names)}{hint}")
        array = arrays[key or names[0]]
        if not isinstance(array, np.ndarray):  # the bytes of another file
            raise DatasetError(f"{key or names[0]} is not an array; save it with numpy.savez")
        return array


def _parquet(path: Path, key: str) -> NDArray[Any]:
    from distbench.inputs.parquet import read_columns

    return read_columns(path, key)


def _h5ad(path: Path, key: str) -> Any:
    from distbench.inputs.h5ad import read_h5ad

    return read_h5ad(path, key)


def _parquet_column(path: Path, key: str) -> NDArray[Any]:
    from distbench.inputs.parquet import read_one

    return read_one(path, key)


_READERS: dict[str, Callable[[Path, str], Any]] = {".npy": _npy, ".npz": _npz, ".parquet": _parquet, ".h5ad": _h5ad}
