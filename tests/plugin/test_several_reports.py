"""One test has several reports: of subtests, of its teardown, of reruns. Under xdist it may have another name."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET

import pytest

# As pytest-rerunfailures does: reports of the first run are logged, then the test runs again.
TWICE = """
from _pytest.runner import runtestprotocol

def pytest_runtest_protocol(item, nextitem):
    for report in runtestprotocol(item, nextitem=nextitem, log=False):
        report.outcome = "rerun"
        item.ihook.pytest_runtest_logreport(report=report)
    runtestprotocol(item, nextitem=nextitem)
    return True
"""
# As pytest-xdist does with --dist loadgroup, where pytest lets it.
RENAMED = """
import pytest

@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    for item in items:
        if item.get_closest_marker("xdist_group"):
            renamed = f"{item.nodeid}@cluster"
            if hasattr(item, "_nodeid"):
                item._nodeid = renamed
            else:
                item._id = type(item.id).parse(renamed)
"""
SUBTESTS = """
@pytest.fixture
def last(distbench):
    yield
    distbench.evaluate(pca, X_test, name="in teardown")

def test_parts(distbench, subtests, last):
    for start in (0, 1, 2):
        with subtests.test(start=start):
            distbench.check(lambda X: X[:, start : start + 2], X_test, continuity=0.5)
            distbench.check(pca, X_test, k=9 - start, continuity=0.5)
    distbench.evaluate(first, X_test)
"""
UNITTEST = """
import unittest

class TestParts(unittest.TestCase):
    @pytest.fixture(autouse=True)
    def _take(self, distbench):
        self.distbench = distbench

    def test_parts(self):
        for width in (1, 2, 3):
            with self.subTest(width=width):
                self.distbench.evaluate(pca, X_test, name=f"part {width}")
"""
ATTEMPTS = """
runs = []

def test_it(distbench, subtests):
    runs.append(1)
    width = 1 if len(runs) == 1 else 5
    if width == 1:
        with subtests.test("only in the first run"):
            distbench.evaluate(pca, X_test)
    distbench.check(lambda X: X[:, :width], X_test, name="mine", continuity=0.9)
"""


@pytest.fixture
def rows(pytester):
    """Return the rows in out.json."""
    return lambda: json.loads((pytester.path / "out.json").read_text(encoding="utf-8"))["rows"]


@pytest.fixture
def properties(pytester):
    """Return the names of the properties of each test case in out.xml."""

    def properties():
        cases = ET.parse(pytester.path / "out.xml").getroot().iter("testcase")
        return [[tag.get("name") for tag in case.iter("property")] for case in cases]

    return properties


@pytest.mark.skipif(pytest.version_tuple < (9,), reason="subtests came with pytest 9")
@pytest.mark.parametrize(
    ("body", "names"),
    [
        (SUBTESTS, {"<lambda>", "<lambda> (2)", "<lambda> (3)", "PCA", "first", "in teardown"}),
        (UNITTEST, {"part 1", "part 2", "part 3"}),
    ],
    ids=["subtests", "subTest"],
)
def test_rows_of_all_subtests_and_of_the_teardown_are_kept(run, rows, properties, body, names):
    run(body, "--distbench-report=json:out.json", "--junitxml=out.xml").assert_outcomes(passed=1)
    assert {row["encoder"] for row in rows()} == names
    (of_test,) = properties()
    assert len(of_test) == len(set(of_test)) == (18 if body == SUBTESTS else 0)


@pytest.mark.skipif(pytest.version_tuple < (9,), reason="subtests came with pytest 9")
def test_a_rerun_leaves_nothing_of_the_run_before(run, pytester, rows, properties):
    pytester.makeconftest(TWICE)
    result = run(ATTEMPTS, "--distbench-report=json:out.json", "--junitxml=out.xml")
    result.assert_outcomes(passed=1)
    assert {(row["encoder"], row["code_size"]) for row in rows()} == {("mine", 5)}
    result.stdout.fnmatch_lines(["1 check: 1 met"])
    assert [names.count("distbench.mine.continuity") for names in properties()] == [1, 1]


@pytest.mark.skipif(pytest.version_tuple < (9,), reason="subtests came with pytest 9")
def test_limits_of_a_marker_may_be_checked_in_any_subtest_but_must_be_in_each_run(run, pytester):
    pytester.makeconftest(TWICE)
    body = """
runs = []

@pytest.mark.distbench(limits={"continuity": 0.1})
def test_second(distbench, subtests):
    with subtests.test("looks at nothing"):
        pass
    with subtests.test("checks"):
        distbench.check(pca, X_test)

@pytest.mark.distbench(limits={"continuity": 0.1})
def test_first_run(distbench):
    runs.append(1)
    if len(runs) == 1:
        distbench.check(pca, X_test)
"""
    result = run(body)
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*::test_first_run: its marker has limits, but the test checked nothing;*"])


def test_names_of_groups_are_in_no_row_and_in_no_command(run, pytester, rows):
    pytester.makeconftest(RENAMED)
    body = """
@pytest.mark.xdist_group("cluster")
@pytest.mark.parametrize("who", ["a@b", "c"])
def test_it(distbench, who):
    distbench.check(first, X_test, continuity=0.99)
"""
    result = run(body, "--distbench-report=json:out.json")
    result.assert_outcomes(failed=2)
    assert {row["test"] for row in rows()} == {"test_mine.py::test_it[a@b]", "test_mine.py::test_it[c]"}
    result.stdout.fnmatch_lines(["rerun: pytest --distbench 'test_mine.py::test_it[[]a@b]'"])
    pytester.makeconftest("")
    pytester.runpytest_subprocess("--distbench", "test_mine.py::test_it[a@b]").assert_outcomes(failed=1)


def test_workers_that_run_the_same_test_at_the_same_time_lose_no_row(run, pytester):
    body = """
import os, pathlib, time

@pytest.fixture
def together():
    yield
    pathlib.Path(os.environ["PYTEST_XDIST_WORKER"]).touch()
    end = time.monotonic() + 60
    while not all(pathlib.Path(name).exists() for name in ("gw0", "gw1")) and time.monotonic() < end:
        time.sleep(0.01)

def test_both(distbench, together):
    distbench.check(first, X_test, continuity=0.1)
"""
    result = run(body, "--dist=each", "--tx=2*popen", "--distbench-report=json:out.json")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["1 check: 1 met"])
    rows = json.loads((pytester.path / "out.json").read_text(encoding="utf-8"))["rows"]
    assert {row["encoder"] for row in rows} == {"first"}
    assert len({row["metric"] for row in rows}) == len(rows)
