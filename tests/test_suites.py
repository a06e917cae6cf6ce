from __future__ import annotations

import pytest
from suite_texts import BETTER, CLAIM, COLLAPSE, FLOOR, PCA_ENTRY, TOP

from distbench.errors import SuiteError
from distbench.suites.detect import is_suite
from distbench.suites.reader import read_suite
from distbench.suites.suite import AngleClaim, BetterClaim, BoundClaim, CollapseClaim, FloorClaim, SuiteEncoder


class TestIsSuite:
    @pytest.mark.parametrize(
        "line",
        [
            *("distbench = 1", "distbench=1", "distbench = 2  # later", "  distbench = 1", '"distbench" = 1'),
            # Mistakes, which the reader reports.
            *(
                'distbench = "1"',
                "distbench = '1' # in quotes",
                "distbench = 1.0",
                "distbench = -1",
                "distbench = true",
            ),
        ],
    )
    def test_a_schema_number_before_the_first_table_makes_a_suite(self, write_suite, line):
        before = 'question = """\n[not a table]\ndistbench is off\n"""\nsizes = [\n  [1, 2],\n]\n'
        assert is_suite(write_suite(f"# a comment\nname = 'x'\n{before}{line}\n[[encoder]]\n"))

    @pytest.mark.parametrize(
        "text",
        [
            *("", "distbench = '^0.1'\n", "distbench = {version = '1'}\n", "distbench_other = 1\n"),
            "[project]\nname = 'mine'\ndistbench = 1\n",
            "[tool.poetry.dependencies]\ndistbench = '^0.1'\n",
            '"""\ndistbench = 1\n"""\n',
            "this is not TOML at all {{{",
        ],
    )
    def test_other_files_are_left_alone(self, write_suite, text):
        assert not is_suite(write_suite(text))

    def test_a_byte_order_mark_is_no_trouble(self, write_suite):
        path = write_suite("\ufeffdistbench = 1\n" + TOP.replace("distbench = 1\n", "") + PCA_ENTRY)
        assert is_suite(path)
        assert read_suite(path).dataset == "digits"

    def test_a_suite_that_is_no_utf8_is_one_and_cannot_be_read(self, tmp_path):
        latin = tmp_path / "latin.toml"
        latin.write_bytes(b"name = '\xe9'\ndistbench = 1\n")
        assert is_suite(latin)
        (tmp_path / "other.toml").write_bytes(b"name = '\xe9'\n[distbench]\nversion = 1\n")
        assert not is_suite(tmp_path / "other.toml")
        with pytest.raises(SuiteError, match=r"latin\.toml: cannot be read: .*; save it as UTF-8"):
            read_suite(latin)

    @pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
    def test_a_suite_in_utf16_is_one_and_cannot_be_read(self, tmp_path, encoding):
        path = tmp_path / "wide.toml"
        path.write_text("distbench = 1\n[data]\n", encoding=encoding)
        assert is_suite(path)
        path.with_name("other.toml").write_text("distbench = 'x'\n", encoding=encoding)
        assert not is_suite(path.with_name("other.toml"))
        with pytest.raises(SuiteError, match=r"^wide\.toml: .*; save it as UTF-8$"):
            read_suite(path)

    def test_files_that_cannot_be_opened_are_left_alone(self, tmp_path):
        assert not is_suite(tmp_path / "missing.toml")
        assert not is_suite(tmp_path)
        with pytest.raises(SuiteError, match=r"missing\.toml: cannot be read: "):
            read_suite(tmp_path / "missing.toml")


