"""Hunts find planted faults, find nothing where there is none, stay within what is plausible and within the budget."""

from __future__ import annotations

import random
import re

import numpy as np
import pytest
from frameworks import pd
from hunting_cases import off_by, planted, rerun, sphere
from hypothesis import given, settings
from hypothesis import strategies as st

import distbench
from distbench import EncoderError, InputError, PreservationError

SMALL = 3000  # encoded rows: enough for easy faults


@pytest.fixture(autouse=True)
def _nothing_left_behind(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    yield
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("columns", "seed"), [(3, 0), *(pytest.param(*at, marks=pytest.mark.nightly) for at in [(5, 2), (16, 3), (64, 5)])]
)
def test_a_planted_collapsed_direction_is_found(columns, seed):
    matrix, lost, X = planted(columns, seed)
    hunt = distbench.hunt(lambda X: X @ matrix, X)
    assert hunt.kind == "merge"
    assert hunt.found
    assert off_by(hunt.pair, lost) < 1e-6
    assert hunt.contraction > 1e12
    assert hunt.merged.ratio > 1e9
    assert hunt.expansion <= np.linalg.norm(matrix, 2) * (1 + 1e-9)


def test_the_null_space_of_a_matrix_to_smaller_codes_is_found_in_a_slanted_image():
    matrix, _, _ = planted(9, 0)
    narrow = matrix[:, :8]
    lost = np.linalg.svd(narrow.T)[2][-1]
    X = np.random.default_rng(1).normal(size=(100, 3, 3)).astype(np.float32)
    hunt = distbench.hunt(lambda X: X.reshape(len(X), -1) @ narrow, X, budget=SMALL)
    assert hunt.pair[0].shape == (3, 3)
    assert hunt.pair[0].dtype == np.float32
    assert off_by(hunt.pair, lost) < 1e-6
    assert "directions='data'" in str(hunt)


@pytest.mark.parametrize("columns", [3, pytest.param(101, marks=pytest.mark.nightly)])
def test_the_antipodal_merge_of_a_sphere_is_found(columns):
    X, rays = sphere(300, columns), np.random.default_rng(9).normal(size=(columns, columns + 20))
    hunt = distbench.hunt(lambda X: (X @ rays) ** 2, X)
    x, y = hunt.merged.pair
    assert hunt.kind == "merge"
    assert np.linalg.norm(x + y) < 1e-6
    assert hunt.merged.d_x == pytest.approx(2)
    assert hunt.merged.d_z < 1e-6


def test_a_far_merge_that_is_no_mirror_image_is_found():
    """A flat ring is wound twice around a circle: points across from each other meet."""
    angles = np.random.default_rng(3).uniform(0, 2 * np.pi, 200)
    X = 5 + np.stack([np.cos(angles), 2 * np.sin(angles)], axis=1)

    def twice(X):
        centred = (X - 5) / [1, 2] @ np.array([[0.6, 0.8], [-0.8, 0.6]]) * [1, 1]
        turned = (centred[:, 0] + 1j * centred[:, 1]) ** 2
        return np.stack([turned.real, turned.imag], axis=1)

    hunt = distbench.hunt(twice, X, directions="data")  # no mirror images then
    x, y = hunt.merged.pair
    assert hunt.merged.found
    assert hunt.merged.how.endswith("closed in")
    assert hunt.merged.d_z < 1e-9
    assert np.linalg.norm((x + y) / 2 - 5) < 1e-6


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("offset", [0, 1000])
def test_an_isometry_has_nothing_worse_than_rounding(dtype, offset):
    rotation = np.linalg.qr(np.random.default_rng(0).normal(size=(4, 4)))[0].astype(dtype)
    X = (np.random.default_rng(1).normal(size=(120, 4)) + offset).astype(dtype)
    hunt = distbench.hunt(lambda X: X @ rotation, X, budget=6000)
    assert not hunt.found
    assert not hunt.merged.found
    assert str(hunt).count("nothing worse than test points") == 2
    assert hunt.expansion == pytest.approx(1, abs=1e-2)
    assert hunt.worst.ratio == 1.0


