"""The points of an evaluation, checked: what input distances are measured between, their labels, and their codes."""

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
from distbench.inputs.arrays import as_points, check_candidates, check_distance, check_same_columns
from distbench.inputs.files import read_points
from distbench.metrics.semantic import label_codes

__all__ = ["EncodedPoints", "InputPoints", "input_points"]

Array = NDArray[Any]
LabelCodes = tuple[NDArray[np.int64], NDArray[np.int64] | None]

TEST, REFERENCE = "X_test", "reference"


@dataclass(frozen=True, eq=False)
class EncodedPoints:
    """Test points and reference points with their codes: the arrays that are judged, not copies of them.

    They live as long as the report that holds them.

    Attributes
    ----------
    X, Z : ndarray
        Test points and their codes.
    X_ref, Z_ref : ndarray or None
        Reference points and their codes, where there were any.
    squared_errors : ndarray of shape (m,) or None
        Error of each point that the decoder makes of Z, where reconstructions are judged.
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
    """Checked points of the input space.

    Attributes
    ----------
    X : ndarray of shape (m, d)
        The test points.
    X_ref : ndarray of shape (n, d) or None
        The reference points.
    names : tuple of str
        What both are called in messages.
    space : str
        What they are, where they are not the test and reference points themselves.
    labels : tuple of ndarray, or None
        Labels of test and reference points as whole numbers, where a metric needs them.
    """

    X: Array
    X_ref: Array | None
    names: tuple[str, str] = (TEST, REFERENCE)
    space: str = ""
    labels: LabelCodes | None = None

    def checked(self, settings: Settings, labels: Any, reference_labels: Any) -> InputPoints:
        """Return the points with their labels, if the settings can be used with them.

        Raises
        ------
        InputError
            If k, a distance or the labels do not fit the points, or the points all coincide.
        """
        M = len(self.X) - 1 if settings.include_queries else 0
        others = self.X if self.X_ref is None else self.X_ref
        if self.X_ref is not None:
            check_same_columns(self.X, self.X_ref, self.names)
            M += len(self.X_ref)
        check_candidates(settings.k, M)
        for points, name in ((self.X, self.names[0]), (self.X_ref, self.names[1])):
            if points is not None:
                check_distance(points, settings.distance_x, name)
        if (others[0] == self.X).all() and (others == others[0]).all():
            raise InputError(self.names[0], "found points that all coincide", "nothing can be measured on them")
        n = None if self.X_ref is None else len(self.X_ref)
        if reference_labels is not None and n is None:
            raise InputError("reference_labels", "given without reference points", "leave them out, or pass reference=")
        _check_labels(labels, len(self.X), "labels")
        _check_labels(reference_labels, n, "reference_labels")
        if labels is None or LABELS not in settings.names:
            return self
        if n is not None and reference_labels is None:
            raise InputError("reference_labels", "found None", "pass one label for each reference point")
        return replace(self, labels=label_codes(labels, reference_labels))


def _check_labels(labels: Any, points: int | None, name: str) -> None:
    if labels is None or points is None:
        return
    try:
        array = np.asarray(labels)
    except ValueError:
        raise InputError(name, "found lists of different lengths", "pass one label a point") from None
    if array.ndim != 1:
        shape = f"shape {array.shape}" if array.ndim else short_repr(labels)
        raise InputError(name, f"found {shape}", "pass one label a point, shape (n,)")
    if len(array) != points:
        raise InputError(name, f"found {len(array)} labels for {points} points", "pass one label a point")
    if array.dtype == object and (missing := [place for place, label in enumerate(array) if label is None]):
        raise InputError(name, f"found None at place {missing[0]}", "drop these points, or give them a label")


def input_points(X_test: Any, reference: Any, space: Any, batch_size: int, notes: list[str]) -> InputPoints:
    """Return the points that input distances are measured between.

    Parameters
    ----------
    X_test, reference : array-like or list of objects
        What the encoder gets; `reference` may be None.
    space : None, encoder, array-like, path, or tuple of two
        None for these points themselves. An encoder is asked for their codes. Ready points have a row for each test
        point; with a reference they are a tuple, the second for the reference points.
    batch_size : int
        Rows that an encoder gets at once.
    notes : list of str
        What a reader of scores must know is added here.

    Raises
    ------
    InputError
        The points have no distances and no input space is given for them, or what is given does not fit them.
    EncoderError
        The encoder of the space cannot be used, or is not deterministic.
    """
    if space is None:
        X = as_points(_with_distances(X_test, TEST), TEST, notes)
        X_ref = None if reference is None else as_points(_with_distances(reference, REFERENCE), REFERENCE, notes)
        return InputPoints(X, X_ref)
    sets = [(X_test, TEST)] if reference is None else [(X_test, TEST), (reference, REFERENCE)]
    counts = [_count(points, name) for points, name in sets]
    is_encoder = encodes(space) or isinstance(space, Encoder)
    names = _names(is_encoder, len(sets))
    if is_encoder:
        try:
            encoder = as_encoder(space, batch_size)
        except EncoderError as error:
            raise EncoderError("input_space", str(error)) from error.__cause__
        arrays = [_codes(encoder, points, name, notes) for points, name in sets]
        printable = "".join(sign if sign.isprintable() else "?" for sign in encoder.name)
        source, kind = f"the codes of {encoder.name!r}", f"codes of {printable}"
    else:
        arrays = _ready(space, counts, names, notes)
        source, kind = "the points given as input_space=", "points given"
    text = f"input distances are those of {source} ({arrays[0].shape[1]} columns), not of X_test itself"
    notes.append(Note("warning", "input_space", text))
    return InputPoints(arrays[0], arrays[1] if len(arrays) == 2 else None, names, kind)


def _names(encoded: bool, count: int) -> tuple[str, str]:
    if encoded:
        return "input_space: codes of X_test", "input_space: codes of reference"
    return ("input_space", "") if count == 1 else ("input_space[0]", "input_space[1]")


def _codes(encoder: Encoder, points: Any, name: str, notes: list[str]) -> Array:
    try:
        codes = encoder.encode(points)
        notes += check_same_again(encoder, points, codes, f"{name} in input_space", advice="")
    except EncoderError as error:
        raise EncoderError("input_space", str(error)) from (error.__cause__ or error)
    return as_points(codes, f"input_space: codes of {name}", notes)


def _ready(space: Any, counts: Sequence[int], names: tuple[str, str], notes: list[str]) -> list[Array]:
    parts = space if isinstance(space, tuple) else (space,)
    if len(parts) != len(counts):
        wanted = "points of X_test alone" if len(counts) == 1 else "a tuple (of X_test, of reference)"
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
        raise InputError(name, f"found {short_repr(points)}", "pass a list or an array, one row a point")
    return count


def _with_distances(points: Any, name: str) -> Any:
    """Return points, or raise InputError for texts and other objects, between which there is no distance."""
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
            f"found {kind}, which has no distances of its own",
            "pass input_space=: an encoder to compare with, or their points as an array",
        )
    return points


def _is_number(value: Any) -> bool:
    try:
        complex(value)
    except (TypeError, ValueError):
        return False
    return True
