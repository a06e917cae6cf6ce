"""With pytest-xdist: rows are the same, each recipe is fitted once, and a worker that dies loses one test."""

from __future__ import annotations

import json
import os
from collections import Counter

import pytest
from suite_texts import RECIPE_LOG, SMALL

RECIPES = """
class First:
    def fit(self, X, code_size, seed):
        log_fit(f"First{seed}")
        return lambda points: points[:, :code_size]


class Last:
    def fit(self, X, code_size, seed):
        log_fit(f"Last{seed}")
        return lambda points: points[:, -code_size:] * (1 + seed)


class Diverges:
    def fit(self, X, code_size, seed):
        log_fit(f"Diverges{seed}")
        raise TrainingError("it diverged after 3 epochs")


class Dies:
    def fit(self, X, code_size, seed):
        os._exit(3)
"""
SUITE = (
    SMALL.replace("[0]", "[0, 1]")
    + """
[[encoder]]
name = "first"
recipe = "recipes:First"

[[encoder]]
name = "last"
recipe = "recipes:Last"
limits = {{ continuity = 0.1 }}
{more}
[[claim]]
id = "last-beats-first"
statement = "The last columns say more."
source = "this test"
better = "last"
than = "first"
metric = "continuity"
code_size = 2
expect = "{expect}"
"""
)
TESTS = """
import pytest
from recipes import First


@pytest.mark.distbench(dataset="swiss_roll", code_size=2)
@pytest.mark.parametrize("number", range(4))
def test_it(distbench, number):
    distbench.check(First, continuity=0.1)


class Mine(First):
    pass


@pytest.mark.xdist_group("one")
@pytest.mark.distbench(dataset="swiss_roll", code_size=2, limits={"continuity": 0.1})
def test_class_of_this_module(distbench):
    distbench.check(Mine)


@pytest.mark.xdist_group("one")
@pytest.mark.distbench(dataset="swiss_roll", code_size=2, limits={"continuity": 0.1})
def test_class_of_this_module_again(distbench):
    distbench.check(Mine)
"""


@pytest.fixture
def project(pytester):
    """Write a project with a suite and a test file; return a function that runs pytest in it."""
    (pytester.path / "recipes.py").write_text(RECIPE_LOG + RECIPES)
    (pytester.path / "test_mine.py").write_text(TESTS)
    (pytester.path / "pytest.ini").write_text("[pytest]\npythonpath = .\n")

    def run(*options, more="", expect="borne out"):
        (pytester.path / "mine.toml").write_text(SUITE.format(more=more, expect=expect))
        return pytester.runpytest_subprocess("--distbench", *options)

    return run


def rows_in(path):
    """Return the rows, without seconds, and the claims of a json report."""
    document = json.loads(path.read_text(encoding="utf-8"))
    return [{**row, "seconds": None} for row in document["rows"]], document.get("claims", [])


def fits(pytester):
    """Return the names of the recipes that were fitted since the last call, sorted."""
    log = pytester.path / "fits.txt"
    names = sorted(log.read_text().split()) if log.exists() else []
    log.unlink(missing_ok=True)
    return names


@pytest.mark.nightly
def test_rows_are_the_same_and_every_recipe_is_fitted_once(project, pytester):
    counts = {}
    for workers, options in {"none": (), "two": ("-n", "2"), "groups": ("-n", "2", "--dist", "loadgroup")}.items():
        result = project(*options, f"--distbench-report=json:{workers}.json")
        result.assert_outcomes(passed=9)
        counts[workers] = fits(pytester)
    assert counts["two"] == counts["groups"]
    # In one process a class and its name are two recipes; between processes they are one.
    assert Counter(counts["two"]) <= Counter(counts["none"])
    assert set(counts["two"]) == set(counts["none"])
    alone, two, groups = (rows_in(pytester.path / f"{name}.json") for name in ("none", "two", "groups"))
    assert alone[0]
    assert alone == two
    # ``--dist loadgroup`` puts the group at the end of a test's id.
    assert [{**row, "test": row["test"].removesuffix("@one")} for row in groups[0]] == alone[0]


@pytest.mark.nightly
def test_failed_fits_are_not_repeated(project, pytester):
    more = '[[encoder]]\nname = "diverges"\nrecipe = "recipes:Diverges"\n'
    more += '[[claim]]\nid = "never"\nstatement = "It is better."\nsource = "this test"\ncode_size = 2\n'
    more += 'better = "diverges"\nthan = "last"\nmetric = "continuity"\n'
    result = project("-n", "2", "-k", "diverges or never", "--distbench-report=json:out.json", more=more)
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["*it diverged after 3 epochs*"])
    assert [name for name in fits(pytester) if "Diverges" in name] == ["Diverges0", "Diverges1"]
    rows, _ = rows_in(pytester.path / "out.json")
    failed = [row for row in rows if row["encoder"] == "diverges"]
    assert len(failed) == 2
    assert all(row["value"] is None and row["status"] != "ok" for row in failed)


@pytest.mark.skipif(os.name != "posix", reason="os._exit of a worker")
def test_a_worker_that_dies_loses_its_own_test_alone(project, pytester):
    more = '[[encoder]]\nname = "dies"\nrecipe = "recipes:Dies"\n'
    result = project("-n", "2", "--distbench-report=json:out.json", more=more)
    result.assert_outcomes(passed=9, failed=1)
    result.stdout.fnmatch_lines(["*worker*crashed while running*mine.toml::dies*2*"])
    rows, claims = rows_in(pytester.path / "out.json")
    assert {row["encoder"] for row in rows} >= {"first", "last", "First"}
    assert len(claims) == 1


def test_workers_share_fits_in_the_temporary_folder_of_the_run(project, pytester):
    project("-n", "2", "--basetemp=place", "mine.toml").assert_outcomes(passed=3)
    assert fits(pytester) == ["First0", "First1", "Last0", "Last1"]  # once a seed, for encoders and the claim
    assert len(list((pytester.path / "place" / "distbench-fits").glob("*.npz"))) == 4


def test_a_wrong_marker_fails_its_test_and_crashes_no_worker(pytester):
    pytester.makepyfile(
        test_wrong="""
        import pytest

        @pytest.mark.distbench(datset="digits", code_size=2)
        def test_wrong(distbench): ...

        def test_right(): ...
        """
    )
    result = pytester.runpytest_subprocess("--distbench", "-n", "2")
    result.assert_outcomes(passed=1, errors=1)
    assert "INTERNALERROR" not in result.stdout.str()
    result.stdout.fnmatch_lines(["*datset*did you mean 'dataset'*"])
