"""Drawn points and encoders are valid and plausible, and shrink to simple ones."""

from __future__ import annotations

import re

import numpy as np
import pytest
from frameworks import pd
from hypothesis import Phase, find, given, settings

import distbench
from distbench import InputError
from distbench.strategies import CLOUD_KINDS, ENCODER_KINDS, DrawnEncoder, Moves, encoders, near_pairs, perturbations
from distbench.strategies import cloud as cloud_of
from distbench.strategies import point_clouds as clouds

X = np.random.default_rng(0).normal(size=(60, 5))
IMAGES = np.random.default_rng(0).integers(0, 200, size=(50, 4, 4)).astype(np.uint8)
FEW = settings(max_examples=60, deadline=None)


@FEW
@given(clouds(rows=(5, 20), columns=(2, 4)))
def test_clouds_have_the_requested_shape_and_type(cloud):
    assert 5 <= cloud.shape[0] <= 20
    assert 2 <= cloud.shape[1] <= 4
    assert cloud.dtype in (np.float32, np.float64)
    assert np.isfinite(cloud).all()


@pytest.mark.parametrize(
    ("kind", "shown"),
    [
        ("lattice", lambda cloud: set(np.unique(cloud)) <= {0, 1, 2}),
        ("gaussian", lambda cloud: abs(cloud).max() < 6),
        ("clusters", lambda cloud: len(cloud) == 40),
        ("manifold", lambda cloud: np.allclose(cloud[:, 0] ** 2 + cloud[:, 1] ** 2, 1)),
        ("duplicates", lambda cloud: len(np.unique(cloud, axis=0)) < len(cloud)),
        ("offset", lambda cloud: cloud.min() > 9000),
        ("degenerate", lambda cloud: np.linalg.matrix_rank(cloud - cloud[0]) <= 1 and np.ptp(cloud[:, -1]) == 0),
    ],
)
def test_kinds_of_clouds(kind, shown):
    @settings(FEW, max_examples=20)
    @given(clouds(rows=40, columns=(2, 3), kinds=kind, dtypes=["float64"]))
    def drawn(cloud):
        assert shown(cloud)

    drawn()


def test_clouds_of_all_kinds_are_drawn_and_shrink_to_small_whole_numbers():
    assert "offset" in CLOUD_KINDS
    assert find(clouds(), lambda cloud: cloud.min() > 9000).shape == (4, 1)
    simplest = find(clouds(), lambda cloud: len(cloud) > 6)
    assert simplest.shape == (7, 1)
    assert (simplest == np.rint(simplest)).all()
    assert find(clouds(dtypes=("float32", "float16")), lambda cloud: True).dtype == np.float32


@pytest.mark.parametrize("of", [lambda: X, lambda: pd.DataFrame(X)], ids=["array", "frame"])
def test_near_pairs_are_a_row_and_another_point_near_it(of):
    @FEW
    @given(near_pairs(of()))
    def drawn(pair):
        x, y = pair
        gaps = np.linalg.norm(X - x, axis=1)
        assert gaps.min() == 0
        assert 0 < np.linalg.norm(x - y) <= np.sort(gaps)[1] * (1 + 1e-9)
        assert (y >= X.min(axis=0)).all()
        assert (y <= X.max(axis=0)).all()

    drawn()


def test_near_pairs_are_very_near_and_typically_near_and_shrink_to_one_column():
    def share(pair):
        gaps = np.sort(np.linalg.norm(X - pair[0], axis=1))
        return np.linalg.norm(pair[0] - pair[1]) / gaps[1]

    assert share(find(near_pairs(X), lambda pair: share(pair) < 0.011)) < 0.011
    x, y = find(near_pairs(X), lambda pair: share(pair) > 0.99)
    assert share((x, y)) > 0.99
    assert (x != y).sum() == 1
    assert (find(near_pairs(X), lambda pair: True)[0] == X[0]).all()


@FEW
@given(perturbations(IMAGES, reach=2))
def test_moved_images_stay_images(image):
    assert image.shape == (4, 4)
    assert image.dtype == np.uint8
    assert not any((image == row).all() for row in IMAGES)
    assert np.linalg.norm(IMAGES.reshape(50, -1) - image.ravel().astype(float), axis=1).min() < 600


@FEW
@given(perturbations(X, bounds=(-5, 5), plausible=lambda points: points[:, 0] > 0))
def test_the_users_function_rejects_implausible_points(point):
    assert point[0] > 0


