"""Properties of all baselines, and that fits can be repeated."""

from __future__ import annotations

import functools
import random
import subprocess
import sys

import numpy as np
import pytest
from frameworks import pd, torch
from scipy import sparse
from scipy.spatial.distance import cdist, pdist
from scipy.stats import spearmanr

from distbench.baselines import BASELINES, fit_baseline
from distbench.baselines.subspace import largest_principal_angle
from distbench.datasets import load_dataset
from distbench.encoders import as_encoder
from distbench.errors import InputError, MissingDependencyError, TrainingError

# A recipe that takes a learning rate is a network.
NETWORKS = [name for name, recipe in BASELINES.items() if "learning_rate" in recipe.options]
# Tests with several compilations run on these networks after each change, on all of them nightly.
COMPILED_OFTEN = ("pairwise_autoencoder",)
# Recipes of optional packages are nightly: these are slow to import, and compile.
NAMES = [
    pytest.param(name, marks=[pytest.mark.nightly] * bool(BASELINES[name].requires))
    for name in BASELINES
    if name != "parametric_umap"  # a fit takes seconds: tests/test_baselines_manifold.py has it
]
# Nine features, so that they are also a square image.
X = np.random.default_rng(0).normal(size=(80, 9)) * [5, 4, 3, 2, 1, 1, 1, 1, 1] + 100


QUICK = {"epochs": 3}


def quick(name, points=X, code_size=2, seed=0, **options):
    """Fit quickly: points of one shape and a fixed number of epochs, so that each network is compiled once."""
    quick = QUICK if "epochs" in BASELINES[name].options else {}
    code_size = 4 * code_size if name == "truncation" else code_size  # bytes of columns in single precision
    return fit_baseline(name, points, code_size, seed, **quick, **options)


@functools.cache
def shared(name):
    """Return one fitted encoder for all tests that do not change it."""
    return quick(name)


@pytest.fixture(scope="module", autouse=True)
def _keras():
    pytest.importorskip("keras")
    pytest.importorskip("tensorflow")
    from distbench.baselines import _epochs

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_epochs._KEPT, "limit", len(NETWORKS))  # each is compiled once for all of these tests
        yield


# With module scope tests run recipe by recipe, and each network is compiled once.
@pytest.fixture(scope="module", params=NAMES)
def name(request):
    requires = BASELINES[request.param].requires
    if requires:
        pytest.importorskip(requires)
    return str(request.param)


@pytest.fixture(scope="module", params=NETWORKS)
def network(request):
    return str(request.param)


def test_the_registry_finds_every_recipe():
    assert {"identity", "pca", "autoencoder", "pairwise_autoencoder", "random_projection"} <= set(BASELINES)
    assert list(BASELINES) == sorted(BASELINES)
    assert all(len(recipe.summary) > 20 for recipe in BASELINES.values())
    for name in NETWORKS:
        assert not BASELINES[name].deterministic
        assert {"epochs", "batch_size", "learning_rate"} <= set(BASELINES[name].options)


def test_a_fitted_encoder_has_codes_name_and_both_methods(name):
    encoder = shared(name)
    assert encoder.name == name
    with pytest.raises(InputError, match="X: 5 features; this encoder was fitted on 9"):
        encoder.encode(X[:, :5])
    codes = encoder.encode(X[:7])
    assert codes.shape in ((7, 2), (7, 9))
    assert codes.dtype == np.float64
    np.testing.assert_array_equal(encoder.transform(X[:7]), codes)
    wrapped = as_encoder(encoder)
    assert wrapped.name == name
    np.testing.assert_array_equal(wrapped.encode(X[:7]), codes)


def test_the_seed_alone_decides_and_images_are_flattened_and_left_alone(name):
    random.seed(5)
    np.random.seed(5)  # noqa: NPY002 - a fit must leave this state alone
    expected = (random.random(), np.random.rand())  # noqa: NPY002
    random.seed(5)
    np.random.seed(5)  # noqa: NPY002
    images = X.reshape(80, 3, 3).copy()
    images.flags.writeable = False
    codes = quick(name, images).encode(images)
    assert (random.random(), np.random.rand()) == expected  # noqa: NPY002
    np.testing.assert_array_equal(codes, shared(name).encode(X))
    assert np.array_equal(codes, quick(name, seed=1).encode(X)) == BASELINES[name].deterministic


