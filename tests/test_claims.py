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
from distbench.inference.intervals import jackknife_interval
from distbench.suites.claims import claim_key, judge
from distbench.suites.fits import FitCache
from distbench.suites.model import AngleClaim, BetterClaim, BoundClaim, CollapseClaim, FloorClaim, Suite, SuiteEncoder
from distbench.suites.recipes import as_recipe

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
def bench():
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


class TestClaims:
    def bound(self, bench, encoder, metric, at_most=None, at_least=None):
        claim = a_claim(BoundClaim, encoder=encoder, metric=metric, at_most=at_most, at_least=at_least)
        return judge(claim, suite_of(claim), bench)

    def test_a_bound_is_judged_by_the_whole_interval(self, bench):
        score = bench.run(as_recipe("pca"), "digits", 8, 0).report["continuity"]
        tiny = 1e-9
        assert self.bound(bench, "pca", "continuity", at_least=score.low - tiny).verdict == "borne out"
        assert self.bound(bench, "pca", "continuity", at_least=score.value).verdict == "undecided"
        assert self.bound(bench, "pca", "continuity", at_least=score.high + tiny).verdict == "refuted"
        assert self.bound(bench, "pca", "continuity", at_most=score.low - tiny).verdict == "refuted"
        assert self.bound(bench, "pca", "continuity", at_most=score.high + tiny).verdict == "borne out"

    def test_a_worst_case_is_judged_by_its_value(self, bench):
        value = bench.run(as_recipe("pca"), "digits", 8, 0).report["distortion"].value
        assert math.isfinite(value)
        finding = self.bound(bench, "pca", "distortion", at_most=value)
        assert finding.verdict == "borne out"
        assert "no interval" in finding.evidence
        assert self.bound(bench, "pca", "distortion", at_most=value * 0.99).verdict == "refuted"

    def test_an_identity_keeps_all_distances(self, bench):
        assert self.bound(bench, "identity", "stress", at_most=1e-6).verdict == "borne out"

    def better(self, bench, better, than, metric, seeds=(0, 1, 2)):
        claim = a_claim(BetterClaim, better=better, than=than, metric=metric)
        return judge(claim, suite_of(claim, seeds=seeds), bench)

    @pytest.mark.parametrize("metric", ["continuity", "scaled_stress"])
    def test_better_goes_by_the_metrics_direction(self, bench, metric):
        assert self.better(bench, "pca", "random_projection", metric).verdict == "borne out"
        assert self.better(bench, "random_projection", "pca", metric).verdict == "refuted"

    def test_equals_are_not_told_apart(self, bench):
        finding = self.better(bench, "pca", "pca", "continuity")
        assert finding.verdict == "undecided"

    def test_the_evidence_is_the_paired_difference_of_the_means_over_seeds(self, bench):
        finding = self.better(bench, "random_projection", "pca", "spearman")
        pca = bench.run(as_recipe("pca"), "digits", 8, 0).report["spearman"]
        runs = [bench.run(as_recipe("random_projection"), "digits", 8, s).report["spearman"] for s in (0, 1, 2)]
        value = np.mean([score.value for score in runs]) - pca.value
        leave_one_out = np.mean([score.leave_one_out for score in runs], axis=0) - pca.leave_one_out
        assert pca.interaction is None
        low, high = jackknife_interval(float(value), leave_one_out, 0.95)
        assert f"difference {value:+.4g} (95 % interval {low:+.4g} to {high:+.4g})" in finding.evidence
        assert "better in 0 of 3 seeds" in finding.evidence

    def test_the_evidence_is_what_compare_says(self, bench):
        finding = self.better(bench, "random_projection", "pca", "knn_recall", seeds=(0,))
        runs = [bench.run(as_recipe(name), "digits", 8, 0).report for name in ("random_projection", "pca")]
        difference = distbench.compare(*runs)["knn_recall"]
        assert f"(95 % interval {difference.low:+.4g} to {difference.high:+.4g})" in finding.evidence

    def test_a_metric_without_an_interval_compares_nothing(self, bench):
        with pytest.raises(SuiteError, match="claim c: distortion has no interval to compare by"):
            self.better(bench, "pca", "random_projection", "distortion")

    def test_deterministic_recipes_are_fitted_once_whatever_the_seeds(self, bench):
        assert "1 seed" in self.bound(bench, "pca", "stress", at_most=1.0).evidence

    def test_a_metric_beyond_the_default_set_is_asked_for(self, bench):
        finding = self.bound(bench, "identity", "label_agreement", at_least=0.9)
        data = distbench.load_dataset("digits")
        labelled = distbench.evaluate(
            lambda X: X,
            data.test,
            reference=data.train,
            labels=data.labels_test,
            reference_labels=data.labels_train,
            metrics="label_agreement",
        )["label_agreement"]
        assert f"label_agreement {labelled.value:.4g} (95 % interval {labelled.low:.4g} to" in finding.evidence
        assert finding.verdict == "borne out"

    def test_a_claim_is_judged_on_its_own_data_set_and_code_size(self, bench):
        claim = a_claim(BoundClaim, encoder="pca", metric="stress", at_most=1.0, at_least=None)
        claim = replace(claim, dataset="swiss_roll", code_size=2)
        evidence = judge(claim, suite_of(claim), bench).evidence
        report = bench.run(as_recipe("pca"), "swiss_roll", 2, 0).report
        assert f"stress {report['stress'].value:.4g} " in evidence
        assert f"swiss_roll, codes of 2, {report.m} test points" in evidence


