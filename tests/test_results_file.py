"""Files of results and of stored suite rows: their format, merging, and errors about damage."""

from __future__ import annotations

import base64
import json
import math
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from small_reports import DAY, LATER, claim, three_columns

import distbench
from distbench.errors import InputError, ResultsError, SuiteError
from distbench.results.file import read_results, write_results
from distbench.results.packing import ARRAYS, unpack
from distbench.results.rows import failed_row, rows_of
from distbench.results.suite_store import Store, read_store, write_store

STORED = Path(__file__).parents[1] / "suites" / "distbench_suites" / "baselines"
NO_ARRAYS_KEPT = dict.fromkeys(ARRAYS)


@pytest.fixture(scope="module")
def rows():
    def rows(encoder="a", code_size=3, seeds=(0, 1), **about):
        about = {"dataset": "gauss", "test": f"t.py::{encoder}", "note": "a word", "seconds": 1.23456789, **about}
        about |= {"leave_one_out": {"continuity"}, "limits": {"continuity": 0.5}}
        about |= {"encoder": encoder, "code_size": code_size}
        return [row for seed in seeds for row in rows_of(three_columns(), seed=seed, **about)]

    return rows


def values(rows):
    return [(row.encoder, row.metric, row.seed, row.value) for row in rows]


def test_rows_are_read_as_written_to_the_last_digit(tmp_path, rows):
    written = rows()
    write_results(tmp_path / "new" / "r.json", written, DAY, claims=[claim()], whole=True)
    read = read_results(tmp_path / "new" / "r.json")
    assert [replace(row, **NO_ARRAYS_KEPT) for row in read.rows] == [replace(row, **NO_ARRAYS_KEPT) for row in written]
    for stored, row in zip(read.rows, written, strict=True):
        for packed, array in ((getattr(stored, name), getattr(row, name)) for name in ARRAYS):
            assert (packed is None) == (array is None)
            if packed is not None:
                np.testing.assert_allclose(unpack(packed), array, atol=1e-3)
    assert (read.environment, read.earlier, read.claims) == (DAY, {}, [claim()])
    assert any(row.leave_one_out for row in read.rows)


def test_a_text_that_is_too_long_for_a_file_shows_that_it_was_cut(tmp_path, rows):
    write_results(tmp_path / "r.json", rows(note="x" * 60_000), DAY, whole=True)
    assert {(len(row.note), row.note[-4:]) for row in read_results(tmp_path / "r.json").rows} == {(50_000, "x...")}


@pytest.mark.parametrize("kind", ["results", "store"])
def test_infinity_nan_and_failed_fits_survive_in_a_file_that_is_plain_json(tmp_path, rows, kind):
    path, numbers = tmp_path / "r.json", (math.inf, -math.inf, math.nan)
    written = [
        replace(
            row,
            metric=f"own_{value}",
            value=value,
            limit=None,
            verdict="",
            leave_one_out=[value] * 30,
            interaction=None,
        )
        for row, value in zip(rows(seeds=(0,))[:3], numbers, strict=True)
    ]
    written.append(failed_row("ValueError: NaN", encoder="b", dataset="h", code_size=3, k=7, m=30, M=119, seed=1))
    if kind == "results":
        write_results(path, written, DAY, whole=True)
    else:
        write_store(Store(path).updated(DAY, written))

    def refuse(name):
        raise AssertionError(name)

    json.loads(path.read_text(), parse_constant=refuse)
    read = (read_results(path) if kind == "results" else read_store(path).results).rows
    assert [str(row.value) for row in read] == ["inf", "-inf", "nan", "None"]
    assert [row.status for row in read] == ["ok"] * 3 + ["failed: ValueError: NaN"]
    assert [row.leave_one_out for row in read] == [None] * 4


def test_the_order_in_which_tests_finished_changes_nothing_and_a_row_is_a_line(tmp_path, rows):
    one, two = rows(), rows("b")
    write_results(tmp_path / "one.json", one + two, DAY, claims=[claim("x"), claim("y")], whole=True)
    write_results(tmp_path / "two.json", two + one, DAY, claims=[claim("y"), claim("x")], whole=True)
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()
    lines = (tmp_path / "one.json").read_text().splitlines()
    assert sum('"metric"' in line for line in lines) == len(one) + len(two)
    assert [row.metric for row in read_results(tmp_path / "one.json").rows[: len(one)]] == [r.metric for r in one]


