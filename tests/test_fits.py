from __future__ import annotations

import numpy as np
import pytest

import distbench
from distbench.datasets import load_dataset
from distbench.errors import MissingDependencyError
from distbench.suites.fits import Fit, FitCache
from distbench.suites.recipes import NotInstalledError, as_recipe


class Fitted:
    """An encoder whose codes of the fitted points differ from its map, so that scores show which were used."""

    def __init__(self, X, width, notes):
        self.codes_ = X[:, :width] ** 3
        self.width = width
        self.note, self.note_out_of_sample = notes

    def transform(self, X):
        return X[:, : self.width]


class Counting:
    """A recipe that counts its fits."""

    def __init__(self, notes=("", ""), **about):
        self.fits = []
        self.notes = notes
        for name, value in about.items():
            setattr(self, name, value)

    def fit(self, X, code_size, seed, scale=1.0):
        self.fits.append((len(X), code_size, seed))
        return Fitted(X * scale, code_size, self.notes)


@pytest.fixture(scope="module")
def data():
    return load_dataset("swiss_roll")


def test_each_fit_happens_once(data):
    counting, cache, n = Counting(), FitCache(), len(data.train)
    first = cache.run(Fit(as_recipe(counting), "swiss_roll", 2, 0))
    assert cache.run(Fit(as_recipe(counting), "swiss_roll", 2, 0)) is first
    other_k = cache.run(Fit(as_recipe(counting), "swiss_roll", 2, 0), k=5)
    assert (other_k.report.k, other_k.encoder) == (5, first.encoder)
    cache.run(Fit(as_recipe(counting), "swiss_roll", 2, 1))
    cache.run(Fit(as_recipe(counting), "swiss_roll", 1, 0))
    cache.run(Fit(as_recipe(counting, {"scale": 2.0}), "swiss_roll", 2, 0))
    cache.run(Fit(as_recipe(counting, {"scale": 2.0}), "swiss_roll", 2, 0))
    assert counting.fits == [(n, 2, 0), (n, 2, 1), (n, 1, 0), (n, 2, 0)]
    other = Counting()
    cache.run(Fit(as_recipe(other), "swiss_roll", 2, 0))  # of the same name
    assert len(other.fits) == 1


def test_codes_of_test_points_are_evaluated_with_the_distances_of_the_call(data):
    for options in ({}, {"distance_x": "cityblock", "distance_z": "cosine"}):
        run = FitCache().run(Fit(as_recipe("pca"), "swiss_roll", 2, 0), **options)
        direct = distbench.evaluate(run.encoder, data.test, reference=data.train, **options)
        assert run.report.as_dict() == direct.as_dict()
        assert (run.report.distance_x, run.report.distance_z) == (direct.distance_x, direct.distance_z)


def test_in_sample_fits_on_all_points_and_evaluates_their_codes(data):
    counting, cache = Counting(), FitCache()
    cache.run(Fit(as_recipe(counting), "swiss_roll", 2, 0))
    run = cache.run(Fit(as_recipe(counting), "swiss_roll", 2, 0, True))
    assert run.in_sample
    assert [n for n, _, _ in counting.fits] == [len(data.train), len(data.train) + len(data.test)]
    codes = [X[:, :2] ** 3 for X in (data.test, data.train)]
    expected = distbench.evaluate_codes(data.test, codes[0], reference=(data.train, codes[1]))
    assert run.report.as_dict() == expected.as_dict()
    only = Counting(in_sample_only=True)
    assert FitCache().run(Fit(as_recipe(only), "swiss_roll", 2, 0)).report.as_dict() == expected.as_dict()


def test_an_encoder_without_codes_of_its_own_encodes_the_points_it_was_fitted_on(data):
    run = FitCache().run(Fit(as_recipe("pca"), "swiss_roll", 2, 0, True))
    encoder = distbench.baselines.fit_baseline("pca", np.concatenate([data.train, data.test]), 2)
    expected = distbench.evaluate(encoder, data.test, reference=data.train)
    assert run.report["continuity"].value == pytest.approx(expected["continuity"].value, abs=1e-9)


@pytest.mark.parametrize(
    ("notes", "in_sample", "shown"),
    [
        (("", "nearest points"), False, "nearest points"),
        (("", "nearest points"), True, ""),
        (("perplexity 5", ""), True, "perplexity 5"),
        (("perplexity 5", "nearest points"), False, "perplexity 5; nearest points"),
    ],
)
def test_a_note_on_new_points_stands_where_they_are_measured(notes, in_sample, shown):
    run = FitCache().run(Fit(as_recipe(Counting(notes)), "swiss_roll", 2, 0, in_sample))
    assert run.note == shown


def test_a_missing_package_is_an_error_before_the_fit():
    counting = Counting(requires="no_such_package_here.part")
    recipe = as_recipe(counting)
    with pytest.raises(NotInstalledError, match="needs the package no_such_package_here") as caught:
        FitCache().fit(Fit(recipe, "swiss_roll", 2, 0))
    assert isinstance(caught.value, MissingDependencyError)
    assert recipe.missing()
    assert counting.fits == []
    assert as_recipe(Counting(requires="numpy")).missing() == ""
