from __future__ import annotations

import math
import statistics

import numpy as np
import pytest

from distbench.inference.intervals import jackknife_interval
from distbench.render.text import DROP_ORDER, printable, render_checks, render_table
from distbench.results.leaderboard import leaderboard
from distbench.results.packing import pack
from distbench.results.rows import failed_row, rows_of

rng = np.random.default_rng(0)
M_POINTS = 40
SHARED = rng.normal(size=M_POINTS)
"""What makes some test points harder than others, for every encoder: it cancels in paired differences."""


def row(encoder, value, *, metric="continuity", noise=0.0, stream=0, **changes):
    """A row whose leave-one-out values are those of a mean of per-point scores around ``value``."""
    own = np.random.default_rng(stream).normal(size=M_POINTS)
    points = SHARED - SHARED.mean() + noise * (own - own.mean())
    leave_one_out = (value * M_POINTS - value - points) / (M_POINTS - 1)
    plain = {
        "encoder": encoder,
        "dataset": "digits",
        "code_size": 2,
        "code_width": 2,
        "metric": metric,
        "metric_version": 1,
        "value": value,
        "low": None,
        "high": None,
        "k": 10,
        "m": M_POINTS,
        "M": 100,
        "seed": 0,
        "seconds": 1.0,
        "status": "ok",
        "leave_one_out": [float(v) for v in leave_one_out],
        "direction": "up",
        "test": f"s.toml::{encoder}",
    }
    return {**plain, **changes}


def places(rows, **options):
    (table,) = leaderboard(rows, **options)
    return {entry.encoder: entry.place for entry in table.entries}


def test_best_first_and_up_means_larger_is_better():
    assert places([row("c", 0.7), row("a", 0.9), row("b", 0.8)]) == {"a": 1, "b": 2, "c": 3}
    (table,) = leaderboard([row("c", 0.7), row("a", 0.9), row("b", 0.8)])
    assert [entry.encoder for entry in table.entries] == ["a", "b", "c"]


def test_down_means_smaller_is_better():
    rows = [row(name, value, metric="stress", direction="down") for name, value in (("a", 0.1), ("b", 0.2))]
    assert places(rows, sort="stress") == {"a": 1, "b": 2}


def test_pairing_tells_encoders_apart_whose_own_intervals_overlap():
    rows = [row("a", 0.80), row("b", 0.79)]
    (table,) = leaderboard(rows)
    a, b = table.entries
    assert a.low < b.high, "unpaired, they overlap"
    assert (a.place, b.place) == (1, 2)


def test_encoders_the_data_cannot_tell_apart_share_a_place_and_the_next_place_counts_all():
    rows = [row("a", 0.81, noise=1, stream=1), row("b", 0.80, noise=1, stream=2), row("c", -3.0)]
    assert places(rows) == {"a": 1, "b": 1, "c": 3}


def test_sharing_is_with_the_best_of_the_group_and_does_not_chain():
    noisy = {"noise": 1.0}
    rows = [
        row("a", 0.8, stream=1, **noisy),
        row("b", 0.5, stream=2, **noisy),
        row("c", 0.2, stream=3, **noisy),
    ]
    loo = {r["encoder"]: np.array(r["leave_one_out"]) for r in rows}
    value = {r["encoder"]: r["value"] for r in rows}

    def holds_zero(one, two):
        low, high = jackknife_interval(value[one] - value[two], loo[one] - loo[two], 0.95)
        return low <= 0 <= high

    assert (holds_zero("a", "b"), holds_zero("b", "c"), holds_zero("a", "c")) == (True, True, False)
    assert places(rows) == {"a": 1, "b": 1, "c": 3}


def test_without_leave_one_out_values_only_equal_values_share():
    rows = [row("a", 0.8), row("b", 0.8), row("c", 0.79)]
    for r in rows:
        r["leave_one_out"] = None
    assert places(rows) == {"a": 1, "b": 1, "c": 3}


def test_infinite_values_rank_last_and_share_with_one_another():
    rows = [
        row(name, value, metric="distortion", direction="down", leave_one_out=None)
        for name, value in (("a", math.inf), ("b", 5.0), ("c", math.inf))
    ]
    assert places(rows, sort="distortion") == {"b": 1, "a": 2, "c": 2}


