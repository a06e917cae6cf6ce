from __future__ import annotations

import json
import re

import numpy as np
import pytest

import distbench
from distbench import InputError, check_encoder
from distbench._util.notes import coded_texts
from distbench.evaluation.limits import limits_and_options

RNG = np.random.default_rng(0)
X_TRAIN, X_TEST = RNG.normal(size=(150, 5)), RNG.normal(size=(60, 5))


def first(X):
    return X[:, :2]


def by_metric(rows):
    return {row.metric: row for row in rows}


def test_rows_hold_the_values_of_evaluate_and_the_verdicts_of_limits():
    default = [name for name, metric in distbench.metrics.METRICS.items() if metric.default]
    report = distbench.evaluate(first, X_TEST, reference=X_TRAIN, metrics=[*default, "kendall"])
    value = report["continuity"].value
    limits = {"continuity": value, "trustworthiness": 0.1, "stress": 0.01, "kendall": 0.01}
    rows = by_metric(check_encoder(first, X_TEST, reference=X_TRAIN, **limits))
    assert [rows[name].verdict for name in limits] == ["undecided", "met", "broken", "met"]
    assert {name: row.value for name, row in rows.items()} == report.as_dict()
    assert {name: rows[name].verdict for name in limits} == report.verdicts(**limits)
    assert (rows["spearman"].verdict, rows["spearman"].limit) == ("", None)
    plain = [vars(row) for row in rows.values()]
    assert json.loads(json.dumps(plain)) == plain


def test_the_seed_is_that_of_the_sample():
    options = {"queries": 20, "seed": 3, "metrics": ["continuity"]}
    (row,) = check_encoder(first, X_TEST, **options)
    assert row.value == distbench.evaluate(first, X_TEST, **options)["continuity"].value
    assert row.value != distbench.evaluate(first, X_TEST, **{**options, "seed": 0})["continuity"].value
    with pytest.raises(InputError, match="seed: found -1"):
        check_encoder(first, X_TEST, **{**options, "seed": -1})


def test_a_report_is_judged_without_being_measured_again():
    report = distbench.evaluate(first, X_TEST, reference=X_TRAIN, metrics=["continuity", "kendall"], k=6)
    limits = {"continuity": 0.999, "kendall": 0.01}
    rows = by_metric(check_encoder(report, name="mine", **limits))
    assert {name: row.value for name, row in rows.items()} == report.as_dict()
    assert {name: row.verdict for name, row in rows.items()} == report.verdicts(**limits)
    assert {(row.encoder, row.k) for row in rows.values()} == {("mine", 6)}
    given = {"X_test": X_TEST, "dataset": "digits", "include_queries": False, "distance_z": "cosine", "seed": 3}
    given["k"] = 10
    for option in ({name: value} for name, value in given.items()):
        with pytest.raises(InputError, match=f"{next(iter(option))}: given beside a report; leave it out"):
            check_encoder(report, **option, continuity=0.1)


def test_a_recipe_is_fitted_on_the_data_sets_train_points():
    rows = by_metric(check_encoder("pca", dataset="swiss_roll", code_size=2, k=7, continuity=0.2))
    data = distbench.load_dataset("swiss_roll")
    encoder = distbench.fit_baseline("pca", data.train, code_size=2)
    report = distbench.evaluate(encoder, data.test, reference=data.train, k=7)
    row = rows["continuity"]
    expected = (report["continuity"].value, "swiss_roll", data.sha256, 0)
    assert (row.value, row.dataset, row.data_sha256, row.seed) == expected


def test_rows_of_a_recipe_have_the_warnings_of_its_report_before_its_own_note():
    class Constant:
        note = "a map for new points"

        def fit(self, X, code_size, seed):
            return self

        def transform(self, X):
            return np.zeros((len(X), 2))

    (row,) = check_encoder(Constant(), dataset="swiss_roll", code_size=2, metrics=["continuity"])
    *warnings, own = coded_texts(row.note)
    assert own == ("", Constant.note)
    assert "all_codes_equal" in dict(warnings)


def test_rows_name_the_distances_that_were_used():
    rows = by_metric(check_encoder(first, X_TEST, distance_x="cosine", distance_z="cosine"))
    report = distbench.evaluate(first, X_TEST, distance_x="cosine", distance_z="cosine")
    assert rows["stress"].value == report["stress"].value
    assert rows["stress"].distance == "cosine"


