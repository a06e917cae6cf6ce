"""The checked points of an evaluation: input distances are measured between them; with their labels and codes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench._util.notes import Note
from distbench._util.text import short_repr
from distbench.encoders.determinism import check_same_again
from distbench.encoders.encoder import Encoder, as_encoder
from distbench.encoders.resolve import encodes, is_path
from distbench.errors import EncoderError, InputError
from distbench.evaluation.settings import LABELS, Settings
from distbench.inference.groups import Groups
from distbench.inputs.arrays import as_points, check_input_distance, check_space
from distbench.inputs.files import read_points
from distbench.metrics.semantic import label_codes

__all__ = ["EncodedPoints", "InputPoints", "input_points"]

Array = NDArray[Any]

TEST, REFERENCE = "X_test", "reference"


@dataclass(frozen=True, eq=False)
class EncodedPoints:
    """Test points and reference points with their codes; the arrays are not copied.

    Attributes
    ----------
    X, Z : ndarray
        Test points and their codes.
    X_ref, Z_ref : ndarray or None
        Reference points and their codes, if there are any.
    squared_errors : ndarray of shape (m,) or None
        Squared reconstruction error of each test point, if a metric needs it.
    """

    X: Array
    Z: Array
    X_ref: Array | None = None
    Z_ref: Array | None = None
    squared_errors: Array | None = None

    @property
    def reference(self) -> tuple[Array, Array] | None:
        """The reference points and their codes, if there are any."""
        return None if self.X_ref is None or self.Z_ref is None else (self.X_ref, self.Z_ref)


@dataclass(frozen=True, eq=False)
class InputPoints:
    """The checked points between which input distances are measured.

    Attributes
    ----------
    X : ndarray of shape (m, d)
        The test points.
    X_ref : ndarray of shape (n, d) or None
        The reference points.
    names : tuple of str
        Names of `X` and `X_ref` in messages.
    space : str
        Description of the input space, if the points are not the test and reference points themselves.
    labels : tuple of ndarray or None
        Labels of test and of reference points; None where they are not known.
    label_codes : tuple of ndarray or None
        The labels as whole numbers, if a metric needs them.
    groups : Groups or None
        Groups of test points that are not independent.
    """

    X: Array
    X_ref: Array | None = None
    names: tuple[str, str] = (TEST, REFERENCE)
    space: str = ""
    labels: tuple[Array | None, Array | None] = (None, None)
    label_codes: tuple[Array | None, Array | None] = (None, None)
    groups: Groups | None = None

    def checked(self, settings: Settings, labels: Any, reference_labels: Any, groups: Any) -> InputPoints:
        """Return the points with their labels and groups.

        Raises InputError if k, a distance, the labels or the groups do not fit the points, or if all points are equal.
        """
        n = None if self.X_ref is None else len(self.X_ref)
        if reference_labels is not None and n is None:
            raise InputError("reference_labels", "given without reference points", "leave them out, or pass reference=")
        known = _labels(labels, len(self.X), "labels"), _labels(reference_labels, n, "reference_labels")
        labeled = replace(self, labels=known, groups=None if groups is None else Groups.of(groups, len(self.X)))
        check_space(self.X, self.X_ref, self.names, settings.k, settings.include_queries)
        for points, name in ((self.X, self.names[0]), (self.X_ref, self.names[1])):
            if points is not None:
                check_input_distance(points, settings.distance_x, name)
        if labels is None or LABELS not in settings.names:
            return labeled
        if n is not None and reference_labels is None:
            raise InputError("reference_labels", "found None", "pass one label for each reference point")
        return replace(labeled, label_codes=label_codes(*known))


def _labels(labels: Any, n_points: int | None, name: str) -> Array | None:
    """Return labels as an array, or None if there are none. Raises InputError unless each point has one."""
    if labels is None or n_points is None:
        return None
    try:
        array = np.asarray(labels)
    except ValueError:
        raise InputError(name, "found lists of different lengths", "pass one label for each point") from None
    if array.ndim != 1:
        shape = f"shape {array.shape}" if array.ndim else short_repr(labels)
        raise InputError(name, f"found {shape}", "pass one label for each point, shape (n,)")
    if len(array) != n_points:
        raise InputError(name, f"found {len(array)} labels for {n_points} points", "pass one label for each point")
    if array.dtype == object and (missing := [place for place, label in enumerate(array) if label is None]):
        raise InputError(name, f"found None at place {missing[0]}", "drop these points, or give them a label")
    return array


def input_points(X_test: Any, reference: Any, space: Any, batch_size: int, notes: list[str]) -> InputPoints:
    """Return the points between which input distances are measured; append notes for readers of the report to `notes`.

    `space` is `input_space` of `distbench.evaluate`: None for the points themselves. Raises InputError for points that
    have no distances or do not fit the space, and EncoderError if the space is an encoder that cannot be used.
    """
    sets = [(X_test, TEST)] if reference is None else [(X_test, TEST), (reference, REFERENCE)]
    names, description = (TEST, REFERENCE), ""
    if space is None:
        for points, name in sets:
            _refuse_objects(points, name)
        arrays = [as_points(points, name, notes) for points, name in sets]
    else:
        counts = [_count(points, name) for points, name in sets]
        is_encoder = encodes(space) or isinstance(space, Encoder)
        names = _names(is_encoder, len(sets))
        if is_encoder:
            arrays, encoder = _encoded(space, batch_size, sets, names, notes)
            printable = "".join(sign if sign.isprintable() else "?" for sign in encoder)
            source, description = f"the codes of {encoder!r}", f"codes of {printable}"
        else:
            arrays = _ready(space, counts, names, notes)
            source, description = "the points given as input_space=", "points given"
        text = f"input distances are between {source} ({arrays[0].shape[1]} columns), not between rows of X_test"
        notes.append(Note("warning", "input_space", text))
    return InputPoints(arrays[0], arrays[1] if len(arrays) == 2 else None, names, description)


def _names(encoded: bool, count: int) -> tuple[str, str]:
    if encoded:
        return "input_space: codes of X_test", "input_space: codes of reference"
    return ("input_space", "") if count == 1 else ("input_space[0]", "input_space[1]")


def _encoded(
    space: Any, batch_size: int, sets: Sequence[tuple[Any, str]], names: tuple[str, str], notes: list[str]
) -> tuple[list[Array], str]:
    """Return the codes of each set of points, and the name of the encoder of the input space."""
    codes = []
    try:
        encoder = as_encoder(space, batch_size)
        for points, name in sets:
            codes.append(encoder.encode(points))
            notes += check_same_again(encoder, points, codes[-1], f"{name} in input_space", advice="")
    except EncoderError as error:
        raise EncoderError("input_space", str(error)) from (error.__cause__ or error)
    return [as_points(array, name, notes) for array, name in zip(codes, names, strict=False)], encoder.name


def _ready(space: Any, counts: Sequence[int], names: tuple[str, str], notes: list[str]) -> list[Array]:
    parts = space if isinstance(space, tuple) else (space,)
    if len(parts) != len(counts):
        wanted = "an array for X_test" if len(counts) == 1 else "a tuple of two arrays, for X_test and reference"

        kind = f"a tuple of {len(space)}" if isinstance(space, tuple) else f"one {type(space).__name__}"
        raise InputError("input_space", f"found {kind}", f"pass an encoder, or {wanted}")
    arrays = []
    for part, count, name, described in zip(parts, counts, names, (TEST, REFERENCE), strict=False):
        points = as_points(read_points(part, name) if isinstance(part, str | PathLike) else part, name, notes)
        if len(points) != count:
            raise InputError(name, f"found {len(points)} rows, but {described} has {count}", "pass one row for each")
        arrays.append(points)
    return arrays


def _count(points: Any, name: str) -> int:
    if hasattr(points, "tocsr"):
        raise InputError(name, "found a sparse matrix", f"pass {name}.toarray()")
    try:
        count = 0 if is_path(points) else len(points)
    except TypeError:
        count = 0
    if not count:
        raise InputError(name, f"found {short_repr(points)}", "pass a list or an array with one row for each point")
    return count


def _refuse_objects(points: Any, name: str) -> None:
    """Raise InputError for texts and other objects, between which no distance is defined."""
    if isinstance(points, list | tuple) and len(points):
        first = points[0]
        is_object = isinstance(first, str | bytes | dict) or not (
            isinstance(first, list | tuple) or hasattr(first, "__array__") or _is_number(first)
        )
        kind = f"a list of {type(first).__name__}"
    else:
        dtype = getattr(points, "dtype", None)
        is_object = getattr(points, "ndim", 2) == 1 and getattr(dtype, "kind", "-") in "OSTU"
        kind = f"an array of {dtype}"
    if is_object:
        raise InputError(
            name,
            f"found {kind}, between which no distances are defined",
            "pass input_space=: an encoder that makes points of them, or these points as an array",
        )


def _is_number(value: Any) -> bool:
    try:
        complex(value)
    except (TypeError, ValueError):
        return False
    return True
