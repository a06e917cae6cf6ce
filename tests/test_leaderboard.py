from __future__ import annotations

import math
import re
import statistics
import time
from dataclasses import replace

import numpy as np
import pytest

import distbench
from distbench.inference.jackknife import add_replicates, jackknife_interval
from distbench.render.text import DROP_ORDER, leaderboard_lines, printable, render_leaderboards
from distbench.results.leaderboard import leaderboard
from distbench.results.leaderboard_table import tables_of
from distbench.results.packing import pack
from distbench.results.rows import Row, failed_row, rows_of

rng = np.random.default_rng(0)
M_POINTS = 40
SHARED = rng.normal(size=M_POINTS)
"""What makes some test points harder than others, for every encoder: it cancels in paired differences."""
LONG_TEST = "tests/very/deep/folders/test_encoders.py::test_that_my_encoder_keeps_what_is_close_close"


def row(encoder, value, *, metric="continuity", noise=0.0, stream=0, **changes):
    """Return a row with the leave-one-out values of a mean of per-point scores around ``value``."""
    own = np.random.default_rng(stream).normal(size=M_POINTS)
    points = SHARED - SHARED.mean() + noise * (own - own.mean())
    leave_one_out = (value * M_POINTS - value - points) / (M_POINTS - 1)
    about = {"encoder": encoder, "dataset": "digits", "code_size": 2, "code_width": 2, "test": f"s.toml::{encoder}"}
    about |= {"metric": metric, "metric_version": 1, "direction": "up", "value": value, "low": None, "high": None}
    about |= {"k": 10, "m": M_POINTS, "M": 100, "seed": 0, "seconds": 1.0, "status": "ok"}
    return Row(**{**about, "leave_one_out": [float(v) for v in leave_one_out], **changes})


def entries_of(rows, sort="continuity"):
    (board,) = leaderboard(rows, sort)
    return board.entries


def places(rows, sort="continuity"):
    return {entry.encoder: entry.place for entry in entries_of(rows, sort)}


def text_of(*rows, width=80, sort="continuity"):
    return "\n\n".join(render_leaderboards(rows, sort, width))


def failed(encoder, reason, **about):
    plain = {"dataset": "digits", "code_size": 2, "k": 10, "m": M_POINTS, "M": 100, "test": f"s.toml::{encoder}"}
    return failed_row(reason, encoder=encoder, **plain, **about)


def noisy(encoder, value, stream):
    return row(encoder, value, noise=1.0, stream=stream)


DOWN = {"metric": "distortion", "direction": "down"}


@pytest.mark.parametrize(
    ("rows", "sort", "expected"),
    [
        ([row("c", 0.7), row("a", 0.9), row("b", 0.8)], "continuity", {"a": 1, "b": 2, "c": 3}),
        ([row("b", 0.2, **DOWN), row("a", 0.1, **DOWN)], "distortion", {"a": 1, "b": 2}),
        ([noisy("a", 0.81, 1), noisy("b", 0.80, 2), row("c", -3.0)], "continuity", {"a": 1, "b": 1, "c": 3}),
        (
            [row("a", 0.8, leave_one_out=None), row("b", 0.8, leave_one_out=None), row("c", 0.79, leave_one_out=None)],
            "continuity",
            {"a": 1, "b": 1, "c": 3},
        ),
        (
            [row(n, v, **DOWN, leave_one_out=None) for n, v in (("a", math.inf), ("b", 5.0), ("c", math.inf))],
            "distortion",
            {"b": 1, "a": 2, "c": 2},
        ),
    ],
    ids=["best first", "down", "the next place counts all", "only equal values without intervals", "infinite last"],
)
def test_places(rows, sort, expected):
    assert list(places(rows, sort).items()) == list(expected.items())


def test_paired_differences_decide_where_intervals_overlap():
    a, b = entries_of([row("a", 0.80), row("b", 0.79)])
    assert a.low < b.high, "unpaired, they overlap"
    assert (a.place, b.place) == (1, 2)


