"""Points of all kinds of storage are usable or an error with a reason."""

from __future__ import annotations

import gc
import resource
import signal
import tempfile

import numpy as np
import pytest

import distbench
from distbench.encoders import as_encoder
from distbench.errors import EncoderError, InputError
from distbench.inputs import blocks as storage
from distbench.inputs.arrays import as_points

RNG = np.random.default_rng(0)
GOOD = np.arange(12.0).reshape(4, 3)


@pytest.mark.parametrize("shape", [(5, 4, 3), (5, 4, 3, 2)])
def test_images_are_flattened_with_a_note(shape):
    notes: list[str] = []
    assert as_points(np.zeros(shape), "X_test", notes).shape == (5, np.prod(shape[1:]))
    assert notes == [f"X_test: images of shape {shape[1:]} flattened to {np.prod(shape[1:])} columns"]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_floats_are_kept_as_they_are(dtype):
    original = GOOD.astype(dtype)
    points = as_points(original, "X")
    assert points.dtype == dtype
    assert np.shares_memory(points, original)


def test_other_floats_become_float64():
    assert as_points(GOOD.astype(">f4"), "X").dtype == np.float64
    with pytest.raises(InputError, match="infinite value in row 1"):
        as_points(np.array([["1"], ["1e4000"]], dtype=np.longdouble), "X")


@pytest.fixture
def mapped(tmp_path):
    def write(values, mode="r", order="C"):
        (values.T if order == "F" else values).tofile(tmp_path / "points")
        return np.memmap(tmp_path / "points", dtype=values.dtype, mode=mode, shape=values.shape, order=order)

    return write


@pytest.fixture
def tiny_blocks(monkeypatch, tmp_path):
    """Use blocks of four rows, and temporary files for any size."""
    monkeypatch.setattr(storage, "BLOCK_BYTES", 4 * GOOD[0].nbytes)
    monkeypatch.setattr(storage, "IN_MEMORY_BYTES", 0)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def spools(folder):
    return list(folder.glob("distbench-*.points"))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_memory_maps_stay_memory_maps(mapped, dtype):
    original = mapped(GOOD.astype(dtype))
    for view in (original, original[1:], np.asarray(original), original.reshape(2, 2, 3)):
        points = as_points(view, "X")
        assert storage.is_mapped(points)
        assert np.shares_memory(points, original)
        np.testing.assert_array_equal(points, np.asarray(view).reshape(len(view), -1))


@pytest.mark.parametrize("mode", ["r", "r+", "c"])
def test_releasing_a_memory_map_loses_nothing(mapped, mode):
    points, wanted = mapped(GOOD, mode), GOOD.copy()
    if mode != "r":
        points[1] = wanted[1] = 7
    storage.release(points[1:])
    np.testing.assert_array_equal(points, wanted)


def test_bad_rows_of_memory_maps_are_found_in_any_block(mapped, tiny_blocks):
    values = RNG.normal(size=(30, 3))
    values[[17, 29], 1] = np.nan
    with pytest.raises(InputError, match=r"X: found NaN in row 17 \(2 such rows in all\)"):
        as_points(mapped(values), "X")


@pytest.mark.parametrize(
    ("dtype", "kept"), [(np.uint8, np.float32), (np.float16, np.float32), (np.int64, np.float64), (">f8", np.float64)]
)
def test_memory_maps_of_other_numbers_are_copied_to_a_file_once(mapped, tiny_blocks, tmp_path, dtype, kept):
    values = RNG.integers(0, 255, size=(30, 3)).astype(dtype)
    points = as_points(mapped(values), "X")
    assert points.dtype == kept
    assert storage.is_mapped(points)
    np.testing.assert_array_equal(points, values.astype(np.float64))
    view = points[3:]
    assert len(spools(tmp_path)) == 1
    del points
    gc.collect()
    np.testing.assert_array_equal(view, values[3:].astype(np.float64))
    del view
    gc.collect()
    assert not spools(tmp_path)


def test_fortran_memory_maps_become_rows(mapped, tiny_blocks):
    points = as_points(mapped(GOOD, order="F"), "X")
    assert points.flags.c_contiguous
    np.testing.assert_array_equal(points, GOOD)


def hdf5(values, path, chunks=True):
    h5py = pytest.importorskip("h5py")
    with h5py.File(path / "points.h5", "w") as file:
        file.create_dataset("points", data=values, chunks=(7, *values.shape[1:]) if chunks else None)
    return h5py.File(path / "points.h5")["points"]


def contiguous_hdf5(values, path):
    return hdf5(values, path, chunks=False)


def zarr(values, path):
    made = pytest.importorskip("zarr").open_array(
        str(path / "points.zarr"), mode="w", shape=values.shape, chunks=(7, *values.shape[1:]), dtype=values.dtype
    )
    made[:] = values
    return made


def dask(values, path):
    array = pytest.importorskip("dask.array")
    return array.from_array(values, chunks=((9, 1, 15, len(values) - 25), *values.shape[1:]))


