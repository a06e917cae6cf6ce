"""Recipes: objects with ``fit``, which takes train points and returns an encoder."""

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
EXTRAS = {"faiss": "search"}


class NotInstalledError(MissingDependencyError):
    """A recipe needs a package that is not installed; tests of it are skipped and do not fail."""


@dataclass(frozen=True)
class Recipe:
    """An object with ``fit(X, code_size, seed)`` and a name. Recipes with equal keys are equal.

    Attributes
    ----------
    key : tuple
        Equal for the same recipe with the same options.
    source : object
        The name, class or object that the user passed.
    name : str
        The name in reports.
    deterministic : bool
        Whether every seed gives the same encoder, so that one seed is enough.
    fitter : object
        The object whose ``fit`` is called.
    options : mapping of str to any
        Keyword arguments of ``fit``.
    """

    key: tuple[object, str]
    source: object = field(compare=False)
    name: str = field(compare=False)
    deterministic: bool = field(compare=False)
    fitter: Any = field(compare=False)
    options: Mapping[str, Any] = field(compare=False)

    @property
    def in_sample_only(self) -> bool:
        """Whether it has codes only for the points that it was fitted on."""
        return getattr(self.fitter, "in_sample_only", False) is True

    def missing(self) -> str:
        """Return an error text if a required package is not installed, else an empty text."""
        package = str(getattr(self.fitter, "requires", "") or "")
        if not package or importlib.util.find_spec(package.partition(".")[0]) is not None:
            return ""
        from distbench.baselines import BASELINES

        reason = f"recipe {self.name} needs the package {package}, which is not installed"
        # the extra that installs a package has its name, except where it installs more
        shipped = isinstance(self.source, str) and self.source in BASELINES.builtin()
        return f'{reason}; run pip install "distbench[{EXTRAS.get(package, package)}]"' if shipped else reason

    def fit(self, X: Any, code_size: int, seed: int, progress: Progress | None = None) -> Any:
        """Fit on train points and return the encoder; raise NotInstalledError if a required package is missing."""
        if reason := self.missing():
            raise NotInstalledError(reason)
        takes_progress = "progress" in {parameter.name for parameter in _parameters(self.fitter.fit) or ()}
        extra = {"progress": progress} if takes_progress else {}
        encoder = self.fitter.fit(X, code_size=code_size, seed=seed, **extra, **self.options)
        if encoder is None:
            raise InputError(f"recipe {self.name}", "fit() returned None", "return the fitted encoder")
        return encoder


def as_recipe(recipe: object, options: Mapping[str, Any] | None = None) -> Recipe:
    """Return a `Recipe` from what a user passed as a recipe.

    Parameters
    ----------
    recipe : str, class or object
        The name of a baseline; ``module:object``; a class that needs no arguments; or an object. The last three have
        ``fit(X, code_size, seed)``, which returns the encoder. ``fit`` may also take ``progress``, a function of
        ``(done, total)``. Three attributes are optional: ``deterministic`` is True if seeds change nothing,
        ``in_sample_only`` is True if it has codes only for the fitted points, ``requires`` names a needed package.
    options : mapping of str to any, optional
        Keyword arguments of ``fit``, of the types that TOML has.

    Raises
    ------
    InputError
        The recipe is none of these or cannot be imported, or its ``fit`` does not take an option.
    """
    options = dict(options or {})
    if isinstance(recipe, str):
        name = recipe.rpartition(":")[2]
        fitter = _fitter(_by_name(recipe), name)
    else:
        name = str(getattr(recipe, "name", None) or getattr(recipe, "__name__", type(recipe).__name__))
        fitter = _fitter(recipe, name)
    _check_options(fitter, name, options)
    try:
        written = json.dumps(options, sort_keys=True)
    except TypeError as error:
        raise InputError(f"recipe {name}", f"options: {error}", "give text, numbers, lists and tables") from None
    key = recipe if isinstance(recipe, str) else id(recipe), written  # an object equals only itself
    return Recipe(key, recipe, name, getattr(fitter, "deterministic", False) is True, fitter, options)


def _by_name(name: str) -> Any:
    from distbench.baselines import BASELINES

    if ":" not in name:
        if name not in BASELINES:
            raise InputError("recipe", BASELINES.hint(name))
        return BASELINES[name]
    try:
        return imported(name)
    except InputError as error:
        raise InputError(f"recipe {name!r}", str(error)) from error.__cause__


def _fitter(recipe: Any, name: str) -> Any:
    """Return the object whose ``fit`` is called: the recipe itself, or an instance if it is a class."""
    if isinstance(recipe, type):
        if wrong := _misfit(recipe):
            raise InputError(f"recipe {name}", f"its class needs arguments ({wrong})", "pass an instance instead")
        recipe = recipe()
    if not callable(getattr(recipe, "fit", None)):
        raise InputError(
            f"recipe {name}",
            f"{type(recipe).__name__} has no fit(X, code_size, seed)",
            "to evaluate a fitted encoder, pass the test points too",
        )
    if wrong := _misfit(recipe.fit, None, code_size=1, seed=0):
        raise InputError(f"recipe {name}", f"fit must take X, code_size and seed ({wrong})")
    return recipe


def _misfit(call: Callable[..., Any], *arguments: Any, **named: Any) -> str:
    """Return why a callable does not take arguments; empty if it does, or if its signature cannot be read."""
    try:
        inspect.signature(call).bind(*arguments, **named)
    except TypeError as error:
        return str(error)
    except ValueError:  # for instance some classes written in C
        pass
    return ""


def _check_options(fitter: Any, name: str, options: Mapping[str, Any]) -> None:
    known = getattr(fitter, "options", None)
    if not isinstance(known, tuple):  # only baselines list their options in a tuple
        parameters = _parameters(fitter.fit)
        if parameters is None or any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
            return
        by_name = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
        passed = ("code_size", "seed", "progress")
        known = [part.name for part in parameters[1:] if part.kind in by_name and part.name not in passed]
    for option in options:
        if option not in known:
            hint = did_you_mean(option, known) if known else "it takes none"
            raise InputError(f"recipe {name}", f"options: there is no {option!r}", hint)


def _parameters(fit: Callable[..., Any]) -> list[inspect.Parameter] | None:
    """Return the parameters of a recipe's ``fit``; None if its signature cannot be read."""
    try:
        return list(inspect.signature(fit).parameters.values())
    except ValueError:
        return None