def test_a_place_counts_the_encoders_that_are_shown_to_be_better():
    rows = [noisy("a", 0.8, 1), noisy("b", 0.4, 2), noisy("c", 0.0, 3)]
    loo = {r.encoder: np.array(r.leave_one_out) for r in rows}
    value = {r.encoder: r.value for r in rows}

    def contains_zero(one, two):
        low, high = jackknife_interval(value[one] - value[two], loo[one] - loo[two], 1 - 0.05 / 3)
        return low <= 0 <= high

    assert (contains_zero("a", "b"), contains_zero("b", "c"), contains_zero("a", "c")) == (True, True, False)
    assert places(rows) == {"a": 1, "b": 1, "c": 2}, "one is shown to be better"


def test_an_imprecise_encoder_is_compared_with_all_that_are_above_it():
    precise = [row("a", 0.80), row("b", 0.79)]
    imprecise = [row("c", value, seed=seed) for seed, value in enumerate((0.70, 0.85, 0.76))]
    assert places([*precise, *imprecise]) == {"a": 1, "b": 2, "c": 1}


def test_seeds_are_averaged_and_their_spread_stands_beside_the_interval():
    values = [0.7, 0.8, 0.75]
    rows = [row("a", value, noise=0.5, stream=s, seed=s, seconds=s + 1.0) for s, value in enumerate(values)]
    (entry,) = entries_of(rows)
    assert entry.values["continuity"] == pytest.approx(statistics.fmean(values))
    assert entry.seed_sd == pytest.approx(statistics.stdev(values))
    assert (entry.ran, entry.seeds, entry.seconds) == (3, 3, 2.0)
    mean_loo = np.mean([r.leave_one_out for r in rows], axis=0)
    points = jackknife_interval(0.75, mean_loo, 0.95, (0.0, 1.0))
    assert (entry.low, entry.high) == pytest.approx(add_replicates(points, 0.75, entry.seed_sd, 3))


def test_recipes_that_differ_less_than_their_trainings_share_a_place():
    values = {"a": (0.70, 0.80, 0.75), "b": (0.69, 0.79, 0.74)}
    rows = [row(name, value, seed=seed) for name, of_seeds in values.items() for seed, value in enumerate(of_seeds)]
    assert places(rows) == {"a": 1, "b": 1}
    assert places([r for r in rows if r.seed == 0]) == {"a": 1, "b": 2}, "the fitted encoders of one seed differ"


def test_places_hold_for_all_pairs_together():
    pair = [noisy("a", 0.8, 1), noisy("b", 0.3, 2)]
    assert places(pair) == {"a": 1, "b": 2}
    many = [noisy(f"c{n}", 0.3, n) for n in range(3, 30)]
    assert places([*pair, *many])["b"] == 1


def test_intervals_alone_tell_encoders_apart_if_they_are_far_apart():
    def plain(name, value):
        return row(name, value, leave_one_out=None, low=value - 0.1, high=value + 0.1)

    assert places([plain("a", 0.8), plain("b", 0.7), plain("c", 0.2)]) == {"a": 1, "b": 1, "c": 3}


@pytest.mark.parametrize(
    ("without", "reason"),
    [
        ([failed("b", "ValueError: diverged", seed=1), row("b", 0.99)], "seed 1 failed: ValueError: diverged"),
        ([failed("b", "recipe changed", status="stale: ")], "stale: recipe changed"),
        ([row("b", math.nan)], "continuity is not a number"),
        ([row("b", 0.5, metric="stress")], "continuity was not measured"),
    ],
    ids=["failed", "stale", "nan", "not measured"],
)
def test_encoders_without_a_place_come_last_with_a_reason(without, reason):
    first, last = entries_of([*without, row("a", 0.5)])
    assert (first.encoder, first.place, first.reason) == ("a", 1, "")
    assert (last.encoder, last.place, last.reason) == ("b", None, reason)
    assert last.seeds - last.ran == sum(failure.status != "ok" for failure in without)
    assert f"no place: b: {reason}" in text_of(*without, row("a", 0.5), width=120)
    assert f"no place: b: {reason}" in text_of(*without, width=120), "alone, too"


