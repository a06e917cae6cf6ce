from __future__ import annotations

import ast
import subprocess
import sys

import pytest

from distbench.baselines import BASELINES
from distbench.errors import InputError
from distbench.suites.recipe_hash import FOLLOWED, MACHINERY, followed_imports, plain_source, recipe_hash, sources

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


def test_every_baseline_has_a_hash_of_its_own_and_none_needs_keras():
    hashes = {name: recipe_hash(name) for name in BASELINES}
    assert len(set(hashes.values())) == len(BASELINES)
    assert {len(digest) for digest in hashes.values()} == {64}
    code = (
        "import sys; from distbench.suites.recipe_hash import recipe_hash; "
        "print(recipe_hash('pairwise_autoencoder'), [m for m in ('keras', 'tensorflow', 'umap') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [hashes["pairwise_autoencoder"], "[]"]


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
def test_imports_of_distbench_are_followed(line):
    followed = imports(RECIPE.replace("        # a remark\n", f"        {line}\n"))
    assert followed
    assert all(name.startswith(FOLLOWED) for name in followed)


def imports(text, package=""):
    return set(followed_imports(ast.parse(text), package))


def test_keras_parts_are_followed_to_the_modules_they_live_in():
    reached = sources("distbench.baselines.pairwise_autoencoder")
    assert {"distbench.keras._losses", "distbench.keras._models", "distbench.baselines._training"} <= reached.keys()
    assert not {name.rpartition(".")[2] for name in reached} & set(MACHINERY)
    assert "distbench.keras._losses" not in sources("distbench.baselines.autoencoder")


def test_relative_imports_are_followed():
    text = "from ._points import as_rows\nfrom . import _affine\nfrom ..keras import Autoencoder"
    followed = {"distbench.baselines._points", "distbench.baselines._affine", "distbench.keras._models"}
    assert imports(text, "distbench.baselines") == followed
    only_types = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from distbench.keras import Autoencoder\n"
    assert imports(only_types) == set()


def test_plain_source_is_python_still_and_means_the_same():
    text = 'x = 1\n\n\ndef f():\n    """Doc\n    of two lines, é."""; y = "#é"  # end\n    return y\n'
    assert plain_source(text) == 'x = 1\ndef f():\n    ; y = "#é"\n    return y'
    assert plain_source("a = '''one\n# no comment'''\n") == "a = '''one\n# no comment'''"


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("pcaa", None, "did you mean 'pca'"),
        ("no_such_module_here:Mine", None, "no_such_module_here"),
        ("math:Mine", None, "math has no Python source"),
        ("pca", {"f": object()}, "options"),
    ],
)
def test_what_cannot_be_hashed_is_refused(name, options, message):
    with pytest.raises(InputError, match=message):
        recipe_hash(name, options)
