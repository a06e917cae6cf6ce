"""Recipes: what can be fitted on train points to give an encoder."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from distbench.errors import InputError
from distbench.limits import near_miss

__all__ = ["Progress", "Recipe", "as_recipe"]

Progress = Callable[[int, int], None]


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
        Equal for the same recipe: what its fits are shared under.
    """

    name: str
    deterministic: bool
    fitter: Any
    key: object

    def fit(self, X: Any, code_size: int, seed: int, progress: Progress | None = None) -> Any:
        """Fit on train points and return the encoder.

        Raises
        ------
        InputError
            The recipe's ``fit`` returned nothing.
        """
        extra = {"progress": progress} if _takes_progress(self.fitter.fit) else {}
        encoder = self.fitter.fit(X, code_size=code_size, seed=seed, **extra)
        if encoder is None:
            raise InputError(f"recipe {self.name}: fit() returned None; return the fitted encoder")
        return encoder


def as_recipe(recipe: object) -> Recipe:
    """Return what a user calls a recipe as one.

    Parameters
    ----------
    recipe : str, class or object
        Name of a baseline; ``module:object``; a class that needs no arguments; or an object. The last
        three have ``fit(X, code_size, seed)``, which returns the encoder. ``fit`` may also take
        ``progress``, called with how much is done of how much; and an attribute ``deterministic`` says
        that seeds change nothing.

    Returns
    -------
    Recipe

    Raises
    ------
    InputError
        It is none of these, or cannot be imported: what was found and what to do.
    """
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
    return Recipe(name, getattr(fitter, "deterministic", False) is True, fitter, _Key(key))


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
        raise InputError(f"recipe: no baseline is called {name!r}; {near_miss(name, list(BASELINES))}")
    return BASELINES[name]


def _imported(spec: str) -> object:
    module, _, path = spec.partition(":")
    try:
        found: Any = importlib.import_module(module)
    except ImportError as error:
        raise InputError(
            f"recipe {spec!r}: {module} cannot be imported ({error}); is its folder on pytest's pythonpath?"
        ) from error
    for part in path.split("."):
        if not hasattr(found, part):
            raise InputError(f"recipe {spec!r}: {module} has no {path!r}; {near_miss(part, _public(found))}")
        found = getattr(found, part)
    return found


def _public(found: object) -> list[str]:
    return [name for name in dir(found) if not name.startswith("_")]


def _instance(recipe: type) -> object:
    try:
        inspect.signature(recipe).bind()
    except TypeError as error:
        raise InputError(
            f"recipe {recipe.__name__}: its class needs arguments ({error}); pass an instance instead"
        ) from None
    except ValueError:  # no signature to read, as for some classes written in C
        pass
    return recipe()


def _check_fit(fitter: object, name: str) -> None:
    fit = getattr(fitter, "fit", None)
    if not callable(fit):
        raise InputError(
            f"recipe {name}: {type(fitter).__name__} has no fit(X, code_size, seed); to judge an encoder "
            "that is fitted already, pass the test points too"
        )
    try:
        inspect.signature(fit).bind(None, code_size=1, seed=0)
    except TypeError as error:
        raise InputError(f"recipe {name}: fit must take X, code_size and seed ({error})") from None
    except ValueError:
        pass


def _takes_progress(fit: Callable[..., Any]) -> bool:
    try:
        return "progress" in inspect.signature(fit).parameters
    except ValueError:
        return False
