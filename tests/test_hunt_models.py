"""Hunts by the gradients of models, and without them where a model has none."""

from __future__ import annotations

import numpy as np
import pytest
from frameworks import dk, keras, torch
from hunting_cases import off_by, planted, rerun, sphere

import distbench
from distbench.encoders import as_encoder
from distbench.hunting._jacobians import exact_jacobians
from distbench.hunting._region import plausible_region


def torch_linear(matrix, dtype="float32"):
    layer = torch.nn.Linear(*matrix.shape, dtype=getattr(torch, dtype))
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(matrix.T))
    return layer


def keras_dense(matrix):
    model = keras.Sequential([keras.Input(matrix.shape[:1]), keras.layers.Dense(matrix.shape[1])])
    model.set_weights([matrix, np.zeros(matrix.shape[1])])
    return model


def module_of(function):
    """Return a torch module that calls a function."""

    class Module(torch.nn.Module):
        def forward(self, x):
            return function(x)

    return Module()


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    """Keep torch's threads from spinning while they wait for one another, which takes longer than these models do."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("make", [torch_linear, keras_dense])
@pytest.mark.parametrize(("columns", "dtype"), [(3, np.float64), (16, np.float32), (64, np.float64)])
def test_a_planted_collapsed_direction_is_found(make, columns, dtype):
    matrix, lost, X = planted(columns, columns)
    hunt = distbench.hunt(make(matrix), X.astype(dtype), budget=4000)
    assert hunt.by_gradient
    assert "by its gradients" in str(hunt)
    assert hunt.kind == "merge"
    assert off_by(hunt.pair, lost) < 1e-6
    assert hunt.merged.ratio > 1e3


def test_tensors_of_a_module_in_double_precision():
    matrix, lost, X = planted(8, 0)
    module = torch_linear(matrix, "float64")
    hunt = distbench.hunt(module, torch.tensor(X), budget=4000)
    assert off_by(hunt.pair, lost) < 1e-9
    assert rerun(hunt.snippet, module, torch.tensor(X)) == pytest.approx(
        [hunt.merged.shrunk_d_x, hunt.merged.shrunk_d_z], rel=1e-6
    )


def test_the_antipodal_merge_of_a_module_is_found():
    X = sphere(200, 3)
    hunt = distbench.hunt(module_of(lambda x: torch.einsum("ni,nj->nij", x, x)), X, budget=6000)
    assert hunt.by_gradient
    assert np.linalg.norm(np.add(*hunt.merged.pair)) < 1e-6
    assert hunt.merged.d_z < 1e-6


def test_a_module_that_rounds_is_searched_without_gradients():
    hunt = distbench.hunt(module_of(lambda x: torch.round(5 * x) / 5), sphere(150, 3), budget=6000)
    assert not hunt.by_gradient
    assert hunt.kind == "tear"
    assert hunt.torn.ratio > 5


@pytest.mark.parametrize("framework", ["keras", "torch"])
def test_gradients_are_those_of_finite_differences(framework):
    X = np.random.default_rng(0).normal(size=(20, 2, 3)).astype(np.float32)
    if framework == "keras":
        layers = keras.layers.Flatten(), keras.layers.Dense(7, "tanh"), keras.layers.Dense(4)
        model = keras.Sequential([keras.Input((2, 3)), *layers])
    else:
        model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(6, 7), torch.nn.Tanh(), torch.nn.Linear(7, 4))
    region = plausible_region(X)
    points, encode, step = region.rows[:5], as_encoder(model).encode, 1e-2
    jacobians = exact_jacobians(model, region, 4)(points)
    assert jacobians.shape == (5, 4, 6)
    for column, move in enumerate(step * np.eye(6)):
        change = encode(region.as_passed(points + move)) - encode(region.as_passed(points - move))
        np.testing.assert_allclose(jacobians[:, :, column], change / (2 * step), atol=2e-4)


def test_gradients_of_an_autoencoder_are_those_of_its_codes():
    keras.utils.set_random_seed(0)  # with one start in ten the few units are dead, and there is nothing to merge
    X = sphere(100, 3)
    model = dk.Autoencoder(code_size=2, hidden=(8,))
    model.encode(X)
    hunt = distbench.hunt(model, X, budget=2000)
    assert hunt.by_gradient
    assert hunt.code_size == 2
    assert hunt.merged.found


@pytest.mark.parametrize("budget", [200, 1000])
def test_forward_and_backward_passes_count_in_the_budget(budget):
    rows = 0

    def square(x):
        def count(gradient):
            nonlocal rows
            rows += len(gradient)

        nonlocal rows
        rows += len(x)
        if x.requires_grad:
            x.register_hook(count)
        return x**2

    hunt = distbench.hunt(module_of(square), sphere(100, 3), budget=budget)
    assert hunt.by_gradient
    assert hunt.asked == rows <= budget


def test_models_without_gradients_that_can_be_used():
    X = sphere(100, 3)
    detached = torch.nn.Linear(3, 2)
    detached.encode = lambda x: x.detach() * 2
    for model in (detached, torch.nn.Linear(3, 300)):  # the budget is too small for 300 gradients
        hunt = distbench.hunt(model, X, budget=200)
        assert not hunt.by_gradient
        assert hunt.asked <= 200
    integers, linear = np.random.default_rng(0).integers(0, 9, size=(20, 3)), torch.nn.Linear
    for model, points, code_size in ((lambda X: X, X, 3), (linear(3, 2), integers, 2), (linear(3, 2000), X, 2000)):
        assert exact_jacobians(model, plausible_region(points), code_size) is None