class TestMargin:
    def judged(self, bench, better, than, metric, margin):
        claim = a_claim(BetterClaim, better=better, than=than, metric=metric, margin=margin)
        return judge(claim, suite_of(claim), bench)

    @pytest.mark.parametrize("metric", ["continuity", "scaled_stress"])
    def test_it_moves_the_line_to_that_much_worse(self, bench, metric):
        difference = distbench.compare(
            *(bench.run(as_recipe(name), "digits", 8, 0).report for name in ("random_projection", "pca"))
        )[metric]
        claim = a_claim(BetterClaim, better="random_projection", than="pca", metric=metric)
        low, high = sorted((abs(difference.low), abs(difference.high)))
        for margin, verdict in ((low * 0.99, "refuted"), ((low + high) / 2, "undecided"), (high * 1.01, "borne out")):
            judged = replace(claim, margin=margin)
            finding = judge(judged, suite_of(judged, seeds=(0,)), bench)
            assert finding.verdict == verdict
            assert f", no worse than by {margin:g}, " in finding.evidence

    def test_an_encoder_is_no_worse_than_itself_by_any_margin(self, bench):
        assert self.judged(bench, "pca", "pca", "continuity", 1e-9).verdict == "borne out"

    @settings(deadline=None, max_examples=30)
    @given(st.floats(0, 1), st.floats(0, 1), st.sampled_from(["continuity", "spearman", "scaled_stress", "stress"]))
    def test_a_wider_margin_never_judges_more_harshly(self, bench, one, two, metric):
        order = ["refuted", "undecided", "borne out"]
        narrow, wide = (
            order.index(self.judged(bench, "random_projection", "pca", metric, margin).verdict)
            for margin in sorted((one, two))
        )
        assert narrow <= wide


class TestEncodersOfAClaim:
    def bound(self, bench, entry, metric="stress", **what):
        claim = a_claim(BoundClaim, **({"encoder": entry.name, "metric": metric, "at_least": None} | what))
        return judge(claim, suite_of(claim, encoders=[entry]), bench)

    def test_options_reach_the_recipe(self, bench, recipes):
        plain = SuiteEncoder("plain", "claim_recipes:Scaled", {})
        double = SuiteEncoder("double", "claim_recipes:Scaled", {}, options={"factor": 10.0})
        assert self.bound(bench, plain, at_most=0.5).verdict == "borne out"
        assert self.bound(bench, double, at_most=0.5).verdict == "refuted"

    def test_an_option_that_a_baseline_has_not(self, bench):
        with pytest.raises(InputError, match="pca"):
            self.bound(bench, SuiteEncoder("p", "pca", {}, options={"factor": 2.0}), at_most=0.5)

    def test_seeds_of_its_own(self, bench):
        entry = SuiteEncoder("projected", "random_projection", {}, seeds=(1, 2))
        assert self.bound(bench, entry, at_most=9.0).evidence.endswith(", 2 seeds")

    def test_in_sample_the_codes_of_the_fitted_points_are_judged(self, bench, recipes):
        out = self.bound(bench, SuiteEncoder("out", "claim_recipes:Scaled", {}), at_most=0.5)
        into = self.bound(bench, SuiteEncoder("in", "claim_recipes:Scaled", {}, in_sample=True), at_most=0.5)
        listed = self.bound(bench, SuiteEncoder("listed", "claim_recipes:Listed", {}), at_most=0.5)
        assert "in sample" not in out.evidence
        assert into.evidence.startswith("in (in sample) stress ")
        assert listed.evidence == into.evidence.replace("in (in", "listed (in")
        assert into.evidence.split("stress")[1] != out.evidence.split("stress")[1]

    def test_in_and_out_of_sample_are_compared_point_by_point(self, bench, recipes):
        entries = [
            SuiteEncoder("in sample", "claim_recipes:Scaled", {}, in_sample=True),
            SuiteEncoder("out of sample", "claim_recipes:Scaled", {}),
        ]
        claim = a_claim(BetterClaim, better="in sample", than="out of sample", metric="scaled_stress", margin=0.01)
        finding = judge(claim, suite_of(claim, encoders=entries), bench)
        reports = [
            bench.run(as_recipe("claim_recipes:Scaled"), "digits", 8, 0, in_sample=n == 0).report for n in range(2)
        ]
        difference = distbench.compare(*reports)["scaled_stress"]
        assert f"(95 % interval {difference.low:+.4g} to {difference.high:+.4g})" in finding.evidence
        assert finding.verdict == "borne out"


