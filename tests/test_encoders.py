"""Anything that encodes is recognised, called in batches and checked."""

from __future__ import annotations

import functools
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from distbench.encoders import Encoder, as_encoder
from distbench.errors import InputError

X = np.random.default_rng(0).normal(size=(10, 4))


def first_two(batch: Any) -> Any:
    return batch[:, :2]


class Everything:
    """Has all three methods and can be called: transform comes first."""

    def transform(self, batch: Any) -> Any:
        return batch * 1

    def encode(self, batch: Any) -> Any:
        return batch * 2

    def predict(self, batch: Any) -> Any:
        return batch * 3

    def __call__(self, batch: Any) -> Any:
        return batch * 4


class EncodesAndPredicts:
    def encode(self, batch: Any) -> Any:
        return batch * 2

    def predict(self, batch: Any) -> Any:
        return batch * 3


class Predicts:
    name = "forecaster"

    def predict(self, batch: Any) -> Any:
        return batch * 3


@pytest.mark.parametrize(("encoder", "factor"), [(Everything(), 1), (EncodesAndPredicts(), 2), (Predicts(), 3)])
def test_order_of_preference(encoder: Any, factor: int) -> None:
    np.testing.assert_array_equal(as_encoder(encoder).encode(X), X * factor)


@pytest.mark.parametrize(
    ("encoder", "name"),
    [
        (first_two, "first_two"),
        (functools.partial(first_two), "first_two"),
        (Everything(), "Everything"),
        (Predicts(), "forecaster"),
        (Predicts().predict, "predict"),
    ],
)
def test_names(encoder: Any, name: str) -> None:
    assert as_encoder(encoder).name == name


def test_an_encoder_stays_what_it_is() -> None:
    encoder = as_encoder(first_two)
    assert as_encoder(encoder, 3) == Encoder("first_two", first_two, 3)


@pytest.mark.parametrize("batch_size", [1, 3, 5, 10, 1000])
def test_batches_join_to_the_whole(batch_size: int) -> None:
    sizes = []

    def encode(batch: Any) -> Any:
        sizes.append(len(batch))
        return batch[:, :2]

    np.testing.assert_array_equal(as_encoder(encode, batch_size).encode(X), X[:, :2])
    assert sum(sizes) == 10
    assert max(sizes) == min(batch_size, 10)


def test_images_stay_images_and_codes_are_flattened() -> None:
    images = np.arange(5 * 4 * 4 * 3.0).reshape(5, 4, 4, 3)
    codes = as_encoder(lambda batch: batch[:, ::2, ::2, :], 2).encode(images)
    np.testing.assert_array_equal(codes, images[:, ::2, ::2].reshape(5, -1))


def test_the_users_array_is_never_changed() -> None:
    def rude(batch: Any) -> Any:
        batch *= 0
        return batch

    points = X.copy()
    as_encoder(rude).encode(points)
    np.testing.assert_array_equal(points, X)


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [("f2", "f4"), ("f4", "f4"), ("f8", "f8"), ("i4", "f8"), ("u1", "f8"), ("?", "f8")],
)
def test_code_types(dtype: str, expected: str) -> None:
    assert as_encoder(lambda batch: np.ones((len(batch), 2), dtype)).encode(X).dtype == expected


def test_bfloat16_codes_are_read() -> None:
    ml_dtypes = pytest.importorskip("ml_dtypes")
    codes = as_encoder(lambda batch: np.full((len(batch), 2), 1.5, ml_dtypes.bfloat16)).encode(X)
    assert codes.dtype == np.float32
    assert (codes == 1.5).all()


def test_one_number_a_point_is_a_code_of_size_one() -> None:
    assert as_encoder(lambda batch: batch[:, 0]).encode(X).shape == (10, 1)


def test_lists_work_both_ways() -> None:
    codes = as_encoder(lambda batch: [list(row) for row in batch], 4).encode(X.tolist())
    np.testing.assert_array_equal(codes, X)


def test_sparse_codes_are_made_dense() -> None:
    from scipy.sparse import csr_array

    np.testing.assert_array_equal(as_encoder(lambda batch: csr_array(batch)).encode(X), X)


def test_errors_of_the_library_pass_through_with_a_note() -> None:
    def refuses(batch: Any) -> Any:
        raise InputError("X: found what this encoder does not take")

    with pytest.raises(InputError, match=r"^X: found what this encoder does not take") as caught:
        as_encoder(refuses, 4).encode(X)
    assert caught.value.__notes__ == ["distbench: encoder 'refuses' raised this for rows 0 to 3"]


def test_codes_written_into_the_same_memory_each_time_are_kept_apart() -> None:
    memory = np.empty((4, 2))

    def thrifty(batch: Any) -> Any:
        memory[: len(batch)] = batch[:, :2]
        return memory[: len(batch)]

    np.testing.assert_array_equal(as_encoder(thrifty, 4).encode(X), X[:, :2])


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_codes_with_a_gradient_are_read(dtype: str) -> None:
    torch = pytest.importorskip("torch")
    weights = torch.ones(4, 2, requires_grad=True)

    def encode(batch: Any) -> Any:
        return (torch.as_tensor(batch).float() @ weights).to(getattr(torch, dtype))

    codes = as_encoder(encode).encode(torch.tensor(X, requires_grad=True))
    assert codes.dtype == np.float32
    np.testing.assert_allclose(codes[:, 0], X.sum(axis=1), rtol=2e-2, atol=2e-2)


@pytest.mark.parametrize("path", [str, lambda path: path])
def test_a_file_of_a_keras_model_is_loaded(tmp_path: Any, path: Any) -> None:
    keras = pytest.importorskip("keras")
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)], name="mine")
    model.save(tmp_path / "model.keras")
    encoder = as_encoder(path(tmp_path / "model.keras"))
    assert encoder.name == "mine"
    np.testing.assert_allclose(encoder.encode(X), as_encoder(model).encode(X))


@pytest.mark.parametrize(("points", "message"), [([], "no rows"), (3.0, "not an array of points")])
def test_points_without_rows(points: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        as_encoder(first_two).encode(points)


def test_pipelines_get_frames_as_frames() -> None:
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


def test_no_framework_is_imported() -> None:
    code = (
        "import sys; from distbench.encoders import as_encoder; as_encoder(lambda x: x).encode([[1.0]]);"
        "assert not {'keras', 'tensorflow', 'torch', 'pandas', 'sklearn', 'scipy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
