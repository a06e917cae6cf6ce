"""Modules of torch, scripted and traced ones too: asked in eval mode, without gradients, on their device."""

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
    """Say whether this is a module of torch."""
    return is_instance(obj, "torch.nn", "Module")


def _call(module: Any) -> Callable[[Any], Any]:
    return _method(module, module.encode if owns_encode(module) else module)


def _method(module: Any, call: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return functools.partial(_ask, module, call)


def _ask(module: Any, call: Callable[[Any], Any], batch: Any) -> Any:
    """Hand the batch on as a tensor of the type of the module's weights, on their device; texts as a list."""
    torch = sys.modules["torch"]
    given = rows_as_array(batch)
    if is_text(given):
        given = given.tolist()
    if not isinstance(given, list):
        given = _as_taken(module, torch.as_tensor(_readable(given)))
    with eval_mode(module), torch.no_grad():
        return call(given)


def _as_taken(module: Any, given: Any) -> Any:
    """Return points as a module takes them: in its own type, symbols as int64, on its device."""
    torch = sys.modules["torch"]
    held = chain(module.parameters(), module.buffers())
    weights = next((one for one in held if one.is_floating_point()), None)
    if weights is None:
        is_float = given.is_floating_point() and _hides_weights(module)
        return given.to(dtype=torch.get_default_dtype()) if is_float else given
    given = given.to(device=weights.device)
    taken = given.to(dtype=weights.dtype)
    if given.is_floating_point():
        return taken
    is_kept = not taken.is_meta and bool((taken.to(given.dtype) == given).all())  # half floats merge large numbers
    return given.to(dtype=torch.int64) if _takes_symbols(module) or not is_kept else taken


def _readable(points: Any) -> Any:
    """Return an array as torch reads it without a word: in this machine's byte order, and writeable."""
    points = points.astype(points.dtype.newbyteorder("="), copy=False)
    return points if points.flags.writeable else points.copy()


def _takes_symbols(module: Any) -> bool:
    """Say whether whole numbers are looked up as embeddings, by the first part with weights that is made of no others.

    Weights of a module's own beside such parts, as those of a first token, say nothing of its input.
    """
    parts = (part for part in module.modules() if next(part.children(), None) is None)
    first = next((part for part in parts if next(part.parameters(recurse=False), None) is not None), None)
    return any(is_instance(first, "torch.nn", name) for name in ("Embedding", "EmbeddingBag"))


def _hides_weights(module: Any) -> bool:
    """Say whether a module may have weights that are no parameters: frozen and exported ones, and quantised parts."""
    return any(
        is_instance(part, "torch.jit", "ScriptModule") or "quantized" in type(part).__module__
        for part in module.modules()
    )


@contextmanager
def eval_mode(module: Any) -> Iterator[None]:
    """Put a module into eval mode, and each of its parts back into the mode that it was in, also after an error."""
    before = [(part, part.training) for part in module.modules() if hasattr(part, "training")]
    if not any(training for _, training in before):
        yield
        return
    try:
        with suppress(NotImplementedError):  # an exported graph, which has one mode
            module.eval()
        yield
    finally:
        # By train(), which modules may override to do more than to set a flag; it sets the parts' modes as well, and
        # a module comes before its parts.
        for part, training in before:
            if part.training != training:
                with suppress(NotImplementedError):
                    part.train(training)


TORCH = Adapter(objects="a torch module", recognises=is_torch_module, call=_call, method=_method, alone=True)
