"""The checked points of an evaluation, between which input distances are measured, with their labels and codes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from typing import Any

from numpy.typing import NDArray

from distbench._util.distances import EUCLIDEAN, PRECOMPUTED
from distbench._util.notes import Note
from distbench._util.text import join_names, plain_name, short_repr
from distbench.encoders.determinism import check_same_again
from distbench.encoders.encoder import Encoder, as_encoder, flat_codes
from distbench.encoders.resolve import encodes, is_path
from distbench.errors import EncoderError, InputError
from distbench.evaluation.given_distances import given_distances
from distbench.evaluation.settings import LABELS, Settings
from distbench.inference.groups import Groups
from distbench.inputs.arrays import as_points, bytes_per_row, check_input_distance, check_row_shapes, check_space
from distbench.inputs.files import read_points
from distbench.inputs.frames import is_frame, list_columns, other_columns, rows_in_cells
from distbench.inputs.labels import as_labels, is_missing
from distbench.inputs.sparse import is_sparse, row_count, without_empty_columns
from distbench.inputs.table_names import Tables, check_pair_names
from distbench.metrics import Metric
from distbench.metrics.neighbor_counts import checked_k
from distbench.metrics.semantic import label_codes
from distbench.metrics.table import base_name

__all__ = ["REFERENCE", "TEST", "EncodedPoints", "InputPoints", "check_names", "checked_points", "input_points"]

Array = NDArray[Any]
LabelArrays = tuple[Array | None, Array | None]

TEST, REFERENCE = "X_test", "reference"
IMAGE_CHANNELS = (1, 3, 4)


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
    distance_z : str
        The distance of the codes.
    full_code_size : int or None
        Number of columns of the codes, if those of them that are empty were left out.
    code_bytes : int or None
        Number of bytes of a code as the encoder returned it, if it is known.
    image_shape : tuple of int
        Height, width and perhaps number of channels, if the points were given as images; else empty.
    """

    X: Array
    Z: Array
    X_ref: Array | None = None
    Z_ref: Array | None = None
    squared_errors: Array | None = None
    distance_z: str = EUCLIDEAN
    full_code_size: int | None = None
    code_bytes: int | None = None
    image_shape: tuple[int, ...] = ()

    @property
    def code_size(self) -> int:
        """The number of columns of the codes."""
        return int(self.full_code_size or self.Z.shape[1])

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
    k : int
        Number of neighbors, less than the number of candidates.
    metrics : tuple of Metric
        The metrics that so many candidates allow.
    point_bytes : int or None
        Number of bytes of a point as it was given, if it is known.
    image_shape : tuple of int
        Height, width and perhaps number of channels, if the points were given as images; else empty.
    """

    X: Array
    X_ref: Array | None = None
    names: tuple[str, str] = (TEST, REFERENCE)
    space: str = ""
    labels: LabelArrays = (None, None)
    label_codes: LabelArrays = (None, None)
    groups: Groups | None = None
    k: int = 1
    metrics: tuple[Metric, ...] = ()
    point_bytes: int | None = None
    image_shape: tuple[int, ...] = ()


def checked_points(
    parts: Iterable[Any],
    names: tuple[str, str],
    settings: Settings,
    notes: list[str],
    rows: Sequence[int] = (0, 0),
    references: int | None = 0,
) -> InputPoints:
    """Return points as matrices, with the labels and groups of the settings; append notes for readers to `notes`.

    `parts` are the test points and perhaps the reference points, and `rows` their numbers of rows, or 0 if any number
    will do. Of given distances the first part has all, and `references` is the number of reference points, or None if
    the columns alone tell it. Raises InputError if points cannot be used; if k, the distance, the labels or the groups
    do not fit them; or if all points are equal.
    """
    parts, is_given = list(parts), settings.distance_x == PRECOMPUTED
    if is_given:
        X, X_ref = given_distances(parts[0], names[0], references, settings.include_queries)
        M = X.shape[1] - settings.include_queries
    else:
        X, X_ref = _matrices(parts, names, notes, rows)
        M = check_space(X, X_ref, names, settings.include_queries)
    if settings.reference_labels is not None and X_ref is None:
        raise InputError("reference_labels", "given without reference points", "leave them out, or pass reference=")
    labels = labels_ref = None
    if settings.labels is not None:
        labels = as_labels(settings.labels, len(X), "labels")
    if settings.reference_labels is not None and X_ref is not None:
        labels_ref = as_labels(settings.reference_labels, len(X_ref), "reference_labels")
    groups = None if settings.groups is None else Groups.of(settings.groups, len(X))
    settings = settings.for_candidates(M, notes)
    k = checked_k(settings.k, M, settings.metrics)
    check_input_distance(X, settings.distance_x, names[0])
    if X_ref is not None:
        check_input_distance(X_ref, settings.distance_x, names[1])
    codes: LabelArrays = (None, None)
    if labels is not None and LABELS in map(base_name, settings.names):
        if X_ref is not None and labels_ref is None:
            raise InputError("reference_labels", "found None", "pass one label for each reference point")
        codes = label_codes(labels, labels_ref)
    return InputPoints(
        X,
        X_ref,
        names,
        labels=(labels, labels_ref),
        label_codes=codes,
        groups=groups,
        k=k,
        metrics=settings.metrics,
        point_bytes=None if is_given else bytes_per_row(parts[0]),
        image_shape=_image_shape(parts[0]),
    )


def _image_shape(part: Any) -> tuple[int, ...]:
    """Return height, width and perhaps channels of rows that are images; else an empty tuple."""
    shape = tuple(getattr(part, "shape", ()))[1:]
    return shape if len(shape) == 2 or (len(shape) == 3 and shape[2] in IMAGE_CHANNELS) else ()


def _matrices(
    parts: Iterable[Any], names: tuple[str, str], notes: list[str], rows: Sequence[int]
) -> tuple[Array, Array | None]:
    arrays = []
    narrow = without_empty_columns(list(parts), names)
    for part, name, count, described in zip(narrow, names, rows, (TEST, REFERENCE), strict=False):
        points = as_points(part, name, notes)
        if count and len(points) != count:
            raise InputError(name, f"found {len(points)} rows, but {described} has {count}", "pass one row for each")
        arrays.append(points)
    check_row_shapes(narrow, names)
    return arrays[0], arrays[1] if len(arrays) == 2 else None


def check_names(test: Tables, reference: Tables, settings: Settings, notes: list[str], given: Tables = ()) -> None:
    """Raise InputError if tables have names of rows or columns in another order than those they belong to.

    `test` are tables with a row for each test point, `reference` those of the reference points, in the same order, each
    with its name in messages, and `given` those of distances. Doubts become notes.
    """
    test = [*test, (settings.labels, "labels"), (settings.groups, "groups")]
    reference = [*reference, (settings.reference_labels, "reference_labels")]
    check_pair_names(test, reference, notes, given, settings.include_queries)


def input_points(
    X_test: Any, reference: Any, space: Any, batch_size: int, settings: Settings, notes: list[str]
) -> InputPoints:
    """Return the points between which input distances are measured; append notes for readers of the report to `notes`.

    `space` is `input_space` of `distbench.evaluate`: None for the points themselves. Raises InputError as
    `checked_points` does, and for points that have no distances or do not fit the space; and EncoderError if the space
    is an encoder that cannot be used.
    """
    sets = [(X_test, TEST)] if reference is None else [(X_test, TEST), (reference, REFERENCE)]
    parts: Iterable[Any] = [points for points, _ in sets]
    names, rows, source, description = (TEST, REFERENCE), [0, 0], "", ""
    if space is None:
        for points, name in sets:
            _refuse_objects(points, name)
    else:
        rows = [_count(points, name) for points, name in sets]
        if encodes(space) or isinstance(space, Encoder):
            names = "input_space: codes of X_test", "input_space: codes of reference"
            parts, encoder = _encoded(space, batch_size, sets, notes)
            source, description = f"the codes of {encoder!r}", f"codes of {plain_name(encoder)}"
        else:
            parts, names = _given(space, reference is not None and settings.distance_x != PRECOMPUTED)
            source, description = "the points given as input_space=", "points given"
    parts = list(parts)
    points = checked_points(
        parts, names, settings, notes, rows, 0 if reference is None else _count(reference, REFERENCE)
    )
    if settings.distance_x == PRECOMPUTED:
        if len(points.X) != _count(X_test, TEST):
            raise InputError(
                names[0], f"found {len(points.X)} rows, but {TEST} has {_count(X_test, TEST)}", "pass one row for each"
            )
        return points if space is None else replace(points, space="distances given")
    if space is not None:
        columns = (parts[0] if is_sparse(parts[0]) else points.X).shape[1]
        text = f"input distances are between {source} ({columns} columns), not between rows of X_test"
        notes.append(Note("warning", "input_space", text))
    return replace(points, space=description)


def _encoded(space: Any, batch_size: int, sets: Sequence[tuple[Any, str]], notes: list[str]) -> tuple[list[Array], str]:
    """Return the codes of each set of points, and the name of the encoder of the input space."""
    codes = []
    try:
        encoder = as_encoder(space, batch_size)
        for points, name in sets:
            codes.append(flat_codes(encoder.outputs(points)))
            notes += check_same_again(encoder, points, codes[-1], f"{name} in input_space", advice="")
    except EncoderError as error:
        raise EncoderError("input_space", str(error)) from (error.__cause__ or error)
    return codes, encoder.name


def _given(space: Any, with_reference: bool) -> tuple[Iterator[Any], tuple[str, str]]:
    """Return the arrays of the input space and their names; a file is read when its turn comes."""
    names = ("input_space[0]", "input_space[1]") if with_reference else ("input_space", "")
    parts = space if isinstance(space, tuple) else (space,)
    if len(parts) != 1 + with_reference:
        wanted = "a tuple of two arrays, for X_test and reference" if with_reference else "an array for X_test"
        kind = f"a tuple of {len(space)}" if isinstance(space, tuple) else f"one {type(space).__name__}"
        raise InputError("input_space", f"found {kind}", f"pass an encoder, or {wanted}")
    pairs = zip(parts, names, strict=False)
    return (read_points(part, name) if isinstance(part, str | PathLike) else part for part, name in pairs), names


def _count(points: Any, name: str) -> int:
    try:
        count = 0 if is_path(points) else row_count(points)
    except TypeError:
        count = 0
    if not count:
        raise InputError(name, f"found {short_repr(points)}", "pass a list or an array with one row for each point")
    return count


def _refuse_objects(points: Any, name: str) -> None:
    """Raise InputError for texts and other objects, between which no distance is defined."""
    points = rows_in_cells(points)
    others = other_columns(points) if is_frame(points) and hasattr(points, "columns") else []
    if others and not list_columns(points):
        raise InputError(
            name,
            f"found columns that are not numbers: {join_names(list(map(str, others)))}",
            "encode or drop them, or pass the steps of a fitted pipeline that encode them: input_space=pipe[:-1]",
        )
    if isinstance(points, list | tuple) and len(points):
        first = next((point for point in points if not is_missing(point)), None)
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