def test_equal_points_leave_nothing_to_fit(name):
    if name in ("identity", "pca", "random_projection"):
        pytest.skip("takes any points")
    with pytest.raises(TrainingError, match="all points are equal"):
        quick(name, np.full((10, 9), 0.1))


def test_training_takes_the_seed_and_reports_every_epoch(network, monkeypatch):
    from distbench.baselines import _network_encoder

    seeds, seeded, train = [], _network_encoder.seeded, _network_encoder.train
    monkeypatch.setattr(_network_encoder, "seeded", lambda seed: seeds.append(seed) or seeded(seed))
    monkeypatch.setattr(_network_encoder, "train", lambda *of: seeds.append(of[2]) or train(*of))
    seen = []
    quick(network, seed=7, progress=lambda done, total: seen.append((done, total)))
    assert seeds == [7, 7]
    assert seen == [(1, 3), (2, 3), (3, 3)]


def degenerate():
    """Points that are hard to fit, most of one shape."""
    draw = np.random.default_rng(2)
    plain = draw.normal(size=X.shape)
    half = plain.copy()
    half[::2] = half[0]
    return {
        "a constant column, and half of all rows the same": np.where(np.arange(9) == 4, 7.0, half),
        "two points": np.where(np.arange(len(X))[:, None] % 2, plain[0], plain[1]),
        "values of a million": plain * 1e6,
        "an offset of a million in float32": (plain + 1e6).astype(np.float32),
        "twenty rows": plain[:20],
        "two rows": plain[:2],
    }


def is_nightly(name, case):
    """Two cases have the shape of all other tests, so that no network is compiled anew for them."""
    return name not in ("autoencoder", "pca", "mds") or case not in ("two points", "values of a million")


@pytest.mark.parametrize(
    ("name", "case"),
    [
        pytest.param(name.values[0], case, marks=[pytest.mark.nightly] * is_nightly(str(name.values[0]), case))
        for name in NAMES
        for case in degenerate()
    ],
)
def test_degenerate_points_give_finite_codes_or_a_clear_error(name, case):
    if BASELINES[name].requires:
        pytest.importorskip(BASELINES[name].requires)
    points = degenerate()[case]
    if name in NETWORKS and case == "twenty rows":
        pytest.skip("two rows are harder, and a network is compiled anew for each number of them")
    try:
        encoder = quick(name, points)
    except (InputError, TrainingError):
        assert name not in NETWORKS, "no network gives up on them"
        with pytest.raises((InputError, TrainingError), match=r"^.{20,}$"):
            quick(name, points)
        return
    codes = encoder.encode(points)
    assert len(codes) == len(points)
    assert np.isfinite(codes).all()
    assert np.ptp(codes, axis=0).max() > 0


@pytest.mark.parametrize(
    "network", [pytest.param(name, marks=[pytest.mark.nightly] * (name not in COMPILED_OFTEN)) for name in NETWORKS]
)
def test_a_fit_is_the_same_whatever_was_fitted_before(network):
    from distbench.baselines import _epochs

    other = X[::-1] ** 2
    first = quick(network, seed=4).encode(X)
    quick(network, other, seed=5)
    again = quick(network, seed=5).model.get_weights()
    before = list(_epochs._KEPT.values())
    kept = quick(network, seed=4)
    np.testing.assert_array_equal(kept.encode(X), first)
    assert list(map(id, _epochs._KEPT.values())) == list(map(id, before)), "compiled once more"
    _epochs._KEPT.clear()
    for weights, same in zip(quick(network, seed=5).model.get_weights(), again, strict=True):
        np.testing.assert_array_equal(weights, same)
    # Later fits change no earlier encoder.
    np.testing.assert_array_equal(kept.encode(X), first)


