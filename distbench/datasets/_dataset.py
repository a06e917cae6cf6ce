"""The class of a data set, and the table of all data sets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from distbench._util.registry import Registry
from distbench._util.text import raised, short_repr
from distbench.datasets._checks import checked_classes, checked_labels, checked_points
from distbench.errors import DatasetError, InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["DATASETS", "Dataset", "DatasetEntry", "dataset", "load_dataset"]


@dataclass(frozen=True, eq=False)
class Dataset:
    """The train and test points of a data set, in read-only arrays.

    Attributes
    ----------
    name : str
        Its name for :func:`load_dataset`.
    train, test : numpy.ndarray
        Points, shapes ``(n_train, d)`` and ``(n_test, d)``, float32 or float64.
    labels_train, labels_test : numpy.ndarray or None
        The class (int64) of each point, if the data have classes.
    source, licence : str
        The origin of the data, and their licence.
    sha256 : str
        Hash of bytes, dtype and shape of all arrays; equal data sets have equal hashes.
    groups_test : numpy.ndarray or None
        The group of each test point (int64, numbered in the order of their first points), if the data have groups, for
        ``groups=`` of :func:`distbench.evaluate`.
    """

    name: str
    train: NDArray[np.floating]
    test: NDArray[np.floating]
    labels_train: NDArray[np.int64] | None = field(repr=False)
    labels_test: NDArray[np.int64] | None = field(repr=False)
    source: str
    licence: str
    sha256: str
    groups_test: NDArray[np.int64] | None = field(default=None, repr=False)

    def __repr__(self) -> str:
        n, d = self.train.shape
        return f"Dataset({self.name!r}: {n} train and {len(self.test)} test points, {d} features)"


@dataclass(frozen=True)
class DatasetEntry:
    """A data set that is not yet made.

    Attributes
    ----------
    name, source, licence : str
        As in :class:`Dataset`.
    make : callable
        Returns the points ``(n, d)``, and their classes ``(n,)`` or None.
    requires : str
        Name of the importable package that ships the data; empty if distbench ships them.
    summary : str
        One line that describes the data set in lists.
    image_shape : tuple of int
        Height and width, if the points are images; else empty.
    """

    name: str
    source: str
    licence: str
    make: Callable[[], tuple[NDArray[np.floating], NDArray[np.int64] | None]]
    requires: str = ""
    summary: str = ""
    image_shape: tuple[int, ...] = ()

    def load(self) -> Dataset:
        """Make the points, split them 80/20 with a fixed seed, and return them as a data set."""
        points, labels = self.make()
        train, test = split(len(points), labels)
        classes = None if labels is None else [labels[train], labels[test]]
        return frozen_dataset(self.name, [points[train], points[test]], classes, self.source, self.licence)


def frozen_dataset(
    name: str,
    points: list[NDArray[np.floating]],
    classes: list[NDArray[np.int64]] | None,
    source: str,
    licence: str,
    groups: NDArray[np.int64] | None = None,
) -> Dataset:
    """Return a data set of train and test points, their classes, and groups of test points, read-only and hashed."""
    arrays = [*points, *(classes or ()), *(() if groups is None else (groups,))]
    for array in arrays:
        array.flags.writeable = False
    y_train, y_test = classes or (None, None)
    return Dataset(name, points[0], points[1], y_train, y_test, source, licence, digest(arrays), groups)


def _adopt(name: str, entry: Any) -> DatasetEntry:
    """Return another package's data set under `name`, with checks of the points that it makes."""
    if not isinstance(entry, DatasetEntry):
        raise InputError(f"found {type(entry).__name__}; give a distbench.datasets.DatasetEntry")
    return replace(entry, name=name, make=lambda: _checked(name, entry.make))


def _checked(name: str, make: Callable[[], Any]) -> tuple[NDArray[np.floating], NDArray[np.int64] | None]:
    """Return the points and classes that another package's function makes, checked."""
    try:
        made = make()
        if not (isinstance(made, tuple) and len(made) == 2):
            raise DatasetError("", f"found {short_repr(made)}", "return points and classes, or points and None")
        points = checked_points(made[0], "points")
        if len(points) < 5:
            raise DatasetError("", f"found {len(points)} points", "return 5 or more, for train and test points")
        labels = None if made[1] is None else checked_labels(made[1], "labels", len(points))
        return points, None if labels is None else checked_classes(labels)[0]
    except DatasetError as error:
        raise DatasetError(f"data set {name!r}", str(error)) from error
    except Exception as error:
        raise DatasetError(f"data set {name!r}", raised(error)) from error


DATASETS: Registry[DatasetEntry] = Registry("distbench.datasets", "data set", _adopt)


def dataset(
    name: str, *, source: str, licence: str, requires: str = "", image_shape: tuple[int, ...] = ()
) -> Callable[[Callable[[], Any]], Callable[[], Any]]:
    """Register the decorated function, which makes points and labels, as the data set ``name``."""

    def register(make: Callable[[], Any]) -> Callable[[], Any]:
        summary = (make.__doc__ or "").strip().partition("\n")[0]
        DATASETS.add(name, DatasetEntry(name, source, licence, make, requires, summary, image_shape))
        return make

    return register


def load_dataset(name: str) -> Dataset:
    """Load a data set by name; a second call returns the same object.

    Parameters
    ----------
    name : str
        One of :data:`distbench.datasets.DATASETS`.

    Returns
    -------
    Dataset
        Its arrays are read-only: copy before changing them.

    Raises
    ------
    distbench.errors.DatasetError
        The name is unknown.
    distbench.errors.MissingDependencyError
        The package that ships the data is not installed.

    Examples
    --------
    >>> import distbench
    >>> data = distbench.load_dataset("digits")
    >>> data.train.shape, data.test.shape
    ((1437, 64), (360, 64))
    """
    if name not in DATASETS:
        raise DatasetError("name", DATASETS.hint(name))
    return _loaded(name)


@cache
def _loaded(name: str) -> Dataset:
    return DATASETS[name].load()


def split(n: int, labels: NDArray[np.int64] | None) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the shuffled rows of train and test points; every fifth point of each class is a test point."""
    import numpy as np

    # RandomState draws the same numbers in all versions of numpy (NEP 19); otherwise the hashes would change.
    order = np.random.RandomState(0).permutation(n)
    by_class = order if labels is None else order[np.argsort(labels[order], kind="stable")]
    is_test = np.zeros(n, dtype=bool)
    is_test[by_class[::5]] = True
    return order[~is_test[order]], order[is_test[order]]


def digest(arrays: list[NDArray[Any]]) -> str:
    """Return the SHA-256 of the dtype, shape and little-endian bytes of all arrays."""
    import numpy as np

    total = sha256()
    for array in arrays:
        plain = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
        total.update(f"{plain.dtype.str}{plain.shape};".encode())
        total.update(plain.tobytes())
    return total.hexdigest()