def test_seeds_are_averaged_and_their_spread_stands_beside_the_interval():
    values = [0.7, 0.8, 0.75]
    rows = [row("a", value, noise=0.5, stream=s, seed=s, seconds=s + 1.0) for s, value in enumerate(values)]
    (table,) = leaderboard(rows)
    (entry,) = table.entries
    assert entry.values["continuity"] == pytest.approx(statistics.fmean(values))
    assert entry.seed_sd == pytest.approx(statistics.stdev(values))
    assert (entry.ran, entry.seeds, entry.seconds) == (3, 3, 2.0)
    mean_loo = np.mean([r["leave_one_out"] for r in rows], axis=0)
    assert (entry.low, entry.high) == pytest.approx(jackknife_interval(0.75, mean_loo, 0.95, (0.0, 1.0)))


def test_an_interval_does_not_leave_the_metrics_range():
    (table,) = leaderboard([row("a", 0.99)])
    assert table.entries[0].high == 1.0


def test_failed_and_incomplete_encoders_are_listed_last_without_a_place_and_with_the_reason():
    failure = failed_row(
        "ValueError: diverged", encoder="b", dataset="digits", code_size=2, k=10, m=M_POINTS, M=100, seed=1
    )
    failure["test"] = "s.toml::b"
    (table,) = leaderboard([failure, row("b", 0.99), row("a", 0.5)])
    a, b = table.entries
    assert (a.encoder, a.place, a.reason) == ("a", 1, "")
    assert (b.encoder, b.place, b.reason) == ("b", None, "seed 1 failed: ValueError: diverged")
    assert (b.ran, b.seeds) == (1, 2)


def test_not_a_number_gets_no_place():
    (table,) = leaderboard([row("a", math.nan), row("b", 0.5)])
    assert [(e.encoder, e.place) for e in table.entries] == [("b", 1), ("a", None)]
    assert table.entries[1].reason == "continuity is not a number"


def test_an_encoder_without_the_sort_metric_gets_no_place():
    (table,) = leaderboard([row("a", 0.5), row("b", 0.5, metric="stress")])
    assert table.entries[1].reason == "continuity was not measured"


@pytest.mark.parametrize("key", ["dataset", "code_size", "k", "m", "M"])
def test_what_cannot_be_compared_does_not_share_a_table(key):
    other = "other" if key == "dataset" else 7
    assert len(leaderboard([row("a", 0.5), row("b", 0.6, **{key: other})])) == 2


def test_points_of_a_tests_own_are_told_apart_by_the_test():
    own = {"dataset": ""}
    tables = leaderboard([row("a", 0.5, test="t::1", **own), row("b", 0.6, test="t::2", **own)])
    assert [table.test for table in tables] == ["t::1", "t::2"]
    (table,) = leaderboard([row("a", 0.5, test="t::1", **own), row("b", 0.6, test="t::1", **own)])
    assert len(table.entries) == 2


def test_a_fit_that_two_suites_share_counts_once_and_another_of_that_name_stays():
    same = [row("a", 0.5, test="one.toml::a"), row("a", 0.5, test="two.toml::a")]
    (table,) = leaderboard(same)
    assert [entry.encoder for entry in table.entries] == ["a"]
    (table,) = leaderboard([*same, row("a", 0.6, test="three.toml::a")])
    assert [entry.encoder for entry in table.entries] == ["a (three.toml::a)", "a (one.toml::a)"]


def test_the_order_of_rows_changes_nothing():
    rows = [
        row(name, value, code_size=size, leave_one_out=None)
        for size in (2, 8)
        for name, value in (("a", 0.5), ("b", 0.5), ("c", 0.7))
    ]
    tables = leaderboard(rows)
    assert [table.code_size for table in tables] == [2, 8]
    assert leaderboard(rows[::-1]) == tables


def test_no_rows_no_tables():
    assert leaderboard([]) == []


@pytest.fixture(scope="module")
def real_table():
    import distbench

    data = distbench.load_dataset("digits")
    rows = []
    for name in ("identity", "pca", "random_projection"):
        encoder = distbench.fit_baseline(name, data.train, code_size=2, seed=0)
        report = distbench.evaluate(encoder, data.test, reference=data.train)
        rows += rows_of(report, dataset="digits", code_size=2, seed=0, seconds=0.2, leave_one_out={"continuity"})
    (table,) = leaderboard(rows)
    return table


@pytest.mark.parametrize("width", [60, 80, 100, 120, 200])
def test_a_table_fits_the_width_and_says_what_it_left_out(real_table, width):
    text = render_table(real_table, width)
    assert max(len(line) for line in text.splitlines()) <= width
    left_out = " ".join(text.split("shows all): ")[1:]).replace("\n ", "")
    order = [name for name in DROP_ORDER if name in left_out.split(", ")]
    assert order == left_out.split(", ") if left_out else width == 200
    if left_out:
        enough = int(text.split("COLUMNS=")[1].split()[0])
        assert "left out" in render_table(real_table, enough - 1)
        assert "left out" not in render_table(real_table, enough)
    expected = [n for n in DROP_ORDER if n in real_table.metrics or n in ("seeds", "fit s")]
    assert expected[: len(order)] == order, "columns go in the stated order"


