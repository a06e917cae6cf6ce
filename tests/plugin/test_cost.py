"""The plugin loads no heavy package in a run without distbench tests."""

from __future__ import annotations

import pytest
from suite_texts import PCA_ENTRY, TOP

pytestmark = pytest.mark.cold

HEAVY = ("numpy", "scipy", "sklearn", "numba", "hypothesis", "tabulate", "tqdm", "keras", "tensorflow", "pandas")
LIGHT = ("distbench", "distbench._version", "distbench.errors", "distbench.suites", "distbench.suites.detect")
LIGHT += ("pytest_distbench", "pytest_distbench._options")
WITHOUT = ("-p", "no:hypothesispytest", "-p", "no:zarr")  # plugins that load the package they are part of
CONFTEST = f"""
import sys

def pytest_unconfigure(config):
    print("heavy:", [name for name in {HEAVY!r} if name in sys.modules])
    ours = [name for name in sys.modules if name.partition(".")[0] in ("distbench", "pytest_distbench")]
    print("more of ours:", sorted(set(ours) - set({LIGHT!r})))
"""


@pytest.mark.parametrize("flag", [(), ("--distbench",)], ids=["without the flag", "with the flag"])
def test_a_run_without_distbench_tests_loads_nothing_heavy(pytester, flag):
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile("def test_other(): ...")
    pytester.makefile(".toml", pyproject="[project]\nname = 'mine'\n", notes="distbench = 'no suite'\n")
    result = pytester.runpytest_subprocess(*WITHOUT, *flag)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["heavy: []", "more of ours: *" if flag else "more of ours: []"])


def test_skipped_distbench_tests_and_suites_load_nothing_heavy(pytester):
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(
        """
        import pytest
        def test_fixture(distbench): ...
        @pytest.mark.distbench(dataset="digits", code_size=2, limits={"continuity": 0.9})
        def test_marked(distbench): ...
        """
    )
    pytester.makefile(".toml", suite=TOP + PCA_ENTRY)
    result = pytester.runpytest_subprocess(*WITHOUT, "-rs")
    result.assert_outcomes(skipped=4)
    result.stdout.fnmatch_lines(["SKIPPED*suite.toml*needs --distbench", "heavy: []"])
