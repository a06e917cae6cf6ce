"""Packages that take seconds to load, under names that load them at first use, not when tests are collected.

Otherwise every process that collects the tests would load them all, which takes over ten seconds. A test that uses a
package that is not installed is skipped.
"""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

import pytest

__all__ = ["dk", "faiss", "keras", "needs", "pd", "tf", "torch"]


class Lazy:
    """A module that is loaded when one of its names is first used."""

    def __init__(self, module: str, *needed: str) -> None:
        self._module = module
        self._needed = needed or (module,)
        self._loaded: Any = None

    def __getattr__(self, name: str) -> Any:
        # pytest looks up __test__, _mock_name and the like in all that a test module holds.
        if name.startswith("_"):
            raise AttributeError(name)
        if self._loaded is None:
            for package in self._needed:
                pytest.importorskip(package)
            self._loaded = importlib.import_module(self._module)
        return getattr(self._loaded, name)


keras = Lazy("keras")
tf = Lazy("tensorflow")
torch = Lazy("torch")
pd = Lazy("pandas")
faiss = Lazy("faiss")
dk = Lazy("distbench.keras", "keras", "tensorflow")


def needs(*packages: str) -> pytest.MarkDecorator:
    """Skip tests where one of these packages is not installed; finding out loads none of them."""
    missing = [package for package in packages if importlib.util.find_spec(package) is None]
    return pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)}")
