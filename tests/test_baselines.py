"""The reference encoders: what each must do, and that fitting is honest and repeatable."""

from __future__ import annotations

import random
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from scipy.spatial.distance import cdist, pdist
from scipy.stats import spearmanr

from distbench.baselines import BASELINES, fit_baseline
from distbench.baselines.subspace import largest_principal_angle
from distbench.datasets import load_dataset
from distbench.encoders import as_encoder
from distbench.errors import InputError, MissingDependencyError, TrainingError

NAMES = ["autoencoder", "identity", "linear_autoencoder", "pairwise_autoencoder", "pca", "random_projection"]
NETWORKS = ["autoencoder", "linear_autoencoder", "pairwise_autoencoder"]
SEEDED = [*NETWORKS, "random_projection"]
X = np.random.default_rng(0).normal(size=(80, 6)) * [5, 4, 3, 2, 1, 1] + 100


def quick(name: str, points: Any = X, code_size: int = 2, seed: int = 0, **options: Any) -> Any:
    """Fit in next to no time."""
    return fit_baseline(name, points, code_size, seed, **({"epochs": 3} if name in NETWORKS else {}), **options)


@pytest.fixture(scope="module", autouse=True)
def _keras() -> None:
    pytest.importorskip("keras")
    pytest.importorskip("tensorflow")


def test_the_registry_finds_every_recipe() -> None:
    assert list(BASELINES) == NAMES
    assert [name for name in NAMES if not BASELINES[name].deterministic] == sorted(SEEDED)
    assert all(len(recipe.summary) > 20 for recipe in BASELINES.values())


def test_listing_the_names_loads_no_numpy() -> None:
    code = (
        "import sys; from distbench.baselines import BASELINES; assert len(BASELINES) == 6;"
        "assert not {'numpy', 'keras', 'sklearn'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", NAMES)
def test_a_fitted_encoder_has_codes_name_and_both_methods(name: str) -> None:
    encoder = quick(name)
    assert encoder.name == name
    codes = encoder.encode(X[:7])
    assert codes.shape == (7, 6 if name == "identity" else 2)
    assert codes.dtype == np.float64
    np.testing.assert_array_equal(encoder.transform(X[:7]), codes)
    wrapped = as_encoder(encoder)
    assert wrapped.name == name
    np.testing.assert_array_equal(wrapped.encode(X[:7]), codes)


@pytest.mark.parametrize("name", NAMES)
def test_images_are_flattened_and_inputs_left_alone(name: str) -> None:
    images = X.reshape(80, 2, 3).copy()
    images.flags.writeable = False
    np.testing.assert_array_equal(quick(name, images).encode(images), quick(name).encode(X))


@pytest.mark.parametrize("name", NAMES)
def test_points_of_another_size_are_refused(name: str) -> None:
    with pytest.raises(InputError, match="X: 5 features; this encoder was fitted on 6"):
        quick(name).encode(X[:, :5])


@pytest.mark.parametrize("name", NAMES)
def test_the_same_seed_gives_the_same_encoder(name: str) -> None:
    np.testing.assert_array_equal(quick(name, seed=3).encode(X), quick(name, seed=3).encode(X))


@pytest.mark.parametrize("name", NAMES)
def test_the_seed_matters_just_where_it_is_said_to(name: str) -> None:
    same = np.array_equal(quick(name, seed=0).encode(X), quick(name, seed=1).encode(X))
    assert same == BASELINES[name].deterministic


@pytest.mark.parametrize("name", NETWORKS)
def test_fitting_leaves_the_callers_random_numbers_alone(name: str) -> None:
    random.seed(5)
    np.random.seed(5)  # noqa: NPY002 - this very state is what must stay
    expected = (random.random(), np.random.rand())  # noqa: NPY002
    random.seed(5)
    np.random.seed(5)  # noqa: NPY002
    quick(name)
    assert (random.random(), np.random.rand()) == expected  # noqa: NPY002


