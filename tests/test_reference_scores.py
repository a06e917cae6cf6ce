from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import distbench
from distbench.evaluation.failure_message import MAX_LINES, advice, failure_text, reference_lines
from distbench.evaluation.scores import ReferenceScore
from distbench.suites.reference_scores import fitted_reference_scores, stored_reference_scores

DATA = distbench.load_dataset("digits")


def of_pca(code_size, **options):
    encoder = distbench.fit_baseline("pca", DATA.train, code_size=code_size)
    return distbench.evaluate(encoder, DATA.test, reference=DATA.train, name="mine", **options)


def test_the_best_stored_baseline_keeps_the_code_size_and_is_not_in_sample():
    report = of_pca(2)
    scores = stored_reference_scores(report, "digits", 2, ["continuity", "scaled_stress"])
    assert set(scores) == {"continuity", "scaled_stress"}
    assert scores["continuity"].encoder not in ("identity", "isometry", "isometry_sigmoid", "tsne", "mds")
    assert report["continuity"].value < scores["continuity"].value < 1
    assert scores["scaled_stress"].value < report["scaled_stress"].value


def test_stored_baselines_are_of_the_same_k_distance_and_data_set():
    cosine = {"distance_x": "cosine", "distance_z": "cosine"}
    for options, dataset in (({"k": 7}, "digits"), (cosine, "digits"), ({}, "no_such_data")):
        assert stored_reference_scores(of_pca(2, **options), dataset, 2, ["continuity"]) == {}


def test_pca_is_fitted_on_the_reference_with_as_many_columns():
    report = distbench.evaluate(lambda X: X[:, 20:22], DATA.test, reference=DATA.train)
    scores = fitted_reference_scores(report, ["continuity"], {})
    assert scores["continuity"].value == of_pca(2)["continuity"].value
    assert fitted_reference_scores(of_pca(2), ["continuity"], {}) == {}, "it is the encoder itself"
    in_sample = distbench.evaluate(lambda X: X[:, 20:22], DATA.test)
    scores = fitted_reference_scores(in_sample, ["continuity"], {})
    encoder = distbench.fit_baseline("pca", DATA.test, code_size=2)
    assert scores["continuity"].value == distbench.evaluate(encoder, DATA.test)["continuity"].value
    assert "test points" in scores["continuity"].where
    pandas = pytest.importorskip("pandas")
    frames = pandas.DataFrame(DATA.test), pandas.DataFrame(DATA.train)
    report = distbench.evaluate(lambda X: X.to_numpy()[:, 20:22], frames[0], reference=frames[1])
    assert fitted_reference_scores(report, ["continuity"], {})["continuity"].value == of_pca(2)["continuity"].value


def test_pca_is_left_out_where_it_is_no_smaller_or_would_take_long():
    whole = distbench.evaluate(lambda X: X, DATA.test, reference=DATA.train)
    assert fitted_reference_scores(whole, ["continuity"], {}) == {}
    report = of_pca(2)
    large = replace(report.clouds, X_ref=np.zeros((200_000, 64)))
    assert fitted_reference_scores(replace(report, clouds=large), ["continuity"], {}) == {}
    assert fitted_reference_scores(replace(report, clouds=None), ["continuity"], {}) == {}


def test_where_units_decide_the_advice_is_to_scale():
    X = np.random.default_rng(0).normal(size=(200, 30)) * ([500, 300] + [1] * 28)
    report = distbench.evaluate(lambda X: X[:, 2:], X)
    assert "pass a fitted scaler as input_space=" in " ".join(report.notes)
    assert "pass a fitted scaler" in advice(report, {"continuity": 0.9}, {})
    scaled = distbench.evaluate(lambda X: X[:, 2:4], X, input_space=X / X.std(axis=0))
    assert any("given as input_space=" in note for note in scaled.notes)
    assert "scaler" not in advice(scaled, {"continuity": 0.99}, {})


def test_a_failure_never_takes_more_than_25_lines_whatever_is_broken():
    report = distbench.evaluate(
        lambda X: np.round(X[:, :2]),
        DATA.test,
        reference=DATA.train,
        metrics="all",
        labels=DATA.labels_test,
        reference_labels=DATA.labels_train,
    )
    broken = {name: 1.0 if score.direction == "up" else score.value / 2 for name, score in report.items()}
    text = failure_text(report, broken)
    assert len(text.splitlines()) <= MAX_LINES
    assert "(label " in failure_text(report, {"continuity": 0.99})
    best = {name: ReferenceScore(name, "pca", 0.5, "stored") for name in broken}
    rest = [*reference_lines(best, 2), advice(report, broken, best)]
    assert len(text.splitlines()) + len(rest) + 2 <= 25  # and the lines that say where and how to run it again


def test_the_advice_depends_on_the_interval_and_the_baseline():
    report = of_pca(2)
    undecided, broken = {"continuity": 0.95}, {"continuity": 0.97}
    better, near, worse = (
        {"continuity": ReferenceScore("continuity", "umap", value, "stored")} for value in (0.98, 0.96, 0.9)
    )
    assert "do not decide" in advice(report, undecided, better)
    assert "see how umap does it" in advice(report, broken, better)
    assert "umap has a better continuity, but not one within the limit" in advice(report, broken, near)
    assert "umap with continuity would not meet its limit" in advice(report, broken, worse)
    assert advice(report, broken, {}) == "look at these pairs; larger codes keep more"
    bits = np.random.default_rng(0).integers(0, 2, size=(60, 3))  # ties alone cost their score, so no pair is torn
    tied = distbench.evaluate_codes(bits, bits, k=5)
    assert advice(tied, {"continuity": 0.999}, {}) == "larger codes keep more"
    for framework, loss in (("keras", "PairwiseDistanceLoss"), ("torch", "a loss on pairwise distances")):
        assert loss in advice(report, broken, {}, framework)
        assert loss in advice(report, broken, better, framework)
        assert loss not in advice(report, broken, {})
    mine = {"continuity": replace(better["continuity"], encoder="mine", where="in this run", is_baseline=False)}
    assert advice(report, broken, mine).endswith("see how mine does it (in this run)")
    assert reference_lines(mine, 2) == ["  better at code size 2: mine (in this run), continuity = 0.9800"]


def test_a_stored_baseline_is_never_the_encoder_itself_under_another_name():
    value = stored_reference_scores(of_pca(2), "digits", 2, ["continuity"])["continuity"]
    report = of_pca(2)
    same = replace(report["continuity"], value=value.value * (1 + 1e-9))
    score = stored_reference_scores(replace(report, scores={"continuity": same}), "digits", 2, ["continuity"])
    assert score["continuity"].encoder != value.encoder
    assert score["continuity"].value < value.value
