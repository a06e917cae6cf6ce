from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import distbench
from distbench.errors import InputError, SuiteError
from distbench.inference.floors import floors
from distbench.inference.jackknife import add_replicates, jackknife_interval
from distbench.suites.claims import claim_key, judge
from distbench.suites.fits import Fit, FitCache
from distbench.suites.recipes import as_recipe
from distbench.suites.suite import AngleClaim, BetterClaim, BoundClaim, CollapseClaim, FloorClaim, Suite, SuiteEncoder

RECIPES = """
import numpy as np
from sklearn.decomposition import PCA

class Axes:
    def fit(self, X, code_size, seed):
        self.components_ = np.eye(X.shape[1])[20:20 + code_size]
        return self

class Scaled:
    def fit(self, X, code_size, seed, *, factor=1.0):
        pca = PCA(code_size, svd_solver="full").fit(X)
        return lambda X: factor * pca.transform(X)

class Listed:
    in_sample_only = True

    def fit(self, X, code_size, seed):
        self.codes_ = PCA(code_size, svd_solver="full").fit_transform(X)
        return self

    def encode(self, X):
        raise ValueError("there is no map")
"""


@pytest.fixture(scope="module")
def cache():
    return FitCache()


@pytest.fixture
def recipes(tmp_path, monkeypatch):
    """Make ``claim_recipes:Axes`` and others importable."""
    (tmp_path / "claim_recipes.py").write_text(RECIPES)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(__import__("sys").modules, "claim_recipes", raising=False)


def suite_of(*claims, seeds=(0, 1, 2), encoders=()):
    return Suite(Path("s.toml"), "s", "?", "digits", (8,), seeds, 10, tuple(encoders), claims)


def a_claim(kind, **what):
    words = {"id": "c", "statement": "s", "source": "me", "expect": "borne out", "dataset": "digits", "code_size": 8}
    return kind(**(words | what))


def judged(cache, kind, seeds=(0, 1, 2), encoders=(), **what):
    claim = a_claim(kind, **what)
    return judge(claim, suite_of(claim, seeds=seeds, encoders=encoders), cache)


class TestBound:
    def test_it_is_judged_by_the_whole_interval(self, cache):
        score, tiny = cache.run(Fit(as_recipe("pca"), "digits", 8, 0)).report["continuity"], 1e-9
        expected = {
            ("at_least", score.low - tiny): "borne out",
            ("at_least", score.value): "undecided",
            ("at_least", score.high + tiny): "refuted",
            ("at_most", score.low - tiny): "refuted",
            ("at_most", score.high + tiny): "borne out",
        }
        for (side, bound), verdict in expected.items():
            result = judged(cache, BoundClaim, encoder="pca", metric="continuity", **{side: bound})
            assert result.verdict == verdict
            assert result.evidence.endswith(", 1 seed")  # pca is deterministic

    def test_a_worst_case_is_judged_by_its_value(self, cache):
        value = cache.run(Fit(as_recipe("pca"), "digits", 8, 0)).report["distortion"].value
        assert math.isfinite(value)
        what = {"encoder": "pca", "metric": "distortion"}
        worst, beyond = (judged(cache, BoundClaim, **what, at_most=factor * value) for factor in (1, 0.99))
        assert (worst.verdict, beyond.verdict) == ("borne out", "refuted")
        assert "no interval" in worst.evidence

    def test_a_metric_beyond_the_default_set_is_measured(self, cache):
        result = judged(cache, BoundClaim, encoder="identity", metric="label_agreement", at_least=0.9)
        data = distbench.load_dataset("digits")
        labels = {"labels": data.labels_test, "reference_labels": data.labels_train}
        report = distbench.evaluate(lambda X: X, data.test, reference=data.train, metrics="label_agreement", **labels)
        score = report["label_agreement"]
        assert f"label_agreement {score.value:.4g} (95 % interval {score.low:.4g} to" in result.evidence
        assert result.verdict == "borne out"

    @pytest.mark.parametrize(("recipe", "size"), [("pca", "2"), ("int8", "2 bytes")])
    def test_the_claim_names_data_set_and_code_size(self, cache, recipe, size):
        what = {"encoder": recipe, "metric": "stress", "at_most": 1.0, "dataset": "swiss_roll", "code_size": 2}
        evidence = judged(cache, BoundClaim, **what).evidence
        report = cache.run(Fit(as_recipe(recipe), "swiss_roll", 2, 0)).report
        assert f"stress {report['stress'].value:.4g} " in evidence
        assert f"swiss_roll, codes of {size}, {report.m} test points" in evidence


