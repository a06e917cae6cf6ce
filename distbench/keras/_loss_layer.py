"""What the layers that add a loss have in common: a weight that can change while a model trains."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from distbench.keras._checks import check_weight

__all__ = ["LossLayer"]


class LossLayer(keras.layers.Layer):  # type: ignore[misc,unused-ignore]
    """Layer that returns its first argument unchanged and adds a loss, times ``weight``.

    Parameters
    ----------
    weight : float
        At least 0.
    **kwargs
        Passed to ``keras.layers.Layer``.

    Raises
    ------
    distbench.errors.InputError
        ``weight`` is negative.
    """

    def __init__(self, weight: float, **kwargs: Any) -> None:
        # Half precision would round points before their distances are taken.
        super().__init__(autocast=False, **kwargs)
        initial = keras.initializers.Constant(check_weight("weight", weight))
        # A number would be a constant of a compiled step, which no callback could change.
        self._weight = self.add_weight(
            shape=(), initializer=initial, dtype="float32", trainable=False, autocast=False, name="weight"
        )

    @property
    def weight(self) -> Any:
        """Weight of the loss: a variable of type float32 that is not trained; ``weight.assign(2.0)`` changes it."""
        return self._weight

    @weight.setter
    def weight(self, value: float) -> None:
        self._weight.assign(check_weight("weight", value))

    def get_config(self) -> dict[str, Any]:
        """Return what ``from_config`` needs to make this layer again, with the weight that it has now."""
        # The shortest decimal number that is this float32: 0.1, not 0.10000000149011612.
        return {**super().get_config(), "weight": float(str(ops.convert_to_numpy(self.weight)))}
