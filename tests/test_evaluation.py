"""From points and an encoder to a report, and from two reports to their difference."""

from __future__ import annotations

import re

import numpy as np
import pytest
from sklearn.decomposition import PCA

import distbench
from distbench.metrics import METRICS

RNG = np.random.default_rng(0)
X_TRAIN, X_TEST = RNG.normal(size=(120, 6)), RNG.normal(size=(50, 6))
ENCODER = PCA(2).fit(X_TRAIN)
DEFAULT = [name for name, metric in METRICS.items() if metric.default]


@pytest.fixture(scope="module")
def report():
    return distbench.evaluate(ENCODER, X_TEST, reference=X_TRAIN, k=5)


def test_test_points_are_measured_against_train_and_other_test_points(report):
    assert (report.m, report.M, report.k, report.code_size) == (50, 169, 5, 2)
    assert list(report) == DEFAULT
    assert report.encoder == "PCA"
    for name, score in report.items():
        if name == "distortion":  # a worst case
            assert (score.low, score.high) == (None, None)
        else:
            assert score.low < score.value < score.high
    single = distbench.evaluate(ENCODER, X_TEST[:1], reference=X_TRAIN, k=5)["continuity"]
    assert single.low is None
    assert np.isfinite(single.value)


def test_train_points_only():
    report = distbench.evaluate(ENCODER, X_TEST, reference=X_TRAIN, k=5, include_queries=False)
    assert report.M == 120
    assert not report.in_sample()
    assert distbench.evaluate(ENCODER, X_TEST, k=5).in_sample()
    Z, Z_ref = ENCODER.transform(X_TEST), ENCODER.transform(X_TRAIN)
    for name in DEFAULT:
        function = getattr(distbench.metrics, name)
        options = {"k": 5} if METRICS[name].family == "ranks" else {}
        assert function(X_TEST, Z, reference=(X_TRAIN, Z_ref), **options) == report[name].value


def test_ready_codes_give_the_same_report(report):
    codes = ENCODER.transform(X_TEST), ENCODER.transform(X_TRAIN)
    same = distbench.evaluate_codes(X_TEST, codes[0], reference=(X_TRAIN, codes[1]), k=5)
    assert same.as_dict() == pytest.approx(report.as_dict(), rel=1e-9)


def test_worst_pairs_have_their_distances_and_ranks(report):
    Z, Z_ref = ENCODER.transform(X_TEST), ENCODER.transform(X_TRAIN)
    for kind in ("torn", "merged"):
        pairs = report.worst_pairs(5, kind=kind)
        assert len(pairs) == 5
        for pair in pairs:
            other = (X_TEST, Z) if pair.partner_set == "test" else (X_TRAIN, Z_ref)
            a = np.linalg.norm(X_TEST[pair.query] - other[0][pair.partner])
            b = np.linalg.norm(Z[pair.query] - other[1][pair.partner])
            assert (pair.input_distance, pair.code_distance) == pytest.approx((a, b))
            near, far = (pair.rank_input, pair.rank_code)[:: 1 if kind == "torn" else -1]
            assert near <= 5 < far


def test_worst_points_have_the_lowest_scores(report):
    worst = report.worst_points(3)
    assert [score for _, score in worst] == sorted(report["continuity"].points)[:3]
    with pytest.raises(distbench.InputError, match="distortion_q"):
        report.worst_points(3, metric="distortion_q")


def test_a_broken_worst_case_names_its_witnesses(report):
    with pytest.raises(distbench.PreservationError, match="largest and least ratio") as caught:
        report.check(distortion=1.0)
    most, least = report.worst_pairs(2, kind="extreme")
    ratio = (most.code_distance / most.input_distance) / (least.code_distance / least.input_distance)
    assert ratio == pytest.approx(report["distortion"].value)
    assert str(most) in str(caught.value)
    assert "shuffled" not in str(caught.value)


def test_some_metrics_only():
    report = distbench.evaluate(ENCODER, X_TEST, metrics=["stress", "continuity"])
    assert list(report) == ["continuity", "stress"]
    with pytest.raises(KeyError, match="was not measured"):
        report["pearson"]
    with pytest.raises(KeyError, match="'continuty' was not measured; did you mean 'continuity'"):
        report["continuty"]


def test_limits(report):
    assert report.check(continuity=0.5, scaled_stress=0.99) is report
    with pytest.raises(distbench.PreservationError) as caught:
        report.check(continuity=0.999, scaled_stress=0.99)
    message = str(caught.value)
    for part in ("continuity = ", "at least 0.9990", "95% interval 0.", "m = 50", "k = 5", "M = 169", "test point"):
        assert part in message
    assert "scaled_stress" not in message
    assert len(message.splitlines()) <= 25
    assert isinstance(caught.value, AssertionError)
    value = report["continuity"].value
    with pytest.raises(distbench.PreservationError) as caught:  # a near miss does not look like a hit
        report.check(continuity=value + 1e-9)
    shown, limit = (float(text) for text in re.findall(r"0\.\d+", str(caught.value))[:2])
    assert shown < limit
    assert value == pytest.approx(shown, abs=1e-9)


def test_printed(report):
    text = str(report)
    for name, score in report.items():
        assert name in text
        if name not in ("distortion", "distortion_q"):
            assert f"{score.value:.4f}" in text
    assert "interval" in text
    assert max(map(len, text.splitlines())) <= 80


def test_images_and_coinciding_codes_are_noted():
    images = RNG.normal(size=(30, 4, 4))
    report = distbench.evaluate(lambda X: np.sign(X.reshape(len(X), -1)[:, :1]), images, k=3)
    assert "X_test: images of shape (4, 4) flattened to 16 columns" in report.notes
    assert any("30 distinct test points have only 2 distinct codes" in note for note in report.notes)


