"""The user's data in suite files."""

from __future__ import annotations

import os

import numpy as np
import pytest
from suite_texts import CLAIM, PCA_ENTRY, TOP, written

from distbench.datasets import load_dataset
from distbench.errors import SuiteError
from distbench.suites.check_names import check_suite
from distbench.suites.claims import claim_key
from distbench.suites.fits import Fit, FitCache
from distbench.suites.reader import read_suite
from distbench.suites.recipes import as_recipe

RNG = np.random.default_rng(0)
TRAIN, TEST = RNG.normal(size=(40, 5)), RNG.normal(size=(20, 5))
OWN = 'dataset = {name = "mine", train = "train.npy", test = "test.npy"}'


@pytest.fixture
def folder(tmp_path):
    for name, array in {"train": TRAIN, "test": TEST}.items():
        np.save(tmp_path / f"{name}.npy", array)
    return tmp_path


@pytest.fixture
def suite(folder):
    """Read a suite with a line about its data."""

    def suite(line, rest=PCA_ENTRY, name="s.toml"):
        return read_suite(written(folder, TOP.replace('dataset = "digits"', line) + rest, name))

    return suite


def same(data):
    np.testing.assert_array_equal(data.train, TRAIN)
    np.testing.assert_array_equal(data.test, TEST)
    return data.labels_train is data.labels_test is None


WRONG = {
    "{name = 'a', file = 'a.npz', group = 'b'}": r"\.group: names a column, .*; give groups as arrays instead",
    "{name = 'a', train = 'a.parquet', test = 'b.parquet', group = 'b', groups_test = 'c.npy'}": (
        r"\.groups_test: is given beside group; leave one of them out"
    ),
    "{name = 'a', load = 'a:b', group = 'b'}": ": unknown key 'group' beside load",
    "{train = 'a.npy', test = 'b.npy'}": ": name is missing; add it",
    "{name = 'a', train = 'a.npy'}": ": test is missing; add it",
    "{name = 'a'}": ": needs exactly one of: load; file; train and test",
    "{name = 'a', file = 'a.npz', load = 'a:b'}": ": needs exactly one of",
    "{name = 'a', trian = 'a.npy', test = 'b.npy'}": ": unknown key 'trian'; did you mean 'train'",
    "{name = 'a', load = 'a:b', label = 'x'}": ": unknown key 'label' beside load; take it out",
    "{name = 'a', file = 'a.csv'}": r"\.file: found 'a.csv'; give a file that ends in .npz or .parquet",
    "{name = 'a', train = 'a.npz', test = 'b.npy'}": r"\.train: .* ends in .npy or .parquet",
    "{name = 'a', file = '../a.npz'}": r"\.file: .* is outside the suite's folder",
    "{name = 'a', file = 'a.npz', label = 'x'}": r"\.label: names a column, which only",
    "{name = 'a', train = 'a.npy', test = 'b.npy', labels_train = 'c.npy'}": ": labels_test is missing; add it, as",
    "{name = 'a', load = 'a.b'}": r"\.load: found 'a.b'; give module:function",
    "{name = 3, load = 'a:b'}": r"\.name: found 3; give a text in quotes",
    "['digits']": ": found .* give a name in quotes, or a table",
}


class TestSuite:
    def test_a_table_names_the_data_of_the_suite(self, suite, folder):
        claim = CLAIM + 'encoder = "pca"\nmetric = "stress"\nat_most = 1\n'
        parsed = suite(OWN, PCA_ENTRY + claim)
        check_suite(parsed)
        assert parsed.dataset == parsed.claims[0].dataset == "mine"
        cache = FitCache()
        cache.register(parsed)
        cache.register(parsed)
        assert same(cache.dataset("mine"))
        assert cache.run(Fit(as_recipe("pca"), "mine", 2, 0)).report.m == 20
        assert cache.dataset("digits") is load_dataset("digits")
        before = claim_key(parsed.claims[0], parsed)
        np.save(folder / "test.npy", TEST + 1)
        os.utime(folder / "test.npy", ns=(1, 1))
        assert claim_key(parsed.claims[0], parsed) != before

    def test_a_table_under_its_own_header_and_paths_below_the_folder_or_absolute(self, suite, folder):
        (folder / "data").mkdir()
        (folder / "train.npy").rename(folder / "data" / "train.npy")
        header = f'[dataset]\nname = "mine"\ntrain = "data/train.npy"\ntest = {str(folder / "test.npy")!r}\n'
        parsed = suite("k = 10", header + PCA_ENTRY)
        check_suite(parsed)
        assert same(parsed.load_dataset("mine"))

    def test_the_keys_of_a_table_are_those_of_the_source(self, suite, folder):
        for keys in (
            {"train": "a.parquet", "test": "b.parquet", "label": "kind"},
            {"train": "a.parquet", "test": "b.parquet", "label": "kind", "group": "writer"},
            {"train": "a.npy", "test": "b.npy", "groups_test": "c.npy"},
            {"train": "a.npy", "test": "b.npy", "labels_train": "c.npy", "labels_test": "d.npy"},
        ):
            table = ", ".join(f"{key} = {value!r}" for key, value in keys.items())
            source = suite(f"dataset = {{name = 'mine', {table}}}").source
            columns = keys.pop("label", ""), keys.pop("group", "")
            assert dict(source.files) == {key: folder / name for key, name in keys.items()}
            assert (source.label, source.group) == columns

    @pytest.mark.parametrize(("keys", "message"), WRONG.items())
    def test_errors_have_the_line(self, suite, keys, message):
        with pytest.raises(SuiteError, match=rf"^s\.toml:4: dataset{message}"):
            suite(f"dataset = {keys}")

    def test_keys_under_a_header_have_lines_of_their_own(self, suite):
        table = "[dataset]\nname = 'a'\ntrain = 'a.parquet'\ntest = 'b.parquet'\nlabel = 'x'\nlabels_train = 'c.npy'\n"
        with pytest.raises(SuiteError, match=r"^s\.toml:11: dataset\.labels_train: is given beside label"):
            suite("", table + PCA_ENTRY)

    def test_check_suite_looks_up_names_and_files(self, suite, folder):
        for line, message in {
            'dataset = {name = "digits", file = "p.npz"}': r"s.toml:4: dataset.name: 'digits' is a data set that ships",
            'dataset = {name = "mine", file = "p.npz"}': r"s.toml:4: dataset.file: no such file: .*p\.npz",
        }.items():
            with pytest.raises(SuiteError, match=message):
                check_suite(suite(line))
        claim = CLAIM + 'encoder = "pca"\nmetric = "stress"\nat_most = 1\ndataset = "mien"\n'
        with pytest.raises(SuiteError, match=r"claim 1.dataset: no data set is called 'mien'; did you mean 'mine'"):
            check_suite(suite(OWN, claim))

    def test_two_suites_with_data_of_one_name(self, suite, folder):
        np.savez(folder / "p.npz", train=TRAIN, test=TEST)
        cache = FitCache()
        cache.register(suite(OWN, name="one.toml"))
        cache.register(suite(OWN, name="two.toml"))
        with pytest.raises(SuiteError, match=r"three.toml:4: dataset.name: 'mine' names different data in one.toml"):
            cache.register(suite('dataset = {name = "mine", file = "p.npz"}', name="three.toml"))
