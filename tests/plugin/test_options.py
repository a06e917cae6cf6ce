"""Every option on the command line and in the ini file."""

from __future__ import annotations

import json

import pytest
from suite_texts import PCA_ENTRY, SWISS_ROLL

OPTIONS = ("encoder", "limit", "undecided", "sort", "seed", "retrain", "update", "compare", "compare-fail", "report")
CHECK = """
def test_it(distbench):
    distbench.check(pca, X_test, reference=X_train, continuity=0.5)
"""
RECIPE = """
class Kept:
    def fit(self, X, code_size, seed):
        print("seed", seed)
        return PCA(code_size).fit(X)

@pytest.mark.distbench(dataset="swiss_roll", code_size=2, limits={"continuity": 0.5}, seed=1)
def test_it(distbench):
    distbench.check(Kept)
"""
SUITE = SWISS_ROLL + PCA_ENTRY


def ini(pytester, **values):
    pytester.makeini("[pytest]\n" + "\n".join(f"{name} = {value}" for name, value in values.items()))


def test_the_help_lists_every_option_and_its_ini_twin(pytester):
    shown = pytester.runpytest_subprocess("--help").stdout.str()
    for option in ("distbench", *(f"distbench-{name}" for name in OPTIONS)):
        assert f"--{option}" in shown
        assert f"  {option.replace('-', '_')} (" in shown


@pytest.mark.parametrize("value", ["true", "false"])
def test_the_ini_value_distbench_runs_the_tests_without_the_flag(run, pytester, value):
    ini(pytester, distbench=value)
    run(CHECK, flag=False).assert_outcomes(**({"passed": 1} if value == "true" else {"skipped": 1}))


def test_results_of_two_files_cannot_be_compared_with(run, pytester):
    pytester.makeini("[pytest]\naddopts = --distbench-compare=own.json")
    result = run(CHECK, "--distbench-compare=a.json", "--distbench-compare", "b.json")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["ERROR: --distbench-compare: found 'b.json'; give one file; only the last one would be*"]
    )
    result = run(CHECK, "--distbench-compare=a.json")  # the line counts, not addopts
    result.stderr.fnmatch_lines(["ERROR: --distbench-compare: *a.json*found no such file*"])


@pytest.mark.parametrize(
    ("path", "report", "compare"),
    [
        ("loop", "is a link that leads to itself; name a file", "cannot be read: *Too many levels of symbolic links*"),
        ("long/" * 1000, "is a path of more than 4096 bytes; choose a shorter one", "cannot be read: *name too long*"),
        ("~nobody_of_this_name/x.json", None, "found no such file; *"),
    ],
)
def test_names_that_lead_to_no_file_are_wrong_usage(run, pytester, path, report, compare):
    (pytester.path / "loop").symlink_to("loop")
    for option, message in (("--distbench-report=json:", report), ("--distbench-compare=", compare)):
        if message is not None:
            result = run(CHECK, f"{option}{path}")
            assert result.ret == pytest.ExitCode.USAGE_ERROR
            result.stderr.fnmatch_lines([f"ERROR: --distbench-*{message}"])


def test_a_name_with_a_zero_byte_is_wrong_usage(run, pytester):
    ini(pytester, distbench_compare="a\0b")
    result = run(CHECK)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["ERROR: --distbench-compare: found 'a?x00b'; it cannot be a path (embedded null byte)"]
    )


@pytest.mark.parametrize("option", ["--distbench-sort=stress", "--distbench-limit=stress:9", "--distbench-report=term"])
def test_any_option_implies_the_flag_and_an_ini_twin_does_not(run, pytester, option):
    run(CHECK, option, flag=False).assert_outcomes(passed=1)
    name, _, value = option.removeprefix("--").partition("=")
    ini(pytester, **{name.replace("-", "_"): value})
    run(CHECK, flag=False).assert_outcomes(skipped=1)


def test_a_limit_on_the_command_line_wins_over_call_marker_and_ini_file(run, pytester):
    ini(pytester, distbench_limit="continuity:0.999")
    body = """
@pytest.mark.distbench(limits={"continuity": 0.6})
def test_marked(distbench):
    distbench.check(first, X_test, reference=X_train)

def test_called(distbench):
    distbench.check(first, X_test, reference=X_train, continuity=0.6)

def test_bare(distbench):
    distbench.check(first, X_test, reference=X_train)
"""
    result = run(body, "--tb=line")
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["FAILED *::test_bare - first: continuity = *, limit at least*"])
    result = run(body, "--distbench-limit", "continuity:0.998", "--distbench-limit", "stress:0.01")
    result.assert_outcomes(failed=3)
    result.stdout.fnmatch_lines(["*does not meet 2 limits:", "  continuity = *limit at least 0.9980*", "  stress = *"])


