"""Tables whose rows or columns have names in another order are refused, or a note says so."""

from __future__ import annotations

import importlib

import numpy as np
import pytest
from frameworks import dk, needs, pd
from scipy.spatial.distance import cdist

import distbench
from distbench import metrics
from distbench._util.notes import codes_of
from distbench.errors import EncoderError, InputError
from distbench.inference.chance import chance

OPTIONS = {"k": 5, "metrics": ["continuity", "stress"]}


def tables():
    """Return test points and reference points with names of rows and columns."""
    rng, made = np.random.default_rng(7), []
    for sign, n in (("t", 60), ("r", 80)):
        rows = [f"{sign}{place}" for place in range(n)]
        made.append(pd.DataFrame(rng.normal(size=(n, 3)), columns=["height", "width", "depth"], index=rows))
    return made


def two(batch):
    return batch[["height", "width"]]


def turned(table):
    return table[list(table.columns[::-1])]


def evaluate(points, **options):
    return distbench.evaluate(two, points, **OPTIONS, **options)


def evaluate_codes(points, codes, **options):
    return distbench.evaluate_codes(points, codes, **OPTIONS, **options)


def test_names_in_the_same_order_change_nothing():
    X, R = tables()
    y, y_ref = (pd.Series(["a", "b"] * (len(table) // 2), index=table.index) for table in (X, R))
    wanted = distbench.evaluate(lambda batch: batch[:, :2], X.to_numpy(), reference=R.to_numpy(), **OPTIONS)
    unnamed = X.rename({"t3": np.nan})  # a name that is not equal to itself
    for report in (
        evaluate_codes(unnamed, two(unnamed.copy()), reference=(R, two(R))),
        evaluate(X, reference=R, labels=y, reference_labels=y_ref, groups=pd.Series(range(60), index=X.index)),
        evaluate(X, reference=R, input_space=(X, R)),
        evaluate_codes(X, two(X), reference=(R, two(R))),
        evaluate_codes(
            X.set_axis(range(7, 67)), two(X).set_axis([str(n) for n in range(7, 67)]), reference=(R, two(R))
        ),
        evaluate_codes(X, two(X).set_axis(["a", "b"], axis=1), reference=(R.to_numpy(), two(R).to_numpy())),
        evaluate_codes(
            X.sample(frac=1, random_state=0).sort_index(key=lambda names: names.str[1:].astype(int)),
            two(X),
            reference=(R, two(R)),
        ),
    ):
        assert report.as_dict() == wanted.as_dict()
        assert not any("order" in note for note in report.notes)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda X, R: evaluate(X, reference=turned(R)), "reference: .*'depth', but 'height' in X_test"),
        (lambda X, R: evaluate(X, reference=R.rename(columns=str.upper)), "reference: found other columns"),
        (
            lambda X, R: distbench.evaluate(
                np.asarray, X.set_axis(range(3), axis=1), reference=R.set_axis([2, 1, 0], axis=1), **OPTIONS
            ),
            "reference: found columns in another order: column 0 is 2, but 0 in X_test",
        ),
        (lambda X, R: evaluate(X, labels=pd.Series(range(60), index=X.index[::-1])), "labels: .*'t59', but 't0'"),
        (lambda X, R: evaluate(X, groups=pd.Series(range(60), index=X.index[::-1])), "groups: "),
        (
            lambda X, R: evaluate(X, reference=R, labels=[1] * 60, reference_labels=R["depth"][::-1]),
            "reference_labels: ",
        ),
        (lambda X, R: evaluate_codes(X.to_numpy(), two(X), labels=X["depth"][::-1]), "labels: .* but 't0' in Z_test"),
        (lambda X, R: evaluate(X, input_space=X[::-1]), "input_space: "),
        (lambda X, R: evaluate(X, reference=R, input_space=(X, R[::-1])), "input_space: .* in reference"),
        (lambda X, R: evaluate(X, reference=R, input_space=(X, turned(R))), "input_space: found columns in another"),
        (lambda X, R: evaluate_codes(X, two(X)[::-1]), "Z_test: found names of rows in another order"),
        (
            lambda X, R: evaluate_codes(X.set_axis(range(7, 67)), two(X).set_axis([str(n) for n in range(66, 6, -1)])),
            "Z_test: found names of rows in another order: row 0 is '66', but '7' in X_test",
        ),
        (
            lambda X, R: evaluate_codes(
                X.set_axis(days := pd.date_range("2020-01-01", periods=60)),
                two(X).set_axis(days.strftime("%Y-%m-%d")[::-1]),
            ),
            "Z_test: found names of rows in another order: row 0 is '2020-02-29', but '2020-01-01' in X_test",
        ),
        (
            lambda X, R: evaluate_codes(X, two(X).rename({"t3": "t99"})),
            "Z_test: found other rows: row 3 is 't99', but 't3' in X_test",
        ),
        (lambda X, R: evaluate_codes(X, two(X), reference=(R, two(R)[::-1])), r"reference\[1\]: .* in reference\[0\]"),
        (lambda X, R: evaluate_codes(X, two(X), reference=(turned(R), two(R))), r"reference\[0\]: "),
        (lambda X, R: evaluate_codes(X, two(X), reference=(R, turned(two(R)))), r"reference\[1\]: .* in Z_test"),
        (lambda X, R: metrics.stress(X, two(X)[::-1]), "Z: found names of rows"),
        (lambda X, R: metrics.stress(X, two(X), reference=(turned(R), two(R))), r"reference\[0\]: found columns"),
        (lambda X, R: metrics.label_agreement(X, two(X), X["depth"][::-1]), "labels: "),
        (lambda X, R: metrics.reconstruction_mse(X, turned(X)), "X_reconstructed: "),
        (lambda X, R: chance(X, two(X)[::-1], "stress"), "Z_test: "),
        (lambda X, R: dk.PreservationMonitor(X, turned(R)), "reference: found columns in another order"),
    ],
)
def test_another_order_is_refused(call, message):
    with pytest.raises(InputError, match=f"^{message}"):
        call(*tables())


