"""Jacobians of an encoder: exact for Keras models on TensorFlow and torch modules, else by finite differences.

No framework is imported here: a model exists only if its framework is in ``sys.modules``.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench.encoders.adapters import eval_mode, is_keras_model, is_torch_module
from distbench.hunting._budget import BudgetedEncoder
from distbench.hunting._directions import Directions
from distbench.hunting._region import PlausibleRegion

__all__ = ["Jacobians", "exact_jacobians"]

Array = NDArray[np.float64]
ExactJacobians = Callable[[Array], Array]  # flat points (m, d) -> (m, code_size, d)

MAX_CODE_SIZE = 1024  # larger codes get no exact Jacobians, which take a backward pass for each number of a code
MAX_NUMBERS = 1 << 24  # in the Jacobians that are in memory at once


class Jacobians:
    """Computes Jacobians along directions, and what they cost in rows.

    Uses the gradients of the user's `model` if it has any, else finite differences with steps of size `step`.
    """

    def __init__(self, encoder: BudgetedEncoder, model: Any, directions: Directions, step: float) -> None:
        self.directions = directions
        self._encoder = encoder
        self._step = 1.0 if encoder.region.is_integer else step
        self._exact = self._usable(exact_jacobians(model, encoder.region, directions.code_size))

    @property
    def are_exact(self) -> bool:
        """Whether the encoder's gradients are used."""
        return self._exact is not None

    def _usable(self, exact: ExactJacobians | None) -> ExactJacobians | None:
        """Return `exact` if the budget has room for it and the first row's Jacobian is usable.

        A model that rounds has gradients of 0. A model whose ``encode`` uses another library has none.
        """
        if exact is None or self._encoder.left <= self._exact_rows:
            return None
        self._encoder.spend(self._exact_rows)
        try:
            with warnings.catch_warnings():  # -W error would turn them into errors
                warnings.simplefilter("ignore")
                jacobian = exact(self._encoder.region.rows[:1])
        except Exception:  # frameworks raise errors of many types if there is no gradient
            return None
        return exact if np.isfinite(jacobian).all() and jacobian.any() else None

    @property
    def _exact_rows(self) -> int:
        """The rows that an exact Jacobian costs: a forward pass, and a backward pass for each number of a code."""
        return self.directions.code_size + 1

    def cost(self, count: int) -> int:
        """Return the rows that the Jacobian of a point along `count` directions costs."""
        return self._exact_rows if self.are_exact else 2 * count

    def affordable_directions(self, rows: int, points: int) -> int:
        """Return along how many directions Jacobians at `points` points cost at most `rows` rows."""
        count = self.directions.count
        return count if self.are_exact else max(1, min(count, rows // (2 * points)))

    def block_size(self) -> int:
        """Return the number of points whose Jacobians fit in memory."""
        return max(1, MAX_NUMBERS // (self.directions.code_size * len(self._encoder.region.varying)))

    def along(self, points: Array, bases: Array) -> Array:
        """Return the Jacobian of each point along its own orthonormal directions.

        `points` have the shape (m, d), `bases` (m, r, d), and the result (m, code_size, r).
        """
        if self._exact is not None:
            self._encoder.spend(len(points) * self._exact_rows)
            exact: Array = np.einsum("mcd,mrd->mcr", self._exact(points), bases)
            return exact
        m, r, d = bases.shape
        region = self._encoder.region
        moves = self._step * bases
        up = region.clip((points[:, None] + moves).reshape(m * r, d))
        down = region.clip((points[:, None] - moves).reshape(m * r, d))
        moved = np.einsum("nd,nd->n", up - down, bases.reshape(m * r, d))  # may be shorter than asked for
        change = self._encoder.encode(up) - self._encoder.encode(down)
        with np.errstate(divide="ignore", invalid="ignore"):
            slopes = np.where(moved[:, None] > 0, change / moved[:, None], 0.0)
        return slopes.reshape(m, r, -1).transpose(0, 2, 1)


def exact_jacobians(model: Any, region: PlausibleRegion, code_size: int) -> ExactJacobians | None:
    """Return a function that computes Jacobians by gradients, or None for other encoders, integers and frames."""
    if region.is_integer or region.empty_frame is not None or code_size > MAX_CODE_SIZE:
        return None
    if is_keras_model(model):  # a Keras model on torch is also a torch module
        is_on_tensorflow = sys.modules["keras"].backend.backend() == "tensorflow"
        return _keras_jacobians(model, region, code_size) if is_on_tensorflow else None
    return _torch_jacobians(model, region, code_size) if is_torch_module(model) else None


def _keras_jacobians(model: Any, region: PlausibleRegion, code_size: int) -> ExactJacobians:
    tf = sys.modules["tensorflow"]

    def encode(points: Any) -> Any:
        if not callable(getattr(model, "encode", None)):
            return model(points, training=False)
        inner = getattr(model, "encoder", None)  # encode() of distbench's models returns numpy arrays
        return inner(points, training=False) if callable(inner) else model.encode(points)

    def jacobians(points: Array) -> Array:
        inputs = tf.convert_to_tensor(points.reshape(len(points), *region.shape).astype(np.float32))
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(inputs)
            codes = tf.reshape(encode(inputs), (len(points), code_size))
            columns = [codes[:, column] for column in range(code_size)]
        return _stacked([np.asarray(tape.gradient(column, inputs)) for column in columns])

    return jacobians


def _torch_jacobians(module: Any, region: PlausibleRegion, code_size: int) -> ExactJacobians:
    torch = sys.modules["torch"]
    encode = module.encode if callable(getattr(module, "encode", None)) else module

    def jacobians(points: Array) -> Array:
        inputs = torch.as_tensor(points.reshape(len(points), *region.shape).astype(region.dtype))
        weights = next((weights for weights in module.parameters() if weights.is_floating_point()), None)
        if weights is not None:
            inputs = inputs.to(device=weights.device, dtype=weights.dtype)
        with eval_mode(module), torch.enable_grad():
            inputs.requires_grad_(True)
            codes = encode(inputs).reshape(len(points), code_size)
            slopes = [
                torch.autograd.grad(codes[:, column].sum(), inputs, retain_graph=True, allow_unused=True)[0]
                for column in range(code_size)
            ]
        zero = torch.zeros_like(inputs)
        return _stacked([(zero if slope is None else slope).detach().cpu().double().numpy() for slope in slopes])

    return jacobians


def _stacked(slopes: list[NDArray[Any]]) -> Array:
    """Return the slopes of each number of a code as Jacobians of flat points."""
    return np.stack([slope.reshape(len(slope), -1).astype(np.float64) for slope in slopes], axis=1)