@pytest.mark.parametrize(
    ("option", "call", "twin", "passes", "reason"),
    [
        ("", "", "", True, "by the value alone"),
        ("", "", "fail", False, "as --distbench-undecided=*"),
        ("fail", "", "pass", False, "as --distbench-undecided=*"),
        ("pass", "", "fail", True, "as --distbench-undecided=*"),
        ("", "pass", "fail", True, "as undecided='pass'*"),
        ("fail", "pass", "", False, "as --distbench-undecided=*"),
    ],
)
def test_the_command_line_then_the_call_then_the_ini_file_decide_on_undecided_limits(
    run, pytester, option, call, twin, passes, reason
):
    ini(pytester, distbench_undecided=twin)
    body = f"""
def test_it(distbench):
    limit = distbench.evaluate(first, X_test, reference=X_train)["continuity"].value - 1e-6
    options = {{"undecided": "{call}"}} if "{call}" else {{}}
    distbench.check(first, X_test, reference=X_train, continuity=limit, **options)
"""
    result = run(body, *([f"--distbench-undecided={option}"] if option else []))
    result.assert_outcomes(**({"passed": 1} if passes else {"failed": 1}))
    result.stdout.fnmatch_lines([f"1 check: 1 undecided (1 {'passed' if passes else 'failed'} {reason}*)"])


@pytest.mark.parametrize(
    ("options", "marker", "twin", "seed"),
    [
        ((), ", seed=1", "", 1),
        ((), ", seed=1", "7", 1),
        (("--distbench-seed", "3"), ", seed=1", "7", 3),
        ((), "", "7", 7),
    ],
)
def test_the_command_line_then_the_marker_then_the_ini_file_set_the_seed(run, pytester, options, marker, twin, seed):
    ini(pytester, distbench_seed=twin)
    run(RECIPE.replace(", seed=1", marker), "-s", *options).stdout.fnmatch_lines([f"*seed {seed}"])


def test_sort_ranks_by_another_metric(run):
    body = """
def test_it(distbench):
    distbench.evaluate(lambda X: X * [1, 0, 0, 0, 0, 0], X_test, name="one column")
    distbench.evaluate(lambda X: X, X_test, name="all columns")
    distbench.evaluate(lambda X: 5 * X, X_test, name="scaled")
"""
    shown = run(body, "--distbench-sort", "stress").stdout
    shown.fnmatch_lines(["*encoder *stress *", "1 *all columns*0.000*", "2 *one column*", "3 *scaled*"])


@pytest.mark.parametrize("how", ["option", "ini"])
def test_an_encoder_is_added_to_every_suite_held_to_the_options_limits(run, pytester, how):
    pytester.makefile(".toml", one=SUITE, two=SUITE.replace("[2]", "[1, 2]"))
    pytester.makepyfile(
        mine="""
        from sklearn.decomposition import PCA

        class Mine:
            def fit(self, X, code_size, seed):
                print("seed", seed)
                return PCA(code_size).fit(X)
        """
    )
    pytester.makeini("[pytest]\npythonpath = .\n" + ("distbench_encoder = mine=mine:Mine\n" if how == "ini" else ""))
    options = ["--distbench-encoder", "mine=mine:Mine"] if how == "option" else []
    result = run("", "--distbench-limit=continuity:0.999", "--distbench-seed=5", "-k", "mine or pca", *options)
    result.assert_outcomes(passed=3, failed=3)
    result.stdout.fnmatch_lines_random(
        ["FAILED one.toml::mine[[]2] *", "FAILED two.toml::mine[[]1] *", "FAILED two.toml::mine[[]2] *", "*seed 5*"]
    )
    result.stdout.fnmatch_lines(["swiss_roll, code size 1 *", "*mine*", "swiss_roll, code size 2 *", "*mine*"])
    assert not list(pytester.path.glob("baselines/*"))


