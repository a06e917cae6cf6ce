"""The table of known frameworks; each has one module here."""

from __future__ import annotations

from typing import Any

from distbench.encoders.adapters._adapter import Adapter
from distbench.encoders.adapters._keras import KERAS, is_keras_model
from distbench.encoders.adapters._onnx import ONNX
from distbench.encoders.adapters._tensorflow import TENSORFLOW
from distbench.encoders.adapters._torch import TORCH, eval_mode, is_torch_module

__all__ = [
    "ADAPTERS",
    "Adapter",
    "adapter_of",
    "adapter_of_file",
    "eval_mode",
    "is_keras_model",
    "is_torch_module",
]

# Keras first: on its torch backend a Keras model is also a torch module.
ADAPTERS: tuple[Adapter, ...] = (KERAS, TORCH, ONNX, TENSORFLOW)


def adapter_of(obj: Any) -> Adapter | None:
    """Return the adapter for an object, or None."""
    return next((adapter for adapter in ADAPTERS if adapter.recognizes(obj)), None)


def adapter_of_file(path: Any) -> Adapter | None:
    """Return the adapter that loads a file or folder, or None."""
    return next((adapter for adapter in ADAPTERS if adapter.opens(str(path))), None)
