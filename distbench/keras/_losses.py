"""Losses on pairwise distances."""

from __future__ import annotations

from math import prod
from typing import Any

import keras
from keras import ops

from distbench._util.checks import whole_number
from distbench._util.distances import EUCLIDEAN, INPUT_DISTANCES
from distbench.errors import InputError
from distbench.keras._checks import check_scale
from distbench.keras._distances import PRECOMPUTED, batch_shape, check_distance, next_distances, pairwise_distances
from distbench.keras._forms import FORMS
from distbench.keras._loss_layer import LossLayer
from distbench.keras._moments import known

__all__ = ["PairwiseDistanceLoss", "check_settings", "pairwise_distance_loss"]

PAIRS = ("all", "sampled")


def pairwise_distance_loss(
    inputs: Any,
    codes: Any,
    *,
    form: str = "scaled",
    scale: float | None = None,
    pairs: str = "all",
    max_points: int = 128,
    distance: str = EUCLIDEAN,
) -> Any:
    """Return how far distances of codes are from distances of inputs, over pairs of a batch.

    With a and b the distances of a pair's inputs and codes, and means and sums over pairs:

    ============= ==================================== ================= ========================================
    form          loss                                 range             codes
    ============= ==================================== ================= ========================================
    `scaled`      mean (a - b)^2 / scale^2             [0, inf)          keep the units of the inputs
    `sammon`      (1 / sum a) sum (a - b)^2 / a        [0, inf)          keep the units; small distances weigh more
    `log_ratio`   mean log(b / a)^2                    [0, inf)          keep the units; all distances weigh alike
    `stress`      1 - (sum ab)^2 / (sum a^2 sum b^2)   [0, 1]            one common factor is free
    `correlation` 1 - Pearson's r of a and b           [0, 2]            a common factor and a constant are free
    ============= ==================================== ================= ========================================

    Parameters
    ----------
    inputs, codes : tensor, shape (n, ...)
        A batch, or features of it, and what encodes it, of any float types; axes after the first are flattened. ``n``
        may be known at run time alone.
    form : str
        See the table. `stress` is the square of the metric `scaled_stress`; `sammon` (Sammon 1969) is the metric of
        the same name.
    scale : float or None
        Mean distance of the training points. None: the mean over the pairs of each batch.
    pairs : {"all", "sampled"}
        "all": of the first ``max_points`` points of the batch, at a cost of n * n. "sampled": each point with the
        next one of the batch, the last with the first: as many pairs as points, at a cost of n. Those are random
        pairs if the batch is shuffled, as ``fit`` does.
    max_points : int
        Bound on the points of "all".
    distance : {"euclidean", "cosine", "cityblock", "precomputed"}
        Distance of inputs, as :func:`pairwise_distances` has it; that of codes is Euclidean. "precomputed": ``inputs``
        are the distances of the batch themselves, shape (n, n).

    Returns
    -------
    tensor, shape ()
        In float32. 0 where the batch has no pair, or its inputs all coincide: then there is no loss.

    Raises
    ------
    distbench.errors.InputError
        ``form``, ``pairs`` or ``distance`` is unknown, ``scale`` is not above 0, ``max_points`` is below 2, or
        ``inputs`` and ``codes`` are batches of different sizes, look swapped, or are symbolic tensors of a functional
        model; or distances are not square.

    Notes
    -----
    Everything is computed in float32, and gradients are finite wherever points coincide, compiled or not. **If all
    codes of a batch coincide, the gradient is 0** and nothing moves them apart.

    Below a thousandth of the scale a distance counts as that thousandth where `sammon` divides by it; `log_ratio`
    adds the square of that thousandth to a^2 and b^2. So both stay finite.

    `correlation` lets small distances become 0 as long as the large ones stay proportional: on nested spheres it gave
    distinct points the same code.
    """
    check_settings(form, scale, pairs, max_points, distance)
    for name, points in (("inputs", inputs), ("codes", codes)):
        if isinstance(points, keras.KerasTensor):
            raise InputError(name, "found a symbolic tensor of Keras", "use the layer PairwiseDistanceLoss in a model")
    _check_batches(inputs, codes, distance)
    return _loss(inputs, codes, form, scale, pairs, max_points, distance)