def test_a_jump_is_found_and_halved_to_both_of_its_sides():
    X = np.random.default_rng(0).normal(size=(200, 3))
    hunt = distbench.hunt(lambda X: X + 3.0 * (X[:, :1] > 0.4), X)
    (x, y), torn = hunt.torn.pair, hunt.torn
    assert hunt.kind == "tear"
    assert (x[0] > 0.4) != (y[0] > 0.4)
    assert torn.d_z == pytest.approx(3 * 3**0.5, rel=0.05)
    assert torn.ratio > 5
    assert hunt.expansion == torn.d_z / torn.d_x
    assert torn.value == torn.test_value * torn.ratio


def test_the_snippet_gives_both_distances_again():
    matrix, _, X = planted(6, 0)
    for encoder, points in (
        (lambda X: X @ matrix, X),
        (lambda X: np.asarray(X)[:, :1], X[:, :2].tolist()),
        (lambda X: np.round(X, 1), X.astype(np.float32)),
        (lambda frame: frame[["c", "a"]].to_numpy() // 1, pd.DataFrame(X[:, :3], columns=list("abc"))),
    ):
        hunt = distbench.hunt(encoder, points, budget=SMALL)
        assert hunt.found
        for finding in (hunt.merged, hunt.torn):
            assert "\nfrom distbench.encoders import as_encoder\n" in finding.snippet
            d_x, d_z = rerun(finding.snippet, encoder, points)
            assert d_x == pytest.approx(finding.shrunk_d_x, rel=1e-12)
            assert d_z == pytest.approx(finding.shrunk_d_z, rel=1e-9, abs=1e-14)


def test_findings_are_shrunk_to_few_and_round_numbers():
    """The fault is in one column: all others keep the values of the test point."""
    X = np.random.default_rng(0).normal(size=(200, 6))
    hunt = distbench.hunt(lambda X: X * [1, 1, 1, 1, 0, 1], X, budget=6000)
    x, y = hunt.merged.shrunk
    assert list(np.flatnonzero(x != y)) == [4]
    assert hunt.merged.changed == (0, 1)
    assert (x == X[hunt.merged.rows[0]]).all()
    assert len(str(y[4])) <= 5
    assert f"test point {hunt.merged.rows[0]}, and the same with 1 of 6 numbers changed" in str(hunt)
    assert f"pair[1].flat[4] = {y[4]}" in hunt.snippet
    X = np.random.default_rng(0).integers(0, 40, size=(150, 4, 2)).astype(np.uint8)
    hunt = distbench.hunt(lambda X: X.reshape(len(X), -1)[:, 1:].astype(float) * 3, X, budget=SMALL)
    x, y = hunt.merged.pair
    assert (x.dtype, hunt.merged.d_z) == (np.uint8, 0), "whole numbers stay whole numbers"
    assert list(np.flatnonzero(x.ravel() != y.ravel())) == [0]


def test_the_same_seed_finds_the_same_whatever_else_is_random():
    matrix, _, X = planted(5, 1)
    hunts = []
    for state in (0, 1):
        random.seed(state)
        np.random.seed(state)  # noqa: NPY002 - the state that others share
        hunts.append(distbench.hunt(lambda X: np.tanh(X @ matrix), X, budget=SMALL, seed=3))
    first, second = hunts
    assert str(first) == str(second)
    assert first.snippet == second.snippet
    assert (first.pair[1] == second.pair[1]).all()


@pytest.mark.parametrize("budget", [200, 1000, 5000])
def test_the_budget_is_kept_and_counted(budget):
    asked = 0

    def encoder(X):
        nonlocal asked
        asked += len(X)
        return np.sin(3 * X)

    X = np.random.default_rng(0).normal(size=(3000, 12))
    hunt = distbench.hunt(encoder, X, budget=budget)
    assert hunt.asked == asked
    assert asked <= budget
    assert hunt.m == budget // 10
    assert f"searched around {budget // 10} of 3000 test points" in str(hunt)


def test_inputs_stay_plausible():
    X = np.random.default_rng(0).uniform(size=(200, 3))
    distances = np.linalg.norm(X[:, None] - X, axis=2) + 9 * np.eye(len(X))
    seen = []

    def positive_sum(points):
        seen.append(points)
        return points.sum(axis=1) >= 1

    hunt = distbench.hunt(
        lambda X: X * [1, 1, 0], X, reach=0.5, bounds=([0, 0, -1], 1), plausible=positive_sum, budget=SMALL
    )
    assert seen[0].shape[1:] == (3,)
    for point in (*hunt.merged.pair, *hunt.torn.pair, *hunt.merged.shrunk, *hunt.torn.shrunk):
        to_rows = np.linalg.norm(X - point, axis=1)
        own = distances[to_rows.argmin()].min()
        assert to_rows.min() <= 0.5 * own * (1 + 1e-6)
        assert to_rows.min() == 0 or point.sum() >= 1
        assert (point <= 1).all()
        assert (point[:2] >= 0).all()


def test_pairs_are_as_far_apart_as_asked():
    X = np.random.default_rng(0).normal(size=(100, 2))
    step = distbench.hunt(lambda X: X + (X[:, :1] > 0), X, closest=0.2, budget=SMALL)
    near = distbench.hunt(lambda X: X + (X[:, :1] > 0), X, closest=0.001, budget=SMALL)
    unit = np.median(np.sort(np.linalg.norm(X[:, None] - X, axis=2), axis=1)[:, 1])
    assert step.torn.d_x >= 0.2 * unit * (1 - 1e-9)
    assert near.torn.d_x < 0.2 * unit
    assert near.expansion > step.expansion


def test_directions_of_the_data_alone():
    """The encoder keeps the plane of the points and loses all directions that leave it, as the data never do."""
    plane = np.linalg.qr(np.random.default_rng(0).normal(size=(6, 2)))[0]
    X = np.random.default_rng(1).normal(size=(150, 2)) @ plane.T
    of_data = distbench.hunt(lambda X: X @ plane, X, directions="data", budget=SMALL)
    of_all = distbench.hunt(lambda X: X @ plane, X, budget=SMALL)
    assert not of_data.found
    assert not of_data.notes
    assert of_all.contraction > 1e9
    assert "always lose some direction" in of_all.notes[0]


def test_constant_codes_merge_test_points_and_copies_of_points_are_no_pairs():
    X = np.random.default_rng(0).normal(size=(50, 3))
    hunt = distbench.hunt(lambda X: np.ones((len(X), 2)), X, budget=500)
    assert not hunt.found
    assert (hunt.contraction, hunt.expansion, hunt.merged.d_z) == (np.inf, 0, 0)
    assert hunt.merged.d_x > 0
    hunt = distbench.hunt(lambda X: X * [1, 1, 2], np.repeat(X[:40], 2, axis=0), budget=SMALL)
    assert (hunt.expansion, hunt.contraction) == pytest.approx((2, 1))
    assert min(hunt.merged.d_x, hunt.torn.d_x) > 0


def test_limits():
    X = np.random.default_rng(0).normal(size=(60, 2))
    hunt = distbench.hunt(lambda X: X * [1, 0.5], X, budget=1000, name="squeezed")
    assert hunt.check(contraction=2.0000001) is hunt
    assert hunt.check(contraction=2.1, expansion=1.1) is hunt
    with pytest.raises(PreservationError) as raised:
        hunt.check(contraction=1.5, expansion=1.1)
    text = str(raised.value)
    assert text.startswith("squeezed (codes of 2) does not meet 1 limit:\n  contraction = 2, limit at most 1.5\n")
    assert "to see it again (with encoder and X of the hunt):" in text
    assert "expansion" not in text
    assert hunt.broken(contraction=1.5, expansion=0.5) == {"contraction": 1.5, "expansion": 0.5}
    with pytest.raises(PreservationError, match="does not meet 2 limits"):
        hunt.check(contraction=1.5, expansion=0.5)
    for limit in ({"contraction": 0}, {"expansion": np.inf}):
        with pytest.raises(InputError, match="pass a number above 0"):
            hunt.check(**limit)
    with pytest.raises(PreservationError, match=r"contraction = (2\.0|1\.9999)\d*, limit at most 1\.9999\d+"):
        hunt.check(contraction=np.nextafter(hunt.contraction, 0))


def test_an_error_has_the_call_that_returns_a_long_snippet():
    matrix, _, X = planted(64, 0)
    hunt = distbench.hunt(lambda X: X @ matrix, X, budget=SMALL, seed=4)
    with pytest.raises(PreservationError, match=rf"hunt\(encoder, X, seed=4, budget={SMALL}\)\.merged\.snippet\)"):
        hunt.check(contraction=10)

    def all_are(X):
        return np.ones(len(X), dtype=bool)

    options = {"directions": "data", "bounds": (X.min() * 2, 99.0), "plausible": all_are, "batch_size": 512}
    hunt = distbench.hunt(lambda X: X @ matrix, X, budget=500, reach=np.float64(0.5), closest=0.02, **options)
    with pytest.raises(PreservationError) as raised:
        hunt.check(contraction=1e-9)
    again = str(raised.value).split("lines): ")[1]
    assert again.startswith("print(distbench.hunt(encoder, X, seed=0, budget=500, reach=0.5, closest=0.02, bounds=(-")
    assert again.endswith(", plausible=all_are, directions='data', batch_size=512).merged.snippet)")
    names = {"distbench": distbench, "encoder": lambda X: X @ matrix, "X": X, "all_are": all_are}
    assert eval(again[len("print(") : -1], names) == hunt.merged.snippet


def folded(X):
    """Fold one of four directions of the data, which have six numbers, in the middle."""
    plane = np.linalg.qr(np.random.default_rng(0).normal(size=(24, 6)))[0]
    z = X @ plane
    z[:, 0] = abs(z[:, 0])
    return z


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.nightly) for seed in (1, 2))])
def test_the_rest_of_the_budget_goes_to_restarts(seed):
    rng = np.random.default_rng(4)
    X = rng.normal(size=(200, 12)) @ rng.normal(size=(12, 24))
    hunt = distbench.hunt(folded, X, directions="data", seed=seed)
    assert hunt.contraction > 1e9
    assert hunt.asked > 17_000 or hunt.torn.found


