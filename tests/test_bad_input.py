"""Whatever a user passes by mistake is told in one line: which argument, what was found, what to do."""

from __future__ import annotations

import warnings

import pytest
from bad_input_cases import CASES, X, first_two
from click.testing import CliRunner
from suite_texts import PCA_ENTRY, TOP, written

import distbench
from distbench.cli import main
from distbench.errors import ResultsError, SuiteError
from distbench.results.file import read_results, write_results
from distbench.results.rows import rows_of
from distbench.suites.names import check_suite
from distbench.suites.reader import read_suite

MOST = 300  # characters of a line
MOST_NAMES = 450  # of one that lists every name there is


def check_message(error: BaseException, words: tuple[str, ...]) -> None:
    message = str(error)
    assert "\n" not in message
    assert len(message) <= (MOST_NAMES if "known" in message else MOST)
    for word in words:
        assert word in message


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.words[0])
def test_one_line_says_what_is_wrong(case):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(case.error) as caught:
            case.call()
    check_message(caught.value, case.words)


SUITES = [
    ("an unknown data set", TOP.replace("digits", "digit") + PCA_ENTRY, "dataset: ", "did you mean 'digits'?"),
    ("an unknown key", TOP + "sizes = [2]\n" + PCA_ENTRY, "sizes"),
    ("no encoders", TOP, "encoder"),
    ("a code size of text", TOP.replace("[2, 8]", '["2"]') + PCA_ENTRY, "code_sizes", "'2'"),
    ("a code size of 0", TOP.replace("[2, 8]", "[0]") + PCA_ENTRY, "code_sizes"),
    ("a limit of text", TOP + PCA_ENTRY + 'limits = {stress = "low"}\n', "stress", "'low'"),
    ("a misspelt limit", TOP + PCA_ENTRY + "limits = {sterss = 0.1}\n", "sterss", "'stress'"),
    ("no TOML", TOP + "[[encoder\n", "TOML"),
    ("another schema", TOP.replace("distbench = 1", "distbench = 99") + PCA_ENTRY, "99"),
]


@pytest.mark.parametrize(("text", "words"), [pytest.param(text, words, id=name) for name, text, *words in SUITES])
def test_suite_files(tmp_path, text, words):
    with pytest.raises(SuiteError) as caught:
        check_suite(read_suite(written(tmp_path, text)))
    check_message(caught.value, ("s.toml", *words))


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    path = tmp_path_factory.mktemp("results") / "r.json"
    rows = rows_of(distbench.evaluate(first_two, X, k=3))
    write_results(path, rows, {"date": "2026-01-02", "python": "3.11.7"}, whole=True)
    return path


