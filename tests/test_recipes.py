from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA

from distbench.errors import InputError
from distbench.suites.recipes import as_recipe


class Mine:
    """A real recipe."""

    def fit(self, X, code_size, seed, scale=1.0):
        return PCA(code_size, random_state=seed).fit(X)


class Needy(Mine):
    def __init__(self, width):
        pass


class Forgetful:
    def fit(self, X, code_size, seed):
        PCA(code_size).fit(X)


def test_names_classes_and_objects_are_recipes(tmp_path, monkeypatch):
    assert as_recipe("pca").deterministic
    assert not as_recipe("random_projection").deterministic
    (tmp_path / "a_recipe_module.py").write_text(
        "class Mine:\n    deterministic = True\n    def fit(self, X, code_size, seed):\n        return X.mean\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert as_recipe(Mine).name == as_recipe(Mine()).name == "Mine"
    recipe = as_recipe("a_recipe_module:Mine")
    assert (recipe.name, recipe.deterministic) == ("Mine", True)


def test_progress_reaches_recipes_that_take_it_and_no_others():
    class Telling(Mine):
        def fit(self, X, code_size, seed, progress=None):
            progress(1, 2)
            return super().fit(X, code_size, seed)

    calls = []
    X = np.random.default_rng(0).normal(size=(20, 4))
    for recipe in (Telling, Mine):
        as_recipe(recipe).fit(X, 2, 0, lambda done, total: calls.append((done, total)))
    assert calls == [(1, 2)]


@pytest.mark.parametrize(
    ("recipe", "options", "message"),
    [
        ("pcaa", {}, "no baseline is called 'pcaa'; did you mean 'pca'"),
        ("no_such_module_here:X", {}, "no_such_module_here cannot be imported .*pythonpath"),
        ("math:floorr", {}, "math has no 'floorr'; did you mean 'floor'"),
        ("math:pi", {}, "recipe pi: float has no fit"),
        (PCA(2), {}, "recipe PCA: fit must take X, code_size and seed"),
        (lambda X: X, {}, "function has no fit.*pass the test points too"),
        (Needy, {}, "recipe Needy: its class needs arguments .*pass an instance"),
        ("autoencoder", {"epoch": 3}, "recipe autoencoder: options: there is no 'epoch'; did you mean 'epochs'"),
        ("pca", {"epochs": 3}, "recipe pca: options: there is no 'epochs'; it takes none"),
        (Mine(), {"scal": 3}, "there is no 'scal'; did you mean 'scale'"),
        (Mine(), {"scale": object()}, "options: .*; give text, numbers"),
    ],
)
def test_errors_say_what_to_do(recipe, options, message):
    with pytest.raises(InputError, match=message):
        as_recipe(recipe, options)


def test_a_fit_that_returns_nothing():
    with pytest.raises(InputError, match=r"Forgetful: fit\(\) returned None; return the fitted encoder"):
        as_recipe(Forgetful).fit(np.eye(4), 2, 0)