@pytest.mark.parametrize("name", [*NETWORKS, "mds"])
def test_codes_come_in_the_units_of_the_inputs(name):
    small, large = shared(name).encode(X), quick(name, X * 1024).encode(X * 1024)
    np.testing.assert_allclose(large, small * 1024, rtol=1e-3, atol=1e-3 * 1024)


@pytest.mark.parametrize(
    ("name", "setting", "value"),
    [
        ("variational_autoencoder", "dtype_policy", "mixed_float16"),
        ("conv_autoencoder", "image_data_format", "channels_first"),
        ("parametric_umap", "floatx", "float64"),
    ],
)
def test_what_a_user_set_for_keras_changes_no_recipe_and_stays(name, setting, value):
    import keras

    if BASELINES[name].requires:
        pytest.importorskip(BASELINES[name].requires)
    expected = shared(name).encode(X)
    read, write = getattr(keras.config, setting), getattr(keras.config, f"set_{setting}")
    before, policy = read(), keras.config.dtype_policy()
    write(value)
    if setting == "floatx":
        keras.config.set_dtype_policy(value)  # as where it is set before any layer is made
    try:
        np.testing.assert_array_equal(quick(name).encode(X), expected)
        assert getattr(read(), "name", read()) == value
    finally:
        write(before)
        keras.config.set_dtype_policy(policy)


# Each compiles its network for this rate or weight alone; all are trained by the same loop.
DIVERGE = "(the loss is (nan|inf)|codes are not|all points got)"


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("autoencoder", {"learning_rate": 1e30}, DIVERGE),
        ("variational_autoencoder", {"weight": 1e4}, ".*collapsed to the prior"),
        *(
            pytest.param(name, {"learning_rate": 1e30}, DIVERGE, marks=pytest.mark.nightly)
            for name in ("conv_autoencoder", "distance_encoder", "variational_autoencoder")
        ),
    ],
)
def test_training_that_fails_is_an_error(name, options, message):
    with pytest.raises(TrainingError, match=f"{name}: {message}"):
        fit_baseline(name, X, 2, epochs=20, **options)


def test_a_network_that_died_is_an_error():
    from distbench.baselines._training import Plan, seeded, train
    from distbench.keras import Autoencoder

    points = np.random.default_rng(0).uniform(-1, 1, (40, 9)).astype(np.float32)
    with seeded(0):
        model = Autoencoder(2, (8,), name="dead")
        model.build((None, 9))
        kernel, bias = model.encoder.layers[0].get_weights()
        # No unit is ever active, so no gradient reaches the encoder.
        model.encoder.layers[0].set_weights([kernel, bias - 100])
        with pytest.raises(TrainingError, match="dead: all points got the same code"):
            train(model, points, 0, Plan(2))


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((1437, 64), (200, 44, 32)),
        ((1600, 3), (180, 50, 32)),
        ((4000, 784), (40, 125, 32)),
        ((20, 9), (200, 1, 20)),
        ((100_000, 9), (40, 3125, 32)),
    ],
)
def test_fits_take_about_as_many_steps_whatever_the_points(shape, expected):
    from distbench.baselines._training import Plan

    assert Plan().batches(*shape) == expected
    assert Plan(epochs=7, batch_size=None).batches(*shape) == (7, 1, shape[0])


def test_identity_keeps_every_point():
    codes = quick("identity", code_size=1).encode(X)
    np.testing.assert_array_equal(codes, X)
    assert not np.shares_memory(codes, X)


def test_pca_is_the_best_plane():
    encoder = quick("pca")
    centred = X - X.mean(axis=0)
    _, values, rows = np.linalg.svd(centred)
    np.testing.assert_allclose(np.abs(encoder.components_ @ rows[:2].T), np.eye(2), atol=1e-9)
    np.testing.assert_allclose(np.linalg.norm(encoder.encode(X), axis=0), values[:2])