def test_all_that_can_be_measured():
    labels = np.arange(50) % 3
    report = distbench.evaluate(ENCODER, X_TEST, k=5, metrics="all", labels=labels)
    assert list(report) == list(METRICS)
    made = ENCODER.inverse_transform(ENCODER.transform(X_TEST))
    assert report["reconstruction_mse"].value == pytest.approx(np.mean((X_TEST - made) ** 2))
    assert 0 <= report["label_agreement"].value <= 1
    codes = distbench.evaluate_codes(X_TEST, ENCODER.transform(X_TEST), k=5, metrics="all")
    assert set(METRICS) - set(codes) == {"label_agreement", "reconstruction_mse"}


def test_a_decoder_is_found_by_its_names():
    class Model:
        def encode(self, X):
            return X[:, :2]

    class Decodes(Model):
        def decode(self, Z):
            return np.pad(Z, ((0, 0), (0, 4)))

    class Holds(Model):
        decoder = staticmethod(Decodes().decode)

    expected = np.mean(X_TEST[:, 2:] ** 2) * 4 / 6
    for model in (Decodes(), Holds()):
        report = distbench.evaluate(model, X_TEST, k=5, metrics=["reconstruction_mse"], batch_size=7)
        assert report["reconstruction_mse"].value == pytest.approx(expected)


def test_a_sample_of_queries_against_all_candidates():
    X = np.random.default_rng(1).normal(size=(300, 5))
    whole = distbench.evaluate_codes(X, X[:, :2], k=5)
    part = distbench.evaluate_codes(X, X[:, :2], k=5, queries=100)
    assert (part.m, part.M) == (100, 299)
    assert "100 of 300 test points were evaluated, against all candidates" in part.notes
    np.testing.assert_allclose(part["continuity"].points, whole["continuity"].points[part.judged])
    for name in ("continuity", "knn_recall", "stress", "triplet_accuracy"):
        assert part[name].half_width > whole[name].half_width
        assert part[name].low <= whole[name].value <= part[name].high
    again = distbench.evaluate_codes(X, X[:, :2], k=5, queries=100)
    assert again.as_dict() == part.as_dict()
    other = distbench.evaluate_codes(X, X[:, :2], k=5, queries=100, seed=1)
    assert other.as_dict() != part.as_dict()
    assert {row for row, _ in part.worst_points(5)} <= set(part.judged)
    assert distbench.evaluate_codes(X, X[:, :2], k=5, queries=300).judged is None


def test_as_many_queries_as_a_precision_needs():
    X = np.random.default_rng(1).normal(size=(600, 4))
    first = distbench.evaluate_codes(X, X[:, :2], k=5, metrics=["continuity"], queries=60)
    target = 0.75 * first["continuity"].half_width
    report = distbench.evaluate_codes(
        X, X[:, :2], k=5, metrics=["continuity"], queries=60, precision={"continuity": target}
    )
    assert 60 < report.m < 600
    assert report["continuity"].half_width <= target
    assert set(first.judged) < set(report.judged)
    everything = distbench.evaluate_codes(X, X[:, :2], k=5, metrics=["continuity"], precision={"continuity": 1e-9})
    assert everything.judged is None


@pytest.mark.parametrize("distance", ["cosine", "cityblock"])
def test_other_distances(distance):
    report = distbench.evaluate_codes(X_TEST, X_TEST, k=5, distance_x=distance, distance_z=distance)
    assert report["continuity"].value == 1.0
    assert report["stress"].value == pytest.approx(0.0, abs=1e-7)
    bits = X_TEST[:, :4] > 0
    assert distbench.evaluate_codes(X_TEST, bits, k=5, distance_z="hamming")["continuity"].value > 0.5


@pytest.mark.parametrize("where", ["X_test", "reference\\[0\\]"])
def test_points_of_zeros_have_no_cosine_distance(where):
    X, X_ref = X_TEST.copy(), X_TRAIN.copy()
    {"X_test": X, "reference\\[0\\]": X_ref}[where][7] = 0
    with pytest.raises(distbench.InputError, match=f"{where}: found only zeros in row 7"):
        distbench.evaluate_codes(X, X_TEST[:, :2], reference=(X_ref, X_TRAIN[:, :2]), k=5, distance_x="cosine")


@pytest.mark.parametrize("dead", [1, 40, len(X_TEST)])
def test_codes_of_zeros_coincide_by_cosine(dead):
    """They are measured like codes that coincide at a right angle to all others."""
    live = np.column_stack([X_TEST[:, :2], np.zeros(len(X_TEST))])
    zeros, equal = live.copy(), live.copy()
    zeros[:dead], equal[:dead] = 0.0, [0.0, 0.0, 1.0]
    options = {"k": 5, "distance_z": "cosine", "metrics": "all"}
    measured, wanted = (distbench.evaluate_codes(X_TEST, codes, **options) for codes in (zeros, equal))
    assert measured.as_dict() == pytest.approx(wanted.as_dict(), rel=1e-9)
    assert f"{dead} codes are all zeros and have no direction" in " ".join(measured.notes)
    assert [note for note in wanted.notes if "no direction" in note] == []
    if dead == len(X_TEST):
        assert measured["scaled_stress"].value == 1
        assert abs(measured["continuity"].value - measured["continuity"].chance) < 0.05


def test_huge_and_tiny_points_have_finite_intervals():
    for scale in (1e-300, 1e300):
        report = distbench.evaluate_codes(X_TEST * scale, X_TEST[:, :2], k=5)
        for score in report.values():
            assert score.low is None or np.isfinite([score.low, score.high]).all(), score.metric