def test_leave_one_out_values_with_sampled_queries(tmp_path):
    points = np.random.default_rng(0).normal(size=(300, 4))
    metrics = ["continuity", "distortion_q"]
    report = distbench.evaluate(
        lambda X: X[:, :2], points[200:], reference=points[:200], k=5, queries=20, name="a", metrics=metrics
    )
    written = rows_of(report, dataset="gauss", leave_one_out=set(metrics))
    write_results(tmp_path / "r.json", written, DAY, whole=True)
    for row, stored in zip(written, read_results(tmp_path / "r.json").rows, strict=True):
        assert len(row.leave_one_out) == len(unpack(stored.leave_one_out)) == 100
        assert len(row.interaction) == len(unpack(stored.interaction)) == (20 if row.metric == "continuity" else 100)


class TestMerging:
    def test_a_part_of_a_run_replaces_its_own_rows_alone(self, tmp_path, rows):
        path = tmp_path / "r.json"
        write_results(path, rows() + rows("b") + rows(code_size=2), DAY, claims=[claim("one")], whole=True)
        assert write_results(path, rows(seeds=(5,)), LATER, claims=[claim("two")], whole=False) == len(rows())
        results = read_results(path)
        of = {(r.encoder, r.code_size, r.seed, r.stored) for r in results.rows}
        day = "2026-01-02"
        assert of == {("a", 3, 5, ""), *(("a", 2, s, day) for s in (0, 1)), *(("b", 3, s, day) for s in (0, 1))}
        assert (results.environment, results.earlier) == (LATER, {day: DAY})
        assert [(record.id, record.stored) for record in results.claims] == [("one", day), ("two", "")]

    @pytest.mark.parametrize("other", [{"test": "t.py::x"}, {"dataset": "d"}, {"in_sample": True}])
    def test_rows_of_another_test_data_set_or_sample_stay(self, tmp_path, rows, other):
        path = tmp_path / "r.json"
        write_results(path, rows(), DAY, whole=True)
        write_results(path, rows(**other), DAY, whole=False)
        assert len(read_results(path).rows) == 2 * len(rows())

    def test_a_whole_run_stands_alone(self, tmp_path, rows):
        path = tmp_path / "r.json"
        write_results(path, rows() + rows("b"), DAY, claims=[claim()], whole=True)
        write_results(path, rows("c"), LATER, whole=True)
        results = read_results(path)
        assert {row.encoder for row in results.rows} == {"c"}
        assert (results.earlier, results.claims) == ({}, [])

    def test_a_part_of_a_run_without_a_file_makes_one(self, tmp_path, rows):
        write_results(tmp_path / "r.json", rows(), DAY, whole=False)
        assert values(read_results(tmp_path / "r.json").rows) == values(rows())

    def test_each_row_keeps_its_environment_over_many_runs(self, tmp_path, rows):
        path = tmp_path / "r.json"
        days = [DAY, {**DAY, "python": "3.13.0"}, LATER]
        for name, day in zip("abc", days, strict=True):
            write_results(path, rows(name), day, whole=False)
        read = read_results(path)
        of = {row.encoder: read.earlier.get(row.environment, read.environment) for row in read.rows}
        assert of == dict(zip("abc", days, strict=True))
        write_results(path, rows("b"), DAY, whole=False)
        results = read_results(path)
        assert results.environment == DAY
        assert list(results.earlier.values()) == [LATER], "a was measured with what is now the file's own environment"

    def test_what_stays_stays_to_the_byte(self, tmp_path, rows):
        path = tmp_path / "r.json"
        write_results(path, rows() + [replace(row, stored="2025-12-31") for row in rows("b")], DAY, whole=True)
        write_results(path, rows(), LATER, whole=False)
        before = [line for line in path.read_text().splitlines() if '"encoder": "b"' in line]
        assert all('"stored": "2025-12-31"' in line for line in before)
        write_results(path, rows(), LATER, whole=False)
        assert [line for line in path.read_text().splitlines() if '"encoder": "b"' in line] == before

    def test_a_row_that_files_cannot_hold_leaves_the_old_file(self, tmp_path, rows):
        path = tmp_path / "r.json"
        write_results(path, rows(), DAY, whole=True)
        before = path.read_bytes()
        with pytest.raises(TypeError):
            write_results(path, [replace(rows()[0], note=object())], DAY, whole=True)
        assert path.read_bytes() == before


