"""Gates of a run: red unless it saw that nothing got worse."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET

import pytest

BODY = """
import os

WORSE = "WORSE" in os.environ

def kept(X):
    return X[:, :5] * ([1, 1, 0.05, 0.05, 0.05] if WORSE else [1, 1, 1, 1, 1])

def test_first(distbench):
    distbench.evaluate(first, X_test)

def test_kept(distbench):
    distbench.evaluate(kept, X_test)
"""
SKIPS = BODY.replace("    distbench.evaluate(kept, X_test)", "    pytest.skip('no time')")
FORGETS = BODY.replace("    distbench.evaluate(kept, X_test)", "    pass")
RENAMED = BODY.replace("kept", "stays")
ONLY_FIRST = BODY.replace("def test_kept", "def do_not_test_kept")
BASE = "--distbench-report=json:base.json"
GATE = ("--distbench-compare=base.json", "--distbench-compare-fail=continuity:25%")
MISSING = "continuity:25%: kept, test_mine.py::test_kept, code size 5: was there, now missing; if this is wanted: *"


@pytest.fixture
def worse(monkeypatch):
    """Return a function that makes the encoder of later runs much worse."""
    return lambda: monkeypatch.setenv("WORSE", "1")


@pytest.mark.parametrize("body", [SKIPS, FORGETS, ONLY_FIRST], ids=["skips", "forgets", "is gone"])
def test_an_encoder_that_its_test_no_longer_measures_breaks_the_gate(run, body):
    run(BODY, BASE)
    result = run(body, *GATE, "-W", "error")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["lost: kept, test_mine.py::test_kept, code size 5: was there, now missing"])
    result.stdout.fnmatch_lines([MISSING])


def test_the_command_in_the_line_accepts_the_loss(run, pytester):
    pytester.makeini("[pytest]\ndistbench_compare = base.json\ndistbench_compare_fail = continuity:25%\n")
    run(BODY, BASE, "-o", "distbench_compare=", "-o", "distbench_compare_fail=")
    result = run(ONLY_FIRST)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    (line,) = (line for line in result.outlines if line.startswith("continuity:25%: kept"))
    words = line.partition("if this is wanted: pytest ")[2].split()
    assert pytester.runpytest_subprocess(*words).ret == 0
    assert run(ONLY_FIRST).ret == 0


def test_a_run_of_named_tests_is_asked_for_these_alone(run, pytester, worse):
    run(BODY, BASE)
    worse()
    parallel = ("-n", "2", "-p", "xdist")
    for chosen in (("-k", "first"), ("--deselect", "test_mine.py::test_kept"), ("test_mine.py::test_first",)):
        for option in ((), parallel if chosen[0] == "-k" else ()):
            result = run(BODY, *GATE, *chosen, *option)
            assert result.ret == 0, chosen
            assert "only before: kept, test_mine.py::test_kept, code size 5" in result.stdout.str()
    assert run(BODY, *GATE, "test_mine.py").ret == pytest.ExitCode.TESTS_FAILED
    result = run(ONLY_FIRST, *GATE, "test_mine.py")
    accept = "pytest --distbench test_mine.py --distbench-report=json:base.json.new && mv base.json.new base.json"
    result.stdout.fnmatch_lines([MISSING + accept])
    pytester.mkdir("other").joinpath("test_other.py").write_text("def test_nothing(): pass\n")
    result = run(BODY, *GATE, "other")
    result.stdout.fnmatch_lines(["*nothing to compare: no encoder is both in this run and in base.json"])


DESELECTS = """
def pytest_collection_modifyitems(config, items):
    config.hook.pytest_deselected(items=items[1:])
    del items[1:]
