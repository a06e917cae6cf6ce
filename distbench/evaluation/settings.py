"""The options of an evaluation, checked before anything runs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from distbench._util.checks import flag, whole_number
from distbench._util.distances import CODE_DISTANCES, EUCLIDEAN, INNER_PRODUCT, POINT_DISTANCES, distance_advice
from distbench._util.notes import Note
from distbench._util.text import join_names, short_repr
from distbench.errors import InputError
from distbench.evaluation.sampling import check_precision, check_queries
from distbench.inference.jackknife import check_confidence
from distbench.metrics import METRICS, Metric, default_metrics
from distbench.metrics.neighbor_counts import numbers_of
from distbench.metrics.table import base_name

__all__ = ["DECODER", "LABELS", "Settings", "chosen_metrics", "draws_of"]

DRAWS = 5  # how often a stochastic encoder encodes the points
LABELS, DECODER = "label_agreement", "reconstruction_mse"
NEEDS = {LABELS: "pass labels=", DECODER: "the encoder has no inverse_transform, decode or decoder; leave it out"}

GROUPS = "default", "all"
LENGTHS = ("stress", "distortion", "correlation", "density")
"""Families of metrics that compare lengths, which inner products are not."""
NO_LENGTHS = "inner products are no lengths; pass metrics of neighbors and of order, such as {}"


def _distance(known: tuple[str, ...]) -> Callable[[Any, str], str]:
    def check(value: Any, name: str) -> str:
        if not isinstance(value, str) or value not in known:
            raise InputError(name, f"found {short_repr(value)}", distance_advice(value, known))
        return str(value)

    return check


def _checked(check: Callable[[Any, str], Any], default: Any) -> Any:
    return field(default=default, metadata={"check": check})


@dataclass(frozen=True)
class Settings:
    """Options of an evaluation; see :func:`distbench.evaluate`.

    They are checked when the object is made, except labels and groups, which are checked with the points, and whether k
    fits them. Of several k the first is kept, and each metric of neighbors is among the metrics once for each k. Those
    that are not `named` stand for a group, such as "default".
    """

    metrics: tuple[Metric, ...]
    k: Any = 10
    include_queries: bool = _checked(flag, True)
    confidence: float = _checked(lambda value, name: check_confidence(value), 0.95)
    distance_x: str = _checked(_distance(POINT_DISTANCES), EUCLIDEAN)
    distance_z: str = _checked(_distance(CODE_DISTANCES), EUCLIDEAN)
    queries: int | None = _checked(lambda value, name: check_queries(value), None)
    precision: Mapping[str, float] | None = None
    seed: int = _checked(lambda value, name: whole_number(value, name, 0), 0)
    executor: Any = None
    progress: bool | None = _checked(lambda value, name: None if value is None else flag(value, name), None)
    draws: int = 1
    labels: Any = None
    reference_labels: Any = None
    groups: Any = None
    named: Any = None

    def __post_init__(self) -> None:
        for option in fields(self):
            if check := option.metadata.get("check"):
                object.__setattr__(self, option.name, check(getattr(self, option.name), option.name))
        ks = numbers_of(self.k)
        object.__setattr__(self, "metrics", METRICS.at_each_k(self.metrics, ks))
        object.__setattr__(self, "k", ks[0])
        names = [self.named] if isinstance(self.named, str) else list(self.named or ()) or self.names
        object.__setattr__(self, "named", {name for name in names if name not in GROUPS})
        object.__setattr__(self, "precision", check_precision(self.precision, self.names, ks[0]))

    @property
    def names(self) -> list[str]:
        """The names of the metrics."""
        return [metric.name for metric in self.metrics]

    @property
    def distances(self) -> tuple[str, str]:
        """The distances of points and of codes."""
        return self.distance_x, self.distance_z

    def for_candidates(self, M: int, notes: list[str]) -> Settings:
        """Return the settings for M candidates: if a named metric allows k, without others to which it is too large."""
        largest = {metric: metric.largest_k(M) for metric in self.metrics if metric.largest_k}
        too_large = {metric for metric, bound in largest.items() if metric.at(self.k) > bound}
        named = {metric for metric in largest if {metric.name, base_name(metric.name)} & self.named}
        left_out = too_large - named
        if not left_out or not named - too_large:
            return self
        text = f"k is too large for these with M = {M} candidates, so they were not measured: "
        notes.append(Note("info", "k", text + join_names([one.name for one in self.metrics if one in left_out])))
        return replace(self, metrics=tuple(metric for metric in self.metrics if metric not in left_out))

    def engine_options(self) -> dict[str, Any]:
        """Return the arguments for the engine."""
        names = ("include_queries", "distance_x", "distance_z", "executor", "progress")
        return {name: getattr(self, name) for name in names}


def draws_of(stochastic: Any, draws: Any) -> int:
    """Return the number of draws of codes: 1 unless the encoder is stochastic."""
    stochastic = flag(stochastic, "stochastic")
    if draws is None:
        return DRAWS if stochastic else 1
    count = whole_number(draws, "draws", 2, "pass a whole number of draws of codes, 2 or more")
    if not stochastic:
        raise InputError("draws", f"found {count} for an encoder that is not stochastic", "pass stochastic=True too")
    return count


def chosen_metrics(
    metrics: str | Iterable[str],
    *,
    with_labels: bool = False,
    with_decoder: bool = False,
    distances: Collection[str] = (),
) -> tuple[Metric, ...]:
    """Return the metrics that ``metrics=`` names, in the order of the table; "default" and "all" stand for several.

    Raises InputError if a name is unknown, or a metric needs labels or a decoder that are missing, or lengths though
    one of the `distances` is an inner product.
    """
    missing = {name for name, is_known in ((LABELS, with_labels), (DECODER, with_decoder)) if not is_known}
    if any(isinstance(name, str) and name == INNER_PRODUCT for name in distances):
        missing |= {name for name, metric in METRICS.items() if metric.family in LENGTHS}
    is_list = isinstance(metrics, Iterable) and not isinstance(metrics, Mapping)  # a mapping looks like limits
    found = [metrics] if isinstance(metrics, str) else list(metrics) if is_list else []
    groups = {"all": METRICS, "default": default_metrics()}
    names: list[Any] = []
    for name in found:
        group = groups.get(name) if isinstance(name, str) else None
        names += [name] if group is None else [one for one in group if one not in missing]
    if not names:
        raise InputError("metrics", f"found {short_repr(metrics)}", "pass 'default', 'all' or names")
    for name in names:
        if not isinstance(name, str):
            raise InputError("metrics", f"found {short_repr(name)} among the names", "pass 'default', 'all' or names")
        if name not in METRICS:
            raise InputError("metrics", f"found no metric {short_repr(name)}", METRICS.advice(name))
        if (base := base_name(name)) in missing:
            otherwise = NO_LENGTHS.format(join_names([name for name in default_metrics() if name not in missing]))
            raise InputError("metrics", f"found {name!r}, which cannot be measured: {NEEDS.get(base, otherwise)}")
    return tuple(METRICS.in_order(names))
