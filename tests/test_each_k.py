"""Several numbers of neighbors in one call: names with ``@``, and ``k=(1, 10, 100)``."""

from __future__ import annotations

import numpy as np
import pytest
from clouds import KINDS, SETTINGS, cloud, split
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import definitions

import distbench
from distbench.errors import InputError
from distbench.inference.attainable import attainable
from distbench.inference.chance import chance
from distbench.inference.floors import floors
from distbench.metrics import METRICS

NEIGHBORS = [name for name, metric in METRICS.items() if metric.largest_k]
X, Z, LABELS = cloud("plain", 60)
POINTS = split(X, Z, LABELS, "train and test")


def evaluated(points, **options):
    reference = None if points.X_ref is None else (points.X_ref, points.Z_ref)
    labels = {"labels": points.labels, "reference_labels": points.labels_ref}
    return distbench.evaluate_codes(
        points.X, points.Z, reference=reference, include_queries=points.include, **labels, **options
    )


def same(score, other):
    """Whether two scores are equal to the last bit, but for their names."""
    arrays = [(getattr(score, name), getattr(other, name)) for name in ("points", "leave_one_out", "interaction")]
    numbers = [
        [getattr(one, name) for name in ("value", "low", "high", "chance", "counts", "direction")]
        for one in (score, other)
    ]
    return numbers[0] == numbers[1] and all((a is b is None) or np.array_equal(a, b) for a, b in arrays)


@settings(deadline=None, max_examples=25)
@given(
    kind=st.sampled_from(KINDS),
    setting=st.sampled_from(SETTINGS),
    ks=st.lists(st.integers(1, 12), min_size=2, max_size=4, unique=True),
    own=st.lists(st.integers(1, 16), max_size=2),
    seed=st.integers(0, 99),
)
def test_any_numbers_in_one_call_equal_a_call_for_each(kind, setting, ks, own, seed):
    points = split(*cloud(kind, 72, seed), setting)
    names = [*NEIGHBORS, "spearman", *(f"knn_recall@{k}" for k in own)]
    report = evaluated(points, k=ks, metrics=names)
    alone = {k: evaluated(points, k=k, metrics=[*NEIGHBORS, "spearman"]) for k in ks}
    expected = [(f"{name}@{k}", alone[k][name]) for k in ks for name in NEIGHBORS]
    expected += [(f"knn_recall@{k}", evaluated(points, k=k, metrics="knn_recall")["knn_recall"]) for k in own]
    assert set(report) == {"spearman", *dict(expected)}
    for name, score in expected:
        assert same(report[name], score), name
    assert same(report["spearman"], alone[ks[0]]["spearman"])
    assert report.pairs == alone[ks[0]].pairs


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("kind", ["plain", "quantised"])
def test_values_are_those_of_the_definitions(kind, setting):
    points = split(*cloud(kind, 60), setting)
    report = evaluated(points, k=(7, 1, 3), metrics=["continuity", "trustworthiness", "knn_recall", "knn_recall@19"])
    assert list(report) == [
        *(f"{name}@{k}" for name in ("trustworthiness", "continuity") for k in (1, 3, 7)),
        *(f"knn_recall@{k}" for k in (1, 3, 7, 19)),
    ]
    for name, score in report.items():
        base, _, k = name.partition("@")
        own = definitions.per_query(points.X, points.Z, int(k), *points.where)[base]
        np.testing.assert_allclose(score.points, own, atol=1e-12)
        assert (score.metric, score.counts) == (name, (int(k), points.M, len(points.X)))


def test_a_name_without_a_number_takes_k():
    names = ["knn_recall@5", "knn_recall", "knn_recall@10", "continuity", "spearman"]
    report = evaluated(POINTS, metrics=names)
    assert list(report) == ["continuity", "knn_recall", "knn_recall@5", "spearman"]
    assert report["knn_recall@10"] is report["knn_recall"]
    assert report["continuity@10"].metric == "continuity"
    assert "knn_recall@7" not in report
    assert "k = 10\n" in f"{report}"
    assert list(evaluated(POINTS, metrics="knn_recall@10")) == ["knn_recall@10"]
    assert "k = 3, 5\n" in f"{evaluated(POINTS, k=8, metrics=['knn_recall@5', 'lcmc@3', 'stress'])}"


