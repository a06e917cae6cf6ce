"""Stored rows of suites: used while they are valid, reported when stale, and fitted and written again on request."""

from __future__ import annotations

import json
import re
import textwrap
from importlib.util import find_spec

import pytest
from suite_texts import SWISS_ROLL

from pytest_distbench._summary_lines import missing_line

RECIPES = """
from sklearn.decomposition import PCA

NOISE = 0.0

class Good:
    requires = ""

    def fit(self, X, code_size, seed, tilt=0.0):
        with open("fits.log", "a") as log:
            log.write(f"{type(self).__name__} {code_size} {seed}\\n")
        pca = PCA(code_size, random_state=seed).fit(X)
        pca.mean_ = pca.mean_ + NOISE
        pca.components_[0] *= 1 + NOISE + tilt
        return pca

class Needs(Good):
    requires = "no_such_package_here"
"""
SUITE = f"""{SWISS_ROLL}
seeds = [0, 1]

[[encoder]]
name = "good"
recipe = "my_recipes:Good"
limits = {{continuity = 0.5}}

[[encoder]]
name = "tilted"
recipe = "my_recipes:Good"
options = {{tilt = 0.5}}
in_sample = true

[[encoder]]
name = "pca"
"""
CLAIM = """
[[claim]]
id = "keeps"
statement = "Two components keep neighbors."
source = "measured here"
encoder = "pca"
metric = "continuity"
at_least = 0.5
"""
LOADED = """
import sys

def pytest_unconfigure(config):
    print("loaded:", [name for name in ("tensorflow", "keras", "umap") if name in sys.modules])
"""


@pytest.fixture
def suite(pytester, monkeypatch):
    """Run pytest in a subprocess on a suite file, with recipes beside it."""
    monkeypatch.setenv("COLUMNS", "100")
    pytester.makepyfile(my_recipes=RECIPES)
    pytester.makeconftest(LOADED)

    def suite(*options, text=SUITE + CLAIM, name="mine.toml"):
        path = pytester.path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        (pytester.path / "fits.log").write_text("")
        result = pytester.runpytest_subprocess("--distbench", "-p", "no:cacheprovider", *options)
        result.fits = sorted((pytester.path / "fits.log").read_text().splitlines())
        return result

    return suite


def edit(pytester, old, new, module="my_recipes"):
    path = pytester.path / f"{module}.py"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def board(result):
    """Return the lines of the leaderboards, without seconds, which are stored rounded."""
    lines = [re.sub(r"\d+\.\d(?= +\d/\d$)", "*", line) for line in result.outlines]
    start = next(n for n, line in enumerate(lines) if line.startswith("swiss_roll, code size"))
    return [line for line in lines[start : lines.index("Claims")] if line and "stored" not in line]


