"""The decorator that makes a baseline of a function which returns an untrained network."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

from distbench.baselines._recipe import FittedEncoder, Progress, baseline

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["HIDDEN", "network"]

HIDDEN = (128, 64)
"""Default widths of the hidden layers."""


def network(
    name: str, *, batch_size: int = 32, learning_rate: float = 3e-3, **plan: Any
) -> Callable[[Callable[..., Any]], Callable[..., FittedEncoder]]:
    """Register the decorated function as the recipe ``name``.

    The function takes the train points in the units of the network, ``(n, d)`` and float32, and the code size. It
    returns the untrained model. Its keyword-only arguments are options of the recipe, beside ``epochs``, ``batch_size``
    and ``learning_rate``.

    Parameters
    ----------
    name : str
        Name of the recipe.
    batch_size, learning_rate : number
        Defaults of these options.
    **plan
        Further settings of the training: fields of ``Plan``.
    """

    def register(build: Callable[..., Any]) -> Callable[..., FittedEncoder]:
        @wraps(build)
        def fit(
            X: NDArray[np.float64],
            code_size: int,
            seed: int,
            progress: Progress | None = None,
            *,
            epochs: int | None = None,
            batch_size: int = batch_size,
            learning_rate: float = learning_rate,
            **options: Any,
        ) -> FittedEncoder:
            from distbench.baselines._network_encoder import fit_network
            from distbench.baselines._training import Plan

            settings = Plan(epochs, batch_size, learning_rate, **plan)
            return fit_network(name, X, seed, settings, lambda points: build(points, code_size, **options), progress)

        fit.__signature__ = _signature(build, fit)  # type: ignore[attr-defined]
        return baseline(name, deterministic=False)(fit)

    return register


def _signature(build: Callable[..., Any], fit: Callable[..., Any]) -> inspect.Signature:
    """Return the signature of `fit` with the options of `build` before those of the training."""
    common = list(inspect.signature(fit, follow_wrapped=False).parameters.values())[:-1]
    options = [one for one in inspect.signature(build).parameters.values() if one.kind is one.KEYWORD_ONLY]
    return inspect.Signature([*common[:4], *options, *common[4:]], return_annotation="NetworkEncoder")
