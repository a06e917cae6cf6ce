"""Directions of points, for the cosine distance: unit vectors, and keys without the rounding that would decide ties.

The key of two unit vectors is their squared distance, 2 (1 - cos). Rounding leaves keys of equal cosines unequal, so
each row has a mark, and `settle` replaces a key by what follows from the marks of its two rows:

- Two rows of whole numbers, times any factor, such as counts divided by their sum: the rounded key tells the exact
  product of the whole numbers. The new key is a function of cos^2 = product^2 / (product of both squared lengths)
  correctly rounded, so equal cosines have equal keys.
- Other rows: keys within their rounding of 0, 2 and 4 become 0 (positive multiples), 2 (right angles) and 4.
- Rows whose key is 0 have one unit vector (`join_same`), so that they tie from any other row.
- A row of zeros has no direction: its key is 0 to another such row, and 2 to all other rows.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench.engine._jit import inner, kernel
from distbench.engine.distances import few_keys

__all__ = ["join_same", "key_error", "prepared", "same_directions", "settle", "settle_pairs"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

WHOLE_BITS = 30  # the largest number of a row of whole numbers has so many bits at most
SINGLE_ERROR, DOUBLE_ERROR = 2.0**-23, 2.0**-52  # relative errors of numbers that were rounded twice
UNIT_ERROR = 64 * 2.0**-53  # bound on the error of a unit vector, whose length numpy sums in pairs
COMMON_MULTIPLE = 60  # rows whose least number is one of many divisors of this become whole
FEW_COLUMNS = 8
BLOCK_NUMBERS = 1 << 16  # a block of so many numbers stays in the processor's cache
SURE = 2.0**-10  # so near to whole numbers, none of them is in doubt
SPLIT = 2.0**27 + 1  # splits a number into two of 26 bits


def prepared(points: NDArray[Any]) -> tuple[Array, Array]:
    """Return the rows divided by their lengths (rows of zeros stay as they are), and a mark of each.

    The mark tells what is known of a row's exact direction. If the row is a multiple of whole numbers, and the exact
    products of such rows follow from rounded keys: the squared length of these numbers without their common divisor.
    Else, negative: the error of the unit vector.
    """
    units, known = np.empty(points.shape), np.empty(len(points))
    step = max(1, BLOCK_NUMBERS // points.shape[1])
    for start in range(0, len(points), step):
        block = slice(start, start + step)
        units[block], known[block] = _prepared(points[block])
    return units, known


def _prepared(points: NDArray[Any]) -> tuple[Array, Array]:
    numbers = np.array(points, dtype=np.float64, order="C")
    exponents = WHOLE_BITS - np.frexp(np.abs(numbers).max(axis=1))[1]
    for half in (exponents // 2, exponents - exponents // 2):  # the power itself may be out of range
        numbers *= np.ldexp(1.0, half)[:, None]
    known = -UNIT_ERROR - np.where(_has_few_digits(numbers), SINGLE_ERROR, DOUBLE_ERROR)
    is_single = known < -UNIT_ERROR - DOUBLE_ERROR
    whole = np.flatnonzero((np.rint(numbers) == numbers).all(axis=1))
    _mark_whole(numbers, known, whole)
    rest = np.flatnonzero(known < 0)  # single precision fits into whole numbers, but these may be rounded multiples
    made, is_made = _made_whole(numbers[rest], is_single[rest])
    numbers[rest] = made
    _mark_whole(numbers, known, rest[is_made])
    lengths = np.sqrt(np.sum(numbers * numbers, axis=1))
    numbers /= np.where(lengths > 0, lengths, 1.0)[:, None]
    return numbers, known


def _mark_whole(numbers: Array, known: Array, places: Indices) -> None:
    """Write the squared lengths of these rows of whole numbers to `known`, if products with them are known."""
    whole = numbers[places]
    divisors = np.gcd.reduce(whole.astype(np.int64), axis=1)
    squares = np.sum(np.square(whole / np.maximum(divisors, 1)[:, None]), axis=1)
    # The product of two rows, at most the root of both squares, is known to a quarter.
    known[places] = np.where(squares * key_error(numbers.shape[1]) <= 0.25, squares, known[places])


def _has_few_digits(numbers: Array) -> NDArray[np.bool_]:
    """Return which rows hold numbers of single precision alone, times a power of two."""
    part = numbers * (2.0**29 + 1)
    return np.asarray((part - (part - numbers) == numbers).all(axis=1))


def _made_whole(rows: Array, are_single: NDArray[np.bool_]) -> tuple[Array, NDArray[np.bool_]]:
    """Return rows as whole numbers if they are multiples of such but for rounding, and which rows these are."""
    errors = 2 * np.where(are_single, SINGLE_ERROR, DOUBLE_ERROR)[:, None]
    found = np.ones(len(rows), dtype=np.bool_)
    if not len(rows):
        return rows, found
    sizes = np.abs(rows)
    factors = (COMMON_MULTIPLE / np.where(sizes > 0, sizes, np.inf).min(axis=1))[:, None]
    for columns in (slice(0, FEW_COLUMNS), slice(None)):  # most rows of fractions fail in a few columns
        ratios = rows[found, columns] * factors[found]
        tolerance = errors[found] * np.abs(ratios)
        found[found] = ((np.abs(ratios - np.rint(ratios)) <= tolerance) & (tolerance < SURE)).all(axis=1)
    rows[found] = np.rint(rows[found] * factors[found])
    return rows, found


def key_error(d: int) -> float:
    """Return a bound on the absolute error of keys in d columns, from products or from differences."""
    return (16 * d + 1024) * 2.0**-53


def same_directions(points: NDArray[Any]) -> Indices:
    """Return a number for each row, which is the same for rows whose key is 0."""
    return _first_of_directions(*prepared(points))


def join_same(units: Array, known: Array) -> None:
    """Make unit vectors and marks of multiples equal, but for the sign of negative ones.

    So they tie from any other row, and distances between some of them tie with those between the opposite ones. Which
    row the others take their vector from depends on the rows, not on their order.
    """
    signs = np.where(units @ _axis(units.shape[1]) < 0, -1.0, 1.0)
    turned = units * signs[:, None] + 0.0  # without -0
    first = _first_of_directions(turned, known)
    rows = np.flatnonzero(np.bincount(first)[first] > 1)
    if not len(rows):
        return
    rank = np.empty_like(rows)
    rank[np.argsort(turned[rows].view(f"V{turned.itemsize * turned.shape[1]}")[:, 0])] = np.arange(len(rows))
    order = rows[np.lexsort((rank, -known[rows], first[rows]))]
    starts = np.append(True, np.diff(first[order]) > 0)
    best = order[starts][np.cumsum(starts) - 1]
    units[order], known[order] = turned[best] * signs[order][:, None], known[best]


def _axis(d: int) -> Array:
    """Return a direction at random, the same each time."""
    axis = np.random.default_rng(0).normal(size=d)
    return np.asarray(axis / np.linalg.norm(axis))


def _first_of_directions(units: Array, known: Array) -> Indices:
    """Return for each row one of those whose key to it is 0, the same for all of them."""
    error = key_error(units.shape[1])
    rows = np.arange(len(units))
    line = units @ _axis(units.shape[1])
    reach = 2 * max(UNIT_ERROR, -known.min()) + error  # rows whose key is 0 are no farther apart on the line
    order = np.argsort(line)
    ends = np.flatnonzero(np.append(np.diff(line[order]) > reach, True)) + 1
    starts = np.append(0, ends[:-1])
    for start, end in zip(*(places[ends - starts > 1].tolist() for places in (starts, ends)), strict=True):
        rest = order[start:end]
        while len(rest):
            keys = few_keys(units[rest[0]], units[rest])
            settle(keys[None], known[rest[:1]], known[rest], error)
            rows[rest[keys == 0]], rest = rest[0], rest[keys > 0]
    return rows


@kernel
def settle(keys: Array, marks_x: Array, marks_y: Array, error: float) -> None:
    """Replace the rounded keys (q, n) of rows with these marks (q,) and (n,); `error` is `key_error`."""
    for q in range(len(keys)):
        for p in range(len(marks_y)):
            keys[q, p] = _settled(keys[q, p], marks_x[q], marks_y[p], error)


@kernel
def settle_pairs(keys: Array, marks_x: Array, marks_y: Array, error: float) -> None:
    """Replace the rounded keys (n,) of pairs of rows with these marks, as `settle` does."""
    for p in range(len(keys)):
        keys[p] = _settled(keys[p], marks_x[p], marks_y[p], error)


@inner
def _settled(key: float, x: float, y: float, error: float) -> float:
    if x > 0.0 and y > 0.0:
        return _whole_key(np.rint((1.0 - key / 2.0) * np.sqrt(x) * np.sqrt(y)), x, y)
    if x == 0.0 or y == 0.0:
        return 0.0 if x == y else 2.0
    rounding = max(UNIT_ERROR, -x) + max(UNIT_ERROR, -y)
    if key <= rounding * rounding:
        return 0.0
    if abs(key - 2.0) <= error:
        return 2.0
    return 4.0 if key >= 4.0 - error else key


@inner
def _whole_key(product: float, x: float, y: float) -> float:
    """Return 2 (1 - cos) from the product of two rows of whole numbers, and their squared lengths."""
    if product == 0.0:
        return 2.0
    both, both_low = _exact_product(x, y)
    square, square_low = _exact_product(product, product)
    rest = both - square
    sine2 = _quotient(rest, ((both - rest) - square) + (both_low - square_low), both, both_low)
    if sine2 < 0.5 and product > 0.0:  # near 0, without the cancellation of 1 - cos
        return float(2.0 * sine2 / (1.0 + np.sqrt(1.0 - sine2)))
    cosine = float(np.sqrt(1.0 - sine2 if sine2 < 0.5 else _quotient(square, square_low, both, both_low)))
    return 2.0 - 2.0 * (cosine if product > 0.0 else -cosine)


@inner
def _exact_product(x: float, y: float) -> tuple[float, float]:
    """Return x y as a sum of two numbers, without error (Dekker 1971)."""
    product = x * y
    x_high, y_high = SPLIT * x - (SPLIT * x - x), SPLIT * y - (SPLIT * y - y)
    x_low, y_low = x - x_high, y - y_high
    return product, ((x_high * y_high - product) + x_high * y_low + x_low * y_high) + x_low * y_low


@inner
def _quotient(high: float, low: float, divisor: float, divisor_low: float) -> float:
    """Return (high + low) / (divisor + divisor_low), correctly rounded but for one in 2^40 numbers at random.

    It is always correctly rounded where both low parts are 0.
    """
    total = high + low
    part = total - high
    high, low = total, (high - (total - part)) + (low - part)
    first = high / divisor
    product, product_low = _exact_product(first, divisor)
    rest = ((high - product) - product_low) + low - first * divisor_low
    return first + rest / divisor
