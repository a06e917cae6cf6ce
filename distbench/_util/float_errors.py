"""How numpy reacts to overflow, underflow and division by 0 in our own code, whatever its user has set."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

__all__ = ["default_float_errors", "with_default_float_errors"]

F = TypeVar("F", bound=Callable[..., Any])


def default_float_errors() -> np.errstate:
    """Return a context with numpy's own defaults: under `numpy.seterr(all="raise")` any underflow is an error."""
    return np.errstate(divide="warn", over="warn", under="ignore", invalid="warn")


def with_default_float_errors(function: F) -> F:
    """Return the function in a context of `default_float_errors`."""
    return default_float_errors()(function)
