"""An error about bad input is one line: the argument, what was found, and what to do."""

from __future__ import annotations

import warnings

import pytest
from bad_input_cases import CASES

MAX_CHARACTERS = 300
MAX_CHARACTERS_WITH_NAMES = 450  # if the message lists all names


def check_message(message: str, words: tuple[str, ...]) -> None:
    assert "\n" not in message
    assert len(message) <= (MAX_CHARACTERS_WITH_NAMES if "known" in message else MAX_CHARACTERS)
    for word in words:
        assert word in message


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.words[0])
def test_errors_are_one_line(case):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(case.error) as caught:
            case.call()
    check_message(str(caught.value), case.words)


FIXTURE = """
import numpy as np
import pytest
from distbench import EncoderError, InputError

X = np.random.default_rng(0).normal(size=(60, 4))

def first(batch):
    return batch[:, :2]

def never(batch):
    raise AssertionError("encoded")

def broken(batch):
    return batch @ np.ones((3, 2))

class Recipe:
    def fit(self, X, code_size, seed):
        raise AssertionError("fitted")

draw = np.random.default_rng(0)

def noisy(batch):
    return batch[:, :2] + draw.normal(size=(len(batch), 2))

CASES = [
    (lambda d: d.check(first, X, k=0, stress=1), InputError, "k: found 0"),
    (lambda d: d.check(first, X[:, 0], stress=1), InputError, "X_test: found 1-D data"),
    (lambda d: d.check(Recipe(), X, stress=1), EncoderError, "it is a recipe"),
    (lambda d: d.check(broken, X, stress=1), EncoderError, "encoder 'broken' raised ValueError"),
    (lambda d: d.check(noisy, X, stress=1), EncoderError, "encoder 'noisy' gave different codes"),
    (lambda d: d.check(noisy, X, draws=3, stress=1), InputError, "draws: found 3"),
    (lambda d: d.evaluate(first, X, confidence=95), InputError, "confidence: found 95"),
    (lambda d: d.evaluate(lambda batch: None, X), EncoderError, "returned NoneType"),
    (lambda d: d.check(never, X), InputError, "limits: found none"),
    (lambda d: d.check(never, X, continuty=0.9), InputError, "did you mean 'continuity'"),
    (lambda d: d.check(never, X, continuity="high"), InputError, "found the limit 'high'"),
    (lambda d: d.check(never, continuity=0.9), InputError, "X_test: not given; give the test points, or mark"),
    (lambda d: d.check(Recipe, X, continuity=0.9), InputError, "got the class 'Recipe'"),
    (lambda d: d.evaluate(never, X, refrence=X), InputError, "refrence: found no option of that name; did you mean"),
    (lambda d: d.evaluate(never, X, continuity=1), InputError, "continuity: found a limit, which evaluate does not"),
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

def test_shown_without_lines_of_the_library(distbench):
    distbench.check(never, X, continuty=0.9)
"""


def test_the_fixture(pytester):
    pytester.makepyfile(test_mine=FIXTURE)
    result = pytester.runpytest_subprocess("--distbench", "-p", "no:randomly")
    result.assert_outcomes(passed=19, failed=3)
    result.stdout.fnmatch_lines(
        [
            ">*return batch @ np.ones((3, 2))*",
            "E *ValueError: matmul*",
            "*encoder 'broken' raised ValueError: matmul*",
            "at test_mine.py:*",
            "encoder 'noisy' gave different codes (by up to * of their spread) the second time *",
            "at test_mine.py:*",
            "continuty: *did you mean 'continuity'?",
            "at test_mine.py:*",
            "4 checks: 1 met, 3 not evaluated*",
        ]
    )
    for internal in ("encoder.py", "_fixture.py", "determinism.py", "limits.py"):
        result.stdout.no_fnmatch_line(f"*{internal}*")


MARKERS = [
    ("'digits'", "takes arguments by name only, found 'digits'"),
    ('dataset="digit"', "dataset: no data set is called 'digit'; did you mean 'digits'?"),
    ("dataset=3", "dataset is 3; give the name of a data set"),
    ('dataset="digits"', "dataset= needs code_size= too"),
    ('dataset="digits", code_size=2.5', "code_size is 2.5"),
    ("code_size=0", "code_size is 0; give an integer from 1"),
    ("k=True", "k is True"),
    ("seed=True", "seed is True; give an integer from 0"),
    ("limits=0.9", "limits is 0.9; give a dict such as "),
    ("limits={'continuty': 0.9}", "continuty: found no metric of that name; did you mean 'continuity'?"),
    ("limits={}", "limits is {}"),
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
    ("--distbench-limit=continuity:high", "give METRIC:VALUE"),
    ("--distbench-limit=continuity:nan", "found the limit nan"),
    ("--distbench-limit=continuty:0.9", "did you mean 'continuity'"),
    ("--distbench-limit=continuity", "--distbench-limit continuity: found 'continuity'; give METRIC:VALUE"),
    ("--distbench-limit=continuity:7", "between 0 and 1"),
    ("--distbench-undecided=maybe", "found 'maybe'; give value, fail or pass"),
    ("--distbench-sort=stres", "--distbench-sort stres: "),
    ("--distbench-seed=-1", "found '-1'; give an integer from 0"),
    ("--distbench-encoder=mine", "found 'mine'; give NAME=module:object"),
    ("--distbench-encoder=\x1b[31m=pca", "printable characters"),
    ("--distbench-report=htm", "did you mean 'html'"),
    ("--distbench-report=json:.", "is a folder; name a file"),
    ("--distbench-silence=sean_points", "did you mean 'seen_points'"),
    ("--distbench-compare=none.json", "none.json: found no such file"),
    ("--distbench-compare-fail=continuity:25%", "--distbench-compare PATH"),
    ("--distbench-seed=\u00b2", "give an integer from 0"),
    ("--distbench-seed=\u0663", "give an integer from 0"),
    ("--distbench-report=pdf:x.pdf", "no report is called 'pdf'"),
    ("--distbench-report=github:x.md", "github goes to the job's summary page"),
]


@pytest.mark.parametrize(("option", "words"), OPTIONS)
def test_options(pytester, option, words):
    pytester.makepyfile("raise RuntimeError('imported')")
    refused(pytester.runpytest_inprocess(option, "--collect-only"), option.partition("=")[0], words)


def refused(result, *words):
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    (line,) = [line for line in [*result.errlines, *result.outlines] if line.startswith("ERROR: ")]
    check_message(line, words)
