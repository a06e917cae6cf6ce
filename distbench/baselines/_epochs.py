"""One epoch of training as one call: compiled on TensorFlow, by ``Model.fit`` elsewhere.

Compiling costs as much as many epochs. So a compiled epoch is cached with its model and optimizer. The next fit of an
equal model on as many points copies its weights in and out and resets the optimizer, so it takes the same steps as a
fit that compiles.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench._util.keras import require_keras

__all__ = ["Epochs", "Kept", "epochs_of"]

# Takes the rows and the noise of each step, returns the mean loss.
Run = Callable[[NDArray[np.int32], NDArray[np.float32]], float]
# Takes the points, returns the function above.
Begin = Callable[[NDArray[np.float32]], Run]


@dataclass(frozen=True)
class Epochs:
    """A model, its optimizer, and the function that trains the model with it."""

    model: Any
    optimizer: Any
    begin: Begin

    @classmethod
    def of(cls, model: Any, features: int, rate: float, steps: int, xla: bool) -> Epochs:
        """Make a copy of ``model`` and an epoch for it; the learning rate falls to 0 over ``steps`` steps."""
        keras = require_keras()
        twin = type(model).from_config(model.get_config())
        twin.build((None, features))
        optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(rate, steps))
        optimizer.build(twin.trainable_variables)
        make = _compiled if keras.backend.backend() == "tensorflow" else _fitted
        return cls(twin, optimizer, make(twin, optimizer, xla))

    def start(self, weights: list[NDArray[Any]], points: NDArray[np.float32]) -> Run:
        """Reset the optimizer, set these weights, and return the function that trains on these points."""
        self.model.set_weights(weights)
        for variable in self.optimizer.variables:
            variable.assign(np.zeros(variable.shape, variable.dtype))
        return self.begin(points)


class Kept:
    """A cache of the compiled epochs that were used last."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._entries: OrderedDict[object, Epochs] = OrderedDict()

    def clear(self) -> None:
        """Remove all entries."""
        self._entries.clear()

    def values(self) -> list[Epochs]:
        """Return the entries, least recently used first."""
        return list(self._entries.values())

    def take(self, key: object, make: Callable[[], Epochs]) -> Epochs:
        """Remove and return an entry, or make one: no other thread can use it meanwhile."""
        return self._entries.pop(key, None) or make()

    def give(self, key: object, epochs: Epochs) -> None:
        """Put an entry (back) in, and drop the least recently used one."""
        self._entries[key] = epochs
        while len(self._entries) > self.limit:
            self._entries.popitem(last=False)


_KEPT = Kept(limit=4)


@contextmanager
def epochs_of(model: Any, points: NDArray[np.float32], rate: float, steps: int, xla: bool = True) -> Iterator[Run]:
    """Yield the function that trains ``model`` for an epoch; the model gets its new weights when the context ends.

    ``steps`` counts the steps of the whole training.
    """
    key = (type(model), repr(_nameless(model.get_config())), points.shape, rate, steps, xla)
    epochs = _KEPT.take(key, lambda: Epochs.of(model, points.shape[1], rate, steps, xla))
    yield epochs.start(model.get_weights(), points)
    model.set_weights(epochs.model.get_weights())
    _KEPT.give(key, epochs)


def _nameless(config: Any) -> Any:
    """Return a configuration without names: Keras counts them up, so those of equal layers differ."""
    if isinstance(config, dict):
        return {key: _nameless(value) for key, value in config.items() if key != "name"}
    return [_nameless(value) for value in config] if isinstance(config, (list, tuple)) else config


def _compiled(model: Any, optimizer: Any, xla: bool) -> Begin:
    import tensorflow as tf

    variables = model.trainable_variables

    # The points are an argument, not a constant: other points of the same shape need no new compilation.
    @tf.function(jit_compile=xla)  # type: ignore[untyped-decorator,unused-ignore]
    def epoch(points: Any, order: Any, noise: Any) -> Any:
        total = tf.constant(0.0)
        for step in tf.range(tf.shape(order)[0]):
            batch = tf.gather(points, order[step])
            with tf.GradientTape() as tape:
                loss = _loss(model, batch, noise[step])
            optimizer.apply(tape.gradient(loss, variables), variables)
            total += loss
        return total / tf.cast(tf.shape(order)[0], tf.float32)

    def begin(points: NDArray[np.float32]) -> Run:
        fixed = tf.constant(points)
        return lambda order, noise: float(epoch(fixed, tf.constant(order), tf.constant(noise)))

    return begin


def _loss(model: Any, batch: Any, noise: Any) -> Any:
    # Random numbers are slow to draw under XLA on a CPU, six times a whole step: they come from outside.
    extra = {"noise": noise} if model.noise_size else {}
    return model.compute_loss(batch, batch, model(batch, training=True, **extra))


def _fitted(model: Any, optimizer: Any, xla: bool) -> Begin:
    """Return a function that trains by ``Model.fit``; the model then draws its own noise."""
    keras = require_keras()

    def begin(points: NDArray[np.float32]) -> Run:
        model.compile(optimizer, jit_compile=xla)

        def run(order: NDArray[np.int32], noise: NDArray[np.float32]) -> float:
            batches = points[order.ravel()]
            # The rows come in order, with their partners if there are any: no model needs a fit() of its own for them.
            history = keras.Model.fit(model, batches, batches, batch_size=order.shape[1], shuffle=False, verbose=0)
            return float(history.history["loss"][-1])

        return run

    return begin