def test_of_several_numbers_the_first_is_that_of_names_without_one():
    report, alone = evaluated(POINTS, k=np.array([4, 2])), evaluated(POINTS, k=4)
    assert report.k == 4
    assert report["continuity"] is report["continuity@4"]
    assert report.worst_points() == alone.worst_points()
    assert report.name_of("knn_recall") == "knn_recall@4"
    assert "k = 2, 4\n" in f"{report}"
    assert list(evaluated(POINTS, k=[4, 4], metrics="knn_recall")) == ["knn_recall"]
    both = distbench.compare(report, alone)
    assert set(both) == {*(name for name in report if not name.endswith("@2"))}
    assert both["knn_recall@4"].value == 0
    assert str(both)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"k": (1, 30)}, "trustworthiness@30: found k = 30 with M = 59 candidates; pass at most trustworthiness@29"),
        (
            {"metrics": "knn_recall@59"},
            "knn_recall@59: found k = 59 with M = 59 candidates; pass at most knn_recall@58",
        ),
        ({"metrics": "stress@3"}, "metrics: found no metric 'stress@3'; stress has no number of neighbors"),
        ({"metrics": "knn_recal@3"}, "metrics: found no metric 'knn_recal@3'; did you mean 'knn_recall'?"),
        ({"metrics": "knn_recall@0"}, "metrics: found no metric 'knn_recall@0'; write a whole number"),
        ({"metrics": "knn_recall@1.5"}, "metrics: found no metric 'knn_recall@1.5'; write a whole number"),
        ({"metrics": "knn_recall@"}, "metrics: found no metric 'knn_recall@'; write a whole number"),
        ({"metrics": "label_agreement@3", "labels": None}, "metrics: found 'label_agreement@3', which cannot"),
        ({"k": ()}, r"k: found \(\); pass a whole number of neighbors"),
        ({"k": (0, 3)}, r"k: found \(0, 3\); pass a whole number of neighbors"),
        ({"k": (1, True)}, r"k: found \(1, True\); pass a whole number of neighbors"),
        ({"k": "10"}, "k: found '10'; pass a whole number of neighbors"),
        ({"precision": {"knn_recall@3": 0.1}}, "precision: found 'knn_recall@3', which is not measured"),
        ({"precision": {"knn_recall": 0.1, "knn_recall@10": 0.2}}, "precision: found knn_recall twice"),
    ],
)
def test_numbers_that_cannot_be_used(options, message):
    with pytest.raises(InputError, match=f"^{message}"):
        distbench.evaluate_codes(X, Z, **{"labels": LABELS} | options)


def test_each_metric_is_held_to_its_own_bound():
    assert list(evaluated(POINTS, metrics=["trustworthiness@29", "knn_recall@58"], k=58)) == [
        "trustworthiness@29",
        "knn_recall@58",
    ]
    report = evaluated(POINTS, metrics=["knn_recall@58"], k=30)
    assert report.k == 29  # worst pairs are found among at most half of the candidates


def test_chance_attainable_and_floors_at_each_number():
    star = np.vstack([np.zeros(30), np.eye(30)])  # one point is a neighbor of all others
    ks, names, codes = (2, 5), ["knn_recall", "stress", "knn_recall@9"], star[:, :1]
    found, least = attainable(star, 1, k=ks, metrics=names), floors(star, 1, k=ks, metrics=names)
    assert set(found) == set(least) == {"knn_recall@2", "knn_recall@5", "knn_recall@9", "stress"}
    for k in (*ks, 9):
        closed = distbench.evaluate_codes(star, codes, k=k, metrics="knn_recall")["knn_recall"].chance
        assert closed == chance(star, codes, f"knn_recall@{k}", k=3) == pytest.approx(k / 30)
        assert found[f"knn_recall@{k}"] == attainable(star, 1, k=k, metrics=["knn_recall"])["knn_recall"]
        assert least[f"knn_recall@{k}"] == floors(star, 1, k=k, metrics=["knn_recall"])["knn_recall"]
    report = distbench.evaluate_codes(star, codes, k=ks, metrics="knn_recall").with_bounds(least, found)
    assert report["knn_recall@5"].floor == least["knn_recall@5"]
    with pytest.raises(InputError, match=r"^knn_recall@2: found a limit of at least 1, but every encoder"):
        report.check(knn_recall=1)


def test_limits_by_any_name():
    report = evaluated(POINTS, metrics=["knn_recall", "knn_recall@5", "continuity@3"])
    with pytest.raises(InputError, match=r"^continuity: found a limit, but it was not measured"):
        report.verdicts({"knn_recall@5": 0.0, "continuity": 0.0})
    verdicts = report.verdicts({"knn_recall@5": 0.99, "knn_recall@10": 0.0}, **{"continuity@3": 0.0})
    assert verdicts == {"knn_recall@5": "broken", "knn_recall": "met", "continuity@3": "met"}
    assert report.check(limits={"continuity@3": 0.1}, knn_recall=0.1) is report
    with pytest.raises(distbench.PreservationError, match=r"knn_recall@5 = .*, limit at least 0\.99"):
        report.check(limits={"knn_recall@5": 0.99})
    for given_limits, named in (({"knn_recall@10": 0}, {"knn_recall": 0}), ({"knn_recall": 0}, {"knn_recall": 0})):
        with pytest.raises(InputError, match=r"^knn_recall: found two limits; give one"):
            report.verdicts(given_limits, **named)
    with pytest.raises(InputError, match=r"^limits: found 0\.9; pass a mapping"):
        report.check(limits=0.9)


def test_precision_of_a_metric_with_its_own_number():
    report = evaluated(POINTS, k=(2, 4), metrics="knn_recall", precision={"knn_recall@4": 9, "knn_recall": 1e-9})
    assert any("precision: the interval of knn_recall@2 is" in note for note in report.notes)