class TestFilesOfSuitesBeforeThereWasOneFormat:
    @pytest.fixture
    def old(self, tmp_path):
        """Return a function that writes a suite's stored rows and claims in the old format."""

        def write(name):
            document = json.loads((STORED / f"{name}.json").read_text())
            rows = [{key: value for key, value in row.items() if key != "test"} for row in document["rows"]]
            keys = ("id", "key", "verdict", "evidence", "environment")
            findings = [{key: claim[key] for key in keys} for claim in document["claims"]]
            document = {"schema": 1, "environments": document["earlier"], "rows": rows, "findings": findings}
            path = tmp_path / f"{name}.json"
            path.write_text(json.dumps(document))
            return path, document

        return write

    def test_their_rows_are_read_with_their_day(self, old):
        path, document = old("digits")
        read = read_results(path)
        assert (read.earlier, read.environment) == (document["environments"], {})
        for row, line in zip(read.rows, document["rows"], strict=True):
            assert {name: value for name, value in vars(row).items() if name in line} == line
            assert row.stored == document["environments"][line["environment"]]["date"]
            assert (row.test, row.distance) == ("", "")
        assert read_store(path).results == read

    def test_their_claims_are_read(self, old):
        path, document = old("claims")
        for read, line in zip(read_store(path).results.claims, document["findings"], strict=True):
            assert {name: value for name, value in vars(read).items() if name in line} == line

    @pytest.mark.parametrize("name", ["digits", "claims"])
    def test_the_next_update_writes_them_in_todays_format_without_a_change(self, tmp_path, old, name):
        before = read_store(old(name)[0]).results
        write_store(Store(tmp_path / "s.json", before))
        assert read_store(tmp_path / "s.json").results == before
        assert "environments" not in json.loads((tmp_path / "s.json").read_text())

    def test_results_are_not_written_over_them_nor_read_as_them(self, tmp_path, rows):
        path = tmp_path / "s.json"
        path.write_bytes((STORED / "digits.json").read_bytes())
        for whole in (True, False):
            with pytest.raises(ResultsError, match="holds the stored rows of a suite"):
                write_results(path, rows(), DAY, whole=whole)
        assert path.read_bytes() == (STORED / "digits.json").read_bytes()
        write_results(tmp_path / "r.json", rows(), DAY, whole=True)
        with pytest.raises(SuiteError, match=r"row 1: environment is missing; .*--distbench-update"):
            read_store(tmp_path / "r.json")


def packed(document, name="leave_one_out"):
    return next(row for row in document["rows"] if name in row)[name]


def repacked(array):
    return base64.b64encode(zlib.compress(array.tobytes())).decode()


def in_row(number=0, **values):
    return lambda document: document["rows"][number].update(values)


def in_packed(**values):
    return lambda document: packed(document).update(values)


def flat_interaction(document):
    packed(document, "interaction").update(shape=[30], data=repacked(np.zeros(30, "|i1")))


def many_large_arrays(document):
    packed(document).update(shape=[1 << 23], data=repacked(np.zeros(1 << 23, "<f2")))
    document["rows"] = [next(row for row in document["rows"] if "leave_one_out" in row)] * 100


DAMAGED = [
    {"data": "?"},
    {"data": "é"},
    {"data": 3},
    {"data": base64.b64encode(b"no zlib").decode()},
    {"data": repacked(np.zeros(29, "<f2"))},
    {"data": repacked(np.full(30, np.nan, "<f2"))},
    {"data": repacked(np.zeros(61, "|i1"))},
    {"shape": []},
    {"shape": [31]},
    {"shape": [15, 2]},
    {"shape": [-1, 1]},
    {"shape": [10**30]},
    {"shape": "x"},
    {"dtype": "object"},
    {"dtype": "f8"},
    {"data": "AAAA"},
    {"data": repacked(np.zeros(1 << 23, "<f2"))},
    {"dtype": ["float16"]},
    {"offset": "0"},
    {"offset": 10**400},
    {"scale": None},
    {"scale": [1, 2]},
    {"scale": 1e308, "offset": 1e308, "data": repacked(np.full(30, 10, "<f2"))},
]
NO_ARRAYS = ["text", 3, [1, [2]], [["a"]], [None] * 30, [1.0] * 29, [[1.0]] * 30, [10**400] * 30, {"data": "?"}, True]

