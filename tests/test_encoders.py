"""Anything that encodes is recognised, called in batches and checked."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from scipy import sparse

from distbench.encoders import Encoder, as_encoder
from distbench.errors import InputError

X = np.random.default_rng(0).normal(size=(10, 4))


def first_two(batch):
    return batch[:, :2]


class Everything:
    """Has all three methods and can be called: transform comes first."""

    def transform(self, batch):
        return batch * 1

    def encode(self, batch):
        return batch * 2

    def predict(self, batch):
        return batch * 3

    def __call__(self, batch):
        return batch * 4


class Predicts:
    name = "forecaster"

    def predict(self, batch):
        return batch * 3


class EncodesAndPredicts(Predicts):
    def encode(self, batch):
        return batch * 2


def nameless(batch):
    return batch


nameless.__name__ = ""


@pytest.mark.parametrize(
    ("encoder", "name", "codes"),
    [
        (Everything(), "Everything", X),
        (EncodesAndPredicts(), "forecaster", X * 2),
        (Predicts(), "forecaster", X * 3),
        (Predicts().predict, "predict", X * 3),
        (first_two, "first_two", X[:, :2]),
        (functools.partial(first_two), "first_two", X[:, :2]),
        (nameless, "encoder", X),
    ],
)
def test_names_and_the_order_of_methods(encoder, name, codes):
    wrapped = as_encoder(encoder)
    assert wrapped.name == name
    np.testing.assert_array_equal(wrapped.encode(X), codes)
    assert as_encoder(wrapped, 3) == Encoder(name, wrapped.call, 3)


@pytest.mark.parametrize("batch_size", [1, 3, 5, 10, 1000])
def test_batches_join_to_the_whole(batch_size):
    sizes = []

    def encode(batch):
        sizes.append(len(batch))
        return batch[:, :2]

    np.testing.assert_array_equal(as_encoder(encode, batch_size).encode(X), X[:, :2])
    assert sum(sizes) == 10
    assert max(sizes) == min(batch_size, 10)


IMAGES = np.arange(5 * 4 * 4 * 3.0).reshape(5, 4, 4, 3)


@pytest.mark.parametrize(
    ("encode", "points", "expected"),
    [
        (lambda batch: batch[:, ::2, ::2, :], IMAGES, IMAGES[:, ::2, ::2].reshape(5, -1)),
        (lambda batch: batch[:, 0], X, X[:, :1]),
        (lambda batch: [list(row) for row in batch], X.tolist(), X),
        (lambda batch: sparse.csr_array(batch), X, X),
    ],
    ids=["images", "one number a point", "lists", "sparse"],
)
def test_codes_are_one_row_a_point(encode, points, expected):
    np.testing.assert_array_equal(as_encoder(encode, 2).encode(points), expected)


def test_codes_written_into_the_same_memory_each_time_are_kept_apart():
    memory = np.empty((4, 2))

    def thrifty(batch):
        memory[: len(batch)] = batch[:, :2]
        return memory[: len(batch)]

    np.testing.assert_array_equal(as_encoder(thrifty, 4).encode(X), X[:, :2])


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [("f2", "f4"), ("f4", "f4"), ("f8", "f8"), ("i4", "f8"), ("u1", "f8"), ("?", "f8")],
)
def test_code_types(dtype, expected):
    assert as_encoder(lambda batch: np.ones((len(batch), 2), dtype)).encode(X).dtype == expected


def test_bfloat16_codes_are_read():
    ml_dtypes = pytest.importorskip("ml_dtypes")
    codes = as_encoder(lambda batch: np.full((len(batch), 2), 1.5, ml_dtypes.bfloat16)).encode(X)
    assert codes.dtype == np.float32
    assert (codes == 1.5).all()


def test_errors_of_the_library_pass_through_with_a_note():
    def refuses(batch):
        raise InputError("X: found what this encoder does not take")

    with pytest.raises(InputError, match=r"^X: found what this encoder does not take") as caught:
        as_encoder(refuses, 4).encode(X)
    assert caught.value.__notes__ == ["distbench: encoder 'refuses' raised this for rows 0 to 3"]


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_codes_with_a_gradient_are_read(dtype):
    torch = pytest.importorskip("torch")
    weights = torch.ones(4, 2, requires_grad=True)

    def encode(batch):
        return (torch.as_tensor(batch).float() @ weights).to(getattr(torch, dtype))

    codes = as_encoder(encode).encode(torch.tensor(X, requires_grad=True))
    assert codes.dtype == np.float32
    np.testing.assert_allclose(codes[:, 0], X.sum(axis=1), rtol=2e-2, atol=2e-2)


@pytest.mark.parametrize("path", [str, lambda path: path])
def test_a_file_of_a_keras_model_is_loaded(tmp_path, path):
    keras = pytest.importorskip("keras")
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)], name="mine")
    model.save(tmp_path / "model.keras")
    encoder = as_encoder(path(tmp_path / "model.keras"))
    assert encoder.name == "mine"
    np.testing.assert_allclose(encoder.encode(X), as_encoder(model).encode(X))


@pytest.mark.parametrize(("points", "message"), [([], "no rows"), (3.0, "not an array of points")])
def test_points_without_rows(points, message):
    with pytest.raises(InputError, match=message):
        as_encoder(first_two).encode(points)


def test_pipelines_get_frames_as_frames():
    pd = pytest.importorskip("pandas")
    from sklearn.compose import ColumnTransformer
    from sklearn.preprocessing import StandardScaler

    frame = pd.DataFrame(X, columns=list("abcd"), index=range(100, 110))
    # Column names and an index that is no row number: an array would not do.
    by_name = ColumnTransformer([("scale", StandardScaler(), ["d", "b"])]).set_output(transform="pandas")
    by_name.fit(frame)
    codes = as_encoder(by_name, 3).encode(frame)
    scaled = (X - X.mean(0)) / X.std(0)
    np.testing.assert_allclose(codes, scaled[:, [3, 1]])
