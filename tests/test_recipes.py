from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA

from distbench.errors import InputError
from distbench.suites.recipes import as_recipe


class Mine:
    """A real recipe."""

    def fit(self, X, code_size, seed):
        return PCA(code_size, random_state=seed).fit(X)


class TestRecipes:
    def test_a_baseline_by_name(self):
        assert as_recipe("pca").deterministic
        assert not as_recipe("random_projection").deterministic

    def test_a_class_an_instance_and_an_importable_object(self, tmp_path, monkeypatch):
        (tmp_path / "a_recipe_module.py").write_text(
            "class Mine:\n    deterministic = True\n    def fit(self, X, code_size, seed):\n        return X.mean\n"
        )
        monkeypatch.syspath_prepend(tmp_path)
        assert as_recipe(Mine).name == as_recipe(Mine()).name == "Mine"
        recipe = as_recipe("a_recipe_module:Mine")
        assert (recipe.name, recipe.deterministic) == ("Mine", True)

    def test_progress_reaches_recipes_that_take_it_and_no_others(self):
        class Telling(Mine):
            def fit(self, X, code_size, seed, progress=None):
                progress(1, 2)
                return super().fit(X, code_size, seed)

        told = []
        X = np.random.default_rng(0).normal(size=(20, 4))
        as_recipe(Telling).fit(X, 2, 0, lambda done, total: told.append((done, total)))
        as_recipe(Mine).fit(X, 2, 0, lambda done, total: told.append("never"))
        assert told == [(1, 2)]

    @pytest.mark.parametrize(
        ("recipe", "message"),
        [
            ("pcaa", "no baseline is called 'pcaa'; did you mean 'pca'"),
            ("no_such_module_here:X", "no_such_module_here cannot be imported .*pythonpath"),
            ("math:floorr", "math has no 'floorr'; did you mean 'floor'"),
            ("math:pi", "recipe pi: float has no fit"),
            (PCA(2), "recipe PCA: fit must take X, code_size and seed"),
            (lambda X: X, "function has no fit.*pass the test points too"),
        ],
    )
    def test_errors_say_what_to_do(self, recipe, message):
        with pytest.raises(InputError, match=message):
            as_recipe(recipe)

    def test_a_class_that_needs_arguments(self):
        class Needy(Mine):
            def __init__(self, width):
                pass

        with pytest.raises(InputError, match=r"recipe Needy: its class needs arguments .*pass an instance"):
            as_recipe(Needy)

    def test_a_fit_that_returns_nothing(self):
        class Forgetful:
            def fit(self, X, code_size, seed):
                PCA(code_size).fit(X)

        with pytest.raises(InputError, match=r"Forgetful: fit\(\) returned None; return the fitted encoder"):
            as_recipe(Forgetful).fit(np.eye(4), 2, 0)