# Of the first lines: what replaces what; then lines below them, of an encoder, and of a claim.
WRONG_TOP = {
    ("= 1", "= 2"): "s.toml:2: distbench = 2 is not a known schema; write distbench = 1",
    ("= 1", "= '1'"): 's.toml:2: distbench = "1" is not a known .* distbench = 1',
    ("= 1", "= true"): "s.toml:2: distbench = true is not a known .* distbench = 1",
    ("= 1", "= 1.0"): "s.toml:2: distbench = 1.0 is not a known .* distbench = 1",
    ("distbench = 1", ""): "s.toml:1: distbench is missing; write distbench = 1",
    ("dataset", "datset"): "s.toml:4: unknown key 'datset'; did you mean 'dataset'",
    ("question", "#"): "s.toml:1: question is missing; add it",
    ('"digits"', "3"): "s.toml:4: dataset: found 3; give a name in quotes",
    ("[2, 8]", "2"): "s.toml:5: code_sizes: found 2; give a list of integers",
    ("[2, 8]", "[\n2,\n0]"): r"s.toml:5: code_sizes: found \[2, 0\]; give a list of integers from 1",
    ("[2, 8]", "[2, 2]"): "s.toml:5: code_sizes: found .*; name each only once",
}
WRONG_LINES = {
    "name = 'a\nb'": r"s.toml:6: not valid TOML: .* \(column 10\)",
    "x = [": "s.toml:6: not valid TOML: .*at the end of the file",
    "k = " + "9" * 5000: "s.toml:1: not valid TOML: .*",
    "": r"s.toml:1: nothing to run; add \[\[encoder\]\] or \[\[claim\]\]",
    "seeds = [true]": r"s.toml:6: seeds: found \[True\]; give a list of integers from 0",
    "k = 1.5": "s.toml:6: k: found 1.5; give an integer from 1",
    "[encoder]\nname = 'pca'": r"s.toml:6: encoder: found {.*two brackets: \[\[encoder\]\]",
    PCA_ENTRY.replace("pca", r"\u001b[31mpca"): r"s.toml:7: encoder 1.name: found '\\x1b\[31mpca'; use at most 500",
    PCA_ENTRY.replace("pca", "::error::pca"): r"s.toml:7: encoder 1.name: found '::error::pca'; use at most 500",
    PCA_ENTRY * 2: "s.toml:9: encoder 2.name: 'pca' is used in line 7 too",
}
WRONG_ENCODERS = {
    "limit = {}": ": unknown key 'limit'; did you mean 'limits'",
    "limits = 3": ".limits: found 3; give a table",
    "limits = {stress = 'x'}": ".limits.stress: found 'x'; give a number",
    "limits = {stress = nan}": ".limits.stress: found nan; give a number",
    "limits = {stress = {3 = 1}}": ".limits.stress: '3' is not one of the encoder's code_sizes: 2, 8",
    "in_sample = 1": ".in_sample: found 1; give true or false",
    "options = 3": ".options: found 3; give a table: {name = value}",
    "code_sizes = [3]": ".code_sizes: 3 is not one of the suite's code_sizes: 2, 8",
    "seeds = [1]": ".seeds: 1 is not one of the suite's seeds: 0",
    "seeds = []": ".seeds: found .*; give a list of integers",
}
WRONG_CLAIMS = {
    'encoder = "pca"\nmetric = "stress"\n': "6: claim 1: needs exactly one of at_least and at",
    'better = "pca"\nmetric = "stress"\n': "6: claim 1: than is missing; add it",
    'measure = "angle"\nencoder = "pca"\n': "11: claim 1.measure: found 'angle'; give one of 'principal_angle'",
    BETTER + "margin = -1\n": "14: claim 1.margin: found -1; give a number from 0",
    BETTER + "dataset = 3\n": "14: claim 1.dataset: found 3; give a text in quotes",
    BETTER + "at_most = 3\n": "14: claim 1: unknown key 'at_most'",
    BETTER + 'expect = "maybe"\n': "14: claim 1.expect: found 'maybe'; give one of 'borne out'",
    'measure = "floor"\nmetric = "stress"\n': "6: claim 1: at_least is missing; add it",
    'measure = "floor"\nencoder = "pca"\n': "12: claim 1: unknown key 'encoder'",
    COLLAPSE.replace("1e-4", "-1"): "13: claim 1.at_most: found -1; give a number from 0",
}


def wrong_suites():
    """Yield each text with a mistake, and its error message."""
    yield from ((TOP.replace(*change) + PCA_ENTRY, message) for change, message in WRONG_TOP.items())
    yield from ((TOP + line + "\n", message) for line, message in WRONG_LINES.items())
    for line, message in WRONG_ENCODERS.items():
        yield TOP + PCA_ENTRY + line + "\n", "s.toml:8: encoder 1" + message
    yield TOP + PCA_ENTRY + "code_sizes = []\nlimits = {stress = 1}\n", "s.toml:9: encoder 1.limits: are not checked"
    yield TOP + PCA_ENTRY + "code_sizes = [2]\nlimits = {stress = {8 = 1}}\n", "'8' is not one of the encoder's .*: 2"
    yield from ((TOP + CLAIM + body, f"s.toml:{message}") for body, message in WRONG_CLAIMS.items())
    yield TOP + CLAIM.replace("code_size", "#") + BETTER, "claim 1: code_size is missing; add one, .*: 2, 8"
    yield TOP + CLAIM.replace("= 8", "= 0") + BETTER, "claim 1.code_size: found 0; give an integer from 1"


