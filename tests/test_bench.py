from __future__ import annotations

import numpy as np
import pytest

import distbench
from distbench.datasets import load_dataset
from distbench.errors import InputError, MissingDependencyError
from distbench.suites.fits import FitCache
from distbench.suites.recipes import NotInstalledError, as_recipe


class Fitted:
    """Codes of the fitted points that differ from those of its map, so that one can tell which were judged."""

    def __init__(self, X, width, note):
        self.codes_ = X[:, :width] ** 3
        self.width = width
        self.note = note

    def transform(self, X):
        return X[:, : self.width]


class Places:
    def __init__(self, note="", **about):
        self.given = []
        self.note = note
        for name, value in about.items():
            setattr(self, name, value)

    def fit(self, X, code_size, seed, scale=1.0):
        self.given.append(len(X))
        return Fitted(X * scale, code_size, self.note)


@pytest.fixture(scope="module")
def data():
    return load_dataset("swiss_roll")


def test_in_sample_fits_on_all_points_and_judges_the_codes_they_got(data):
    places, bench = Places(), FitCache()
    run = bench.run(as_recipe(places), "swiss_roll", 2, 0, in_sample=True)
    assert run.in_sample
    assert places.given == [len(data.train) + len(data.test)]
    expected = distbench.evaluate_codes(
        data.test, data.test[:, :2] ** 3, reference=(data.train, data.train[:, :2] ** 3)
    )
    assert run.report.as_dict() == expected.as_dict()
    assert (run.report.m, run.report.M) == (len(data.test), len(data.train) + len(data.test) - 1)


def test_in_sample_and_out_of_sample_are_fits_of_their_own(data):
    places, bench = Places(), FitCache()
    recipe = as_recipe(places)
    out, within = (bench.run(recipe, "swiss_roll", 2, 0, in_sample=one) for one in (False, True))
    assert places.given == [len(data.train), len(data.train) + len(data.test)]
    assert (out.in_sample, within.in_sample) == (False, True)
    assert out.report["stress"] != within.report["stress"]


def test_a_recipe_that_is_in_sample_only_always_is(data):
    places = Places(in_sample_only=True)
    assert FitCache().run(as_recipe(places), "swiss_roll", 2, 0).in_sample
    assert places.given == [len(data.train) + len(data.test)]


def test_an_encoder_without_codes_of_its_own_encodes_the_points_it_was_fitted_on(data):
    run = FitCache().run(as_recipe("pca"), "swiss_roll", 2, 0, in_sample=True)
    encoder = distbench.baselines.fit_baseline("pca", np.concatenate([data.train, data.test]), 2)
    expected = distbench.evaluate(encoder, data.test, reference=data.train)
    assert run.report["continuity"].value == pytest.approx(expected["continuity"].value, abs=1e-9)


@pytest.mark.parametrize(
    ("note", "in_sample", "shown"),
    [
        ("out of sample: nearest points", False, "out of sample: nearest points"),
        ("out of sample: nearest points", True, ""),
        ("perplexity 5", True, "perplexity 5"),
    ],
)
def test_notes_come_along_but_for_words_on_codes_that_are_not_judged(note, in_sample, shown):
    run = FitCache().run(as_recipe(Places(note)), "swiss_roll", 2, 0, in_sample=in_sample)
    assert run.note == shown


def test_options_reach_the_fit_and_tell_fits_apart():
    bench, places = FitCache(), Places()
    one, two = as_recipe(places), as_recipe(places, {"scale": 2.0})
    codes = [
        bench.fit(recipe, "swiss_roll", 2, 0)[0].codes_ for recipe in (one, two, as_recipe(places, {"scale": 2.0}))
    ]
    np.testing.assert_allclose(codes[1], 8 * codes[0])
    assert len(places.given) == 2


@pytest.mark.parametrize(
    ("recipe", "options", "message"),
    [
        ("autoencoder", {"epoch": 3}, "recipe autoencoder: options: there is no 'epoch'; did you mean 'epochs'"),
        ("pca", {"epochs": 3}, "recipe pca: options: there is no 'epochs'; it takes none"),
        (Places(), {"scal": 3}, "there is no 'scal'; did you mean 'scale'"),
        (Places(), {"scale": object()}, "options: .*; give text, numbers"),
    ],
)
def test_options_that_a_recipe_does_not_take_are_refused(recipe, options, message):
    with pytest.raises(InputError, match=message):
        as_recipe(recipe, options)


def test_a_package_that_is_missing_is_said_before_the_fit():
    places = Places(requires="no_such_package_here.part")
    recipe = as_recipe(places)
    assert recipe.missing()
    with pytest.raises(NotInstalledError, match="needs the package no_such_package_here") as caught:
        FitCache().fit(recipe, "swiss_roll", 2, 0)
    assert isinstance(caught.value, MissingDependencyError)
    assert places.given == []
    assert as_recipe(Places(requires="numpy")).missing() == ""


def test_limits_beyond_the_floor_of_a_data_set_are_refused_before_a_fit():
    bench = FitCache()
    bench.check_floors({"distortion": 1e9, "stress": 0.0}, "swiss_roll", 2, 10)
    with pytest.raises(InputError, match=r"distortion: found the limit at most 1\.01"):
        bench.check_floors({"distortion": 1.01}, "swiss_roll", 1, 10)


def test_distances_are_part_of_what_is_judged():
    bench, recipe = FitCache(), as_recipe("pca")
    plain = bench.run(recipe, "swiss_roll", 2, 0)
    other = bench.run(recipe, "swiss_roll", 2, 0, distance_x="cityblock", distance_z="cosine")
    assert (other.report.distance_x, other.report.distance_z) == ("cityblock", "cosine")
    assert plain.report.distance_x == "euclidean"
    assert other.encoder is plain.encoder
    data = bench.dataset("swiss_roll")
    expected = distbench.evaluate(
        plain.encoder, data.test, reference=data.train, distance_x="cityblock", distance_z="cosine"
    )
    assert other.report.as_dict() == expected.as_dict()