class TestAngle:
    def judged(self, bench, encoder, at_most):
        claim = a_claim(AngleClaim, encoder=encoder, at_most=at_most)
        return judge(claim, suite_of(claim), bench)

    def test_of_the_principal_components_to_themselves(self, bench):
        assert self.judged(bench, "pca", 0.01).verdict == "borne out"

    def test_beyond_the_bound_it_refutes(self, bench, recipes):
        assert self.judged(bench, "claim_recipes:Axes", 10.0).verdict == "refuted"

    def test_it_needs_components(self, bench):
        with pytest.raises(SuiteError, match="claim c: identity has no components_"):
            self.judged(bench, "identity", 1.0)


class TestFloor:
    def test_it_is_the_certified_floor_of_the_test_points(self, bench):
        floor = floors(distbench.load_dataset("digits").test, 2)["scaled_stress"]
        claim = a_claim(FloorClaim, code_size=2, metric="scaled_stress", at_least=floor)
        finding = judge(claim, suite_of(claim), bench)
        assert finding.verdict == "borne out"
        assert f"no codes of 2 numbers have scaled_stress below {floor:.4g} among the 360 test" in finding.evidence
        beyond = replace(claim, at_least=floor * 1.001)
        assert judge(beyond, suite_of(beyond), bench).verdict == "refuted"


class TestCollapse:
    def judged(self, bench, encoder, at_most=1e-6, entries=()):
        claim = a_claim(CollapseClaim, encoder=encoder, at_most=at_most)
        return judge(claim, suite_of(claim, encoders=entries), bench)

    def test_a_map_to_fewer_dimensions_has_a_pair(self, bench):
        finding = self.judged(bench, "random_projection")
        assert finding.verdict == "borne out"
        assert "random_projection: two points " in finding.evidence
        assert "(largest of 3 seeds); digits, codes of 8" in finding.evidence

    def test_a_bound_that_no_search_reached_is_undecided(self, bench):
        assert self.judged(bench, "random_projection", at_most=1e-300).verdict == "undecided"

    def test_an_identity_has_none(self, bench):
        with pytest.raises(InputError, match="no two points need share a code"):
            self.judged(bench, "identity")


class TestKey:
    BOUND = a_claim(BoundClaim, encoder="p", metric="stress", at_most=1.0, at_least=None)

    def key(self, claim=BOUND, k=10, seeds=(0, 1), **encoder):
        entry = SuiteEncoder(**({"name": "p", "recipe": "pca", "limits": {}} | encoder))
        return claim_key(claim, replace(suite_of(claim, seeds=seeds, encoders=[entry]), k=k))

    def test_it_is_64_hexadecimal_digits_and_stays(self):
        assert len(self.key()) == 64
        assert int(self.key(), 16) >= 0
        assert self.key() == self.key()

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

    def test_words_and_the_verdict_that_is_expected_change_nothing(self):
        other = replace(self.BOUND, id="d", statement="t", source="you", expect="refuted")
        assert self.key(other) == self.key()

    def test_limits_and_code_sizes_of_the_encoders_own_test_change_nothing(self):
        assert self.key(limits={"stress": 1.0}, code_sizes=(8,)) == self.key()
