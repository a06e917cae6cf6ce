"""The points that input distances are measured between: the test points, or others that are given for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from typing import Any

from numpy.typing import NDArray

from distbench._util.notes import Note
from distbench._util.text import short_repr
from distbench.encoders.determinism import check_same_again
from distbench.encoders.encoder import Encoder, as_encoder
from distbench.encoders.resolve import encodes, is_path
from distbench.errors import EncoderError, InputError
from distbench.inputs.arrays import as_points
from distbench.inputs.files import read_points

__all__ = ["InputPoints", "input_points"]

Array = NDArray[Any]
TEST, REFERENCE = "X_test", "reference"


@dataclass(frozen=True)
class InputPoints:
    """Checked points of the input space.

    Attributes
    ----------
    X : ndarray of shape (m, d)
        Of the test points.
    X_ref : ndarray of shape (n, d) or None
        Of the reference points.
    names : tuple of str
        What both are called in messages.
    space : str
        What they are, where they are not the test and reference points themselves.
    """

    X: Array
    X_ref: Array | None
    names: tuple[str, str] = (TEST, REFERENCE)
    space: str = ""


def input_points(X_test: Any, reference: Any, space: Any, batch_size: int, notes: list[str]) -> InputPoints:
    """Return the points that input distances are measured between.

    Parameters
    ----------
    X_test, reference : array-like or list of objects
        What an encoder is asked about; `reference` may be None.
    space : None, encoder, array-like, path, or tuple of two
        None for these points themselves. An encoder is asked for their codes. Ready points have a row for each test
        point; with a reference they are a tuple, the second for the reference points.
    batch_size : int
        Rows that an encoder gets at once.
    notes : list of str
        Where to say what a reader of scores must know.

    Raises
    ------
    InputError
        The points have no distances of their own and none are given for them, or what is given does not fit them.
    EncoderError
        The encoder of the space cannot be used, or is not deterministic.
    """
    if space is None:
        X = as_points(_with_distances(X_test, TEST), TEST, notes)
        X_ref = None if reference is None else as_points(_with_distances(reference, REFERENCE), REFERENCE, notes)
        return InputPoints(X, X_ref)
    given = [(X_test, TEST)] if reference is None else [(X_test, TEST), (reference, REFERENCE)]
    counts = [_count(points, name) for points, name in given]
    if encodes(space) or isinstance(space, Encoder):
        try:
            encoder = as_encoder(space, batch_size)
        except EncoderError as error:
            raise EncoderError("input_space", str(error)) from error.__cause__
        found = [_codes(encoder, points, name, notes) for points, name in given]
        told, kind = f"the codes of {encoder.name!r}", f"codes of {_printable(encoder.name)}"
    else:
        found = _ready(space, counts, notes)
        told, kind = "the points given as input_space=", "points given"
    text = f"input distances are those of {told} ({found[0].shape[1]} columns), not of X_test itself"
    notes.append(Note("warning", "input_space", text))
    return InputPoints(found[0], found[1] if len(found) == 2 else None, _names(encodes(space), len(found)), kind)


def _printable(name: str) -> str:
    return "".join(sign if sign.isprintable() else "?" for sign in name)


def _names(encoded: bool, count: int) -> tuple[str, str]:
    if encoded:
        return "input_space: codes of X_test", "input_space: codes of reference"
    return ("input_space", "") if count == 1 else ("input_space[0]", "input_space[1]")


def _codes(encoder: Encoder, points: Any, name: str, notes: list[str]) -> Array:
    try:
        codes = encoder.encode(points)
        told = check_same_again(encoder, points, codes, f"{name} in input_space", advice="")
    except EncoderError as error:
        raise EncoderError("input_space", str(error)) from (error.__cause__ or error)
    notes += told
    return as_points(codes, f"input_space: codes of {name}", notes)


def _ready(space: Any, counts: Sequence[int], notes: list[str]) -> list[Array]:
    parts = space if isinstance(space, tuple) else (space,)
    if len(parts) != len(counts):
        wanted = "points of X_test alone" if len(counts) == 1 else "a tuple (of X_test, of reference)"
        raise InputError("input_space", f"found {_told(space)}", f"pass an encoder, or {wanted}")
    found = []
    for number, (part, count) in enumerate(zip(parts, counts, strict=True)):
        name = _names(False, len(parts))[number]
        points = as_points(read_points(part, name) if isinstance(part, str | PathLike) else part, name, notes)
        if len(points) != count:
            of = (TEST, REFERENCE)[number]
            raise InputError(name, f"found {len(points)} rows, but {of} has {count}", "pass one row for each")
        found.append(points)
    return found


def _told(space: Any) -> str:
    return f"a tuple of {len(space)}" if isinstance(space, tuple) else f"one {type(space).__name__}"


def _count(points: Any, name: str) -> int:
    if hasattr(points, "tocsr"):
        raise InputError(name, "found a sparse matrix", f"pass {name}.toarray()")
    try:
        if is_path(points):
            raise TypeError
        count = len(points)
    except TypeError:
        raise InputError(name, f"found {short_repr(points)}", "pass a list or an array, one row a point") from None
    if not count:
        raise InputError(name, "found no rows", "pass one row a point")
    return count


def _with_distances(points: Any, name: str) -> Any:
    """Refuse texts and other objects, which have no distances of their own."""
    if isinstance(points, list | tuple) and len(points):
        first = points[0]
        is_object = isinstance(first, str | bytes | dict) or not (
            isinstance(first, list | tuple) or hasattr(first, "__array__") or _is_number(first)
        )
        found = f"a list of {type(first).__name__}"
    else:
        dtype = getattr(points, "dtype", None)
        is_object = getattr(points, "ndim", 2) == 1 and getattr(dtype, "kind", "-") in "OSTU"
        found = f"an array of {dtype}"
    if is_object:
        raise InputError(
            name,
            f"found {found}, which has no distances of its own",
            "pass input_space=: an encoder to compare with, or their points as an array",
        )
    return points


def _is_number(value: Any) -> bool:
    try:
        complex(value)
    except (TypeError, ValueError):
        return False
    return True
