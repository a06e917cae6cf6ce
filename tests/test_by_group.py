"""The values of groups of test points: against the mean of their points, and what cannot be asked for."""

from __future__ import annotations

import numpy as np
import pytest

import distbench
from distbench.errors import InputError
from distbench.inference.jackknife import jackknife_interval

RNG = np.random.default_rng(0)
X, X_REF = RNG.normal(size=(60, 4)), RNG.normal(size=(80, 4))
WRITERS = np.array(["ann", "bob", "cem", "dee"])[np.arange(60) % 4]
WRITERS[:3] = "eve"
NAMES = ["continuity", "knn_recall", "mrre_code", "label_agreement", "stress", "distortion"]


@pytest.fixture(scope="module")
def report():
    options = {"labels": np.arange(60) % 2, "reference_labels": np.arange(80) % 2}
    pair = X_REF, X_REF[:, :2]
    return distbench.evaluate_codes(X, X[:, :2], reference=pair, metrics=NAMES, groups=WRITERS, k=5, **options)


@pytest.mark.parametrize("metric", NAMES[:4])
def test_a_group_has_the_mean_of_its_points(report, metric):
    scores = report.by_group(metric)
    points = report[metric].points
    assert sorted(score.group for score in scores) == ["ann", "bob", "cem", "dee", "eve"]
    for score in scores:
        of_group = points[np.equal(WRITERS, score.group)]
        assert (score.value, score.n) == (pytest.approx(of_group.mean(), abs=1e-12), len(of_group))
        if score.n < 5:
            assert score.low is score.high is None
        else:
            without = np.array([np.delete(of_group, i).mean() for i in range(score.n)])
            expected = jackknife_interval(score.value, without, bounds=(0, 1))
            assert (score.low, score.high) == pytest.approx(expected, rel=1e-9)
    values = [score.value for score in scores]
    assert values == sorted(values, reverse=report[metric].direction == "down")


def test_the_mean_over_groups_is_the_value(report):
    scores = report.by_group()
    assert sum(score.n * score.value for score in scores) / 60 == pytest.approx(report["continuity"].value, abs=1e-12)


def test_of_reconstructions():
    class Halves:
        def transform(self, points):
            return points[:, :2]

        def inverse_transform(self, codes):
            return np.hstack([codes, np.zeros_like(codes)])

    scores = distbench.evaluate(Halves(), X, metrics="all", groups=WRITERS, k=5).by_group("reconstruction_mse")
    expected = {name: np.mean(X[np.equal(WRITERS, name)][:, 2:] ** 2) / 2 for name in set(WRITERS.tolist())}
    assert {score.group: score.value for score in scores} == pytest.approx(expected)
    assert scores[0].value == pytest.approx(max(expected.values()))


@pytest.mark.parametrize(
    ("metric", "words"),
    [
        (
            "stress",
            "metric: found 'stress', which is not a mean of single points' scores; pass continuity, knn_recall, ",
        ),
        ("distortion", "metric: found 'distortion', which is not a mean"),
        ("trustworthiness", "metric: found 'trustworthiness', which was not measured"),
        (3, "metric: found 3, which was not measured"),
    ],
)
def test_what_has_no_values_of_groups(report, metric, words):
    with pytest.raises(InputError) as raised:
        report.by_group(metric)
    assert words in str(raised.value)


def test_without_groups_there_are_none():
    with pytest.raises(InputError, match="found none in this report; evaluate with groups="):
        distbench.evaluate_codes(X, X[:, :2], k=5).by_group()
