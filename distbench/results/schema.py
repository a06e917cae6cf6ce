"""Parses and checks the text of a file of results; the results of runs and the stored rows of suites share a format."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, get_args, get_type_hints

from distbench._util.text import plain_text, short_repr
from distbench.errors import InputError
from distbench.inputs.size_guards import refuse_unfolded
from distbench.results.packing import unpack, unpacked_size
from distbench.results.rows import FAILED, OK, STALE, ClaimOutcome, Row

__all__ = ["EMPTY", "MAX_CHARACTERS", "SCHEMA", "CutOffError", "Results", "parse_results"]

SCHEMA = 1
NUMBERS = ("value", "low", "high", "seconds", "limit")
AXES = {"leave_one_out": 1, "interaction": 2, "losses": 1}
NON_FINITE = {"inf": math.inf, "-inf": -math.inf, "nan": math.nan}
COUNTS = ("code_size", "code_width", "code_bytes", "point_bytes", "metric_version", "k", "m", "M", "seconds", "seed")
"""Fields that are never negative."""
MAX_CHARACTERS = 50_000  # of a text, which may be the name of a test
MAX_NUMBER = 1e300
"""A file with larger numbers counts as damaged, since means and sums of them overflow."""
ROUNDING = 1e-9  # files keep ten digits
STORED_CLAIM = {"statement": "", "source": "", "expect": ""}
"""Fields that are missing in claims of older suite files."""


@dataclass(frozen=True)
class Results:
    """The content of a file of results.

    Attributes
    ----------
    rows : list of Row
        Rows of the last run, of earlier ones, and of suites.
    environment : dict
        The environment of the last run; empty in files of suites.
    earlier : dict of str to dict
        The environments of all other rows, by the name in these rows.
    claims : list of ClaimOutcome
        The claims of suites and their verdicts.
    """

    rows: list[Row]
    environment: dict[str, Any]
    earlier: dict[str, dict[str, Any]]
    claims: list[ClaimOutcome] = field(default_factory=list)


EMPTY = Results([], {}, {})


class CutOffError(ValueError):
    """The text of a file ends too early."""


def parse_results(text: str) -> Results:
    """Return the content of a file of results. Raises ValueError with one line that says what is wrong."""
    import msgspec

    document = _with_numbers(_with_plain_texts(_in_one_format(_parsed(text))))
    earlier = document.get("earlier")
    for name, environment in earlier.items() if isinstance(earlier, dict) else ():
        if not isinstance(environment, dict):
            raise ValueError(f"environment {short_repr(name)} is not a table")
    try:
        results = msgspec.convert(document, Results)
    except msgspec.ValidationError as error:
        raise ValueError(_described(str(error), document)) from error
    except UnicodeEncodeError as error:
        raise ValueError(f"the key {short_repr(error.object)} has half of a pair of surrogates") from error
    for environment in (results.environment, *results.earlier.values()):
        size = len(json.dumps(environment, allow_nan=False))  # raises for 1e999, which is read as infinity
        if size > MAX_CHARACTERS:
            raise ValueError(f"an environment has {size:,} characters")
    refuse_unfolded(sum(map(unpacked_size, results.rows)), len(text), "fewer rows")
    kinds: tuple[tuple[str, Sequence[Row | ClaimOutcome]], ...] = (("row", results.rows), ("claim", results.claims))
    for kind, records in kinds:
        for number, record in enumerate(records, 1):
            if problem := _problem(record, results):
                raise ValueError(f"{kind} {number}: {problem}")
    return results


def _parsed(text: str) -> dict[str, Any]:
    # json, because msgspec refuses half of a surrogate pair, which names of tests may contain.
    try:
        document = json.loads(text, parse_constant=_refuse, object_pairs_hook=_table)
    except (ValueError, RecursionError) as error:
        reason = "nested too deep" if isinstance(error, RecursionError) else str(error)
        is_cut = text.startswith("{") and not text.rstrip().endswith("}")
        if is_cut:
            raise CutOffError(f"not valid JSON: {reason} (it seems cut off)") from None
        raise ValueError(f"not valid JSON: {reason}") from None
    if not isinstance(document, dict) or "schema" not in document:
        raise ValueError("is not a file of results (it has no schema)")
    if document["schema"] != SCHEMA or isinstance(document["schema"], bool):
        found = short_repr(document["schema"])
        raise ValueError(f"schema {found} is not known here, only {SCHEMA}; install the distbench that wrote it")
    return document


def _refuse(word: str) -> Any:
    raise ValueError(f"{word} is not a JSON number")


def _table(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) < len(pairs):
        repeated = Counter(key for key, _ in pairs).most_common(1)[0][0]
        raise ValueError(f"the key {short_repr(repeated)} occurs twice in one table")
    return table


def _in_one_format(document: dict[str, Any]) -> dict[str, Any]:
    """Return a document with the present keys; older files of suites have others."""
    if "environments" not in document:
        return document
    claims = document.get("findings")
    if isinstance(claims, list):
        claims = [STORED_CLAIM | claim if isinstance(claim, dict) else claim for claim in claims]
    return document | {"environment": {}, "earlier": document["environments"], "claims": claims}


def _with_plain_texts(document: dict[str, Any]) -> dict[str, Any]:
    """Return a document with texts that are safe to print; raise ValueError for one that is too long.

    Names of tests stay as they are, since the tests of a run are looked up by them.
    """
    for kind in ("rows", "claims"):
        records = document.get(kind)
        for number, record in enumerate(records if isinstance(records, list) else (), 1):
            for name, value in record.items() if isinstance(record, dict) else ():
                if isinstance(value, str):
                    if len(value) > MAX_CHARACTERS:
                        raise ValueError(f"{kind[:-1]} {number}: {name} has {len(value):,} characters")
                    record[name] = value if name == "test" else plain_text(value)
    return document


def _with_numbers(document: dict[str, Any]) -> dict[str, Any]:
    """Return a document in which numbers replace the words for infinity and nan."""
    rows = document.get("rows")
    for number, row in enumerate(rows if isinstance(rows, list) else (), 1):
        for name in NUMBERS if isinstance(row, dict) else ():
            value = row.get(name)
            if isinstance(value, str):
                row[name] = NON_FINITE.get(value, value)
            elif isinstance(value, int) and abs(value) > MAX_NUMBER:  # msgspec before 0.20 would return -1.0
                raise ValueError(f"row {number}: {name} is too large")
    return document


def _described(message: str, document: dict[str, Any]) -> str:
    """Return msgspec's message, such as "Expected `int`, got `str` - at `$.rows[3].k`", for readers of the file."""
    reason, _, path = message.partition(" - at ")
    keys = [int(key) if key.isdigit() else key for key in re.findall(r"\w+", path)]
    is_record = len(keys) > 1 and isinstance(keys[1], int)
    place = f"{str(keys[0]).removesuffix('s')} {int(keys[1]) + 1}: " if is_record else ""
    if missing := re.fullmatch(r"Object missing required field `(\w+)`", reason):
        return f"{place}{missing[1]} is missing"
    if is_record and len(keys) == 2:
        return f"{place}is not a table"
    value: Any = document
    for key in keys:
        value = value[key]
    kinds = get_args(get_type_hints(Row).get(str(keys[-1])))
    expected = f"none of {', '.join(filter(None, kinds))}" if reason.startswith("Invalid enum") else reason.lower()
    return f"{place}{keys[-1]} is {short_repr(value)}, {expected}"


