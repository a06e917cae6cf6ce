from __future__ import annotations

import json

import numpy as np
import pytest
from small_reports import DAY, LATER, three_columns

import distbench
from distbench.errors import SuiteError
from distbench.results.packing import unpack
from distbench.results.rows import OK, failed_row, report_of, rows_of
from distbench.results.suite_store import Item, Store, read_store, store_path, write_store
from distbench.results.suite_store_match import Wanted, changes, stale_reasons


@pytest.fixture(scope="module")
def report():
    return three_columns()


@pytest.fixture
def rows(report):
    def rows(encoder="a", code_size=3, seeds=(0, 1), **changes):
        about = {"data_sha256": "d", "recipe_hash": "r", "note": "a word", **changes}
        return tuple(
            row
            for seed in seeds
            for row in rows_of(
                report,
                encoder=encoder,
                dataset="gauss",
                code_size=code_size,
                seed=seed,
                seconds=1.23456,
                test="t.toml::a",
                leave_one_out={"continuity"},
                **about,
            )
        )

    return rows


def stored(path, *items):
    write_store(read_store(path).with_items(items))
    return read_store(path)


def test_each_suite_has_a_file_of_its_own_beside_it(tmp_path):
    paths = {store_path(tmp_path / name) for name in ("one/a.toml", "two/a.toml", "one/b.toml")}
    assert len(paths) == 3
    assert store_path(tmp_path / "one" / "a.toml") == tmp_path / "one" / "baselines" / "a.json"


def test_what_is_read_is_what_was_written(tmp_path, rows):
    given = rows()
    store = stored(tmp_path / "baselines" / "s.json", Item(DAY, "a", 3, given))
    found = store.rows_of("a", 3)
    assert [row["metric"] for row in found] == [row["metric"] for row in given]
    for one, other in zip(found, given, strict=True):
        assert one["value"] == pytest.approx(other["value"], rel=1e-9)
        assert one["stored"] == "2026-01-02"
        assert (one["seed"], one["note"], one["status"], one["test"]) == (other["seed"], "a word", OK, "")
        for name in ("leave_one_out", "interaction"):
            assert (one[name] is None) == (other[name] is None)
            if one[name] is not None:
                np.testing.assert_allclose(unpack(one[name]), other[name], atol=1e-3)
    assert store.rows_of("a", 2) == []
    assert store.environment_of("a", 3) == DAY


def test_infinity_survives_in_a_file_that_is_plain_json(tmp_path, rows):
    given = [{**row, "value": float("inf"), "low": None, "high": None} for row in rows(seeds=(0,))][:1]
    store = stored(tmp_path / "s.json", Item(DAY, "a", 3, tuple(given)))
    assert store.rows_of("a", 3)[0]["value"] == float("inf")

    def refuse(name):
        raise AssertionError(name)

    json.loads((tmp_path / "s.json").read_text(), parse_constant=refuse)


def test_an_update_replaces_its_own_items_alone(tmp_path, rows):
    path = tmp_path / "s.json"
    stored(path, Item(DAY, "a", 3, rows()), Item(DAY, "b", 3, rows("b")), Item(DAY, "a", 2, rows(code_size=2)))
    before = path.read_text().splitlines()
    store = stored(path, Item(LATER, "a", 3, rows(recipe_hash="new", seeds=(0,))))
    assert {row["recipe_hash"] for row in store.rows_of("a", 3)} == {"new"}
    assert {row["stored"] for row in store.rows_of("a", 3)} == {"2026-03-04"}
    for kept in (store.rows_of("b", 3), store.rows_of("a", 2)):
        assert {(row["recipe_hash"], row["stored"]) for row in kept} == {("r", "2026-01-02")}
    unchanged = set(before) & set(path.read_text().splitlines())
    assert len(unchanged) >= len(rows()) * 2


def test_the_order_of_items_changes_nothing_and_neither_does_writing_again(tmp_path, rows):
    items = [Item(DAY, "b", 3, rows("b")), Item(DAY, "a", 3, rows()), Item(DAY, finding=_finding("z"))]
    stored(tmp_path / "one.json", *items)
    stored(tmp_path / "two.json", *reversed(items))
    stored(tmp_path / "two.json", *items)
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()
    lines = (tmp_path / "one.json").read_text().splitlines()
    assert sum('"metric"' in line for line in lines) == 2 * len(rows()), "a line a row"


