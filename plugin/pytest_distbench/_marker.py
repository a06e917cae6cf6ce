"""The marker ``distbench``: its arguments, checked when tests are collected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from distbench._util.distances import INNER_PRODUCT, INPUT_DISTANCES
from distbench._util.text import plain_name
from pytest_distbench._options import MARKER
from pytest_distbench._session import is_worker, node_id

__all__ = ["MarkerArguments", "check_marker", "marker_fault", "read_marker"]

DISTANCES = (*INPUT_DISTANCES, INNER_PRODUCT)
_KNOWN = ("dataset", "code_size", "limits", "k", "seed", "distance", "groups")

_FAULT: pytest.StashKey[str] = pytest.StashKey()


@dataclass(frozen=True)
class MarkerArguments:
    """Arguments of a test's markers; the nearest marker wins."""

    dataset: str | None = None
    code_size: int | None = None
    limits: Mapping[str, float] = field(default_factory=dict)
    k: int | Sequence[int] | None = None
    seed: int | None = None
    distance: str | None = None
    groups: Any = None


def read_marker(item: pytest.Item, *, look_up: bool = False) -> MarkerArguments:
    """Return the arguments of a test's markers: a function's win over its class's, and a class's over its module's.

    With `look_up`, names of data sets and metrics are looked up, which loads numpy. Raise ``pytest.UsageError`` for an
    argument that is unknown or has the wrong type.
    """
    values: dict[str, Any] = {}
    for mark in item.iter_markers("distbench"):
        problem = _problem(mark, look_up)
        if problem:
            raise pytest.UsageError(f"{node_id(item)}: @pytest.mark.distbench: {problem}")
        values = {**mark.kwargs, **values}
    if ("dataset" in values) != ("code_size" in values):
        present, missing = ("dataset", "code_size") if "dataset" in values else ("code_size", "dataset")
        raise pytest.UsageError(f"{node_id(item)}: @pytest.mark.distbench: {present}= needs {missing}= too")
    if "dataset" in values:
        values["dataset"] = plain_name(values["dataset"])
    return MarkerArguments(**values)


def _problem(mark: pytest.Mark, look_up: bool) -> str | None:
    from distbench._util.text import did_you_mean, short_repr

    if mark.args:
        return f"takes arguments by name only, found {short_repr(mark.args[0])}; write {MARKER}"
    for name, value in mark.kwargs.items():
        if name not in _KNOWN:
            return f"unknown argument {name!r}; {did_you_mean(name, _KNOWN)}"
        wanted = _wanted(name, value)
        if wanted:
            return f"{name} is {short_repr(value)}; give {wanted}"
    return _unknown_name(mark.kwargs) if look_up else None


def _wanted(name: str, value: object) -> str | None:
    """Return what to pass instead of a value that cannot be used, else None."""
    if name == "dataset":
        return None if isinstance(value, str) else "the name of a data set"
    if name == "limits":
        return None if isinstance(value, Mapping) and value else "a dict such as {'continuity': 0.95}"
    if name == "distance":
        is_known = isinstance(value, str) and value in DISTANCES
        return None if is_known else f"one of {', '.join(map(repr, DISTANCES))}"
    if name == "groups":  # checked with the points
        return None if hasattr(value, "__len__") and not isinstance(value, str) else "one label for each test point"
    least = 0 if name == "seed" else 1
    numbers = value if name == "k" and isinstance(value, list | tuple) and value else [value]
    if all(isinstance(number, int) and not isinstance(number, bool) and number >= least for number in numbers):
        return None
    return f"an integer from {least}" + ", or several" * (name == "k")


def _unknown_name(arguments: Mapping[str, Any]) -> str | None:
    from distbench.errors import InputError
    from distbench.inference.limits import check_limits
    from distbench.suites.check_names import check_dataset

    try:
        if "dataset" in arguments:
            check_dataset(arguments["dataset"])
        if "limits" in arguments:
            check_limits(arguments["limits"])
    except InputError as error:
        return str(error)
    return None


def check_marker(item: pytest.Item, on: bool) -> None:
    """Check a test's markers as :func:`read_marker` does; look up names if distbench is ``on``.

    An error in an xdist worker would crash the controller, so a worker stores it for :func:`marker_fault`.
    """
    try:
        read_marker(item, look_up=on)
    except pytest.UsageError as error:
        if not is_worker(item.config):
            raise
        item.stash[_FAULT] = str(error)


def marker_fault(item: pytest.Item) -> str:
    """Return what is wrong with a test's marker in an xdist worker; else an empty text."""
    return item.stash.get(_FAULT, "")
