"""Codes of whole numbers: packed bits, symbols, or vectors; the report says which, where it may be wrong."""

from __future__ import annotations

import re

import numpy as np
import pytest
from frameworks import pd

import distbench
from distbench.datasets import load_dataset
from distbench.evaluation.code_distances import symbol_code_notes
from distbench.inputs.arrays import as_points
from distbench.metrics import METRICS

RNG = np.random.default_rng(8)
X = RNG.normal(size=(90, 20))
BITS = X[:, :20] > 0
PACKED = np.packbits(BITS, axis=1)  # three bytes, the last one half empty
FORMS = {"uint8": PACKED, "int8, less 128": (PACKED.astype(int) - 128).astype(np.int8), "int8": PACKED.view(np.int8)}
NAMES = [name for name in METRICS if name not in ("label_agreement", "reconstruction_mse")]


def evaluated(codes, distance, **options):
    return distbench.evaluate_codes(X, codes, k=5, distance_z=distance, **options)


def codes_of(report):
    return {note.code for note in report.notes}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("split", [False, True])
def test_packed_bits_measure_as_their_bits(form, split):
    packed = FORMS[form]
    plain = np.unpackbits(PACKED, axis=1)
    for distance in ("packed_hamming", "hamming"):
        if split:
            reference = (X[40:], packed[40:])
            report = distbench.evaluate_codes(
                X[:40], packed[:40], reference=reference, k=5, distance_z=distance, metrics=NAMES
            )
            options = {"reference": (X[40:], plain[40:]), "k": 5, "distance_z": "hamming", "metrics": NAMES}
            wanted = distbench.evaluate_codes(X[:40], plain[:40], **options)
        else:
            report, wanted = (evaluated(Z, how, metrics=NAMES) for Z, how in ((packed, distance), (plain, "hamming")))
        assert report.as_dict() == wanted.as_dict()
        assert report.pairs == wanted.pairs
        assert report.distance_z == "packed_hamming"
        assert codes_of(report) - codes_of(wanted) == ({"packed_bits"} if distance == "hamming" else set())


def test_an_encoder_may_return_packed_bits():
    report = distbench.evaluate(lambda batch: np.packbits(batch > 0, axis=1), X, k=5, distance_z="packed_hamming")
    assert report.as_dict() == evaluated(PACKED, "packed_hamming").as_dict()
    assert report.code_size == 3
    again = distbench.evaluate(lambda batch: np.packbits(batch > 0, axis=1), X, k=5, distance_z="hamming")
    assert again.as_dict() == report.as_dict()
    assert "packed_bits" in codes_of(again)


@pytest.mark.parametrize("table", ["rows of objects", "pandas", "polars", "polars column", "arrow", "arrow column"])
def test_tables_may_hold_packed_bits(table):
    if table == "rows of objects":
        codes = pd.Series(list(PACKED))
    elif table == "pandas":
        codes = pd.DataFrame(PACKED)
    elif table.startswith("polars"):
        polars = pytest.importorskip("polars")
        codes = polars.Series(PACKED) if "column" in table else polars.DataFrame(PACKED)
    else:
        arrow = pytest.importorskip("pyarrow")
        rows = arrow.FixedSizeListArray.from_arrays(arrow.array(PACKED.ravel()), PACKED.shape[1])
        codes = rows if "column" in table else arrow.table(dict(zip("abc", PACKED.T, strict=True)))
    report = evaluated(codes, "hamming")
    assert report.distance_z == "packed_hamming"
    assert report.as_dict() == evaluated(PACKED, "packed_hamming").as_dict()


def test_users_metrics_get_distances_of_bits():
    inputs = distbench.metrics.MetricInputs(X, PACKED, X[:0], PACKED[:0], True, 5, "cosine", "packed_hamming")
    _, b = inputs.distances()
    plain = np.unpackbits(PACKED, axis=1)
    assert b.shape == (90, 89)
    assert b[3, 5] == (plain[3] != plain[6]).mean()  # the row itself is left out


@pytest.mark.parametrize(
    ("codes", "found"),
    [
        (BITS, None),
        (BITS.astype(np.uint8), None),
        (np.where(BITS, 1, -1).astype(np.int8), None),
        (PACKED % 128, "symbols"),  # small numbers of bytes: symbols
        (PACKED.astype(np.int64), "symbols"),
        (PACKED.astype(np.int64) * 9, "symbols"),
    ],
    ids=["bool", "bits of bytes", "signs of bytes", "small bytes", "int64", "large"],
)
def test_hamming_counts_columns_of_all_other_codes(codes, found):
    report = evaluated(codes, "hamming", metrics=["pearson"])
    apart = (codes[:, None] != codes[None]).mean(axis=2)
    plain = np.sqrt(((X[:, None] - X[None]) ** 2).sum(axis=2))
    places = np.triu_indices(len(X), 1)
    assert report["pearson"].value == pytest.approx(np.corrcoef(plain[places], apart[places])[0, 1], abs=1e-12)
    assert report.distance_z == "hamming"
    assert codes_of(report) - {"shared_codes", "lost_scale"} == ({found} if found else set())