def test_numbers_are_the_same_at_every_width(real_table):
    def line(width):
        text = render_table(real_table, width)
        return next(each for each in text.splitlines() if " pca " in each).split()

    narrow, wide = line(40), line(200)
    assert set(narrow) <= set(wide)
    pca = next(entry for entry in real_table.entries if entry.encoder == "pca")
    assert f"{pca.values['continuity']:.3f}" in narrow
    assert f"{pca.values['spearman']:.3f}" in wide


def test_an_encoder_that_ignores_the_code_size_is_shown_as_that(real_table):
    text = render_table(real_table, 100)
    assert "identity *" in text
    assert "* identity: code size ignored, its codes have 64 columns" in text
    assert "pca *" not in text


def test_shared_places_are_marked_and_explained():
    (table,) = leaderboard([row("a", 0.81, noise=1, stream=1), row("b", 0.80, noise=1, stream=2)])
    text = render_table(table)
    assert text.count("1=") == 2
    assert "=  shares the place of the best" in text
    (table,) = leaderboard([row("a", 0.9), row("b", 0.1)])
    assert "=" not in render_table(table).split("candidates)")[1]


def test_a_table_of_failures_only_still_says_why():
    failure = failed_row("no luck", encoder="b", dataset="digits", code_size=2, k=10, m=40, M=100, seed=1)
    (table,) = leaderboard([failure])
    assert "no place: b: seed 1 failed: no luck" in render_table(table)


def test_long_names_lose_their_fronts_and_never_their_numbers():
    name = "tests/very/deep/folders/test_encoders.py::test_that_my_encoder_keeps_what_is_close_close"
    tables = leaderboard([row("net", 0.5, dataset="", test=f"{name}[{n}]", seconds=None, seed=None) for n in (1, 2)])
    text = render_checks(tables, 60)
    assert max(len(line) for line in text.splitlines()) <= 60
    assert "close_close[1] net" in text
    assert "close_close[2] net" in text
    assert text.count("0.500") == 2


def test_names_are_cut_before_a_metric_with_a_limit_goes():
    test = "tests/very/deep/folders/test_encoders.py::test_that_my_encoder_keeps_what_is_close_close"
    plain = {"dataset": "", "test": test, "seconds": None, "seed": None}
    rows = [row("net", 0.5, **plain), row("net", 0.25, metric="knn_recall", limit=0.2, verdict="met", **plain)]
    text = render_checks(leaderboard(rows), 80)
    assert max(len(line) for line in text.splitlines()) <= 80
    assert "0.250" in text
    assert "keeps_what_is_close_close net" in text


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.12345, "0.123"), (123.456, "123.5"), (1.5e7, "1.50e+07"), (math.inf, "inf"), (None, "-")],
)
def test_numbers_are_short_whatever_their_size(value, shown):
    rows = [row("a", 0.5)]
    if value is not None:
        rows.append(row("a", value, metric="stress", direction="down"))
    else:
        rows += [row("b", 0.4), row("b", 1.0, metric="stress", direction="down")]
    (table,) = leaderboard(rows)
    line = next(each for each in render_table(table, 200).splitlines() if " a " in each)
    assert shown in line.split()


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", None])
def test_text_is_safe_where_the_stream_is_not_utf8(encoding):
    (table,) = leaderboard([row("größe 距離", 0.5)])
    text = render_table(table, 80, encoding)
    assert text.encode(encoding or "ascii")
    assert "0.500" in text
    assert printable("größe 距離", "utf-8") == "größe 距離"


def real_rows():
    """Rows of real reports, whose intervals leave out what the jackknife counts twice."""
    import distbench

    rng = np.random.default_rng(1)
    X = rng.normal(size=(150, 6))
    reports = {
        name: distbench.evaluate_codes(X, X[:, :2] + noise * rng.normal(size=(150, 2)), name=name)
        for name, noise in (("a", 0.1), ("b", 0.13), ("c", 0.8))
    }
    rows = [
        row for report in reports.values() for row in rows_of(report, dataset="normal", leave_one_out={"knn_recall"})
    ]
    return reports, rows


def test_intervals_are_those_of_the_reports():
    reports, rows = real_rows()
    (table,) = leaderboard(rows, sort="knn_recall")
    for entry in table.entries:
        score = reports[entry.encoder]["knn_recall"]
        assert (entry.low, entry.high) == pytest.approx((score.low, score.high), rel=1e-12)