class TestBetter:
    @pytest.mark.parametrize("metric", ["continuity", "scaled_stress"])
    def test_it_goes_by_the_metrics_direction(self, cache, metric):
        names = ("pca", "random_projection")
        for (better, than), verdict in {names: "borne out", names[::-1]: "refuted"}.items():
            assert judged(cache, BetterClaim, better=better, than=than, metric=metric).verdict == verdict
        with pytest.raises(SuiteError, match="claim c: distortion has no interval to compare by"):
            judged(cache, BetterClaim, better=names[0], than=names[1], metric="distortion")

    def test_equals_are_undecided_and_no_worse_by_a_margin(self, cache):
        equals = {"better": "pca", "than": "pca", "metric": "continuity"}
        assert judged(cache, BetterClaim, **equals).verdict == "undecided"
        assert judged(cache, BetterClaim, **equals, margin=1e-4).verdict == "borne out"
        assert judged(cache, BetterClaim, **equals, margin=1e-9).verdict == "undecided", "unseen points may differ"

    def test_the_evidence_is_the_paired_difference_of_the_means_over_seeds(self, cache):
        result = judged(cache, BetterClaim, better="random_projection", than="pca", metric="spearman")
        pca = cache.run(Fit(as_recipe("pca"), "digits", 8, 0)).report["spearman"]
        runs = [cache.run(Fit(as_recipe("random_projection"), "digits", 8, s)).report["spearman"] for s in (0, 1, 2)]
        value = np.mean([score.value for score in runs]) - pca.value
        leave_one_out = np.mean([score.leave_one_out for score in runs], axis=0) - pca.leave_one_out
        assert pca.interaction is None
        points = jackknife_interval(float(value), leave_one_out, 0.95)
        sd = np.std([score.value for score in runs], ddof=1)
        low, high = add_replicates(points, float(value), float(sd), 3)
        interval = f"(95 % interval {low:+.4g} to {high:+.4g} over test points and trainings)"
        assert f"difference {value:+.4g} {interval}" in result.evidence
        assert (result.p_value < 0.05) == (result.verdict != "undecided")

    @pytest.mark.parametrize("metric", ["continuity", "scaled_stress", "knn_recall"])
    def test_a_margin_moves_the_line_to_that_much_worse_than_compare_says(self, cache, metric):
        names = ("random_projection", "pca")
        reports = [cache.run(Fit(as_recipe(name), "digits", 8, 0)).report for name in names]
        difference = distbench.compare(*reports)[metric]
        low, high = sorted((abs(difference.low), abs(difference.high)))
        for margin, verdict in ((low * 0.99, "refuted"), ((low + high) / 2, "undecided"), (high * 1.01, "borne out")):
            what = {"better": names[0], "than": names[1], "metric": metric, "margin": margin}
            result = judged(cache, BetterClaim, seeds=(0,), **what)
            assert result.verdict == verdict
            interval = f"(95 % interval {difference.low:+.4g} to {difference.high:+.4g} over test points)"
            assert f"{interval}, no worse than by {margin:g}; " in result.evidence

    @settings(deadline=None, max_examples=30)
    @given(st.floats(0, 1), st.floats(0, 1), st.sampled_from(["continuity", "spearman", "scaled_stress", "stress"]))
    def test_a_wider_margin_never_judges_more_harshly(self, cache, one, two, metric):
        order = ["refuted", "undecided", "borne out"]
        what = {"better": "random_projection", "than": "pca", "metric": metric}
        verdicts = [judged(cache, BetterClaim, **what, margin=margin).verdict for margin in sorted((one, two))]
        assert order.index(verdicts[0]) <= order.index(verdicts[1])