def test_frames_of_polars_and_tables_of_arrow_have_names_of_columns():
    X, R = tables()
    polars, arrow = pytest.importorskip("polars"), pytest.importorskip("pyarrow")
    for make in (polars.DataFrame, lambda frame: arrow.Table.from_pandas(frame, preserve_index=False)):
        with pytest.raises(InputError, match=r"^reference: found columns in another order"):
            distbench.evaluate(lambda batch: batch, make(X), reference=make(turned(R)))


def test_columns_of_given_distances_have_the_order_of_the_candidates():
    X, R = tables()
    own, beside, alone = (
        pd.DataFrame(cdist(X, table), index=X.index, columns=table.index) for table in (X, pd.concat([X, R]), R)
    )
    given, pair, ids = {"distance_x": "precomputed"}, (None, two(R)), np.tile(range(10), (60, 1))
    for call, right, names in (
        (lambda D: evaluate_codes(D, two(X), **given), own, X.index[::-1]),
        (lambda D: evaluate_codes(X, D, distance_z="precomputed"), own, X.index[::-1]),
        (lambda D: evaluate_codes(D, two(X), reference=pair, **given), beside, [*X.index, *R.index[::-1]]),
        (
            lambda D: evaluate_codes(D, two(X), reference=pair, include_queries=False, **given),
            alone,
            R.index[::-1],
        ),
        (
            lambda D: distbench.evaluate(two, X, reference=R, input_space=D, **given, **OPTIONS),
            beside,
            [*X.index, *R.index[::-1]],
        ),
        (
            lambda D: distbench.evaluate_neighbors(ids, D, None, codes=(two(X), two(R)), **given),
            alone,
            R.index[::-1],
        ),
    ):
        call(right)
        call(right.set_axis(range(right.shape[1]), axis=1))  # without names of their own
        with pytest.raises(
            InputError,
            match=r": found names of columns in another order: column \d+ is '[rt]\d+', but '[rt]0' in the rows",
        ):
            call(right[names])


