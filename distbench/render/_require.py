"""What pictures and pages need beyond the core."""

from __future__ import annotations

from importlib import import_module

from distbench.errors import MissingDependencyError

__all__ = ["require"]


def require(package: str, what: str = "the HTML report", install: str = '"distbench[report]"') -> None:
    """Raise MissingDependencyError, naming what to install, unless a package can be imported."""
    try:
        import_module(package)
    except ImportError as error:
        raise MissingDependencyError(
            f"{what} needs {package}, which cannot be imported ({error}); install it with: pip install {install}"
        ) from error
