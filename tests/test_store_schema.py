"""Stored files that were damaged by hand or on the way: an error that says where, and never a traceback."""

from __future__ import annotations

import base64
import json
import zlib

import numpy as np
import pytest

import distbench
from distbench.errors import SuiteError
from distbench.results.rows import rows_of
from distbench.results.suite_store import Item, read_store, write_store

DAY = {"date": "2026-01-02", "python": "3.11.7"}


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    points = np.random.default_rng(0).normal(size=(30, 4))
    report = distbench.evaluate(lambda X: X[:, :2], points, k=3, name="a")
    about = {"dataset": "gauss", "seed": 0, "data_sha256": "d", "recipe_hash": "r", "test": "t"}
    rows = rows_of(report, encoder="a", code_size=2, seconds=0.1, leave_one_out={"continuity"}, **about)
    path = tmp_path_factory.mktemp("store") / "s.json"
    finding = {"id": "c", "key": "k", "verdict": "borne out", "evidence": "0.5"}
    write_store(read_store(path).with_items([Item(DAY, "a", 2, tuple(rows)), Item(DAY, finding=finding)]))
    return path.read_text()


@pytest.fixture
def damaged(sound, tmp_path):
    """Read a sound file after a change to its document."""

    def damaged(change):
        document = json.loads(sound)
        change(document)
        path = tmp_path / "s.json"
        path.write_text(json.dumps(document))
        return read_store(path)

    return damaged


def packed(document, name="leave_one_out"):
    return next(row for row in document["rows"] if name in row)[name]


def repacked(array):
    return base64.b64encode(zlib.compress(array.tobytes())).decode()


def test_it_can_be_read_as_it_was(damaged):
    assert damaged(lambda document: None).rows_of("a", 2)


@pytest.mark.parametrize(
    "change",
    [
        {"data": "?"},
        {"data": "é"},
        {"data": 3},
        {"data": base64.b64encode(b"no zlib").decode()},
        {"data": repacked(np.zeros(29, "<f2"))},
        {"data": repacked(np.full(30, np.nan, "<f2"))},
        {"data": repacked(np.zeros(61, "|i1"))},
        {"shape": []},
        {"shape": [31]},
        {"shape": [-1, 1]},
        {"shape": [10**30]},
        {"shape": "x"},
        {"dtype": "object"},
        {"dtype": ["float16"]},
        {"offset": "0"},
        {"offset": 10**400},
        {"scale": None},
        {"scale": [1, 2]},
        {"scale": 1e308, "offset": 1e308, "data": repacked(np.full(30, 10, "<f2"))},
    ],
)
def test_packed_arrays(damaged, change):
    with pytest.raises(
        SuiteError, match=r"s\.json: row \d+: leave_one_out is damaged; restore it .*--distbench-update"
    ):
        damaged(lambda document: packed(document).update(change))


@pytest.mark.parametrize("array", ["text", 3, [1, [2]], [["a"]], [None] * 30, [1.0] * 29, [[1.0]] * 30, True])
def test_arrays_that_never_were_packed(damaged, array):
    with pytest.raises(SuiteError, match=r"row 1: leave_one_out is damaged"):
        damaged(lambda document: document["rows"][0].update(leave_one_out=array))


def test_interactions_have_two_axes(damaged):
    def change(document):
        packed(document, "interaction").update(shape=[30], data=repacked(np.zeros(30, "|i1")))

    with pytest.raises(SuiteError, match=r"row \d+: interaction is damaged"):
        damaged(change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d["rows"][0].update(value=10**400), "row 1: value is too large"),
        (lambda d: d["rows"][0].update(code_size=True), "row 1: code_size is True"),
        (lambda d: d["rows"][0].update(metric=["a"]), r"row 1: metric is \['a'\]"),
        (lambda d: d["rows"][0].pop("seed"), "row 1: seed is missing"),
        (lambda d: d["findings"][0].update(id=["c"]), r"finding 1: id is \['c'\]"),
        (lambda d: d["findings"].append(dict(d["findings"][0])), "finding 2: stored twice"),
        (lambda d: d["environments"].update(other=3), "environment 'other' is no table"),
    ],
)
def test_values_of_the_wrong_kind(damaged, change, message):
    with pytest.raises(SuiteError, match=rf"s\.json: {message}; restore it"):
        damaged(change)


def test_keys_that_are_not_known_are_no_trouble(damaged):
    assert damaged(lambda document: document["rows"][0].update(id=[], extra={"a": 1})).rows_of("a", 2)