def _finding(claim, verdict="borne out"):
    return {"id": claim, "key": "k", "verdict": verdict, "evidence": "0.5"}


def test_findings_are_kept_by_their_id(tmp_path):
    path = tmp_path / "s.json"
    stored(path, Item(DAY, finding=_finding("one")), Item(DAY, finding=_finding("two")))
    store = stored(path, Item(LATER, finding=_finding("one", "refuted")))
    assert (store.finding("one")["verdict"], store.finding("one")["date"]) == ("refuted", "2026-03-04")
    assert (store.finding("two")["verdict"], store.finding("two")["date"]) == ("borne out", "2026-01-02")
    assert store.finding("three") is None


def test_two_environments_of_a_day_stay_apart_and_unused_ones_go(tmp_path, rows):
    path = tmp_path / "s.json"
    other = {**DAY, "python": "3.13.0"}
    store = stored(path, Item(DAY, "a", 3, rows()), Item(other, "b", 3, rows("b")))
    assert store.environment_of("a", 3) == DAY
    assert store.environment_of("b", 3) == other
    assert {row["stored"] for row in store.rows_of("b", 3)} == {"2026-01-02"}
    store = stored(path, Item(LATER, "a", 3, rows()), Item(LATER, "b", 3, rows("b")))
    assert list(store.environments.values()) == [LATER]


def test_a_failed_fit_is_stored_as_its_status(tmp_path):
    row = failed_row("ValueError: NaN", encoder="a", dataset="d", code_size=3, k=7, m=30, M=119, seed=1)
    found = stored(tmp_path / "s.json", Item(DAY, "a", 3, (row,))).rows_of("a", 3)
    assert [(one["status"], one["value"]) for one in found] == [("failed: ValueError: NaN", None)]


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path, rows):
    path = tmp_path / "s.json"
    store = stored(path, Item(DAY, "a", 3, rows()))
    before = path.read_bytes()
    broken = Store(path, store.environments, store.rows, ({"id": object()},))
    with pytest.raises(TypeError):
        write_store(broken)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_disk_that_is_full_leaves_the_old_file(tmp_path, rows, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    path = tmp_path / "s.json"
    store = stored(path, Item(DAY, "a", 3, rows()))
    before = path.read_bytes()
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_store(Store(path, store.environments, store.rows[:1], ()))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def _packed(document):
    return next(row["leave_one_out"] for row in document["rows"] if "leave_one_out" in row)


class TestBrokenFiles:
    @pytest.fixture
    def document(self, tmp_path, rows):
        stored(tmp_path / "s.json", Item(DAY, "a", 3, rows()), Item(DAY, finding=_finding("one")))
        return json.loads((tmp_path / "s.json").read_text())

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ('{"schema": 1,', "s.json: not valid JSON: .* delete it"),
            ("<<<<<<< HEAD", "s.json: not valid JSON"),
            ('{"name": "other"}', "s.json: is no file of stored rows"),
            ("[1]", "s.json: is no file of stored rows"),
            ('{"schema": 2}', "s.json: schema 2 is not known here, only 1"),
            (
                '{"schema": 1, "environments": {}, "rows": {}, "findings": []}',
                "s.json: rows is missing",
            ),
        ],
    )
    def test_files_that_are_not_ours(self, tmp_path, text, message):
        (tmp_path / "s.json").write_text(text)
        with pytest.raises(SuiteError, match=message):
            read_store(tmp_path / "s.json")

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda d: d["rows"][3].pop("k"), "row 4: k is missing"),
            (lambda d: d["rows"][0].update(value="high"), "row 1: value is 'high'"),
            (lambda d: d["rows"][0].pop("value"), "row 1: has no value"),
            (lambda d: d["rows"][0].update(m="30"), "row 1: m is '30'"),
            (lambda d: d["rows"][0].update(environment="x"), "row 1: environment 'x' is not in the file"),
            (lambda d: d["rows"].append(d["rows"][0]), "row .*: stored twice"),
            (lambda d: _packed(d).update(data="?"), "row .: leave_one_out is damaged"),
            (lambda d: _packed(d).update(shape=[15, 2]), "row .: leave_one_out is damaged"),
            (lambda d: _packed(d).pop("scale"), "row .: leave_one_out is damaged"),
            (lambda d: d["rows"].append(7), "row .*: is no table"),
            (lambda d: d["findings"][0].pop("key"), "finding 1: key is missing"),
        ],
    )
    def test_rows_that_cannot_be_used(self, tmp_path, document, change, message):
        change(document)
        (tmp_path / "s.json").write_text(json.dumps(document))
        with pytest.raises(SuiteError, match=rf"s\.json: {message}.*--distbench-update"):
            read_store(tmp_path / "s.json")

    def test_a_folder_in_its_place(self, tmp_path):
        (tmp_path / "s.json").mkdir()
        with pytest.raises(SuiteError, match="cannot be read"):
            read_store(tmp_path / "s.json")