@pytest.mark.parametrize(
    "form",
    [lambda rows: pd.Series(list(rows)), lambda rows: list(torch.tensor(rows).half()), sparse.csr_array],
    ids=["cells", "tensors", "sparse"],
)
def test_points_are_read_as_those_of_an_evaluation(form):
    points = X.astype(np.float16)
    wanted = fit_baseline("pca", points, 2).encode(points)
    np.testing.assert_array_equal(fit_baseline("pca", form(points.astype(float)), 2).encode(points), wanted)


@pytest.mark.parametrize("code_size", [1, 4, 50])
def test_random_projection_keeps_squared_distances_on_average(code_size):
    ratios = [
        np.mean(pdist(quick("random_projection", code_size=code_size, seed=seed).encode(X)) ** 2)
        / np.mean(pdist(X) ** 2)
        for seed in range(300)
    ]
    # A ratio is a mean of chi-squares with code_size degrees of freedom, so its SD is at most sqrt(2 / code_size).
    assert np.mean(ratios) == pytest.approx(1, abs=4 * np.sqrt(2 / code_size / 300))


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("pcb", {}, "name: no baseline is called 'pcb'; did you mean 'pca'"),
        ("pca", {"code_size": 0}, "code_size: found 0; pass a whole number, 1 or more"),
        ("pca", {"code_size": 2.0}, "code_size: found 2.0;"),
        ("pca", {"code_size": True}, "code_size: found True;"),
        ("pca", {"code_size": 10}, "code_size: 10 is more than X"),
        ("linear_autoencoder", {"code_size": 10}, "code_size: 10 is more than X"),
        ("isometry_projection", {"code_size": 10}, "code_size: 10 is more than the 9 features of X"),
        ("pca", {"seed": -1}, "seed: found -1;"),
        ("pca", {"X": X[0]}, r"X: found 1-D data of shape \(9,\)"),
        ("pca", {"X": X[:1]}, "X: 1 points; at least 2"),
        ("pca", {"X": X[:, :0]}, r"X: found shape \(80, 0\)"),
        ("pca", {"X": [["a", "b"]] * 3}, "X: found dtype <U1; pass numbers"),
        ("pca", {"X": np.where(X[5, 2] == X, np.nan, X)}, "X: found NaN in row 5"),
        ("pca", {"epochs": 3}, "options: pca has no 'epochs'; it takes none"),
        ("autoencoder", {"weight": 3}, "no 'weight'; it takes hidden, epochs, batch_size, learning_rate"),
        ("autoencoder", {"epochs": 0}, "epochs: found 0;"),
        ("autoencoder", {"epochs": 2.5}, "epochs: found 2.5;"),
        ("autoencoder", {"batch_size": -4}, "batch_size: found -4;"),
        ("autoencoder", {"learning_rate": float("nan")}, "learning_rate: nan is not"),
        ("pairwise_autoencoder", {"weight": -1}, "weight: -1"),
        *(("isometry_sigmoid", {"gain": gain}, "gain: ") for gain in (0, -1, np.nan, np.inf)),
    ],
)
def test_arguments_are_checked(name, options, message):
    with pytest.raises(InputError, match=message) as caught:
        fit_baseline(name, **{"X": X, "code_size": 2, **options})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "package", "extra"),
    [("autoencoder", "keras", "keras"), ("umap", "umap", "umap"), ("parametric_umap", "umap", "umap")],
)
def test_a_missing_package_names_its_extra(name, package, extra, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingDependencyError, match=rf'pip install "distbench\[{extra}\]"'):
        quick(name)


