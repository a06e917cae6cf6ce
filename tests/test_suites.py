from __future__ import annotations

import sys

import pytest
from sklearn.decomposition import PCA
from suite_texts import BETTER, CLAIM, PCA_ENTRY, TOP, written

import distbench
from distbench.errors import SuiteError
from distbench.suites.detect import is_suite
from distbench.suites.fits import FitCache
from distbench.suites.model import AngleClaim, BetterClaim, BoundClaim, CollapseClaim, FloorClaim, SuiteEncoder
from distbench.suites.reader import read_suite
from distbench.suites.recipes import as_recipe


@pytest.fixture
def write(tmp_path):
    return lambda text, name="s.toml": written(tmp_path, text, name)


class Counting:
    """A real recipe that says how often it was fitted."""

    def __init__(self):
        self.fits = []

    def fit(self, X, code_size, seed):
        self.fits.append((code_size, seed))
        return PCA(code_size, random_state=seed).fit(X)


class TestIsSuite:
    @pytest.mark.parametrize(
        "line",
        [
            "distbench = 1",
            "distbench=1",
            "distbench = 2  # later",
            "  distbench = 1",
            '"distbench" = 1',
            # Mistakes, which the reader tells.
            'distbench = "1"',
            "distbench = '1' # in quotes",
            "distbench = 1.0",
            "distbench = -1",
            "distbench = true",
        ],
    )
    def test_a_schema_number_before_the_first_table_makes_a_suite(self, write, line):
        assert is_suite(write(f"# a comment\nname = 'x'\n{line}\n[[encoder]]\n"))

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "[project]\nname = 'mine'\ndistbench = 1\n",
            "[tool.poetry.dependencies]\ndistbench = '^0.1'\n",
            "distbench = '^0.1'\n",
            "distbench = {version = '1'}\n",
            '"""\ndistbench = 1\n"""\n',
            "distbench_other = 1\n",
            "this is not TOML at all {{{",
        ],
    )
    def test_other_files_are_left_alone(self, write, text):
        assert not is_suite(write(text))

    def test_what_stands_in_texts_and_lists_before_it_is_no_header(self, write):
        texts = 'question = """\n[not a table]\ndistbench is off\n"""\nsizes = [\n  [1, 2],\n]\n'
        assert is_suite(write(texts + "distbench = 1\n"))

    def test_a_byte_order_mark_is_no_trouble(self, write):
        path = write("\ufeffdistbench = 1\n" + TOP.replace("distbench = 1\n", "") + PCA_ENTRY)
        assert is_suite(path)
        assert read_suite(path).dataset == "digits"

    def test_a_suite_that_is_no_utf8_is_one_and_cannot_be_read(self, tmp_path):
        latin = tmp_path / "latin.toml"
        latin.write_bytes(b"name = '\xe9'\ndistbench = 1\n")
        assert is_suite(latin)
        with pytest.raises(SuiteError, match=r"latin\.toml: cannot be read: .*; save it as UTF-8"):
            read_suite(latin)

    def test_files_that_cannot_be_opened_are_left_alone(self, tmp_path):
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

    def test_an_encoder_has_options_and_says_where_it_runs(self, write):
        entry = PCA_ENTRY.replace('"pca"', '"small batches"') + (
            'recipe = "autoencoder"\nin_sample = true\ncode_sizes = [8]\nseeds = [1]\n'
            "options = {batch_size = 16, hidden = [32]}\n"
        )
        suite = read_suite(write(TOP + "seeds = [0, 1]\n" + PCA_ENTRY + entry))
        plain, small = suite.encoders
        assert (plain.in_sample, plain.options, plain.code_sizes, plain.seeds) == (False, {}, None, None)
        assert (suite.code_sizes_of(plain), suite.seeds_of(plain)) == ((2, 8), (0, 1))
        assert (small.in_sample, small.options) == (True, {"batch_size": 16, "hidden": [32]})
        assert (suite.code_sizes_of(small), suite.seeds_of(small)) == ((8,), (1,))

    def test_an_encoder_that_only_claims_speak_of_runs_at_no_code_size(self, write):
        suite = read_suite(write(TOP + PCA_ENTRY + "code_sizes = []\n"))
        assert suite.code_sizes_of(suite.encoders[0]) == ()

    def test_an_encoder_that_is_not_declared_is_the_baseline_of_that_name(self, write):
        suite = read_suite(write(TOP + PCA_ENTRY.replace("pca", "p") + 'recipe = "pca"\n'))
        assert suite.encoder("identity") == SuiteEncoder("identity", "identity", {})
        assert [suite.encoder(name).recipe for name in ("p", "identity")] == ["pca", "identity"]

    def test_what_a_claim_can_be_about_beside_a_metric(self, write):
        floor = CLAIM.replace('"c"', '"c1"') + 'measure = "floor"\nmetric = "stress"\nat_least = 0.1\n'
        collapse = CLAIM.replace('"c"', '"c2"') + 'measure = "collapse"\nencoder = "pca"\nat_most = 1e-4\n'
        claims = read_suite(write(TOP + floor + collapse)).claims
        assert [type(claim) for claim in claims] == [FloorClaim, CollapseClaim]
        assert (claims[0].metric, claims[0].at_least, claims[1].encoder, claims[1].at_most) == (
            "stress",
            0.1,
            "pca",
            1e-4,
        )

    def test_a_claim_has_the_suites_data_set_or_one_of_its_own_and_any_code_size(self, write):
        better = 'better = "pca"\nthan = "identity"\nmetric = "stress"\n'
        own = CLAIM.replace('"c"', '"own"').replace("= 8", "= 3") + better + 'dataset = "spheres"\nmargin = 0.005\n'
        plain, own = read_suite(write(TOP + CLAIM + better + own)).claims
        assert (plain.dataset, plain.code_size, plain.margin) == ("digits", 8, 0.0)
        assert (own.dataset, own.code_size, own.margin) == ("spheres", 3, 0.005)

    def test_a_suite_knows_the_encoders_of_a_claim(self, write):
        better = CLAIM + 'better = "p"\nthan = "identity"\nmetric = "stress"\n'
        floor = CLAIM.replace('"c"', '"f"') + 'measure = "floor"\nmetric = "stress"\nat_least = 0.1\n'
        suite = read_suite(write(TOP + PCA_ENTRY.replace("pca", "p") + 'recipe = "pca"\n' + better + floor))
        assert [encoder.recipe for encoder in suite.encoders_of(suite.claims[0])] == ["pca", "identity"]
        assert suite.encoders_of(suite.claims[1]) == ()

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
            ("distbench = 1\nx = [", "s.toml:2: not valid TOML: .*at the end of the file"),
            (
                TOP.replace("= 1", "= 2") + PCA_ENTRY,
                "s.toml:2: distbench = 2 is not a known schema; write distbench = 1",
            ),
            (TOP.replace("= 1", "= '1'") + PCA_ENTRY, 's.toml:2: distbench = "1" is not a known .* distbench = 1'),
            (TOP.replace("= 1", "= true") + PCA_ENTRY, "s.toml:2: distbench = true is not a known .* distbench = 1"),
            (TOP.replace("= 1", "= 1.0") + PCA_ENTRY, "s.toml:2: distbench = 1.0 is not a known .* distbench = 1"),
            (TOP.replace("distbench = 1", "") + PCA_ENTRY, "s.toml:1: distbench is missing; write distbench = 1"),
            (TOP + "name = 'a\nb'\n", r"s.toml:6: not valid TOML: .* \(column 10\)"),
            (TOP + "k = " + "9" * 5000, "s.toml:1: not valid TOML: .*"),
            (TOP, r"s.toml:1: nothing to run; add \[\[encoder\]\] or \[\[claim\]\]"),
            (TOP.replace("dataset", "datset") + PCA_ENTRY, "s.toml:4: unknown key 'datset'; did you mean 'dataset'"),
            (TOP.replace("question", "#") + PCA_ENTRY, "s.toml:1: question is missing; add it"),
            (TOP.replace('"digits"', "3") + PCA_ENTRY, "s.toml:4: dataset: found 3; give a name in quotes"),
            (TOP.replace("[2, 8]", "2") + PCA_ENTRY, "s.toml:5: code_sizes: found 2; give a list of integers"),
            (TOP.replace("[2, 8]", "[0]") + PCA_ENTRY, r"s.toml:5: code_sizes: found .0.; give a list of integers"),
            (TOP.replace("[2, 8]", "[2, 2]") + PCA_ENTRY, "s.toml:5: code_sizes: found .*; name each once"),
            (TOP + "seeds = [true]\n" + PCA_ENTRY, r"s.toml:6: seeds: found \[True\]; give a list of integers from 0"),
            (TOP + "k = 1.5\n" + PCA_ENTRY, "s.toml:6: k: found 1.5; give an integer from 1"),
            (TOP + '[encoder]\nname = "pca"\n', r"s.toml:6: encoder: found {.*.*two brackets: \[\[encoder\]\]"),
            (TOP + PCA_ENTRY * 2, "s.toml:9: encoder 2.name: 'pca' is used in line 7 too"),
            (TOP + PCA_ENTRY + "limit = {}\n", "s.toml:8: encoder 1: unknown key 'limit'; did you mean 'limits'"),
            (TOP + PCA_ENTRY + "limits = 3\n", "s.toml:8: encoder 1.limits: found 3; give a table"),
            (TOP + PCA_ENTRY + "limits = {stress = 'x'}\n", "encoder 1.limits.stress: found 'x'; give a number"),
            (TOP + PCA_ENTRY + "limits = {stress = nan}\n", "encoder 1.limits.stress: found nan; give a number"),
            (TOP + PCA_ENTRY + "limits = {stress = {3 = 1}}\n", "limits.stress: '3' is not one of the encoder's code_"),
            (TOP + CLAIM + 'encoder = "pca"\nmetric = "stress"\n', "claim 1: needs exactly one of at_least and at"),
            (TOP + CLAIM + 'better = "pca"\nmetric = "stress"\n', "s.toml:6: claim 1: than is missing; add it"),
            (
                TOP + CLAIM + 'measure = "angle"\nencoder = "pca"\nat_most = 1\n',
                "measure: found 'angle'; give one of 'princip",
            ),
            (
                TOP + CLAIM.replace("code_size", "#") + 'encoder="a"\nmetric="b"\nat_most=1\n',
                "code_size is missing; add",
            ),
            (TOP + CLAIM.replace("= 8", "= 0") + 'encoder="a"\nmetric="b"\nat_most=1\n', "code_size: found 0; give an"),
            (TOP + CLAIM + BETTER + "margin = -1\n", "s.toml:14: claim 1.margin: found -1; give a number from 0"),
            (TOP + CLAIM + BETTER + "dataset = 3\n", "s.toml:14: claim 1.dataset: found 3; give a text in quotes"),
            (TOP + CLAIM + BETTER + "at_most = 3\n", "s.toml:14: claim 1: unknown key 'at_most'"),
            (TOP + CLAIM + 'measure = "floor"\nmetric = "stress"\n', "s.toml:6: claim 1: at_least is missing; add it"),
            (TOP + CLAIM + 'measure = "floor"\nencoder = "pca"\n', "s.toml:12: claim 1: unknown key 'encoder'"),
            (
                TOP + CLAIM + 'measure = "collapse"\nencoder = "a"\nat_most = -1\n',
                "at_most: found -1; give a number fr",
            ),
            (TOP + PCA_ENTRY + "in_sample = 1\n", "s.toml:8: encoder 1.in_sample: found 1; give true or false"),
            (TOP + PCA_ENTRY + "options = 3\n", "s.toml:8: encoder 1.options: found 3; give a table: {name = value}"),
            (
                TOP + PCA_ENTRY + "code_sizes = [3]\n",
                "encoder 1.code_sizes: 3 is not one of the suite's code_sizes: 2, 8",
            ),
            (TOP + PCA_ENTRY + "seeds = [1]\n", "s.toml:8: encoder 1.seeds: 1 is not one of the suite's seeds: 0"),
            (TOP + PCA_ENTRY + "seeds = []\n", "s.toml:8: encoder 1.seeds: found .*; give a list of integers"),
            (
                TOP + PCA_ENTRY + "code_sizes = []\nlimits = {stress = 1}\n",
                "encoder 1.limits: never looked at, as code",
            ),
            (
                TOP + PCA_ENTRY + "code_sizes = [2]\nlimits = {stress = {8 = 1}}\n",
                "'8' is not one of the encoder's code_sizes: 2",
            ),
            (
                TOP + CLAIM + 'expect = "maybe"\nencoder="a"\nmetric="b"\nat_most=1\n',
                "expect: found 'maybe'; give one of 'bor",
            ),
        ],
    )
    def test_errors_are_one_line_that_names_file_key_and_what_to_do(self, write, text, message):
        with pytest.raises(SuiteError, match=message) as caught:
            read_suite(write(text))
        assert "\n" not in str(caught.value)


