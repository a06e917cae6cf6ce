"""Gradients of the pairwise-distance losses: values, coinciding points, and precisions."""

from __future__ import annotations

import functools
import itertools
from typing import Any

import numpy as np
import pytest
from frameworks import dk, keras, tf
from keras_formulas import DISTANCES, FORMS, PAIRS, X, Z, bare, by_definition
from nightly import over_all

POLICIES = ["float32", "mixed_float16", "mixed_bfloat16", "float16", "bfloat16"]


def slopes(codes: Any, inputs: Any, settings: Any) -> Any:
    with tf.GradientTape() as tape:
        tape.watch([codes, inputs])
        loss = dk.pairwise_distance_loss(inputs, codes, **dict(settings))
    return tape.gradient(loss, [codes, inputs])


@functools.cache
def compiled(*settings: Any) -> Any:
    return tf.function(lambda codes, inputs: slopes(codes, inputs, settings), jit_compile=True)


def gradients(codes: Any, inputs: Any, jit: bool = False, **settings: Any) -> Any:
    """Return the gradients of the loss by codes and inputs; compiling takes a third of a second for each shape."""
    points = tf.constant(codes), tf.constant(inputs)
    parts = compiled(*settings.items())(*points) if jit else slopes(*points, settings)
    return [part.numpy() for part in parts]


def cases(*compiled: tuple[str, str]) -> Any:
    """Parametrise over forms, pairs and compilation; compiled cases run nightly, except those in `compiled`."""
    stand = [(*each, False) for each in itertools.product(FORMS, PAIRS)] + [(*each, True) for each in compiled]
    return over_all(("form", "pairs", "jit"), FORMS, PAIRS, (False, True), stand=stand)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("pairs", PAIRS)
def test_slopes_are_those_of_the_formulas(form: str, pairs: str) -> None:
    exact = gradients(Z, X, form=form, pairs=pairs)
    for k, (i, j) in [(0, (0, 0)), (0, (3, 1)), (0, (11, 0)), (1, (0, 4)), (1, (7, 2))]:
        values = []
        for sign in (1, -1):
            moved = [Z.astype("float64"), X.astype("float64")]
            moved[k][i, j] += sign * 1e-5
            values.append(by_definition(moved[1], moved[0], form, pairs))
        assert exact[k][i, j] == pytest.approx((values[0] - values[1]) / 2e-5, rel=2e-3, abs=1e-6)


@cases(*((form, "all") for form in FORMS), ("correlation", "sampled"))
def test_gradients_are_finite_wherever_points_coincide(form: str, pairs: str, jit: bool) -> None:
    def merged(points: Any, same: int) -> Any:
        return np.concatenate([np.repeat(points[:1], same, axis=0), points[same:]])

    for same_codes, same_inputs in [(2, 0), (0, 2), (3, 3), (12, 0), (0, 12), (12, 12)]:
        codes, inputs = merged(Z, same_codes), merged(X, same_inputs)
        parts = gradients(codes, inputs, jit, form=form, pairs=pairs)
        assert all(np.isfinite(part).all() for part in parts), (same_codes, same_inputs)
        assert np.isfinite(bare(inputs, codes, form=form, pairs=pairs))
        # If all coincide, no point has a direction to move in; otherwise each has, from the other points of its pairs.
        moves = np.abs(parts[0]).max(axis=1) > 0
        assert not moves.any() if max(same_codes, same_inputs) == 12 else moves.all() or pairs == "sampled"


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("distance", DISTANCES[1:])
def test_other_distances_have_the_slopes_of_their_formulas_and_finite_ones_at_zeros(distance: str, jit: bool) -> None:
    exact = gradients(Z, X, jit, distance=distance)[1]
    for i, j in [(0, 4), (7, 2)]:
        values = []
        for sign in (1, -1):
            moved = X.astype("float64")
            moved[i, j] += sign * 1e-5
            values.append(by_definition(moved, Z, "scaled", metric=distance))
        assert exact[i, j] == pytest.approx((values[0] - values[1]) / 2e-5, rel=2e-3, abs=1e-6)
    inputs = X.copy()
    inputs[:3], inputs[3:5] = 0, inputs[5]
    for pairs in PAIRS:
        settings = {"distance": distance, "pairs": pairs}
        assert all(np.isfinite(part).all() for part in gradients(Z, inputs, jit, **settings))
        assert np.isfinite(bare(inputs, Z, **settings))


def test_inputs_that_coincide_ask_for_codes_that_do() -> None:
    inputs, codes = X.copy(), X.copy()
    inputs[1] = inputs[0]
    for form in ("scaled", "sammon", "log_ratio"):
        slope = gradients(codes, inputs, form=form)[0]
        assert (slope[0] - slope[1]) @ (codes[0] - codes[1]) > 0


@cases(("correlation", "all"))
def test_a_batch_of_one_has_no_pair(form: str, pairs: str, jit: bool) -> None:
    assert bare(X[:1], Z[:1], form=form, pairs=pairs) == 0
    assert all((part == 0).all() for part in gradients(Z[:1], X[:1], jit, form=form, pairs=pairs))
    assert np.isfinite(bare(X[:2], Z[:2], form=form, pairs=pairs))


@pytest.mark.parametrize("form", FORMS)
def test_half_precision_layers_pass_slopes_to_their_weights(form: str) -> None:
    """Two inputs coincide. All policies, with training, are nightly."""
    points = np.concatenate([X, X[:1]])
    for policy in ("mixed_float16", "bfloat16"):
        dense = keras.layers.Dense(3, dtype=policy)
        for pairs in PAIRS:
            loss = dk.PairwiseDistanceLoss(form=form, pairs=pairs, dtype=policy)
            with tf.GradientTape() as tape:
                loss(dense(points), points)
                (value,) = loss.losses
            (slope,) = tape.gradient(value, [dense.kernel.value])
            assert value.dtype == "float32"
            assert np.isfinite(np.asarray(slope, dtype="float32")).all()
            assert np.asarray(slope, dtype="float32").any()


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("policy", "jit"), [*((policy, False) for policy in POLICIES), ("float32", True), ("mixed_float16", True)]
)
def test_all_forms_train_under_every_policy(policy: str, jit: bool) -> None:
    """The last batch is one point, and two inputs coincide."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        keras.utils.set_random_seed(0)
        inputs = keras.Input((5,))
        codes = keras.layers.Dense(3)(inputs)
        for form in FORMS:
            for pairs in PAIRS:
                codes = dk.PairwiseDistanceLoss(0.2, form=form, pairs=pairs)(codes, inputs)
        model = keras.Model(inputs, keras.layers.Dense(5)(codes))
        # Not Adam: in pure bfloat16 its second rate rounds to 1, and it stands still.
        model.compile(keras.optimizers.SGD(0.05), "mse", jit_compile=jit)
        points = np.concatenate([X, X[:1]])
        losses = model.fit(points, points, batch_size=4, epochs=8, verbose=0, shuffle=False).history["loss"]
    finally:
        keras.config.set_dtype_policy(before)
    assert np.isfinite(losses).all()
    assert losses[-1] < losses[0] * 0.9
    assert all(np.isfinite(np.asarray(weight, dtype="float32")).all() for weight in model.get_weights())
