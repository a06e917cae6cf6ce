"""Separates the limits and the options that a call passes together."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Collection, Iterable, Mapping
from types import MappingProxyType
from typing import Any, TypeVar, cast

from distbench._util.text import did_you_mean
from distbench.errors import InputError
from distbench.inference.limits import check_limits, joined_limits
from distbench.metrics import METRICS

__all__ = ["limits_and_options", "limits_and_others", "merged_limits", "refuse_unknown", "with_known_options"]

F = TypeVar("F", bound=Callable[..., Any])

LIMITS = "limits"
NO_LIMITS: Mapping[str, float] = MappingProxyType({})


def limits_and_options(
    arguments: Mapping[str, Any],
    before: Mapping[str, float] = NO_LIMITS,
    after: Mapping[str, float] = NO_LIMITS,
    *,
    k: int = 10,
    required: bool = True,
    measured: bool = False,
) -> tuple[dict[str, float], dict[str, Any]]:
    """Split a call's arguments into limits by metric, and options of `distbench.evaluate`.

    Limits of the call are arguments by name, and those in its mapping ``limits``. The options also make `evaluate`
    measure every metric that has a limit. Limits of the call replace those in `before`, and those in `after` replace
    both; `k` tells which names are the same metric. Raises InputError if a limit is for an unknown metric or lies
    outside its metric's range, if a metric has two in one call, or if there is no limit though one is `required`. If
    the metrics are `measured` already, no option is added.
    """
    known = _options()
    options = {name: value for name, value in arguments.items() if name in known}
    by_name = {name: value for name, value in arguments.items() if name not in known and name != LIMITS}
    call = joined_limits(arguments.get(LIMITS), by_name)
    limits = merged_limits([before, call, after], k)
    for name in limits:
        if name not in METRICS:  # perhaps a misspelt option
            raise InputError(name, "found no metric and no option of that name", _hint(name, known, METRICS))
    if limits or required:
        limits = check_limits(limits)
    return limits, options if measured else {**options, **_metrics(options.get("metrics", "default"), limits)}


def limits_and_others(arguments: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the limits among arguments, by name and of the mapping ``limits``, and all other arguments."""
    by_name = {name: value for name, value in arguments.items() if name in METRICS}
    others = {name: value for name, value in arguments.items() if name not in {LIMITS, *by_name}}
    return joined_limits(arguments.get(LIMITS), by_name), others


def merged_limits(sources: Iterable[Mapping[str, Any]], k: int) -> dict[str, Any]:
    """Return limits by the name of the last source that has one on this metric, in the order of the first."""
    merged: dict[str, tuple[str, Any]] = {}
    for source in sources:
        own: dict[str, tuple[str, Any]] = {}
        for name, limit in source.items():
            full = METRICS.full_name(name, k)
            if full in own:
                raise InputError(name, f"found a limit beside that on {own[full][0]}, the same metric", "give one")
            own[full] = name, limit
        merged |= own
    return dict(merged.values())


def refuse_unknown(options: Collection[str], known: Collection[str] | None = None) -> None:
    """Raise InputError if a name is none of the `known` ones, for instance because it is a limit.

    Default: the options of :func:`distbench.evaluate`.
    """
    known = _options() if known is None else known
    for name in options:
        if name == LIMITS or name in METRICS:
            advice = f"call check, or report.check({name}=...)"
            raise InputError(name, "found a limit, which evaluate does not take", advice)
        if name not in known:
            raise InputError(name, "found no option of that name", _hint(name, known, known))


def with_known_options(function: F) -> F:
    """Return the function with an InputError, which names the option that was meant, for one that it does not have."""
    known = inspect.signature(function).parameters

    @functools.wraps(function)
    def call(*args: Any, **options: Any) -> Any:
        refuse_unknown(options.keys() - known, known)
        return function(*args, **options)

    return cast(F, call)


def _options() -> Collection[str]:
    import distbench

    return inspect.signature(distbench.evaluate).parameters


def _hint(name: str, options: Collection[str], listed: Collection[str]) -> str:
    if "@" in name:
        return METRICS.advice(name)
    if name == "distance":
        return "write distance_x= for the points and distance_z= for the codes"
    return did_you_mean(name, [*METRICS, *options], otherwise=f"known are {', '.join(listed)}")


def _metrics(chosen: Any, limits: Mapping[str, float]) -> dict[str, Any]:
    """Return the option `metrics` that names the metrics with limits beside the chosen ones; empty if it does."""
    if isinstance(chosen, str):
        chosen = [chosen]
    if not isinstance(chosen, Iterable) or isinstance(chosen, Mapping):
        return {}  # evaluate raises the error
    names = list(chosen)
    missing = [name for name in limits if name not in names]
    return {"metrics": (*names, *missing)} if missing or not isinstance(chosen, Collection) else {}
