"""Some hundred inputs for each target of ``benchmarks/fuzz.py``, and the faults that it has found, as single cases."""

from __future__ import annotations

import copy
import json
from dataclasses import replace

import pytest
from click.testing import CliRunner
from frameworks import needs
from fuzz_targets import TARGETS, Taken, changed, documents, folder, noisy, toml_text
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from distbench import errors
from distbench.cli import main
from distbench.results.file import read_results, write_results
from distbench.results.gates import broken_gates, compare_rows, parse_gate
from distbench.results.suite_store import read_store
from distbench.suites.check_names import check_suite
from distbench.suites.reader import read_suite

pytestmark = needs("jinja2")


@pytest.fixture(scope="module")
def here():
    with folder() as place:
        yield place


@pytest.mark.parametrize("target", TARGETS)
def test_no_error_but_the_librarys_own(target, here):
    @settings(max_examples=250, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.binary(min_size=1, max_size=300))
    def holds(data):
        TARGETS[target](data, here)

    holds()


def test_the_inputs_are_mostly_nearly_right_and_sometimes_noise():
    document = {"a": [1, {"b": 2}], "c": "text"}
    results = [changed(document, Taken(bytes([n, n * 7 % 256] * 20))) for n in range(1, 60)]
    assert document == {"a": [1, {"b": 2}], "c": "text"}
    assert sum(other != document for other in results) > 20
    assert noisy("text", Taken(b"")) == b"text"
    text = toml_text({"t": {"k": [1, True]}, "e": [{"n": "x"}], "a": "y"}, headers=True)
    assert text.startswith('a = "y"\n[t]\nk = [1, true]\n')


TOP = 'distbench = 1\nquestion = "?"\ndataset = "digits"\ncode_sizes = [2]\n'
CLAIM = '[[claim]]\nid = "a"\nstatement = "s"\nsource = "me"\nencoder = "pca"\nmetric = "stress"\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (TOP + CLAIM + f"at_most = 1{'0' * 400}\n", "claim 1.at_most: found 10"),
        (TOP + f'[[encoder]]\nname = "{"x" * 5000}"\n', "use at most 500 printable characters"),
        (f'distbench = "{"x" * 5000}"\n', "write distbench = 1"),
        (TOP + '[[encoder]]\nname = "p\\u001b[31m\\u202e"\n', "printable characters"),
        (TOP + f"k = {'9' * 5000}\n", "not valid TOML"),
    ],
)
def test_suites_that_once_broke_something(tmp_path, text, message):
    path = tmp_path / "s.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(errors.SuiteError) as raised:
        check_suite(read_suite(path))
    assert message in str(raised.value)
    assert str(raised.value).isprintable()
    assert len(str(raised.value)) < 500


def _row(**changes):
    def change(document):
        document["rows"][0].update(changes)

    return change


RESULTS = [
    (lambda document: document["earlier"].update(other="no table"), "environment 'other' is not a table"),
    (lambda document: document["earlier"].update({"x" * 5000: 1}), "is not a table; give another file"),
    (lambda document: document["environment"].update(python=float("nan")), "not valid JSON: NaN is not a JSON number"),
    (_row(verdict="met", limit=None), "row 1: has a verdict but no limit"),
    (_row(value="x" * 5000), "give another file"),
    (_row(value=10**400), "row 1: value is too large"),
]


@pytest.mark.parametrize(("change", "message"), RESULTS)
def test_results_that_once_broke_something(tmp_path, change, message):
    path, document = tmp_path / "r.json", copy.deepcopy(documents()[0])
    change(document)
    path.write_text(json.dumps(document))
    with pytest.raises(errors.ResultsError) as raised:
        read_results(path)
    assert message in str(raised.value)
    assert len(str(raised.value)) < 600
    before = path.read_bytes()
    with pytest.raises(errors.ResultsError):
        write_results(path, [], {}, whole=False)
    assert path.read_bytes() == before


def test_rows_without_a_test_and_with_half_a_pair_of_surrogates_are_merged(tmp_path):
    path, document = tmp_path / "r.json", copy.deepcopy(documents()[0])
    for row in document["rows"]:
        del row["test"]
    document["rows"][0]["note"] = "\ud800"
    path.write_text(json.dumps(document))
    rows = read_results(path).rows
    write_results(path, [], {"date": "2030-01-01"}, whole=False)
    assert sorted(map(repr, rows)) == sorted(
        repr(replace(row, stored="", environment="")) for row in read_results(path).rows
    )


def test_numbers_in_the_environment_of_a_store_are_json(tmp_path):
    path, document = tmp_path / "s.json", copy.deepcopy(documents()[2])
    document["environments"]["2026-01-02"]["cores"] = float("inf")
    path.write_text(json.dumps(document))
    with pytest.raises(errors.SuiteError, match=r"not valid JSON: Infinity is not a JSON number.*--distbench-update"):
        read_store(path)
    path.write_text("[" * 100_000)
    with pytest.raises(errors.SuiteError, match=r"not valid JSON: nested too deep; .*--distbench-update"):
        read_store(path)


def test_infinities_of_both_signs_in_two_seeds_have_no_mean_and_break_their_gate(tmp_path):
    path, document = tmp_path / "r.json", copy.deepcopy(documents()[0])
    for row in document["rows"]:  # a metric of one's own: no stress is negative
        row["verdict"] = ""
        row["metric"] = row["metric"].replace("stress", "mine")
    path.write_text(json.dumps(document))
    before = read_results(path).rows
    seeds = [row for row in document["rows"] if row["metric"] == "mine" and row["status"] == "ok"]
    seeds[0]["value"], seeds[1]["value"] = "inf", "-inf"
    path.write_text(json.dumps(document))
    comparison = compare_rows(before, read_results(path).rows)
    (lost,) = [change for change in comparison.not_compared if change.encoder == "a"]
    assert (lost.metric, lost.reason, lost.failed) == ("mine", "is not a number", True)
    assert broken_gates(comparison, [parse_gate("all:1%")]) != []


@pytest.mark.parametrize("option", ["--html", "--results"])
def test_names_that_can_be_no_path_are_wrong_usage(option):
    result = CliRunner().invoke(main, ["evaluate", "a:b", "--data", "X.npy", option, "x" * 300], catch_exceptions=False)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"Error: {option}: x")
    assert result.stderr.endswith("is longer than 255 bytes; choose a shorter name\n")
    for name in ("a\x00b", "\ud800"):
        result = CliRunner().invoke(main, ["leaderboard", name], catch_exceptions=False)
        assert result.exit_code == 2
        assert "cannot be a path" in result.output
