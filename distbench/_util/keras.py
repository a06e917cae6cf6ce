"""Imports Keras quietly, or says how to install it; ``distbench.keras`` itself imports Keras with all its parts."""

from __future__ import annotations

import os
from types import ModuleType

from distbench.errors import MissingDependencyError

__all__ = ["require_keras"]


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
