"""Checks the names in a suite before anything is fitted or encoded."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from distbench._util.text import did_you_mean
from distbench.errors import InputError
from distbench.inference.limits import check_limits
from distbench.suites._toml import TomlLocation
from distbench.suites.suite import AngleClaim, BetterClaim, Claim, CollapseClaim, FloorClaim, Suite, SuiteEncoder

__all__ = ["check_dataset", "check_recipe", "check_suite"]


def check_dataset(name: str, own: Collection[str] = ()) -> None:
    """Raise InputError unless a data set has this name; `own` are names of data sets that belong to a suite."""
    from distbench.datasets import DATASETS

    if name not in own and name not in DATASETS:
        raise InputError("dataset", f"no data set is called {name!r}", did_you_mean(name, [*own, *DATASETS]))


def check_recipe(name: str, declared: Collection[str] = ()) -> None:
    """Raise InputError unless a baseline or a declared encoder has this name; ``module:object`` is not looked up."""
    from distbench.baselines import BASELINES

    if ":" not in name and name not in declared and name not in BASELINES:
        hint = did_you_mean(name, [*declared, *BASELINES])
        raise InputError(f"no encoder is called {name!r}; {hint} (or give module:object of your recipe)")


def check_suite(suite: Suite) -> None:
    """Raise SuiteError for an unknown name of a data set, metric, encoder or option in a suite."""
    where = suite.where
    if suite.source is None:
        _check_dataset(suite.dataset, suite, where.at("dataset"))
    else:
        _check_source(suite, where.at("dataset"))
    for number, encoder in enumerate(suite.encoders):
        _check_encoder(encoder, where.at("encoder", number))
    for number, claim in enumerate(suite.claims):
        _check_claim(claim, suite, where.at("claim", number))


def _check_source(suite: Suite, where: TomlLocation) -> None:
    from distbench.datasets import DATASETS

    assert suite.source is not None
    if suite.dataset in DATASETS:
        raise where.at("name").error(f"{suite.dataset!r} is a data set that ships with distbench", "take another name")
    for key, path in suite.source.missing().items():
        raise where.at(key).error(f"no such file: {path}")


def _check_dataset(name: str, suite: Suite, where: TomlLocation) -> None:
    with where.raised_here("dataset"):
        check_dataset(name, [suite.source.name] if suite.source else [])


def _check_encoder(encoder: SuiteEncoder, where: TomlLocation) -> None:
    from distbench.baselines import BASELINES

    with where.at("name" if encoder.recipe == encoder.name else "recipe").raised_here():
        check_recipe(encoder.recipe)
    if ":" not in encoder.recipe:  # options of other recipes are unknown until they are imported
        known = BASELINES[encoder.recipe].options
        for name in encoder.options:
            if name not in known:
                hint = did_you_mean(name, known) if known else "it takes none"
                raise where.at("options").error(f"{encoder.recipe} has no option {name!r}", hint, key=name)
    limits = where.at("limits")
    _check_metrics(encoder.limits, limits)
    for metric, limit in encoder.limits.items():
        by_size = limit if isinstance(limit, Mapping) else {None: limit}
        for code_size, bound in by_size.items():
            key = limits.at(metric) if code_size is None else limits.at(metric, str(code_size))
            with key.raised_here(metric):
                check_limits({metric: bound})


def _check_claim(claim: Claim, suite: Suite, where: TomlLocation) -> None:
    _check_dataset(claim.dataset, suite, where.at("dataset"))
    declared = [encoder.name for encoder in suite.encoders]
    keys = ("better", "than") if isinstance(claim, BetterClaim) else ("encoder",)
    for key, encoder in zip(keys, suite.encoders_of(claim), strict=False):  # a claim of a floor has no encoder
        with where.at(key).raised_here():
            check_recipe(encoder.name, declared)
        if isinstance(claim, CollapseClaim) and encoder.in_sample:
            raise where.at("encoder").error(
                f"{encoder.name} is in sample and cannot encode the points of the search",
                "name an encoder that encodes new points",
            )
    if isinstance(claim, FloorClaim):
        from distbench.inference.floors import FLOORED
        from distbench.metrics import METRICS

        # at_least needs a bound from below. For metrics where larger is better, the bound is from above.
        known = [name for name in FLOORED if METRICS[name].direction == "down"]
        if claim.metric not in known:
            raise where.at("metric").error(
                f"found {claim.metric!r}, which has no floor", f"give one of {', '.join(known)}"
            )
    elif not isinstance(claim, AngleClaim | CollapseClaim):
        _check_metrics([claim.metric], where.at("metric"))


def _check_metrics(names: Iterable[str], where: TomlLocation) -> None:
    from distbench.metrics import METRICS

    for name in names:
        with where.raised_here():  # a metric of another package may raise an error when it is looked up
            known = name in METRICS
        if not known:
            raise where.error(f"no metric is called {name!r}", METRICS.advice(name), key=name)
