"""Imports a user's ``module:object`` or an optional package by its name."""

from __future__ import annotations

import importlib
import inspect
from typing import Any

from distbench._util.text import did_you_mean, raised
from distbench.errors import InputError, MissingDependencyError

__all__ = ["imported", "require"]


def imported(spec: str, hint: str = "is its folder on pytest's pythonpath?") -> Any:
    """Return the object that ``module:object`` or ``module:Class.attribute`` names.

    Raises InputError if the module cannot be imported (with `hint` as advice) or raises an error, or lacks the object.
    """
    module, _, path = spec.partition(":")
    try:
        target: Any = importlib.import_module(module)
    except ImportError as error:
        raise InputError("", f"{module} cannot be imported ({error})", hint) from error
    except (Exception, SystemExit) as error:  # sys.exit() would end the run of all tests
        raise InputError(raised(error)) from error
    for part in path.split("."):
        if not hasattr(target, part):
            values = getattr(target, "__dict__", {})
            public = [name for name in dir(target) if name[0] != "_" and not inspect.ismodule(values.get(name))]
            raise InputError("", f"{module} has no {path!r}", did_you_mean(part, public))
        target = getattr(target, part)
    return target


def require(package: str, what: str = "the HTML report", install: str = '"distbench[report]"') -> None:
    """Raise MissingDependencyError unless a package can be imported."""
    try:
        importlib.import_module(package)
    except ImportError as error:
        raise MissingDependencyError(
            f"{what} needs {package}, which cannot be imported ({error}); install it with: pip install {install}"
        ) from error
