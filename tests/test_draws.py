"""Stochastic encoders are evaluated over draws: scores are means, and intervals include the variance of the draws."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t as student

import distbench
from distbench.inference.jackknife import add_replicates

X = np.random.default_rng(1).normal(size=(80, 5))
REFERENCE = np.random.default_rng(2).normal(size=(120, 5))
W = np.random.default_rng(3).normal(size=(5, 2))


class Noisy:
    """Adds noise to the codes of each point, or to the projection that all points of a call share."""

    def __init__(self, seed=0, shared=0.0, own=0.0):
        self._rng, self._shared, self._own = np.random.default_rng(seed), shared, own
        self.calls = []

    def __call__(self, batch):
        projection = W + self._shared * self._rng.normal(size=W.shape)
        codes = batch @ projection
        codes = codes + self._own * self._rng.normal(size=codes.shape)
        self.calls.append(codes)
        return codes

    def inverse_transform(self, codes):
        return codes @ np.linalg.pinv(W)


def evaluated(encoder, points=X, **options):
    return distbench.evaluate(encoder, points, k=5, stochastic=True, progress=False, **options)


@pytest.fixture(scope="module")
def drawn():
    encoder = Noisy(own=0.5)
    return evaluated(encoder, reference=REFERENCE, draws=4, metrics="all"), encoder


def test_scores_are_means_over_draws(drawn):
    report, encoder = drawn
    assert [len(codes) for codes in encoder.calls] == [80, 120] * 4, "test and reference points are drawn together"
    assert report.m == 80
    pairs = zip(encoder.calls[::2], encoder.calls[1::2], strict=True)
    singles = [distbench.evaluate_codes(X, Z, reference=(REFERENCE, Z_ref), k=5) for Z, Z_ref in pairs]
    for name, first in singles[0].items():
        score = report[name]
        values = [single[name].value for single in singles]
        assert score.value == pytest.approx(np.mean(values), rel=1e-12)
        assert score.draws == 4
        assert score.sd_draws == pytest.approx(np.std(values, ddof=1), rel=1e-9)
        for part in ("points", "leave_one_out", "interaction"):
            if getattr(first, part) is not None:
                wanted = np.mean([getattr(single[name], part) for single in singles], axis=0)
                np.testing.assert_allclose(getattr(score, part), wanted)
    made = [np.mean((X - encoder.inverse_transform(codes)) ** 2) for codes in encoder.calls[::2]]
    assert report["reconstruction_mse"].value == pytest.approx(np.mean(made), rel=1e-9)
    assert report.pairs == singles[0].pairs
    assert "scores are means over 4 draws of a stochastic encoder; worst pairs are of the first draw" in report.notes
    assert "note: scores are means over 4 draws" in str(report)


def test_intervals_hold_the_variance_of_the_mean_over_draws(drawn):
    report, encoder = drawn
    wide = distbench.evaluate_codes(X, encoder.calls[0], reference=(REFERENCE, encoder.calls[1]), k=5)
    for score in report.values():
        if score.low is None:
            continue
        extra = student.ppf(0.975, 3) * score.sd_draws / 2
        assert score.value - score.low >= extra * (1 - 1e-9) or score.low == 0
        assert score.high - score.value >= extra * (1 - 1e-9) or score.high == 1
    assert (
        report["spearman"].half_width
        < wide["spearman"].half_width + student.ppf(0.975, 3) * report["spearman"].sd_draws
    )


def test_variances_add():
    low, high = add_replicates((0.4, 0.8), 0.5, 0.2, 5)
    half = student.ppf(0.975, 4) * 0.2 / 5**0.5
    assert low == pytest.approx(0.5 - np.hypot(0.1, half))
    assert high == pytest.approx(0.5 + np.hypot(0.3, half))
    assert add_replicates((0.4, 0.8), 0.5, 2.0, 5, bounds=(0, 1)) == (0, 1)
    assert add_replicates((None, None), 0.5, 0.2, 5) == (None, None)
    assert add_replicates((0.4, 0.8), 0.5, 0.0, 5) == pytest.approx((0.4, 0.8))


def test_worst_cases_have_no_interval_and_infinite_draws_no_spread():
    class Merges(Noisy):
        def __call__(self, batch):
            codes = super().__call__(batch)
            codes[1] = codes[0] if len(self.calls) == 2 else codes[1]
            return codes

    report = evaluated(Merges(own=0.1), draws=3)
    assert (report["distortion"].value, report["distortion"].sd_draws) == (np.inf, None)
    assert report["distortion"].low is None
    assert np.isfinite(report["continuity"].sd_draws)
    assert not any(np.isnan(score.value) for score in report.values())


def test_equal_draws_get_a_note():
    report = evaluated(lambda batch: batch @ W)
    once = distbench.evaluate(lambda batch: batch @ W, X, k=5)
    assert report.as_dict() == pytest.approx(once.as_dict(), rel=1e-12)
    assert any("5 draws of the encoder gave the same codes" in note for note in report.notes)
    assert report["continuity"].sd_draws == pytest.approx(0, abs=1e-12)
    assert (once["continuity"].draws, once["continuity"].sd_draws) == (1, None)
    some = evaluated(Noisy(own=0.3), queries=30)
    assert some.m == len(some["continuity"].points) == 30, "draws judge the same test points"
    assert evaluated(Noisy(own=0.3), queries=20, precision={"continuity": 0.5}).m == 20


def test_differences_of_encoders_hold_the_variance_of_their_draws():
    one, other = evaluated(Noisy(0, shared=0.3)), evaluated(Noisy(1, shared=0.3))
    steady = distbench.evaluate(lambda batch: batch @ W, X, k=5)
    difference = distbench.compare(one, other)["spearman"]
    extra = [student.ppf(0.975, 4) * report["spearman"].sd_draws / 5**0.5 for report in (one, other)]
    assert (difference.high - difference.low) / 2 >= np.hypot(*extra)
    single = distbench.compare(one, steady)["spearman"]
    assert (single.high - single.low) / 2 >= extra[0]


@pytest.mark.parametrize("noise", [{"own": 0.7}, {"shared": 0.5}], ids=["each point's own", "shared by a draw"])
def test_intervals_cover_the_mean_over_points_and_draws(noise):
    """200 samples of points, each with 5 new draws: 95 % intervals cover in at least 93 % less 1.5 SD of the share."""
    scores = []
    for seed in range(200):
        points = np.random.default_rng([7, seed]).normal(size=(50, 5))
        scores.append(evaluated(Noisy([8, seed], **noise), points, metrics=["trustworthiness"])["trustworthiness"])
    truth = np.mean([score.value for score in scores])
    covered = np.mean([score.low <= truth <= score.high for score in scores])
    width = np.mean([score.high - score.low for score in scores])
    assert covered >= 0.93 - 1.5 * (0.93 * 0.07 / 200) ** 0.5
    assert width <= 1.7 * 3.92 * np.std([score.value for score in scores], ddof=1)


def by_draw(change):
    calls = []

    def encode(batch):
        calls.append(len(batch))
        return change(batch @ W + 0.1 * np.random.default_rng(len(calls)).normal(size=(len(batch), 2)), len(calls))

    return encode


@pytest.mark.parametrize(("collapsed", "message"), [([2], "in 1 of 3 draws: "), ([1, 3], "in 2 of 3 draws: ")])
def test_codes_that_coincide_in_some_draws_get_a_note(collapsed, message):
    report = evaluated(by_draw(lambda codes, call: 0 * codes if call in collapsed else codes), draws=3)
    assert any(note.startswith(message + "80 distinct test points have only 1 distinct codes") for note in report.notes)
    assert not any(" of 3 draws:" in note for note in evaluated(by_draw(lambda codes, call: 0 * codes), draws=3).notes)
    with pytest.raises(distbench.EncoderError, match="codes of size 1 in draw 2, 2 in the first"):
        evaluated(by_draw(lambda codes, call: codes[:, :1] if call == 2 else codes), draws=3)