@pytest.mark.parametrize(
    ("first", "message"),
    [
        ((0.5, 1, 2), "found values that are no whole numbers; 'packed_hamming' counts"),
        (
            (0, 1, 256),
            r"found whole numbers from 0 to 256 in Z_test; 'packed_hamming' takes bytes .*\.view\(numpy\.uint8\)",
        ),
        ((-1, 1, 128), "found whole numbers from -1 to 128 in Z_test; 'packed_hamming' takes bytes"),
    ],
)
def test_other_numbers_are_no_bytes(first, message):
    codes = RNG.integers(0, 2, size=(90, 3)).astype(float)
    codes[0] = first
    with pytest.raises(distbench.InputError, match=f"^Z_test: {message}"):
        evaluated(codes, "packed_hamming")


def test_a_reference_of_the_other_kind_of_bytes_is_refused():
    with pytest.raises(distbench.InputError, match=r"Z_test and reference\[1\]; 'packed_hamming' takes bytes"):
        distbench.evaluate_codes(
            X, FORMS["uint8"], reference=(X + 1, FORMS["int8, less 128"]), k=5, distance_z="packed_hamming"
        )


@pytest.mark.parametrize("side", [0, 1])
def test_signs_beside_bits_are_refused(side):
    signs = np.where(BITS, 1, -1)
    codes = (signs[:40], BITS[40:]) if side == 0 else (BITS[:40], signs[40:].astype(float))
    found = ("Z_test", "reference[1]") if side == 0 else ("reference[1]", "Z_test")
    with pytest.raises(
        distbench.InputError, match=re.escape(f"-1 and 1 in {found[0]}, but 0 and 1 in {found[1]}; write")
    ):
        distbench.evaluate_codes(X[:40], codes[0], reference=(X[40:], codes[1]), k=5, distance_z="hamming")
    signs[0, 0] = 0  # three symbols, of which some rows lack one
    ternary = distbench.evaluate_codes(X[:40], signs[:40], reference=(X[40:], BITS[40:]), k=5, distance_z="hamming")
    assert ternary.distance_z == "hamming"


def test_bits_in_columns_of_their_own_are_no_packed_bits():
    assert "packed_bits" in codes_of(evaluated(BITS, "packed_hamming"))
    assert "packed_bits" not in codes_of(evaluated(PACKED, "packed_hamming"))


IDS = RNG.integers(0, 256, size=(90, 4))


@pytest.mark.parametrize(
    ("codes", "is_noted"),
    [
        (IDS, True),
        (IDS.astype(np.uint8), True),
        (IDS[:, :1].astype(float) % 20, True),
        (IDS - 128, True),
        (PACKED, True),
        (IDS % 2, False),
        (IDS % 3 - 1, False),
        (X[:, :3], False),
        (np.round(X[:, :3] * 1e4), False),
    ],
    ids=["int64", "uint8", "one column of float64", "signed", "bytes", "bits", "three levels", "floats", "many levels"],
)
@pytest.mark.parametrize("distance", ["euclidean", "cosine"])
def test_symbols_measured_as_vectors_have_a_note(codes, is_noted, distance):
    report = evaluated(codes, distance)
    found = [note for note in report.notes if note.code == "symbols"]
    assert [note.level for note in found] == ["warning"] * is_noted
    assert all("distance_z='hamming'" in note for note in found)


NORMALS = RNG.normal(size=(400, 16))
PARTS = np.split(NORMALS, 4, axis=1)
DIGITS = load_dataset("digits").train


def _quantised(points, size):
    """Return the places of the nearest of `size` points, as ids of a quantizer fitted on few points."""
    return ((points[:, None] - points[:size]) ** 2).sum(axis=2).argmin(axis=1)


def _levels(points, largest=65535):
    return np.round((points - points.min(axis=0)) / (np.ptp(points, axis=0) + 1e-9) * largest)


