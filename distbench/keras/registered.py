"""What files of Keras models need of this package: Keras itself, and our classes, registered one by one."""

from __future__ import annotations

import importlib

from distbench.keras._require import require_keras

__all__ = ["register", "require_keras"]


def register(name: str) -> None:
    """Register a part of ours with Keras, so that it can be loaded from a file; other names are left alone."""
    parts = importlib.import_module("distbench.keras")
    if name in parts.__all__:
        getattr(parts, name)  # the import registers it
