"""Where data of a user's own come from: files, or a function of theirs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from distbench._util.imports import imported
from distbench._util.text import did_you_mean, raised
from distbench.datasets._dataset import Dataset
from distbench.errors import DatasetError, DistbenchError, InputError, MissingDependencyError

if TYPE_CHECKING:
    from distbench.datasets._files import Parts

__all__ = ["DataSource"]

LICENCE = "not stated"


@dataclass(frozen=True)
class DataSource:
    """Data of a user's own that have not been loaded yet.

    Attributes
    ----------
    name : str
        What they are called.
    files : tuple of (str, Path)
        Either one ``file`` (``.npz`` with arrays ``train`` and ``test``, and ``labels_train`` and ``labels_test`` where
        there are classes; or ``.parquet``, of which every fifth row is a test point, class by class), or one each for
        ``train`` and ``test`` (``.npy`` or ``.parquet``), and for ``labels_train`` and ``labels_test`` (``.npy``).
    label : str
        The column of ``.parquet`` files that holds the classes; empty for none. All other columns of numbers are
        features.
    function : str
        In place of files: ``module:function``, called without arguments. It returns a :class:`Dataset`, a mapping of
        arrays by the four names, or a tuple of two or all four in that order.
    """

    name: str
    files: tuple[tuple[str, Path], ...] = ()
    label: str = ""
    function: str = ""

    def missing(self) -> dict[str, Path]:
        """Return the files that are not there, by key."""
        return {key: path for key, path in self.files if not path.is_file()}

    def load(self) -> Dataset:
        """Return the points, checked; the same object again as long as the files are the same.

        Raises
        ------
        DatasetError
            They cannot be read or used: which, what was found and what to do.
        MissingDependencyError
            A package that reads such files is not installed.
        """
        try:
            return _loaded(self, tuple(_stamp(path) for _, path in self.files))
        except DatasetError as error:
            raise DatasetError(f"data set {self.name!r}", str(error)) from error.__cause__
        except MissingDependencyError as error:
            raise MissingDependencyError(f"data set {self.name!r}: {error}") from error


def _stamp(path: Path) -> tuple[int, ...]:
    try:
        status = path.stat()
    except OSError:
        return ()
    # The time alone may be that of another file: clocks are set back, and archives bring times of their own.
    return status.st_mtime_ns, status.st_size, status.st_ino, status.st_dev


@lru_cache(maxsize=8)
def _loaded(source: DataSource, stamp: tuple[tuple[int, ...], ...]) -> Dataset:
    from distbench.datasets._files import read_files
    from distbench.datasets._own import own_dataset

    if source.files:
        told = ", ".join(path.name for _, path in source.files)
        return own_dataset(source.name, read_files(dict(source.files), source.label), told, LICENCE)
    made = _call(source.function)
    terms = (made.source, made.licence) if isinstance(made, Dataset) else (source.function, LICENCE)
    try:
        return own_dataset(source.name, _parts(made), *terms)
    except DatasetError as error:
        raise DatasetError(source.function, str(error)) from None


def _call(function: str) -> Any:
    """Call a user's function; an error of its own is told with the line that raised it."""
    try:
        found = imported(function)
    except InputError as error:
        raise DatasetError(function, str(error)) from error.__cause__
    if not callable(found):
        raise DatasetError(function, f"found {type(found).__name__}", "name a function that returns the points")
    try:
        return found()
    except DistbenchError:
        raise
    except (Exception, SystemExit) as error:  # sys.exit() would end the run of all tests
        raise DatasetError(function, raised(error)) from error


def _parts(made: Any) -> Parts:
    from distbench.datasets._files import NAMES

    if isinstance(made, Dataset):
        return {name: getattr(made, name) for name in NAMES}
    if isinstance(made, tuple | list) and len(made) in (2, 4):
        return dict(zip(NAMES, made, strict=False))
    if not isinstance(made, Mapping):
        found = f"{len(made)} values" if isinstance(made, tuple | list) else type(made).__name__
        raise DatasetError(f"returned {found}; return (train, test), {NAMES}, a dict of these, or a distbench.Dataset")
    for name in made:
        if name not in NAMES:
            raise DatasetError(f"returned a dict with {name!r}; {did_you_mean(str(name), NAMES)}")
    for name in NAMES[:2]:
        if name not in made:
            raise DatasetError(f"returned a dict without {name!r}; add it")
    return made
