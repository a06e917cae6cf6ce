"""One epoch of training as one call: compiled on TensorFlow, by ``Model.fit`` elsewhere.

Compiling costs as much as many epochs. So a compiled epoch is kept, with the model and the optimizer that it
trains, for the next fit of an equal model on as many points: weights are copied in and out, and the optimizer
starts from nothing again, so that a second fit takes the same steps as a first one would.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench.keras._require import require_keras

__all__ = ["Epochs", "Kept", "epochs_of"]

# Rows of each step, noise of each step -> mean loss.
Run = Callable[[NDArray[np.int32], NDArray[np.float32]], float]
# Points, factor of the squared error -> the call above.
Begin = Callable[[NDArray[np.float32], float], Run]


@dataclass(frozen=True)
class Epochs:
    """A model, its optimizer, and what trains the one with the other."""

    model: Any
    optimizer: Any
    begin: Begin

    @classmethod
    def of(cls, model: Any, features: int, rate: float, steps: int, xla: bool) -> Epochs:
        """Make a twin of ``model`` and an epoch for it; the rate falls to 0 over ``steps`` steps."""
        keras = require_keras()
        twin = type(model).from_config(model.get_config())
        twin.build((None, features))
        optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(rate, steps))
        optimizer.build(twin.trainable_variables)
        make = _compiled if keras.backend.backend() == "tensorflow" else _fitted
        return cls(twin, optimizer, make(twin, optimizer, xla))

    def start(self, weights: list[NDArray[Any]], points: NDArray[np.float32], factor: float) -> Run:
        """Go back to before the first step, with these weights, and return what trains on these points."""
        self.model.set_weights(weights)
        for variable in self.optimizer.variables:
            variable.assign(np.zeros(variable.shape, variable.dtype))
        return self.begin(points, factor)


class Kept:
    """The epochs used last, by what they were made for."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._entries: OrderedDict[object, Epochs] = OrderedDict()

    def clear(self) -> None:
        """Forget them all."""
        self._entries.clear()

    def values(self) -> list[Epochs]:
        """Return them, the one that was unused for longest first."""
        return list(self._entries.values())

    def take(self, key: object, make: Callable[[], Epochs]) -> Epochs:
        """Take an entry out, or make one: who holds it has it alone, in whatever thread."""
        return self._entries.pop(key, None) or make()

    def give(self, key: object, epochs: Epochs) -> None:
        """Put an entry (back) in, and drop the one that was unused for longest."""
        self._entries[key] = epochs
        while len(self._entries) > self.limit:
            self._entries.popitem(last=False)


_KEPT = Kept(limit=4)


@contextmanager
def epochs_of(model: Any, points: NDArray[np.float32], rate: float, steps: int, xla: bool = True) -> Iterator[Run]:
    """Give the call that trains ``model`` for an epoch; the model has its new weights when the context ends.

    Squared errors are divided by the variance of the points. ``steps`` is that of the whole training.
    """
    key = (type(model), repr({**model.get_config(), "name": None}), points.shape, rate, steps, xla)
    epochs = _KEPT.take(key, lambda: Epochs.of(model, points.shape[1], rate, steps, xla))
    factor = 1.0 / float(points.var(axis=0, dtype=np.float64).mean())
    yield epochs.start(model.get_weights(), points, factor)
    model.set_weights(epochs.model.get_weights())
    _KEPT.give(key, epochs)


def _compiled(model: Any, optimizer: Any, xla: bool) -> Begin:
    import tensorflow as tf

    variables = model.trainable_variables

    # The points are an argument, not a constant: other points of the same shape need no new compilation.
    @tf.function(jit_compile=xla)  # type: ignore[untyped-decorator,unused-ignore]
    def epoch(points: Any, factor: Any, order: Any, noise: Any) -> Any:
        total = tf.constant(0.0)
        for step in tf.range(tf.shape(order)[0]):
            batch = tf.gather(points, order[step])
            with tf.GradientTape() as tape:
                loss = _loss(model, batch, noise[step], factor)
            optimizer.apply(tape.gradient(loss, variables), variables)
            total += loss
        return total / tf.cast(tf.shape(order)[0], tf.float32)

    def begin(points: NDArray[np.float32], factor: float) -> Run:
        fixed = tf.constant(points), tf.constant(factor, tf.float32)
        return lambda order, noise: float(epoch(*fixed, tf.constant(order), tf.constant(noise)))

    return begin


def _loss(model: Any, batch: Any, noise: Any, factor: Any) -> Any:
    from keras import ops

    # Random numbers are slow to draw under XLA on a CPU, six times a whole step: they come from outside.
    extra = {"noise": noise} if model.noise_size else {}
    output = model(batch, training=True, **extra)
    loss = sum(model.losses, ops.zeros(()))
    return loss + factor * ops.mean(ops.square(output - batch)) if model.reconstructs else loss


def _fitted(model: Any, optimizer: Any, xla: bool) -> Begin:
    """Elsewhere a model draws its noise by itself."""

    def begin(points: NDArray[np.float32], factor: float) -> Run:
        model.compile(optimizer, loss="mse", loss_weights=[factor], jit_compile=xla)

        def run(order: NDArray[np.int32], noise: NDArray[np.float32]) -> float:
            batches = points[order.ravel()]
            history = model.fit(batches, batches, batch_size=order.shape[1], shuffle=False, verbose=0)
            return float(history.history["loss"][-1])

        return run

    return begin