@pytest.mark.parametrize("store", [hdf5, contiguous_hdf5, zarr, dask])
class TestStored:
    @pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int8, np.float16, bool])
    def test_small_ones_are_read_into_memory(self, store, tmp_path, dtype):
        values = RNG.integers(-100, 100, size=(30, 3)).astype(dtype)
        points, wanted = as_points(store(values, tmp_path), "X"), as_points(values, "X")
        assert not storage.is_mapped(points)
        assert points.dtype == wanted.dtype
        np.testing.assert_array_equal(points, wanted)

    def test_large_ones_are_copied_to_a_file(self, store, tmp_path, tiny_blocks):
        values = RNG.normal(size=(30, 3))
        points = as_points(store(values, tmp_path), "X")
        assert storage.is_mapped(points)
        np.testing.assert_array_equal(points, values)
        del points
        gc.collect()
        assert not spools(tmp_path)

    def test_images(self, store, tmp_path, tiny_blocks):
        values, notes = RNG.normal(size=(30, 4, 3)), []
        points = as_points(store(values, tmp_path), "X", notes)
        np.testing.assert_array_equal(points, values.reshape(30, 12))
        assert notes == ["X: images of shape (4, 3) flattened to 12 columns"]

    def test_refused(self, store, tmp_path, tiny_blocks):
        values = RNG.normal(size=(30, 3))
        values[17, 1] = np.inf
        with pytest.raises(InputError, match="X: found an infinite value in row 17;"):
            as_points(store(values, tmp_path), "X")
        assert not spools(tmp_path)
        with pytest.raises(InputError, match="X: found complex"):
            as_points(store(np.ones((30, 3), dtype=complex), tmp_path), "X")
        with pytest.raises(InputError, match=r"X: found 1-D data of shape \(30,\)"):
            as_points(store(values[:, 0].copy(), tmp_path), "X")

    def test_encoders_get_the_batches_of_memory(self, store, tmp_path, tiny_blocks):
        values, seen = RNG.normal(size=(30, 3)), []

        def encode(batch):
            seen.append(batch.copy())
            batch[:] = 0  # the batch is a copy
            return seen[-1][:, :2]

        stored = store(values, tmp_path)
        np.testing.assert_array_equal(as_encoder(encode, batch_size=8).encode(stored), values[:, :2])
        assert [len(batch) for batch in seen] == [8, 8, 8, 6]
        np.testing.assert_array_equal(np.concatenate(seen), values)
        np.testing.assert_array_equal(stored[:], values)


def test_closed_files_are_an_error(tmp_path):
    stored = contiguous_hdf5(GOOD, tmp_path)
    stored.file.close()
    with pytest.raises(InputError, match=r"^X: found"):
        as_points(stored, "X")


def test_dask_arrays_of_unknown_size_are_an_error():
    array = pytest.importorskip("dask.array").from_array(GOOD, chunks=2)
    with pytest.raises(InputError, match="compute_chunk_sizes"):
        as_points(array[array[:, 0] > 3], "X")


def test_a_full_disk_is_an_error(tmp_path, tiny_blocks):
    stored = zarr(GOOD, tmp_path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (16, hard))
    try:
        with pytest.raises(InputError, match=r"X: no room for a temporary copy .* set TMPDIR"):
            as_points(stored, "X")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert not spools(tmp_path)


@pytest.mark.parametrize("store", [hdf5, zarr, dask])
def test_stored_points_measure_the_same(store, tmp_path, tiny_blocks):
    X, X_ref = RNG.normal(size=(30, 5)), RNG.normal(size=(60, 5))
    report, stored = (
        distbench.evaluate_codes(X, X[:, :2], reference=(points, X_ref[:, :2]), k=5)
        for points in (X_ref, store(X_ref, tmp_path))
    )
    assert (stored.as_dict(), stored.pairs) == (report.as_dict(), report.pairs)
    assert all((stored[name].low, stored[name].high) == (score.low, score.high) for name, score in report.items())


@pytest.mark.parametrize("store", [hdf5, zarr, dask])
@pytest.mark.parametrize("batch_size", [16, 1024])
@pytest.mark.parametrize("encode", [lambda b: b + np.arange(len(b))[:, None], lambda b: b - b.mean(axis=0)])
def test_codes_that_depend_on_the_batch_of_stored_points_are_an_error(store, tmp_path, batch_size, encode):
    with pytest.raises(EncoderError, match="with the other points of its batch"):
        distbench.evaluate(encode, store(RNG.normal(size=(130, 3)), tmp_path), k=5, batch_size=batch_size)


def test_encoders_may_return_arrays_of_dask():
    X, from_array = RNG.normal(size=(30, 3)), pytest.importorskip("dask.array").from_array
    report = distbench.evaluate(lambda batch: from_array(batch)[:, :2], X, k=5)
    assert report.as_dict() == distbench.evaluate(lambda batch: batch[:, :2], X, k=5).as_dict()
