"""Stored rows of suites: updates and stale rows (damaged files: test_results_file.py)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from small_reports import DAY, LATER, claim, three_columns

from distbench.results.packing import ARRAYS, unpack
from distbench.results.rows import OK, failed_row, rows_of
from distbench.results.suite_store import Store, drifts, read_store, stale_reasons, store_path, write_store


@pytest.fixture
def rows():
    def rows(encoder="a", code_size=3, seeds=(0, 1), **changes):
        about = {"data_sha256": "d", "recipe_hash": "r", "note": "a word", "dataset": "gauss", "test": "t.toml::a"}
        about |= {"encoder": encoder, "code_size": code_size, "seconds": 1.23456, "leave_one_out": {"continuity"}}
        return [row for seed in seeds for row in rows_of(three_columns(), seed=seed, **(about | changes))]

    return rows


def stored(path, *updates):
    """Write what runs measured, each with its environment, rows and claims, and read it again."""
    for environment, *measured in updates:
        write_store(read_store(path).updated(environment, *measured))
    return read_store(path)


def test_each_suite_has_a_file_beside_it(tmp_path):
    paths = {store_path(tmp_path / name) for name in ("one/a.toml", "two/a.toml", "one/b.toml")}
    assert len(paths) == 3
    assert store_path(tmp_path / "one" / "a.toml") == tmp_path / "one" / "baselines" / "a.json"


def test_rows_are_read_as_written_but_for_the_test_and_the_last_digits(tmp_path, rows):
    given = rows(limits={"continuity": 0.5}, leave_one_out={"continuity", "stress"})
    store = stored(tmp_path / "baselines" / "s.json", (DAY, given))
    for one, other in zip(store.rows_of("a", 3), given, strict=True):
        assert (one.metric, one.seed, one.note, one.status) == (other.metric, other.seed, "a word", OK)
        assert (one.value, one.seconds) == (float(f"{other.value:.10g}"), 1.23)
        assert (one.stored, one.test, one.fingerprint, one.limit, one.verdict) == ("2026-01-02", "", "", None, "")
        for packed, array in ((getattr(one, name), getattr(other, name)) for name in ARRAYS):
            assert (packed is None) == (one.metric != "continuity")  # the one that ranks
            if packed is not None:
                np.testing.assert_allclose(unpack(packed), array, atol=1e-3)
    assert store.rows_of("a", 2) == []
    assert store.environment_of(store.rows_of("a", 3)[0]) == DAY


def test_an_update_replaces_its_own_rows_and_claims_alone(tmp_path, rows):
    path = tmp_path / "s.json"
    first = rows() + rows("b") + rows(code_size=2)
    stored(path, (DAY, first, [claim("one"), claim("two")]))
    before = path.read_text().splitlines()
    changed = rows(recipe_hash="new", seeds=(0,))
    store = stored(path, (LATER, changed, [claim("one", "refuted")]))
    assert {(row.recipe_hash, row.stored) for row in store.rows_of("a", 3)} == {("new", "2026-03-04")}
    for kept in (store.rows_of("b", 3), store.rows_of("a", 2)):
        assert {(row.recipe_hash, row.stored) for row in kept} == {("r", "2026-01-02")}
    assert [(c.id, c.verdict, c.stored) for c in store.results.claims] == [
        ("one", "refuted", "2026-03-04"),
        ("two", "borne out", "2026-01-02"),
    ]
    assert store.claim("two") == replace(claim("two"), stored="2026-01-02", environment="2026-01-02")
    assert store.claim("three") is None
    assert len(set(before) & set(path.read_text().splitlines())) >= len(rows()) * 2, "what stays stays to the byte"


def test_the_order_of_updates_changes_nothing_and_neither_does_writing_again(tmp_path, rows):
    updates = [(DAY, rows("b")), (DAY, rows()), (DAY, [], [claim("z")])]
    stored(tmp_path / "one.json", *updates)
    stored(tmp_path / "two.json", *reversed(updates))
    stored(tmp_path / "two.json", *updates)
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()


def test_two_environments_of_a_day_stay_apart_and_unused_ones_go(tmp_path, rows):
    path = tmp_path / "s.json"
    other = {**DAY, "python": "3.13.0"}
    store = stored(path, (DAY, rows()), (other, rows("b")))
    assert [store.environment_of(store.rows_of(name, 3)[0]) for name in "ab"] == [DAY, other]
    assert {row.stored for row in store.rows_of("b", 3)} == {"2026-01-02"}
    store = stored(path, (LATER, rows() + rows("b")))
    assert list(store.results.earlier.values()) == [LATER]


class TestMatching:
    @pytest.fixture
    def wanted(self, rows):
        """Return the conditions under which rows were measured, the seeds, and metric versions."""
        about = {
            "dataset": "gauss",
            "data_sha256": "d",
            "recipe_hash": "r",
            "in_sample": False,
            "distance": "euclidean",
        }
        return {
            "wanted": {**about, "k": 7, "m": 30, "M": 119},
            "seeds": (0, 1),
            "metrics": {row.metric: row.metric_version for row in rows()},
        }

    def test_rows_that_hold_have_no_reason_against_them(self, rows, wanted):
        assert stale_reasons(rows(), **wanted) == []

    @pytest.mark.parametrize(
        ("name", "value", "reason"),
        [
            ("dataset", "other", "data set is now other"),
            ("data_sha256", "e", "data changed"),
            ("recipe_hash", "s", "recipe changed"),
            ("in_sample", True, "is now in sample"),
            ("distance", "cosine", "distance is now cosine"),
            ("k", 1, "k is now 1"),
            ("m", 31, "test points are now 31"),
            ("M", 120, "candidates are now 120"),
            ("seeds", (0, 1, 2), "seeds are now 0, 1, 2"),
            ("seeds", (0,), "seeds are now 0"),
            ("metrics", {"continuity": 9}, "continuity is now version 9"),
            ("metrics", {"kendall": 1}, "kendall is not stored"),
        ],
    )
    def test_each_thing_that_rows_rest_on_can_make_them_stale(self, rows, wanted, name, value, reason):
        (wanted if name in wanted else wanted["wanted"])[name] = value
        assert stale_reasons(rows(), **wanted) == [reason]

    def test_one_seed_that_rests_on_other_data_makes_all_stale(self, rows, wanted):
        mixed = rows(seeds=(0,)) + rows(seeds=(1,), data_sha256="e")
        assert stale_reasons(mixed, **wanted) == ["data changed"]

    def test_a_failed_seed_has_no_metrics_and_holds_all_the_same(self, rows, wanted):
        about = {"data_sha256": "d", "recipe_hash": "r"}
        failed = failed_row("x", encoder="a", dataset="gauss", code_size=3, k=7, m=30, M=119, seed=1, **about)
        assert stale_reasons([*rows(seeds=(0,)), failed], **wanted) == []
        assert stale_reasons([failed, replace(failed, seed=0)], **wanted) == []


def test_drifts_are_of_means_over_seeds(rows):
    old = [row for row in rows() if row.metric in ("continuity", "distortion")]
    new = [replace(row, value=row.value + 0.25 * row.seed) for row in old]
    first, worst = drifts(old, new)
    assert first["metric"] == "continuity"
    assert first["now"] - first["stored"] == pytest.approx(0.125)
    assert first["low"] == pytest.approx(old[0].low)
    assert (worst["metric"], worst["low"], worst["high"]) == ("distortion", None, None)
    assert drifts(old, [replace(row, metric="kendall") for row in new]) == []


def test_an_empty_store_is_written_too(tmp_path):
    write_store(Store(tmp_path / "s.json"))
    assert read_store(tmp_path / "s.json").results.rows == []