class TestBench:
    def test_each_fit_happens_once(self):
        counting, bench = Counting(), FitCache()
        recipe = as_recipe(counting)
        first = bench.run(recipe, "digits", 2, 0)
        assert bench.run(as_recipe(counting), "digits", 2, 0) is first
        other_k = bench.run(recipe, "digits", 2, 0, k=5)
        assert (other_k.report.k, other_k.encoder) == (5, first.encoder)
        bench.run(recipe, "digits", 2, 1)
        bench.run(recipe, "digits", 3, 0)
        assert counting.fits == [(2, 0), (2, 1), (3, 0)]

    def test_two_recipes_of_one_name_do_not_share_fits(self):
        one, two, bench = Counting(), Counting(), FitCache()
        bench.run(as_recipe(one), "digits", 2, 0)
        bench.run(as_recipe(two), "digits", 2, 0)
        assert one.fits == two.fits == [(2, 0)]

    def test_it_is_judged_on_the_test_points_against_the_train_points(self):
        data = distbench.load_dataset("digits")
        run = FitCache().run(as_recipe("pca"), "digits", 2, 0)
        direct = distbench.evaluate(run.encoder, data.test, reference=data.train)
        assert run.report.as_dict() == direct.as_dict()


def test_reading_a_suite_loads_nothing_heavy(write):
    import subprocess

    path = write(TOP + PCA_ENTRY)
    code = (
        "import pathlib, sys; from distbench.suites.reader import read_suite; "
        f"read_suite(pathlib.Path({str(path)!r})); "
        "print([m for m in ('numpy', 'scipy', 'sklearn', 'numba', 'keras', 'tabulate', 'tqdm') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
