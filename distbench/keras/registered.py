"""Keras itself, imported on first use, and the classes of this package, registered with it one by one."""

from __future__ import annotations

import importlib
import os
from types import ModuleType

from distbench.errors import MissingDependencyError

__all__ = ["register", "require_keras"]


def require_keras() -> ModuleType:
    """Import Keras quietly.

    Raises
    ------
    distbench.errors.MissingDependencyError
        Keras or its backend (TensorFlow, unless ``KERAS_BACKEND`` says otherwise) cannot be imported.
    """
    # TensorFlow reads this once, at import: without it every process starts with a page of log lines.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        import keras
    except ImportError as error:
        raise MissingDependencyError(
            f'Keras 3 with a backend is needed and cannot be imported ({error}); pip install "distbench[keras]"'
        ) from error
    module: ModuleType = keras
    return module


def register(name: str) -> None:
    """Register a class of this package with Keras, so that it can be loaded from a file; ignore other names."""
    package = importlib.import_module("distbench.keras")
    if name in package.__all__:
        getattr(package, name)  # its module registers it when imported
