"""Points and codes from files, and from AnnData."""

from __future__ import annotations

import functools
import io
import os
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

import distbench
from distbench.errors import InputError, MissingDependencyError
from distbench.inputs import files as reading
from distbench.inputs.blocks import is_mapped
from distbench.inputs.files import is_file_name, read_points

RNG = np.random.default_rng(0)
X, X_REF = RNG.normal(size=(30, 6)), RNG.normal(size=(50, 6))
Z, Z_REF = X[:, :2], X_REF[:, :2]


class Evil:
    def __reduce__(self):
        return Path.touch, (Path("ran"),)


@functools.cache
def expected():
    return scored(X, Z, reference=(X_REF, Z_REF))


def scored(*arguments, **options):
    return distbench.evaluate_codes(*arguments, k=5, **options).as_dict()


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def h5ad(path, matrix, **obsm):
    """Write points to an .h5ad file in the layout of AnnData."""
    h5py = pytest.importorskip("h5py")
    with h5py.File(path, "w") as file:
        if sparse.issparse(matrix):
            group = file.create_group("X")
            group.attrs["encoding-type"], group.attrs["shape"] = f"{matrix.format}_matrix", matrix.shape
            for name in ("data", "indices", "indptr"):
                group[name] = getattr(matrix, name)
        elif matrix is not None:
            file["X"] = matrix
        for name, one in obsm.items():
            file[f"obsm/{name}"] = one


class TestFiles:
    def test_any_argument_may_be_a_file(self, here):
        np.save("x.npy", X)
        np.savez("many.npz", z=Z, other=X)
        np.savez("one.npz", X_REF)
        np.save("zr.npy", Z_REF)
        assert scored("x.npy", here / "many.npz:z", reference=(here / "one.npz", "zr.npy")) == expected()
        assert scored(X, "many.npz:z", reference=(X_REF, Z_REF)) == expected()

    def test_large_arrays_stay_in_their_file_and_small_ones_do_not(self, here, monkeypatch):
        np.save("x.npy", X)
        assert not is_mapped(read_points("x.npy", "X"))
        monkeypatch.setattr(reading, "IN_MEMORY_BYTES", X.nbytes)
        found = read_points("x.npy", "X")
        assert is_mapped(found)
        assert not found.flags.writeable
        assert scored("x.npy", Z, reference=(X_REF, Z_REF)) == expected()
        h5ad("a.h5ad", X, X_umap=Z)
        monkeypatch.setattr("distbench.inputs.h5ad.IN_MEMORY_BYTES", X.nbytes - 1)
        assert type(read_points("a.h5ad", "X")).__module__.startswith("h5py")
        assert scored("a.h5ad", "a.h5ad:X_umap", reference=(X_REF, Z_REF)) == expected()

    def test_tables_of_columns_and_of_lists(self, here):
        pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
        numbers = {f"f{n}": X[:, n] for n in range(6)}
        pq.write_table(pa.table({"name": ["a"] * 30, **numbers}), "x.parquet")
        pq.write_table(pa.table({"name": ["a"] * 30, "code": list(Z)}), "z.parquet")
        fixed = pa.FixedSizeListArray.from_arrays(pa.array(Z_REF.ravel()), 2)
        pq.write_table(pa.table({"id": range(50), "code": fixed, "x": list(X_REF)}), "ref.parquet", row_group_size=20)
        files = ("ref.parquet:x", "ref.parquet:code")
        assert scored("x.parquet", "z.parquet", reference=files) == expected()
        notes = distbench.evaluate_codes("x.parquet", "z.parquet", k=3).notes
        left_out = [note for note in notes if note.code == "columns_left_out"]
        assert left_out == [
            f"{table}: columns that are not numbers were left out: name" for table in ("X_test", "Z_test")
        ]
        turned = {"name": ["a"] * 30, **dict(reversed(numbers.items())), "more": ["b"] * 30}
        pq.write_table(pa.table(turned), "turned.parquet")  # the columns of text differ, too
        with pytest.raises(InputError, match="found columns in another order: column 0 is 'f5', but 'f0' in X_test"):
            scored("x.parquet", Z, reference=("turned.parquet", Z))
        assert read_points("ref.parquet:id", "X").tolist() == [[n] for n in range(50)]
        exact = pa.array(X[:, 0].round(3).tolist()).cast(pa.decimal128(12, 3))
        with Path("kinds:of.parquet").open("wb") as file:
            pq.write_table(pa.table({"bits": X[:, 1] > 0, "exact": exact}), file)
        assert np.array_equal(read_points("kinds:of.parquet", "X"), np.column_stack([X[:, 1] > 0, X[:, 0].round(3)]))

    @pytest.mark.parametrize("form", ["array", "csr", "csc"])
    def test_annotated_data(self, here, form):
        dense = np.where(np.abs(X) > 0.5, X, 0)
        h5ad("a.h5ad", dense if form == "array" else sparse.csr_matrix(dense).asformat(form), X_umap=Z)
        assert np.array_equal(np.asarray(read_points("a.h5ad", "X")), dense)
        assert scored("a.h5ad", "a.h5ad:X_umap") == scored(dense, Z)
        assert np.array_equal(read_points("a.h5ad:X", "X"), dense)

    def test_files_that_unfold_to_far_more_than_their_size(self, here, monkeypatch):
        h5py, pa, pq = (pytest.importorskip(name) for name in ("h5py", "pyarrow", "pyarrow.parquet"))
        pq.write_table(pa.table({"code": [np.zeros(100_000)] * 10}), "lists.parquet")
        with h5py.File("a.h5ad", "w") as file:
            file.create_dataset("X", data=np.zeros((6, 3)), chunks=(4096, 4096), maxshape=(None, None), compression=9)
        monkeypatch.setattr("distbench.inputs.size_guards.MAX_BYTES", 1 << 20)
        for source, size in (("lists.parquet", "8,1.*"), ("a.h5ad:X", "134,217,728")):
            with pytest.raises(InputError, match=rf"bytes that unfold to {size}, so it is not read"):
                read_points(source, "X")

    def test_a_colon_may_be_part_of_a_name_or_key(self, here):
        h5ad("a.h5ad", X, **{"scvi:2": Z})
        assert np.array_equal(read_points("a.h5ad:scvi:2", "X"), Z)
        np.save("a:b.npy", X)
        np.savez("c.npz:d.npz", X)
        assert np.array_equal(read_points("a:b.npy", "X"), X)
        assert np.array_equal(read_points("c.npz:d.npz", "X"), X)
        assert is_file_name(Path("a.npz:key"))
        assert not is_file_name("X_umap")


