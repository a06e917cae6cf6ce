"""Looks up names in the registries, before anything is fitted or encoded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from distbench.errors import InputError
from distbench.limits import check_bounds, near_miss
from distbench.suites._fields import Where
from distbench.suites._model import AngleClaim, BetterClaim, Claim, Suite

__all__ = ["check_dataset", "check_suite", "default_metrics"]


def default_metrics() -> list[str]:
    """Return the names of the metrics that every evaluation measures: what a suite can set limits on."""
    from distbench.metrics import METRICS

    return [name for name, metric in METRICS.items() if metric.default]


def check_dataset(name: str) -> None:
    """Check that a data set of that name is registered.

    Raises
    ------
    InputError
        Naming the data set that was probably meant.
    """
    from distbench.datasets import DATASETS

    if name not in DATASETS:
        raise InputError(f"dataset: no data set is called {name!r}; {near_miss(name, list(DATASETS))}")


def check_suite(suite: Suite) -> None:
    """Check every name a suite uses: its data set, its metrics and its encoders.

    Raises
    ------
    SuiteError
        One line: the file, the key, and the name that was probably meant.
    """
    top = Where(suite.path.name)
    try:
        check_dataset(suite.dataset)
    except InputError as error:
        raise top.error(str(error)) from None
    for number, encoder in enumerate(suite.encoders, 1):
        where = top.at("encoder", number)
        _check_encoder(encoder.recipe, (), where.at("recipe"))
        _check_metrics(encoder.limits, where.at("limits"))
        for code_size in suite.code_sizes:
            _check_bounds(encoder.limits_at(code_size), where.at("limits"))
    declared = [encoder.name for encoder in suite.encoders]
    for number, claim in enumerate(suite.claims, 1):
        where = top.at("claim", number)
        for name in _encoders_of(claim):
            _check_encoder(name, declared, where)
        if not isinstance(claim, AngleClaim):
            _check_metrics([claim.metric], where.at("metric"))


def _encoders_of(claim: Claim) -> tuple[str, ...]:
    return (claim.better, claim.than) if isinstance(claim, BetterClaim) else (claim.encoder,)


def _check_encoder(name: str, declared: Iterable[str], where: Where) -> None:
    from distbench.baselines import BASELINES

    known = [*declared, *BASELINES]
    if ":" not in name and name not in known:
        raise where.error(
            f"no encoder is called {name!r}; {near_miss(name, known)} (a recipe of your own: module:object)"
        )


def _check_bounds(limits: Mapping[str, float], where: Where) -> None:
    try:
        check_bounds(limits)
    except InputError as error:
        raise where.error(str(error)) from None


def _check_metrics(names: Iterable[str], where: Where) -> None:
    known = default_metrics()
    for name in names:
        if name not in known:
            raise where.error(f"no metric is called {name!r}; {near_miss(name, known)}")
