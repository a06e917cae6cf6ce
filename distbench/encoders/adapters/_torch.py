"""Calls torch modules, also scripted and traced ones, in eval mode, without gradients, on their device."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import chain
from typing import Any

from distbench.encoders.adapters._adapter import Adapter, is_instance, is_text, owns_encode, rows_as_array

__all__ = ["TORCH", "eval_mode", "is_torch_module"]


def is_torch_module(obj: Any) -> bool:
    """Return whether an object is a torch module."""
    return is_instance(obj, "torch.nn", "Module")


def _call(module: Any) -> Callable[[Any], Any]:
    return _method(module, module.encode if owns_encode(module) else module)


def _method(module: Any, call: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return functools.partial(_run, module, call)


def _run(module: Any, call: Callable[[Any], Any], batch: Any) -> Any:
    """Call the module with a tensor of its weights' type, on their device, or with a list of texts."""
    torch = sys.modules["torch"]
    points = rows_as_array(batch)
    if is_text(points):
        points = points.tolist()
    if not isinstance(points, list):
        points = _as_input(module, torch.as_tensor(_readable(points)))
    with eval_mode(module), torch.no_grad():
        return call(points)


def _as_input(module: Any, points: Any) -> Any:
    """Return points on a module's device, in the type of its weights, or as int64 if they are symbols."""
    torch = sys.modules["torch"]
    tensors = chain(module.parameters(), module.buffers())
    weights = next((tensor for tensor in tensors if tensor.is_floating_point()), None)
    if weights is None:
        is_float = points.is_floating_point() and _hides_weights(module)
        return points.to(dtype=torch.get_default_dtype()) if is_float else points
    points = points.to(device=weights.device)
    converted = points.to(dtype=weights.dtype)
    if points.is_floating_point():
        return converted
    is_exact = not converted.is_meta and bool((converted.to(points.dtype) == points).all())  # float16 rounds some
    return points.to(dtype=torch.int64) if _takes_symbols(module) or not is_exact else converted


def _readable(points: Any) -> Any:
    """Return a writable array in this machine's byte order, which torch reads without a warning."""
    points = points.astype(points.dtype.newbyteorder("="), copy=False)
    return points if points.flags.writeable else points.copy()


def _takes_symbols(module: Any) -> bool:
    """Return whether a module's first layer is an embedding, so that whole numbers are symbols.

    The first layer is the first part without subparts that has weights. Weights of outer parts, such as the embedding
    of a class token, are not applied to the input.
    """
    parts = (part for part in module.modules() if next(part.children(), None) is None)
    first = next((part for part in parts if next(part.parameters(recurse=False), None) is not None), None)
    return any(is_instance(first, "torch.nn", name) for name in ("Embedding", "EmbeddingBag"))


def _hides_weights(module: Any) -> bool:
    """Return whether a module may have weights that are not among its parameters, as if it is frozen or quantized."""
    return any(
        is_instance(part, "torch.jit", "ScriptModule") or "quantized" in type(part).__module__
        for part in module.modules()
    )


@contextmanager
def eval_mode(module: Any) -> Iterator[None]:
    """Put a module into eval mode; at the end, even after an error, put each part back into its previous mode."""
    before = [(part, part.training) for part in module.modules() if hasattr(part, "training")]
    if not any(training for _, training in before):
        yield
        return
    try:
        with suppress(NotImplementedError):  # the mode of an exported graph is fixed
            module.eval()
        yield
    finally:
        # Modules may override train(), so it is called. It also sets the modes of inner parts, which come later here.
        for part, training in before:
            if part.training != training:
                with suppress(NotImplementedError):
                    part.train(training)


TORCH = Adapter(
    objects="a torch module",
    recognizes=is_torch_module,
    call=_call,
    method=_method,
    takes_symbols=_takes_symbols,
    eval_mode=True,
)
