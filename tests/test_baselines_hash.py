from __future__ import annotations

import ast
import subprocess
import sys

import pytest

from distbench.baselines import BASELINES
from distbench.errors import InputError
from distbench.suites.recipe_hash import plain_source, recipe_hash

RECIPE = '''
"""A recipe."""

import numpy as np  # arrays


class Mine:
    """Says what it does."""

    def fit(self, X, code_size, seed):
        """Fit."""
        # a remark
        sign = "#"
        return lambda points: points[:, :code_size]  # codes
'''


@pytest.fixture
def recipe(tmp_path, monkeypatch, request):
    """Write a module that is this test's own, and return the hash of its recipe."""
    monkeypatch.syspath_prepend(tmp_path)
    name = f"recipe_{abs(hash(request.node.name))}"

    def recipe(text, options=None):
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
        return recipe_hash(f"{name}:Mine", options)

    return recipe


@pytest.mark.parametrize("name", list(BASELINES))
def test_every_baseline_has_a_hash_of_its_own_and_none_needs_keras(name):
    assert len({recipe_hash(other) for other in BASELINES}) == len(BASELINES)
    assert len(recipe_hash(name)) == 64
    code = (
        "import sys; from distbench.suites.recipe_hash import recipe_hash; "
        f"print(recipe_hash({name!r}), [m for m in ('keras', 'tensorflow', 'umap') if m in sys.modules])"
    )
    if name == "pairwise_autoencoder":
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout.split() == [recipe_hash(name), "[]"]


def test_words_and_blanks_change_nothing(recipe):
    first = recipe(RECIPE)
    bare = RECIPE.replace('"""A recipe."""', "").replace("  # codes", "").replace("# a remark", "# another, größer")
    assert recipe(bare.replace('"""Fit."""', '"""Fit, as\n\n        ever: é."""').replace("\n\n", "\n")) == first


@pytest.mark.parametrize(
    ("old", "new"), [('"#"', '"# "'), ("[:, :code_size]", "[:, -code_size:]"), ("import numpy as np", "import numpy")]
)
def test_code_changes_it(recipe, old, new):
    assert recipe(RECIPE) != recipe(RECIPE.replace(old, new))


def test_options_change_it_and_their_order_does_not(recipe):
    assert recipe(RECIPE, {"epochs": 2, "size": [3]}) == recipe(RECIPE, {"size": [3], "epochs": 2})
    assert len({recipe(RECIPE), recipe(RECIPE, {"epochs": 2}), recipe(RECIPE, {"epochs": 3})}) == 3
    assert recipe(RECIPE) == recipe(RECIPE, {})


@pytest.mark.parametrize(
    "line",
    [
        "from distbench.baselines._affine import AffineEncoder",
        "from distbench.baselines import _affine",
        "import distbench.baselines._affine",
        "from distbench.keras import Autoencoder",
        "from distbench import keras",
        "import distbench; model = lambda: distbench.keras.Autoencoder",
        "from distbench.baselines import fit_baseline",
        "from distbench import fit_baseline",
        "import distbench; fit = lambda: distbench.fit_baseline('pca', [], 1)",
        "import distbench as db; fit = lambda: db.fit_baseline('pca', [], 1)",
        "import distbench as db; model = lambda: db.keras.Autoencoder",
    ],
)
def test_parts_of_distbench_that_a_recipe_imports_count(recipe, line):
    from distbench.suites import recipe_hash as _hash

    text = RECIPE.replace("        # a remark\n", f"        {line}\n")
    recipe(text)
    found = set(_hash._imports(ast.parse(text), "mine", is_package=False))
    assert found
    assert all(name.startswith(_hash.FOLLOWED) for name in found)


def test_what_type_checkers_alone_import_does_not_count(recipe):
    from distbench.suites import recipe_hash as _hash

    lazy = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from distbench.keras import Autoencoder\n"
    assert set(_hash._imports(ast.parse(lazy), "mine", is_package=False)) == set()


def test_keras_parts_are_followed_to_the_modules_they_live_in():
    from distbench.suites import recipe_hash as _hash

    reached = _hash._reached("distbench.baselines.pairwise_autoencoder")
    assert {"distbench.keras._losses", "distbench.keras._models", "distbench.baselines._training"} <= reached
    assert not {name.rpartition(".")[2] for name in reached} & set(_hash.MACHINERY)
    assert "distbench.keras._losses" not in _hash._reached("distbench.baselines.autoencoder")


def test_relative_imports_are_followed():
    from distbench.suites import recipe_hash as _hash

    tree = ast.parse("from ._points import as_rows\nfrom . import _affine\nfrom ..keras import Autoencoder")
    found = set(_hash._imports(tree, "distbench.baselines.mine", is_package=False))
    assert found == {"distbench.baselines._points", "distbench.baselines._affine", "distbench.keras._models"}


def test_plain_source_is_python_still_and_means_the_same():
    text = 'x = 1\n\n\ndef f():\n    """Doc\n    of two lines, é."""; y = "#é"  # end\n    return y\n'
    assert plain_source(text) == 'x = 1\ndef f():\n    ; y = "#é"\n    return y'
    assert plain_source("a = '''one\n# no comment'''\n") == "a = '''one\n# no comment'''"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("pcaa", "did you mean 'pca'"),
        ("no_such_module_here:Mine", "no_such_module_here"),
        ("math:Mine", "math has no Python source"),
    ],
)
def test_what_cannot_be_hashed_is_said(name, message):
    with pytest.raises(InputError, match=message):
        recipe_hash(name)


def test_options_that_are_no_data_are_refused():
    with pytest.raises(InputError, match="options"):
        recipe_hash("pca", {"f": object()})