@pytest.mark.parametrize("name", NETWORKS)
def test_progress_is_told_of_every_epoch(name: str) -> None:
    seen: list[tuple[int, int]] = []
    fit_baseline(name, X, 2, progress=lambda done, total: seen.append((done, total)), epochs=3)
    assert seen == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize("name", NETWORKS)
def test_codes_come_in_the_units_of_the_inputs(name: str) -> None:
    small, large = quick(name).encode(X), quick(name, X * 1024).encode(X * 1024)
    np.testing.assert_allclose(large, small * 1024, rtol=1e-3, atol=1e-3 * 1024)


@pytest.mark.parametrize("name", NETWORKS)
def test_training_that_diverges_is_an_error(name: str) -> None:
    with pytest.raises(TrainingError, match=f"{name}: the loss is (nan|inf) after epoch"):
        fit_baseline(name, X, 2, epochs=20, learning_rate=1e30)


@pytest.mark.parametrize("name", NETWORKS)
def test_equal_points_leave_nothing_to_fit(name: str) -> None:
    with pytest.raises(TrainingError, match="all points are equal"):
        quick(name, np.full((10, 3), 0.1))


def test_identity_keeps_every_point() -> None:
    codes = quick("identity", code_size=1).encode(X)
    np.testing.assert_array_equal(codes, X)
    assert not np.shares_memory(codes, X)


def test_pca_is_the_best_plane() -> None:
    encoder = quick("pca")
    centred = X - X.mean(axis=0)
    _, values, rows = np.linalg.svd(centred)
    np.testing.assert_allclose(np.abs(encoder.components_ @ rows[:2].T), np.eye(2), atol=1e-9)
    np.testing.assert_allclose(np.linalg.norm(encoder.encode(X), axis=0), values[:2])


@pytest.mark.parametrize("code_size", [1, 4, 50])
def test_random_projection_keeps_squared_distances_on_average(code_size: int) -> None:
    ratios = [
        np.mean(pdist(quick("random_projection", code_size=code_size, seed=seed).encode(X)) ** 2)
        / np.mean(pdist(X) ** 2)
        for seed in range(300)
    ]
    # A ratio is a mean of chi-squares with code_size degrees of freedom, so its SD is at most sqrt(2 / code_size).
    assert np.mean(ratios) == pytest.approx(1, abs=4 * np.sqrt(2 / code_size / 300))


@pytest.mark.parametrize("name", ["pca", "linear_autoencoder"])
def test_linear_codes_may_not_be_larger_than_the_points(name: str) -> None:
    with pytest.raises(InputError, match="code_size: 7 is more than X"):
        quick(name, code_size=7)