STRESS = {"metric": "stress", "direction": "down", "low": None, "high": None}

UNUSABLE = [
    (lambda d: d["rows"][3].pop("k"), "row 4: k is missing"),
    (lambda d: d["rows"][0].pop("seed"), "row 1: seed is missing"),
    (in_row(value="high"), "row 1: value is 'high', expected `float | null`"),
    (in_row(value=None), "row 1: has no value"),
    (in_row(metric="knn_recall", value=7.0), "row 1: knn_recall is 7.0, which is not from 0 to 1"),
    (in_row(metric="distortion", value=0.5), "row 1: distortion is 0.5, which is not from 1 to inf"),
    (in_row(value=10**400), "row 1: value is too large"),
    (in_row(value=-(10**400)), "row 1: value is too large"),
    (in_row(seconds=1e308), "row 1: seconds is too large"),
    (in_row(m="30"), "row 1: m is '30', expected `int`"),
    (in_row(m=True), "row 1: m is True, expected `int`"),
    (in_row(m=10**400), "row 1: m is too large"),
    (in_row(metric=["a"]), r"row 1: metric is \['a'\], expected `str`"),
    (in_row(direction="left"), "row 1: direction is 'left', none of up, down"),
    (in_row(verdict="x"), "row 1: verdict is 'x', none of met, broken, undecided"),
    (in_row(verdict="met", limit=None), "row 1: has a verdict but no limit"),
    (in_row(environment="x"), "row 1: environment 'x' is not in the file"),
    (in_row(k=-3), "row 1: k is -3"),
    (in_row(m=-1), "row 1: m is -1"),
    (in_row(verdict="met", limit=5), "row 1: verdict is met, for a trustworthiness of [0-9.]+ and a limit of 5.0"),
    (in_row(verdict="broken", limit=0.001), "row 1: verdict is broken, for a trustworthiness of"),
    (in_row(value="inf", verdict="broken", limit="inf", **STRESS), "row 1: verdict is broken, for a stress of inf and"),
    (
        in_row(value="nan", low=None, high=None, verdict="met", limit=1),
        "row 1: verdict is met, for a trustworthiness of nan",
    ),
    (in_row(metric="knn_recall@0"), "row 1: metric is 'knn_recall@0', which has no whole number of neighbors after @"),
    (in_row(metric="knn_recall@-3"), "row 1: metric is 'knn_recall@-3', which has no whole"),
    (in_row(metric="recall@9_in_3"), "row 1: metric is 'recall@9_in_3', which has no whole"),
    (in_row(metric="unknown@x"), "row 1: metric is 'unknown@x', which has no whole"),
    (in_row(encoder=""), "row 1: has an encoder without a name"),
    (in_row(status="fine"), "row 1: status is 'fine', neither ok nor failed: or stale: with a reason"),
    (in_row(status="stale: old"), "row 1: has a value, though its status is 'stale: old'"),
    (in_row(code_size=0), "row 1: has a value for k = 7, m = 30, M = 119, code_size = 0"),
    (in_row(k=0), "row 1: has a value for k = 0, m = 30, M = 119"),
    (in_row(m=0), "row 1: has a value for k = 7, m = 0, M = 119"),
    (in_row(M=0), "row 1: has a value for k = 7, m = 30, M = 0"),
    (in_row(seconds=-0.5), "row 1: seconds is -0.5"),
    (in_row(low=0.9, high=0.8), "row 1: low is 0.9, above high, 0.8"),
    (in_row(low="inf", high="-inf"), "row 1: low is inf, above high, -inf"),
    (in_row(value=0.5, low=0.6, high=0.8), "row 1: low is 0.6, above the value, 0.5"),
    (in_row(value=0.5, low=0.2, high=0.4), "row 1: high is 0.4, below the value, 0.5"),
    (in_row(value=0.5, low="nan", high=0.8), "row 1: low is nan; leave out what is not known"),
    (in_row(value=0.5, low=0.2, high="nan"), "row 1: high is nan"),
    (in_row(limit="nan", verdict="met"), "row 1: limit is nan"),
    (in_row(status=""), "row 1: status is '', neither ok"),
    (in_row(metric=""), "row 1: has a value but no metric"),
    (in_row(metric="stress", value=0.5, low=0.4, high=0.6, direction="up"), "row 1: direction of stress is up, not"),
    (in_row(k=500), "row 1: trustworthiness@500 has as many neighbors as candidates or more, M = 119"),
    (in_row(seed=-7), "row 1: seed is -7"),
    (in_row(losses=[-0.5] * 30), "row 1: losses is damaged"),
    (in_row(losses=[1e301] * 30), "row 1: losses is damaged"),
    (in_row(status="failed: " + "x" * 100_000), "row 1: status has 100,008 characters"),
    (lambda d: d["claims"][0].update(evidence="x" * 100_000), "claim 1: evidence has 100,000 characters"),
    (lambda d: d["earlier"].update(other={"cores": "x" * 100_000}), r"an environment has 100,\d{3} characters"),
    (in_packed(shape=[10**7], data=repacked(np.zeros(10**7, "<f2"))), r"row \d+: leave_one_out is damaged"),
    (many_large_arrays, r"has .* bytes that unfold to 1,677,7\d\d,600, so it is not read"),
    (in_row(environment=["x"]), r"row 1: environment is \['x'\]"),
    (lambda d: d["rows"].append(7), r"row \d+: is not a table"),
    (lambda d: d["claims"][0].pop("verdict"), "claim 1: verdict is missing"),
    (lambda d: d["claims"][0].update(id=["c"]), r"claim 1: id is \['c'\]"),
    (lambda d: d["earlier"].update(other=3), "environment 'other' is not a table"),
    (lambda d: d["environment"].update(cores=float("inf")), "not valid JSON: Infinity is not a JSON number"),
    *((in_packed(**change), r"row \d+: leave_one_out is damaged") for change in DAMAGED),
    *((in_row(leave_one_out=array), "row 1: leave_one_out is damaged") for array in NO_ARRAYS),
    (in_row(interaction=[1.0] * 30), "row 1: interaction is damaged"),
    (in_row(interaction=[[1.0]] * 29), "row 1: interaction is damaged"),
    (in_row(leave_one_out=[1.0] * 30, interaction=[[1.0]] * 31), "row 1: interaction is damaged"),
    (flat_interaction, r"row \d+: interaction is damaged"),
]