def _problem(record: Row | ClaimOutcome, results: Results) -> str:
    """Return what is wrong with a record whose fields have the right types; empty if it can be used."""
    if record.environment and record.environment not in results.earlier:
        return f"environment {record.environment!r} is not in the file"
    if isinstance(record, ClaimOutcome):
        return ""
    for name, value in vars(record).items():
        if isinstance(value, int | float) and MAX_NUMBER < abs(value) < math.inf:
            return f"{name} is too large"
        if name in COUNTS and value is not None and value < 0:
            return f"{name} is {value}"
    for name in ("low", "high", "limit", "seconds"):
        if (number := getattr(record, name)) is not None and math.isnan(number):
            return f"{name} is nan; leave out what is not known"
    if not record.encoder:
        return "has an encoder without a name"
    status = short_repr(record.status)
    if record.status != OK and not record.status.startswith((FAILED, STALE)):
        return f"status is {status}, neither ok nor failed: or stale: with a reason"
    if (record.status == OK) != (record.value is not None):
        return "has no value" if record.value is None else f"has a value, though its status is {status}"
    if record.value is not None and not record.metric:
        return "has a value but no metric"
    if problem := _impossible(record) or _crossed(record):
        return problem
    if record.value is not None and min(record.k, record.m, record.M, record.code_size) < 1:
        return f"has a value for k = {record.k}, m = {record.m}, M = {record.M}, code_size = {record.code_size}"
    if record.verdict and record.limit is None:
        return "has a verdict but no limit"
    if _contradicts(record):
        return f"verdict is {record.verdict}, for a {record.metric} of {record.value} and a limit of {record.limit}"
    lengths = {record.m}
    for name, axes in AXES.items():
        packed = getattr(record, name)
        if packed is not None:
            length = _length(packed, axes, 0.0 if name == "losses" else -MAX_NUMBER)
            # If only a sample is evaluated, the other test points have leave-one-out values too. Groups may be few.
            longer = name == "leave_one_out" and length is not None and length > record.m
            if length is None or not (record.groups or length in lengths or longer):
                return f"{name} is damaged"
            lengths.add(length)
    return ""


