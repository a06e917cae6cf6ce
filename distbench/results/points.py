"""Which points rows are of, and which encoders of two runs are the same by their points, whatever their names."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from distbench.results.rows import OK, Row

__all__ = [
    "POINTS_CHANGED",
    "find_moved",
    "hashes_of_points",
    "moved_text",
    "placed",
    "points_differ",
    "rivals",
    "same_points",
]

POINTS_CHANGED = "the points changed"
IDENTITIES = (
    ("encoder", "code_size", "values"),
    ("encoder", "code_size"),
    ("test", "encoder"),
    ("test", "code_size"),
    ("test",),
)
"""What stays if something else changed, the surest first."""
NUMBER = re.compile(r" \(\d+\)|(?<=<lambda>)\d+|(?<=[^\W\d])\d+(?=[-\]])")
"""In the name of an encoder or the id of its test: its place among the encoders of one name, as in ``test[model0]``."""
WORDS = {"encoder": "encoder", "code_size": "code size", "dataset": "data set", "test": "test"}

Key = tuple[Any, ...]
Token = tuple[Any, ...]
Groups = Mapping[Key, Sequence[Row]]


def find_moved(old: Groups, new: Groups) -> dict[Key, Key]:
    """Return which groups of rows in `new` continue which ones in `old`, as keys: ``{new: old}``.

    Two groups match if they are of the same points, with the same k and distance, and agree in their test, or in the
    encoder and the code size. If several groups could match, none does; numbers of order count for nothing.
    """
    moved: dict[Key, Key] = {}
    for names in IDENTITIES:
        taken = set(moved.values())
        before = _indexed({key: rows for key, rows in old.items() if key not in taken}, names)
        now = _indexed({key: rows for key, rows in new.items() if key not in moved}, names)
        pairs = {key: _only_match(rows, old, before, names) for key, rows in new.items() if key not in moved}
        moved |= {
            key: other
            for key, other in pairs.items()
            if other is not None and _only_match(old[other], new, now, names) == key
        }
    return moved


def _indexed(groups: Groups, names: Sequence[str]) -> dict[Token, list[Key]]:
    index: dict[Token, list[Key]] = {}
    for key, rows in groups.items():
        for token in _tokens(rows, names):
            index.setdefault(token, []).append(key)
    return index


def _tokens(rows: Sequence[Row], names: Sequence[str]) -> set[Token]:
    """Return what groups share if they may match, so that only these are compared: two of 10,000 are found at once."""
    if "test" in names and not rows[0].test:
        return set()
    identity = _identity(rows, names)
    hashes = {(row.setting.method, *pair) for row in rows if row.status == OK for pair in _hashes(row) if pair[1]}
    return {(identity, *part) for part in hashes}


def _hashes(row: Row) -> tuple[tuple[str, str], tuple[str, str]]:
    return ("fingerprint", row.fingerprint or ""), ("data", row.data_sha256 or "")


def _only_match(
    rows: Sequence[Row], groups: Groups, index: Mapping[Token, list[Key]], names: Sequence[str]
) -> Key | None:
    """Return the one group of an index that is of the same points; None if there is none, or a second one."""
    found = None
    for key in (key for token in _tokens(rows, names) for key in index.get(token, ())):
        if key != found and same_points(groups[key], rows):
            if found is not None:
                return None
            found = key
    return found


def _identity(rows: Sequence[Row], names: Sequence[str]) -> tuple[Any, ...]:
    about = [_values(rows) if name == "values" else getattr(rows[0], name) for name in names]
    return _without_number((rows[0].in_sample, *about))


def placed(*runs: Iterable[Key]) -> set[Key]:
    """Return the keys with the number of a place: pytest counts values of an argument from 0, unlike net2 and net3."""
    keys = {key: _without_number(key) for run in runs for key in run}
    numbers = {key: [found for part in key if isinstance(part, str) for found in NUMBER.findall(part)] for key in keys}
    names = {keys[key] for key, found in numbers.items() if any(number == "0" or "(" in number for number in found)}
    return {key for key, name in keys.items() if name in names}


def rivals(*runs: Iterable[Key]) -> set[Key]:
    """Return the keys in both runs that only a number tells apart from another one in the same run."""
    counts = [Counter(map(_without_number, keys)) for keys in runs]
    shared = {name for name in counts[0].keys() & counts[1].keys() if max(count[name] for count in counts) > 1}
    return {key for keys in runs for key in keys if _without_number(key) in shared}


def _without_number(key: Key) -> Key:
    """Return a key without the numbers that tell encoders of one name apart: their order may have changed."""
    return tuple(NUMBER.sub("", part) if isinstance(part, str) else part for part in key)


def _values(rows: Sequence[Row]) -> tuple[Any, ...]:
    """Return all values of an encoder, without the digits that rounding may change."""
    return tuple(sorted((row.full_metric, str(row.seed), f"{row.value:.9g}") for row in rows if row.value is not None))


def same_points(rows: Sequence[Row], others: Sequence[Row]) -> bool:
    """Return whether two encoders were measured on the same points in the same way."""
    first, second = ({row.setting.method: row for row in group if row.status == OK} for group in (rows, others))
    return any(not points_differ(first[method], second[method]) for method in first.keys() & second.keys())


def moved_text(before: Row, now: Row) -> str:
    """Return what an encoder was, where that changed: its name, test, data set or code size."""
    changed = [name for name in WORDS if getattr(before, name) != getattr(now, name)]
    return ", ".join(f"{WORDS[name]} was {getattr(before, name) or 'none'}" for name in changed)


def points_differ(row: Row, other: Row) -> str:
    """Return why two rows may be of different points; empty if both have a hash and their hashes agree."""
    pairs = [(row.fingerprint, other.fingerprint), (row.data_sha256, other.data_sha256)]
    known = [pair for pair in pairs if all(pair)]
    if not known:
        return "not known to be of the same points"
    return "" if all(a == b for a, b in known) else POINTS_CHANGED


def hashes_of_points(rows: Sequence[Row]) -> list[str]:
    """Return the hash of the points of each row: that of its data set, or the fingerprint of a test's points.

    Different hashes mean different points. If there is only one hash, rows without a hash are of the same points.
    """
    own = [(row.data_sha256 if row.dataset else row.fingerprint) or "" for row in rows]
    by_name: dict[tuple[str, str], set[str]] = {}
    for row, points in zip(rows, own, strict=True):
        by_name.setdefault((row.dataset, row.setting.test), set()).add(points)
    hashes = []
    for row, points in zip(rows, own, strict=True):
        of_name = by_name[row.dataset, row.setting.test] - {""}
        hashes.append(next(iter(of_name)) if len(of_name) == 1 else points)
    return hashes