class TestMatching:
    @pytest.fixture
    def wanted(self, rows):
        versions = {row["metric"]: row["metric_version"] for row in rows()}
        return {
            "dataset": "gauss",
            "data_sha256": "d",
            "recipe_hash": "r",
            "in_sample": False,
            "k": 7,
            "m": 30,
            "M": 119,
            "seeds": (0, 1),
            "metrics": versions,
        }

    def test_rows_that_hold_have_no_reason_against_them(self, rows, wanted):
        assert stale_reasons(rows(), Wanted(**wanted)) == []

    @pytest.mark.parametrize(
        ("name", "value", "reason"),
        [
            ("dataset", "other", "data set is now other"),
            ("data_sha256", "e", "data changed"),
            ("recipe_hash", "s", "recipe changed"),
            ("in_sample", True, "is now in sample"),
            ("k", 5, "k is now 5"),
            ("m", 31, "test points are now 31"),
            ("M", 120, "candidates are now 120"),
            ("seeds", (0, 1, 2), "seeds are now 0, 1, 2"),
            ("seeds", (0,), "seeds are now 0"),
            ("metrics", {"continuity": 9}, "continuity is now version 9"),
            ("metrics", {"kendall": 1}, "kendall is not stored"),
        ],
    )
    def test_each_thing_that_rows_rest_on_can_make_them_stale(self, rows, wanted, name, value, reason):
        assert stale_reasons(rows(), Wanted(**{**wanted, name: value})) == [reason]

    def test_one_seed_that_rests_on_other_data_makes_all_stale(self, rows, wanted):
        mixed = (*rows(seeds=(0,)), *rows(seeds=(1,), data_sha256="e"))
        assert stale_reasons(mixed, Wanted(**wanted)) == ["data changed"]

    def test_a_failed_seed_has_no_metrics_and_holds_all_the_same(self, rows, wanted):
        about = {"data_sha256": "d", "recipe_hash": "r"}
        failed = failed_row("x", encoder="a", dataset="gauss", code_size=3, k=7, m=30, M=119, seed=1, **about)
        assert stale_reasons((*rows(seeds=(0,)), failed), Wanted(**wanted)) == []
        assert stale_reasons([failed, {**failed, "seed": 0}], Wanted(**wanted)) == []


def test_changes_are_of_means_over_seeds(rows):
    old = [row for row in rows() if row["metric"] in ("continuity", "distortion")]
    new = [{**row, "value": row["value"] + 0.25 * row["seed"]} for row in old]
    first, worst = changes(old, new)
    assert first["metric"] == "continuity"
    assert first["now"] - first["stored"] == pytest.approx(0.125)
    assert first["low"] == pytest.approx(old[0]["low"])
    assert (worst["metric"], worst["low"], worst["high"]) == ("distortion", None, None)
    assert changes(old, [{**row, "metric": "kendall"} for row in new]) == []


def test_a_report_of_rows_keeps_limits_as_the_report_did(report, rows):
    again = report_of(rows(seeds=(0,)), notes=["stored"])
    assert again.as_dict() == report.as_dict()
    assert (again.k, again.m, again.M, again.code_size) == (report.k, report.m, report.M, report.code_size)
    assert not again.in_sample()
    for name, score in report.items():
        for limit in (score.value, score.low, score.high):
            if limit is not None:
                assert again.verdicts(**{name: limit}) == report.verdicts(**{name: limit})
    with pytest.raises(
        distbench.PreservationError, match=r"(?s)continuity = .*n = 30 test points, M = 119.*note: stored"
    ):
        again.check(continuity=0.999)
