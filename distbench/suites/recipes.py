"""Recipes: what can be fitted on train points to give an encoder."""

from __future__ import annotations

import importlib.util
import inspect
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from distbench._util.imports import imported
from distbench._util.text import did_you_mean
from distbench.errors import InputError, MissingDependencyError

__all__ = ["NotInstalledError", "Progress", "Recipe", "as_recipe"]

Progress = Callable[[int, int], None]


class NotInstalledError(MissingDependencyError):
    """An optional recipe needs a package that is not installed: a reason to skip it, not to fail."""


@dataclass(frozen=True)
class Recipe:
    """Something with ``fit(X, code_size, seed)``, under a name.

    Attributes
    ----------
    name : str
        As in reports.
    deterministic : bool
        Whether every seed gives the same encoder; one is then enough.
    fitter : object
        What ``fit`` is called on.
    key : object
        Equal for the same recipe with the same options: what its fits are shared under.
    options : mapping of str to any
        Settings handed to ``fit`` by name.
    """

    name: str
    deterministic: bool
    fitter: Any
    key: object
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def in_sample_only(self) -> bool:
        """Whether it gives codes of the fitted points alone."""
        return getattr(self.fitter, "in_sample_only", False) is True

    @property
    def requires(self) -> str:
        """The importable package that it needs beside those of every recipe; empty for none."""
        return str(getattr(self.fitter, "requires", "") or "")

    def missing(self) -> str:
        """Return why it cannot be fitted here, or nothing where the package it needs is installed."""
        if not self.requires or importlib.util.find_spec(self.requires.partition(".")[0]) is not None:
            return ""
        return (
            f"recipe {self.name} needs the package {self.requires}, which is not installed"
            f"{_extra(self.fitter, self.requires)}"
        )

    def fit(self, X: Any, code_size: int, seed: int, progress: Progress | None = None) -> Any:
        """Fit on train points and return the encoder.

        Raises
        ------
        InputError
            The recipe's ``fit`` returned nothing.
        NotInstalledError
            The package that the recipe ``requires`` is not installed.
        """
        if reason := self.missing():
            raise NotInstalledError(reason)
        extra = {"progress": progress} if _takes_progress(self.fitter.fit) else {}
        encoder = self.fitter.fit(X, code_size=code_size, seed=seed, **extra, **self.options)
        if encoder is None:
            raise InputError(f"recipe {self.name}", "fit() returned None", "return the fitted encoder")
        return encoder


def _extra(fitter: object, package: str) -> str:
    """Return how to install what one of our own recipes needs: its package is that of an extra of the same name."""
    made_by = getattr(fitter, "run", None) if type(fitter).__module__.startswith("distbench.") else None
    ours = str(getattr(made_by, "__module__", "")).startswith("distbench.")
    return f'; run pip install "distbench[{package}]"' if ours else ""


def as_recipe(recipe: object, options: Mapping[str, Any] | None = None) -> Recipe:
    """Return what a user calls a recipe as one.

    Parameters
    ----------
    recipe : str, class or object
        Name of a baseline; ``module:object``; a class that needs no arguments; or an object. The last
        three have ``fit(X, code_size, seed)``, which returns the encoder. ``fit`` may also take
        ``progress``, called with how much is done of how much; and an attribute ``deterministic`` says
        that seeds change nothing, ``in_sample_only`` that it has codes of the fitted points alone, and
        ``requires`` which package it needs.
    options : mapping of str to any, optional
        Settings handed to ``fit`` by name, of what TOML can hold.

    Returns
    -------
    Recipe

    Raises
    ------
    InputError
        It is none of these, cannot be imported, or takes no such option: what was found and what to do.
    """
    options = dict(options or {})
    found: object
    key: object
    if isinstance(recipe, str):
        found = _imported(recipe) if ":" in recipe else _baseline(recipe)
        name, key = recipe.rpartition(":")[2], recipe
    else:
        found, key = recipe, recipe  # an object is the same recipe only as itself
        name = str(getattr(recipe, "name", None) or getattr(recipe, "__name__", type(recipe).__name__))
    fitter = _instance(found) if isinstance(found, type) else found
    _check_fit(fitter, name)
    _check_options(fitter, name, options)
    deterministic = getattr(fitter, "deterministic", False) is True
    return Recipe(name, deterministic, fitter, (_Key(key), _written(name, options)), options)


def _written(name: str, options: Mapping[str, Any]) -> str:
    try:
        return json.dumps(options, sort_keys=True)
    except TypeError as error:
        raise InputError(f"recipe {name}", f"options: {error}", "give text, numbers, lists and tables") from None


class _Key:
    """Compares strings by value and objects by identity, and keeps the object alive while it is a key."""

    def __init__(self, of: object) -> None:
        self.of = of

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _Key):
            return NotImplemented
        both_text = isinstance(self.of, str) and isinstance(other.of, str)
        return self.of == other.of if both_text else self.of is other.of

    def __hash__(self) -> int:
        return hash(self.of) if isinstance(self.of, str) else id(self.of)


def _baseline(name: str) -> object:
    from distbench.baselines import BASELINES

    if name not in BASELINES:
        raise InputError("recipe", f"no baseline is called {name!r}", did_you_mean(name, list(BASELINES)))
    return BASELINES[name]


def _imported(spec: str) -> object:
    try:
        found: object = imported(spec)
    except InputError as error:
        raise InputError(f"recipe {spec!r}", str(error)) from error.__cause__
    return found


def _instance(recipe: type) -> object:
    try:
        inspect.signature(recipe).bind()
    except TypeError as error:
        raise InputError(
            f"recipe {recipe.__name__}", f"its class needs arguments ({error})", "pass an instance instead"
        ) from None
    except ValueError:  # no signature to read, as for some classes written in C
        pass
    return recipe()


def _check_fit(fitter: object, name: str) -> None:
    fit = getattr(fitter, "fit", None)
    if not callable(fit):
        raise InputError(
            f"recipe {name}",
            f"{type(fitter).__name__} has no fit(X, code_size, seed)",
            "to judge an encoder that is fitted already, pass the test points too",
        )
    try:
        inspect.signature(fit).bind(None, code_size=1, seed=0)
    except TypeError as error:
        raise InputError(f"recipe {name}", f"fit must take X, code_size and seed ({error})") from None
    except ValueError:
        pass


def _check_options(fitter: Any, name: str, options: Mapping[str, Any]) -> None:
    known, open_ended = _options_of(fitter)
    for option in options:
        if not open_ended and option not in known:
            hint = did_you_mean(option, known) if known else "it takes none"
            raise InputError(f"recipe {name}", f"options: there is no {option!r}", hint)


def _options_of(fitter: Any) -> tuple[list[str], bool]:
    """Return the names of the settings that ``fit`` takes, and whether it takes any other."""
    declared = getattr(fitter, "options", None)
    if isinstance(declared, tuple):  # a baseline checks its own
        return [str(one) for one in declared], False
    try:
        parameters = list(inspect.signature(fitter.fit).parameters.values())
    except ValueError:
        return [], True
    given = ("code_size", "seed", "progress")
    named = [one.name for one in parameters[1:] if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)]
    return [one for one in named if one not in given], any(one.kind is one.VAR_KEYWORD for one in parameters)


def _takes_progress(fit: Callable[..., Any]) -> bool:
    try:
        return "progress" in inspect.signature(fit).parameters
    except ValueError:
        return False
