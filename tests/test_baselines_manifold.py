"""Recipes that lay points out: kernel PCA, Isomap, MDS, t-SNE, UMAP."""

from __future__ import annotations

import warnings
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.spatial.distance import cdist, pdist, squareform

import distbench
from distbench.baselines import BASELINES, fit_baseline
from distbench.baselines._stress import _distances, place, pull, smacof, weighted_start
from distbench.datasets import load_dataset
from distbench.errors import InputError, TrainingError

MAPS = ["isomap", "kernel_pca", "mds"]
NAMES = [*MAPS, "tsne"]
UMAPS = ["parametric_umap", "umap"]
DRAW = np.random.default_rng(0)
X = DRAW.normal(size=(80, 6)) * [5, 4, 3, 2, 1, 1] + 100
NEW = DRAW.normal(size=(15, 6)) * [5, 4, 3, 2, 1, 1] + 100
DEGENERATE = {
    "constant column": np.column_stack([X[:, :3], np.full(80, 7.0)]),
    "20 rows": X[:20],
    "duplicate rows": np.repeat(X[:20], 15, axis=0),
    "most rows the same": np.concatenate([X[:1].repeat(64, axis=0), X[:16]]),
    "two distinct points": np.repeat(X[:2], 10, axis=0),
    "large values": X * 1e6,
    "far from the origin": X + 1e6,
    "far apart": np.concatenate([X, X + 1e6]),
    "one column": X[:, :1],
    "tiny values": X * 1e-200,
    "huge values": X * 1e200,
}


def fit(name, points=X, code_size=2, seed=0, **options):
    quick = {"epochs": 10} if name == "parametric_umap" else {}
    return fit_baseline(name, points, code_size, seed, **(quick | options))


def raw_stress(wanted, codes, anchors):
    """Return the raw stress of each code beside the anchors."""
    return ((wanted - cdist(codes, anchors)) ** 2).sum(axis=1)


def test_recipes_declare_their_properties():
    assert [name for name in NAMES + UMAPS if not BASELINES[name].deterministic] == UMAPS
    assert [name for name, recipe in BASELINES.items() if recipe.in_sample_only] == ["tsne"]
    assert [name for name, recipe in BASELINES.items() if recipe.requires == "umap"] == UMAPS


@pytest.mark.parametrize("name", ["isomap", "kernel_pca"])
def test_iterative_and_full_eigenvectors_agree(name, monkeypatch):
    full = fit(name)
    assert full.estimator.eigen_solver == "dense"
    monkeypatch.setattr("distbench.baselines._estimator.few_wanted", lambda code_size, n: True)
    iterative = fit(name)
    assert iterative.estimator.eigen_solver == "arpack"
    np.testing.assert_allclose(pdist(iterative.encode(X)), pdist(full.encode(X)), rtol=1e-6)


def at_night(name, case, code_size):
    """Return whether a case runs nightly alone: t-SNE and UMAP are slow, and one code size shows most faults."""
    slow = name in UMAPS or (name == "tsne" and case not in ("constant column", "two distinct points"))
    return code_size != 2 or slow


@pytest.mark.parametrize(
    ("name", "case", "code_size"),
    [
        pytest.param(*case, marks=[pytest.mark.nightly] * at_night(*case))
        for case in [*product(NAMES, DEGENERATE, (1, 2, 3)), *product(UMAPS, DEGENERATE, (2,))]
    ],
)
def test_degenerate_points_give_finite_codes(name, case, code_size):
    if name in UMAPS:
        pytest.importorskip("umap")
    points = DEGENERATE[case]
    encoder = fit(name, points, code_size)
    codes = encoder.encode(points)
    assert codes.shape == (len(points), code_size)
    assert np.isfinite(codes).all()
    if name != "tsne":
        assert np.isfinite(encoder.encode(points[:3] * 1.01)).all()


