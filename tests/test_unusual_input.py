"""Unusual input gives the same values as the same numbers in float64."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from frameworks import keras, pd, tf, torch
from scipy.spatial.distance import pdist
from scipy.stats import spearmanr

import distbench
from distbench.metrics import METRICS

rng = np.random.default_rng(5)
X = rng.normal(size=(60, 6))
W = rng.normal(size=(6, 2))


def project(batch):
    return np.asarray(batch, dtype=np.float64) @ W


def measured(points, codes, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return distbench.evaluate_codes(points, codes, k=5, progress=False, **options).as_dict()


INTEGERS = rng.integers(-128, 128, size=(60, 6))
UNUSUAL = {
    "int8 whose differences overflow": INTEGERS.astype(np.int8),
    "uint8 whose differences overflow": (INTEGERS + 128).astype(np.uint8),
    "uint64 above int64's end less 2**53": (INTEGERS + 2**52).astype(np.uint64),
    "int16 whose squares overflow": (INTEGERS * 200).astype(np.int16),
    "bool": X > 0,
    "float16 near its end": np.clip(X * 2e4, -65504, 65504).astype(np.float16),
    "float16 below its least normal number": (X * 1e-6).astype(np.float16),
    "big-endian float32": X.astype(">f4"),
    "longdouble": X.astype(np.longdouble),
    "negative strides": X[::-1, ::-1],
    "every second column": np.repeat(X, 2, axis=1)[:, ::2],
    "Fortran order": np.asfortranarray(X),
    "broadcast rows": np.concatenate([X[:30], np.broadcast_to(X[30], (30, 6))]),
    "lists": X.tolist(),
    "a tuple of arrays": tuple(X),
    "a matrix": X.view(),
    "images": X.reshape(60, 2, 3),
    "a frame": lambda: pd.DataFrame(X),
    "a frame of nullable and mixed columns": lambda: pd.DataFrame(
        {"a": pd.array([*range(60)], dtype="Int64"), "b": X[:, 0] > 0, "c": X[:, 1].astype(np.float32)}
    ).assign(d=pd.array(X[:, 2], dtype="Float64")),
}


@pytest.mark.parametrize("points", UNUSUAL.values(), ids=UNUSUAL)
def test_unusual_points_measure_as_their_float64_cast(points):
    if callable(points):
        points = points()
        cast = points.to_numpy(dtype=np.float64)
    else:
        cast = np.array(points, dtype=np.float64).reshape(60, -1)
    codes = cast @ W[: cast.shape[1]]
    values = measured(points, codes)
    assert values == measured(np.ascontiguousarray(cast), codes)
    assert np.isfinite(list(values.values())).all()
    wanted = spearmanr(pdist(cast), pdist(codes)).statistic
    assert values["spearman"] == pytest.approx(wanted, abs=1e-9)


def test_read_only_points_are_left_alone():
    points, before = X.copy(), X.tobytes()
    points.flags.writeable = False
    assert measured(points, points[:, :2]) == measured(X, X[:, :2])
    distbench.evaluate(project, points, k=5, progress=False)
    assert points.tobytes() == before


@pytest.mark.parametrize("exponent", [-600, -120, 100, 600, 1010])
def test_squares_out_of_range_lose_nothing(exponent):
    """Powers of two are exact, so scale-free metrics stay the same; 2**100 is about 1e30."""
    kind = np.float32 if abs(exponent) <= 120 else np.float64
    points, codes = X.astype(kind), project(X).astype(kind)
    scaled, scaled_codes = np.ldexp(points, exponent), np.ldexp(codes, exponent)
    assert np.isfinite(scaled).all()
    metrics = [name for name in METRICS if name not in ("label_agreement", "reconstruction_mse")]
    wanted = measured(points, codes, metrics=metrics)
    values = measured(scaled, scaled_codes, metrics=metrics)
    assert values == pytest.approx(wanted, rel=1e-9)
    assert not np.isnan(list(values.values())).any()
    alone = measured(scaled, codes)
    for name in alone:
        if METRICS[name].scale_free:
            assert alone[name] == pytest.approx(wanted[name], rel=1e-9)


def test_distances_beyond_the_end_of_float64_are_refused():
    points = np.where(X > 0, 1.7e308, -1.7e308) * (1 - 1e-3 * np.abs(X))
    with pytest.raises(distbench.InputError, match=r"^X_test: found numbers beyond 1e\+307, .*; divide all of them by"):
        measured(points, project(X))
    with pytest.raises(distbench.InputError, match=r"^Z_test: found numbers beyond"):
        measured(X, points)
    assert measured(points / 2**100, project(X))["spearman"] > 0


def test_equal_codes_have_the_worst_values_and_a_note():
    report = distbench.evaluate(lambda batch: np.zeros((len(batch), 2)), X, k=5)
    values = report.as_dict()
    assert not np.isnan(list(values.values())).any()
    assert values["distortion"] == np.inf
    assert (values["pearson"], values["scaled_stress"]) == (0, 1)
    assert any("have only 1 distinct codes" in note for note in report.notes)
    with pytest.raises(distbench.PreservationError):
        report.check(distortion=1e300)


def test_duplicates_and_codes_of_more_columns_or_one():
    duplicates = np.concatenate([np.repeat(X[:1], 58, axis=0), X[1:3]])
    for points, codes in ((duplicates, project(duplicates)), (X, np.tile(X, 3))):
        assert not np.isnan(list(measured(points, codes).values())).any()
    assert measured(X, np.tile(X, 3))["scaled_stress"] == pytest.approx(0, abs=1e-9)
    assert measured(X[:, :1], X[:, :1])["continuity"] == 1
    assert measured(X, X[:, 0:1])["continuity"] < 1


def test_an_encoder_that_changes_its_input_harms_nothing():
    def rude(batch):
        codes = batch[:, :2].copy()
        batch[:] = np.nan
        return codes

    points, reference = X.copy(), X[::-1].copy()
    report = distbench.evaluate(rude, points, reference=reference, k=5)
    assert np.array_equal(points, X)
    assert np.array_equal(reference, X[::-1])
    assert report.as_dict() == distbench.evaluate(lambda batch: batch[:, :2], X, reference=reference, k=5).as_dict()
    frame = pd.DataFrame(X)
    distbench.evaluate(lambda batch: batch.mul(2).iloc[:, :2], frame, k=5)
    assert np.array_equal(frame.to_numpy(), X)


class TestTorch:
    def test_tensors_with_a_gradient(self):
        points = torch.tensor(X, requires_grad=True)
        codes = points @ torch.tensor(W)
        assert measured(points, codes) == measured(X, codes.detach().numpy())
        linear = torch.nn.Linear(6, 2).double()
        report = distbench.evaluate(linear, points, reference=points * 2, k=5)
        assert report.encoder == "Linear"
        assert not linear.weight.grad_fn

    @pytest.mark.parametrize("name", ["bfloat16", "float8_e4m3fn", "float8_e5m2"])
    def test_small_types_of_numpy(self, name):
        points = X.astype(getattr(pytest.importorskip("ml_dtypes"), name))
        assert measured(points, project(X)) == measured(points.astype(np.float32), project(X))

    def test_bfloat16(self):
        points = torch.tensor(X).bfloat16()
        assert measured(points, project(X)) == measured(points.float().numpy(), project(X))

    @pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float8_e4m3fn", "float64"])
    def test_lists_of_tensors_are_read_like_the_tensor(self, dtype):
        points = torch.tensor(X).to(getattr(torch, dtype)).requires_grad_(dtype != "float8_e4m3fn")
        wanted = measured(points, project(X))
        codes = torch.tensor(project(X), requires_grad=True)
        for rows in (list(points), tuple(points), [list(row) for row in points], pd.Series(list(points))):
            assert measured(rows, list(codes)) == wanted
        report = distbench.evaluate(lambda batch: list(torch.as_tensor(batch @ W)), list(points), k=5)
        again = distbench.evaluate(lambda batch: batch @ W, points, k=5)
        assert report.as_dict() == again.as_dict()

    def test_tensors_that_cannot_be_read_are_not_said_to_have_other_lengths(self):
        with pytest.raises(distbench.InputError, match=r"^X_test: found rows that are no arrays .*meta"):
            measured(list(torch.empty(60, 6, device="meta")), project(X))

    @pytest.mark.parametrize("form", [list, tuple, lambda parts: [torch.tensor(part) for part in parts]])
    def test_points_in_the_form_of_two_inputs_are_refused_with_a_remedy(self, form):
        both = torch.nn.Bilinear(2, 4, 2).double()
        parts = form([X[:, :2], X[:, 2:]])
        for options in ({}, {"reference": parts}):
            for encoder in (both, lambda left, right: left):
                with pytest.raises(
                    distbench.InputError, match=r"^X_test: found a list of 2 arrays.*a function that spl"
                ):
                    distbench.evaluate(encoder, parts, k=5, **options)
        report = distbench.evaluate(lambda batch: both(*torch.tensor(batch).split([2, 4], 1)).detach(), X, k=5)
        assert report.code_size == 2

    @pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")
    def test_other_tensors_are_refused_with_a_remedy(self):
        with pytest.raises(distbench.InputError, match=r"^X_test: found a sparse tensor; pass X_test\.to_dense\(\)$"):
            measured(torch.tensor(X).to_sparse(), project(X))
        for points, advice in (
            (tf.sparse.from_dense(X), r"a sparse tensor; pass tensorflow\.sparse\.to_dense\(X_test\)$"),
            (torch.nested.nested_tensor([X[0], X[1][:3]]), r"a nested tensor; .*to_padded_tensor"),
            (torch.utils.data.TensorDataset(torch.tensor(X)), r"a TensorDataset; pass X_test\.tensors\[0\]$"),
            (tf.RaggedTensor.from_tensor(X), r"a ragged tensor; for rows of one length, pass X_test\.to_tensor\(\)$"),
        ):
            with pytest.raises(distbench.InputError, match=f"^X_test: found {advice}"):
                measured(points, project(X))


class TestKeras:
    def test_dropout_is_off_and_batches_of_other_sizes_pass(self):
        keras.utils.set_random_seed(0)
        layers = [keras.Input((6,)), keras.layers.Dense(64, "relu"), keras.layers.Dropout(0.5)]
        layers += [keras.layers.BatchNormalization(), keras.layers.Dense(32, "tanh"), keras.layers.Dense(2)]
        report = distbench.evaluate(keras.Sequential(layers), X, k=5)
        assert not any("batch" in note for note in report.notes)

    def test_models_of_two_inputs_are_refused_with_a_remedy(self):
        left, right = keras.Input((2,), name="left"), keras.Input((4,), name="right")
        both = keras.layers.Concatenate()([left, right])
        model = keras.Model([left, right], keras.layers.Dense(2)(both), name="pair")
        for points in ([X[:, :2], X[:, 2:]], X):
            message = (
                r"'pair': has 2 inputs \(left, right\).*: .*predict_on_batch\(\[batch\[:, :2\], batch\[:, 2:\]\]\)"
            )
            with pytest.raises(distbench.EncoderError, match=message):
                distbench.evaluate(model, points, k=5)
        with pytest.raises(distbench.InputError, match=r"encoder\(batch\[:, :2\], batch\[:, 2:\]\)"):
            distbench.evaluate(lambda left, right: left, [X[:, :2], X[:, 2:]], k=5)
        split = distbench.evaluate(lambda batch: model.predict_on_batch([batch[:, :2], batch[:, 2:]]), X, k=5)
        assert split.code_size == 2


def test_frames_of_polars_are_points_and_codes():
    polars = pytest.importorskip("polars")
    X = np.random.default_rng(0).normal(size=(60, 5))
    points, codes = polars.DataFrame(X), polars.DataFrame(X[:, :2])
    wanted = distbench.evaluate_codes(X, X[:, :2], k=5).as_dict()
    assert distbench.evaluate_codes(points, codes, k=5).as_dict() == wanted
    assert distbench.evaluate(lambda batch: batch[:, :2], points, k=5).as_dict() == wanted
    mixed = points.with_columns(polars.lit(True).alias("flag"), polars.lit(2).alias("count"))
    assert distbench.evaluate_codes(mixed, codes, k=5).as_dict() == wanted
    named = polars.DataFrame(X, schema=list("abcde"))
    report = distbench.evaluate(lambda batch: batch.select("a", "b"), named, reference=named * 2, k=5)
    assert report.as_dict() == distbench.evaluate(lambda batch: batch[:, :2], X, reference=X * 2, k=5).as_dict()
    hunt = distbench.hunt(lambda batch: batch[["a", "b"]], named, budget=200)
    assert "type(X)(pair, schema=X.columns)" in hunt.snippet
    with pytest.raises(
        distbench.InputError, match=r"^X_test: found columns that are not numbers: name; encode or drop"
    ):
        distbench.evaluate_codes(points.with_columns(name=polars.lit("a")), codes, k=5)
    with pytest.raises(distbench.InputError, match=r"^X_test: found a lazy frame; pass X_test\.collect\(\)$"):
        distbench.evaluate(project, points.lazy(), k=5)


@pytest.mark.parametrize("kind", ["plain", "tiny", "huge", "tiny codes", "ranges"])
@pytest.mark.parametrize("distance", ["euclidean", "cosine"])
def test_errors_of_numpy_that_its_user_wants_change_nothing(kind, distance):
    points = {"tiny": X * 1e-300, "huge": X * 1e300, "ranges": X * np.logspace(-200, 100, 60)[:, None]}.get(kind, X)
    codes = X[:, :2] * (1e-300 if kind == "tiny codes" else 1.0)
    metrics = [name for name in METRICS if name not in ("label_agreement", "reconstruction_mse")]
    options = {"metrics": metrics, "distance_x": distance, "distance_z": distance}
    options |= {"reference": (points[:20], codes[:20])} if kind == "tiny" else {}
    wanted = measured(points, codes, **options)
    with np.errstate(all="raise"):
        assert measured(points, codes, **options) == wanted
        distbench.evaluate(lambda batch: np.tanh(batch[:, :2]), points, k=5, distance_x=distance)
        assert all(not np.isnan(getattr(distbench.metrics, name)(points, codes)) for name in metrics)


@pytest.mark.parametrize("name", ["pca", "kernel_pca", "isomap", "isometry", "random_projection"])
def test_they_stop_no_baseline(name):
    points = X * np.where(np.arange(X.shape[1]) == 1, 1e-170, 1.0)
    wanted = distbench.fit_baseline(name, points, code_size=2).transform(points)
    with np.errstate(all="raise"):
        assert np.array_equal(distbench.fit_baseline(name, points, code_size=2).transform(points), wanted)


def columns_of_arrays():
    """Ways in which tables hold an embedding in each cell, by name."""
    objects = np.empty(len(X), dtype=object)
    objects[:] = list(X)

    def polars(make):
        return lambda: make(pytest.importorskip("polars"))

    def arrow(make):
        return lambda: make(pytest.importorskip("pyarrow"))

    return {
        "objects": lambda: objects,
        "one column of objects": lambda: objects[:, None],
        "series of arrays": lambda: pd.Series(list(X)),
        "series of lists": lambda: pd.Series(X.tolist(), index=range(60, 0, -1)),
        "list of series": lambda: [pd.Series(row, index=list("abcdef")) for row in X],
        "series of arrow lists": arrow(lambda pa: pd.Series(X.tolist(), dtype=pd.ArrowDtype(pa.list_(pa.float64())))),
        "frame": lambda: pd.DataFrame({"embedding": list(X)}),
        "polars lists": polars(lambda pl: pl.Series(X.tolist())),
        "polars arrays": polars(lambda pl: pl.Series(X)),
        "polars frame": polars(lambda pl: pl.DataFrame({"embedding": X.tolist()})),
        "arrow lists": arrow(lambda pa: pa.array(X.tolist())),
        "arrow lists of one size": arrow(lambda pa: pa.FixedSizeListArray.from_arrays(pa.array(X.ravel()), 6)),
        "arrow table": arrow(lambda pa: pa.table({"embedding": X.tolist()})),
    }


@pytest.mark.parametrize("kind", columns_of_arrays())
def test_columns_of_arrays_are_the_matrix_of_their_cells(kind):
    column, wanted = columns_of_arrays()[kind](), measured(X, project(X))
    assert measured(column, project(X)) == wanted
    assert measured(project(X), column) == measured(project(X), X)
    assert measured(column, column)["stress"] == 0
    if "frame" not in kind:  # frames reach the encoder as frames
        assert distbench.evaluate(project, column, k=5).as_dict() == wanted
        for space in (column, (column,)):
            report = distbench.evaluate(lambda batch: project(batch)[:, :1], X, input_space=space, k=5)
            assert report.space == "points given"


def test_columns_of_texts_need_the_steps_that_encode_them():
    mixed = pd.DataFrame({"city": ["Oslo", "Rome"] * 30, "age": X[:, 0]})
    with pytest.raises(distbench.InputError, match=r"^X_test: .* numbers: city; .*: input_space=pipe\[:-1\]$"):
        distbench.evaluate(project, mixed, k=5)


def test_tables_as_codes_are_read_as_tables_as_points_are():
    def rows(batch):
        return [pd.Series(row, index=list("abcdef")[:: 1 if row[0] < 0 else -1]) for row in batch]

    whole = 2**60 + np.arange(60)
    arrow = pytest.importorskip("pyarrow").table({"a": whole, "b": X[:, 0]})
    for encode, message in (
        (rows, r"codes whose names in row 0 are not in row \d, or in another order; return a frame"),
        (lambda b: [pd.DataFrame([row]) for row in rows(b)], "codes whose names in row 0 are not in row "),
        (lambda b: pd.DataFrame({"a": whole, "b": b[:, 0]}), r"integers beyond 2\*\*53"),
        (lambda b: arrow, r"integers beyond 2\*\*53"),
    ):
        with pytest.raises(distbench.EncoderError, match=message):
            distbench.evaluate(encode, X)
    with pytest.raises(distbench.InputError, match=r"^Z_test: found integers beyond 2\*\*53"):
        distbench.evaluate_codes(X, arrow)


def test_columns_that_are_no_matrix_are_refused():
    cells = list(X)
    for column, message in (
        (pd.Series([None, *cells[1:]]), "found None in row 0; drop or fill these rows"),
        (pd.Series([np.nan, *cells[1:]]), "found NaN in row 0; drop or fill these rows"),
        (pd.Series([pd.NA, *cells[1:]]), "found <NA> in row 0; drop or fill these rows"),
        (pd.Series([*X[:9].tolist(), [0.0, None, *X[0, 2:]], *X[10:].tolist()]), "found None in row 9; drop or fill"),
        (pd.Series([cells[0][:5], *cells[1:]]), "found rows of different lengths; give all rows the same length"),
        ([X[:25], X[25:50], X[50:]], "found arrays of different lengths, as of batches; .*: numpy.concatenate of them"),
        (
            [pd.Series(row, index=list("abcdef")[:: 1 if place < 7 else -1]) for place, row in enumerate(X)],
            r"found the names of row 0 not in row 7, or in another order; .*: pandas\.DataFrame\(X_test\)",
        ),
        (pd.DataFrame({"cells": cells, "id": range(60)}), r"are not numbers: cells; .* pass X_test\['cells'\]"),
    ):
        for call in (lambda of: distbench.evaluate(project, of), lambda of: distbench.evaluate_codes(of, X)):
            with pytest.raises(distbench.InputError, match=f"^X_test: .*{message}"):
                call(column)
