from __future__ import annotations

import math

import pytest

from distbench.render.changes import change_text, group_changes, render_changes
from distbench.results.gates import Change, NotCompared, RunComparison


def change(encoder="pca", before=0.9, now=0.8, half=0.05, **about):
    plain = {"dataset": "digits", "test": "", "code_size": 2, "metric": "continuity", "direction": "up", "paired": True}
    moved = now - before
    ends = {"low": None, "high": None} if half is None else {"low": moved - half, "high": moved + half}
    return Change(encoder, before=before, now=now, difference=moved, **{**plain, **ends, **about})


def comparison(*changes, **others):
    return RunComparison("old.json", changes, **others)


def lines(output, width=100):
    return render_changes(output, width).splitlines()


def test_worse_metrics_come_first_then_better_ones_then_the_number_of_the_rest():
    output = lines(comparison(change("a", now=0.96), change("b", now=0.7), change("c", now=0.9), change("d", now=0.9)))
    assert output == [
        "Changes since old.json",
        "",
        "1 worse (1 clearly *):",
        "  b, digits, code size 2: continuity 0.9000 -> 0.7000 (-0.20, -0.25 to -0.15) *",
        "1 better (1 clearly *):",
        "  a, digits, code size 2: continuity 0.9000 -> 0.9600 (+0.06, +0.01 to +0.11) *",
        "2 unchanged",
        "* the 95 % interval of the change excludes 0; with several seeds it also covers other trainings",
    ]


STRESS = {"metric": "stress", "direction": "down"}


@pytest.mark.parametrize(
    ("changes", "worse", "better", "sure"),
    [
        ((change("a", now=0.95, **STRESS), change("b", now=0.7, **STRESS)), ["a"], ["b"], ["b"]),
        ((change("large", now=0.3, half=0.7), change("sure", now=0.89, half=0.001)), ["sure", "large"], [], ["sure"]),
    ],
    ids=["the metric says what is worse", "sure changes come before large ones"],
)
def test_changes_are_grouped(changes, worse, better, sure):
    groups = group_changes(comparison(*changes))
    assert [[item.encoder for item in group] for group in (groups.worse, groups.better)] == [worse, better]
    assert sorted(item.encoder for item in groups.sure) == sure


def test_each_encoder_comes_before_any_of_them_twice():
    metrics = {"trustworthiness": 0.89, "continuity": 0.88, "stress": 0.5}
    changes = [change(name, now=now, half=0.001, metric=m) for name in "ab" for m, now in metrics.items()]
    changes.append(change("c", now=0.85, half=0.001))
    output = [(item.encoder, item.metric) for item in group_changes(comparison(*changes)).worse]
    assert output[:3] == [("c", "continuity"), ("a", "trustworthiness"), ("b", "trustworthiness")]
    assert [metric for _, metric in output[3:]] == ["continuity", "continuity", "stress", "stress"]


def test_it_stays_short_and_names_the_option_that_shows_the_rest():
    many = [change(f"encoder_{n}", now=0.8 - n / 1000) for n in range(100)]
    better = [change(f"better_{n}", now=0.99) for n in range(50)]
    lost = [NotCompared(f"lost_{n}", "digits", "", 2, "", "now failed: no", failed=True) for n in range(9)]
    names = tuple(f"new_{n}, digits, code size 2" for n in range(9))
    output = lines(comparison(*many, *better, not_compared=tuple(lost), only_now=names), 80)
    assert len(output) <= 24
    assert "100 worse (100 clearly *), the first 8 of them:" in output
    assert "  encoder_99, digits, code size 2: continuity 0.9000 -> 0.7010 (-0.20) *" in output
    assert any(line.startswith("lost: lost_0, digits, code size 2: now failed: no; ") for line in output)
    assert any("and 6 more" in line for line in output)
    assert "--distbench-report md:PATH" in output[-1]


@pytest.mark.parametrize("width", [40, 80, 200])
def test_lines_of_any_width_report_that_points_changed(width):
    other = {"paired": False, "other_points": True, "note": "not paired: the points changed"}
    changes = [change("a", **other), change("a", metric="stress", **other), change("b", now=0.9, half=None, **other)]
    output = " ".join(line.strip() for line in lines(comparison(*changes, change("c", now=0.7)), width))
    expected = "the points changed, so intervals are not paired: a, digits, code size 2; b, digits, code size 2"
    assert output.count("the points changed") == 1
    assert expected in output
    assert "points changed" not in render_changes(comparison(change("a")), width)


def test_the_caller_names_the_place_of_what_lines_have_no_room_for():
    output = comparison(change("a_rather_long_name_of_an_encoder"))
    assert "(--distbench-report md:PATH)" in render_changes(output, 60)
    assert render_changes(output, 60, rest="look there").endswith("\nlook there")
    assert "look there" not in render_changes(output, 120, rest="look there")
    many = comparison(*(change(f"e{n}", now=0.8 - n / 100) for n in range(9)))
    assert render_changes(many, 120, rest="look there").endswith("\nlook there")


@pytest.mark.parametrize("width", [40, 80, 120])
def test_no_line_is_wider_than_the_terminal(width):
    changes = [change("a_rather_long_name_of_an_encoder", now=n / 10, half=0.01 * n) for n in range(1, 9)]
    assert max(map(len, lines(comparison(*changes), width))) <= width


def test_changes_without_an_interval_or_comparison_take_a_line():
    other = NotCompared("pca", "", "t.py::test", 2, "stress", "metric version was 1, is now 2")
    infinite = change(metric="distortion", direction="down", before=3.0, now=math.inf, half=None)
    text = render_changes(comparison(infinite, not_compared=(other,), only_before=("mds, digits, code size 2",)), 120)
    assert "distortion 3.0000 -> inf (+inf)" in text
    before, now, *_ = change_text(change(before=0.900001, now=0.900002))
    assert before != now, "what changed does not look as if it had not"
    assert "not compared: pca, t.py::test, code size 2, stress: metric version was 1, is now 2" in text
    assert "only before: mds, digits, code size 2" in text
    assert lines(comparison()) == ["Changes since old.json", "", "nothing in common to compare"]
