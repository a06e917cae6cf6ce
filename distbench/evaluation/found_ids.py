"""The ids that a search returned, as rows of the reference points."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench._util.notes import Note
from distbench._util.text import short_repr
from distbench.errors import InputError
from distbench.inputs.arrays import refuse_masked
from distbench.inputs.frames import rows_in_cells
from distbench.inputs.labels import is_missing, unmixed

__all__ = ["found_places"]

Places = NDArray[np.int64]

MISSING = -1
ADVICE = "pass one row of ids for each test point, nearest first, -1 where none was found"


def found_places(
    ids: Any, ids_of: Any, queries: int, references: int, needed: Mapping[str, int], notes: list[str]
) -> Places:
    """Return the reference point of each id, -1 for none, as an array (queries, R); append notes for readers.

    `needed` has the number of ids that each metric needs. Raises InputError for ids of no reference point, for another
    number of rows, or for fewer ids than a metric needs.
    """
    places = _rows(ids, references) if ids_of is None else _looked_up(ids, ids_of, references)
    if len(places) != queries:
        raise InputError("ids", f"found {len(places)} rows for {queries} test points", ADVICE)
    for metric, k in needed.items():
        if k > places.shape[1]:
            found = f"found {places.shape[1]} for each test point, but {metric} needs {k}"
            raise InputError("ids", found, "search for more, or pass a smaller k=")
    places = places[:, : max(needed.values())].copy()
    missing = places == MISSING
    repeated = _repeated(places)
    places[repeated] = MISSING
    for wrong, text in (
        (missing, "{} of {} queries have fewer than {} neighbors; those that are missing count as not found"),
        (repeated, "{} of {} queries have one id twice among {}; it counts once"),
    ):
        if rows := int(wrong.any(axis=1).sum()):
            notes.append(Note("warning", "found_ids", f"ids: {text.format(rows, queries, places.shape[1])}"))
    return places


def _rows(ids: Any, references: int) -> Places:
    """Return ids that are rows of the reference points."""
    array = _matrix(ids)
    if array.dtype.kind not in "iu":
        found = f"found {array.dtype} values" if array.dtype != object else f"found {short_repr(array.flat[0])}"
        raise InputError(
            "ids",
            found,
            "pass rows of the reference, or the id of each reference point as ids_of= (evaluate_neighbors)",
        )
    places = array.astype(np.int64)
    wrong = np.flatnonzero(((places < MISSING) | (places >= references)).any(axis=1))
    if wrong.size:
        row = places[wrong[0]]
        bad = row[(row < MISSING) | (row >= references)][0]
        found = f"found {bad} in row {wrong[0]}, but reference has {references} rows"
        counted = "if ids count from 1, pass ids - 1; else " if places.max() == references and 0 not in places else ""
        raise InputError("ids", found, f"{counted}pass the id of each reference point as ids_of= (evaluate_neighbors)")
    return places


def _looked_up(ids: Any, ids_of: Any, references: int) -> Places:
    """Return the places of ids of any kind among those of the reference points."""
    refuse_masked(ids_of, "ids_of")
    labels_of = unmixed(ids_of)
    if labels_of.shape != (references,):
        found = f"found {_shape(labels_of)} for {references} reference points"
        raise InputError("ids_of", found, "pass one id for each")
    known = labels_of.tolist()
    place_of = {label: place for place, label in enumerate(known)}
    if len(place_of) != references:
        raise InputError("ids_of", "found one id twice", "pass a different id for each reference point")
    place_of = {MISSING: MISSING, None: MISSING, **place_of}
    array = _matrix(ids)
    if array.dtype.kind == "f" and labels_of.dtype.kind in "iu":  # large ids would be rounded
        raise InputError("ids", f"found {array.dtype} values", f"pass ids as {labels_of.dtype}, as ids_of has them")
    places = np.empty(array.shape, dtype=np.int64)
    for row, labels in enumerate(array.tolist()):
        try:
            places[row] = [place_of[label] for label in labels]
        except KeyError as error:
            found = f"found {short_repr(error.args[0])} in row {row}, which is not in ids_of"
            raise InputError("ids", found, "pass the ids of these reference points") from None
    return places


def _matrix(ids: Any) -> NDArray[Any]:
    """Return ids as an array (m, R); rows of a list that are too short end with -1."""
    refuse_masked(ids, "ids")
    cells = rows_in_cells(ids)
    ids = ids if cells is ids else [[] if is_missing(row) else list(row) for row in cells]
    if isinstance(ids, list | tuple) and len(ids) and all(isinstance(row, list | tuple) for row in ids):
        longest = max(map(len, ids))
        if any(len(row) < longest for row in ids):
            ids = [[*row, *[MISSING] * (longest - len(row))] for row in ids]
            mixed = np.array(ids, dtype=object)
            return mixed if any(isinstance(one, str) for row in ids for one in row) else mixed.astype(np.int64)
    array = unmixed(ids)
    if array.ndim != 2 or 0 in array.shape:
        raise InputError("ids", f"found {_shape(array)}", ADVICE)
    return array


def _shape(array: NDArray[Any]) -> str:
    """Return the shape of ids, or what is no array: for instance a sparse matrix."""
    return f"shape {array.shape}" if array.ndim else short_repr(array[()])


def _repeated(places: Places) -> NDArray[np.bool_]:
    """Return which places were in their row before; -1 does not count."""
    order = np.argsort(places, axis=1, kind="stable")
    ordered = np.take_along_axis(places, order, axis=1)
    again = np.zeros(places.shape, dtype=np.bool_)
    again[:, 1:] = (ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] != MISSING)
    out = np.zeros_like(again)
    np.put_along_axis(out, order, again, axis=1)
    return out