def test_a_linear_autoencoder_finds_the_principal_subspace() -> None:
    linear = fit_baseline("linear_autoencoder", X, 2)
    angle = largest_principal_angle(linear.components_, quick("pca").components_)  # type: ignore[attr-defined]
    assert angle < 0.1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("pcb", X, 2), "name: unknown baseline 'pcb'; did you mean 'pca'.*known: autoencoder, identity"),
        (("pca", X, 0), "code_size: 0 is not a whole number of at least 1"),
        (("pca", X, 2.0), "code_size: 2.0"),
        (("pca", X, True), "code_size: True"),
        (("pca", X, 2, -1), "seed: -1"),
        (("pca", X[0], 2), r"X: shape \(6,\)"),
        (("pca", X[:1], 2), "X: 1 points; at least 2"),
        (("pca", X[:, :0], 2), r"X: shape \(80, 0\)"),
        (("pca", [["a", "b"]] * 3, 2), "X: not an array of numbers"),
        (("pca", np.where(X[5, 2] == X, np.nan, X), 2), "X: NaN or infinity in row 5"),
    ],
)
def test_arguments_are_checked(arguments: Any, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        fit_baseline(*arguments)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("pca", {"epochs": 3}, "options: pca has no 'epochs'; it takes none"),
        ("autoencoder", {"weight": 3}, "no 'weight'; it takes hidden, epochs, batch_size, learning_rate"),
        ("autoencoder", {"epochs": 0}, "epochs: 0 is not"),
        ("autoencoder", {"epochs": 2.5}, "epochs: 2.5 is not"),
        ("autoencoder", {"batch_size": -4}, "batch_size: -4 is not"),
        ("autoencoder", {"learning_rate": float("nan")}, "learning_rate: nan is not"),
        ("pairwise_autoencoder", {"weight": -1}, "weight: -1"),
    ],
)
def test_options_are_checked(name: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        fit_baseline(name, X, 2, **options)


def test_missing_keras_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keras", None)
    with pytest.raises(MissingDependencyError, match=r'pip install "distbench\[keras\]"'):
        quick("autoencoder")


def test_compiled_epochs_and_model_fit_take_the_same_steps() -> None:
    from distbench.baselines import _training
    from distbench.baselines._points import Units
    from distbench.keras import DistancePreservingAutoencoder

    points = Units.of(X).points_in(X)
    weights = []
    for make in (_training._compiled_epoch, _training._fitted_epoch):
        with _training.seeded(0):
            import keras

            model = DistancePreservingAutoencoder(2, 10.0, 1.0, hidden=(8,))
            model.build((None, 6))
            epoch = make(model, points, keras.optimizers.Adam(1e-2), 2.0)
            losses = [epoch(np.arange(80, dtype=np.int32).reshape(5, 16)) for _ in range(3)]
            weights.append([np.asarray(losses), *model.get_weights()])
    for compiled, fitted in zip(*weights, strict=True):
        np.testing.assert_allclose(compiled, fitted, rtol=1e-3, atol=1e-4)


PROCESS = """
import sys, hashlib
from distbench.baselines import fit_baseline
from distbench.datasets import load_dataset
data = load_dataset("digits")
encoder = fit_baseline(sys.argv[1], data.train, 8, seed=1, epochs=20)
print(hashlib.sha256(encoder.encode(data.test).tobytes()).hexdigest())
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_two_processes_fit_the_same_weights(name: str) -> None:
    command = [sys.executable, "-c", PROCESS, name]
    first, second = (subprocess.run(command, check=True, capture_output=True, text=True).stdout for _ in range(2))
    assert len(first.strip()) == 64
    assert first == second


def judged(encoder: Any) -> tuple[float, float, float]:
    """Spearman, scaled stress and stress of test points against train points."""
    data = load_dataset("digits")
    a = cdist(data.test, data.train).ravel()
    b = cdist(encoder.encode(data.test), encoder.encode(data.train)).ravel()
    scaled = np.sqrt(1 - (a @ b) ** 2 / (a @ a) / (b @ b))
    return spearmanr(a, b).statistic, scaled, np.sqrt(((a - b) ** 2).sum() / (a @ a))


@pytest.mark.slow
def test_on_digits_the_recipes_reach_what_they_are_known_for() -> None:
    train = load_dataset("digits").train
    plain = judged(fit_baseline("autoencoder", train, 8))
    pairwise = judged(fit_baseline("pairwise_autoencoder", train, 8))
    assert plain[0] == pytest.approx(0.82, abs=0.04)
    assert plain[1] == pytest.approx(0.14, abs=0.02)
    assert pairwise[0] == pytest.approx(0.92, abs=0.015)
    assert pairwise[1] == pytest.approx(0.09, abs=0.01)
    # Distances are kept in the inputs' own units, not just up to a factor.
    assert pairwise[2] == pytest.approx(pairwise[1], abs=0.005)


@pytest.mark.slow
@pytest.mark.parametrize("code_size", [2, 8])
def test_on_digits_the_linear_autoencoder_finds_the_principal_subspace(code_size: int) -> None:
    train = load_dataset("digits").train
    bases: list[Any] = [fit_baseline(name, train, code_size) for name in ("linear_autoencoder", "pca")]
    assert largest_principal_angle(bases[0].components_, bases[1].components_) < 0.1
