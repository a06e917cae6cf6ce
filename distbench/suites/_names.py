"""Looks up names in the registries, before anything is fitted or encoded."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from distbench.errors import InputError
from distbench.limits import check_bounds, near_miss
from distbench.suites._fields import Where
from distbench.suites._model import AngleClaim, Claim, CollapseClaim, FloorClaim, Suite, SuiteEncoder

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
    """Check every name a suite uses: its data sets, its metrics, its encoders and their options.

    Raises
    ------
    SuiteError
        One line: the file, the key, and the name that was probably meant.
    """
    top = Where(suite.path.name)
    _check_dataset(suite.dataset, top)
    for number, encoder in enumerate(suite.encoders, 1):
        _check_encoder(encoder, suite, top.at("encoder", number))
    for number, claim in enumerate(suite.claims, 1):
        _check_claim(claim, suite, top.at("claim", number))


def _check_dataset(name: str, where: Where) -> None:
    try:
        check_dataset(name)
    except InputError as error:
        raise where.error(str(error)) from None


def _check_encoder(encoder: SuiteEncoder, suite: Suite, where: Where) -> None:
    _check_recipe(encoder.recipe, (), where.at("recipe"))
    _check_options(encoder, where.at("options"))
    _check_metrics(encoder.limits, default_metrics(), where.at("limits"))
    for code_size in suite.code_sizes_of(encoder):
        _check_bounds(encoder.limits_at(code_size), where.at("limits"))


def _check_options(encoder: SuiteEncoder, where: Where) -> None:
    from distbench.baselines import BASELINES

    if ":" in encoder.recipe:
        return  # a user's own: known once it has been imported
    known = BASELINES[encoder.recipe].options
    for name in encoder.options:
        if name not in known:
            hint = near_miss(name, known) if known else "it takes none"
            raise where.error(f"{encoder.recipe} has no option {name!r}; {hint}")


def _check_claim(claim: Claim, suite: Suite, where: Where) -> None:
    _check_dataset(claim.dataset, where)
    declared = [encoder.name for encoder in suite.encoders]
    for encoder in suite.encoders_of(claim):
        if encoder.name not in declared:
            _check_recipe(encoder.name, declared, where)
        if isinstance(claim, CollapseClaim) and encoder.in_sample:
            raise where.at("encoder").error(
                f"{encoder.name} is in sample: no map, so no pair can be looked for; name one that encodes new points"
            )
    if isinstance(claim, FloorClaim):
        _check_floored(claim, where.at("metric"))
    elif not isinstance(claim, AngleClaim | CollapseClaim):
        from distbench.metrics import METRICS

        _check_metrics([claim.metric], METRICS, where.at("metric"))


def _check_floored(claim: FloorClaim, where: Where) -> None:
    from distbench.inference.floors import FLOORED
    from distbench.metrics import METRICS

    # Of metrics where larger is better, the bound is one from above, and not what at_least asks for.
    known = [name for name in FLOORED if METRICS[name].direction == "down"]
    if claim.metric not in known:
        raise where.error(f"found {claim.metric!r}, which has no floor; give one of {', '.join(known)}")


def _check_recipe(name: str, declared: Iterable[str], where: Where) -> None:
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


def _check_metrics(names: Iterable[str], known: Collection[str], where: Where) -> None:
    for name in names:
        if name not in known:
            raise where.error(f"no metric is called {name!r}; {near_miss(name, known)}")
