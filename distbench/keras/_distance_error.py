"""The loss on pairwise distances for ``compile``."""

from __future__ import annotations

from typing import Any

import keras

from distbench._util.distances import EUCLIDEAN
from distbench.errors import InputError
from distbench.keras._checks import check_scale
from distbench.keras._losses import check_settings, pairwise_distance_loss

__all__ = ["PairwiseDistanceError"]


@keras.saving.register_keras_serializable(package="distbench")
class PairwiseDistanceError(keras.losses.Loss):  # type: ignore[misc,unused-ignore]
    """Loss for ``compile``: how far distances of codes, ``y_pred``, are from distances of inputs, ``y_true``.

    It is :func:`pairwise_distance_loss` of a batch, which lists the formulas.

    Parameters
    ----------
    form, scale, pairs, max_points, distance
        As in :func:`pairwise_distance_loss`.
    name : str
        Name of the loss.
    dtype : str, optional
        Inputs and codes are cast to it first; float32 by default.
    **kwargs
        Passed to ``keras.losses.Loss``.

    Raises
    ------
    distbench.errors.InputError
        As :func:`pairwise_distance_loss`; or sample weights are given: a batch has one loss, which belongs to pairs.

    Examples
    --------
    >>> encoder = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    >>> encoder.compile("adam", PairwiseDistanceError())
    >>> history = encoder.fit(X_test, X_test, verbose=0)
    """

    def __init__(
        self,
        form: str = "scaled",
        scale: float | None = None,
        pairs: str = "all",
        max_points: int = 128,
        distance: str = EUCLIDEAN,
        name: str = "pairwise_distance_error",
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, dtype=dtype or "float32", **kwargs)
        check_settings(form, scale, pairs, max_points, distance)
        self.settings = {"form": form, "scale": check_scale(scale), "pairs": pairs, "max_points": int(max_points)}
        self.settings["distance"] = distance

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Return the loss of a batch, shape ()."""
        if sample_weight is not None:
            raise InputError("sample_weight", "given", "pass none: the loss is one number for all pairs of a batch")
        return super().__call__(y_true, y_pred)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the loss of codes ``y_pred`` (n, ...) of inputs ``y_true`` (n, ...)."""
        return pairwise_distance_loss(y_true, y_pred, **self.settings)  # type: ignore[arg-type]

    def get_config(self) -> dict[str, Any]:
        """Return what ``from_config`` needs to make this loss again."""
        return {**super().get_config(), "dtype": self.dtype, **self.settings}
