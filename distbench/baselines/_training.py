"""How the networks among the baselines are trained.

Loss: squared error divided by the variance of the inputs, plus what the model adds. Adam, its rate falling to 0 along
a cosine. One epoch is one compiled call, on TensorFlow some five times as fast as ``Model.fit`` on small
models; other backends train by ``Model.fit`` on the same batches in the same order.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench.baselines._recipe import Progress
from distbench.errors import InputError, TrainingError
from distbench.keras._require import require_keras

__all__ = ["Plan", "mean_distance", "seeded", "train"]

Epoch = Callable[[NDArray[np.int32]], float]


@dataclass(frozen=True)
class Plan:
    """Settings of one training run.

    Attributes
    ----------
    epochs : int
        Passes over the points.
    batch_size : int or None
        Points a step; None: all. Points that do not fill a last batch sit out one epoch, others each time.
    learning_rate : float
        Of Adam at the start.
    """

    epochs: int = 200
    batch_size: int | None = 32
    learning_rate: float = 3e-3

    def __post_init__(self) -> None:
        for name, value in (("epochs", self.epochs), ("batch_size", self.batch_size)):
            if value is not None and not (isinstance(value, (int, np.integer)) and value > 0):
                raise InputError(f"{name}: {value!r} is not a whole number above 0")
        if not self.learning_rate > 0:
            raise InputError(f"learning_rate: {self.learning_rate!r} is not above 0")


def mean_distance(points: NDArray[np.floating], seed: int, limit: int = 2000) -> float:
    """Mean distance of all pairs among at most ``limit`` points, drawn with ``seed``."""
    from scipy.spatial.distance import pdist

    if len(points) > limit:
        points = points[np.random.default_rng(seed).choice(len(points), limit, replace=False)]
    return float(pdist(points).mean())


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed Keras and its backend; the caller's ``random`` and ``numpy.random`` come out as they went in."""
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
        The loss is not finite after an epoch.
    """
    size = min(plan.batch_size or len(points), len(points))
    steps = len(points) // size
    model.build((None, points.shape[1]))
    epoch = _epoch(model, points, plan, steps)
    draw = np.random.default_rng(seed)
    for done in range(1, plan.epochs + 1):
        order = draw.permutation(len(points))[: steps * size].reshape(steps, size).astype(np.int32)
        loss = epoch(order)
        if not np.isfinite(loss):
            raise TrainingError(
                f"{model.name}: the loss is {loss} after epoch {done} of {plan.epochs}; "
                "lower learning_rate, or check X for outliers"
            )
        if progress is not None:
            progress(done, plan.epochs)
    # Called outside the compiled graph once, the model lets go of the losses that belong to it.
    model(points[:1])


def _epoch(model: Any, points: NDArray[np.float32], plan: Plan, steps: int) -> Epoch:
    keras = require_keras()
    schedule = keras.optimizers.schedules.CosineDecay(plan.learning_rate, steps * plan.epochs)
    optimizer = keras.optimizers.Adam(schedule)
    factor = 1.0 / float(points.var(axis=0, dtype=np.float64).mean())
    make = _compiled_epoch if keras.backend.backend() == "tensorflow" else _fitted_epoch
    return make(model, points, optimizer, factor)


def _compiled_epoch(model: Any, points: NDArray[np.float32], optimizer: Any, factor: float) -> Epoch:
    import tensorflow as tf

    optimizer.build(model.trainable_variables)
    data = tf.constant(points)

    @tf.function(jit_compile=True)  # type: ignore[untyped-decorator,unused-ignore]
    def run(order: Any) -> Any:
        total = tf.constant(0.0)
        for step in tf.range(tf.shape(order)[0]):
            batch = tf.gather(data, order[step])
            with tf.GradientTape() as tape:
                error = model(batch, training=True) - batch
                loss = factor * tf.reduce_mean(tf.square(error)) + sum(model.losses)
            optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
            total += loss
        return total / tf.cast(tf.shape(order)[0], tf.float32)

    return lambda order: float(run(tf.constant(order)))


def _fitted_epoch(model: Any, points: NDArray[np.float32], optimizer: Any, factor: float) -> Epoch:
    model.compile(optimizer, loss="mse", loss_weights=[factor])

    def run(order: NDArray[np.int32]) -> float:
        batches = points[order.ravel()]
        history = model.fit(batches, batches, batch_size=order.shape[1], shuffle=False, verbose=0)
        return float(history.history["loss"][-1])

    return run
