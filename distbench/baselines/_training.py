"""How the networks among the baselines are trained.

The loss is that of the model, which knows the variance and the mean distance of the points. The optimizer is Adam,
with a learning rate that falls to 0 along a cosine. On TensorFlow an epoch is one compiled call, about five times as
fast as ``Model.fit`` on small models; other backends train by ``Model.fit`` on the same batches in the same order.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench._util.checks import whole_number
from distbench._util.keras import require_keras
from distbench.baselines._recipe import Progress
from distbench.errors import InputError, TrainingError

__all__ = ["Plan", "seeded", "spread", "train"]


@dataclass(frozen=True)
class Plan:
    """Settings of one training run.

    Attributes
    ----------
    epochs : int or None
        Passes over the points. None: about ``steps`` steps, in 40 to 200 passes. If the points have over a million
        numbers, a step costs more, so only 5/9 of ``steps`` are taken.
    batch_size : int or None
        Points a step; None: all. Points left over after the last full batch are not used in that epoch; in
        each epoch these are different points.
    learning_rate : float
        Learning rate of Adam at the start.
    steps : int
        Number of steps that ``epochs=None`` aims at.
    xla : bool
        Whether XLA compiles the steps: five times as fast on small layers, slower on convolutions and large products.
    least_deviation : float
        Standard deviation that at least one column of the codes must have after training, in units of the network.
    neighbors : int
        If above 0, each step takes beside its points as many partners: one of the so many nearest points of each.
    """

    epochs: int | None = None
    batch_size: int | None = 32
    learning_rate: float = 3e-3
    steps: int = 9000
    xla: bool = True
    least_deviation: float = 0.0
    neighbors: int = 0

    def __post_init__(self) -> None:
        for name, value in (("epochs", self.epochs), ("batch_size", self.batch_size)):
            if value is not None:
                whole_number(value, name, 1)
        if not self.learning_rate > 0:
            raise InputError(f"learning_rate: {self.learning_rate!r} is not above 0")

    def batches(self, n: int, features: int) -> tuple[int, int, int]:
        """Epochs, steps an epoch and points a step for ``n`` points."""
        size = min(self.batch_size or n, n)
        steps = n // size
        goal = self.steps if n * features <= 1_000_000 else self.steps * 5 / 9
        return self.epochs or min(max(round(goal / steps), 40), 200), steps, size


def spread(points: NDArray[np.floating]) -> float:
    """Root of the mean variance of the features: the standard deviation of a point cloud."""
    return float(np.sqrt(points.var(axis=0, dtype=np.float64).mean()))


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed Keras and its backend; at the end restore the caller's states of ``random`` and ``numpy.random``."""
    keras = require_keras()
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002 - Keras seeds just this state
    keras.utils.set_random_seed(seed)
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002


def train(model: Any, points: NDArray[np.float32], seed: int, plan: Plan, progress: Progress | None = None) -> None:
    """Train an autoencoder in place.

    Raises
    ------
    distbench.errors.TrainingError
        The loss is not finite after an epoch, or codes at the end are not finite or all the same.
    """
    from distbench.baselines._epochs import epochs_of

    count, steps, size = plan.batches(*points.shape)
    if not model.built:
        model.build((None, points.shape[1]))
    model.adapt(points)
    draw = np.random.default_rng(seed)
    if plan.neighbors:
        orders = _orders_with_partners(points, plan.neighbors, size, seed)
    else:
        orders = _orders(len(points), steps, size, draw)
    with epochs_of(model, points, plan.learning_rate, steps * count, plan.xla) as epoch:
        for done in range(1, count + 1):
            order = next(orders).astype(np.int32)
            loss = epoch(order, draw.standard_normal((*order.shape, model.noise_size), dtype=np.float32))
            if not np.isfinite(loss):
                raise TrainingError(
                    f"{model.name}: the loss is {loss} after epoch {done} of {count}; "
                    "lower learning_rate, or check X for outliers"
                )
            if progress is not None:
                progress(done, count)
    _check_codes(model, points, plan.least_deviation)


def _orders(n: int, steps: int, size: int, draw: np.random.Generator) -> Iterator[NDArray[np.integer]]:
    """Yield for each epoch the rows of each step, (steps, size): each of n points at most once, in random order."""
    while True:
        yield draw.permutation(n)[: steps * size].reshape(steps, size)


def _orders_with_partners(
    points: NDArray[np.float32], neighbors: int, size: int, seed: int
) -> Iterator[NDArray[np.integer]]:
    """Yield for each epoch the rows of each step, (steps, 2 size): anchors, and after them one neighbor of each."""
    from distbench.keras import NeighborBatches

    batches = NeighborBatches(points, neighbors=min(neighbors, len(points) - 1), batch_size=size, seed=seed)
    while True:
        yield batches.order
        batches.on_epoch_end()


def _check_codes(model: Any, points: NDArray[np.float32], least_deviation: float) -> None:
    """Raise ``TrainingError`` for a failed run: it must not pass for an encoder with poor scores."""
    codes = model.encode(points).astype(np.float64)
    if not np.isfinite(codes).all():
        raise TrainingError(f"{model.name}: codes are not finite after training; lower learning_rate")
    if np.ptp(codes, axis=0).max() <= 1e-6 * np.abs(codes).max():
        raise TrainingError(f"{model.name}: all points got the same code; lower learning_rate or weight")
    if codes.std(axis=0).max() < least_deviation:
        raise TrainingError(
            f"{model.name}: the codes collapsed to the prior and say nothing about X; lower learning_rate or weight"
        )