def _damaged():
    """Write files that cannot be used."""
    np.save("x.npy", X)
    np.savez("two.npz", a=X, b=Z)
    np.savez("none.npz")
    np.save("evil.npy", np.array([Evil()] * 99), allow_pickle=True)  # fewer bytes than pointers
    np.savez("evil.npz", np.array([Evil()]))
    for name, shape in (("large", (10**12, 8)), ("larger", (2**62, 2**62)), ("short", (40, 8))):
        header = io.BytesIO()
        np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": shape})
        Path(f"{name}.npy").write_bytes(header.getvalue() + b"\0" * 64)
    with zipfile.ZipFile("large.npz", "w") as archive:
        archive.write("large.npy")
    with zipfile.ZipFile("text.npz", "w") as archive:
        archive.writestr("a.txt", "text")
    Path("cut.npy").write_bytes(Path("x.npy").read_bytes()[:300])
    Path("cut.npz").write_bytes(Path("two.npz").read_bytes()[:300])
    for name, method in (("bzip2", zipfile.ZIP_BZIP2), ("lzma", zipfile.ZIP_LZMA)):
        with zipfile.ZipFile(f"{name}.npz", "w", method) as archive:
            archive.write("x.npy")
    for ending in ("h5ad", "parquet"):
        Path(f"text.{ending}").write_text("no such format at all")
    Path("folder.npy").mkdir()
    if hasattr(os, "mkfifo"):
        os.mkfifo("pipe.npy")


POSIX = pytest.mark.skipif(os.name != "posix", reason="pipes of POSIX systems")