def test_an_affine_encoder_needs_no_restart():
    X = planted(6, 0)[2]
    linear, bent = (distbench.hunt(encoder, X, budget=SMALL) for encoder in (lambda X: 2 * X + 1, lambda X: np.tanh(X)))
    assert linear.asked < 0.7 * SMALL < 0.8 * SMALL < bent.asked <= SMALL


def test_snippets_name_the_encoder_and_hold_no_rounding():
    rng = np.random.default_rng(4)
    X = np.where(rng.uniform(size=(150, 24)) < 0.4, 0.0, rng.integers(0, 9, size=(150, 24)))
    hunt = distbench.hunt(folded, X, directions="data", budget=6000, seed=1)
    assert hunt.merged.found
    assert "# encoder = ...  # folded\n# X = ...  # the points of the hunt" in hunt.snippet
    for finding in (hunt.merged, hunt.torn):
        if finding.found:
            written = finding.snippet.split("codes =")[0]
            assert not re.search(r"[0-9]e-|-0\.0\b", written)
            assert max(len(decimals) for decimals in re.findall(r"[0-9]\.([0-9]+)", written)) <= 12
            d_x, d_z = rerun(finding.snippet, folded, X)
            assert [d_x, d_z] == pytest.approx([finding.shrunk_d_x, finding.shrunk_d_z], rel=1e-6)