def test_places_are_shared_as_compare_says():
    import distbench

    reports, rows = real_rows()
    placed = places(rows, sort="knn_recall")
    assert placed["a"] == 1
    for name in ("b", "c"):
        told_apart = distbench.compare(reports["a"], reports[name])["knn_recall"].better is not None
        assert (placed[name] == 1) == (not told_apart)


def test_rows_stored_before_interactions_were_kept_have_wider_intervals():
    _, rows = real_rows()
    old = [{key: value for key, value in row.items() if key != "interaction"} for row in rows]
    (new_table,), (old_table,) = (leaderboard(given, sort="knn_recall") for given in (rows, old))
    for new, before in zip(new_table.entries, old_table.entries, strict=True):
        assert before.low < new.low < new.high < before.high
    mixed = leaderboard([*rows[: len(rows) // 3], *old[len(rows) // 3 :]], sort="knn_recall")
    assert len(mixed[0].entries) == 3


def test_the_interval_of_a_perfect_score_is_the_reports_too():
    import distbench

    X = np.random.default_rng(2).normal(size=(60, 4))
    report = distbench.evaluate_codes(X, X, name="same")
    (table,) = leaderboard(rows_of(report, leave_one_out={"continuity"}))
    (entry,) = table.entries
    assert (entry.low, entry.high) == (report["continuity"].low, report["continuity"].high)
    assert entry.low < entry.high == 1


def test_encoders_fitted_on_the_test_points_say_so_once_and_are_apart_from_others():
    rows = [
        row("mds", 0.9, in_sample=True),
        row("mds", 0.8, in_sample=False),
        row("tsne_in_sample", 0.7, in_sample=True),
    ]
    (table,) = leaderboard(rows)
    assert [(entry.encoder, entry.in_sample) for entry in table.entries] == [
        ("mds", True),
        ("mds", False),
        ("tsne_in_sample", True),
    ]
    text = render_table(table, 120)
    assert text.count("(in sample)") == 1
    assert "in sample: fitted on train and test points together" in text
    assert "in sample" not in render_table(leaderboard([row("mds", 0.8)])[0], 120)


def test_notes_stand_under_the_table():
    (table,) = leaderboard([row("mds", 0.9, note="out of sample: nearest points"), row("pca", 0.8)])
    assert "\nmds: out of sample: nearest points" in render_table(table, 120)


def test_stored_rows_say_since_when():
    first, second, new = row("a", 0.9, stored="2026-01-02"), row("b", 0.8, stored="2026-03-04"), row("c", 0.7)
    assert "stored 2026-01-02: all rows" in render_table(leaderboard([first])[0], 120)
    text = render_table(leaderboard([first, second, new])[0], 120)
    assert "stored 2026-01-02: a\nstored 2026-03-04: b" in text
    assert "stored" not in render_table(leaderboard([new])[0], 120)


def test_a_stale_encoder_has_no_place_and_its_reason():
    about = {"dataset": "digits", "code_size": 2, "k": 10, "m": M_POINTS, "M": 100}
    stale = failed_row("recipe changed", encoder="old", status="stale: ", **about)
    (table,) = leaderboard([stale, row("new", 0.9)])
    assert [(entry.encoder, entry.place) for entry in table.entries] == [("new", 1), ("old", None)]
    assert "no place: old: stale: recipe changed" in render_table(table, 120)


@pytest.mark.parametrize("gap", [0.0005, 0.002, 0.02])
def test_packed_rows_share_places_and_have_intervals_as_those_of_this_run(gap):
    rows = [row(n, v, noise=0.05, stream=i) for i, (n, v) in enumerate([("a", 0.9), ("b", 0.9 - gap), ("c", 0.5)])]
    stored = [{**one, "leave_one_out": pack(one["leave_one_out"], "float16", one["value"])} for one in rows]
    assert places(stored) == places(rows) == places([rows[0], *stored[1:]])
    for one, other in zip(leaderboard(stored)[0].entries, leaderboard(rows)[0].entries, strict=True):
        assert (one.high - one.low) / (other.high - other.low) == pytest.approx(1, abs=0.01)


def test_data_that_changed_under_one_name_are_two_tables():
    rows = [row("a", 0.9, data_sha256="1" * 64), row("b", 0.8, data_sha256="2" * 64)]
    first, second = leaderboard(rows)
    assert [first.name, second.name] == ["digits (data 11111111)", "digits (data 22222222)"]
    assert [table.dataset for table in leaderboard(rows[:1])] == ["digits"]
