"""The public function of each metric: from two arrays to one number, with a docstring made from the metric's row."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from distbench._util.checks import check_reference_pair
from distbench._util.float_errors import with_default_float_errors
from distbench.engine import Statistics
from distbench.inputs.arrays import as_points, check_row_shapes, check_same_columns, check_same_rows, check_space
from distbench.inputs.sparse import without_empty_columns
from distbench.inputs.table_names import check_pair_names
from distbench.metrics._metric import Metric
from distbench.metrics.each_k import gather_each_k
from distbench.metrics.neighbor_counts import all_but_one, checked_k
from distbench.metrics.user_metrics import with_metric_inputs

__all__ = ["MetricDoc", "documented", "gather_checked", "measure_one", "neighbor_metric", "pair_metric"]

Array = NDArray[np.float64]
Reference = tuple[Any, Any] | None
Function = TypeVar("Function", bound=Callable[..., float])

WIDTH = 112  # characters of a line
DISTANCES, NEIGHBORS = "pairs are formed with", "neighbors are looked up in"  # complete the text on `reference`
PARAMETERS = {
    "X": "array-like of shape (m, d)\n    Input points.",
    "Z": "array-like of shape (m, dim)\n    Their codes.",
    "k": "int\n    Number of neighbors, {range}.",
    "reference": "tuple of array-likes (X_ref, Z_ref) of shapes (n, d) and (n, dim), optional\n"
    "    Points that {use}, and their codes. Default: the other points themselves.",
}
EXAMPLES = {
    DISTANCES: (
        "[[0.0, 0.0], [3.0, 0.0], [0.0, 4.0], [3.0, 4.0]]  # corners of a rectangle",
        "[[0.0], [3.0], [0.0], [3.0]]",
    ),
    NEIGHBORS: (
        "[[1.0], [2.0], [4.0], [8.0], [16.0], [32.0], [64.0]]  # each is twice the one before",
        "[[0.0], [1.0], [2.0], [3.0], [4.0], [5.0], [6.0]]",
    ),
}


@dataclass(frozen=True)
class MetricDoc:
    """The parts of the docstring of a metric's function that do not follow from its row in the table.

    Parameters
    ----------
    summary : str
        First sentence of the docstring, without "Return" and full stop.
    formula : str
        The metric in LaTeX.
    source : str
        Authors, year and title of the publication.
    text : str
        Explanation of symbols, ties and samples.
    brackets : str
        Brackets of the range, square at an end that values can reach: "[]", "[)", "(]" or "()".
    returns : str
        A sentence added to the description of the value.
    example : float, optional
        Value for the codes of the example; without it there is no example.
    """

    summary: str
    formula: str
    source: str
    text: str = ""
    brackets: str = "[]"
    returns: str = ""
    example: float | None = None


class PairMetric(Protocol):
    """The function of a metric of pairs."""

    def __call__(self, X: Any, Z: Any, *, reference: Reference = None) -> float: ...


class NeighborMetric(Protocol):
    """The function of a metric of k neighbors."""

    def __call__(self, X: Any, Z: Any, *, k: int = 10, reference: Reference = None) -> float: ...


def pair_metric(metric: Metric, doc: MetricDoc, use: str = DISTANCES, example: str = DISTANCES) -> PairMetric:
    """Return the function of a metric of pairs; `use` completes the text on `reference`, `example` is in `EXAMPLES`."""

    @documented(metric, doc, use=use, example=example)
    def function(X: Any, Z: Any, *, reference: Reference = None) -> float:
        return measure_one(metric, X, Z, reference)

    return function


def neighbor_metric(metric: Metric, doc: MetricDoc) -> NeighborMetric:
    """Return the function of a metric of k neighbors."""

    @documented(metric, doc, use=NEIGHBORS, example=NEIGHBORS)
    def function(X: Any, Z: Any, *, k: int = 10, reference: Reference = None) -> float:
        return measure_one(metric, X, Z, reference, k)

    return function


def documented(
    metric: Metric, doc: MetricDoc, use: str = DISTANCES, example: str = DISTANCES, **parameters: str
) -> Callable[[Function], Function]:
    """Return a decorator that gives a metric's function its name and its docstring.

    `parameters` are types and descriptions of parameters that other metrics do not have.
    """

    def decorate(function: Function) -> Function:
        names = list(inspect.signature(function).parameters)
        texts = {**PARAMETERS, **parameters}
        of_k = "1 <= k < M" if metric.largest_k is all_but_one else "1 <= k <= M / 2"
        described = [f"{name} : {texts[name].format(use=use, range=of_k)}" for name in names]
        blocks = [
            f"Return {doc.summary}.",
            f".. math:: {doc.formula}",
            textwrap.fill(doc.text, WIDTH),
            _section("Parameters", *described),
            _section("Returns", "float", textwrap.indent(textwrap.fill(_range(metric, doc), WIDTH - 4), "    ")),
            _section("Raises", "InputError\n    If an argument cannot be used."),
            _section("References", textwrap.fill(f".. [1] {doc.source}", WIDTH, subsequent_indent="   ")),
            _section("Examples", *_example(metric.name, doc.example, EXAMPLES[example], "k" in names)),
        ]
        function.__doc__ = "\n\n".join(block for block in blocks if block)
        function.__name__ = function.__qualname__ = metric.name
        function.__module__ = "distbench.metrics"
        return function

    return decorate


def _section(title: str, *lines: str) -> str:
    return "\n".join([title, "-" * len(title), *lines]) if lines else ""


def _range(metric: Metric, doc: MetricDoc) -> str:
    low, high = metric.bounds
    better = "larger" if metric.direction == "up" else "smaller"
    unchanged = "Unchanged when all codes are multiplied by c > 0." if metric.scale_free else ""
    sentences = (f"In {doc.brackets[0]}{low:g}, {high:g}{doc.brackets[1]}; {better} is better.", doc.returns, unchanged)
    return " ".join(sentence for sentence in sentences if sentence)


def _example(name: str, value: float | None, arrays: tuple[str, str], with_k: bool) -> list[str]:
    if value is None:
        return []
    points, codes = arrays
    call = f"{name}(X, {codes}{', k=2' if with_k else ''})"
    shown = f"round({call}, 4)" if np.isfinite(value) else call
    return [f">>> from distbench.metrics import {name}", f">>> X = {points}", f">>> {shown}", f"{value}"]


@with_default_float_errors
def measure_one(metric: Metric, X: Any, Z: Any, reference: Reference, k: int = 1, **options: Any) -> float:
    """Return one metric of codes Z of points X, in sample or with the references alone as candidates."""
    return metric.measure(gather_checked(X, Z, reference, [metric], k=k, include_queries=False, **options)).value


def gather_checked(
    X: Any,
    Z: Any,
    reference: Reference,
    metrics: Sequence[Metric],
    *,
    k: int,
    include_queries: bool,
    **options: Any,
) -> Statistics:
    """Return the statistics of points and codes for some metrics. Raises InputError if they cannot be used."""
    check_reference_pair(reference)
    pair, names = None, ("reference[0]", "reference[1]")
    check_pair_names([(X, "X"), (Z, "Z")], [] if reference is None else list(zip(reference, names, strict=True)))
    if reference is None:
        (X,), (Z,) = without_empty_columns([X], ["X"]), without_empty_columns([Z], ["Z"])
    else:
        X, X_ref = without_empty_columns([X, reference[0]], ("X", names[0]))
        Z, Z_ref = without_empty_columns([Z, reference[1]], ("Z", names[1]))
        check_row_shapes([X, X_ref], ("X", names[0]))
        check_row_shapes([Z, Z_ref], ("Z", names[1]))
        reference = X_ref, Z_ref
    points, codes = _checked_pair((X, Z), ("X", "Z"))
    if reference is not None:
        pair = _checked_pair(reference, names)
        check_same_columns(codes, pair[1], ("Z", names[1]))
    M = check_space(points, pair and pair[0], ("X", names[0]), include_queries)
    arrays = points, codes, *(pair or (None, None))
    k, include_queries = checked_k(k, M, metrics), include_queries or pair is None
    statistics = gather_each_k(metrics, k, *arrays, include_queries=include_queries, **options)
    return with_metric_inputs(statistics, (points, codes), pair, include_queries)


def _checked_pair(arrays: tuple[Any, Any], names: tuple[str, str]) -> tuple[Array, Array]:
    points, codes = (as_points(array, name) for array, name in zip(arrays, names, strict=True))
    check_same_rows(points, codes, names)
    return points, codes