class TestMistakes:
    @pytest.mark.parametrize(
        ("source", "message"),
        [
            ("away.npy", r"X_test: no such file: away.npy$"),
            ("x.csv", r"X_test: found 'x.csv'; give a file that ends in .npy, .npz, .parquet, .h5ad$"),
            ("folder.npy", r"X_test: folder.npy: is a folder; give a file$"),
            pytest.param("pipe.npy", r"X_test: pipe.npy: is a pipe; give a file$", marks=POSIX),
            ("two.npz", r"two.npz: holds 2 arrays: a, b; name one: two.npz:a$"),
            ("two.npz:c", r"two.npz: has no array 'c'; known are a, b$"),
            ("none.npz", r"none.npz: holds 0 arrays; save one with numpy.savez$"),
            ("text.npz", r"text.npz: a.txt is not an array; save it with numpy.savez$"),
            ("evil.npz", r"evil.npz: .*holds Python objects, which could run code"),
            ("evil.npy", r"evil.npy: cannot be read: .*holds Python objects, which could run code"),
            ("bzip2.npz", r"bzip2.npz: has 'x.npy', whose compression is not read; save it with numpy.savez$"),
            ("lzma.npz", r"lzma.npz: has 'x.npy', whose compression is not read; save it with numpy.savez$"),
            ("large.npy", r"large.npy: claims \(1000000000000, 8\) numbers"),
            ("large.npz", r"large.npz: claims \(1000000000000, 8\) numbers"),
            ("larger.npy", r"larger.npy: claims .* bytes in all; is the file complete\? save it again$"),
            ("short.npy", r"short.npy: claims \(40, 8\) numbers .*; is the file complete\? save it again$"),
            ("cut.npy", r"cut.npy: claims .*; is the file complete\? save it again$"),
            (
                "cut.npz",
                r"cut.npz: cannot be read: .*; (is the file complete\? save it again|save numbers with numpy.save)$",
            ),
            ("text.h5ad", r"text.h5ad: cannot be read: .*; is the file complete\? save it again$"),
            ("text.parquet", r"text.parquet: cannot be read: .*; is the file complete\? save it again$"),
            ("\0.npy", r"X_test: "),
        ],
    )
    def test_errors_are_one_line_and_nothing_runs(self, here, source, message):
        pytest.importorskip({".h5ad": "h5py", ".parquet": "pyarrow"}.get(Path(source).suffix, "numpy"))
        _damaged()
        with pytest.raises(InputError, match=message) as caught:
            scored(source, Z)
        assert str(caught.value).isprintable()
        assert not Path("ran").exists()

    def test_ambiguous_or_incomplete_tables(self, here):
        pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
        cases = {
            r"has lists and other columns \(a, n\); name one: t.parquet:a": {"a": [[1.0], [2.0]], "n": [1, 2]},
            r"has lists and other columns \(a, b\); name one": {"a": [[1.0], [2.0]], "b": [[1.0], [2.0]]},
            r"column 'a' has lists of 2 lengths; give every row equally many": {"a": [[1.0], [2.0, 3.0]]},
            r"column 'a' has lists of string; give lists of numbers": {"a": [["x"], ["y"]]},
            r"column 'a' has 1 empty cells": {"a": [[1.0], None]},
            r"column 'a' has 1 empty cells; ": {"a": [[1.0], [None]]},
        }
        for message, columns in cases.items():
            pq.write_table(pa.table(columns), "t.parquet")
            with pytest.raises(InputError, match=f"X_test: t.parquet: {message}"):
                scored("t.parquet", Z)
        with pytest.raises(InputError, match=r"t.parquet: has no column 'b'; known are a$"):
            scored("t.parquet:b", Z)

    def test_annotated_data_of_a_stranger(self, here):
        h5py = pytest.importorskip("h5py")
        h5ad("other.h5ad", X, X_umap=Z)
        h5ad("a.h5ad", None, X_umap=Z)
        with h5py.File("a.h5ad", "a") as file:
            file["obsm/elsewhere"] = h5py.ExternalLink("other.h5ad", "/X")
            file.create_dataset("obsm/raw", (30, 2), "f4", external=[("other.h5ad", 0, 240)])
            file.create_dataset("obsm/hollow", (10**6, 10**6), "f4", chunks=(10, 10))
            file["obsm/text"] = np.array([b"a", b"b"])
            file.create_group("obsm/frame").attrs["encoding-type"] = "dataframe"
            for name, columns, index, end in (
                ("trap", 2, 10**6, 1),  # its indices are outside, where toarray would write
                ("back", 2, 0, -(10**6)),  # scipy's own check passes it
                ("wide", 10**9, 1, 1),
            ):
                group = file.create_group(f"obsm/{name}")
                group.attrs["encoding-type"], group.attrs["shape"] = "csr_matrix", (30, columns)
                group["data"], group["indices"] = [1.0], [index]
                group["indptr"] = np.array([0] + [1] * 29 + [end], dtype=np.int32)
        cases = {
            "a.h5ad": r"does not itself contain X; name a key of its obsm: a.h5ad:X_umap",
            "a.h5ad:X_umpa": r"obsm has no such key; did you mean 'X_umap'\?",
            "a.h5ad:elsewhere": r"does not itself contain elsewhere",
            "a.h5ad:raw": r"raw is in other files, which are not read",
            "a.h5ad:hollow": r"has .* bytes that unfold to 8,000,000,000,000, so it is not read",
            "a.h5ad:text": r"text holds \|S1; give an array of numbers",
            "a.h5ad:frame": r"frame is 'dataframe'; give an array of numbers",
            "a.h5ad:trap": r"trap: found a damaged sparse matrix",
            "a.h5ad:back": r"back: found a damaged sparse matrix, whose indices are out of range; save it again",
            "a.h5ad:wide": r"wide: found a sparse matrix of shape \(30, 1000000000\), which takes 240.0 GB when dense",
        }
        for source, message in cases.items():
            with pytest.raises(InputError, match=f"Z_test: a.h5ad: {message}"):
                scored(X, source)

    @pytest.mark.parametrize(("package", "source"), [("h5py", "a.h5ad"), ("pyarrow.parquet", "a.parquet")])
    def test_without_the_package_that_reads_them(self, here, monkeypatch, package, source):
        Path(source).touch()
        monkeypatch.setitem(sys.modules, package, None)
        with pytest.raises(MissingDependencyError, match=rf"X_test: {source}: needs .* not installed; pip install"):
            scored(source, Z)