@pytest.mark.parametrize(
    ("name", "code_size", "options", "message"),
    [
        ("kernel_pca", 80, {}, "code_size: 80; kernel_pca takes at most 79"),
        ("isomap", 80, {}, "code_size: 80; isomap takes at most 79"),
        ("tsne", 4, {}, "code_size: 4; tsne takes at most 3"),
        ("kernel_pca", 2, {"width": 0}, "width: 0 is not"),
        ("isomap", 2, {"n_neighbors": 0}, "n_neighbors: found 0"),
        ("isomap", 2, {"max_points": 79}, "X: 80 points are more than max_points=79 of isomap.*sample"),
        ("mds", 2, {"max_points": 79}, "X: 80 points are more than max_points=79 of mds.*sample"),
        ("tsne", 2, {"perplexity": 0.5}, "perplexity: 0.5 is not"),
        ("umap", 79, {}, "code_size: 79; umap takes at most 78"),
        ("umap", 2, {"n_neighbors": 1}, "n_neighbors: found 1"),
        ("umap", 2, {"min_dist": -1}, r"min_dist: -1 is not in \[0, 1\]"),
        ("parametric_umap", 2, {"epochs": 0}, "epochs: found 0"),
    ],
)
def test_arguments_are_checked(name, code_size, options, message):
    with pytest.raises(InputError, match=message):
        fit(name, X, code_size, **options)
    if name in UMAPS:
        with pytest.raises(InputError, match=f"X: 3 points; {name} needs at least 4"):
            fit(name, X[:3])


def test_kernel_pca_of_full_size_keeps_the_distances_of_the_kernel():
    encoder = fit("kernel_pca", X, 79)
    codes = encoder.encode(X)
    width = np.median(pdist(X))
    kernel = np.exp(-(squareform(pdist(X)) ** 2) / (2 * width**2))
    np.testing.assert_allclose(squareform(pdist(codes)) ** 2, 2 - 2 * kernel, atol=1e-9)
    # A point midway between two fitted ones is close to its projection, so nearly as far as the kernel's distance.
    middle = (X[:40] + X[40:]) / 2
    expected = 2 - 2 * np.exp(-(cdist(middle, X) ** 2) / (2 * width**2))
    assert np.abs(cdist(encoder.encode(middle), codes) ** 2 - expected).max() < 0.1


def test_isomap_unrolls_a_curve():
    angle = np.linspace(0, 4, 200) + DRAW.uniform(0, 0.005, 200)
    points = np.column_stack([np.cos(angle), np.sin(angle)]) * 10
    encoder = fit("isomap", points, 1, n_neighbors=2)
    assert encoder.note == ""
    ways = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    codes = encoder.encode(points)[:, 0]
    np.testing.assert_allclose(np.abs(codes - codes[0]), ways, rtol=1e-3, atol=1e-2)
    assert abs(encoder.encode((points[50:51] + points[51:52]) / 2)[0, 0] - codes[50:52].mean()) < 0.1
    parts = fit("isomap", np.concatenate([X, X + 1e3, X - 1e3]))
    assert parts.note == "neighbour graph in 3 parts, joined by shortest lines"
    with pytest.raises(TrainingError, match=r"cannot be laid out in 19 dimensions.*smaller code_size"):
        fit("isomap", X[:20], 19)


@pytest.mark.parametrize("code_size", [1, 2, 3])
def test_mds_is_as_good_as_scikit_learns_from_the_same_start(code_size):
    from sklearn.decomposition import PCA
    from sklearn.manifold import smacof as reference

    wanted = squareform(pdist(X))
    start = PCA(code_size, svd_solver="full").fit_transform(X)
    theirs, _ = reference(wanted, init=start, n_init=1, eps=1e-9, max_iter=3000, normalized_stress=False)
    ours = raw_stress(wanted, *[fit("mds", X, code_size).codes_] * 2).sum()
    assert ours <= raw_stress(wanted, theirs, theirs).sum() * 1.001
    assert ours <= raw_stress(wanted, start, start).sum()


