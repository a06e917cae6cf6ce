"""The plugin beside options and plugins of pytest."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET

import pytest
from suite_texts import SMALL

SUITE = f"""{SMALL}
[[encoder]]
name = "pca"
limits = {{ continuity = 0.1 }}

[[encoder]]
name = "random_projection"
limits = {{ continuity = 0.9999 }}
"""
TESTS = """
import numpy as np
import pytest

X = np.random.default_rng(0).normal(size=(80, 5))

def first(points):
    return points[:, :1]

def test_kept(distbench):
    distbench.check(first, X, continuity=0.1)

def test_broken(distbench):
    distbench.check(first, X, continuity=0.9999)

@pytest.mark.distbench(dataset="swiss_roll", code_size=2, limits={"continuity": 0.1})
def test_marked(distbench):
    distbench.check("pca")

def test_plain():
    pass
"""


@pytest.fixture
def run(pytester, monkeypatch):
    """Run pytest in a subprocess on a test file and a suite."""
    monkeypatch.setenv("COLUMNS", "100")
    pytester.makeini("[pytest]\ntestpaths = .\n")
    pytester.makepyfile(test_mine=TESTS)
    (pytester.path / "mine.toml").write_text(SUITE)

    def run(*options, flag="--distbench"):
        return pytester.runpytest_subprocess(*([flag] if flag else []), *options)

    return run


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--strict-markers", "--strict-config"),
        ("-p", "no:cacheprovider", "-p", "no:randomly", "--strict-markers", "-W", "error", "-s"),
    ],
    ids=" ".join,
)
def test_outcomes_and_the_summary_are_the_same(run, options):
    result = run(*options)
    result.assert_outcomes(passed=4, failed=2)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*= distbench =*", "swiss_roll, code size 2*"])
    result.stdout.no_fnmatch_line("*INTERNALERROR*")
    assert "Warning" not in result.stderr.str()


def test_without_a_terminal_files_are_written_and_the_exit_code_is_the_same(run, pytester):
    result = run("-p", "no:terminal", "--distbench-report=json:out.json")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert result.stdout.str() == ""
    assert "Traceback" not in result.stderr.str()
    assert (pytester.path / "out.json").exists()


def test_the_plugin_may_be_named_with_and_without_autoload(run, monkeypatch):
    run("-p", "distbench", "-k", "kept").assert_outcomes(passed=1, deselected=5)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    run("-p", "distbench", "-k", "kept").assert_outcomes(passed=1, deselected=5)
    run("-p", "pytest_distbench", "-W", "error").assert_outcomes(passed=4, failed=2)
    left_out = run()
    assert left_out.ret == pytest.ExitCode.USAGE_ERROR
    left_out.stderr.fnmatch_lines(["*unrecognized arguments: --distbench*"])


def test_collect_only_shows_items_and_runs_and_writes_nothing(run, pytester):
    result = run("--collect-only", "-q", "--distbench-report=json:out.json", "--distbench-update")
    assert result.ret == 0
    for name in ("mine.toml::pca[[]2]", "mine.toml::random_projection[[]2]", "test_mine.py::test_kept"):
        result.stdout.fnmatch_lines([f"*{name}"])
    result.stdout.no_fnmatch_line("*= distbench =*")
    assert not (pytester.path / "out.json").exists()
    assert not (pytester.path / "baselines").exists()


@pytest.fixture
def rows(pytester):
    """Return the test and the encoder of all rows in out.json."""

    def rows():
        document = json.loads((pytester.path / "out.json").read_text(encoding="utf-8"))
        return sorted((row["test"], row["encoder"]) for row in document["rows"])

    return rows


def test_last_failed_runs_what_failed_and_exitfirst_stops_and_both_keep_the_other_rows(run, rows):
    report = "--distbench-report=json:out.json"
    run(report).assert_outcomes(passed=4, failed=2)
    before = rows()
    assert len(set(before)) == 5
    run("--lf", report).assert_outcomes(failed=2)
    assert rows() == before
    result = run("-x", report)
    result.assert_outcomes(failed=1, passed=result.parseoutcomes().get("passed", 0))
    result.stdout.fnmatch_lines(["*= distbench =*", "*stopping after 1 failures*"])
    assert rows() == before


def test_junit_xml_holds_flat_properties(run, pytester):
    result = run("--junit-xml=out.xml", "-W", "error")
    result.assert_outcomes(passed=4, failed=2)
    cases = ET.parse(pytester.path / "out.xml").getroot().iter("testcase")
    properties_of = {
        case.get("name"): {tag.get("name"): tag.get("value") for tag in case.iter("property")} for case in cases
    }
    assert len(properties_of) == 6
    for name, encoder in {"test_kept": "first", "test_marked": "pca", "pca[2]": "pca.seed0"}.items():
        assert 0 < float(properties_of[name][f"distbench.{encoder}.continuity"]) <= 1
        assert properties_of[name][f"distbench.{encoder}.continuity.verdict"] == "met"
    assert properties_of["test_plain"] == {}
    for properties in properties_of.values():
        assert all(value is not None and "{" not in value and len(value) < 200 for value in properties.values())
