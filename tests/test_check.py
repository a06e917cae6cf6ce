from __future__ import annotations

import json

import numpy as np
import pytest

import distbench
from distbench import InputError, check_encoder
from distbench.evaluation.limits import limits_and_options

RNG = np.random.default_rng(0)
X_TRAIN, X_TEST = RNG.normal(size=(150, 5)), RNG.normal(size=(60, 5))


def first(X):
    return X[:, :2]


def by_metric(rows):
    return {row.metric: row for row in rows}


def test_rows_say_what_evaluate_says_and_what_became_of_limits():
    report = distbench.evaluate(first, X_TEST, reference=X_TRAIN, metrics=[*_default(), "kendall"])
    value = report["continuity"].value
    limits = {"continuity": value, "trustworthiness": 0.1, "stress": 0.01, "kendall": 0.01}
    rows = by_metric(check_encoder(first, X_TEST, reference=X_TRAIN, **limits))
    assert {name: row.value for name, row in rows.items()} == report.as_dict()
    assert {name: rows[name].verdict for name in limits} == report.verdicts(**limits)
    assert rows["continuity"].verdict == "undecided"
    assert rows["trustworthiness"].verdict == "met"
    assert rows["stress"].verdict == "broken"
    assert rows["spearman"].verdict == ""
    assert rows["spearman"].limit is None
    plain = [vars(row) for row in rows.values()]
    assert json.loads(json.dumps(plain)) == plain


def _default():
    return [name for name, metric in distbench.metrics.METRICS.items() if metric.default]


def test_a_recipe_is_fitted_on_the_data_sets_train_points():
    rows = by_metric(check_encoder("pca", dataset="swiss_roll", code_size=2, k=7, continuity=0.2))
    data = distbench.load_dataset("swiss_roll")
    encoder = distbench.fit_baseline("pca", data.train, code_size=2)
    report = distbench.evaluate(encoder, data.test, reference=data.train, k=7)
    assert rows["continuity"].value == report["continuity"].value
    assert rows["continuity"].dataset == "swiss_roll"
    assert rows["continuity"].data_sha256 == data.sha256
    assert rows["continuity"].seed == 0


def test_distances_are_those_asked_for_and_rows_say_so():
    rows = by_metric(check_encoder(first, X_TEST, distance_x="cosine", distance_z="cosine"))
    report = distbench.evaluate(first, X_TEST, distance_x="cosine", distance_z="cosine")
    assert rows["stress"].value == report["stress"].value
    assert rows["stress"].distance == "cosine"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"continuty": 0.9}, "continuty: found no metric and no option of that name; did you mean 'continuity'"),
        ({"distance": "cosine"}, "write distance_x= for the points and distance_z="),
        ({"neighbours": 5}, "neighbours: found no metric and no option of that name; metrics are trustworthiness"),
        ({"limits": {"continuity": 0.9}}, "write each limit by its metric's name"),
        ({"continuity": 3}, "between 0 and 1"),
        ({"distortion": 0.5}, "pass one between 1 and inf"),
    ],
)
def test_wrong_names_and_limits_are_said_before_the_encoder_runs(arguments, said):
    def never(X):
        raise RuntimeError("encoded")

    with pytest.raises(InputError, match=said):
        check_encoder(never, X_TEST, **arguments)


class Never:
    def fit(self, X, code_size, seed):
        raise RuntimeError("fitted")

    def transform(self, X):
        raise RuntimeError("encoded")

    def get_feature_names_out(self):
        return ["one", "two"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"distortion": 0.5}, "distortion: found the limit 0.5"),
        ({"stress": 1e-6}, "stress: found the limit at most 1e-06, which no encoder with codes of 2 can meet"),
        ({"continuity": 0.5, "scaled_stress": 0}, "scaled_stress: found"),
        ({"reference": X_TRAIN, "distortion": 1}, "distortion: found"),
        ({"stress": 0.5}, "raised RuntimeError: encoded"),
        ({"reference": X_TRAIN, "stress": 0}, "raised RuntimeError: encoded"),
        ({"reference": X_TRAIN, "include_queries": False, "distortion": 1}, "raised RuntimeError: encoded"),
        ({"distance_z": "cityblock", "stress": 0}, "raised RuntimeError: encoded"),
        ({"queries": 30, "distortion": 1}, "raised RuntimeError: encoded"),
    ],
)
def test_limits_that_no_encoder_can_meet_are_refused_before_one_runs(options, said):
    with pytest.raises(InputError, match=said):
        check_encoder(Never(), X_TEST, **options)


def test_the_code_size_of_some_encoders_is_known_only_after_they_ran():
    with pytest.raises(InputError, match="no encoder with codes of 2 can meet"):
        check_encoder(first, X_TEST, stress=0)
    assert by_metric(check_encoder(first, X_TEST, reference=X_TRAIN, stress=0))["stress"].verdict == "broken"


def test_limits_of_a_recipe_are_refused_before_it_is_fitted():
    with pytest.raises(InputError, match=r"distortion: found the limit at most 1,.* codes of 2"):
        check_encoder(Never(), dataset="digits", code_size=2, distortion=1)
    with pytest.raises(RuntimeError, match="fitted"):
        check_encoder(Never(), dataset="digits", code_size=2, include_queries=False, distortion=1)


class MyRecipe:
    def fit(self, X, code_size, seed): ...


@pytest.mark.parametrize(
    ("encoder", "points", "said"),
    [
        (X_TEST, first, "look swapped; pass the encoder first"),
        (MyRecipe, X_TEST, "it is a recipe, with fit"),
        (MyRecipe(), X_TEST, "it is a recipe, with fit"),
        ("pca", X_TEST, "names are of recipes.*fit_baseline"),
        ("enc.h5", X_TEST, "found 'enc.h5'; files that are loaded are a .keras file"),
        (first, "x.npy", "X_test: found 'x.npy', a text; pass the array"),
    ],
)
def test_what_looks_like_a_slip_is_said_as_such(encoder, points, said):
    with pytest.raises(InputError, match=said):
        check_encoder(encoder, points, continuity=0.9)


def test_a_recipe_needs_a_data_set_and_takes_no_points():
    with pytest.raises(InputError, match=r"X_test: not given; .*dataset= and code_size="):
        check_encoder("pca", continuity=0.9)
    with pytest.raises(InputError, match="queries: given for a recipe"):
        check_encoder("pca", dataset="swiss_roll", code_size=2, queries=10)


def test_limits_before_and_after_those_of_the_call():
    call = {"continuity": 0.5, "k": 3}
    limits, options = limits_and_options(call, {"continuity": 0.1, "stress": 1.0}, {"stress": 2.0})
    assert limits == {"continuity": 0.5, "stress": 2.0}
    assert options == {"k": 3}