@pytest.mark.parametrize("code_size", [6, 9])
def test_mds_with_room_enough_keeps_every_distance(code_size):
    encoder = fit("mds", X, code_size)
    np.testing.assert_allclose(pdist(encoder.codes_), pdist(X), rtol=1e-9)
    codes = np.concatenate([encoder.encode(NEW), encoder.codes_])
    assert codes.shape == (95, code_size)
    np.testing.assert_allclose(cdist(codes[:15], codes[15:]), cdist(NEW, X), rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize("code_size", [1, 2, 3])
def test_mds_places_new_points_where_a_general_optimiser_would(code_size):
    encoder = fit("mds", X, code_size)
    codes, wanted = encoder.encode(NEW), cdist(NEW, X)
    ours = raw_stress(wanted, codes, encoder.codes_)

    def searched(row, start):
        return float(
            minimize(lambda z: raw_stress(wanted[row : row + 1], z[None], encoder.codes_)[0], start, method="BFGS").fun
        )

    # No step away from the code helps.
    assert all(searched(row, codes[row]) > ours[row] * (1 - 1e-5) for row in range(15))
    # Nor does a search from other places, but for the odd point with two good ones.
    best = [min(searched(row, start) for start in encoder.codes_[::16]) for row in range(15)]
    assert np.mean(ours > np.asarray(best) * (1 + 1e-4)) <= (0.4 if code_size == 1 else 0.15)


def test_a_code_of_mds_does_not_rest_on_the_other_new_points():
    encoder = fit("mds")
    assert encoder.note_out_of_sample == "out of sample: the code of least stress to all train points"
    moved = np.linalg.norm(encoder.encode(X) - encoder.codes_, axis=1) / pdist(encoder.codes_).mean()
    assert np.median(moved) < 0.005, "fitted points are found at their own codes"
    together = encoder.encode(NEW)
    alone = np.concatenate([encoder.encode(point[None]) for point in NEW])
    np.testing.assert_allclose(together, alone, atol=1e-6)
    many = np.tile(NEW, (40, 1))  # more than are placed at a time
    np.testing.assert_allclose(encoder.encode(many), np.tile(together, (40, 1)), atol=1e-6)


@given(
    n=st.integers(2, 30),
    m=st.integers(1, 8),
    d=st.integers(1, 5),
    p=st.sampled_from([1, 2, 3, 10]),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=60, deadline=None)
def test_no_pull_raises_the_stress(n, m, d, p, seed):
    draw = np.random.default_rng(seed)
    points, new = np.round(draw.normal(size=(n, d)), 1), np.round(draw.normal(size=(m, d)), 1)  # some coincide
    start = draw.normal(size=(n, p)) * draw.choice([0.1, 1, 10])
    start -= start.mean(axis=0)
    among, beside = cdist(points, points), cdist(new, points)

    def total(codes):
        return float(raw_stress(among, codes, codes).sum())

    slack = 1e-9 * (1 + total(start))
    pulled, products = pull(start, among, start)
    np.testing.assert_allclose(products, (among * cdist(start, start)).sum(axis=1), atol=1e-9)
    assert total(pulled) <= total(start) + slack
    codes = smacof(among, start)
    assert np.isfinite(codes).all()
    assert total(codes) <= total(start) + slack
    placed = place(beside, codes)
    assert np.isfinite(placed).all()
    before = raw_stress(beside, weighted_start(beside, codes), codes)
    assert (raw_stress(beside, placed, codes) <= before + slack).all()


def test_long_codes_have_the_same_distances_as_short_ones():
    codes, anchors = DRAW.normal(size=(5, 20)), DRAW.normal(size=(9, 20))
    codes[0] = anchors[3]
    np.testing.assert_allclose(_distances(codes, anchors), cdist(codes, anchors), rtol=1e-9)
    assert _distances(codes, anchors)[0, 3] == 0


def test_tsne_has_codes_of_fitted_points_and_of_no_others():
    encoder = fit("tsne")
    assert encoder.codes_.shape == (80, 2)
    np.testing.assert_array_equal(encoder.encode(X), encoder.codes_)
    np.testing.assert_array_equal(encoder.encode(X[[7, 3]]), encoder.codes_[[7, 3]])
    with pytest.raises(InputError, match=r"^X: row 1 is not a point that tsne was fitted on.*no others.*codes_.*$"):
        encoder.encode(np.concatenate([X[:1], NEW]))
    assert encoder.note == "in sample only: no code for new points"
    points = np.repeat(X[:30], 2, axis=0)  # repeated rows have codes each
    points[0] = 0.0
    encoder = fit("tsne", points)
    np.testing.assert_array_equal(encoder.encode(points), encoder.codes_)
    assert encoder.encode(points[5:6]).tolist() in encoder.codes_[4:6, None].tolist()
    np.testing.assert_array_equal(encoder.encode(-points[:1] * 1.0), encoder.codes_[:1])


def test_tsne_keeps_clusters_apart():
    centres = DRAW.normal(size=(3, 5)) * 20
    points = np.repeat(centres, 30, axis=0) + DRAW.normal(size=(90, 5))
    distances = squareform(pdist(fit("tsne", points).codes_))
    np.fill_diagonal(distances, np.inf)
    assert (np.arange(90) // 30 == distances.argmin(axis=1) // 30).all()


@pytest.mark.nightly
def test_on_digits_mds_places_points_it_never_saw_as_well_as_those_it_did():
    train = load_dataset("digits").train
    kept, held = train[287:], train[:287]
    encoder = fit("mds", kept)

    def scaled(first, second):
        a, b = cdist(first, kept).ravel(), cdist(second, encoder.codes_).ravel()
        return float(np.sqrt(1 - (a @ b) ** 2 / (a @ a) / (b @ b)))

    assert scaled(kept, encoder.codes_) == pytest.approx(0.327, abs=0.006)
    assert scaled(held, encoder.encode(held)) < scaled(kept, encoder.codes_) * 1.03


@pytest.fixture
def _umap():
    pytest.importorskip("umap")
    pytest.importorskip("tensorflow")


@pytest.mark.usefixtures("_umap")
def test_umap_places_fitted_and_new_points():
    encoder = fit("umap")
    np.testing.assert_array_equal(encoder.encode(X), encoder.codes_)
    new = encoder.encode(NEW)
    assert (new.shape, new.dtype) == ((15, 2), np.float64)
    np.testing.assert_array_equal(fit("umap").encode(NEW), new)
    assert not np.array_equal(fit("umap", seed=1).codes_, encoder.codes_)
    assert "out of sample" in encoder.note_out_of_sample


@pytest.mark.nightly
@pytest.mark.usefixtures("_umap")
def test_a_note_says_that_umap_learn_places_points_together():
    import umap

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = umap.UMAP(n_neighbors=8, n_epochs=20, random_state=0, n_jobs=1).fit(X)
        report = distbench.evaluate(fitted, NEW, reference=X, k=5)
        np.testing.assert_array_equal(report.clouds.Z, fitted.transform(NEW))
    assert any("with the other points of its batch; scores are those of" in note for note in report.notes)


@pytest.mark.nightly
@pytest.mark.usefixtures("_umap")
def test_parametric_umap_is_a_seeded_map():
    seen = []
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    encoder = fit_baseline("parametric_umap", X, 2, 0, lambda done, total: seen.append((done, total)), epochs=10)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002
    assert seen == [(tenth, 10) for tenth in range(1, 11)]
    codes = encoder.encode(NEW)
    assert (codes.shape, codes.dtype) == ((15, 2), np.float64)
    np.testing.assert_allclose(encoder.encode(NEW[:1]), codes[:1], rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(fit("parametric_umap").encode(NEW), codes)
    assert not np.array_equal(fit("parametric_umap", seed=1).encode(NEW), codes)
