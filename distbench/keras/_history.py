"""Parts of a loss in the history of a training run."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

__all__ = ["LossMean", "replicas"]


class LossMean(keras.metrics.Mean):  # type: ignore[misc,unused-ignore]
    """Mean of a loss over points; NaN if there was none."""

    def result(self) -> Any:
        return ops.where(self.count > 0, super().result(), float("nan"))


def replicas() -> int:
    """Return in how many copies of the model TensorFlow adds up gradients; their losses are shares of the loss."""
    if keras.backend.backend() != "tensorflow":
        return 1
    import tensorflow as tf

    return int(tf.distribute.get_strategy().num_replicas_in_sync)