"""
SETS_OPTION = "def pytest_configure(config): config.option.{}"
PARALLEL = ("-n", "2")


@pytest.mark.parametrize(
    ("conftest", "options"),
    [
        (DESELECTS, ()),
        (DESELECTS, PARALLEL),
        ("collect_ignore = ['test_mine.py']", ()),
        (SETS_OPTION.format("keyword = 'more'"), PARALLEL),
        (SETS_OPTION.format("ignore = ['test_mine.py']"), ()),
    ],
    ids=["deselected", "deselected, xdist", "ignored", "by a keyword, xdist", "by a path"],
)
def test_what_the_project_itself_drops_is_missing(run, pytester, conftest, options):
    pytester.makepyfile(test_a="from test_mine import test_first as test_more")
    run(BODY, BASE)
    pytester.makeconftest(conftest)
    result = run(BODY, *GATE, *options)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines([MISSING])


def test_ignored_files_are_left_out_and_no_others(run, pytester):
    run(BODY, BASE)
    pytester.mkdir("build")
    for ignored in ("--ignore=build", "--ignore-glob=old_*"):
        assert run(ONLY_FIRST, *GATE, ignored).ret == pytest.ExitCode.TESTS_FAILED, ignored
    pytester.path.joinpath("test_more.py").write_text(pytester.path.joinpath("test_mine.py").read_text())
    for ignored in ("--ignore=test_mine.py", "--ignore-glob=*_mine.py"):
        assert "only before: kept, test_mine.py::test_kept" in run(BODY, *GATE[:1], ignored).stdout.str()


def test_what_the_ini_file_no_longer_names_is_missing(run, pytester):
    pytester.mkdir("other").joinpath("test_other.py").write_text("def test_nothing(): pass\n")
    pytester.makeini("[pytest]\ntestpaths = other .\n")
    run(BODY, BASE)
    pytester.makeini("[pytest]\ntestpaths = other\n")
    result = run(BODY, *GATE, BASE)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["continuity:25%: nothing to compare: kept, *: was there, now missing; *"])


@pytest.mark.parametrize(
    ("dropped", "options"),
    [
        ("-k first", ()),
        ("-k first", PARALLEL),
        ("-m 'not slow'", ("-k", "test")),
        ("--deselect=test_mine.py::test_kept", ()),
        ("--ignore=test_mine.py", ("--ignore=build",)),
        ("test_a.py", ()),
    ],
)
def test_what_options_of_the_ini_file_drop_is_missing(run, pytester, dropped, options):
    pytester.makepyfile(test_a="from test_mine import test_first as test_more")
    slow = BODY.replace("def test_kept", "@__import__('pytest').mark.slow\ndef test_kept")
    ini = "[pytest]\npythonpath = .\nmarkers = slow\naddopts = {}\n"
    pytester.makeini(ini.format(""))
    run(slow, BASE)
    pytester.makeini(ini.format(dropped))
    result = run(slow, *GATE, *options)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines([MISSING])
    assert not any(line.startswith("continuity") and str(pytester.path) in line for line in result.outlines)
    if dropped.startswith("-"):
        assert run(slow, *GATE, "-k", "not kept", "--ignore=test_mine.py").ret == 0


def test_the_last_failed_tests_are_all_tests_if_none_failed(run):
    run(BODY, BASE)
    assert run(ONLY_FIRST, *GATE, "--lf").ret == pytest.ExitCode.TESTS_FAILED
    run(BODY.replace("evaluate(first", "no(first"))
    result = run(BODY, *GATE, "--lf")
    assert result.ret == 0
    assert "only before: kept" in result.stdout.str()
    run(BODY.replace("evaluate(kept", "no(kept"))
    result = run(ONLY_FIRST, *GATE, "--lf")  # what failed is gone, so all tests run
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines([MISSING])
    run(BODY.replace("evaluate(", "no("))
    assert run(ONLY_FIRST, *GATE, "--lf").ret == pytest.ExitCode.TESTS_FAILED, "it was asked for, and is gone"


@pytest.mark.parametrize("body", [ONLY_FIRST, BODY], ids=["is gone", "is dropped by a conftest.py first"])
def test_options_leave_out_what_is_not_there(run, pytester, body):
    pytester.makeini("[pytest]\nmarkers = slow: kept may have had this mark\n")
    run(BODY, BASE)
    if body == BODY:
        pytester.makeconftest(f"import pytest\n@pytest.hookimpl(tryfirst=True){DESELECTS}")
    for chosen in (("-k", "first"), ("-k", "not KEPT"), ("--deselect", "test_mine.py::test_kept")):
        assert run(body, *GATE, *chosen).ret == 0, chosen
    for keyword in ("kept or first", "first or slow", "not other"):
        assert run(body, *GATE, "-k", keyword).ret == pytest.ExitCode.TESTS_FAILED, keyword


def test_the_worse_one_of_two_encoders_that_were_equal(run, worse):
    body = BODY + "    distbench.evaluate(lambda X: kept(X) * 1, X_test, name='kept')\n"
    body = body.replace("evaluate(kept", "evaluate(lambda X: X[:, :5]").replace("first, X_test)", "first, X_test)", 1)
    body = body.replace("X[:, :5], X_test", "X[:, :5], X_test, name='kept'")
    run(body, BASE)
    worse()
    result = run(body, *GATE)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["only now: kept (2), *", "continuity:25%: kept, *was evaluated 2 times, now 1; *"])


LAMBDAS = """
import os
import distbench as db