def test_reports_of_every_type_go_where_they_are_sent(run, pytester, monkeypatch):
    summary = pytester.path / "summary.md"
    summary.write_text("before\n", encoding="utf-8")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    options = [f"--distbench-report={kind}:out/r.{kind}" for kind in ("json", "md", "term")]
    result = run(CHECK, *options, "--distbench-report=github", "--distbench-report=html")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["written: json report: out/r.json", "written: html report: distbench.html"])
    rows = json.loads((pytester.path / "out/r.json").read_text(encoding="utf-8"))["rows"]
    row = next(row for row in rows if row["metric"] == "continuity")
    assert (row["encoder"], row["limit"], row["verdict"], row["status"]) == ("PCA", 0.5, "met", "ok")
    assert " PCA |" in (pytester.path / "out/r.md").read_text(encoding="utf-8")
    assert "test_it PCA " in (pytester.path / "out/r.term").read_text(encoding="utf-8")
    assert "<svg" in (pytester.path / "distbench.html").read_text(encoding="utf-8")
    assert summary.read_text(encoding="utf-8").startswith("before\n")
    assert "PCA" in summary.read_text(encoding="utf-8")


def test_a_worse_encoder_breaks_the_gate_in_one_red_line(run, monkeypatch):
    body = """
import os

def test_it(distbench):
    worse = lambda X: np.round(X[:, :5])
    distbench.check(worse if os.environ.get("WORSE") else pca, X_test, reference=X_train, name="mine", continuity=0.1)
"""
    run(body, "--distbench-report=json:old.json").assert_outcomes(passed=1)
    options = ("--distbench-compare=old.json", "--distbench-compare-fail=continuity:25%")
    same = run(body, *options)
    same.assert_outcomes(passed=1)
    assert same.ret == 0
    monkeypatch.setenv("WORSE", "1")
    compared = run(body, options[0])
    assert compared.ret == 0
    compared.stdout.fnmatch_lines(["*mine*continuity*"])
    worse = run(body, *options, "--color=yes")
    assert worse.ret == 1
    shown = worse.stdout.str()
    assert "Traceback" not in shown
    assert sum("\x1b[31m" in line and "continuity" in line for line in shown.splitlines()) >= 1
    plain = run(body, *options)
    plain.stdout.fnmatch_lines(["FAILED *mine*continuity*", "*1 failed, 1 passed*"])


def test_a_part_of_the_tests_adds_to_a_file_and_a_whole_run_replaces_it(run, pytester):
    body = """
def test_one(distbench):
    distbench.evaluate(pca, X_test, name="one")

def test_two(distbench):
    distbench.evaluate(pca, X_test, name="two")
"""

    def encoders(*options, text=body):
        run(text, "--distbench-report=json:r.json", *options)
        rows = json.loads((pytester.path / "r.json").read_text(encoding="utf-8"))["rows"]
        return {row["encoder"] for row in rows}

    assert encoders("-k", "one") == {"one"}
    assert encoders("-k", "two") == {"one", "two"}
    assert encoders("test_mine.py::test_one", text=body.replace('"one"', '"uno"')) == {"one", "two", "uno"}
    ended = body.replace('    distbench.evaluate(pca, X_test, name="two")', "    pytest.exit('enough', returncode=0)")
    for options, text in ((["--setup-plan"], body), (["-k", "none"], body), ([], ended)):
        assert encoders(*options, text=text) == {"one", "two", "uno"}
    pytester.makeconftest("def pytest_collection_modifyitems(items): del items[0]")
    for options in ((), ("-n", "2", "-p", "xdist")):
        assert encoders(*options) == {"one", "two", "uno"}, "tests that were removed without a word"
    pytester.makeconftest("")
    assert encoders(text=body.replace("test_one", "helper")) == {"two"}


def test_an_added_encoder_that_ran_on_nothing_fails_the_run(run):
    result = run(CHECK, "--distbench-encoder=mine=pca")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["--distbench-encoder mine: ran on no suite; *", "FAILED --distbench-encoder mine *"])


def test_a_report_that_cannot_be_written_fails_the_run(run, pytester):
    body = (
        CHECK
        + """
    import pathlib
    pathlib.Path("gone.json").mkdir()
"""
    )
    result = run(body, "--distbench-report=json:gone.json")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["NOT WRITTEN: json report *gone.json*"])


def test_limits_are_suggested_for_checks_and_evaluations(run):
    body = """
def test_it(distbench):
    distbench.check(pca, X_test, reference=X_train, stress=0.9)

def test_free(distbench):
    distbench.evaluate(first, X_test, reference=X_train)
"""
    result = run(body, "--distbench-suggest-limits")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines_random(
        [
            "Suggested limits: the value, made worse by two half widths of its interval",
            "  test_mine.py::test_it PCA: stress=0.*",
            "    stress * <= 0.* *%  none",
            "  test_mine.py::test_free first: continuity=0.*, scaled_stress=0.*",
        ]
    )
    result = run("def test_none(): pass", "--distbench-suggest-limits")
    result.stdout.fnmatch_lines(["No limits suggested: *"])
