"""A loss on neighbors: near points get near codes."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from distbench.errors import InputError
from distbench.keras._checks import is_between
from distbench.keras._distances import batch_shape, squared_lengths, to_rows
from distbench.keras._history import replicas
from distbench.keras._loss_layer import LossLayer

__all__ = ["NeighborLoss", "neighbor_loss"]


def neighbor_loss(anchors: Any, partners: Any, *, temperature: float = 0.03) -> Any:
    r"""Return how badly the codes of a batch tell each anchor's partner from those of the other anchors.

    .. math:: \frac1n \sum_i -\log \frac{\exp(-b_{ii}^2 / \tau s)}{\sum_j \exp(-b_{ij}^2 / \tau s)}

    with b_ij the distance of the codes of anchor i and partner j, s the mean of all b_ij^2, and tau the temperature.

    Parameters
    ----------
    anchors, partners : tensor, shape (n, ...)
        Codes of points, and in the same order codes of one near neighbor of each. Axes after the first are flattened;
        ``n`` may be known at run time alone.
    temperature : float
        Above 0. The smaller it is, the fewer of the nearest codes count.

    Returns
    -------
    tensor, shape ()
        In float32, at least 0. 0 for fewer than two anchors; log n if all codes coincide, with a gradient of 0.

    Raises
    ------
    distbench.errors.InputError
        ``temperature`` is not above 0, or anchors and partners differ in shape.

    Notes
    -----
    It does not change if all codes are multiplied by a number, so it sets no scale of the codes.

    References
    ----------
    .. [1] A. van den Oord, Y. Li and O. Vinyals (2018), Representation learning with contrastive predictive coding.
    """
    _check_partners(anchors, partners)
    return _loss(anchors, partners, _check_temperature(temperature))


@keras.saving.register_keras_serializable(package="distbench")
class NeighborLoss(LossLayer):
    """Layer that returns codes unchanged and, while training, adds a loss on their neighbors.

    It adds ``weight`` times :func:`neighbor_loss`, whose docstring has the formula.

    Parameters
    ----------
    weight : float, default 0.1
        At least 0. The attribute ``weight`` is a variable, which a callback can change while a model trains.
    temperature : float, default 0.03
        As in :func:`neighbor_loss`.
    **kwargs
        Passed to ``keras.layers.Layer``.

    Raises
    ------
    distbench.errors.InputError
        ``weight`` is negative, or ``temperature`` is not above 0. When it is called: anchors and partners differ in
        shape, or a batch without partners is odd, or split between TensorFlow's replicas, while training.

    Notes
    -----
    Call it as ``layer(codes)`` in a model that is trained on batches of :class:`NeighborBatches`, whose second half are
    the partners of the first; or as ``layer(anchors, partners)``. Without ``training`` it adds nothing, since other
    batches have no partners. A mask of the codes is passed on; the loss takes all their numbers.

    Examples
    --------
    >>> inputs = keras.Input((64,))
    >>> codes = NeighborLoss()(keras.layers.Dense(8)(inputs))
    >>> model = keras.Model(inputs, keras.layers.Dense(64)(codes))
    """

    def __init__(self, weight: float = 0.1, temperature: float = 0.03, **kwargs: Any) -> None:
        super().__init__(weight, **kwargs)
        self.temperature = _check_temperature(temperature)
        self.supports_masking = True

    def __call__(self, codes: Any, partners: Any = None, **kwargs: Any) -> Any:
        """Check the arguments, of which Keras would complain in many lines, and call the layer."""
        if codes is None or isinstance(codes, (list, tuple)):
            raise InputError("codes", f"found {type(codes).__name__}", "call layer(codes), or layer(anchors, partners)")
        if partners is not None:
            _check_partners(codes, partners)
        elif kwargs.get("training"):
            _check_halves(batch_shape("codes", codes)[0])
        return super().__call__(codes, partners, **kwargs)

    def build(self, codes_shape: Any, partners_shape: Any = None) -> None:
        """Do nothing: the layer's only weight does not depend on shapes."""
        self.built = True

    def call(self, codes: Any, partners: Any = None, training: bool | None = None) -> Any:
        """Add the loss of this batch if ``training``, and return ``codes`` as they came."""
        if training:
            self.add_loss(self.loss(codes, partners))
        return codes

    def loss(self, codes: Any, partners: Any = None) -> Any:
        """Return the loss of a batch, times the weight; without ``partners`` they are the second half of ``codes``."""
        if partners is None:
            half = ops.shape(codes)[0] // 2
            codes, partners = codes[:half], codes[half : 2 * half]
        return self.weight * _loss(codes, partners, self.temperature)

    def compute_output_shape(self, codes_shape: Any, partners_shape: Any = None) -> Any:
        """Return the shape of the codes."""
        return codes_shape

    def get_config(self) -> dict[str, Any]:
        """Return what ``from_config`` needs to make this layer again."""
        return {**super().get_config(), "temperature": self.temperature}


def _check_partners(anchors: Any, partners: Any) -> None:
    first, second = batch_shape("anchors", anchors), batch_shape("partners", partners)
    differ = any(None not in pair and pair[0] != pair[1] for pair in zip(first, second, strict=False))
    if len(first) != len(second) or differ:
        raise InputError("partners", f"found shape {tuple(second)} for anchors of {tuple(first)}", "pass one an anchor")


def _check_halves(n: int | None) -> None:
    if (n or 0) % 2:
        raise InputError("codes", f"found {n} while training", "pass batches of NeighborBatches")
    if replicas() > 1:
        found = f"missing, on {replicas()} replicas, which get different parts of a batch"
        raise InputError("partners", found, "call layer(anchors, partners)")


def _check_temperature(value: Any) -> float:
    if not is_between(value, 0):
        raise InputError(f"temperature: {value!r} is not a number above 0")
    return float(value)


def _loss(anchors: Any, partners: Any, temperature: float) -> Any:
    u, v = to_rows(anchors), to_rows(partners)
    squares = squared_lengths(ops.expand_dims(u, 1) - ops.expand_dims(v, 0))
    size = ops.mean(squares)
    logits = -squares / (temperature * ops.where(size > 0, size, 1.0))
    own = ops.sum(logits * ops.eye(ops.shape(logits)[0]), axis=1)
    return ops.mean(ops.logsumexp(logits, axis=1) - own)
