"""The user's data, from files and from functions."""

from __future__ import annotations

import os
import sys
import textwrap

import numpy as np
import pytest
from frameworks import pd

from distbench.datasets import DataSource
from distbench.datasets._dataset import digest, split
from distbench.errors import DatasetError, MissingDependencyError

RNG = np.random.default_rng(0)
TRAIN, TEST = RNG.normal(size=(40, 5)), RNG.normal(size=(20, 5))
Y_TRAIN, Y_TEST = np.arange(40) % 3, np.arange(20) % 3
LABELLED = {key: f"{key.replace('labels', 'y')}.npy" for key in ("train", "test", "labels_train", "labels_test")}


@pytest.fixture
def folder(tmp_path):
    for name, array in {"train": TRAIN, "test": TEST, "y_train": Y_TRAIN, "y_test": Y_TEST}.items():
        np.save(tmp_path / f"{name}.npy", array)
    return tmp_path


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Write a module that can be imported."""

    def module(text, name="my_data_module"):
        (tmp_path / f"{name}.py").write_text(textwrap.dedent(text))
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.delitem(sys.modules, name, raising=False)
        return name

    return module


def source(folder, label="", **files):
    return DataSource("mine", tuple((key, folder / name) for key, name in files.items()), label)


def same(data, *, labels=True):
    np.testing.assert_array_equal(data.train, TRAIN)
    np.testing.assert_array_equal(data.test, TEST)
    if labels:
        np.testing.assert_array_equal(data.labels_train, Y_TRAIN)
        np.testing.assert_array_equal(data.labels_test, Y_TEST)
    else:
        assert data.labels_train is data.labels_test is None
    return True


class TestFiles:
    def test_npy(self, folder):
        data = source(folder, train="train.npy", test="test.npy").load()
        assert same(data, labels=False)
        assert (data.name, data.sha256) == ("mine", digest([TRAIN, TEST]))
        labelled = source(folder, **LABELLED)
        assert same(labelled.load())
        assert labelled.load().sha256 == digest([TRAIN, TEST, Y_TRAIN, Y_TEST])
        assert not labelled.load().train.flags.writeable

    def test_npz(self, folder):
        np.savez(folder / "p.npz", train=TRAIN, test=TEST, labels_train=Y_TRAIN, labels_test=Y_TEST, other=[1])
        assert same(source(folder, file="p.npz").load())

    def test_parquet_takes_columns_of_numbers_and_leaves_text_and_the_frames_index_out(self, folder):
        for name, points, labels in (("train", TRAIN, Y_TRAIN), ("test", TEST, Y_TEST)):
            frame = pd.DataFrame(points, columns=list("abcde"), index=np.arange(len(points)) * 7 + 1)
            frame.insert(2, "digit", labels)
            frame["word"] = "text"
            frame.to_parquet(folder / f"{name}.parquet")
        assert same(source(folder, "digit", train="train.parquet", test="test.parquet").load())
        # Without a label the classes are a feature like any other.
        assert source(folder, train="train.parquet", test="test.parquet").load().train.shape == (40, 6)

    def test_groups_of_the_test_points(self, folder):
        writers, numbers = np.array(["b", "a"])[np.arange(len(TEST)) % 2], np.arange(len(TEST)) % 2
        np.savez(folder / "g.npz", train=TRAIN, test=TEST, groups_test=writers)
        np.save(folder / "writers.npy", writers)
        for name, points in (("train", TRAIN), ("test", TEST)):
            frame = pd.DataFrame(points, columns=list("abcde")).assign(writer=np.arange(len(points)) % 2)
            frame.to_parquet(folder / f"{name}.parquet")
        files = {"train": folder / "train.parquet", "test": folder / "test.parquet"}
        for data in (
            source(folder, file="g.npz"),
            source(folder, train="train.npy", test="test.npy", groups_test="writers.npy"),
            DataSource("mine", tuple(files.items()), group="writer"),
        ):
            loaded = data.load()
            assert same(loaded, labels=False)
            np.testing.assert_array_equal(loaded.groups_test, numbers)
            assert loaded.sha256 == digest([TRAIN, TEST, numbers])
        split_file = DataSource("mine", (("file", files["train"]),), group="writer").load()
        assert (split_file.test.shape, split_file.groups_test.shape) == ((8, 5), (8,))
        np.save(folder / "writers.npy", writers[1:])
        wrong = source(folder, train="train.npy", test="test.npy", groups_test="writers.npy")
        with pytest.raises(DatasetError, match=f"groups_test: found {len(TEST) - 1} labels for {len(TEST)} "):
            wrong.load()
        missing = DataSource("mine", tuple(files.items()), group="film")
        with pytest.raises(DatasetError, match="group: there is no column 'film'"):
            missing.load()

    def test_one_parquet_file_is_split_as_the_shipped_data_sets_are(self, folder):
        words = np.array(["cat", "ant", "bee"])[Y_TRAIN]
        frame = pd.DataFrame(TRAIN.astype(np.float32), columns=list("abcde")).assign(kind=pd.Categorical(words))
        frame.to_parquet(folder / "all.parquet")
        data = source(folder, "kind", file="all.parquet").load()
        numbers = np.unique(words, return_inverse=True)[1]
        train, test = split(40, numbers)
        np.testing.assert_array_equal(data.train, TRAIN.astype(np.float32)[train])
        np.testing.assert_array_equal(data.labels_test, numbers[test])
        assert (len(data.train), len(data.test), data.train.dtype) == (32, 8, np.float32)

    def test_whole_numbers_become_floats_and_both_parts_have_one_type(self, folder):
        np.save(folder / "small.npy", TRAIN.astype(np.float16))
        np.save(folder / "bytes.npy", np.arange(10, dtype=np.uint8).reshape(2, 5))
        assert source(folder, train="small.npy", test="small.npy").load().train.dtype == np.float32
        mixed = source(folder, train="small.npy", test="bytes.npy").load()
        assert mixed.train.dtype == mixed.test.dtype == np.float64

    def test_the_same_object_until_a_file_changes(self, folder):
        mine = source(folder, train="train.npy", test="test.npy")
        first = mine.load()
        assert mine.load() is first
        np.save(folder / "test.npy", TEST + 1)
        os.utime(folder / "test.npy", ns=(1, 1))
        assert mine.load().sha256 != first.sha256

    @pytest.mark.parametrize(
        ("name", "array", "message"),
        [
            ("train", TRAIN[:, 0], r"train: found 1-D data of shape \(40,\); pass one point per row"),
            ("train", TRAIN[:, :4], "test: found 5 features, train has 4"),
            ("train", np.where(TRAIN > 2, np.nan, TRAIN), "train: found NaN in row"),
            ("train", TRAIN[:0], r"train: found shape \(0, 5\), which holds no numbers"),
            ("train", TRAIN + 1j, "train: found complex numbers; pass real ones"),
            ("train", np.array([["a"]]), "train: found dtype <U1; pass numbers"),
            (
                "y_train",
                Y_TRAIN[:-1],
                r"labels_train: found shape \(39,\) for 40 points; give one class for each point",
            ),
            ("y_train", Y_TRAIN + 0.5, "labels: found float64 and int64; give whole numbers or texts"),
            ("y_train", Y_TRAIN.astype(str), "labels: found .* the same in train and test"),
        ],
    )
    def test_arrays_that_cannot_be_used(self, folder, name, array, message):
        np.save(folder / f"{name}.npy", array)
        with pytest.raises(DatasetError, match=f"data set 'mine': {message}"):
            source(folder, **LABELLED).load()

    @pytest.mark.parametrize("name", ["cut.npy", "cut.npz", "cut.parquet", "text.npy", "text.npz", "text.parquet"])
    def test_damaged_files_are_one_line(self, folder, name):
        stem, _, kind = name.partition(".")
        np.savez(folder / "good.npz", train=TRAIN, test=TEST)
        pd.DataFrame(TRAIN, columns=list("abcde")).to_parquet(folder / "good.parquet")
        np.save(folder / "good.npy", TRAIN)
        good = (folder / f"good.{kind}").read_bytes()
        (folder / name).write_bytes(good[: len(good) // 2] if stem == "cut" else b"no such format at all")
        files = {"train": name, "test": "test.npy"} if kind == "npy" else {"file": name}
        with pytest.raises(DatasetError, match=f"data set 'mine': {name}: .*; (save|is the file complete)") as caught:
            source(folder, **files).load()
        assert "\n" not in str(caught.value)

    def test_files_under_a_wrong_name(self, folder):
        np.savez(folder / "p.npz", train=TRAIN, test=TEST)
        (folder / "p.npz").rename(folder / "p.npy")
        with pytest.raises(DatasetError, match=r"p.npy: holds several arrays; rename it to end in .npz"):
            source(folder, train="p.npy", test="test.npy").load()
        (folder / "train.npy").rename(folder / "p.npz")
        with pytest.raises(DatasetError, match=r"p.npz: holds one array without a name; rename it to end in .npy"):
            source(folder, file="p.npz").load()
        np.savez(folder / "p.npz", X_train=TRAIN, test=TEST)
        with pytest.raises(DatasetError, match=r"p.npz: has no array 'train', only X_train, test; save it under"):
            source(folder, file="p.npz").load()
        with pytest.raises(DatasetError, match=r"no such file: .*away\.npz"):
            source(folder, file="away.npz").load()

    @pytest.mark.parametrize(
        ("columns", "label", "message"),
        [
            ({"a": [1, 2], "kind": [0, 1]}, "kin", "label: there is no column 'kin'; did you mean 'kind'"),
            ({"a": ["x", "y"]}, "", "has no column of numbers; found a"),
            ({"a": [1, None]}, "", "column 'a' has 1 empty cells; fill them"),
            ({"a": [1, 2], "y": [1.5, 2]}, "y", "labels: found float64; give whole numbers or texts"),
        ],
    )
    def test_tables_that_cannot_be_used(self, folder, columns, label, message):
        pd.DataFrame(columns).to_parquet(folder / "t.parquet")
        with pytest.raises(DatasetError, match=f"data set 'mine': t.parquet: {message}"):
            source(folder, label, file="t.parquet").load()

    def test_tables_of_other_columns(self, folder):
        pd.DataFrame({"a": [1, 2], "b": [3, 4]}).to_parquet(folder / "train.parquet")
        pd.DataFrame({"b": [1, 2], "a": [3, 4]}).to_parquet(folder / "test.parquet")
        with pytest.raises(DatasetError, match=r"test.parquet: has other columns of numbers than train.parquet"):
            source(folder, train="train.parquet", test="test.parquet").load()

    def test_without_pyarrow(self, folder, monkeypatch):
        pd.DataFrame({"a": [1, 2]}).to_parquet(folder / "t.parquet")
        monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
        with pytest.raises(MissingDependencyError, match=r"'mine': t.parquet: needs pyarrow, .* pip install pyarrow"):
            source(folder, file="t.parquet").load()


class TestFunctions:
    @pytest.mark.parametrize(
        "made",
        [
            "(train, test, y[0], y[1])",
            "[train, test, y[0], y[1]]",
            "dict(train=train, test=test, labels_train=y[0], labels_test=y[1])",
            "Dataset('other', train, test, y[0], y[1], 'measured', 'mine alone', 'no hash')",
        ],
    )
    def test_all_that_it_may_return(self, folder, module, made):
        text = f"""
            import numpy as np
            from distbench.datasets import Dataset

            def load():
                train, test, *y = (np.load(r"{folder}/" + n + ".npy") for n in ("train", "test", "y_train", "y_test"))
                return {made}
        """
        data = DataSource("mine", function=f"{module(text, f'made_{abs(hash(made))}')}:load").load()
        assert same(data)
        assert (data.name, data.sha256) == ("mine", digest([TRAIN, TEST, Y_TRAIN, Y_TEST]))
        assert (data.source == "measured") == made.startswith("Dataset")

    @pytest.mark.parametrize(
        ("body", "message"),
        [
            ("return 3", "returned int; return .train, test., .*a dict of these, or a distbench.Dataset"),
            ("return 1, 2, 3", "returned 3 values; return"),
            ("return {'train': 1, 'tset': 2}", "returned a dict with 'tset'; did you mean 'test'"),
            ("return {'train': [[1.0]]}", "returned a dict without 'test'; add it"),
            ("return {'train': [[1.0]], 'test': [[2.0]], 'labels_test': [1]}", "labels_test: found alone"),
            ("return [[1.0]], [2.0]", r"test: found 1-D data of shape \(1,\)"),
            ("return [[1, 2], [3]], [[1, 2]]", "train: found rows of different lengths"),
            (
                "return [[1, 2], [3, 4]], [[1, 2]], [[1], [2, 3]], [0]",
                "labels_train: cannot be an array .*rows of equal length",
            ),
            ("import sys; sys.exit(3)", r"raised SystemExit: 3 \(at errs_\d+.py:2\)"),
            ("raise OSError('line\\nline')", r"raised OSError: line line \(at errs_\d+.py:2\)"),
            ("raise KeyError('gone')", r"raised KeyError: 'gone' \(at errs_\d+.py:2\)"),
        ],
    )
    def test_errors_say_what_to_do(self, module, body, message):
        name = module(f"def load():\n    {body}\n", f"errs_{abs(hash(body))}")
        with pytest.raises(DatasetError, match=f"data set 'mine': {name}:load: {message}") as raised:
            DataSource("mine", function=f"{name}:load").load()
        assert str(raised.value).isprintable()

    def test_modules_and_names_that_are_not_there(self, module):
        name = module("def load_points():\n    pass\nnumber = 3\n", "names_module")
        for function, message in {
            "no_such_module_here:load": "no_such_module_here cannot be imported .* pythonpath",
            f"{name}:load_point": "names_module has no 'load_point'; did you mean 'load_points'",
            f"{name}:number": "found int; name a function that returns the points",
        }.items():
            with pytest.raises(DatasetError, match=message):
                DataSource("mine", function=function).load()