@keras.saving.register_keras_serializable(package="distbench")
class PairwiseDistanceLoss(LossLayer):
    """Layer that returns codes unchanged and adds a loss on their distances.

    It adds ``weight`` times :func:`pairwise_distance_loss`, which lists the formulas. In the default form that is
    ``mean((a - b)^2) / scale^2`` over all pairs of a batch, with a the distance of two inputs and b that of their
    codes. Dividing by the scale makes one weight mean the same on any data; codes keep the units of the inputs.

    Parameters
    ----------
    weight : float, default 1.0
        At least 0. The attribute ``weight`` is a variable, which a callback can change while a model trains.
    scale : float or None
        Mean distance of the training points. None: the mean of each batch. `stress` and `correlation` need none.
    max_points : int, default 128
        With all pairs, they are formed among at most so many points, the first of the batch: n points make n * n
        differences.
    form : {"scaled", "sammon", "log_ratio", "stress", "correlation"}
        The first three keep the units of the inputs; the last two leave a common factor free.
    pairs : {"all", "sampled"}
        All pairs, or each point with the next one of the shuffled batch: as many pairs as points. Sample where
        batches are larger than ``max_points``.
    distance : {"euclidean", "cosine", "cityblock", "precomputed"}
        Distance of inputs; that of codes is Euclidean. "precomputed": call the layer with the distances of the batch,
        shape (n, n), instead of inputs.
    **kwargs
        Passed to ``keras.layers.Layer``.

    Raises
    ------
    distbench.errors.InputError
        ``weight`` is negative, ``scale`` is not above 0, ``max_points`` is below 2, or ``form``, ``pairs`` or
        ``distance`` is unknown. When it is called: codes or inputs are missing, swapped, or batches of different sizes.

    Notes
    -----
    Call it as ``layer(codes, inputs)``, between encoder and decoder. In the place of inputs it also takes features of
    them: another input of the model, or the output of a trained network.

    If all codes of a batch coincide, the gradient is 0 and cannot move them apart. A mask of the codes is passed on;
    the loss takes all their numbers.

    Examples
    --------
    >>> inputs = keras.Input((64,))
    >>> codes = keras.layers.Dense(8)(inputs)
    >>> codes = PairwiseDistanceLoss(weight=10.0, scale=3.0)(codes, inputs)
    >>> model = keras.Model(inputs, keras.layers.Dense(64)(codes))
    """

    def __init__(
        self,
        weight: float = 1.0,
        scale: float | None = None,
        max_points: int = 128,
        form: str = "scaled",
        pairs: str = "all",
        distance: str = EUCLIDEAN,
        **kwargs: Any,
    ) -> None:
        super().__init__(weight, **kwargs)
        check_settings(form, scale, pairs, max_points, distance)
        self.scale = check_scale(scale)
        self.max_points = int(max_points)
        self.form = form
        self.pairs = pairs
        self.distance = distance
        self.supports_masking = True

    def __call__(self, codes: Any, inputs: Any = None, **kwargs: Any) -> Any:
        """Check the arguments, which Keras would refuse in many lines, and call the layer."""
        if inputs is None:
            raise InputError("inputs", "missing", "call layer(codes, inputs)")
        _check_batches(inputs, codes, self.distance)
        symbolic = isinstance(codes, keras.KerasTensor) and isinstance(inputs, keras.KerasTensor)
        if symbolic and inputs is not codes and any(codes is one for one in keras.utils.get_source_inputs(inputs)):
            raise InputError("codes", "found what the inputs are computed from", "call layer(codes, inputs)")
        return super().__call__(codes, inputs, **kwargs)

    def build(self, codes_shape: Any, inputs_shape: Any) -> None:
        """Do nothing: the layer's only weight does not depend on shapes."""
        self.built = True

    def call(self, codes: Any, inputs: Any) -> Any:
        """Add the loss of this batch and return ``codes`` unchanged."""
        self.add_loss(self.loss(codes, inputs, self.scale))
        return codes

    def loss(self, codes: Any, inputs: Any, scale: Any) -> Any:
        """Return the loss of a batch, times the weight; ``scale`` may be a variable, which counts if it is above 0."""
        settings = self.form, scale, self.pairs, self.max_points, self.distance
        return self.weight * _loss(inputs, codes, *settings)

    def compute_output_shape(self, codes_shape: Any, inputs_shape: Any) -> Any:
        """Return the shape of the codes."""
        return codes_shape

    def get_config(self) -> dict[str, Any]:
        """Return what ``from_config`` needs to make this layer again."""
        names = ("scale", "max_points", "form", "pairs", "distance")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


