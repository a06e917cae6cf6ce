"""The hunt itself: its options, what it is asked of, and what it tells."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from distbench._util.text import short_repr
from distbench.encoders.encoder import as_encoder
from distbench.encoders.resolve import loaded_file
from distbench.errors import InputError
from distbench.hunting._asker import BudgetedEncoder
from distbench.hunting._book import WorstPairs
from distbench.hunting._conclusion import concluded
from distbench.hunting._directions import Directions
from distbench.hunting._drawn import in_other_test
from distbench.hunting._finding import Hunt
from distbench.hunting._gradients import exact_slopes
from distbench.hunting._region import region_of
from distbench.hunting._slopes import Jacobians
from distbench.hunting._stages import search
from distbench.hunting._tests import worst_test_pairs
from distbench.inputs.arrays import as_points

__all__ = ["hunt"]

BUDGET = 20_000
LEAST_BUDGET = 200
TOLD = ("encoder", "X", "seed", "name")  # arguments that are told in other ways, or change no pair
LAST = 16  # rows: what is found is asked for again at the end
OF_ROWS = 10  # the share of the budget that test points may take is one in this many
MOST_ROWS = 2000  # all their pairs are looked at
STEPS = (1e-5, 0.1)  # least and largest step of finite differences, in median nearest distances


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
    directions: Directions = "any",
    name: str | None = None,
    batch_size: int = 1024,
) -> Hunt:
    """Look around test points for a pair of inputs that an encoder merges or tears apart more than any test pair.

    First it looks where test pairs are worst, and at mirror images of test points. Then, around test points, along the
    directions that the encoder stretches most and least: by gradient where it is a Keras model on TensorFlow or a torch
    module, else by finite differences. Encoders without gradients are also searched with Hypothesis. What is found is
    made worse: strangers are moved until their codes are equal, torn pairs are halved. All that begins anew, from other
    points, while the budget lasts. Last, what was found is shrunk.

    Parameters
    ----------
    encoder : encoder
        A function, a Keras model, or an object with ``transform``, ``encode`` or ``predict``. It must be deterministic.
    X : array of shape (n, ...)
        Test points, of which two must differ.
    budget : int, default 20000
        Rows that the encoder may be asked for; at least 200. A backward pass counts as a row. At most a tenth goes to
        test points, and to 2,000 of them: if there are more, some are drawn.
    seed : int, default 0
        The same seed finds the same pairs.
    reach : float, default 1.0
        Plausible inputs are at most that far from a test point, in distances of that one to its nearest other.
    closest : float, default 0.01
        The two inputs of a pair are at least that far apart, in median distances of test
        points to their nearest others.
    bounds : (low, high), optional
        Range of plausible inputs, numbers or one number a column; the range of `X` in each column if not given.
    plausible : callable, optional
        Says more: takes points in the shape of `X` and returns one bool a point.
    directions : {"any", "data"}, default "any"
        How inputs may be moved: "any", anywhere; "data", around a point along the differences to its nearest test
        points, as many as a code has numbers: inputs are mixtures of near test points, none is moved in a direction
        that a code of that size has no room for, and mirror images are left out.
    name : str, optional
        The encoder's name in messages; its own by default.
    batch_size : int, default 1024
        Points a call.

    Returns
    -------
    Hunt
        The worst pair of each kind, both distances, a shrunk form and code to see it again.

    Raises
    ------
    InputError
        An argument cannot be used, or the encoder cannot, for instance since it is not deterministic.

    Examples
    --------
    >>> import numpy as np
    >>> import distbench
    >>> X = np.random.default_rng(0).normal(size=(50, 3))
    >>> hunt = distbench.hunt(lambda X: X[:, :2], X, budget=500)  # forgets the last column
    >>> hunt.merged.found, hunt.merged.d_z
    (True, 0.0)
    """
    options = _given(dict(locals()))
    _check(budget, seed, closest, reach, directions)
    wrapped, model = as_encoder(encoder, batch_size), loaded_file(encoder)
    rng = np.random.default_rng(seed)
    total = len(as_points(X, "X"))
    rows = np.sort(rng.permutation(total)[: max(2, min(budget // OF_ROWS, MOST_ROWS))])
    region = region_of(X, rows=rows, reach=reach, bounds=bounds, plausible=plausible)
    asker = BudgetedEncoder(wrapped, region, budget - LAST)
    book = WorstPairs(asker, asker.first_codes(), closest)
    worst_tests = worst_test_pairs(book)
    code_size = book.codes.shape[1]
    exact = exact_slopes(model, region, code_size)
    slopes = Jacobians(asker, code_size, _step(book), exact)
    search(book, slopes, directions, worst_tests, seed)
    merged, torn = (concluded(book, kind, worst, rows, directions) for kind, worst in worst_tests.items())
    notes = _notes(total, rows, region.rows.shape[1], code_size, directions)
    if exact is None and in_other_test():
        notes += ("inside a Hypothesis test nothing is drawn with Hypothesis, so less is found; call it outside",)
    own = wrapped.name if name is None else str(name)
    return Hunt(own, code_size, len(rows), merged, torn, asker.asked, seed, exact is not None, notes, options)


def _given(arguments: Mapping[str, Any]) -> tuple[tuple[str, Any], ...]:
    """Return the options that are not the defaults: with them, and the seed, the same pairs are found."""
    usual = {name: one.default for name, one in inspect.signature(hunt).parameters.items() if name not in TOLD}
    return tuple((name, arguments[name]) for name, value in usual.items() if repr(arguments[name]) != repr(value))


def _step(book: WorstPairs) -> float:
    """Return a step for central differences: large where codes are rounded coarsely."""
    unit = book.region.unit
    change = book.scale.typical * unit
    share = (book.scale.noise / change) ** (1 / 3) if change else STEPS[1]
    return float(unit * np.clip(share, *STEPS))


def _notes(total: int, rows: NDArray[np.int64], d: int, code_size: int, directions: Directions) -> tuple[str, ...]:
    notes = []
    if len(rows) < total:
        how = "more with a larger budget=" if len(rows) < MOST_ROWS else "others with another seed="
        notes.append(f"looked around {len(rows)} of {total} test points; {how}")
    if code_size < d and directions == "any":
        notes.append(
            f"codes of {code_size} for inputs of {d} numbers always lose some direction; directions='data' asks for "
            "those of the data alone"
        )
    return tuple(notes)


def _check(budget: Any, seed: Any, closest: Any, reach: Any, directions: Any) -> None:
    for name, value, least in (("budget", budget, LEAST_BUDGET), ("seed", seed, 0)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
            raise InputError(name, f"found {short_repr(value)}", f"pass a whole number of at least {least}")
    number = isinstance(closest, int | float) and not isinstance(closest, bool)
    if not number or not closest > 0:
        raise InputError("closest", f"found {short_repr(closest)}", "pass a number above 0, e.g. 0.01")
    if isinstance(reach, int | float) and 0 < reach <= closest:
        raise InputError("closest", f"found {closest:g}, but reach is {reach:g}", "pass less than reach")
    if directions not in get_args(Directions):
        raise InputError(
            "directions", f"found {short_repr(directions)}", f"pass {' or '.join(map(repr, get_args(Directions)))}"
        )