def test_rows_are_stored_used_found_stale_and_fitted_again(suite, pytester):
    """All steps are in one test, since each run of pytest takes seconds."""
    path = pytester.path / "baselines" / "mine.json"
    fresh = suite("--distbench-update", "-n", "2")
    fresh.assert_outcomes(passed=4)
    assert fresh.fits == ["Good 2 0", "Good 2 0", "Good 2 1", "Good 2 1"]
    fresh.stdout.fnmatch_lines(["written: baselines/mine.json: 3 encoders (55 rows) and 1 claim", "2 checks: *"])
    assert list(path.parent.iterdir()) == [path], "the workers wrote nothing"
    written = path.read_bytes()

    stored = suite()
    stored.assert_outcomes(passed=4)
    assert stored.fits == []
    assert board(stored) == board(fresh)
    stored.stdout.fnmatch_lines(
        [
            "*tilted (in sample)*",
            "in sample: fitted on train and test points together; *",
            "stored 20??-??-??: all rows",
            "borne out: 1 claim (-v shows them)",
            "Stored, not fitted in this run (--distbench-retrain fits them)",
            "  of 20*, measured with python 3*numpy*",
            "*mine.toml: 3 encoders and 1 claim",
            "2 checks: 2 met; claims: 1 borne out",
            "loaded: []",
        ]
    )
    assert "written: " not in "\n".join(stored.outlines), "nothing was written"

    edit(pytester, "NOISE = 0.0", "NOISE = 0.2")
    stale = suite("-n", "2")
    stale.assert_outcomes(passed=2, failed=2)
    assert stale.fits == []
    stale.stdout.fnmatch_lines_random(
        [
            "good[[]2]: stored on 20*, but stale now: recipe changed",
            f"stored in {path}",
            "to fit it anew and store it: pytest --distbench-update 'mine.toml::good[[]2]'",
            "no place: good: stale: recipe changed (stored on 20*)",
            "no place: tilted (in sample): stale: recipe changed (stored on 20*)",
            "Stale, so not used; fit and store all of it anew: pytest --distbench-update*",
            "  mine.toml: good[[]2]: recipe changed",
        ]
    )
    assert path.read_bytes() == written

    drift = suite("--distbench-retrain")
    drift.assert_outcomes(passed=4)
    assert drift.fits == fresh.fits
    drift.stdout.fnmatch_lines(
        [
            "Drift from the stored rows (of 33 means over seeds, * beyond the stored 95 % interval: !)",
            "  mine.toml: *[[]2]: * -> *, beyond !*",
            "  2 without any change",
        ]
    )
    assert path.read_bytes() == written, "a report, and nothing else"

    again = suite("--distbench-update", "-k", "good")
    again.assert_outcomes(passed=1, deselected=3)
    assert again.fits == ["Good 2 0", "Good 2 1"]
    again.stdout.fnmatch_lines(["written: baselines/mine.json: 1 encoder (22 rows)"])
    kept = set(written.decode().splitlines()) & set(path.read_text().splitlines())
    assert len(kept) >= 33, "the rows of other encoders are as they were"

    pytester.makeini("[pytest]\ndistbench_update = true\n")
    rest = suite()
    rest.assert_outcomes(passed=4)
    assert rest.fits == ["Good 2 0", "Good 2 1"], "what holds is not fitted"


def test_an_update_goes_on_where_an_interrupted_one_ended(suite, pytester):
    stop = "        if (seed, tilt) == (1, 0.5) and os.path.exists('stop'):\n            os._exit(9)\n        pca = PCA"
    edit(pytester, "        pca = PCA", f"        import os\n{stop}")
    pytester.path.joinpath("stop").touch()
    cut = suite("--distbench-update", "-p", "cacheprovider")
    assert (cut.ret, cut.fits) == (9, ["Good 2 0", "Good 2 0", "Good 2 1", "Good 2 1"])
    pytester.path.joinpath("stop").unlink()
    (kept,) = pytester.path.glob(".pytest_cache/d/distbench-fits")
    rest = suite("--distbench-update", "-p", "cacheprovider")
    rest.assert_outcomes(passed=4)
    assert rest.fits == ["Good 2 1"]
    assert not kept.exists()


def test_limits_hold_for_stored_rows_as_for_new_ones(suite):
    broken = SUITE.replace("continuity = 0.5", "continuity = 0.999, stress = 0.9")
    first = suite("--distbench-update", text=broken)
    stored = suite(text=broken)
    for result in (first, stored):
        result.assert_outcomes(passed=2, failed=1)

    def failure_lines(result):
        lines = [line.split(" undecided")[0] for line in result.outlines]
        start = next(n for n, line in enumerate(lines) if line.startswith("seed 0: good"))
        kept = ("seed", "  continuity", "    95%", "  m = ")
        return [line.split(";")[0] for line in lines[start : start + 25] if line.startswith(kept)]

    assert failure_lines(stored) == failure_lines(first)
    assert len(failure_lines(stored)) == 4
    stored.stdout.fnmatch_lines(
        [
            "  note: stored on 20*, without pairs of points: --distbench-retrain fits the encoder again and shows *",
            "rerun: pytest --distbench-retrain 'mine.toml::good[[]2]'",
            "2 checks: 2 broken*",
        ]
    )
    more = suite(text=broken.replace("seeds = [0, 1]", "seeds = [0, 1, 2]"))
    more.stdout.fnmatch_lines(["*good[[]2]: stored on 20*, but stale now: seeds are now 0, 1, 2"])
    assert more.fits == []