@pytest.mark.parametrize("key", ["dataset", "code_size", "k", "m", "M"])
def test_what_cannot_be_compared_does_not_share_a_table(key):
    other = "other" if key == "dataset" else 7
    assert len(leaderboard([row("a", 0.5), row("b", 0.6, **{key: other})])) == 2


def test_data_that_changed_under_one_name_are_two_tables():
    rows = [row("a", 0.9, data_sha256="1" * 64), row("b", 0.8, data_sha256="2" * 64)]
    assert [table.name for table in tables_of(rows)] == ["digits (data 11111111)", "digits (data 22222222)"]
    assert [table.name for table in tables_of(rows[:1])] == ["digits"]


def test_points_without_a_data_set_are_named_by_their_test():
    boards = leaderboard([row("a", 0.5, test="t::1", dataset=""), row("b", 0.6, test="t::2", dataset="")])
    assert [board.test for board in boards] == ["t::1", "t::2"]
    assert len(entries_of([row("a", 0.5, test="t::1", dataset=""), row("b", 0.6, test="t::1", dataset="")])) == 2


def test_a_fit_that_two_suites_share_counts_once_and_another_of_that_name_stays():
    same = [row("a", 0.5, test="one.toml::a"), row("a", 0.5, test="two.toml::a")]
    assert list(places(same)) == ["a"]
    assert list(places([*same, row("a", 0.6, test="three.toml::a")])) == ["a (three.toml::a)", "a (one.toml::a)"]


def test_the_order_of_rows_changes_nothing():
    values = {"a": 0.5, "b": 0.5, "c": 0.7}
    rows = [row(name, value, code_size=n, leave_one_out=None) for n in (2, 8) for name, value in values.items()]
    boards = leaderboard(rows)
    assert [board.code_size for board in boards] == [2, 8]
    assert leaderboard(rows[::-1]) == boards
    assert leaderboard([]) == tables_of([]) == []


@pytest.mark.parametrize("gap", [0.0005, 0.002, 0.02])
def test_packed_rows_share_places_and_have_intervals_as_those_of_this_run(gap):
    rows = [row(n, v, noise=0.05, stream=i) for i, (n, v) in enumerate([("a", 0.9), ("b", 0.9 - gap), ("c", 0.5)])]
    stored = [replace(plain, leave_one_out=pack(plain.leave_one_out, "float16", plain.value)) for plain in rows]
    assert places(stored) == places(rows) == places([rows[0], *stored[1:]])
    for packed, plain in zip(entries_of(stored), entries_of(rows), strict=True):
        assert (packed.high - packed.low) / (plain.high - plain.low) == pytest.approx(1, abs=0.01)


@pytest.fixture(scope="module")
def reports():
    """Return reports whose intervals are corrected for interactions."""
    X = np.random.default_rng(1).normal(size=(150, 6))
    noise = np.random.default_rng(2).normal(size=(3, 150, 2))
    return {
        name: distbench.evaluate_codes(X, X[:, :2] + size * own, name=name)
        for name, size, own in zip("abc", (0.1, 0.13, 0.8), noise, strict=True)
    }


@pytest.fixture(scope="module")
def real_rows(reports):
    return [row for r in reports.values() for row in rows_of(r, dataset="normal", leave_one_out={"knn_recall"})]