def check_settings(form: str, scale: float | None, pairs: str, max_points: int, distance: str) -> None:
    for name, value, known in (("form", form, tuple(FORMS)), ("pairs", pairs, PAIRS)):  # noqa: F402 - hides no use
        if value not in known:
            raise InputError(f"{name}: {value!r} is unknown; pass one of {', '.join(known)}")
    check_scale(scale)
    check_distance(distance, (*INPUT_DISTANCES, PRECOMPUTED))
    whole_number(max_points, "max_points", 2, "pass a whole number, 2 or more: fewer points have no pair")


def _check_batches(inputs: Any, codes: Any, distance: str) -> None:
    """Raise InputError for batches of different sizes, and for codes that can only be the inputs."""
    (n, *size), (m, *width) = batch_shape("inputs", inputs), batch_shape("codes", codes)
    if None not in (n, m) and n != m:
        raise InputError("codes", f"found {m} for {n} inputs", "pass the codes of the same batch")
    if distance == PRECOMPUTED:
        if len(size) != 1 or (None not in (n, *size) and n != size[0]):
            raise InputError("inputs", f"found shape {(n, *size)}", "pass the distances of the batch, shape (n, n)")
        return
    numbers, code_numbers = (prod(length or 0 for length in shape) for shape in (size, width))  # 0: not known yet
    # Float codes may well be wider than their inputs.
    if _is_whole(codes) and not _is_whole(inputs) and 0 < numbers < code_numbers:
        found = f"found {code_numbers} whole numbers for inputs of {numbers}"
        raise InputError("codes", found, "they look swapped with the inputs")


def _is_whole(points: Any) -> bool:
    return "int" in keras.backend.standardize_dtype(getattr(points, "dtype", "float32"))


def _loss(inputs: Any, codes: Any, form: str, scale: Any, pairs: str, max_points: int, distance: str) -> Any:
    if pairs == "all":
        inputs = inputs[:max_points, :max_points] if distance == PRECOMPUTED else inputs[:max_points]
        a, b = _input_distances(inputs, pairs, distance), pairwise_distances(codes[:max_points])
        each = ops.arange(ops.shape(a)[0])
        keep = ops.cast(ops.expand_dims(each, 1) != each, "float32")
    else:
        a, b = _input_distances(inputs, pairs, distance), next_distances(codes)
        # The only point of a batch of one is its own next point, which is no pair.
        keep = ops.ones_like(a) * ops.cast(ops.shape(a)[0] > 1, "float32")
    found = ops.sum(a) / ops.maximum(ops.sum(keep), 1.0)
    unit = found if scale is None else known(scale, found)
    loss = FORMS[form](a, b, keep, ops.where(unit > 0, unit, 1.0))
    # Inputs that all coincide have no scale; they add no loss.
    return ops.where(found <= 0, 0.0, loss)


def _input_distances(inputs: Any, pairs: str, distance: str) -> Any:
    if distance != PRECOMPUTED:
        return (pairwise_distances if pairs == "all" else next_distances)(inputs, distance)
    given = ops.cast(inputs, "float32")
    each = ops.arange(ops.shape(given)[0])
    # Whatever stands on the diagonal, a point is no pair with itself.
    given = ops.where(ops.expand_dims(each, 1) == each, 0.0, given)
    if pairs == "all":
        return given
    after = ops.concatenate([each[1:], each[:1]])
    return ops.take_along_axis(given, ops.expand_dims(after, 1), axis=1)[:, 0]