def test_a_failed_fit_is_stored_as_failed_and_fails_again(suite, pytester):
    text = SUITE.replace("my_recipes:Good", "my_recipes:Diverges", 1)
    edit(pytester, "class Needs", "class Diverges(Good):\n    def fit(self, X, code_size, seed):\n"
         "        if seed == 1:\n            raise ArithmeticError('NaN')\n"
         "        return super().fit(X, code_size, seed)\n\nclass Needs")  # fmt: skip
    suite("--distbench-update", "-k", "good", text=text).assert_outcomes(failed=1, deselected=2)
    stored = suite("-k", "good", text=text)
    stored.assert_outcomes(failed=1, deselected=2)
    assert stored.fits == []
    stored.stdout.fnmatch_lines(
        [
            "good[[]2] could not be fitted and evaluated in 1 seeds when it was stored on 20*",
            "seed 1: failed: ArithmeticError: NaN",
            "no place: good: seed 1 failed: ArithmeticError: NaN",
        ]
    )


def test_a_recipe_whose_package_is_missing_is_skipped_unless_its_rows_are_stored(suite, pytester):
    text = SUITE.replace("my_recipes:Good", "my_recipes:Needs", 1) + CLAIM.replace('"pca"', '"good"')
    skipped = suite("-rs", "--distbench-update", text=text)
    skipped.assert_outcomes(passed=2, skipped=2)
    skipped.stdout.fnmatch_lines(
        [
            "skipped tests: 2 (recipe Needs needs the package no_such_package_here)",
            "SKIPPED*recipe Needs needs the package no_such_package_here, which is not installed",
        ]
    )
    stored = json.loads((pytester.path / "baselines" / "mine.json").read_text())
    assert {row["encoder"] for row in stored["rows"]} == {"tilted", "pca"}
    # The package is there when the rows are stored and gone when they are used; hashes do not depend on it.
    package = pytester.path / "no_such_package_here.py"
    package.write_text("")
    suite("--distbench-update", text=text).assert_outcomes(passed=4)
    package.unlink()
    result = suite("--distbench-brief", text=text)
    result.assert_outcomes(passed=4)
    assert result.fits == []
    assert "Claims" not in result.outlines, "all are as expected"


def test_what_was_skipped_is_one_line_with_one_command():
    reasons = [
        f'data set "{name}": needs {name}, which is not installed; pip install "{extra}"'
        for name, extra in ("ax", "by")
    ]
    ((line,),) = missing_line([*reasons, reasons[0], "recipe r needs p, which is not installed"], 300)
    assert line.text == (
        'skipped tests: 2 (data set "a": needs a), 1 (data set "b": needs b), 1 (recipe r needs p); pip install "x" "y"'
    )
    assert missing_line([], 80) == []


def test_stale_claims_fail_and_changed_verdicts_are_listed(suite):
    suite("--distbench-update", "-k", "keeps").assert_outcomes(passed=1, deselected=3)
    text = SUITE + CLAIM.replace("at_least = 0.5", "at_least = 0.999")
    stale = suite("-k", "keeps", text=text)
    stale.assert_outcomes(failed=1, deselected=3)
    stale.stdout.fnmatch_lines(
        [
            "keeps: stored on 20*, but stale now: the claim's numbers, data, recipes, *",
            "stale (expected: borne out) (stored 20*): Two components keep neighbors.",
        ]
    )
    turned = suite("-k", "keeps", "--distbench-retrain", "--distbench-update", text=text)
    turned.assert_outcomes(failed=1, deselected=3)
    turned.stdout.fnmatch_lines(["*keeps: was borne out when stored on 20*, is now refuted"])
    again = suite("-k", "keeps", text=text)
    again.assert_outcomes(failed=1, deselected=3)
    again.stdout.fnmatch_lines(["claim keeps is refuted, expected borne out*", "*(stored on 20*)"])
    worded = text.replace("Two components", "A plane").replace('source = "', 'expect = "refuted"\nsource = "')
    suite("-k", "keeps", text=worded).assert_outcomes(passed=1, deselected=3)