MANY_SYMBOLS = {
    "one quantiser of 300": (NORMALS, _quantised(NORMALS, 300)[:, None]),
    "products of quantisers of 300": (NORMALS, np.stack([_quantised(part, 300) for part in PARTS], axis=1)),
    "of books of two sizes": (NORMALS, np.stack([_quantised(PARTS[0], 350), _quantised(PARTS[1], 60)], axis=1)),
    "few points of many ids": (NORMALS[:80], RNG.integers(0, 8192, (80, 8))),
    "at random": (NORMALS, RNG.integers(0, 4096, (400, 2))),
    "ids of float32": (NORMALS, RNG.integers(0, 8192, (400, 4)).astype(np.float32)),
    "of pictures": (DIGITS, np.stack([_quantised(part, 300) for part in np.split(DIGITS, 4, axis=1)], axis=1)),
}
MANY_LEVELS = {
    "two columns of 16 bits": (NORMALS[:, :4], _levels(NORMALS[:, :2])),
    "one column of 16 bits": (NORMALS[:, :2], _levels(NORMALS[:, :1])),
    "few points of 16 bits": (NORMALS[:80], _levels(NORMALS[:80, :8])),
    "ranks": (NORMALS, NORMALS.argsort(axis=0).argsort(axis=0)),
    "counts": (NORMALS, RNG.poisson(np.exp(NORMALS[:, :8] / 2 + 5))),
    "pictures of 12 bits": (DIGITS, _levels(DIGITS.reshape(-1, 4, 2, 8).sum(axis=2).reshape(-1, 32), 4095)),
    "rounded coordinates": (NORMALS, np.round(NORMALS[:, :3] * 1e4) + 1e5),
    "floats too large for fractions": (NORMALS, RNG.random((400, 3)) * 1e200),
    "float32 too large for fractions": (NORMALS, (RNG.random((400, 3)) * 1e12).astype(np.float32)),
    "points at one distance": (np.eye(300), RNG.integers(0, 4096, (300, 2))),
}


BYTES = {
    "packed signs": (DIGITS, np.packbits(DIGITS - DIGITS.mean(axis=0) > 0, axis=1), True),
    "signed bytes of signs": (NORMALS, np.packbits(NORMALS > 0, axis=1).astype(int) - 128, True),
    "words of signs": (DIGITS, np.packbits(DIGITS - DIGITS.mean(axis=0) > 0, axis=1).view(np.int32), True),
    "short words of signs": (NORMALS, np.packbits(NORMALS > 0, axis=1).view(np.uint16), True),
    "numbers of 32 bits": (NORMALS[:, :4], _levels(NORMALS[:, :2], 2**32 - 1) - 2**31, False),
    "signs of many projections": (DIGITS, np.packbits((DIGITS - 0.3) @ RNG.normal(size=(64, 256)) > 0, axis=1), True),
    "products of quantisers": (NORMALS, np.stack([_quantised(part, 200) for part in PARTS], axis=1), True),
    "one quantiser": (DIGITS, _quantised(DIGITS, 20)[:, None], True),
    "numbers of 8 bits": (NORMALS, _levels(NORMALS, 255), False),
    "signed numbers of 8 bits": (DIGITS, _levels(DIGITS, 255) - 128, False),
    "a few numbers of 4 bits": (DIGITS, _levels(DIGITS.reshape(-1, 8, 8).sum(axis=2), 15), False),
    "places on a line": (NORMALS[:200, :1] @ NORMALS[:1], NORMALS[:200, :1].argsort(axis=0).argsort(axis=0), False),
}


@pytest.mark.parametrize("kind", BYTES)
@pytest.mark.parametrize("distance", ["euclidean", "cosine"])
def test_bytes_that_are_vectors_have_no_note(kind, distance):
    """Numbers of a scalar quantizer are nearer where points are, packed bits less so than their bits."""
    X, Z, is_noted = BYTES[kind]
    found = symbol_code_notes(as_points(X[:300], "X"), as_points(Z[:300], "Z"), ("euclidean", distance))
    assert ["packed_hamming" in note for note in found] == [True] * is_noted


@pytest.mark.parametrize("kind", [*MANY_SYMBOLS, *MANY_LEVELS])
def test_so_have_symbols_that_fit_no_byte(kind):
    found = symbol_code_notes(*map(as_points, (MANY_SYMBOLS | MANY_LEVELS)[kind], "XZ"), ("euclidean", "euclidean"))
    assert [note.level for note in found] == (["warning"] if kind in MANY_SYMBOLS else [])
    assert all("distance_z='hamming'" in note and "packed" not in note for note in found)


def test_codes_of_more_dimensions_are_flattened_with_a_note():
    tokens = distbench.evaluate(lambda batch: batch.reshape(len(batch), 5, 4), X, k=5)
    assert any(note.startswith("codes of X_test: arrays of shape (5, 4) flattened") for note in tokens.notes)
    assert tokens.as_dict() == distbench.evaluate(lambda batch: batch, X, k=5).as_dict()
    ready = evaluated(X.reshape(90, 2, 10), "euclidean")
    assert any(note.startswith("Z_test: arrays of shape (2, 10) flattened") for note in ready.notes)
    assert ready.as_dict() == tokens.as_dict()
