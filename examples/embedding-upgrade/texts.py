"""Texts to search in: the first paragraphs of the docstrings of scipy and scikit-learn, and the module of each."""

from __future__ import annotations

import inspect
import re
from importlib import import_module

MODULES = [
    *(f"scipy.{name}" for name in ("fft", "integrate", "interpolate", "linalg", "ndimage", "optimize", "signal")),
    *(f"scipy.{name}" for name in ("sparse", "spatial", "special", "stats")),
    *(f"sklearn.{name}" for name in ("cluster", "datasets", "decomposition", "ensemble", "linear_model", "metrics")),
    *(f"sklearn.{name}" for name in ("model_selection", "preprocessing")),
]
SIGNATURE = re.compile(r"\w+\(.*\)")


def described() -> dict[str, str]:
    """Return the module of each text, in a fixed order."""
    module_of = {}
    for module in MODULES:
        public = vars(import_module(module))
        for name in sorted(public.keys() & public["__all__"]):
            paragraphs = [" ".join(part.split()) for part in (inspect.getdoc(public[name]) or "").split("\n\n")]
            text = next((part for part in paragraphs if not SIGNATURE.match(part)), "")
            if callable(public[name]) and len(text) > 25:
                module_of.setdefault(text, module)
    return module_of
