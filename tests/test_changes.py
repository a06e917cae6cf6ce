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


def lines(found, width=100):
    return render_changes(found, width).splitlines()


def test_what_got_worse_comes_first_then_better_then_the_number_of_the_rest():
    found = lines(comparison(change("a", now=0.96), change("b", now=0.7), change("c", now=0.9), change("d", now=0.9)))
    assert found == [
        "Changes since old.json",
        "",
        "1 worse (1 surely *):",
        "  b, digits, code size 2: continuity 0.9000 -> 0.7000 (-0.20, -0.25 to -0.15) *",
        "1 better (1 surely *):",
        "  a, digits, code size 2: continuity 0.9000 -> 0.9600 (+0.06, +0.01 to +0.11) *",
        "2 as they were",
        "* the 95 % interval of the change excludes 0",
    ]


def test_worse_follows_the_direction_of_the_metric():
    stress = {"metric": "stress", "direction": "down"}
    found = group_changes(comparison(change("a", now=0.95, **stress), change("b", now=0.7, **stress)))
    assert [one.encoder for one in found.worse] == ["a"]
    assert [one.encoder for one in found.better] == ["b"]


def test_what_is_sure_comes_before_what_is_large():
    found = group_changes(comparison(change("large", now=0.3, half=0.7), change("sure", now=0.89, half=0.001)))
    assert [one.encoder for one in found.worse] == ["sure", "large"]
    assert [one.encoder for one in found.sure] == ["sure"]


def test_each_encoder_comes_before_any_of_them_twice():
    metrics = {"trustworthiness": 0.89, "continuity": 0.88, "stress": 0.5}
    changes = [change(name, now=now, half=0.001, metric=m) for name in "ab" for m, now in metrics.items()]
    changes.append(change("c", now=0.85, half=0.001))
    found = [(one.encoder, one.metric) for one in group_changes(comparison(*changes)).worse]
    assert found[:3] == [("c", "continuity"), ("a", "trustworthiness"), ("b", "trustworthiness")]
    assert [metric for _, metric in found[3:]] == ["continuity", "continuity", "stress", "stress"]


def test_it_stays_short_and_says_where_the_rest_is():
    many = [change(f"encoder_{n}", now=0.8 - n / 1000) for n in range(100)]
    better = [change(f"better_{n}", now=0.99) for n in range(50)]
    lost = [NotCompared(f"lost_{n}", "digits", "", 2, "", "now failed: no", failed=True) for n in range(9)]
    names = tuple(f"new_{n}, digits, code size 2" for n in range(9))
    found = lines(comparison(*many, *better, not_compared=tuple(lost), only_now=names), 80)
    assert len(found) <= 24
    assert "100 worse (100 surely *), the first 8 of them:" in found
    assert "  encoder_99, digits, code size 2: continuity 0.9000 -> 0.7010 (-0.20) *" in found
    assert any(line.startswith("lost: lost_0, digits, code size 2: now failed: no; ") for line in found)
    assert any("and 6 more" in line for line in found)
    assert "--distbench-report md:PATH" in found[-1]


@pytest.mark.parametrize("width", [40, 80, 200])
def test_that_points_changed_is_said_however_narrow_the_lines_are(width):
    other = {"paired": False, "other_points": True, "note": "not paired: the points changed"}
    changes = [change("a", **other), change("a", metric="stress", **other), change("b", now=0.9, half=None, **other)]
    found = " ".join(line.strip() for line in lines(comparison(*changes, change("c", now=0.7)), width))
    said = "the points changed, so intervals are not paired: a, digits, code size 2; b, digits, code size 2"
    assert found.count("the points changed") == 1
    assert said in found
    assert "points changed" not in render_changes(comparison(change("a")), width)


def test_where_the_rest_is_stands_below_lines_without_room_and_is_for_the_caller_to_say():
    found = comparison(change("a_rather_long_name_of_an_encoder"))
    assert "(--distbench-report md:PATH)" in render_changes(found, 60)
    assert render_changes(found, 60, rest="look there").endswith("\nlook there")
    assert "look there" not in render_changes(found, 120, rest="look there")
    many = comparison(*(change(f"e{n}", now=0.8 - n / 100) for n in range(9)))
    assert render_changes(many, 120, rest="look there").endswith("\nlook there")


@pytest.mark.parametrize("width", [40, 80, 120])
def test_no_line_is_wider_than_the_terminal(width):
    changes = [change("a_rather_long_name_of_an_encoder", now=n / 10, half=0.01 * n) for n in range(1, 9)]
    assert max(map(len, lines(comparison(*changes), width))) <= width


def test_what_changed_does_not_look_as_if_it_had_not():
    before, now, *_ = change_text(change(before=0.900001, now=0.900002))
    assert before != now


def test_infinite_changes_are_told_without_an_interval():
    one = change(metric="distortion", direction="down", before=3.0, now=math.inf, half=None)
    assert "distortion 3.0000 -> inf (+inf)" in render_changes(comparison(one))


def test_what_could_not_be_compared_is_said_with_its_reason():
    other = NotCompared("pca", "", "t.py::test", 2, "stress", "metric version was 1, is now 2")
    found = render_changes(comparison(not_compared=(other,), only_before=("mds, digits, code size 2",)), 120)
    assert "not compared: pca, t.py::test, code size 2, stress: metric version was 1, is now 2" in found
    assert "only before: mds, digits, code size 2" in found


def test_nothing_in_common_is_said():
    assert lines(comparison()) == ["Changes since old.json", "", "nothing in common to compare"]
