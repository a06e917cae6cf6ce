"""``distbench.checks``, which parametrizes a test over encoders."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from distbench.errors import InputError

__all__ = ["checks", "name_of"]

ARGUMENT = "encoder"


def checks(encoders: Mapping[str, Any] | Iterable[Any]) -> pytest.MarkDecorator:
    """Parametrize a test over encoders or recipes, with their names as ids.

    ::

        @distbench.checks({"pca": pca, "mine": model})
        def test_it(distbench, encoder):
            distbench.check(encoder, X_test, reference=X_train, continuity=0.95)

    Parameters
    ----------
    encoders : mapping of str to encoder, or iterable of encoders
        The values of the test's argument ``encoder``. The keys of a mapping are the names. Otherwise an encoder's name
        is its ``name``, or the name of its function or class, and equal names get a number. Leaderboards show the names
        too.

    Returns
    -------
    pytest.MarkDecorator
        A ``pytest.mark.parametrize``, which can be combined with others.

    Raises
    ------
    InputError
        There is no encoder.
    """
    named = list(encoders.items()) if isinstance(encoders, Mapping) else _named(encoders)
    if not named:
        raise InputError("encoders", "found none", "give at least one, such as {'pca': pca, 'mine': model}")
    return pytest.mark.parametrize(ARGUMENT, [pytest.param(encoder, id=str(name)) for name, encoder in named])


def _named(encoders: Iterable[Any]) -> list[tuple[str, Any]]:
    if isinstance(encoders, str) or not isinstance(encoders, Iterable):
        raise InputError("encoders", f"found {encoders!r}", "give a list of encoders, or a dict with their names")
    encoders = list(encoders)
    names = [_own_name(encoder) for encoder in encoders]
    return [
        (name if names.count(name) == 1 else f"{name}{names[: number + 1].count(name)}", encoder)
        for number, (name, encoder) in enumerate(zip(names, encoders, strict=True))
    ]


def _own_name(encoder: Any) -> str:
    if isinstance(encoder, str):  # a baseline
        return encoder
    own = getattr(encoder, "name", None) or getattr(encoder, "__name__", None)
    return own if isinstance(own, str) else type(encoder).__name__


def name_of(item: pytest.Item, encoder: Any) -> str | None:
    """Return the id that :func:`checks` gave an encoder in a test; None for other encoders."""
    test_id = f"-{getattr(getattr(item, 'callspec', None), 'id', '')}-"
    for mark in item.iter_markers("parametrize"):
        if len(mark.args) == 2 and mark.args[0] == ARGUMENT:
            for parameter in mark.args[1]:
                has_encoder = getattr(parameter, "values", [None])[0] is encoder and parameter.id is not None
                if has_encoder and f"-{parameter.id}-" in test_id:  # one encoder may have two names
                    return str(parameter.id)
    return None
