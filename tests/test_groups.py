"""Groups of test points: their labels, what the engine leaves out for them, and a statistic without each group."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distbench.engine import gather
from distbench.errors import InputError
from distbench.inference.groups import Groups, leave_groups_out

FAMILIES = frozenset({"ranks", "triplets", "relative", "order_curves", "labels"})


class TestLabels:
    @pytest.mark.parametrize(
        "labels",
        [
            ["b", "b", "a", "c", "a"],
            [7, 7, -1, 3, -1],
            np.array([2.5, 2.5, 1.0, 9.0, 1.0]),
            pd.Series(["b", "b", "a", "c", "a"], index=[9, 8, 7, 6, 5]),
            pd.Categorical(["b", "b", "a", "c", "a"], categories=["a", "b", "c", "d"]),
            np.array(["2024-01-02", "2024-01-02", "2024-01-01", "2024-02-01", "2024-01-01"], dtype="datetime64[D]"),
            np.array([(1, 2), (1, 2), "a", None, "a"], dtype=object)[[0, 1, 2, 2, 4]],
        ],
        ids=["texts", "ints", "floats", "series", "categorical", "dates", "mixed"],
    )
    def test_of_any_kind(self, labels):
        groups = Groups.of(labels, 5)
        assert groups.codes.tolist() in ([0, 0, 1, 2, 1], [0, 0, 1, 1, 1])
        assert len(groups) == len(set(np.asarray(labels).tolist()))

    def test_how_groups_are_named_does_not_matter(self):
        one, other, apart = (Groups.of(labels, 4) for labels in (list("abca"), [3, 1, 2, 3], list("abcc")))
        assert one.fingerprint() == other.fingerprint() != apart.fingerprint()

    @pytest.mark.parametrize(
        ("labels", "words"),
        [
            ([1, 2], "found 2 labels for 3 test points"),
            ([[1], [2], [3]], r"found shape \(3, 1\)"),
            ([[1], [2, 3], []], r"found labels like \[1\]"),
            ("abc", "found 'abc'"),
            ([1, None, 2], "found no label at place 1 .None."),
            (["a", "b", float("nan")], "found no label at place 2 .nan."),
            ([1.0, 2.0, float("nan")], "found no label at place 2 .nan."),
            (pd.Series(["a", pd.NA, "b"]), "found no label at place 1"),
            (pd.Categorical(["a", "b", None]), "found no label at place 2"),
            (np.array(["2024-01-01", "NaT", "2024-01-01"], dtype="datetime64[D]"), "found no label at place 1"),
            (pd.to_datetime(["2024-01-01", None, "2024-01-01"]), "found no label at place 1"),
        ],
    )
    def test_that_cannot_be_used(self, labels, words):
        with pytest.raises(InputError, match=words) as raised:
            Groups.of(labels, 3)
        assert raised.value.argument == "groups"


class TestLeaveGroupsOut:
    def test_of_a_mean_is_the_mean_without_the_group(self):
        rng = np.random.default_rng(0)
        codes = rng.integers(0, 6, 40)
        rows = rng.normal(size=40)
        without = (rows.sum() - rows) / 39
        expected = [rows[codes != g].mean() for g in range(6)]
        np.testing.assert_allclose(leave_groups_out(without, codes), expected, atol=1e-14)

    def test_single_points_are_groups(self):
        without = np.random.default_rng(1).normal(size=30)
        np.testing.assert_allclose(leave_groups_out(without, np.arange(30)), without, atol=1e-14)

    def test_one_group_is_one_value(self):
        assert leave_groups_out(np.array([0.25, 0.75]), np.array([0, 0])).tolist() == [0.5]


@st.composite
def grouped_points(draw):
    """Draw points and codes, with ties or without, and a group for each."""
    m, ties = draw(st.integers(9, 24)), draw(st.booleans())
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    X, Z = rng.normal(size=(m, 3)), rng.normal(size=(m, 2))
    if ties:
        X, Z = np.round(X), np.round(Z)
    return X, Z, rng.integers(0, draw(st.integers(1, 6)), m), draw(st.sampled_from([0, 7]))


@settings(max_examples=40, deadline=None)
@given(grouped_points())
def test_a_group_leaves_with_its_rows(case):
    """The changes in the rows of a group's points, when points of the same group are removed, are left out."""
    X, Z, groups, n_ref = case
    rng = np.random.default_rng(3)
    pair = (rng.normal(size=(n_ref, 3)), rng.normal(size=(n_ref, 2))) if n_ref else (None, None)
    options = {"k": 3, "families": FAMILIES, "labels": groups % 2}
    options |= {"labels_ref": np.zeros(n_ref, dtype=np.int64)} if n_ref else {}

    def columns(**more):
        found = gather(X, Z, *pair, **options, **more)
        relative, curves, labels = (found.extras[name] for name in ("relative", "order_curves", "labels"))
        ranks = found.ranks
        parts = [ranks.trust.columns, ranks.continuity.columns, ranks.overlap_columns, found.triplets.columns]
        parts += [relative.input_columns, relative.code_columns, curves.columns, labels.columns]
        back = np.argsort([*found.judged, *np.setdiff1d(np.arange(len(X)), found.judged)])
        return np.array(parts)[:, back], found

    expected, plain = columns()
    for group in np.unique(groups):
        own = np.flatnonzero(groups == group)
        expected[:, own] -= columns(judged=own)[0][:, own]
    grouped, found = columns(groups=groups)
    np.testing.assert_allclose(grouped, expected, atol=1e-5)
    apart, _ = columns(groups=np.arange(len(X)))
    np.testing.assert_allclose(apart, columns()[0], atol=1e-12)
    np.testing.assert_array_equal(found.ranks.trust.rows, plain.ranks.trust.rows)


@settings(max_examples=40, deadline=None)
@given(grouped_points())
def test_joint_effects_of_a_group_are_not_subtracted(case):
    """Signed sums hold the changes by points of other groups alone: none for one group, all for single points."""
    X, Z, groups, _ = case
    plain, found, apart = (
        gather(X, Z, k=3, families=frozenset({"ranks"}), groups=codes) for codes in (None, groups, np.arange(len(X)))
    )
    for side in ("trust", "continuity"):
        np.testing.assert_array_equal(getattr(apart.ranks, side).signed, getattr(plain.ranks, side).signed)
    alone = [sum(groups == group) == 1 for group in groups]
    np.testing.assert_array_equal(found.ranks.trust.signed[alone], plain.ranks.trust.signed[alone])
    if len(set(groups)) == 1:
        assert not any(np.any(getattr(found.ranks, side).signed) for side in ("trust", "continuity"))
        assert not np.any(found.ranks.overlap_signed)