def test_a_claim_whose_fit_now_fails_is_stored_as_not_judged(suite, pytester, monkeypatch):
    edit(pytester, "        pca = PCA", '        import os; assert "BOOM" not in os.environ, "boom"\n        pca = PCA')
    text = SUITE + CLAIM.replace('encoder = "pca"', 'encoder = "good"')
    suite("--distbench-update", "-k", "keeps", text=text).assert_outcomes(passed=1, deselected=3)
    monkeypatch.setenv("BOOM", "1")
    lost = suite("--distbench-retrain", "--distbench-update", "-k", "keeps", text=text)
    lost.assert_outcomes(failed=1, deselected=3)
    again = suite("-k", "keeps", text=text)
    again.assert_outcomes(failed=1, deselected=3)
    again.stdout.fnmatch_lines(["claim keeps is not judged, expected borne out*"])


@pytest.mark.parametrize(
    ("before", "name", "message"),
    [
        ({"baselines/mine.json": '{"schema": 1,'}, "mine.toml", "not valid JSON: *; restore it*or delete it*"),
        ({"baselines": "a file"}, "mine.toml", "*baselines is not a folder that you can write to*"),
        ({}, "site-packages/mine.toml", "belongs to an installed package*copy*"),
    ],
)
def test_a_store_that_is_broken_or_cannot_be_written_is_an_error_before_a_fit(suite, pytester, before, name, message):
    for path, text in before.items():
        (pytester.path / path).parent.mkdir(exist_ok=True)
        (pytester.path / path).write_text(text)
    result = suite("--distbench-update", name=name)
    result.assert_outcomes(errors=1)
    assert result.fits == []
    result.stdout.fnmatch_lines([f"*{name.replace('mine.toml', 'baselines/mine.json')}: {message}"])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_a_store_that_cannot_be_written_at_the_end_fails_the_run(suite, pytester):
    pytester.makeconftest(
        """
        import pathlib

        def pytest_runtest_teardown(item):
            pathlib.Path("baselines").touch()
        """
    )
    result = suite("--distbench-update", "-k", "pca")
    result.assert_outcomes(passed=1, deselected=3)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["NOT WRITTEN: *baselines/mine.json could not be written: *"])


def test_equal_names_in_two_folders_and_changed_data(suite, pytester):
    for folder in ("one", "two"):
        (pytester.path / folder).mkdir()
    text = SUITE.replace("[0, 1]", "[0]")
    (pytester.path / "one" / "mine.toml").write_text(text)
    result = suite("--distbench-update", "-k", "pca", name="two/mine.toml", text=text)
    result.assert_outcomes(passed=2, deselected=4)
    stores = sorted(pytester.path.glob("*/baselines/mine.json"))
    assert [store.parent.parent.name for store in stores] == ["one", "two"]
    other = suite("-k", "pca", name="two/mine.toml", text=text.replace("swiss_roll", "s_curve"))
    other.assert_outcomes(passed=1, failed=1, deselected=4)
    other.stdout.fnmatch_lines(["pca[[]2]: stored on 20*, but stale now: data set is now s_curve; data changed"])
    drift = suite("--distbench-retrain", "-k", "pca", name="two/mine.toml", text=text.replace("swiss_roll", "s_curve"))
    drift.stdout.fnmatch_lines(["  mine.toml: pca[[]2]: not compared: data set is now s_curve; data changed"])


@pytest.mark.nightly
@pytest.mark.skipif(find_spec("keras") is None, reason="needs keras")
def test_stored_rows_of_networks_need_no_keras(suite):
    text = SUITE.partition("[[encoder]]")[0] + '[[encoder]]\nname = "pairwise_autoencoder"\noptions = {epochs = 1}\n'
    first = suite("--distbench-update", text=text)
    first.assert_outcomes(passed=1)
    first.stdout.fnmatch_lines(["loaded: [[]*'keras'*"])
    stored = suite(text=text)
    stored.assert_outcomes(passed=1)
    stored.stdout.fnmatch_lines(["loaded: []"])