class TestEncodersOfAClaim:
    def bound(self, cache, name, recipe="claim_recipes:Scaled", **about):
        entry = SuiteEncoder(name, recipe, **about)
        return judged(cache, BoundClaim, encoders=[entry], encoder=name, metric="stress", at_most=0.5)

    def test_options_and_seeds_reach_the_recipe(self, cache, recipes):
        assert self.bound(cache, "plain").verdict == "borne out"
        assert self.bound(cache, "ten times", options={"factor": 10.0}).verdict == "refuted"
        with pytest.raises(InputError, match="pca"):
            self.bound(cache, "p", "pca", options={"factor": 2.0})
        assert self.bound(cache, "projected", "random_projection", seeds=(1, 2)).evidence.endswith(", 2 seeds")

    def test_in_sample_the_codes_of_the_fitted_points_are_judged(self, cache, recipes):
        out, inside = self.bound(cache, "out"), self.bound(cache, "in", in_sample=True)
        listed = self.bound(cache, "listed", "claim_recipes:Listed")
        assert "in sample" not in out.evidence
        assert inside.evidence.startswith("in (in sample) stress ")
        assert listed.evidence == inside.evidence.replace("in (in", "listed (in")
        assert inside.evidence.split("stress")[1] != out.evidence.split("stress")[1]

    def test_in_and_out_of_sample_are_compared_point_by_point(self, cache, recipes):
        names = {"in sample": True, "out of sample": False}
        entries = [SuiteEncoder(name, "claim_recipes:Scaled", in_sample=inside) for name, inside in names.items()]
        what = {"better": "in sample", "than": "out of sample", "metric": "scaled_stress", "margin": 0.01}
        result = judged(cache, BetterClaim, encoders=entries, **what)
        recipe = as_recipe("claim_recipes:Scaled")
        reports = [cache.run(Fit(recipe, "digits", 8, 0, inside)).report for inside in (True, False)]
        difference = distbench.compare(*reports)["scaled_stress"]
        assert f"(95 % interval {difference.low:+.4g} to {difference.high:+.4g} over test points)" in result.evidence
        assert result.verdict == "borne out"


def test_an_angle_is_that_to_the_principal_components(cache, recipes):
    assert judged(cache, AngleClaim, encoder="pca", at_most=0.01).verdict == "borne out"
    assert judged(cache, AngleClaim, encoder="claim_recipes:Axes", at_most=10.0).verdict == "refuted"
    with pytest.raises(SuiteError, match="claim c: identity has no components_"):
        judged(cache, AngleClaim, encoder="identity", at_most=1.0)


def test_a_floor_claim_uses_the_certified_floor_of_the_test_points(cache):
    floor = floors(distbench.load_dataset("digits").test, 2)["scaled_stress"]
    what = {"code_size": 2, "metric": "scaled_stress"}
    result = judged(cache, FloorClaim, **what, at_least=floor)
    assert result.verdict == "borne out"
    assert f"no codes of 2 numbers have scaled_stress below {floor:.4g} among the 360 test" in result.evidence
    assert judged(cache, FloorClaim, **what, at_least=floor * 1.001).verdict == "refuted"


def test_a_collapse_is_a_pair_that_was_found_or_undecided(cache):
    result = judged(cache, CollapseClaim, encoder="random_projection", at_most=1e-6)
    assert result.verdict == "borne out"
    assert "random_projection: two points " in result.evidence
    assert "(largest of 3 seeds); digits, codes of 8" in result.evidence
    assert judged(cache, CollapseClaim, encoder="random_projection", at_most=1e-300).verdict == "undecided"
    with pytest.raises(InputError, match="different points need not share a code"):
        judged(cache, CollapseClaim, encoder="identity", at_most=1e-6)


class TestKey:
    BOUND = a_claim(BoundClaim, encoder="p", metric="stress", at_most=1.0, at_least=None)

    def key(self, claim=BOUND, k=10, seeds=(0, 1), **encoder):
        entry = SuiteEncoder(**({"name": "p", "recipe": "pca", "limits": {}} | encoder))
        return claim_key(claim, replace(suite_of(claim, seeds=seeds, encoders=[entry]), k=k))

    def test_it_changes_with_all_that_the_verdict_rests_on(self, recipes):
        claims = [
            replace(self.BOUND, at_most=2.0),
            replace(self.BOUND, code_size=2),
            replace(self.BOUND, dataset="swiss_roll"),
            replace(self.BOUND, metric="spearman"),
            a_claim(BetterClaim, better="p", than="identity", metric="stress"),
            a_claim(BetterClaim, better="p", than="identity", metric="stress", margin=0.005),
            a_claim(CollapseClaim, encoder="p", at_most=1.0),
            a_claim(AngleClaim, encoder="p", at_most=1.0),
            a_claim(FloorClaim, metric="stress", at_least=1.0),
        ]
        keys = [
            self.key(),
            *map(self.key, claims),
            self.key(k=5),
            self.key(seeds=(0,)),
            self.key(recipe="random_projection"),
            self.key(recipe="claim_recipes:Scaled"),
            self.key(recipe="claim_recipes:Scaled", options={"factor": 2.0}),
            self.key(in_sample=True),
        ]
        assert len(set(keys)) == len(keys)
        assert keys[0] == self.key()
        assert len(bytes.fromhex(keys[0])) == 32

    def test_words_and_the_encoders_own_test_change_nothing(self):
        other = replace(self.BOUND, id="d", statement="t", source="you", expect="refuted")
        assert self.key(other) == self.key()
        assert self.key(limits={"stress": 1.0}, code_sizes=(8,)) == self.key()