X_GOOD = np.random.default_rng(0).normal(size=(40, 3))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"budget": 199}, "budget: found 199; pass a whole number, 200 or more"),
        ({"budget": 1e4}, "budget: found 10000.0; pass a whole number"),
        ({"seed": -1}, "seed: found -1; pass a whole number, 0 or more"),
        ({"seed": True}, "seed: found True"),
        ({"reach": 0}, "reach: found 0; pass a number above 0"),
        ({"reach": float("nan")}, "reach: found nan"),
        ({"reach": "far"}, "reach: found 'far'; pass a number above 0"),
        ({"closest": 0}, "closest: found 0; pass a number above 0"),
        ({"closest": 2}, "closest: found 2, but reach is 1; pass less than reach"),
        ({"bounds": 3}, r"bounds: found 3; pass \(low, high\)"),
        ({"bounds": ([0, 1], [2, 3])}, r"bounds: found .* one number for each of 3 columns"),
        ({"bounds": (5, -5)}, "bounds: found low above high in column 0"),
        ({"bounds": (0, 5)}, "bounds: row [0-9]+ of X lies outside; pass bounds that hold all rows"),
        ({"plausible": 1}, "plausible: found 1; pass a function"),
        ({"plausible": lambda X: X.sum()}, r"plausible: returned float64 of shape \(\) for [0-9]+ points"),
        ({"plausible": lambda X: X["a"]}, "plausible: raised IndexError"),
        ({"directions": "all"}, "directions: found 'all'; pass 'any' or 'data'"),
        ({"batch_size": 0}, "batch_size: found 0"),
        ({"plausible": lambda X: X[:, 0] > 100}, "plausible: refuses all 20 points"),
        ({"X": np.ones((5, 2))}, "X: found 5 rows, no two of which differ"),
        ({"X": np.ones((1, 2))}, "X: found 1 rows, no two"),
        ({"X": [[1, np.nan], [2, 3]]}, "X: found NaN in row 0"),
        ({"X": np.ones(4)}, "X: found 1-D data"),
        ({"X": None}, "X: found None"),
        ({"X": X_GOOD * 1e160}, "X: found numbers that spread over .*; scale the points"),
        ({"X": X_GOOD * 1e-160}, "X: found numbers that spread over .*; scale the points"),
    ],
)
def test_arguments_that_cannot_be_used(options, message):
    with pytest.raises(InputError, match=message) as raised:
        distbench.hunt(lambda X: X, **{"X": X_GOOD[:20], **options})
    assert "\n" not in str(raised.value)