def test_numbers_that_frames_have_by_default_are_a_doubt(tmp_path):
    """A frame that was given no names may have been made of rows that were shuffled before."""
    X = tables()[0].reset_index(drop=True)
    shuffled, backwards = X.sample(frac=1, random_state=0), X[::-1]  # pandas stores their numbers in two ways

    def stored(frame):
        path = str(tmp_path / f"{len(list(tmp_path.iterdir()))}.parquet")
        frame.to_parquet(path)
        return path

    for points, codes in ((X, two(shuffled)), (shuffled, two(X)), (X, two(backwards))):
        for form in (lambda frame: frame, stored):
            (note,) = (note for note in evaluate_codes(form(points), form(codes)).notes if note.code == "row_names")
            assert "Z_test: names of rows are those of X_test in another order" in note
        with pytest.raises(InputError, match=r"^Z: found names of rows in another order"):  # a number has no notes
            metrics.knn_recall(points, codes, k=5)
    part = shuffled[:40]  # a train-test split leaves such numbers; codes of these points are numbered anew
    assert not evaluate_codes(part, two(part).to_numpy()).notes
    assert not evaluate_codes(part, two(part).reset_index(drop=True)).notes


def test_encoders_must_keep_the_order_of_rows():
    for points in (tables()[0], tables()[0].reset_index(drop=True)):
        with pytest.raises(EncoderError, match=r"rows have another order than the points; return codes\.loc"):
            distbench.evaluate(lambda batch: batch.sort_values("width"), points)


def test_parquet_files_have_names(tmp_path):
    pytest.importorskip("pyarrow")
    X, R = tables()
    frames = {"X": X, "Z": two(X), "shuffled": two(X)[::-1], "R": R, "turned": turned(R), "codes": two(R)}
    path = {name: str(tmp_path / f"{name}.parquet") for name in frames}
    for name, frame in frames.items():
        frame.to_parquet(path[name])
    report = evaluate_codes(path["X"], path["Z"], reference=(path["R"], path["codes"]))
    assert report.as_dict() == evaluate_codes(X, two(X), reference=(R, two(R))).as_dict()
    with pytest.raises(InputError, match=r"^Z_test: found names of rows in another order"):
        evaluate_codes(path["X"], path["shuffled"])
    with pytest.raises(InputError, match=r"^reference\[0\]: found columns in another order"):
        evaluate_codes(path["X"], path["Z"], reference=(path["turned"], path["codes"]))


@pytest.mark.parametrize(
    ("column", "ids"),
    [
        ("doc_id", [f"no {row}" for row in range(60)]),
        ("doc_id", list(range(100, 160))),
        ("url", [f"/{row}" for row in range(60)]),
    ],
)
def test_columns_of_ids_beside_lists_name_the_rows(column, ids, tmp_path):
    """Embeddings are often stored as a column of ids and a column of lists."""
    pytest.importorskip("pyarrow")
    X = tables()[0]

    def stored(numbers, rows):
        path = str(tmp_path / f"{len(list(tmp_path.iterdir()))}.parquet")
        said = [f"text {row} of {path}" if row else "a text of all" for row in range(60)]  # no name, though all differ
        lists = list(numbers.to_numpy())
        pd.DataFrame({"said": said, column: rows, "language": "en", "embedding": lists}).to_parquet(path)
        return f"{path}:embedding"

    points = stored(X, ids)
    assert evaluate_codes(points, stored(two(X), ids)).as_dict() == evaluate_codes(X, two(X)).as_dict()
    with pytest.raises(InputError, match=r"^Z_test: found names of rows in another order: row 0 is"):
        evaluate_codes(points, stored(two(X)[::-1], ids[::-1]))


def stored(table, tmp_path):
    table.to_parquet(tmp_path / "x.parquet")
    return str(tmp_path / "x.parquet")


def polars_frame(table, tmp_path):
    return importlib.import_module("polars").DataFrame(table.to_dict("list"))


def arrow_table(table, tmp_path):
    return importlib.import_module("pyarrow").table(table.to_dict("list"))


