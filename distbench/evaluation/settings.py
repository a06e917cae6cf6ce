"""How to measure: every argument beside points and encoder, checked before anything runs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench._util.text import did_you_mean, short_repr
from distbench.errors import InputError
from distbench.evaluation.sampling import check_precision, check_queries
from distbench.inference.intervals import check_confidence
from distbench.metrics import METRICS, Metric

__all__ = ["DECODER", "DISTANCES_X", "DISTANCES_Z", "DRAWS", "Labels", "Settings", "flag", "labels_of", "settings_of"]

Labels = tuple[NDArray[np.int64], NDArray[np.int64] | None]

DISTANCES_X = ("euclidean", "cosine", "cityblock")
DISTANCES_Z = (*DISTANCES_X, "hamming")

DRAWS = 5  # of a stochastic encoder's codes

LABELS, DECODER = "label_agreement", "reconstruction_mse"


@dataclass(frozen=True)
class Settings:
    """Checked arguments of an evaluation; see :func:`distbench.evaluate`."""

    k: int
    chosen: tuple[Metric, ...]
    include_queries: bool
    confidence: float
    distance_x: str
    distance_z: str
    queries: int | None
    precision: dict[str, float] | None
    seed: int
    executor: Any
    progress: bool | None
    draws: int = 1

    @property
    def names(self) -> set[str]:
        """The names of the metrics."""
        return {metric.name for metric in self.chosen}

    def engine_options(self) -> dict[str, Any]:
        """Return the arguments for the engine that are not at their defaults."""
        options: dict[str, Any] = {}
        for name, default in (("distance_x", DISTANCES_X[0]), ("distance_z", DISTANCES_X[0])):
            if getattr(self, name) != default:
                options[name] = getattr(self, name)
        for name in ("executor", "progress"):
            if getattr(self, name) is not None:
                options[name] = getattr(self, name)
        return options


def settings_of(
    *,
    k: Any,
    metrics: Any,
    include_queries: Any,
    confidence: Any,
    distance_x: Any,
    distance_z: Any,
    with_labels: bool,
    with_decoder: bool,
    queries: Any,
    precision: Any,
    seed: Any,
    executor: Any,
    progress: Any,
    stochastic: Any = False,
    draws: Any = None,
) -> Settings:
    """Return the arguments as settings. Raises InputError where one cannot be used."""
    chosen = _chosen(metrics, {LABELS: with_labels, DECODER: with_decoder})
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise InputError("seed", f"found {short_repr(seed)}", "pass a whole number, 0 or more")
    return Settings(
        k=k,
        chosen=tuple(chosen),
        include_queries=flag(include_queries, "include_queries"),
        confidence=_confidence(confidence),
        distance_x=_distance(distance_x, "distance_x", DISTANCES_X),
        distance_z=_distance(distance_z, "distance_z", DISTANCES_Z),
        queries=check_queries(queries),
        precision=check_precision(precision, [metric.name for metric in chosen]),
        seed=int(seed),
        executor=executor,
        progress=None if progress is None else flag(progress, "progress"),
        draws=_draws(flag(stochastic, "stochastic"), draws),
    )


def _draws(stochastic: bool, draws: Any) -> int:
    """Return how often codes are drawn: once from an encoder that is to answer the same each time."""
    if draws is None:
        return DRAWS if stochastic else 1
    if isinstance(draws, bool) or not isinstance(draws, int | np.integer) or draws < 2:
        raise InputError("draws", f"found {short_repr(draws)}", "pass a whole number of draws of codes, 2 or more")
    if not stochastic:
        raise InputError(
            "draws", f"found {draws} for an encoder that is not stochastic", "pass stochastic=True beside it"
        )
    return int(draws)


def _confidence(value: Any) -> float:
    if not isinstance(value, Real):
        raise InputError("confidence", f"found {short_repr(value)}", "pass a number between 0 and 1, e.g. 0.95")
    return check_confidence(value)


def flag(value: Any, name: str) -> bool:
    """Return True or False, or raise InputError for anything else."""
    if not isinstance(value, bool | np.bool_):
        raise InputError(name, f"found {short_repr(value)}", "pass True or False")
    return bool(value)


def _distance(value: Any, name: str, known: tuple[str, ...]) -> str:
    if not isinstance(value, str) or value not in known:
        raise InputError(
            name, f"found {short_repr(value)}", f"pass {', '.join(map(repr, known[:-1]))} or {known[-1]!r}"
        )
    return str(value)


def _chosen(metrics: str | Iterable[str], given: dict[str, bool]) -> list[Metric]:
    """Return the metrics of these names in the order of the table; `given`: whether what some of them need is there."""
    if isinstance(metrics, str):
        if metrics == "default":
            return [metric for metric in METRICS.values() if metric.default]
        if metrics == "all":
            return [metric for metric in METRICS.values() if given.get(metric.name, True)]
        metrics = [metrics]
    if not isinstance(metrics, Iterable):
        raise InputError("metrics", f"found {short_repr(metrics)}", "pass 'default', 'all' or names")
    names = list(metrics)
    if not names:
        raise InputError("metrics", "found none", "pass 'default', 'all' or names")
    for name in names:
        if not isinstance(name, str):
            raise InputError("metrics", f"found {short_repr(name)} among the names", "pass 'default', 'all' or names")
        if name not in METRICS:
            raise InputError("metrics", f"found no metric {short_repr(name)}", did_you_mean(str(name), METRICS))
    needs = {LABELS: "pass labels=", DECODER: "the encoder has no inverse_transform, decode or decoder; leave it out"}
    for name, need in needs.items():
        if name in names and not given[name]:
            raise InputError("metrics", f"found {name!r}, which cannot be measured: {need}")
    return [metric for name, metric in METRICS.items() if name in names]


def labels_of(settings: Settings, labels: Any, reference_labels: Any, m: int, n: int | None) -> Labels | None:
    """Return labels as whole numbers where a metric needs them.

    Parameters
    ----------
    settings : Settings
        Say which metrics are measured.
    labels, reference_labels : array-like or None
        As given.
    m : int
        Test points there are.
    n : int or None
        Reference points there are.
    """
    if reference_labels is not None and n is None:
        raise InputError("reference_labels", "given without reference points", "leave them out, or pass reference=")
    for name, given, points in (("labels", labels, m), ("reference_labels", reference_labels, n)):
        if given is not None and points is not None:
            _check_labels(given, points, name)
    if labels is None or LABELS not in settings.names:
        return None
    from distbench.metrics.semantic import label_codes

    if n is not None and reference_labels is None:
        raise InputError("reference_labels", "found None", "pass one label for each reference point")
    return label_codes(labels, reference_labels if n is not None else None)


def _check_labels(labels: Any, points: int, name: str) -> None:
    try:
        found = np.asarray(labels)
    except ValueError:
        raise InputError(name, "found lists of different lengths", "pass one label a point") from None
    if found.ndim != 1:
        told = f"shape {found.shape}" if found.ndim else short_repr(labels)
        raise InputError(name, f"found {told}", "pass one label a point, shape (n,)")
    if len(found) != points:
        raise InputError(name, f"found {len(found)} labels for {points} points", "pass one label a point")
    if found.dtype == object and (missing := [place for place, one in enumerate(found) if one is None]):
        raise InputError(name, f"found None at place {missing[0]}", "drop these points, or give them a label")
