from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

RECIPES = """
from sklearn.decomposition import PCA

class Good:
    fits = []

    def fit(self, X, code_size, seed):
        assert (code_size, seed) not in self.fits, "fitted twice"
        self.fits.append((code_size, seed))
        return PCA(code_size, random_state=seed).fit(X)

class Diverges(Good):
    fits = []

    def fit(self, X, code_size, seed):
        if seed == 1:
            raise ArithmeticError("the loss is NaN")
        return super().fit(X, code_size, seed)
"""
SUITE = """
distbench = 1
question = "Does close stay close?"
dataset = "digits"
code_sizes = [2, 8]
seeds = [0, 1]

[[encoder]]
name = "good"
recipe = "my_recipes:Good"
limits = {continuity = {2 = 0.9, 8 = 0.99}}

[[encoder]]
name = "pca"
"""
CLAIM = """
[[claim]]
id = "keeps"
statement = "Eight components keep neighbors."
source = "measured here"
code_size = 8
encoder = "good"
metric = "continuity"
"""


@pytest.fixture
def suite(pytester, monkeypatch):
    """Run pytest in a subprocess on a suite file, with recipes beside it."""
    monkeypatch.setenv("COLUMNS", "80")
    pytester.makepyfile(my_recipes=RECIPES)

    def suite(text, *options, flag=True, name="mine.toml"):
        (pytester.path / name).write_text(textwrap.dedent(text), encoding="utf-8")
        return pytester.runpytest_subprocess(*(["--distbench"] if flag else []), *options)

    return suite


def summary(result):
    """Return the lines of the section that distbench prints."""
    start = next(n for n, line in enumerate(result.outlines) if "= distbench =" in line)
    return result.outlines[start:-1]


def test_one_item_for_an_encoder_and_code_size_and_one_for_a_claim(suite):
    result = suite(SUITE + CLAIM + "at_least = 0.9\n", "--collect-only", "-q")
    names = ["good[[]2]", "pca[[]2]", "good[[]8]", "pca[[]8]", "keeps"]
    result.stdout.fnmatch_lines([f"mine.toml::{name}" for name in names])


def test_a_suite_prints_leaderboards_claims_and_counts(suite):
    result = suite(SUITE + CLAIM + "at_least = 0.9\n", "-W", "error", "--strict-markers")
    result.assert_outcomes(passed=5)
    result.stdout.fnmatch_lines(
        [
            "*= distbench =*",
            "digits, code size 2 (k = 10, m = 360 test points, M = 1796 candidates)",
            "1=  good * 0.9?? * to *",
            "1=  pca * 0.9?? * to *",
            "digits, code size 8 *",
            "borne out: 1 claim (-v shows them)",
            "4 checks: 4 met; claims: 1 borne out",
        ]
    )
    assert max(len(line) for line in summary(result)) <= 80


def test_fits_are_shared_between_encoders_claims_and_files(suite, pytester):
    (pytester.path / "other.toml").write_text(SUITE)
    # Good refuses to be fitted twice with the same code size and seed.
    result = suite(SUITE + CLAIM + "at_least = 0.9\n")
    result.assert_outcomes(passed=9)
    assert result.stdout.str().count(" good ") >= 2
    result.stdout.no_fnmatch_line("*other.toml::*")


def test_a_single_item_can_be_selected_and_needs_no_terminal(suite):
    result = suite(SUITE, "mine.toml::pca[8]")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["digits, code size 8 *"])
    result.stdout.no_fnmatch_line("digits, code size 2 *")
    assert suite(SUITE, "mine.toml::pca[8]", "-p", "no:terminal").ret == 0


def test_a_broken_limit_fails_with_the_message_alone(suite):
    result = suite(SUITE.replace("2 = 0.9,", "2 = 0.999,"))
    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines(
        [
            "*mine.toml: good[[]2] *",
            "seed 0: good *does not meet 1 limit*",
            "*continuity = 0.9*limit at least 0.999*",
            "*m = 360 test points, M = 1796 candidates each, k = 10",
            "  seed 1 too: continuity = 0.9*",
            "rerun: pytest --distbench 'mine.toml::good[[]2]'",
            "1=  good * 0.9?? *",
            "FAILED mine.toml::good[[]2] - seed 0: good: continuity = 0.9*",
        ]
    )
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*_suites.py*")


def test_a_failing_fit_shows_lines_of_the_recipe_and_gets_no_place(suite):
    entry = '[[encoder]]\nname = "diverges"\nrecipe = "my_recipes:Diverges"\n'
    result = suite(SUITE.replace("[2, 8]", "[2]").replace(", 8 = 0.99", "") + entry)
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(
        [
            "diverges[[]2] could not be fitted and evaluated in 1 of 2 seeds",
            "seed 1: ArithmeticError: the loss is NaN",
            '*my_recipes.py", line *, in fit',
            '*raise ArithmeticError("the loss is NaN")',
            "no place: diverges: seed 1 failed: ArithmeticError: the loss is NaN",
        ]
    )
    result.stdout.no_fnmatch_line("*_bench.py*")


