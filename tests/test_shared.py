from __future__ import annotations

import os
import sys

import numpy as np
import pytest
import warm
from suite_texts import RECIPE_LOG

from distbench.suites._shared import Codes, fit_key, once
from distbench.suites.fits import Fit, FitCache
from distbench.suites.recipes import as_recipe

RECIPES = """
class Fitted:
    def __init__(self, scale):
        self.note = "a note"
        self.scale = scale

    def transform(self, X):
        return X[:, :2] * self.scale

    def inverse_transform(self, Z):
        return np.pad(Z, ((0, 0), (0, 1)))

class Slow:
    def fit(self, X, code_size, seed):
        log_fit("Slow")
        time.sleep(0.5)
        return Fitted(np.random.default_rng().random() + 1)  # no other fit gives the same codes

class Fails:
    def fit(self, X, code_size, seed):
        log_fit("Fails")
        raise TrainingError("it diverged: after 3 epochs")

class Dies:
    def fit(self, X, code_size, seed):
        log_fit("Dies")
        if len((HERE / "fits.txt").read_text().splitlines()) == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return Fitted(1.0)
"""
RUN = """
import pathlib, sys
from distbench.suites.fits import Fit, FitCache
from distbench.suites.recipes import as_recipe
try:
    run = FitCache(pathlib.Path(sys.argv[1])).run(Fit(as_recipe(sys.argv[2]), "swiss_roll", 2, 0))
    print(sorted(run.report.as_dict().items()), run.seconds, run.note)
except Exception as error:
    print(type(error).__name__, error)
"""


class Here:
    def fit(self, X, code_size, seed):
        return lambda points: points[:, :code_size]

    class Inner:
        def fit(self, X, code_size, seed, scale=1.0):
            return lambda points: points[:, :code_size] * scale


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "shared").mkdir()
    return tmp_path / "shared"


@pytest.fixture
def together(tmp_path, folder):
    """Run the same recipe in two processes at once; return what each printed."""
    (tmp_path / "recipes.py").write_text(RECIPE_LOG + RECIPES)

    path = warm.clean_path()

    def together(recipe):
        outputs = [tmp_path / "one", tmp_path / "two"]
        rest = dict(os.environ), str(tmp_path / "errors"), path
        orders = [
            warm.Order((str(folder), recipe), str(tmp_path), rest[0], str(output), *rest[1:], code=RUN)
            for output in outputs
        ]
        for run in [warm.Run(order) for order in orders]:
            run.wait(120)
        return [output.read_text().strip() for output in outputs]

    return together


def fits(folder):
    return (folder.parent / "fits.txt").read_text().splitlines()


def test_two_processes_fit_once_and_find_the_same(together, folder, monkeypatch):
    one, two = together("recipes:Slow")
    assert one == two
    assert "continuity" in one
    assert one.endswith("a note")
    assert len(fits(folder)) == 1
    assert {path.suffix for path in folder.iterdir()} <= {".npz", ".lock"}
    monkeypatch.syspath_prepend(folder.parent)
    cache, recipe = FitCache(folder), as_recipe("recipes:Slow")
    assert cache.run(Fit(recipe, "swiss_roll", 2, 0)).encoder is None
    run = cache.run(Fit(recipe, "swiss_roll", 2, 0), metrics="all")  # needs the decoder, and so a fit here
    assert run.report["reconstruction_mse"].value > 0
    assert run.encoder is not None
    assert len(fits(folder)) == 2
    sys.modules.pop("recipes", None)


def test_a_training_that_failed_in_one_process_is_not_tried_in_the_other(together, folder):
    assert together("recipes:Fails") == ["TrainingError it diverged: after 3 epochs"] * 2
    assert len(fits(folder)) == 1


@pytest.mark.skipif(os.name != "posix", reason="kills by signal")
def test_where_a_process_is_killed_in_a_fit_the_next_goes_ahead(together, folder):
    outputs = together("recipes:Dies")
    assert sorted(output[:1] for output in outputs) == ["", "["]
    assert len(fits(folder)) == 2