CHANGES = [
    ("half of it", lambda text: text[: len(text) // 2], "JSON"),
    ("nothing", lambda text: "", "JSON"),
    ("a list", lambda text: "[]", "schema"),
    ("another schema", lambda text: text.replace('"schema": 1', '"schema": 99'), "99"),
    ("a value of text", lambda text: text.replace('"metric": "stress"', '"metric": 3'), "metric"),
    ("bytes", lambda text: b"\xff\xfe\x00", "cannot be read"),
]


@pytest.mark.parametrize(
    ("change", "words"), [pytest.param(change, words, id=name) for name, change, *words in CHANGES]
)
def test_results_files_and_the_command_line(tmp_path, results, change, words):
    changed = change(results.read_text(encoding="utf-8"))
    path = tmp_path / "r.json"
    path.write_bytes(changed if isinstance(changed, bytes) else changed.encode())
    with pytest.raises(ResultsError) as caught:
        read_results(path)
    check_message(caught.value, ("r.json", *words))
    for command in (["leaderboard", path], ["compare", results, path]):
        said = CliRunner().invoke(main, [str(part) for part in command], catch_exceptions=False)
        assert said.exit_code == 2
        assert said.stderr.splitlines()[-1] == f"Error: {caught.value}"


COMMANDS = [
    (["leaderboard"], "RESULTS"),
    (["leaderboard", "nowhere.json"], "nowhere.json"),
    (["leaderboard", "RESULTS", "--sort", "continuty"], "did you mean 'continuity'?"),
    (["leaderboard", "RESULTS", "--format", "pdf"], "'pdf'"),
    (["leaderboard", "RESULTS", "--width", "3"], "40"),
    (["compare", "RESULTS"], "NOW"),
    (["compare", "RESULTS", "RESULTS", "--fail", "continuity"], "continuity"),
    (["compare", "RESULTS", "RESULTS", "--fail", "continuty:1%"], "did you mean 'continuity'?"),
    (["compare", "RESULTS", "RESULTS", "--undecided", "maybe"], "'maybe'"),
    (["judge"], "judge"),
]


@pytest.mark.parametrize(
    ("arguments", "word"), COMMANDS, ids=lambda one: " ".join(one) if isinstance(one, list) else ""
)
def test_the_command_line(results, arguments, word):
    told = [str(results) if one == "RESULTS" else one for one in arguments]
    said = CliRunner().invoke(main, told, catch_exceptions=False)
    assert said.exit_code == 2
    assert word in said.stderr.splitlines()[-1]
    assert "Traceback" not in said.output


FIXTURE = """
import numpy as np
import pytest
from distbench import EncoderError, InputError

X = np.random.default_rng(0).normal(size=(60, 4))

def first(batch):
    return batch[:, :2]

def broken(batch):
    return batch @ np.ones((3, 2))

class Recipe:
    def fit(self, X, code_size, seed):
        raise AssertionError("fitted")

draw = np.random.default_rng(0)

def noisy(batch):
    return batch[:, :2] + draw.normal(size=(len(batch), 2))

CASES = [
    (lambda d: d.check(first, X), InputError, "limits: found none"),
    (lambda d: d.check(first, X, continuty=0.9), InputError, "continuty: found no metric"),
    (lambda d: d.check(first, X, k=0, stress=1), InputError, "k: found 0"),
    (lambda d: d.check(first, X, stress="low"), InputError, "stress: found the limit 'low'"),
    (lambda d: d.check(first, X, undecided="maybe", stress=1), InputError, "undecided: found 'maybe'"),
    (lambda d: d.check(first, X[:, 0], stress=1), InputError, "X_test: found 1-D data"),
    (lambda d: d.check(first, X * np.nan, stress=1), InputError, "X_test: found NaN in row 0"),
    (lambda d: d.check(first, stress=1), InputError, "X_test: not given"),
    (lambda d: d.check(first, X, metrics=3, stress=1), InputError, "metrics: found 3"),
    (lambda d: d.check(first, X, labels=5, stress=1), InputError, "labels: found 5"),
    (lambda d: d.check(X, first, stress=1), InputError, "encoder, X_test: look swapped"),
    (lambda d: d.check(Recipe(), X, stress=1), EncoderError, "it is a recipe"),
    (lambda d: d.check(broken, X, stress=1), EncoderError, "encoder 'broken' raised ValueError"),
    (lambda d: d.check(noisy, X, stress=1), EncoderError, "encoder 'noisy' gave other codes"),
    (lambda d: d.check(noisy, X, draws=3, stress=1), InputError, "draws: found 3"),
    (lambda d: d.evaluate(first, X, confidence=95), InputError, "confidence: found 95"),
    (lambda d: d.evaluate(lambda batch: None, X), EncoderError, "returned NoneType"),
]

@pytest.mark.parametrize("case", range(len(CASES)))
def test_refused(distbench, case):
    call, error, words = CASES[case]
    with pytest.raises(error) as caught:
        call(distbench)
    message = str(caught.value)
    assert words in message
    assert chr(10) not in message
    assert len(message) < (450 if "known" in message else 300)

def test_draws(distbench):
    report = distbench.check(noisy, X, stochastic=True, draws=3, continuity=0.5)
    assert report["continuity"].draws == 3

@pytest.mark.distbench(dataset="digits", code_size=2)
@pytest.mark.parametrize("code", ["reference=X", "confidence=0.8", "stochastic=True"])
def test_recipes(distbench, code):
    with pytest.raises(InputError, match=code.partition("=")[0]):
        distbench.check(Recipe(), stress=1, **eval(f"dict({code})"))

def test_shown(distbench):
    distbench.check(broken, X, stress=1)

def test_shown_too(distbench):
    distbench.check(noisy, X, stress=1)
"""


def test_the_fixture(pytester):
    pytester.makepyfile(test_mine=FIXTURE)
    result = pytester.runpytest_subprocess("--distbench", "-p", "no:randomly")
    result.assert_outcomes(passed=21, failed=2)
    result.stdout.fnmatch_lines(
        [
            ">*return batch @ np.ones((3, 2))*",
            "E *ValueError: matmul*",
            "*encoder 'broken' raised ValueError: matmul*",
            "at test_mine.py:*",
            "encoder 'noisy' gave other codes (by up to * of their spread) the second time *",
            "at test_mine.py:*",
        ]
    )
    for internal in ("encoder.py", "_fixture.py", "determinism.py"):
        result.stdout.no_fnmatch_line(f"*{internal}*")


MARKERS = [
    ('"digits"', "takes arguments by name only"),
    ('dataset="digits"', "dataset= needs code_size= beside it"),
    ("dataset=3, code_size=2", "dataset is 3; give the name of a data set"),
    ('dataset="digit", code_size=2', "did you mean 'digits'?"),
    ('dataset="digits", code_size=0', "code_size is 0; give an integer from 1"),
    ('dataset="digits", code_size=2.5', "code_size is 2.5"),
    ("k=True", "k is True"),
    ("limits=0.9", "limits is 0.9; give a dict"),
    ("limits={}", "limits is {}"),
    ("limits={'continuty': 0.9}", "did you mean 'continuity'?"),
    ("limits={'continuity': 95}", "one between 0 and 1"),
    ("limits={'stress': [1] * 999}", "stress: found the limit list"),
    ("limits={3: 1}", "3: found no metric"),
    ("distance='euclid'", "distance is 'euclid'; give one of"),
    ("limit={'stress': 1}", "unknown argument 'limit'; did you mean 'limits'?"),
    ("k=list(range(999))", "k is list; give an integer from 1"),
]


@pytest.mark.parametrize(("arguments", "words"), MARKERS)
def test_the_marker(pytester, arguments, words):
    pytester.makepyfile(f"import pytest\n@pytest.mark.distbench({arguments})\ndef test_it(): ...")
    refused(pytester.runpytest_inprocess("--distbench", "--collect-only"), "@pytest.mark.distbench: ", words)


OPTIONS = [
    ("--distbench-limit=continuity", "found 'continuity'; give METRIC:VALUE"),
    ("--distbench-limit=continuity:high", "give METRIC:VALUE"),
    ("--distbench-limit=continuity:nan", "found the limit nan"),
    ("--distbench-limit=continuity:95", "one between 0 and 1"),
    ("--distbench-limit=continuty:0.9", "did you mean 'continuity'?"),
    ("--distbench-undecided=maybe", "found 'maybe'; give value, fail or pass"),
    ("--distbench-sort=continuty", "did you mean 'continuity'?"),
    ("--distbench-seed=-1", "found '-1'; give an integer from 0"),
    ("--distbench-seed=\u00b2", "give an integer from 0"),
    ("--distbench-seed=\u0663", "give an integer from 0"),
    ("--distbench-encoder=mine", "give NAME=module:object"),
    ("--distbench-report=pdf:x.pdf", "no report is called 'pdf'"),
    ("--distbench-report=github:x.md", "github goes to the job's summary page"),
    ("--distbench-compare-fail=continuity:1%", "say what to compare with"),
]


@pytest.mark.parametrize(("option", "words"), OPTIONS)
def test_options(pytester, option, words):
    pytester.makepyfile("def test_it(): ...")
    refused(pytester.runpytest_inprocess(option, "--collect-only"), option.partition("=")[0], words)


def refused(result, *words):
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    (line,) = [line for line in [*result.errlines, *result.outlines] if line.startswith("ERROR: ")]
    check_message(UserWarning(line), words)
