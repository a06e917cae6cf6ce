"""Imports and options of the two recipes of umap-learn."""

from __future__ import annotations

import os
from types import ModuleType
from typing import Any

from distbench._util.checks import whole_number
from distbench._util.keras import require_keras
from distbench.baselines._estimator import quiet
from distbench.errors import InputError, MissingDependencyError

__all__ = ["layout_options", "require_parametric_umap", "require_umap"]


def require_umap() -> ModuleType:
    """Import umap-learn quietly.

    Raises
    ------
    distbench.errors.MissingDependencyError
        It cannot be imported.
    """
    # umap imports TensorFlow if it is installed, and TensorFlow reads this variable once.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        with quiet():
            import umap
    except ImportError as error:
        raise MissingDependencyError(
            f'umap-learn is needed and cannot be imported ({error}); pip install "distbench[umap]"'
        ) from error
    module: ModuleType = umap
    return module


def require_parametric_umap() -> Any:
    """Import the class ParametricUMAP quietly.

    Raises
    ------
    distbench.errors.MissingDependencyError
        umap-learn, Keras or TensorFlow cannot be imported, or Keras runs on another backend.
    """
    require_umap()
    keras = require_keras()
    try:
        with quiet():
            import tensorflow  # noqa: F401
            from umap.parametric_umap import ParametricUMAP
    except ImportError as error:
        raise MissingDependencyError(
            f'parametric_umap needs TensorFlow, which cannot be imported ({error}); pip install "distbench[keras,umap]"'
        ) from error
    if keras.backend.backend() != "tensorflow":
        raise InputError(f"KERAS_BACKEND: {keras.backend.backend()!r}; parametric_umap trains on tensorflow alone")
    return ParametricUMAP


def layout_options(name: str, n_neighbors: int, min_dist: float, n: int) -> dict[str, Any]:
    """Check the settings that both recipes share, and name them as umap-learn does; few points get fewer neighbors."""
    whole_number(n_neighbors, "n_neighbors", 2)
    if not 0 <= min_dist <= 1:
        raise InputError(f"min_dist: {min_dist!r} is not in [0, 1]")
    if n < 4:
        raise InputError(f"X: {n} points; {name} needs at least 4")
    return {"n_neighbors": min(n_neighbors, n - 1), "min_dist": min_dist, "n_jobs": 1}