def _crossed(row: Row) -> str:
    """Return what is wrong with an interval whose ends are not on both sides of the value."""
    if row.low is not None and row.high is not None and row.low > row.high:
        return f"low is {row.low}, above high, {row.high}"
    if row.value is None or not math.isfinite(row.value):
        return ""
    rounding = ROUNDING * max(1.0, abs(row.value))
    if row.low is not None and row.low > row.value + rounding:
        return f"low is {row.low}, above the value, {row.value}"
    if row.high is not None and row.high < row.value - rounding:
        return f"high is {row.high}, below the value, {row.value}"
    return ""


def _contradicts(row: Row) -> bool:
    """Return whether a value is clearly on the other side of its limit than its verdict says.

    An interval is not compared: if the check had another confidence, it was not that of the row.
    """
    if row.verdict not in ("met", "broken"):
        return False
    if row.value is None or row.limit is None:
        return True
    if row.value == row.limit:  # both may be infinite
        return row.verdict == "broken"
    better = row.value - row.limit if row.direction == "up" else row.limit - row.value
    rounding = ROUNDING * max(1.0, abs(row.limit))
    return not better >= -rounding if row.verdict == "met" else better > rounding


def _impossible(row: Row) -> str:
    """Return what is wrong with a value that its metric cannot have; those of other packages' metrics may be any."""
    from distbench.metrics import METRICS
    from distbench.metrics.table import is_metric_name

    if not is_metric_name(row.metric):
        return f"metric is {short_repr(row.metric)}, which has no whole number of neighbors after @"
    known = METRICS.builtin().get(row.metric.partition("@")[0])
    if row.value is None or known is None or known.version != row.metric_version:
        return ""
    low, high = known.bounds
    beyond = row.value < low - ROUNDING or row.value > high + ROUNDING
    if beyond:
        return f"{row.metric} is {row.value}, which is not from {low:g} to {high:g}"
    if row.direction != known.direction:
        return f"direction of {row.metric} is {row.direction}, not {known.direction}"
    neighbors = row.full_metric.partition("@")[2]
    if neighbors and 1 <= row.M <= int(neighbors):
        return f"{row.full_metric} has as many neighbors as candidates or more, M = {row.M}"
    return ""


def _length(packed: Any, axes: int, least: float) -> int | None:
    """Return the length of an array from a file; None if it is damaged, beyond `least`, or of other axes."""
    import numpy as np

    try:
        with np.errstate(all="ignore"):
            array = unpack(packed)
    # numpy cannot convert texts, ragged lists and numbers that are too large.
    except (InputError, TypeError, ValueError, OverflowError, MemoryError):
        return None
    if array is None or array.ndim != axes or not ((array >= least - ROUNDING) & (array <= MAX_NUMBER)).all():
        return None
    return len(array)