class TestRead:
    def test_defaults(self, write_suite):
        suite = read_suite(write_suite(TOP + PCA_ENTRY))
        assert (suite.name, suite.seeds, suite.k, suite.code_sizes) == ("s", (0,), 10, (2, 8))
        assert suite.encoders == (SuiteEncoder("pca", "pca"),)
        assert suite.code_sizes_of(suite.encoders[0]) == (2, 8)
        assert suite.encoder("identity") == SuiteEncoder("identity", "identity")  # not declared: the baseline

    def test_an_encoder_has_limits_options_code_sizes_and_seeds(self, write_suite):
        entry = PCA_ENTRY.replace('"pca"', '"small batches"') + (
            'recipe = "autoencoder"\nin_sample = true\ncode_sizes = [8]\nseeds = [1]\n'
            "options = {batch_size = 16, hidden = [32]}\nlimits = {continuity = 0.9, spearman = {8 = 0.8}}\n"
        )
        suite = read_suite(write_suite(TOP + "seeds = [0, 1]\n" + entry + PCA_ENTRY + "code_sizes = []\n"))
        small, pca = suite.encoders
        assert (small.in_sample, small.options) == (True, {"batch_size": 16, "hidden": [32]})
        assert (suite.code_sizes_of(small), suite.seeds_of(small)) == ((8,), (1,))
        assert (suite.code_sizes_of(pca), suite.seeds_of(pca)) == ((), (0, 1))
        assert small.limits_at(2) == {"continuity": 0.9}
        assert small.limits_at(8) == {"continuity": 0.9, "spearman": 0.8}

    def test_the_keys_of_a_claim_decide_its_kind(self, write_suite):
        bodies = {
            'encoder = "p"\nmetric = "stress"\nat_most = 1\n': (BoundClaim, ["pca"]),
            BETTER.replace("pca", "p") + 'dataset = "spheres"\nmargin = 0.005\n': (BetterClaim, ["pca", "identity"]),
            'encoder = "p"\nmeasure = "principal_angle"\nat_most = 1\nexpect = "refuted"\n': (AngleClaim, ["pca"]),
            FLOOR: (FloorClaim, []),
            COLLAPSE: (CollapseClaim, ["pca"]),
        }
        text = "".join(CLAIM.replace('"c"', f'"c{n}"') + body for n, body in enumerate(bodies))
        suite = read_suite(write_suite(TOP + PCA_ENTRY.replace("pca", "p") + 'recipe = "pca"\n' + text))
        for claim, (kind, recipes) in zip(suite.claims, bodies.values(), strict=True):
            assert type(claim) is kind
            assert [encoder.recipe for encoder in suite.encoders_of(claim)] == recipes
        bound, better, angle, floor, collapse = suite.claims
        assert (bound.dataset, bound.code_size, bound.expect, bound.at_least) == ("digits", 8, "borne out", None)
        assert (better.dataset, better.margin, angle.expect) == ("spheres", 0.005, "refuted")
        assert (floor.metric, floor.at_least, collapse.at_most) == ("stress", 0.1, 1e-4)

    def test_a_claims_code_size_is_the_suites_where_there_is_one(self, write_suite):
        top, claim = TOP.replace("[2, 8]", "[8]"), CLAIM.replace("code_size = 8\n", "")
        assert read_suite(write_suite(top + claim + BETTER)).claims[0].code_size == 8

    @pytest.mark.parametrize(("text", "message"), list(wrong_suites()))
    def test_errors_are_one_line_that_names_file_key_and_what_to_do(self, write_suite, text, message):
        with pytest.raises(SuiteError, match=message) as caught:
            read_suite(write_suite(text))
        assert "\n" not in str(caught.value)
