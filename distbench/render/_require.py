"""What pictures and pages need beyond the core."""

from __future__ import annotations

from importlib import import_module

from distbench.errors import MissingDependencyError

__all__ = ["require"]


def require(package: str) -> None:
    """Raise MissingDependencyError, naming the extra, unless a package can be imported."""
    try:
        import_module(package)
    except ImportError as error:
        raise MissingDependencyError(
            f"the HTML report needs {package}, which cannot be imported ({error}); "
            'install it with: pip install "distbench[report]"'
        ) from error