ours, other, new = (lambda X, size=size: X * size for size in ([1, 1, 1, 1, 1, s] for s in (1, 0.5, 0.2)))
if "WORSE" in os.environ:
    ours, other = new, lambda X: X * [1, 1, 1, 1, 0.5, 1]
{}
"""


@pytest.mark.parametrize(
    "test",
    [
        "def test_a(distbench):\n    for encoder in (ours, other): distbench.evaluate(encoder, X_test)",
        "@db.checks([ours, other])\ndef test_a(distbench, encoder): distbench.evaluate(encoder, X_test)",
    ],
    ids=["one test", "checks"],
)
def test_encoders_without_a_name_of_their_own_are_not_told_apart_by_their_place(run, worse, test):
    run(LAMBDAS.format(test), BASE)
    assert run(LAMBDAS.format(test.replace("ours, other", "other, ours")), *GATE).ret == 0
    worse()
    result = run(LAMBDAS.format(test), *GATE)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["continuity:25%: *<lambda>*: changed, and only a number * with name= *; if this is *"])


@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["one process", "xdist"])
def test_an_encoder_with_another_name_is_still_compared(run, worse, options):
    run(BODY, BASE)
    result = run(RENAMED, *GATE, *options)
    assert result.ret == pytest.ExitCode.TESTS_FAILED, "test and encoder have other names"
    result.stdout.fnmatch_lines([MISSING])
    new_test = BODY.replace("test_kept", "test_renamed")
    result = run(new_test, *GATE, *options)
    assert result.ret == 0
    matched = "matched by their points; store the results again before another name changes: kept, "
    assert f"{matched}test_mine.py::test_renamed, code size 5 (test was" in " ".join(result.stdout.str().split())
    worse()
    assert run(new_test, *GATE, *options).ret == pytest.ExitCode.TESTS_FAILED


def test_a_red_run_keeps_the_file_that_it_was_compared_with(run, pytester, worse):
    run(BODY, BASE)
    before = (pytester.path / "base.json").read_bytes()
    worse()
    for _ in range(2):
        result = run(BODY, *GATE, BASE, "--distbench-report=json:./now.json")
        assert result.ret == pytest.ExitCode.TESTS_FAILED
        result.stdout.fnmatch_lines(
            [
                "written: json report: now.json",
                "not written: json report base.json, with which this red run was compared; to accept it: pytest "
                "--distbench --distbench-report=json:base.json",
            ]
        )
        assert (pytester.path / "base.json").read_bytes() == before
    failing = BODY + "    assert False\n"
    (pytester.path / "same.json").symlink_to("base.json")
    assert run(failing, GATE[0], "--distbench-report=json:same.json").ret == pytest.ExitCode.TESTS_FAILED
    assert (pytester.path / "base.json").read_bytes() == before
    assert run(BODY, GATE[0], BASE).ret == 0
    assert (pytester.path / "base.json").read_bytes() != before, "a green run may replace it"


@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["one process", "xdist"])
def test_each_broken_gate_is_a_test_case_of_its_own(run, pytester, worse, options):
    run(BODY, BASE)
    worse()
    gate = "--distbench-compare-fail=scaled_stress:1%"
    result = run(BODY, *GATE, gate, "--junitxml=out.xml", "--distbench-encoder=idle=pca", *options)
    result.assert_outcomes(passed=2, failed=3)
    (suite,) = ET.parse(pytester.path / "out.xml").getroot()
    assert (suite.get("failures"), suite.get("tests")) == ("3", "5")
    failures = {case.get("name"): case.find("failure") for case in suite if case.get("classname") == "distbench"}
    about = "[kept, test_mine.py::test_kept, code size 5, {}]"
    names = ["continuity:25%" + about.format("continuity"), "scaled_stress:1%" + about.format("scaled_stress")]
    assert list(failures) == [*names, "--distbench-encoder idle"]
    assert "worse by" in failures[names[0]].get("message")


def test_a_file_that_is_not_written_is_a_failure_of_the_run(run, pytester):
    pytester.mkdir("taken.md")
    run(BODY, BASE)
    body = BODY + "    import pathlib; pathlib.Path('md').mkdir(); pathlib.Path('md/r').mkdir()\n"
    result = run(body, "--distbench-report=md:md/r", "--junitxml=out.xml")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    (suite,) = ET.parse(pytester.path / "out.xml").getroot()
    assert [case.get("name") for case in suite if case.find("failure") is not None] == ["not written"]


def test_the_next_run_of_what_failed_knows_nothing_of_gates(run, pytester, worse):
    run(BODY, BASE)
    worse()
    run(BODY, *GATE, "--rootdir=..").stdout.fnmatch_lines(["FAILED continuity:25% - kept, *"])
    assert run(BODY, *GATE).ret == pytest.ExitCode.TESTS_FAILED
    cached = pytester.path / ".pytest_cache" / "v" / "cache" / "lastfailed"
    assert not cached.exists() or json.loads(cached.read_text(encoding="utf-8")) == {}