def test_intervals_match_reports_and_shared_places_match_compare(reports, real_rows):
    for entry in entries_of(real_rows, "knn_recall"):
        score = reports[entry.encoder]["knn_recall"]
        assert (entry.low, entry.high) == pytest.approx((score.low, score.high), rel=1e-12)
        better = distbench.compare(reports["a"], reports[entry.encoder])["knn_recall"].better
        assert (entry.place == 1) == (better is None)
    X = np.random.default_rng(2).normal(size=(60, 4))
    perfect = distbench.evaluate_codes(X, X, name="same")
    (entry,) = entries_of(rows_of(perfect, leave_one_out={"continuity"}))
    assert (entry.low, entry.high) == (perfect["continuity"].low, perfect["continuity"].high)
    assert entry.low < entry.high == 1
    near = distbench.evaluate_codes(X, X + 0.01 * np.sin(5 * X), name="near")
    assert near["continuity"].points.min() < 1 < 1.3 * near["continuity"].points.mean()
    (entry,) = entries_of(rows_of(near, leave_one_out={"continuity"}))
    assert (entry.low, entry.high) == (near["continuity"].low, near["continuity"].high)
    old = [replace(row, interaction=None) for row in real_rows]  # of files that did not store it
    for new, before in zip(entries_of(real_rows, "knn_recall"), entries_of(old, "knn_recall"), strict=True):
        assert before.low < new.low < new.high < before.high
    assert len(entries_of([*real_rows[: len(old) // 3], *old[len(old) // 3 :]], "knn_recall")) == 3


@pytest.fixture(scope="module")
def digits_rows():
    data = distbench.load_dataset("digits")
    rows = []
    for name in ("identity", "pca", "random_projection"):
        encoder = distbench.fit_baseline(name, data.train, code_size=2, seed=0)
        report = distbench.evaluate(encoder, data.test, reference=data.train)
        rows += rows_of(report, dataset="digits", code_size=2, seed=0, seconds=0.2, leave_one_out={"continuity"})
    return rows


@pytest.mark.parametrize("width", [60, 80, 100, 120, 200])
def test_a_table_fits_the_width_and_names_columns_left_out(digits_rows, width):
    text = text_of(*digits_rows, width=width)
    assert max(map(len, text.splitlines())) <= width
    left_out = " ".join(text.split("shows all): ")[1:]).replace("\n ", "")
    order = [name for name in DROP_ORDER if name in left_out.split(", ")]
    assert order == left_out.split(", ") if left_out else width == 200
    if left_out:
        enough = int(text.split("COLUMNS=")[1].split()[0])
        assert "left out" in text_of(*digits_rows, width=enough - 1)
        assert "left out" not in text_of(*digits_rows, width=enough)
    metrics = {row.metric for row in digits_rows}
    expected = [name for name in DROP_ORDER if name in metrics or name in ("seeds", "fit s")]
    assert expected[: len(order)] == order, "columns go in the stated order"


def test_numbers_are_the_same_at_every_width(digits_rows):
    narrow, wide = (
        next(line for line in text_of(*digits_rows, width=width).splitlines() if " pca " in line).split()
        for width in (40, 200)
    )
    assert set(narrow) <= set(wide)
    values = {row.metric: row.value for row in digits_rows if row.encoder == "pca"}
    assert f"{values['continuity']:.3f}" in narrow
    assert f"{values['spearman']:.3f}" in wide


def test_an_encoder_that_ignores_the_code_size_is_marked(digits_rows):
    text = text_of(*digits_rows, width=100)
    assert "identity *" in text
    assert "* identity: code size ignored, its codes have 64 columns" in text
    assert "pca *" not in text


def test_shared_places_are_marked_and_explained():
    text = text_of(noisy("a", 0.81, 1), noisy("b", 0.80, 2))
    assert text.count("1=") == 2
    assert "=  shares a place" in text
    assert "=" not in text_of(row("a", 0.9), row("b", 0.1)).split("candidates)")[1]


def test_long_names_are_cut_in_the_middle_and_numbers_never():
    plain = {"dataset": "", "seconds": None, "seed": None}
    text = text_of(*(row("net", 0.5, test=f"{LONG_TEST}[{n}]", **plain) for n in (1, 2)), width=60)
    assert max(map(len, text.splitlines())) <= 60
    assert re.search(r"^tests/v\S*\.\.\.\S*_close\[1\] net", text, re.MULTILINE)
    assert "_close[2] net" in text
    assert text.count("0.500") == 2


def test_each_limit_of_a_single_encoder_has_a_line_with_its_interval_and_broken_ones_come_first():
    about = {"dataset": "", "seconds": None, "seed": None, "low": 0.2, "high": 0.3, "m": 40}
    met = {"limit": 0.2, "verdict": "met", "metric": "knn_recall", **about}
    red = {"limit": 0.9, "verdict": "broken", "metric": "stress", "direction": "down", **about}
    text = text_of(
        row("net", 0.5, test="t.py::test_net", **about),
        row("net", 0.25, test="t.py::test_net", **met),
        row("net", 0.26, test="t.py::test_net", **{**met, "metric": "trustworthiness"}),
        row("pca", 0.5, test="t.py::test_z[a b]", **about),
        row("pca", 0.95, test="t.py::test_z[a b]", **red),
        row("mds", 0.75, test="t.py::test_zz", **about),
    )
    assert max(map(len, text.splitlines())) <= 80
    title, lines = text.split("\n\n")[:2]
    assert title == "Checks of single encoders in t.py (k = 10, m = 40 test points, M = 100 candidates)".replace(
        " candidates)", "\ncandidates)"
    )
    cells = [re.split(r"  +", line.strip()) for line in lines.splitlines()[3:]]
    assert cells == [
        ["test_z[a b] pca", "stress", "0.950!", "0.200 to 0.300", "<= 0.9", "2"],
        ["test_net", "knn_recall", "0.250", "0.200 to 0.300", ">= 0.2", "2"],
        ["trustworthiness", "0.260", "0.200 to 0.300", ">= 0.2", "2"],
        ["test_zz mds", "continuity", "0.750", "0.200 to 0.300", "-", "2"],
    ]
    other_k = row("net", 0.25, test="u.py::test_net", **{**met, "k": 20})
    text = text_of(row("net", 0.25, test="t.py::test_net", **met), other_k, sort="knn_recall", width=120)
    assert "knn_recall@10 " in text
    assert "knn_recall@20 " in text
    assert "t.py::test_net" in text


def test_a_check_without_the_sort_metric_is_shown_by_another_and_two_in_one_test_are_ranked_by_it():
    about = {"dataset": "", "seconds": None, "seed": None, "leave_one_out": None}
    index = row("index", 0.25, metric="knn_recall", test="t.py::test_index", low=0.2, high=0.3, **about)
    net = [
        row("net", 0.7, test="t.py::test_net", low=0.6, high=0.8, **about),
        row("net", 0.5, metric="knn_recall", test="t.py::test_net", low=0.4, high=0.6, **about),
    ]
    assert re.search(r"index +0\.250 +0\.200 to 0\.300", text_of(index, width=120))
    (table,) = tables_of([index, *net])
    cells = {column.key: [cell.text for cell in column.cells] for column in table.columns}
    assert table.unranked == ()
    assert cells["continuity"] == ["-", "0.7000"]
    assert cells["interval"] == ["-", "0.6000 to 0.8000"]
    with_limits = text_of(index, *[replace(one, limit=0.9, verdict="broken") for one in net], width=120)
    assert re.search(r"knn_recall +0\.250 +0\.200 to 0\.300 +-", with_limits)
    (board,) = leaderboard([index, replace(index, encoder="other", value=0.9, low=0.8, high=0.95)])
    assert (board.sort, [entry.place for entry in board.entries]) == ("knn_recall", [1, 2])


def test_notes_on_several_tables_are_told_once_and_a_head_says_how_many_are_below():
    rows = [row(name, value, dataset=data) for data in "ab" for name, value in (("x", 0.5), ("y", 0.5), ("z", 0.5))]
    *boards, notes = render_leaderboards(rows, "continuity", 80)
    assert len(boards) == 2
    assert "shares a place" in notes
    assert not any("shares a place" in board for board in boards)
    heads = ["\n".join(line.text for line in lines) for lines in leaderboard_lines(rows, "continuity", 80, head=1)]
    assert [("x" in text, " y " in text, "and 2 more" in text) for text in heads[:-1]] == [(True, False, True)] * 2
    assert "and 2 more" not in heads[-1]


def test_cells_have_three_decimals_and_a_dash_stands_for_no_value():
    text = text_of(row("a", 0.5), row("a", 0.00012345, **DOWN), row("b", 0.4), width=200)
    a, b = (line.split() for line in text.splitlines() if line.startswith(("1", "2")))
    assert ("0.000" in a, "0.000" in b, "-" in b) == (True, False, True)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", None])
def test_text_is_safe_where_the_stream_is_not_utf8(encoding):
    text = printable(text_of(row("größe 距離", 0.5)), encoding)
    assert text.encode(encoding or "ascii")
    assert "0.500" in text
    assert printable("größe 距離", "utf-8") == "größe 距離"


def test_encoders_fitted_on_the_test_points_are_marked_once():
    in_sample = [("mds", True), ("mds", False), ("tsne_in_sample", True)]
    rows = [row(name, 0.9 - n / 10, in_sample=sees) for n, (name, sees) in enumerate(in_sample)]
    assert [(entry.encoder, entry.in_sample) for entry in entries_of(rows)] == in_sample
    text = text_of(*rows, width=120)
    assert text.count("(in sample)") == 1
    assert "in sample: fitted on train and test points together" in text
    assert "in sample" not in text_of(row("mds", 0.8))


def test_notes_and_days_stand_under_the_table():
    first, second = row("a", 0.9, stored="2026-01-02", note="out of sample"), row("b", 0.8, stored="2026-03-04")
    assert "\na: out of sample" in text_of(first)
    assert "stored 2026-01-02: all rows" in text_of(first)
    assert "stored 2026-01-02: a\nstored 2026-03-04: b" in text_of(first, second, row("c", 0.7))
    assert "stored" not in text_of(row("c", 0.7))


@pytest.mark.parametrize(("verdict", "mark"), [("broken", "!"), ("undecided", "?"), ("met", "")])
def test_cells_of_limits_have_marks_and_titles(verdict, mark):
    seeds = [row("a", 0.9, seed=0, limit=0.5, verdict="met"), row("a", 0.9, seed=1, limit=0.95, verdict=verdict)]
    (table,) = tables_of([*seeds, row("b", 0.8)])
    columns = {column.key: column for column in table.columns}
    cell, other = columns["continuity"].cells
    assert (cell.text, cell.mark, cell.verdict, cell.is_best) == ("0.9000", mark, verdict, True)
    assert cell.title == f"limit at least 0.95: {verdict}"
    assert (other.mark, other.verdict, other.title, other.is_best) == ("", "", "", False)
    spans = [cell.span for cell in columns["interval"].cells]
    assert min(low for low, _, _ in spans) == 0
    assert max(high for _, _, high in spans) == 1
    assert all(low <= value <= high for low, value, high in spans)
    assert any(note.startswith(("!", "?")) for note in table.notes) == bool(mark)


def test_twenty_thousand_metrics_take_seconds_and_a_note_names_a_few():
    rows = [row("a", 0.5, leave_one_out=None)]
    rows += [replace(rows[0], metric=f"metric_{number}") for number in range(20_000)]
    start = time.perf_counter()
    text = text_of(*rows, *[replace(row, encoder="b", value=0.4) for row in rows])
    assert time.perf_counter() - start < 20
    assert "metric_29 and 19,9" in " ".join(text.split())
    assert len(text) < 2000