@pytest.mark.parametrize(
    "form",
    [
        lambda table, tmp_path: table,
        pytest.param(polars_frame, marks=needs("polars")),
        pytest.param(arrow_table, marks=needs("pyarrow")),
        pytest.param(stored, marks=needs("pyarrow")),
    ],
)
def test_columns_of_ids_have_a_note(form, tmp_path):
    """A table with a column of ids would be measured by its ids."""
    X, numbers = tables()[0].reset_index(drop=True), pd.Series(range(60))
    apart = pd.Series(np.random.default_rng(0).permutation(1000)[:60])

    def noted(codes):
        notes = evaluate_codes(X.to_numpy(), form(codes, tmp_path)).notes
        return [str(note) for note in notes if note.code == "id_columns"]

    for name, column in {"row": numbers + 1, "item_id": apart, "Index": numbers[::-1].to_numpy()}.items():
        assert noted(X.assign(**{name: column})) == [
            f"Z_test: columns that look like ids of the rows were taken for numbers: {name}; leave out those that are"
        ]
    for codes in (X, X.rank().astype(int), numbers.to_frame("x")):
        assert not noted(codes)
    for name, column in {"count": apart, "id": numbers // 2, "index": numbers + 0.5}.items():
        assert not noted(X.assign(**{name: column}))


def test_columns_of_ids_that_no_distance_sees_have_no_note():
    X = tables()[0]
    with_ids = X.assign(id=range(60))
    assert "id_columns" in codes_of(evaluate(with_ids).notes)
    assert "id_columns" not in codes_of(evaluate(with_ids, input_space=X).notes)


def h5ad(path, points, codes, columns, nullable=False):
    """Write a frame and its codes in the layout of AnnData; texts that may be missing are stored in a group."""
    h5py = pytest.importorskip("h5py")
    with h5py.File(path, "w") as file:
        file["X"], file["obsm/X_pca"] = points.to_numpy(), codes.to_numpy()
        for axis, names in (("obs", points.index), ("var", columns)):
            group = file.create_group(axis)
            group.attrs["_index"] = "cell"
            group["cell/values" if nullable else "cell"] = np.array(list(names), dtype=object)
    return str(path)


def test_h5ad_files_have_names(tmp_path):
    X, R = tables()
    path = h5ad(tmp_path / "x.h5ad", X, two(X), X.columns)
    same = h5ad(tmp_path / "same.h5ad", X, two(X), X.columns, nullable=True)
    reference = h5ad(tmp_path / "r.h5ad", R, two(R), R.columns)
    for codes in (path, same):
        report = evaluate_codes(path, f"{codes}:X_pca", reference=(reference, f"{reference}:X_pca"))
        assert report.as_dict() == evaluate_codes(X, two(X), reference=(R, two(R))).as_dict()
    other = h5ad(tmp_path / "other.h5ad", X[::-1], two(X)[::-1], X.columns, nullable=True)
    for codes in (f"{other}:X_pca", two(X)[::-1]):
        with pytest.raises(InputError, match=r"^Z_test: found names of rows in another order: row 0 is 't59'"):
            evaluate_codes(path, codes)
    turned_path = h5ad(tmp_path / "turned.h5ad", turned(R), two(R), turned(R).columns)
    for points in (turned_path, f"{turned_path}:X", turned(R)):
        with pytest.raises(InputError, match=r"^reference\[0\]: found columns in another order: column 0 is 'depth'"):
            evaluate_codes(path, f"{path}:X_pca", reference=(points, f"{turned_path}:X_pca"))


def test_reference_encoders_remember_the_columns_that_they_were_fitted_on():
    X, X_ref = tables()
    encoder = distbench.fit_baseline("pca", X_ref, code_size=2)
    distbench.evaluate(encoder, X, reference=X_ref, **OPTIONS)
    distbench.evaluate(encoder, X.to_numpy(), **OPTIONS)
    with pytest.raises(InputError, match="X: found columns in another order: column 0 is 'depth', but 'height' in the"):
        distbench.evaluate(encoder, X[["depth", "width", "height"]], **OPTIONS)
