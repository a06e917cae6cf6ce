"""The names of the rows and columns of tables: tables whose names are in another order must not be paired by place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from distbench._util.notes import Note
from distbench._util.text import join_names, short_repr
from distbench.errors import InputError
from distbench.inputs.anndata import anndata_of
from distbench.inputs.files import is_table, names_in_file
from distbench.inputs.frames import id_columns, is_arrow_table, is_frame
from distbench.inputs.labels import is_missing

__all__ = [
    *("Tables", "check_column_names", "check_pair_names", "check_row_names", "in_another_order", "column_notes"),
    "row_names",
]

Names = list[Any] | None  # None if rows or columns have no names of their own
Tables = Sequence[tuple[Any, str]]  # tables, or what takes their place, with their names in messages


def check_row_names(tables: Tables, notes: list[str] | None = None) -> None:
    """Raise InputError if a table has the rows of the first with names, or some of them, at other places.

    If one of the two only numbers its rows, as frames do that were given no names, they may be right: then a note says
    so, or without `notes` they are refused too. Tables may be None, and anything without names of rows is passed over.
    """
    named = [(table, name, names) for table, name in tables if (names := row_names(table)) is not None]
    for other, other_name, others in named[1:]:
        _, name, names = named[0]
        if len(names) != len(others) or names == others:
            continue
        if set(names).isdisjoint(others):  # such as numbers and days, which are texts in AnnData and in files of text
            names, others = ([str(name).removesuffix(" 00:00:00") for name in of] for of in (names, others))
            if names == others:
                continue
        place = next(place for place, (a, b) in enumerate(zip(names, others, strict=True)) if a != b)
        kind, name = ("column", f"the rows of {name}") if isinstance(other, _Candidates) else ("row", name)
        found = f"{kind} {place} is {short_repr(others[place])}, but {short_repr(names[place])} in {name}"
        is_doubt = _are_numbers(names) or _are_numbers(others)
        if set(names).isdisjoint(others) or (is_doubt and not in_another_order(names, others)):
            continue
        if is_doubt and notes is not None:
            text = f"{other_name}: names of {kind}s are those of {name} in another order ({found})"
            notes.append(Note("warning", "row_names", f"{text}; {kind}s were paired by place"))
            continue
        order = f"names of {kind}s in another order" if in_another_order(names, others) else f"other {kind}s"
        of_frames = f", as by .loc[{name}.index], or without names, as by .reset_index(drop=True)"
        is_frame_of_rows = not is_table(other) and kind == "row"
        raise InputError(
            other_name,
            f"found {order}: {found}",
            f"pass {kind}s in the order of {name}{of_frames if is_frame_of_rows else ''}",
        )


def check_column_names(first: tuple[Any, str], second: tuple[Any, str]) -> None:
    """Raise InputError if two tables have equally many columns, but with other names or in another order."""
    names, others = _column_names(first[0]), _column_names(second[0])
    if names is None or others is None or len(names) != len(others) or names == others:
        return
    if (_are_numbers(names) or _are_numbers(others)) and not in_another_order(names, others):
        return  # one of them has no names of its own
    place = next(place for place, (a, b) in enumerate(zip(names, others, strict=True)) if a != b)
    found = f"column {place} is {short_repr(others[place])}, but {short_repr(names[place])} in {first[1]}"
    order = "columns in another order" if in_another_order(names, others) else "other columns"
    raise InputError(second[1], f"found {order}: {found}", f"pass the columns of {first[1]}, in their order")


def check_pair_names(
    test: Tables, reference: Tables, notes: list[str] | None = None, given: Tables = (), include_queries: bool = True
) -> None:
    """Raise InputError if codes do not have the rows of their points, or references not the columns of test points.

    Both are points, codes and labels, each with its name in messages; `reference` may be empty. Columns of `given`
    distances have to be in the order of the test points, if `include_queries`, and then of the references. Doubts
    become notes.
    """
    for table, name in given:
        tests, references = _candidates(table, include_queries)
        test, reference = [*test, (tests, name)], [*reference, (references, name)]
    check_row_names(test, notes)
    check_row_names(reference, notes)
    for first, second in zip(test, reference, strict=False):
        check_column_names(first, second)


class _Candidates(list[Any]):
    """The names of columns of given distances."""


def _candidates(distances: Any, include_queries: bool) -> tuple[Names, Names]:
    """Return the names of the test points and of the reference points that the columns of distances have."""
    rows, columns = row_names(distances), _column_names(distances)
    if rows is None or columns is None or _are_numbers(columns):
        return None, None
    m = len(rows) if include_queries else 0
    return _Candidates(columns[:m]) or None, _Candidates(columns[m:]) or None


def column_notes(tables: Tables) -> list[Note]:
    """Return notes on the the columns of a file that were not read, and on those of a table that look like ids."""
    notes = []
    for table, name in tables:
        others, ids = names_in_file(table)[2:] if is_table(table) else ([], _ids(table))
        if others:
            text = f"{name}: columns that are not numbers were left out: {join_names(others)}"
            notes.append(Note("warning", "columns_left_out", text))
        if ids:
            text = f"{name}: columns that look like ids of the rows were taken for numbers: {join_names(ids)}"
            notes.append(Note("warning", "id_columns", f"{text}; leave out those that are"))
    return notes


def _ids(table: Any) -> list[str]:
    is_named = is_frame(table) or is_arrow_table(table)
    return id_columns({str(name): table[name] for name in _column_names(table) or ()}) if is_named else []


def in_another_order(names: list[Any], others: list[Any]) -> bool:
    """Return whether two lists have the same names at other places."""
    return names != others and set(names) == set(others)


def row_names(table: Any) -> Names:
    """Return the names of the rows of a frame, a column, AnnData or a file; None if it has none."""
    if isinstance(table, _Candidates):
        return list(table)
    if hasattr(table, "iloc"):
        return [None if is_missing(name) else name for name in table.index]  # NaN is not equal to itself
    if (adata := anndata_of(table)) is not None:
        return list(adata.obs_names)
    return names_in_file(table)[0] if is_table(table) else None


def _column_names(table: Any) -> Names:
    """Return the names of the columns of a frame, an Arrow table, AnnData or a file; None if it has none."""
    names: Names = None
    if is_table(table):
        names = names_in_file(table)[1]
    elif hasattr(table, "var_names"):
        names = list(table.var_names)
    elif hasattr(type(table), "columns") and hasattr(table, "shape"):
        names = list(table.column_names if hasattr(table, "column_names") else table.columns)
    return None if names is None or len(names) == 1 else names  # one column may hold lists


def _are_numbers(names: list[Any]) -> bool:
    """Return whether names are the numbers 0, 1, 2, ..., which frames have that were given none."""
    return [str(name).removeprefix("column_") for name in names] == [str(number) for number in range(len(names))]