@pytest.fixture(scope="module")
def anndata():
    return pytest.importorskip("anndata", reason="anndata is not installed (it does not go with pandas 3)")


class TestAnnData:
    """Skipped in the development environment, whose pandas is too new for anndata; .ci/run has another environment."""

    @pytest.fixture
    def made(self, anndata):
        def made(points, **obsm):
            return anndata.AnnData(points, obsm=obsm)

        return made

    def test_keys_of_objects(self, made):
        adata, adata_ref = made(X, X_umap=Z), made(X_REF, X_umap=Z_REF)
        assert scored(adata, "X_umap", reference=(adata_ref, "X_umap")) == expected()
        assert scored(adata, Z, reference=(X_REF, Z_REF)) == expected()
        adata, adata_ref = made(Z, X_pca=X, X_umap=Z), made(Z_REF, X_pca=X_REF, X_umap=Z_REF)
        assert scored((adata, "X_pca"), "X_umap", reference=((adata_ref, "X_pca"), "X_umap")) == expected()

    def test_views_sparse_points_and_files(self, made, anndata, tmp_path):
        dense = np.where(np.abs(X) > 0.5, X, 0)
        adata = made(sparse.csr_matrix(dense), X_umap=Z)
        expected = scored(dense, Z)
        assert scored(adata, "X_umap") == expected
        assert scored(adata[:20], "X_umap") == scored(dense[:20], Z[:20])
        path = os.fspath(tmp_path / "a.h5ad")
        adata.write_h5ad(path)
        assert scored(path, f"{path}:X_umap") == expected
        backed = anndata.read_h5ad(path, backed="r")
        assert scored(backed, "X_umap") == expected
        backed.file.close()

    def test_names_in_another_order_are_refused(self, made):
        adata, adata_ref = made(X, X_umap=Z), made(X_REF, X_umap=Z_REF)
        adata.obs_names, adata.var_names = [f"cell {n}" for n in range(30)], list("abcdef")
        adata_ref.var_names = list("abcdef")
        assert scored(adata, "X_umap", reference=(adata_ref, "X_umap")) == expected()
        with pytest.raises(InputError, match=r"^Z_test: found names of rows in another order: row 0 is 'cell 29'"):
            scored(adata, (adata[::-1], "X_umap"))
        with pytest.raises(InputError, match=r"^labels: found names of rows in another order"):
            scored(adata, "X_umap", labels=adata[::-1].obs.assign(kind=1)["kind"])
        with pytest.raises(InputError, match=r"^reference\[0\]: found columns in another order: column 0 is 'f'"):
            scored(adata, "X_umap", reference=(adata_ref[:, ::-1], Z_REF))

    def test_mistakes(self, made, monkeypatch):
        adata = made(sparse.csr_matrix(X), X_umap=Z)
        with pytest.raises(InputError, match=r"Z_test: found 'X_umpa'; obsm has no such key; did you mean 'X_umap'"):
            scored(adata, "X_umpa")
        with pytest.raises(InputError, match=r"X_test: found 'X_pca'; obsm has no such key"):
            scored((adata, "X_pca"), "X_umap")
        with pytest.raises(InputError, match=r"X_test: found AnnData without X; name a key .*\(adata, 'X_umap'\)"):
            scored(made(None, X_umap=Z), "X_umap")
        monkeypatch.setattr("distbench.inputs.h5ad.MAX_DENSE_BYTES", 100)
        with pytest.raises(InputError, match=r"X_test: found a sparse matrix of shape \(30, 6\), which takes"):
            scored(adata, "X_umap")
