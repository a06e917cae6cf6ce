"""``distbench.checks``, which parametrizes a test over encoders."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import count
from typing import Any, NamedTuple

import pytest

from distbench._util.text import plain_name
from distbench.errors import InputError

__all__ = ["checks", "name_of", "options_of", "unused_options"]

ARGUMENT = "encoder"
PARAMETER = type(pytest.param(None))
_USED: pytest.StashKey[bool] = pytest.StashKey()


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
        is its ``name``, or the name of its function or class, and equal names get a number, as ``PCA (1)``.
        Leaderboards show the names too. ``pytest.param(encoder, marks=..., id=...)`` adds marks, and a name.
        ``dict(encoder=..., continuity=0.9, distance_z="hamming")`` adds limits and options for this encoder alone, in
        place of those of the call.

    Returns
    -------
    pytest.MarkDecorator
        A ``pytest.mark.parametrize``, which can be combined with others.

    Raises
    ------
    InputError
        There is no encoder, or one of them cannot be used.
    """
    if isinstance(encoders, str) or not isinstance(encoders, Iterable):
        raise InputError("encoders", f"found {encoders!r}", "give a list of encoders, or a dict with their names")
    pairs = encoders.items() if isinstance(encoders, Mapping) else [("", encoder) for encoder in encoders]
    entries = [_entry(name, value) for name, value in pairs]
    if not entries:
        raise InputError("encoders", "found none", "give at least one, such as {'pca': pca, 'mine': model}")
    names = map(EncoderName, _numbered([entry.name for entry in entries]), [entry.options for entry in entries])
    parameters = [pytest.param(e.encoder, id=name, marks=e.marks) for e, name in zip(entries, names, strict=True)]
    return pytest.mark.parametrize(ARGUMENT, parameters)


class EncoderName(str):
    """The name of an encoder, which is its id in a test, with the limits and options for this encoder alone."""

    options: Mapping[str, Any]

    def __new__(cls, text: str, options: Mapping[str, Any]) -> EncoderName:
        name = super().__new__(cls, text)
        name.options = options
        return name

    def __getnewargs__(self) -> tuple[str, Mapping[str, Any]]:  # type: ignore[override]
        return str(self), self.options


class Entry(NamedTuple):
    """One encoder of a test."""

    name: str
    encoder: Any
    options: Mapping[str, Any]
    marks: Collection[pytest.MarkDecorator | pytest.Mark]


def _entry(name: object, value: Any) -> Entry:
    marks: Collection[pytest.MarkDecorator | pytest.Mark] = ()
    if isinstance(value, PARAMETER):
        if len(value.values) != 1:
            raise InputError("encoders", f"found a pytest.param of {len(value.values)} values", "give it one encoder")
        name, marks = name or (value.id if isinstance(value.id, str) else ""), value.marks
        (value,) = value.values
    options: dict[str, Any] = {}
    if isinstance(value, Mapping):
        if ARGUMENT not in value:
            raise InputError("encoders", "found options without an encoder", "give dict(encoder=..., k=5)")
        options = dict(value)
        value = options.pop(ARGUMENT)
    return Entry(plain_name(name or _own_name(value)), value, options, marks)  # pytest prints it as an id


def _numbered(names: Sequence[str]) -> list[str]:
    """Return names that differ: equal names get a number, which makes no name that another encoder has."""
    times, numbers = Counter(names), {name: count(1) for name in names}

    def numbered(name: str) -> str:
        return next(text for number in numbers[name] if (text := f"{name} ({number})") not in times)

    return [name if times[name] == 1 else numbered(name) for name in names]


def _own_name(encoder: Any) -> str:
    if isinstance(encoder, str):  # a baseline
        return encoder
    own = getattr(encoder, "name", None) or getattr(encoder, "__name__", None)
    return own if isinstance(own, str) else type(encoder).__name__


def name_of(item: pytest.Item, encoder: Any) -> str | None:
    """Return the id that an encoder has in a test, from :func:`checks` or a ``pytest.param``; None for others."""
    test_id = f"-{getattr(getattr(item, 'callspec', None), 'id', '')}-"
    names = []
    for mark in item.iter_markers("parametrize"):
        if len(mark.args) == 2 and mark.args[0] == ARGUMENT:
            for parameter in mark.args[1]:
                name = getattr(parameter, "id", None)
                if isinstance(name, str) and next(iter(parameter.values), None) is encoder and _is_in(name, test_id):
                    names.append(name)
    return max(names, key=len, default=None)  # one encoder may have two names, as "first" and "first-again"


def _is_in(name: str, test_id: str) -> bool:
    """Return whether a test's id has a name, of which pytest escapes letters beyond ASCII."""
    return f"-{name}-" in test_id or f"-{name.encode('unicode_escape').decode()}-" in test_id


def options_of(item: pytest.Item, encoder: Any) -> dict[str, Any]:
    """Return the limits and options that :func:`checks` has for this encoder alone, for a call with this encoder."""
    options = _own_options(item, encoder)
    if options:
        item.stash[_USED] = True
    return options


def unused_options(item: pytest.Item) -> str:
    """Return what is wrong if no call of a test had the limits and options of its encoder; else an empty text."""
    encoder = getattr(getattr(item, "callspec", None), "params", {}).get(ARGUMENT)
    options = {} if item.stash.get(_USED, False) else _own_options(item, encoder)
    if not options:
        return ""
    given = ", ".join(options)
    return f"its encoder has options of its own ({given}) that no call used; pass encoder itself"


def _own_options(item: pytest.Item, encoder: Any) -> dict[str, Any]:
    name = name_of(item, encoder)
    return dict(name.options) if isinstance(name, EncoderName) else {}
