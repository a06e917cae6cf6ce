from __future__ import annotations

import math
import sys
import textwrap
from importlib.resources import files

import numpy as np
import pytest
from sklearn.decomposition import PCA

import distbench
from distbench.errors import InputError, SuiteError
from distbench.inference.intervals import jackknife_interval
from distbench.suites import (
    AngleClaim,
    Bench,
    BetterClaim,
    BoundClaim,
    Suite,
    as_recipe,
    check_suite,
    is_suite,
    judge,
    read_suite,
)

TOP = """
distbench = 1
question = "Does close stay close?"
dataset = "digits"
code_sizes = [2, 8]
"""
PCA_ENTRY = '[[encoder]]\nname = "pca"\n'
CLAIM = '[[claim]]\nid = "c"\nstatement = "s"\nsource = "me"\ncode_size = 8\n'


@pytest.fixture
def write(tmp_path):
    def write(text, name="s.toml"):
        path = tmp_path / name
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return path

    return write


class Counting:
    """A real recipe that says how often it was fitted."""

    def __init__(self):
        self.fits = []

    def fit(self, X, code_size, seed):
        self.fits.append((code_size, seed))
        return PCA(code_size, random_state=seed).fit(X)


class TestIsSuite:
    @pytest.mark.parametrize("line", ["distbench = 1", "distbench=1", "distbench = 2  # later", "  distbench = 1"])
    def test_a_schema_number_before_the_first_table_makes_a_suite(self, write, line):
        assert is_suite(write(f"# a comment\nname = 'x'\n{line}\n[[encoder]]\n"))

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "[project]\nname = 'mine'\ndistbench = 1\n",
            "[tool.poetry.dependencies]\ndistbench = '^0.1'\n",
            "distbench = '1'\n",
            "distbench_other = 1\n",
            "this is not TOML at all {{{",
        ],
    )
    def test_other_files_are_left_alone(self, write, text):
        assert not is_suite(write(text))

    def test_files_that_cannot_be_read_or_decoded_are_left_alone(self, tmp_path):
        latin = tmp_path / "latin.toml"
        latin.write_bytes(b"name = '\xe9'\ndistbench = 1\n")
        assert not is_suite(latin)
        assert not is_suite(tmp_path / "missing.toml")
        (tmp_path / "folder.toml").mkdir()
        assert not is_suite(tmp_path / "folder.toml")


class TestRead:
    def test_defaults(self, write):
        suite = read_suite(write(TOP + PCA_ENTRY))
        assert (suite.name, suite.seeds, suite.k, suite.code_sizes) == ("s", (0,), 10, (2, 8))
        (encoder,) = suite.encoders
        assert (encoder.name, encoder.recipe, encoder.limits) == ("pca", "pca", {})

    def test_limits_are_numbers_or_go_by_code_size(self, write):
        entry = PCA_ENTRY + "limits = {continuity = 0.9, spearman = {8 = 0.8}}\n"
        (encoder,) = read_suite(write(TOP + entry)).encoders
        assert encoder.limits_at(2) == {"continuity": 0.9}
        assert encoder.limits_at(8) == {"continuity": 0.9, "spearman": 0.8}

    def test_the_three_kinds_of_claim(self, write):
        bound = CLAIM.replace('"c"', '"c1"') + 'encoder = "pca"\nmetric = "stress"\nat_most = 1\n'
        better = CLAIM.replace('"c"', '"c2"') + 'better = "pca"\nthan = "identity"\nmetric = "stress"\n'
        angle = CLAIM.replace('"c"', '"c3"') + 'encoder = "pca"\nmeasure = "principal_angle"\nat_most = 1\n'
        claims = read_suite(write(TOP + bound + better + angle + 'expect = "refuted"\n')).claims
        assert [type(claim) for claim in claims] == [BoundClaim, BetterClaim, AngleClaim]
        assert [claim.expect for claim in claims] == ["borne out", "borne out", "refuted"]

    def test_a_claims_code_size_is_the_suites_where_there_is_one(self, write):
        top = TOP.replace("[2, 8]", "[8]")
        claim = CLAIM.replace("code_size = 8\n", "") + 'encoder = "pca"\nmetric = "stress"\nat_most = 1\n'
        assert read_suite(write(top + claim)).claims[0].code_size == 8

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("distbench = 1\nx = [", "s.toml: not valid TOML: "),
            (TOP.replace("= 1", "= 2") + PCA_ENTRY, "s.toml: distbench = 2 is not a known schema; write 1"),
            (TOP, r"s.toml: nothing to run; add \[\[encoder\]\] or \[\[claim\]\]"),
            (TOP.replace("dataset", "datset") + PCA_ENTRY, "s.toml: unknown key 'datset'; did you mean 'dataset'"),
            (TOP.replace("question", "#") + PCA_ENTRY, "s.toml: question is missing; add it"),
            (TOP.replace('"digits"', "3") + PCA_ENTRY, "s.toml: dataset: found 3; give a text in quotes"),
            (TOP.replace("[2, 8]", "2") + PCA_ENTRY, "s.toml: code_sizes: found 2; give a list of integers"),
            (TOP.replace("[2, 8]", "[0]") + PCA_ENTRY, "s.toml: code_sizes: found 0; give an integer from 1"),
            (TOP.replace("[2, 8]", "[2, 2]") + PCA_ENTRY, "s.toml: code_sizes: found .*; name each once"),
            (TOP + "seeds = [true]\n" + PCA_ENTRY, "s.toml: seeds: found True; give an integer from 0"),
            (TOP + "k = 1.5\n" + PCA_ENTRY, "s.toml: k: found 1.5; give an integer from 1"),
            (TOP + '[encoder]\nname = "pca"\n', r"s.toml: encoder: not an array of tables; write \[\[encoder\]\]"),
            (TOP + PCA_ENTRY * 2, "s.toml: encoder: name 'pca' is used twice"),
            (TOP + PCA_ENTRY + "limit = {}\n", "s.toml: encoder 1: unknown key 'limit'; did you mean 'limits'"),
            (TOP + PCA_ENTRY + "limits = 3\n", "s.toml: encoder 1.limits: found 3; give a table"),
            (TOP + PCA_ENTRY + "limits = {stress = 'x'}\n", "encoder 1.limits.stress: found 'x'; give a number"),
            (TOP + PCA_ENTRY + "limits = {stress = nan}\n", "encoder 1.limits.stress: found nan; give a number"),
            (TOP + PCA_ENTRY + "limits = {stress = {3 = 1}}\n", "limits.stress: '3' is not one of the suite's code_"),
            (TOP + CLAIM + 'encoder = "pca"\nmetric = "stress"\n', "claim 1: needs exactly one of at_least and at"),
            (TOP + CLAIM + 'better = "pca"\nmetric = "stress"\n', "s.toml: claim 1: than is missing; add it"),
            (TOP + CLAIM + 'measure = "angle"\nencoder = "pca"\nat_most = 1\n', 'claim 1.measure: found .*"princip'),
            (TOP + CLAIM.replace("= 8", "= 3") + 'encoder="a"\nmetric="b"\nat_most=1\n', "code_size is 3; name one"),
            (TOP + CLAIM + 'expect = "maybe"\nencoder="a"\nmetric="b"\nat_most=1\n', 'expect: found .*"borne out"'),
        ],
    )
    def test_errors_are_one_line_that_names_file_key_and_what_to_do(self, write, text, message):
        with pytest.raises(SuiteError, match=message) as caught:
            read_suite(write(text))
        assert "\n" not in str(caught.value)


