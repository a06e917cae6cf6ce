"""Encoders without gradients: Hypothesis draws moves of test points and is told how bad the pairs are."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from distbench.hunting._book import KINDS, WorstPairs
from distbench.hunting._directions import Directions, bases_of, landed

__all__ = ["draw", "in_other_test"]

Array = NDArray[np.float64]

SIZES = np.array([1.0, 0.5, 0.2, 0.07, 0.02])  # of the reach
WAYS = np.array([1.0, 0.999, 0.99, 0.9, 0.75])  # to another row
BITS = (8, 8, 2, 1)  # of the row, the direction, its kind, its sign: Hypothesis takes its time for each
MOST_EXAMPLES = 2000


def draw(book: WorstPairs, directions: Directions, code_size: int, seed: int, allowance: int) -> None:
    """Let Hypothesis look for pairs with `target()`, beginning at the rows of the worst pairs so far.

    It draws single bits alone. Whole numbers and floats would do too, but Hypothesis mixes in constants of the modules
    that happen to be loaded, and the same hunt would then find other pairs elsewhere.
    """
    from hypothesis import HealthCheck, Phase, Verbosity, given, settings, target
    from hypothesis import seed as seeded
    from hypothesis import strategies as st

    examples = min(MOST_EXAMPLES, allowance // len(SIZES))
    if examples < 1:
        return
    end, order, failed = book.asker.asked + allowance, _order(book, seed), list[Exception]()
    quiet = settings(verbosity=Verbosity.quiet, deadline=None, database=None, suppress_health_check=list(HealthCheck))

    @seeded(seed)
    @settings(quiet, max_examples=examples, phases=(Phase.generate, Phase.target), derandomize=False)
    @given(st.tuples(*(st.tuples(*[st.booleans()] * bits) for bits in BITS)))
    def one(bits: tuple[tuple[bool, ...], ...]) -> None:
        row, *drawn = (_number(part) for part in bits)
        if failed or book.asker.asked + len(SIZES) > end or book.asker.left < len(SIZES):
            return
        origin = int(order[row % len(order)])
        try:
            scores = _asked(book, origin, _targets(book, origin, [*drawn, seed], (directions, code_size)))
        except Exception as error:  # of the encoder: Hypothesis would run it again and tell of its own draws
            failed.append(error)
            return
        for name, score in zip(KINDS, scores, strict=True):
            target(score, label=name)

    one()
    if failed:
        raise failed[0]


def in_other_test() -> bool:
    """Say whether a Hypothesis test is running already, in which Hypothesis refuses to run another."""
    hypothesis = sys.modules.get("hypothesis")
    return hypothesis is not None and bool(hypothesis.currently_in_test_context())


def _order(book: WorstPairs, seed: int) -> NDArray[np.int64]:
    worst = [one.origin for kind in KINDS for one in book.worst(kind)]
    others = np.random.default_rng(seed).permutation(len(book.codes)).tolist()
    return np.array([*dict.fromkeys([*worst, *others])], dtype=np.int64)


def _number(bits: tuple[bool, ...]) -> int:
    return sum(1 << place for place, bit in enumerate(bits) if bit)


def _targets(book: WorstPairs, origin: int, drawn: Sequence[int], how: tuple[Directions, int]) -> Array:
    """Return moves of a row: along a column, towards another row, or anywhere that is allowed."""
    chosen, kind, way, seed = drawn
    region, rng = book.region, np.random.default_rng((chosen, kind, seed))
    point = region.rows[origin]
    if how[0] == "data" or kind == 0:
        basis = bases_of(region, point[None], how[0], how[1], 32, rng)[0]
        direction = rng.normal(size=len(basis)) @ basis
    elif kind == 1:
        direction = np.zeros(len(point))
        direction[region.free[chosen % len(region.free)]] = 1.0
    else:
        direction = region.rows[chosen % len(region.rows)] - point
        if kind == 2:  # all of the way to another row, or near it
            return region.clipped(point + direction * WAYS[:, None])
    length = np.linalg.norm(direction)
    if length == 0:
        return np.empty((0, len(point)))
    signed = direction / length * (1 if way else -1)
    return landed(region, point + region.reaches[origin] * SIZES[:, None] * signed, how[0])


def _asked(book: WorstPairs, origin: int, targets: Array) -> tuple[float, float]:
    """Offer the plausible pairs, and return logarithms of the worst scores of both kinds."""
    region, scale = book.region, book.scale
    point, code = region.rows[origin], book.codes[origin]
    apart = np.linalg.norm(targets - point, axis=1) >= scale.closest
    targets = targets[apart]
    targets = targets[region.keeps(targets)]
    if not len(targets):
        return 0.0, 0.0
    codes = book.asker.codes(targets)
    count = len(targets)
    book.offer(
        np.full(count, origin), np.tile(point, (count, 1)), targets, np.tile(code, (count, 1)), codes, "Hypothesis"
    )
    d_x, d_z = np.linalg.norm(targets - point, axis=1), np.linalg.norm(codes - code, axis=1)
    worst = [float(scale.score(kind, d_x, d_z).max()) for kind in KINDS]
    merged, torn = (float(np.log(min(max(one, 1e-100), 1e100))) for one in worst)
    return merged, torn