@pytest.mark.parametrize(
    ("strategy", "shown"),
    [
        (near_pairs(X), r"Moves\(X\)\.pair\(\(.*\)\)"),
        (near_pairs(X, reach=2, bounds=(-5, 5)), r"Moves\(X, reach=2, bounds=\(-5, 5\)\)\.pair\(\(.*\)\)"),
        (perturbations(X), r"Moves\(X\)\.point\(\(.*\)\)"),
        (clouds(columns=3), r"cloud\('lattice', 4, 3, 'float64', 0\)"),
        (encoders(3), r"DrawnEncoder\('orthogonal', 3, 1, 0\)"),
    ],
)
def test_the_repr_of_a_failing_example_can_be_pasted(strategy, shown):
    drawn = []

    # Without the phase "explain", which adds a line depending on the modules loaded.
    phases = (Phase.generate, Phase.shrink)

    @settings(max_examples=5, database=None, print_blob=False, phases=phases)
    @given(strategy)
    def failing(value):
        drawn.append(value)
        raise ValueError("always")

    with pytest.raises(ValueError, match="always") as raised:
        failing()
    text = "".join(line.strip() for line in "\n".join(raised.value.__notes__).splitlines())
    code = re.search(r"value=(.*?),?(?: *# or any other generated value)?\)$", text)[1]
    assert re.fullmatch(shown, code)
    again = eval(code, {"X": X, "Moves": Moves, "cloud": cloud_of, "DrawnEncoder": DrawnEncoder})
    if isinstance(again, DrawnEncoder):
        assert again == drawn[-1]
    else:
        np.testing.assert_array_equal(again, drawn[-1])


@FEW
@given(encoders(5, (1, 3)))
def test_the_repr_of_an_encoder_makes_it_again(encoder):
    again = eval(repr(encoder), {"DrawnEncoder": DrawnEncoder})
    codes = encoder(X)
    assert codes.shape == (60, encoder.code_size)
    assert (codes == again(X)).all()
    assert (codes == encoder.transform(X)).all()
    assert 1 <= encoder.code_size <= 3
    assert encoder.name == encoder.kind


def test_kinds_of_encoders():
    made = {kind: DrawnEncoder(kind, 5, 5, seed=3) for kind in ENCODER_KINDS}
    codes = {kind: encoder(X) for kind, encoder in made.items()}
    gaps = np.linalg.norm(X - X[0], axis=1)
    for kind in ("orthogonal", "permuted"):
        np.testing.assert_allclose(np.linalg.norm(codes[kind] - codes[kind][0], axis=1), gaps)
    assert (np.sort(codes["permuted"], axis=1) == np.sort(X, axis=1)).all()
    lost = made["collapsed"].collapsed
    np.testing.assert_allclose(made["collapsed"](X + 3 * lost), codes["collapsed"], atol=1e-12)
    assert np.linalg.matrix_rank(codes["linear"]) == 5
    assert abs(codes["tanh"]).max() < 1
    assert (codes["quantised"] * 2 == np.rint(codes["quantised"] * 2)).all()
    assert not codes["constant"].any()


def test_encoders_shrink_to_a_rotation_and_can_be_evaluated():
    simplest = find(encoders(4), lambda encoder: True)
    assert simplest == DrawnEncoder("orthogonal", 4, 1, 0)
    assert find(encoders(4, 2, kinds=["tanh", "constant"]), lambda encoder: True).kind == "tanh"
    report = distbench.evaluate(DrawnEncoder("orthogonal", 5, 5), X, k=5, metrics=["knn_recall"])
    assert report["knn_recall"].value == 1
    assert report.encoder == "orthogonal"


def test_a_drawn_collapsed_direction_is_hunted_down():
    encoder = DrawnEncoder("collapsed", 5, 5, seed=8)
    x, y = distbench.hunt(encoder, X, budget=3000).pair
    assert abs((x - y) @ encoder.collapsed) == pytest.approx(np.linalg.norm(x - y), rel=1e-9)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: clouds(rows=0), "rows: found 0; pass a whole number of at least 1, or \\(smallest, largest\\)"),
        (lambda: clouds(columns=(5, 2)), r"columns: found \(5, 2\); pass the smaller one first"),
        (lambda: clouds(columns=2.5), "columns: found 2.5"),
        (lambda: clouds(kinds=["gausian"]), "kinds: found 'gausian'; did you mean 'gaussian'"),
        (lambda: clouds(kinds=[]), "kinds: found none"),
        (lambda: clouds(dtypes=[int]), "dtypes: found .*; pass floating-point types"),
        (lambda: clouds(dtypes=["float33"]), "dtypes: found .*; pass floating-point types"),
        (lambda: near_pairs(np.ones((4, 2))), "X: found 4 rows, no two of which differ"),
        (lambda: perturbations(X, reach=-1), "reach: found -1; pass a number above 0"),
        (lambda: perturbations(X, bounds=(0, 1)), "bounds: row [0-9]+ of X lies outside"),
        (lambda: Moves(X).pair((0, "column")), "move: found .* leads to no other point"),
        (lambda: Moves(X).point((99, "column", 1.0, 0)), "move: found .* leads to no other point"),
        (lambda: cloud_of("ring", 3, 3), "kinds: found 'ring'"),
        (lambda: encoders(3, 4), "code_size: found 4 for 3 columns; pass at most 3"),
        (lambda: encoders(0), "columns: found 0"),
        (lambda: encoders(3, kinds="pca"), "kinds: found 'pca'"),
        (lambda: DrawnEncoder("linear", 3, 4), "code_size: found 4 for 3 columns; pass 1 to 3"),
    ],
)
def test_arguments_that_cannot_be_used(call, message):
    with pytest.raises(InputError, match=message) as raised:
        call()
    assert "\n" not in str(raised.value)