class TestNames:
    @pytest.mark.parametrize(
        ("text", "message"),
        [
            (TOP.replace("digits", "digit") + PCA_ENTRY, "s.toml: .*'digit'; did you mean 'digits'"),
            (TOP + PCA_ENTRY.replace("pca", "pcs"), "s.toml: encoder 1.recipe: .*'pcs'; did you mean 'pca'"),
            (TOP + PCA_ENTRY + "limits = {stres = 1}\n", "encoder 1.limits: .*'stres'; did you mean 'stress'"),
            (TOP + CLAIM + 'encoder="pka"\nmetric="stress"\nat_most=1\n', "claim 1: .*'pka'; did you mean 'pca'"),
            (TOP + CLAIM + 'encoder="pca"\nmetric="stres"\nat_most=1\n', "claim 1.metric: .*mean 'stress'"),
        ],
    )
    def test_a_near_miss_is_hinted_at_before_anything_is_fitted(self, write, text, message):
        with pytest.raises(SuiteError, match=message):
            check_suite(read_suite(write(text)))

    def test_recipes_of_a_users_own_are_looked_up_when_they_run(self, write):
        own = PCA_ENTRY + 'recipe = "nowhere:Recipe"\n'
        claim = CLAIM + 'better = "pca"\nthan = "elsewhere:Recipe"\nmetric = "stress"\n'
        check_suite(read_suite(write(TOP + own + claim)))

    @pytest.mark.parametrize("name", ["digits.toml", "claims.toml"])
    def test_the_shipped_suites_are_sound(self, name):
        path = files("distbench_suites") / name
        assert is_suite(path)
        check_suite(read_suite(path))