def test_encoders_that_cannot_be_used():
    rng = np.random.default_rng(0)
    with pytest.raises(EncoderError, match="gave different codes for the same points the second time"):
        distbench.hunt(lambda X: X + rng.normal(size=X.shape), X_GOOD)
    with pytest.raises(EncoderError, match=r"gave different codes .* or among other points"):
        distbench.hunt(lambda X: X - X.mean(axis=0), X_GOOD)
    with pytest.raises(EncoderError, match="cannot encode with 'str'"):
        distbench.hunt("pca", X_GOOD)
    known = {row.tobytes() for row in X_GOOD}

    def fails_on_moved_points(X):
        if any(row.tobytes() not in known for row in X):
            raise RuntimeError("never seen")
        return X

    with pytest.raises(EncoderError, match="raised RuntimeError: never seen") as raised:
        distbench.hunt(fails_on_moved_points, X_GOOD, budget=SMALL)
    assert not any("Failing test case" in note for note in getattr(raised.value, "__notes__", [])), "of Hypothesis"


def test_inside_a_hypothesis_test_and_under_any_profile():
    matrix, lost, X = planted(4, 0)
    outside = distbench.hunt(lambda X: X @ matrix, X, budget=SMALL)

    @settings(max_examples=1, deadline=None, database=None)
    @given(st.just(X))
    def inside(points):
        hunt = distbench.hunt(lambda X: X @ matrix, points, budget=SMALL)
        assert off_by(hunt.pair, lost) < 1e-6
        assert "inside a Hypothesis test" in hunt.notes[-1]

    inside()
    usual = settings()
    settings.register_profile("other", max_examples=2, derandomize=True, print_blob=True)
    settings.load_profile("other")
    try:
        assert str(distbench.hunt(lambda X: X @ matrix, X, budget=SMALL)) == str(outside)
    finally:
        settings.register_profile("usual", usual)
        settings.load_profile("usual")


def test_an_input_on_which_the_encoder_fails_is_shown():
    X = np.abs(np.random.default_rng(0).normal(size=(60, 2))) + 1

    def logarithm(X):
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.log(X - X_LEAST)

    X_LEAST = X.min(axis=0) * 1.0000001
    X[0], X[1] = X_LEAST * [1.01, 2], X_LEAST * [2, 1.01]
    X = np.maximum(X, X_LEAST * 1.001)
    with pytest.raises(EncoderError, match=r"row 0; .*made this input, and it fails alone: \[.*plausible= or bounds="):
        distbench.hunt(logarithm, X, bounds=(X.min() - 1, X.max() + 1))


def test_a_pair_that_is_not_confirmed_is_no_finding():
    calls = []

    def rarely_wrong(X):
        calls.append(len(X))
        codes = np.array(X, dtype=float)
        if 3 <= len(calls) < 12 and len(X) > 2:
            codes[0] = 1e3
        return codes

    X = np.random.default_rng(0).normal(size=(60, 2))
    hunt = distbench.hunt(rarely_wrong, X, budget=3000)
    assert len(calls) > 12
    assert not hunt.found
    assert hunt.expansion < 1.1


@pytest.mark.nightly
def test_more_test_points_than_are_looked_around():
    X = np.random.default_rng(0).normal(size=(2100, 2))
    hunt = distbench.hunt(lambda X: X, X, budget=40_000)
    assert hunt.m == 2000
    assert "searched around 2000 of 2100 test points; others with another seed=" in hunt.notes
