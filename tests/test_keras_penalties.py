"""The terms that models add to the loss: denoising, contractive, variational, isometric, topological, distances."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from frameworks import dk, keras, tf
from keras_formulas import FORMS, PAIRS, jacobian
from nightly import over_all
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.spatial.distance import pdist, squareform
from scipy.stats import norm

from distbench.errors import InputError

DRAW = np.random.default_rng(0)
X = DRAW.normal(size=(20, 6)).astype("float32")


def added(model: Any, points: Any = X, **noise: Any) -> float:
    model(points, training=True, **noise)
    return float(sum(model.losses))


def built(model: Any, features: int = 6) -> Any:
    keras.utils.set_random_seed(1)
    model.build((None, features))
    return model


def rotated(model: Any, factor: float = 1.0) -> Any:
    """Make encoder and decoder an orthogonal projection and its transpose, times and divided by a factor."""
    basis = np.linalg.qr(DRAW.normal(size=(6, 2)))[0].astype("float32")
    model.encoder.layers[0].set_weights([basis * factor, np.ones(2)])
    model.decoder.layers[0].set_weights([basis.T / factor, np.ones(6)])
    return model


@pytest.mark.parametrize(
    "make",
    [
        lambda: dk.ContractiveAutoencoder(2, weight=0.1, hidden=(4,)),
        lambda: dk.IsometricAutoencoder(2, weight=0.2, hidden=(4,)),
        lambda: dk.TopologicalAutoencoder(2, weight=2.0, hidden=(4,)),
        lambda: dk.DistancePreservingAutoencoder(2, weight=3.0, hidden=(4,)),
    ],
    ids=["contractive", "isometric", "topological", "distances"],
)
def test_gradients_are_numbers_where_all_hidden_units_are_dead(make: Any) -> None:
    """Codes coincide then, though the points do not."""
    model = built(make())
    kernel, bias = model.encoder.layers[0].get_weights()
    model.encoder.layers[0].set_weights([np.zeros_like(kernel), bias - 1])
    with tf.GradientTape() as tape:
        outputs = model(X, training=True)
        loss = sum(model.losses) + tf.reduce_mean((outputs - X) ** 2)
    gradients = [part for part in tape.gradient(loss, model.trainable_variables) if part is not None]
    assert gradients
    assert all(np.isfinite(part).all() for part in gradients)


def test_denoising_models_add_noise_in_training_alone() -> None:
    model = built(dk.DenoisingAutoencoder(2, noise=0.5))
    noise = DRAW.normal(size=X.shape).astype("float32")
    seen = np.asarray(model(X, training=True, noise=noise))
    np.testing.assert_allclose(seen, model(X + 0.5 * noise), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(model(X, training=False), model(X))
    assert not model.losses
    silent = built(dk.DenoisingAutoencoder(2, noise=0.0))
    np.testing.assert_array_equal(silent(X, training=True), silent(X))


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_the_contractive_penalty_is_that_of_the_exact_jacobian(activation: str) -> None:
    model = built(dk.ContractiveAutoencoder(3, weight=0.7, hidden=(8,), activation=activation))
    squares = (jacobian(model.encoder, X)[1] ** 2).sum(axis=(1, 2)).mean()
    expected = 0.7 * squares * X.var(axis=0).mean() / model.encode(X).var(axis=0).mean()
    # The mean over an orthogonal set of directions is the trace, exactly.
    axes = [added(model, noise=np.tile(axis, (20, 1)).astype("float32")) for axis in 5 * np.eye(3)]
    assert np.mean(axes) == pytest.approx(expected, rel=1e-2 if activation == "tanh" else 1e-5)
    drawn = [added(model) for _ in range(60)]
    assert np.mean(drawn) == pytest.approx(expected, abs=5 * np.std(drawn) / np.sqrt(60))


def test_the_contractive_penalty_cannot_be_cheated_by_shrinking() -> None:
    small, large = (built(dk.ContractiveAutoencoder(2, 1.0, hidden=())) for _ in range(2))
    small.encoder.layers[0].set_weights([1e-3 * part for part in large.encoder.layers[0].get_weights()])
    noise = DRAW.normal(size=(20, 2)).astype("float32")
    assert added(small, noise=noise) == pytest.approx(added(large, noise=noise), rel=1e-3)


def means_and_logs(model: Any) -> tuple[Any, Any]:
    first, second = model.encoder.layers
    return np.asarray(second(first(X))), np.asarray(model.log_variance(first(X)))


def test_the_divergence_is_that_of_normal_distributions() -> None:
    model = built(dk.VariationalAutoencoder(2, weight=3.0, hidden=(8,)))
    means, logs = (part.astype(np.float64) for part in means_and_logs(model))
    grid = np.linspace(-12, 12, 4001)
    total = 0.0
    for mean, log in zip(means.ravel(), logs.ravel(), strict=True):
        p = norm.pdf(grid, mean, np.exp(log / 2))
        total += np.trapezoid(p * (norm.logpdf(grid, mean, np.exp(log / 2)) - norm.logpdf(grid)), grid)
    assert added(model) == pytest.approx(3.0 * 2 / 6 * total / 20, rel=1e-3)


def test_variational_models_encode_to_the_mean_and_train_on_draws() -> None:
    model = built(dk.VariationalAutoencoder(2, hidden=(8,)))
    mean, log = means_and_logs(model)
    np.testing.assert_allclose(model.encode(X), mean, rtol=1e-5)
    noise = DRAW.normal(size=(20, 2)).astype("float32")
    drawn = model.decode(mean + np.exp(log / 2) * noise)
    np.testing.assert_allclose(model(X, training=True, noise=noise), drawn, rtol=1e-4, atol=1e-5)


def test_the_isometric_penalties_vanish_on_an_isometry() -> None:
    assert added(rotated(built(dk.IsometricAutoencoder(2, 1.0, hidden=())))) == pytest.approx(0, abs=1e-10)
    twice = added(rotated(built(dk.IsometricAutoencoder(2, 1.0, hidden=())), 2.0))
    assert twice == pytest.approx((0.5 - 1) ** 2 + (2 - 1) ** 2, rel=1e-5)


@pytest.mark.parametrize("activation", ["relu", "elu"])
def test_the_isometric_penalties_are_those_of_exact_jacobians(activation: str) -> None:
    model = built(dk.IsometricAutoencoder(2, 0.5, hidden=(8,), activation=activation))
    noise = DRAW.normal(size=(20, 2)).astype("float32")
    u = noise / np.linalg.norm(noise, axis=1, keepdims=True)
    decoder, encoder = jacobian(model.decoder, model.encode(X))[1], jacobian(model.encoder, X)[1]
    stretched = np.linalg.norm(np.einsum("nij,nj->ni", decoder, u), axis=1)
    shrunk = np.linalg.norm(np.einsum("nij,ni->nj", encoder, u), axis=1)
    expected = 0.5 * ((stretched - 1) ** 2 + (shrunk - 1) ** 2).mean()
    assert added(model, noise=noise) == pytest.approx(expected, rel=1e-3)
    np.testing.assert_allclose(model(X, training=True), model(X), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("scale", [None, 2.5])
@pytest.mark.parametrize("n", [2, 9, 20])
def test_the_topological_loss_is_that_of_the_trees_of_scipy(scale: float | None, n: int) -> None:
    model = built(dk.TopologicalAutoencoder(2, 3.0, scale, hidden=(8,), max_points=9))
    points = X[:n].astype("float64")[:9]
    a, b = squareform(pdist(points)), squareform(pdist(model.encode(points)))
    means = [((a - b)[minimum_spanning_tree(tree).nonzero()] ** 2).mean() for tree in (a, b)]
    unit = (pdist(points).mean() if scale is None else scale) ** 2
    assert added(model, X[:n]) == pytest.approx(3.0 * np.mean(means) / unit, rel=1e-4)
    assert added(model, X[:1]) == 0


@over_all(("form", "pairs"), FORMS, PAIRS, stand=[("scaled", "all"), ("stress", "sampled"), ("log_ratio", "sampled")])
def test_distance_models_add_the_loss_of_their_form_and_pairs(form: str, pairs: str) -> None:
    settings = {"form": form, "pairs": pairs, "scale": 2.0, "hidden": (8,)}
    for kind in (dk.DistancePreservingAutoencoder, dk.DistanceEncoder):
        model = built(kind(2, 4.0, **settings))
        expected = dk.pairwise_distance_loss(X, model.encode(X), form=form, pairs=pairs, scale=2.0)
        assert added(model) == pytest.approx(4.0 * float(expected), rel=1e-4)


def test_a_distance_encoder_adds_the_loss_it_is_compiled_with_where_there_are_targets() -> None:
    histories = []
    targets = DRAW.normal(size=(20, 2)).astype("float32")
    for arguments, loss in (((X,), None), ((X, X), None), ((X,), "mse"), ((X, targets), "mse")):
        model = built(dk.DistanceEncoder(2, scale=2.0, hidden=(8,)))
        model.compile("adam", loss, run_eagerly=True)
        first = np.mean((model.encode(X) - targets) ** 2)
        histories.append(model.fit(*arguments, epochs=3, shuffle=False, verbose=0).history["loss"])
    assert histories[0] == histories[1] == histories[2]
    assert histories[0][-1] < histories[0][0]
    assert histories[3][0] == pytest.approx(histories[0][0] + first, rel=1e-5)
    with pytest.raises(InputError, match="decode: a DistanceEncoder has no decoder"):
        model.decode(np.zeros((1, 2)))


@over_all(
    ("filters", "shape"),
    [(2, 3, 4), (4, 5), (4,)],
    [(7, 9), (5, 5, 3), (1, 1), (8, 8), (3, 2, 2)],
    stand=[((4,), (8, 8)), ((2, 3, 4), (7, 9)), ((2, 3, 4), (1, 1)), ((4, 5), (5, 5, 3)), ((4,), (3, 2, 2))],
)
def test_convolutions_take_images_of_any_size(filters: tuple[int, ...], shape: tuple[int, ...]) -> None:
    d = int(np.prod(shape))
    model = built(dk.ConvolutionalAutoencoder(2, shape, filters), d)
    points = DRAW.normal(size=(3, d)).astype("float32")
    assert model(points).shape == (3, d)
    assert model.encode(points).shape == (3, 2)
    if shape == (8, 8):  # images are square by default
        square = built(dk.ConvolutionalAutoencoder(2, None, filters), d)
        np.testing.assert_array_equal(square.encode(points), model.encode(points))


@pytest.mark.parametrize(
    ("options", "features", "message"),
    [
        ({}, 6, "image_shape: 6 features are no square image"),
        ({"image_shape": (2, 4)}, 6, r"image_shape: \(2, 4\) holds 8 numbers, a row has 6"),
        ({"image_shape": (6,)}, 6, r"image_shape: \(6,\); give height and width"),
        ({"image_shape": (2, 0)}, 6, "image_shape: found 0;"),
        ({"filters": ()}, 9, "filters: empty"),
        ({"filters": (4, -1)}, 9, "filters: found -1;"),
    ],
)
def test_images_that_do_not_fit_are_refused(options: dict[str, Any], features: int, message: str) -> None:
    with pytest.raises(InputError, match=message):
        dk.ConvolutionalAutoencoder(2, **options).build((None, features))
