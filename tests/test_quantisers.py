"""Reference encoders of compressed search: their bytes, and what they keep."""

from __future__ import annotations

import numpy as np
import pytest
from frameworks import needs

import distbench

RNG = np.random.default_rng(3)
X = (RNG.normal(size=(600, 6)) @ RNG.normal(size=(6, 32))) * np.linspace(3, 1, 32)
TRAIN, TEST = X[:400], X[400:]


def fit(name, size, **options):
    return distbench.fit_baseline(name, TRAIN, code_size=size, **options)


def test_each_column_is_rounded_to_256_levels():
    codes = fit("int8", 8).encode(TRAIN)
    assert codes.shape == (400, 8)
    for column, original in zip(codes.T, TRAIN[:, :8].T, strict=True):
        step = np.ptp(original) / 255
        assert np.abs(column - original).max() <= step / 2 * 1.001
        assert len(np.unique(np.rint((column - original.min()) / step))) <= 256


def test_truncation_keeps_numbers_in_single_precision():
    np.testing.assert_array_equal(fit("truncation", 12).encode(TEST), TEST[:, :3].astype(np.float32))
    with pytest.raises(distbench.InputError, match="code_size: found 10 bytes; truncation takes a multiple of 4"):
        fit("truncation", 10)


@pytest.mark.parametrize("rotate", [False, True])
def test_signs_are_compared_as_the_bits_that_differ(rotate):
    encoder = fit("binary", 2, rotate=rotate)
    codes, stored = encoder.encode(TEST), encoder.encode(TRAIN)
    assert codes.shape == (200, 16)
    assert set(np.unique(codes)) == {-1.0, 1.0}
    bits = [np.packbits(part > 0, axis=1) for part in (codes, stored)]
    packed = distbench.evaluate_codes(
        TEST, bits[0], reference=(TRAIN, bits[1]), distance_z="packed_hamming", metrics="knn_recall"
    )
    for distance in ("euclidean", "cosine", "inner_product"):
        decoded = distbench.evaluate(encoder, TEST, reference=TRAIN, distance_z=distance, metrics="knn_recall")
        assert decoded["knn_recall"].value == pytest.approx(packed["knn_recall"].value, abs=1e-12)
        assert decoded.code_bytes == packed.code_bytes == 2


def test_lengths_of_rows_may_be_left_out():
    scaled = TRAIN * RNG.uniform(0.1, 9, size=(400, 1))
    for name in ("int8", "pca_int8", "binary"):
        one, other = (distbench.fit_baseline(name, points, 8, unit=True) for points in (TRAIN, scaled))
        np.testing.assert_allclose(one.encode(TEST), other.encode(TEST * 3), atol=1e-9)


@needs("faiss")
def test_more_bits_keep_more_neighbors():
    recall = {
        (name, size): distbench.evaluate(fit(name, size), TEST, reference=TRAIN, metrics="knn_recall")
        for name in ("truncation", "int8", "product_quantization", "optimized_product_quantization")
        for size in (4, 16)
    }
    codes = {note.code for report in recall.values() for note in report.notes}
    assert "code_size" not in codes, "decoded codes are no reconstructions"
    for name, size in recall:
        assert recall[name, size].code_bytes == size
        assert recall[name, 4]["knn_recall"].value < recall[name, 16]["knn_recall"].value
    assert recall["optimized_product_quantization", 4]["knn_recall"].value > recall["int8", 4]["knn_recall"].value
    with pytest.raises(distbench.InputError, match="code_size: found 40 for 32 columns"):
        fit("product_quantization", 40)
    with pytest.raises(distbench.InputError, match="X: found 20 points of 32 columns; optimized_product_quantization"):
        distbench.fit_baseline("optimized_product_quantization", TRAIN[:20], 4)


def test_a_suite_measures_by_its_distance(tmp_path):
    from distbench.errors import SuiteError
    from distbench.suites.reader import read_suite

    text = 'distbench = 1\nquestion = "?"\ndataset = "digits"\ncode_sizes = [2]\n{}\n[[encoder]]\nname = "pca"\n'
    path = tmp_path / "own.toml"
    path.write_text(text.format('distance = "cosine"'))
    assert read_suite(path).options == {"distance_x": "cosine", "distance_z": "cosine"}
    path.write_text(text.format(""))
    assert read_suite(path).options == {}
    path.write_text(text.format('distance = "hamming"'))
    with pytest.raises(SuiteError, match="distance"):
        read_suite(path)
