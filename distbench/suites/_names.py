"""Looks up names in the registries, before anything is fitted or encoded."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from distbench._util.text import did_you_mean
from distbench.errors import InputError
from distbench.inference.limits import check_bounds
from distbench.suites._fields import TomlLocation
from distbench.suites._model import AngleClaim, BetterClaim, Claim, CollapseClaim, FloorClaim, Suite, SuiteEncoder
from distbench.suites._spelling import misspelt

__all__ = ["check_dataset", "check_recipe", "check_suite", "default_metrics"]


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
        raise InputError("dataset", f"no data set is called {name!r}", did_you_mean(name, list(DATASETS)))


def check_suite(suite: Suite) -> None:
    """Check every name a suite uses: its data sets, its metrics, its encoders and their options.

    Raises
    ------
    SuiteError
        One line: the file, the line, the key, and the name that was probably meant.
    """
    top = suite.where
    _check_source(suite, top.at("dataset"))
    for number, encoder in enumerate(suite.encoders, 1):
        _check_encoder(encoder, suite, top.at("encoder", number))
    for number, claim in enumerate(suite.claims, 1):
        _check_claim(claim, suite, top.at("claim", number))


def _check_source(suite: Suite, where: TomlLocation) -> None:
    from distbench.datasets import DATASETS

    if suite.source is None:
        _check_dataset(suite.dataset, suite, where)
        return
    if suite.dataset in DATASETS:
        raise where.at("name").error(f"{suite.dataset!r} is a data set that ships with distbench; take another name")
    _check_spelling(suite.source.function, where.at("load"))
    for key, path in suite.source.missing().items():
        raise where.at(key).error(f"no such file: {path}")


def _check_dataset(name: str, suite: Suite, where: TomlLocation) -> None:
    from distbench.datasets import DATASETS

    known = [*([suite.source.name] if suite.source else []), *DATASETS]
    if name not in known and not _is_in(DATASETS, name, where):
        raise where.error(f"no data set is called {name!r}; {did_you_mean(name, known)}")


def _check_encoder(encoder: SuiteEncoder, suite: Suite, where: TomlLocation) -> None:
    _check_recipe(encoder.recipe, (), where.at("name" if encoder.recipe == encoder.name else "recipe"))
    _check_options(encoder, where.at("options"))
    limits = where.at("limits")
    _check_metrics(encoder.limits, limits)
    for metric, limit in encoder.limits.items():
        if isinstance(limit, Mapping):
            for code_size, one in limit.items():
                _check_bounds(metric, one, limits.at(metric).at(str(code_size)))
        else:
            _check_bounds(metric, limit, limits.at(metric))


def _check_options(encoder: SuiteEncoder, where: TomlLocation) -> None:
    from distbench.baselines import BASELINES

    if ":" in encoder.recipe:
        return  # a user's own: known once it has been imported
    known = BASELINES[encoder.recipe].options
    for name in encoder.options:
        if name not in known:
            hint = did_you_mean(name, known) if known else "it takes none"
            raise where.error(f"{encoder.recipe} has no option {name!r}; {hint}", name)


def _check_claim(claim: Claim, suite: Suite, where: TomlLocation) -> None:
    _check_dataset(claim.dataset, suite, where.at("dataset"))
    declared = [encoder.name for encoder in suite.encoders]
    keys = ("better", "than") if isinstance(claim, BetterClaim) else ("encoder",)
    for key, encoder in zip(keys, suite.encoders_of(claim), strict=False):  # a claim about all of them names none
        if encoder.name not in declared:
            _check_recipe(encoder.name, declared, where.at(key))
        if isinstance(claim, CollapseClaim) and encoder.in_sample:
            raise where.at("encoder").error(
                f"{encoder.name} is in sample: no map, so no pair can be looked for; name one that encodes new points"
            )
    if isinstance(claim, FloorClaim):
        _check_floored(claim, where.at("metric"))
    elif not isinstance(claim, AngleClaim | CollapseClaim):
        _check_metrics([claim.metric], where.at("metric"))


def _check_floored(claim: FloorClaim, where: TomlLocation) -> None:
    from distbench.inference.floors import FLOORED
    from distbench.metrics import METRICS

    # Of metrics where larger is better, the bound is one from above, and not what at_least asks for.
    known = [name for name in FLOORED if METRICS[name].direction == "down"]
    if claim.metric not in known:
        raise where.error(f"found {claim.metric!r}, which has no floor; give one of {', '.join(known)}")


def check_recipe(name: str, declared: Collection[str] = ()) -> None:
    """Check that a recipe is a shipped one, one of those declared, or looks like a user's own.

    Raises
    ------
    InputError
        Naming the one that was probably meant.
    """
    from distbench.baselines import BASELINES

    if ":" not in name and name not in declared and name not in BASELINES:
        known = [*declared, *BASELINES]
        raise InputError(
            f"no encoder is called {name!r}; {did_you_mean(name, known)} (a recipe of your own: module:object)"
        )


def _check_recipe(name: str, declared: Collection[str], where: TomlLocation) -> None:
    try:
        check_recipe(name, declared)
    except InputError as error:
        raise where.error(str(error)) from None
    if name not in declared:
        _check_spelling(name, where)


def _check_spelling(name: str, where: TomlLocation) -> None:
    wrong = misspelt(name) if ":" in name else ""
    if wrong:
        raise where.error(wrong)


def _check_bounds(metric: str, limit: float, where: TomlLocation) -> None:
    try:
        check_bounds({metric: limit})
    except InputError as error:
        raise where.error(str(error).removeprefix(f"{metric}: ")) from None


def _check_metrics(names: Iterable[str], where: TomlLocation) -> None:
    from distbench.metrics import METRICS

    for name in names:
        if not _is_in(METRICS, name, where):
            raise where.error(f"no metric is called {name!r}; {did_you_mean(name, METRICS)}", name)


def _is_in(table: Collection[str], name: str, where: TomlLocation) -> bool:
    """Say whether a table has a name; one of a package that cannot be used is told as what it is."""
    try:
        return name in table
    except InputError as error:
        raise where.error(str(error)) from None