def test_compiled_epochs_and_model_fit_take_the_same_steps():
    from distbench.baselines import _epochs
    from distbench.baselines._points import Units
    from distbench.baselines._training import seeded
    from distbench.keras import DistancePreservingAutoencoder

    points = Units.of(X).points_in(X)
    order, noise = np.arange(80, dtype=np.int32).reshape(5, 16), np.zeros((5, 16, 0), dtype=np.float32)
    weights = []
    for make in (_epochs._compiled, _epochs._fitted):
        with seeded(0):
            import keras

            model = DistancePreservingAutoencoder(2, 10.0, 1.0, hidden=(8,))
            model.build((None, 9))
            optimizer = keras.optimizers.Adam(1e-2)
            optimizer.build(model.trainable_variables)
            epoch = make(model, optimizer, True)(points)
            losses = [epoch(order, noise) for _ in range(3)]
            weights.append([np.asarray(losses), *model.get_weights()])
    for compiled, fitted in zip(*weights, strict=True):
        np.testing.assert_allclose(compiled, fitted, rtol=1e-3, atol=1e-4)


def test_only_so_much_is_kept():
    from distbench.baselines._epochs import Kept

    kept = Kept(2)
    for key in ("a", "b", "c"):
        kept.give(key, key)
    assert list(kept.values()) == ["b", "c"]
    assert kept.take("b", lambda: "new") == "b"
    assert kept.take("b", lambda: "new") == "new"


PROCESS = """
import sys
import numpy as np
from distbench.baselines import BASELINES, fit_baseline
points = np.load(sys.argv[1])
for name in sys.argv[4:]:
    encoder = fit_baseline(name, points, 2, seed=0, epochs=int(sys.argv[3]))
    np.savez(f"{sys.argv[2]}/{name}.npz", *encoder.model.get_weights(), encoder.encode(points))
"""


@pytest.mark.nightly
@pytest.mark.parametrize("many", [False, True])
def test_two_processes_fit_the_same_weights(many, tmp_path):
    points = load_dataset("digits").train if many else X
    epochs, names = (5, ["pairwise_autoencoder"]) if many else (QUICK["epochs"], NETWORKS)
    np.save(tmp_path / "points.npy", points)
    command = [sys.executable, "-c", PROCESS, str(tmp_path / "points.npy"), str(tmp_path), str(epochs), *names]
    subprocess.run(command, check=True, capture_output=True)
    for name in names:
        here = fit_baseline(name, points, 2, 0, epochs=epochs) if many else shared(name)
        with np.load(tmp_path / f"{name}.npz") as there:
            for array, other in zip([*here.model.get_weights(), here.encode(points)], there.values(), strict=True):
                np.testing.assert_array_equal(array, other, err_msg=name)


def judged(encoder):
    """Spearman, scaled stress and stress of test points against train points."""
    data = load_dataset("digits")
    a = cdist(data.test, data.train).ravel()
    b = cdist(encoder.encode(data.test), encoder.encode(data.train)).ravel()
    scaled = np.sqrt(1 - (a @ b) ** 2 / (a @ a) / (b @ b))
    return spearmanr(a, b).statistic, scaled, np.sqrt(((a - b) ** 2).sum() / (a @ a))


@pytest.mark.nightly
def test_on_digits_the_recipes_reach_their_known_scores():
    train = load_dataset("digits").train
    plain = judged(fit_baseline("autoencoder", train, 8))
    pairwise = judged(fit_baseline("pairwise_autoencoder", train, 8))
    assert plain[0] == pytest.approx(0.82, abs=0.04)
    assert plain[1] == pytest.approx(0.14, abs=0.02)
    assert pairwise[0] == pytest.approx(0.92, abs=0.015)
    assert pairwise[1] == pytest.approx(0.09, abs=0.01)
    # Distances are kept in the inputs' own units, not just up to a factor.
    assert pairwise[2] == pytest.approx(pairwise[1], abs=0.005)


@pytest.mark.parametrize(
    ("points", "code_size"),
    [(X, 2), *(pytest.param(None, code_size, marks=pytest.mark.nightly) for code_size in (2, 8))],
    ids=["random", "digits-2", "digits-8"],
)
def test_a_linear_autoencoder_finds_the_principal_subspace(points, code_size):
    points = load_dataset("digits").train if points is None else points
    linear, pca = (fit_baseline(name, points, code_size) for name in ("linear_autoencoder", "pca"))
    assert largest_principal_angle(linear.components_, pca.components_) < 0.1