NOT_OURS = [
    ('{"schema": 1,', r"not valid JSON: .*\(it seems cut off\)"),
    ("<<<<<<< HEAD", "not valid JSON"),
    ("", "not valid JSON"),
    ("[" * 100_000, "not valid JSON: nested too deep"),
    ('{"name": "other"}', "is not a file of results"),
    ("[1]", "is not a file of results"),
    ('{"schema": 1, "rows": [], "rows": []}', "not valid JSON: the key 'rows' occurs twice in one table"),
    ('{"schema": 1, "rows": [{"k": 3, "m": 4, "k": 3}]}', "not valid JSON: the key 'k' occurs twice in one table"),
    (r'{"schema": 1, "rows": [], "x\ud800": 1}', r"the key 'x\\ud800' has half of a pair of surrogates"),
    ('{"schema": 2}', "schema 2 is not known here, only 1; install the distbench that wrote it"),
    ('{"schema": true}', "schema True is not known"),
    (f'{{"schema": "{"9" * 999}"}}', r"schema '9+...' is not known here, only 1"),
    ('{"schema": 1, "environment": {}, "earlier": {}, "rows": {}}', "rows is {}, expected `array`"),
    ('{"schema": 1, "rows": [], "earlier": {}}', "environment is missing"),
    ('{"schema": 1, "environment": {}, "earlier": {}, "rows": [], "claims": 1}', "claims is 1, expected `array`"),
    ('{"schema": 1, "environments": {}, "rows": {}, "findings": []}', "rows is {}, expected `array`"),
    ('{"schema": 1, "environment": {"cores": 1e999}, "earlier": {}, "rows": []}', "Out of range float"),
]


