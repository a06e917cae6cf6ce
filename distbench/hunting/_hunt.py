"""The function `hunt`: checks its options, searches, and returns the worst pairs."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from distbench._util.checks import whole_number
from distbench._util.float_errors import with_default_float_errors
from distbench._util.text import plain_name, short_repr
from distbench.encoders.encoder import as_encoder
from distbench.encoders.resolve import loaded_file
from distbench.errors import InputError
from distbench.hunting._budget import BudgetedEncoder
from distbench.hunting._directions import DirectionKind, Directions
from distbench.hunting._finding import Finding, Hunt
from distbench.hunting._hypothesis import in_hypothesis_test
from distbench.hunting._jacobians import Jacobians
from distbench.hunting._region import plausible_region
from distbench.hunting._search import search
from distbench.hunting._shrink import home_rows, shrink
from distbench.hunting._snippet import snippet
from distbench.hunting._worst_pairs import MIN_RATIO, Candidate, Kind, WorstPairs, plain_ratio
from distbench.inputs.arrays import as_points

__all__ = ["hunt"]

Array = NDArray[np.float64]

BUDGET = 20_000
MIN_BUDGET = 200
NO_OPTIONS = ("encoder", "X", "seed", "name")  # shown elsewhere in messages, or they do not affect the pairs
FINAL_ROWS = 16  # rows of the budget that are reserved to encode the findings again
TEST_POINT_SHARE = 10  # at most one in ten rows of the budget is a test point
MAX_TEST_POINTS = 2000  # all of their pairs are compared
STEPS = (1e-5, 0.1)  # smallest and largest step of finite differences, in median distances to the nearest point


@with_default_float_errors
def hunt(
    encoder: Any,
    X: Any,
    *,
    budget: int = BUDGET,
    seed: int = 0,
    reach: float = 1.0,
    closest: float = 0.01,
    bounds: Any = None,
    plausible: Callable[[Any], Any] | None = None,
    directions: DirectionKind = "any",
    name: str | None = None,
    batch_size: int = 1024,
) -> Hunt:
    """Search near test points for pairs of inputs that an encoder merges or tears apart more than any test pair.

    The hunt begins with the worst pairs of test points and with mirror images. Around test points it follows the
    directions that the encoder stretches most and least: by gradients for Keras models on TensorFlow and torch modules,
    else by finite differences, and then also with Hypothesis. Then pairs are made worse: distant inputs are moved until
    their codes are equal, torn pairs are halved. All this is repeated from other points while the budget lasts. Finally
    the worst pairs are shrunk.

    Parameters
    ----------
    encoder : encoder
        A function, a Keras model, or an object with ``transform``, ``encode`` or ``predict``. It must be deterministic.
    X : array of shape (n, ...)
        Test points; at least two must differ.
    budget : int, default 20000
        Number of rows that may be encoded, at least 200; a backward pass counts as a row. At most a tenth are test
        points, and at most 2,000 test points are used; if there are more, they are drawn at random.
    seed : int, default 0
        The same seed finds the same pairs.
    reach : float, default 1.0
        Largest distance of a plausible input to a test point, in units of that point's distance to its nearest other
        test point.
    closest : float, default 0.01
        Smallest distance of the two inputs of a pair, in units of the median distance of a test point to its nearest
        other test point.
    bounds : (low, high), optional
        Range of plausible inputs; each is a number, or has one number for each column. Default: the range of
        `X` in each column.
    plausible : callable, optional
        A further condition: a function that takes points in the shape of `X` and returns one bool for each.
    directions : {"any", "data"}, default "any"
        How inputs may be moved. "any": in all directions. "data": along the differences between a point and its nearest
        test points, as many as a code has numbers. Then inputs are mixtures of near test points, codes are large enough
        to keep all directions, and mirror images are left out.
    name : str, optional
        The encoder's name in messages. Default: the name of the encoder.
    batch_size : int, default 1024
        Number of points in each call of the encoder.

    Returns
    -------
    Hunt
        The worst pair of each kind, its distances, a shrunk form, and code that reproduces it.

    Raises
    ------
    InputError
        An argument cannot be used, or the encoder cannot, for instance because it is not deterministic.

    Examples
    --------
    >>> import numpy as np
    >>> import distbench
    >>> X = np.random.default_rng(0).normal(size=(50, 3))
    >>> hunt = distbench.hunt(lambda X: X[:, :2], X, budget=500)  # forgets the last column
    >>> hunt.merged.found, hunt.merged.d_z
    (True, 0.0)
    """
    options = _changed_options(dict(locals()))
    _check_options(budget, seed, closest, reach, directions)
    wrapped, model = as_encoder(encoder, batch_size), loaded_file(encoder)
    total = len(as_points(X, "X"))
    shuffled = np.random.default_rng(seed).permutation(total)
    rows = np.sort(shuffled[: max(2, min(budget // TEST_POINT_SHARE, MAX_TEST_POINTS))])
    region = plausible_region(X, rows=rows, reach=reach, bounds=bounds, plausible=plausible)
    budgeted = BudgetedEncoder(wrapped, region, budget - FINAL_ROWS)
    pairs = WorstPairs(budgeted, budgeted.encode_test_points(), closest)
    code_size = pairs.codes.shape[1]
    worst_tests = pairs.offer_test_pairs()
    jacobians = Jacobians(budgeted, model, Directions(region, directions, code_size), _step(pairs))
    search(pairs, jacobians, worst_tests, seed)
    merged, torn = (_conclude(pairs, kind, worst, rows, directions) for kind, worst in worst_tests.items())
    notes = _notes(total, rows, region.rows.shape[1], code_size, directions)
    if not jacobians.are_exact and in_hypothesis_test():
        notes += ("inside a Hypothesis test the hunt cannot use Hypothesis, so it finds less; call it outside",)
    shown = plain_name(wrapped.name if name is None else name)
    return Hunt(shown, code_size, len(rows), merged, torn, budgeted.spent, seed, jacobians.are_exact, notes, options)


def _changed_options(arguments: Mapping[str, Any]) -> tuple[tuple[str, Any], ...]:
    """Return the options that differ from their defaults; with them and the seed, a hunt finds the same pairs."""
    parameters = inspect.signature(hunt).parameters
    defaults = {name: parameter.default for name, parameter in parameters.items() if name not in NO_OPTIONS}
    return tuple((name, arguments[name]) for name, value in defaults.items() if repr(arguments[name]) != repr(value))


def _check_options(budget: Any, seed: Any, closest: Any, reach: Any, directions: Any) -> None:
    whole_number(budget, "budget", MIN_BUDGET)
    whole_number(seed, "seed", 0)
    if isinstance(closest, bool) or not isinstance(closest, int | float) or not closest > 0:
        raise InputError("closest", f"found {short_repr(closest)}", "pass a number above 0, e.g. 0.01")
    if isinstance(reach, int | float) and 0 < reach <= closest:
        raise InputError("closest", f"found {closest:g}, but reach is {reach:g}", "pass less than reach")
    if directions not in get_args(DirectionKind):
        known = " or ".join(map(repr, get_args(DirectionKind)))
        raise InputError("directions", f"found {short_repr(directions)}", f"pass {known}")


def _step(pairs: WorstPairs) -> float:
    """Return the step of central differences, which is larger if codes are rounded more coarsely."""
    gap = pairs.region.median_gap
    change = pairs.typical_ratio * gap
    share = (pairs.noise / change) ** (1 / 3) if change else STEPS[1]
    return float(gap * np.clip(share, *STEPS))


def _notes(total: int, rows: NDArray[np.int64], d: int, code_size: int, directions: DirectionKind) -> tuple[str, ...]:
    notes = []
    if len(rows) < total:
        advice = "more with a larger budget=" if len(rows) < MAX_TEST_POINTS else "others with another seed="
        notes.append(f"searched around {len(rows)} of {total} test points; {advice}")
    if code_size < d and directions == "any":
        notes.append(
            f"codes of {code_size} for inputs of {d} numbers always lose some direction; directions='data' "
            "moves inputs along the data only"
        )
    return tuple(notes)


def _conclude(
    pairs: WorstPairs, kind: Kind, worst_test: Candidate, rows: NDArray[np.int64], directions: DirectionKind
) -> Finding:
    """Return the worst pair of a kind, encoded again, compared with the worst test pair, and shrunk.

    `rows` are the rows of the region's points in the user's array.
    """
    region = pairs.region
    best = next(iter(pairs.worst(kind)), worst_test)
    if best.score <= worst_test.score or not _is_confirmed(pairs, kind, best):
        best = worst_test
    found = best.score > MIN_RATIO * worst_test.score
    small = shrink(pairs, kind, best, worst_test.score, directions) if found else best
    if not _is_confirmed(pairs, kind, small):
        small = best
    codes, d_z = _encode_alone(pairs, best)
    homes = home_rows(pairs, small)
    small_rows = int(rows[homes[0]]), int(rows[homes[1]])
    value, typical = plain_ratio(kind, best.d_x, d_z), pairs.typical_ratio
    return Finding(
        kind=kind,
        found=found,
        pair=_as_passed(pairs, best),
        codes=(codes[0], codes[1]),
        d_x=best.d_x,
        d_z=d_z,
        shrunk=_as_passed(pairs, small),
        shrunk_d_x=small.d_x,
        shrunk_d_z=_encode_alone(pairs, small)[1],
        rows=small_rows,
        changed=(int((small.x != region.rows[homes[0]]).sum()), int((small.y != region.rows[homes[1]]).sum())),
        ratio=_quotient(value, worst_test.score) if found else 1.0,
        relative=_quotient(value, 1 / typical if kind == "merge" and typical else typical),
        test_rows=(int(rows[worst_test.origin]), int(rows[region.nearest_rows(worst_test.y[None])[0][0]])),
        test_value=worst_test.score,
        how=best.how,
        snippet=snippet(pairs.encoder.encoder.name, region, (small.x, small.y), homes, small_rows),
    )


def _is_confirmed(pairs: WorstPairs, kind: Kind, pair: Candidate) -> bool:
    """Return whether a pair is as bad if it is encoded again."""
    return MIN_RATIO * plain_ratio(kind, pair.d_x, _encode_alone(pairs, pair)[1]) >= pair.score


def _encode_alone(pairs: WorstPairs, pair: Candidate) -> tuple[Array, float]:
    """Encode a pair in a call of two rows, as its snippet does; return the codes and their distance."""
    codes = pairs.encoder.encode(np.stack([pair.x, pair.y]))
    return codes, float(np.linalg.norm(codes[0] - codes[1]))


def _as_passed(pairs: WorstPairs, pair: Candidate) -> tuple[Any, Any]:
    """Return the two inputs in the shape and type of the user's points."""
    x, y = np.asarray(pairs.region.as_passed(np.stack([pair.x, pair.y])))
    return x, y


def _quotient(value: float, other: float) -> float:
    if value == other:
        return 1.0
    return value / other if other else math.inf
