"""How many weights a Keras model has by its configuration, roughly, before anything of it is made."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["weights_asked"]

WIDTHS = ("units", "filters", "code_size")


def weights_asked(parts: Iterable[Mapping[str, Any]]) -> int:
    """Return about how many weights the layers of a model ask for that take most.

    Dense, recurrent, convolution, embedding, attention and normalisation layers are looked at. Where a layer does not
    say how wide its input is, it is as wide as the layer before.

    Parameters
    ----------
    parts : iterable of mapping
        What the model is made of, in order, each with its ``config`` and, if it was built, its ``build_config``.
    """
    total, before = 0, 1
    for part in parts:
        settings = part.get("config")
        if not isinstance(settings, dict):
            continue
        entering = _entering(part) or before
        total += _weights(settings, entering)
        before = _width(settings) or before
    return total


def _entering(part: Mapping[str, Any]) -> int:
    """Return the width of the widest input that a layer was built for, 0 where it does not say."""
    built = part.get("build_config")
    if not isinstance(built, dict):
        return 0
    shapes = built.get("shapes_dict")
    found = [built.get("input_shape"), *(shapes.values() if isinstance(shapes, dict) else ())]
    return max((_last(shape) for shape in found), default=0)


def _width(settings: Mapping[str, Any]) -> int:
    widths = (*(_number(settings.get(word)) for word in WIDTHS), _number(settings.get("output_dim")))
    return max(widths) or _last(settings.get("batch_shape"))


def _weights(settings: Mapping[str, Any], entering: int) -> int:
    width, rows, heads = (
        max(_number(settings.get(word)) for word in words) for words in (WIDTHS, ("input_dim",), ("num_heads",))
    )
    kernel = settings.get("kernel_size")
    window = math.prod(_number(side) or 1 for side in kernel) if isinstance(kernel, list) else _number(kernel) or 1
    multiplier = _number(settings.get("depth_multiplier"))
    if rows:
        return rows * _number(settings.get("output_dim"))
    if heads:
        return heads * _number(settings.get("key_dim") or settings.get("head_dim")) * entering
    if multiplier:
        return multiplier * entering * (window + width)
    if width:
        again = width * width if "recurrent_initializer" in settings else 0
        return width * entering * window // (_number(settings.get("groups")) or 1) + again
    return entering if "gamma_initializer" in settings else 0


def _last(shape: Any) -> int:
    """Return the last length of a shape; of several, that of the widest."""
    if not isinstance(shape, list) or not shape:
        return 0
    if isinstance(shape[-1], list):
        return max(_last(one) for one in shape)
    return _number(shape[-1])


def _number(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