class TestRecipes:
    def test_a_baseline_by_name(self):
        assert as_recipe("pca").deterministic
        assert not as_recipe("random_projection").deterministic

    def test_a_class_an_instance_and_an_importable_object(self, tmp_path, monkeypatch):
        (tmp_path / "a_recipe_module.py").write_text(
            "class Mine:\n    deterministic = True\n    def fit(self, X, code_size, seed):\n        return X.mean\n"
        )
        monkeypatch.syspath_prepend(tmp_path)
        assert as_recipe(Counting).name == as_recipe(Counting()).name == "Counting"
        recipe = as_recipe("a_recipe_module:Mine")
        assert (recipe.name, recipe.deterministic) == ("Mine", True)

    def test_progress_reaches_recipes_that_take_it_and_no_others(self):
        class Telling(Counting):
            def fit(self, X, code_size, seed, progress=None):
                progress(1, 2)
                return super().fit(X, code_size, seed)

        told = []
        X = np.random.default_rng(0).normal(size=(20, 4))
        as_recipe(Telling).fit(X, 2, 0, lambda done, total: told.append((done, total)))
        as_recipe(Counting).fit(X, 2, 0, lambda done, total: told.append("never"))
        assert told == [(1, 2)]

    @pytest.mark.parametrize(
        ("recipe", "message"),
        [
            ("pcaa", "no baseline is called 'pcaa'; did you mean 'pca'"),
            ("no_such_module_here:X", "no_such_module_here cannot be imported .*pythonpath"),
            ("math:floorr", "math has no 'floorr'; did you mean 'floor'"),
            ("math:pi", "recipe pi: float has no fit"),
            (PCA(2), "recipe PCA: fit must take X, code_size and seed"),
            (lambda X: X, "function has no fit.*pass the test points too"),
        ],
    )
    def test_errors_say_what_to_do(self, recipe, message):
        with pytest.raises(InputError, match=message):
            as_recipe(recipe)

    def test_a_class_that_needs_arguments(self):
        class Needy(Counting):
            def __init__(self, width):
                super().__init__()

        with pytest.raises(InputError, match=r"recipe Needy: its class needs arguments .*pass an instance"):
            as_recipe(Needy)

    def test_a_fit_that_returns_nothing(self):
        class Forgetful:
            def fit(self, X, code_size, seed):
                PCA(code_size).fit(X)

        with pytest.raises(InputError, match=r"Forgetful: fit\(\) returned None; return the fitted encoder"):
            as_recipe(Forgetful).fit(np.eye(4), 2, 0)


class TestBench:
    def test_each_fit_happens_once(self):
        counting, bench = Counting(), Bench()
        recipe = as_recipe(counting)
        first = bench.run(recipe, "digits", 2, 0)
        assert bench.run(as_recipe(counting), "digits", 2, 0) is first
        other_k = bench.run(recipe, "digits", 2, 0, k=5)
        assert (other_k.report.k, other_k.encoder) == (5, first.encoder)
        bench.run(recipe, "digits", 2, 1)
        bench.run(recipe, "digits", 3, 0)
        assert counting.fits == [(2, 0), (2, 1), (3, 0)]

    def test_two_recipes_of_one_name_do_not_share_fits(self):
        one, two, bench = Counting(), Counting(), Bench()
        bench.run(as_recipe(one), "digits", 2, 0)
        bench.run(as_recipe(two), "digits", 2, 0)
        assert one.fits == two.fits == [(2, 0)]

    def test_it_is_judged_on_the_test_points_against_the_train_points(self):
        data = distbench.load_dataset("digits")
        run = Bench().run(as_recipe("pca"), "digits", 2, 0)
        direct = distbench.evaluate(run.encoder, data.test, reference=data.train)
        assert run.report.as_dict() == direct.as_dict()


@pytest.fixture(scope="module")
def bench():
    return Bench()


def suite_of(*claims, seeds=(0, 1, 2), path=None):
    from pathlib import Path

    return Suite(path or Path("s.toml"), "s", "?", "digits", (8,), seeds, 10, (), claims)


def a_claim(kind, **what):
    return kind(id="c", statement="s", source="me", expect="borne out", code_size=8, **what)


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
        assert not finding.as_expected

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

    def test_the_angle_to_the_principal_components(self, bench):
        claim = a_claim(AngleClaim, encoder="pca", at_most=0.01)
        assert judge(claim, suite_of(claim), bench).verdict == "borne out"

    def test_an_angle_beyond_the_bound_refutes(self, bench, tmp_path, monkeypatch):
        (tmp_path / "axes_recipe.py").write_text(
            "import numpy as np\n"
            "class Axes:\n"
            "    def fit(self, X, code_size, seed):\n"
            "        self.components_ = np.eye(X.shape[1])[20:20 + code_size]\n"
            "        return self\n"
        )
        monkeypatch.syspath_prepend(tmp_path)
        claim = a_claim(AngleClaim, encoder="axes_recipe:Axes", at_most=10.0)
        assert judge(claim, suite_of(claim), bench).verdict == "refuted"

    def test_an_angle_needs_components(self, bench):
        claim = a_claim(AngleClaim, encoder="identity", at_most=1.0)
        with pytest.raises(SuiteError, match="claim c: identity has no components_"):
            judge(claim, suite_of(claim), bench)


def test_reading_a_suite_loads_nothing_heavy(write):
    import subprocess

    path = write(TOP + PCA_ENTRY)
    code = (
        "import pathlib, sys; from distbench.suites import read_suite; "
        f"read_suite(pathlib.Path({str(path)!r})); "
        "print([m for m in ('numpy', 'scipy', 'sklearn', 'numba', 'keras', 'tabulate', 'tqdm') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