def codes_of(seconds):
    return Codes(np.ones((2, 1), np.float32), np.zeros((3, 1)), seconds, "Ünïcode")


def never():
    raise AssertionError("made twice")


def test_codes_come_back_as_they_were(folder):
    made = once(folder / "key.npz", lambda: codes_of(0.1 + 0.2))
    stored = once(folder / "key.npz", never)
    assert (stored.seconds, stored.note) == (made.seconds, made.note)
    assert (stored.test.dtype, stored.train.dtype) == (np.float32, np.float64)
    np.testing.assert_array_equal(stored.test, made.test)
    np.testing.assert_array_equal(stored.train, made.train)


def test_a_folder_that_is_gone_costs_no_test_its_codes(folder):
    folder.rmdir()
    assert once(folder / "key.npz", lambda: codes_of(5.0)).seconds == 5.0


@pytest.mark.parametrize(
    "codes",
    [np.ma.masked_array([[1.0], [2.0]], mask=[[0], [1]]), np.array([[None], [1.0]]), [[1.0], [2.0]]],
    ids=["masked", "objects", "lists"],
)
def test_codes_that_no_file_holds_as_they_are_stay_in_their_process(folder, codes):
    made = Codes(codes, codes, 1.0)
    assert once(folder / "key.npz", lambda: made) is made
    assert not list(folder.glob("*.npz"))


def key(recipe, options=None, data="abc", code_size=2, seed=0, in_sample=False):
    return fit_key(as_recipe(recipe, options), [data, code_size, seed, in_sample])


def test_a_key_tells_fits_apart_and_is_the_same_for_the_same():
    keys = [
        key("pca"),
        key("mds"),
        key("autoencoder"),
        key("autoencoder", {"epochs": 3}),
        key("pca", data="abd"),
        key("pca", code_size=3),
        key("pca", seed=1),
        key("pca", in_sample=True),
        key(Here),
        key(Here.Inner),
        key(Here.Inner, {"scale": 2.0}),
    ]
    assert len(set(keys)) == len(keys)
    assert all(len(digest) == 64 for digest in keys)
    assert key(Here.Inner, {"scale": 2.0}) == keys[-1]


def test_recipes_that_other_processes_cannot_import_have_no_key(monkeypatch):
    class Local(Here):
        pass

    main = type("Main", (Here,), {"__module__": "__main__"})
    monkeypatch.setattr(sys.modules["__main__"], "Main", main, raising=False)
    renamed = type("Here", (Here,), {"__module__": __name__, "__qualname__": "Here"})
    assert [key(recipe) for recipe in (Local, main, renamed, Here())] == [""] * 4


def test_a_class_of_a_module_that_has_changed_has_another_key(tmp_path, monkeypatch):
    path = tmp_path / "changing_recipe.py"
    path.write_text("class Mine:\n    def fit(self, X, code_size, seed): ...\n")
    monkeypatch.syspath_prepend(tmp_path)
    from changing_recipe import Mine

    before = key(Mine)
    path.write_text(f"SCALE = 2\n{path.read_text()}")
    assert before
    assert key(Mine) != before


@pytest.mark.parametrize("in_sample", [False, True])
def test_rows_are_the_same_with_and_without_sharing(folder, in_sample):
    recipe = as_recipe("pca")
    alone, *shared = (
        cache.run(Fit(recipe, "swiss_roll", 2, 0, in_sample)).report
        for cache in (FitCache(), FitCache(folder), FitCache(folder))
    )
    assert len(list(folder.glob("*.npz"))) == 1
    for report in shared:
        assert (report.as_dict(), report.fingerprint) == (alone.as_dict(), alone.fingerprint)
        assert report.notes == alone.notes
        for name, score in report.items():
            assert (score.low, score.high) == (alone[name].low, alone[name].high)
            np.testing.assert_array_equal(score.leave_one_out, alone[name].leave_one_out)


def test_an_object_is_fitted_in_each_process_and_leaves_nothing(folder):
    FitCache(folder).run(Fit(as_recipe(Here()), "swiss_roll", 2, 0))
    assert not list(folder.iterdir())