@pytest.fixture(scope="module")
def sound(tmp_path_factory, rows):
    """Return the text of a file of each kind."""
    folder = tmp_path_factory.mktemp("sound")
    write_results(folder / "results.json", rows(), DAY, claims=[claim()], whole=True)
    write_store(Store(folder / "store.json").updated(DAY, rows(), [claim()]))
    return {kind: (folder / f"{kind}.json").read_text() for kind in ("results", "store")}


READERS = {
    "results": (read_results, ResultsError, "; give another file(, or delete it to start anew)?$"),
    "store": (read_store, SuiteError, "; restore it from version control, or delete it and run .*--distbench-update$"),
}


@pytest.mark.parametrize("kind", READERS)
class TestDamagedFiles:
    @pytest.mark.parametrize(("change", "message"), UNUSABLE)
    def test_rows_and_claims_that_cannot_be_used(self, tmp_path, sound, kind, change, message):
        read, error, remedy = READERS[kind]
        document = json.loads(sound[kind])
        change(document)
        (tmp_path / "r.json").write_text(json.dumps(document))
        with pytest.raises(error, match=rf"r\.json: ({message}).*{remedy}"):
            read(tmp_path / "r.json")

    @pytest.mark.parametrize(("text", "message"), NOT_OURS)
    def test_files_that_are_not_ours(self, tmp_path, kind, text, message):
        read, error, remedy = READERS[kind]
        (tmp_path / "r.json").write_text(text)
        with pytest.raises(error, match=rf"r\.json: ({message}).*{remedy}"):
            read(tmp_path / "r.json")

    def test_a_folder_in_its_place(self, tmp_path, kind):
        read, error, _ = READERS[kind]
        with pytest.raises(error, match="cannot be read: Is a directory"):
            read(tmp_path)

    def test_a_byte_order_mark_is_no_part_of_the_text(self, tmp_path, sound, kind):
        (tmp_path / "r.json").write_text(sound[kind], encoding="utf-8-sig")
        assert READERS[kind][0](tmp_path / "r.json")

    @pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
    def test_text_of_another_encoding(self, tmp_path, sound, kind, encoding):
        read, error, remedy = READERS[kind]
        (tmp_path / "r.json").write_text(sound[kind], encoding=encoding)
        with pytest.raises(error, match=rf"r\.json: is not text in UTF-8{remedy}"):
            read(tmp_path / "r.json")

    def test_unknown_keys_are_ignored(self, tmp_path, sound, kind):
        document = json.loads(sound[kind])
        document["rows"][0].update(id=[], extra={"a": 1})
        (tmp_path / "r.json").write_text(json.dumps(document))
        assert READERS[kind][0](tmp_path / "r.json")


@pytest.mark.parametrize("records", ["rows", "claims"])
def test_duplicates_in_a_store_are_an_error(tmp_path, sound, records):
    document = json.loads(sound["store"])
    document[records].append(document[records][0])
    (tmp_path / "s.json").write_text(json.dumps(document))
    with pytest.raises(SuiteError, match=rf"{records[:-1]} \d+: stored twice; .*--distbench-update"):
        read_store(tmp_path / "s.json")


@pytest.mark.parametrize(("text", "message"), NOT_OURS)
@pytest.mark.parametrize("whole", [False, True])
def test_files_that_are_not_ours_are_never_written_over(tmp_path, rows, text, message, whole):
    path = tmp_path / "r.json"
    path.write_text(text)
    remedy = "restore it, or move it away and run the tests again$"
    with pytest.raises(ResultsError, match=rf"r\.json: ({message}).*; .*{remedy}"):
        write_results(path, rows(), DAY, whole=whole)
    assert path.read_text() == text


def test_no_file(tmp_path):
    with pytest.raises(ResultsError, match=r"r\.json: found no such file; write one with pytest --distbench-report"):
        read_results(tmp_path / "r.json")
    assert issubclass(ResultsError, InputError)