class Never:
    def fit(self, X, code_size, seed):
        raise RuntimeError("fitted")

    def transform(self, X):
        raise RuntimeError("encoded")

    def get_feature_names_out(self):
        return ["one", "two"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"a\n\x1b[31m##[error]": 5}, re.escape(r"a\n\x1b[31m\x23#[error]: found no metric and")),
        ({"neighbours": 5}, "neighbours: found no metric and no option of that name; known are trustworthiness"),
        ({"continuity": 3}, "between 0 and 1"),
        ({"distortion": 0.5}, "distortion: found the limit 0.5; pass one between 1 and inf"),
        ({"stress": 1e-6}, "stress: found a limit of at most 1e-06, but every encoder with codes of 2 has"),
        ({"continuity": 0.5, "scaled_stress": 0}, "scaled_stress: found"),
        ({"reference": X_TRAIN, "distortion": 1}, "distortion: found"),
        ({"stress": 0.5}, "raised RuntimeError: encoded"),
        ({"reference": X_TRAIN, "stress": 0}, "raised RuntimeError: encoded"),
        ({"reference": X_TRAIN, "include_queries": False, "distortion": 1}, "raised RuntimeError: encoded"),
        ({"distance_z": "cityblock", "stress": 0}, "raised RuntimeError: encoded"),
        ({"queries": 30, "distortion": 1}, "raised RuntimeError: encoded"),
    ],
)
def test_names_and_limits_that_cannot_be_are_refused_before_an_encoder_runs(options, message):
    with pytest.raises(InputError, match=message):
        check_encoder(Never(), X_TEST, **options)


def test_the_code_size_of_some_encoders_is_known_only_after_they_ran():
    with pytest.raises(InputError, match="every encoder with codes of 2 has at least"):
        check_encoder(first, X_TEST, stress=0)
    assert by_metric(check_encoder(first, X_TEST, reference=X_TRAIN, stress=0))["stress"].verdict == "broken"


class MyRecipe:
    def fit(self, X, code_size, seed): ...


@pytest.mark.parametrize(
    ("encoder", "points", "message"),
    [
        (X_TEST, first, "look swapped; pass the encoder first"),
        (MyRecipe, X_TEST, "it is a recipe, with fit"),
        (MyRecipe(), X_TEST, "it is a recipe, with fit"),
        ("pca", X_TEST, "if it is the name of a recipe.*fit_baseline"),
        ("enc.h5", X_TEST, "found 'enc.h5'; files that are loaded are a .keras file"),
        (first, "x.npy", "X_test: found 'x.npy', a text; pass the array"),
    ],
)
def test_slips_get_an_error_of_their_kind(encoder, points, message):
    with pytest.raises(InputError, match=message):
        check_encoder(encoder, points, continuity=0.9)


def test_a_recipe_needs_a_data_set_and_limits_that_can_be_met():
    with pytest.raises(InputError, match=r"X_test: not given; .*dataset= and code_size="):
        check_encoder("pca", continuity=0.9)
    with pytest.raises(InputError, match="queries: given for a recipe"):
        check_encoder("pca", dataset="swiss_roll", code_size=2, queries=10)
    with pytest.raises(InputError, match=r"distortion: found a limit of at most 1,.* codes of 2"):
        check_encoder(Never(), dataset="digits", code_size=2, distortion=1)
    with pytest.raises(RuntimeError, match="fitted"):
        check_encoder(Never(), dataset="digits", code_size=2, include_queries=False, distortion=1)


def test_limits_before_and_after_those_of_the_call():
    call = {"continuity": 0.5, "k": 3}
    limits, options = limits_and_options(call, {"continuity": 0.1, "stress": 1.0}, {"stress": 2.0})
    assert limits == {"continuity": 0.5, "stress": 2.0}
    assert options == {"k": 3, "metrics": ("default", "continuity", "stress")}


def test_a_limit_may_be_at_a_k_that_is_too_large_for_other_metrics():
    X = np.random.default_rng(0).normal(size=(40, 3))
    rows = check_encoder(lambda X: X[:, :2], X, k=30, knn_recall=0.5)
    assert {row.metric for row in rows} & {"trustworthiness", "continuity", "knn_recall"} == {"knn_recall"}
    report = distbench.evaluate(lambda X: X[:, :2], X, k=(5, 30), metrics=("default", "knn_recall"))
    assert report.notes[0] == (
        "k is too large for these with M = 39 candidates, so they were not measured: trustworthiness@30, continuity@30"
    )
    assert "trustworthiness@5" in report.scores
    for k, limits in ((30, {"continuity": 0.5}), (39, {"knn_recall": 0.5})):
        with pytest.raises(InputError, match=f"k: found {k} with M = 39 candidates"):
            check_encoder(lambda X: X[:, :2], X, k=k, **limits)
    with pytest.raises(InputError, match="k: found 30 with M = 39 candidates"):
        distbench.evaluate(lambda X: X[:, :2], X, k=30, metrics=iter(["continuity", "knn_recall"]))
