"""Searches pairs for encoders without gradients: Hypothesis draws moves of test points, guided by their scores."""

from __future__ import annotations

import sys

import numpy as np
from numpy.typing import NDArray

from distbench.hunting._directions import Directions
from distbench.hunting._worst_pairs import KINDS, WorstPairs, distances

__all__ = ["in_hypothesis_test", "search_with_hypothesis"]

Array = NDArray[np.float64]

STEP_SHARES = np.array([1.0, 0.5, 0.2, 0.07, 0.02])  # lengths of moves, as shares of the plausible distance
ROW_SHARES = np.array([1.0, 0.999, 0.99, 0.9, 0.75])  # lengths of moves towards another row, as shares of its distance
BITS = (8, 8, 2, 1)  # numbers of bits that draw the row, direction, kind and sign of a move; each bit costs time
MAX_EXAMPLES = 2000
MAX_DIRECTIONS = 32
MAX_SCORE = 1e100


def search_with_hypothesis(pairs: WorstPairs, directions: Directions, seed: int, allowance: int) -> None:
    """Search pairs with Hypothesis and ``target()``, beginning at the rows of the worst pairs.

    Only bits are drawn. If it drew numbers, Hypothesis would use constants of loaded modules, so hunts would not be
    repeatable.
    """
    from hypothesis import HealthCheck, Phase, Verbosity, given, settings, target
    from hypothesis import seed as seeded
    from hypothesis import strategies as st

    encoder = pairs.encoder
    examples = min(MAX_EXAMPLES, allowance // len(STEP_SHARES))
    if examples < 1:
        return
    end, errors = encoder.spent + allowance, list[Exception]()
    order = pairs.rows_worst_first(np.random.default_rng(seed))
    quiet = settings(verbosity=Verbosity.quiet, deadline=None, database=None, suppress_health_check=list(HealthCheck))

    @seeded(seed)
    @settings(quiet, max_examples=examples, phases=(Phase.generate, Phase.target), derandomize=False)
    @given(st.tuples(*(st.tuples(*[st.booleans()] * bits) for bits in BITS)))
    def try_move(bits: tuple[tuple[bool, ...], ...]) -> None:
        row, direction, kind, sign = (sum(1 << place for place, bit in enumerate(part) if bit) for part in bits)
        if errors or encoder.spent + len(STEP_SHARES) > end or encoder.left < len(STEP_SHARES):
            return
        origin = order[row % len(order)]
        try:
            targets = _targets(directions, origin, direction, kind, sign, seed)
            scores = _log_scores(pairs, origin, targets)
        except Exception as error:  # Hypothesis would run the encoder again and add text to the error
            errors.append(error)
            return
        for label, score in zip(KINDS, scores, strict=True):
            target(score, label=label)

    try_move()
    if errors:
        raise errors[0]


def in_hypothesis_test() -> bool:
    """Return whether a Hypothesis test is running; inside it Hypothesis refuses to run another."""
    hypothesis = sys.modules.get("hypothesis")
    return hypothesis is not None and bool(hypothesis.currently_in_test_context())


def _targets(directions: Directions, origin: int, number: int, kind: int, sign: int, seed: int) -> Array:
    """Return moves of a row: along a column (kind 1), towards another row (2, 3), or in any allowed direction (0).

    `number` selects the column, row or random direction.
    """
    region, rng = directions.region, np.random.default_rng((number, kind, seed))
    point = region.rows[origin]
    if directions.kind == "data" or kind == 0:
        basis = directions.bases(point[None], MAX_DIRECTIONS, rng)[0]
        direction = rng.normal(size=len(basis)) @ basis
    elif kind == 1:
        direction = np.zeros(len(point))
        direction[region.varying[number % len(region.varying)]] = 1.0
    else:
        direction = region.rows[number % len(region.rows)] - point
        if kind == 2:
            return region.clip(point + direction * ROW_SHARES[:, None])
    length = np.linalg.norm(direction)
    if length == 0:
        return np.empty((0, len(point)))
    signed = direction / length * (1 if sign else -1)
    return directions.landing(point + region.radii[origin] * STEP_SHARES[:, None] * signed)


def _log_scores(pairs: WorstPairs, origin: int, targets: Array) -> list[float]:
    """Offer the plausible pairs of a row and targets; return the logarithm of the worst score of each kind."""
    count = len(targets)
    points, codes = np.tile(pairs.region.rows[origin], (count, 1)), np.tile(pairs.codes[origin], (count, 1))
    chosen, new_codes = pairs.encode_and_offer(np.full(count, origin), points, codes, targets, "Hypothesis")
    if not len(chosen):
        return [0.0] * len(KINDS)
    d_x, d_z = distances(targets[chosen], points[chosen]), distances(new_codes, codes[chosen])
    worst = [float(pairs.score(kind, d_x, d_z).max()) for kind in KINDS]
    return [float(np.log(min(max(score, 1 / MAX_SCORE), MAX_SCORE))) for score in worst]