def test_what_a_failing_fit_says_controls_no_terminal_and_no_ci_service(suite):
    evil = r"\x0b\n::error::one\r\n::error::two \x1b[2J\u202e ##[error] " + "z" * 99_999
    more = f'\n\nclass Evil:\n    def fit(self, X, code_size, seed):\n        raise ValueError("{evil}")\n'
    Path("my_recipes.py").write_text(RECIPES + more, encoding="utf-8")
    claim = CLAIM.replace('"good"', '"evil"') + "at_least = 0.9\n"
    entry = '[[encoder]]\nname = "evil"\nrecipe = "my_recipes:Evil"\n'
    result = suite(SUITE.replace("[2, 8]", "[8]").replace("2 = 0.9, ", "") + entry + claim, "--tb=short")
    result.assert_outcomes(passed=2, failed=2)
    lines = result.stdout.str().split("\n")
    assert "seed 0: ValueError: ::error::one" in lines
    assert "claim keeps could not be evaluated: ValueError: ::error::one" in lines
    assert all(line.isprintable() and len(line) < 1_000 for line in lines)
    assert not [line for line in lines if line.lstrip().startswith("::") or "##[" in line]


def test_a_recipe_that_cannot_be_imported_is_one_line_and_a_line_in_the_table(suite):
    result = suite(SUITE.replace("my_recipes:Good", "my_recipe:Good"), "-k", "2")
    result.assert_outcomes(passed=1, failed=1, deselected=2)
    result.stdout.fnmatch_lines(
        [
            "recipe 'my_recipe:Good': my_recipe cannot be imported *; is its folder on pytest's pythonpath?",
            "no place: good: failed: InputError: recipe 'my_recipe:Good': my_recipe*",
        ]
    )


def test_a_faulty_suite_is_one_line_at_collection(pytester):
    (pytester.path / "mine.toml").write_text(SUITE.replace("continuity", "continuty"), encoding="utf-8")
    result = pytester.runpytest_inprocess("--distbench", "--collect-only")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["mine.toml:11: encoder 1.limits: *did you mean 'continuity'?"])
    result.stdout.no_fnmatch_line("*Traceback*")


class TestClaims:
    def test_a_refuted_claim_fails_with_its_evidence(self, suite):
        result = suite(SUITE + CLAIM + "at_least = 0.99999\n", "-k", "keeps")
        result.assert_outcomes(failed=1, deselected=4)
        result.stdout.fnmatch_lines(
            [
                "claim keeps is refuted, expected borne out: Eight components keep neighbors.",
                "good continuity 0.99* (95 % interval * to *), at least 0.99999; digits, codes of 8, 360 test points*",
                "source: measured here",
                "refuted (expected: borne out): Eight components keep neighbors.",
                "FAILED mine.toml::keeps - *claim keeps is refuted*",
            ]
        )
        result.stdout.no_fnmatch_line("*_suites.py*")

    def test_a_claim_whose_fit_fails_is_not_judged(self, suite):
        text = SUITE + CLAIM.replace('"good"', '"my_recipes:Diverges"') + "at_least = 0.9\n"
        result = suite(text, "-k", "keeps")
        result.assert_outcomes(failed=1, deselected=4)
        result.stdout.fnmatch_lines(
            [
                "claim keeps could not be evaluated: ArithmeticError: the loss is NaN",
                '*my_recipes.py", line *, in fit',
                "not judged (expected: borne out): Eight components keep neighbors.",
            ]
        )
        result.stdout.no_fnmatch_line("*_bench.py*")


def test_the_shipped_suites_run_from_an_empty_folder(pytester):
    result = pytester.runpytest_subprocess(
        "--distbench", "--pyargs", "distbench_suites", "-k", "identity or random_projection or pca[2]"
    )
    assert result.ret == 0
    result.stdout.fnmatch_lines(["digits, code size 2 *", "borne out: 1 claim (-v shows them)"])


@pytest.mark.nightly
def test_text_survives_a_terminal_without_utf8(suite, monkeypatch):
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    monkeypatch.setenv("PYTHONUTF8", "0")
    text = SUITE.replace('name = "pca"', 'name = "größe"\nrecipe = "pca"')
    result = suite(text)
    result.assert_outcomes(passed=4)
    result.stdout.fnmatch_lines(["*gr??e * 0.9?? *"])


def test_a_limit_that_no_encoder_can_meet_is_an_error_before_the_fit(suite):
    limits = "{distortion = 1.01}"
    result = suite(SUITE.replace("{continuity = {2 = 0.9, 8 = 0.99}}", limits).replace("good", "diverges"))
    text = result.stdout.str()
    assert "distortion: found a limit of at most 1.01, but every encoder with codes of 2 has" in text
    assert "the loss is NaN" not in text
    result.assert_outcomes(passed=2, failed=2)
