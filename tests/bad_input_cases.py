"""Calls with bad input: each with the error that it raises, and the words of its message."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from frameworks import pd
from scipy.sparse import csr_array
from sklearn.manifold import TSNE
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import distbench
from distbench import metrics
from distbench.errors import DatasetError, DistbenchError, EncoderError, InputError
from distbench.inference.attainable import attainable
from distbench.inference.chance import chance
from distbench.inference.floors import check_floors, floors

__all__ = ["CASES"]

rng = np.random.default_rng(0)
X, REFERENCE = rng.normal(size=(40, 4)), rng.normal(size=(60, 4))
Z = X[:, :2]
SQUARE = np.ones((2, 2))
RAY = np.arange(1.0, 41.0)[:, None] * np.array([3.0, 4.0])


def first_two(batch):
    return batch[:, :2]


def never(batch):
    raise AssertionError("the encoder was asked before the arguments were checked")


@dataclass(frozen=True)
class Case:
    """A call, the error that it must raise, and parts of the error's message."""

    call: Callable[[], Any]
    error: type[DistbenchError]
    words: tuple[str, ...]


class Frame:
    """A frame of pandas that is made when its case is called."""

    def __init__(self, columns):
        self.columns = columns


def with_value(row, value, points=X):
    changed = points.copy()
    changed[row, 1] = value
    return changed


MISSING = Frame(lambda: {"a": pd.array([1, None] * 20, dtype="Int64"), "b": X[:, 0]})
MANY = Frame(lambda: {f"a_long_name_of_column_{n}": ["x"] * 40 for n in range(40)})
with np.errstate(over="ignore"):
    FLOAT16 = (X * 1e5).astype(np.float16)

POINTS = (
    (with_value(7, np.nan), ("found NaN in row 7;", "drop or fill")),
    (with_value(9, -np.inf), ("found an infinite value in row 9;", "drop or fill")),
    (FLOAT16, ("of float16, which ends at 65504", "such rows in all")),
    (X[:0], ("found shape (0, 4)", "pass at least one row")),
    (X[:, :0], ("found shape (40, 0)", "column")),
    (X[:, 0].tolist(), ("found 1-D data of shape (40,)", "numpy.asarray(column).reshape(-1, 1)")),
    (3.0, ("found 0-D data", "one point per row")),
    ([[1.0, 2.0], 3.0] * 20, ("found rows of different lengths", "same length")),
    (None, ("found None", "pass an array")),
    (X.astype(str), ("found dtype <U32", "pass numbers")),
    (X.astype(object), ("found numbers as objects", ".astype(float)")),
    (np.zeros((40, 2), "M8[s]"), ("found dtype datetime64", "pass numbers")),
    (X + 1j, ("found complex numbers", "pass real ones")),
    (np.full((40, 2), 2**60), ("integers beyond 2**53", "subtract an offset")),
    (Frame(lambda: {"a": X[:, 0], "b": np.arange(40) + 2**60}), ("integers beyond 2**53", "subtract an offset")),
    (np.ma.masked_less(X, 0), ("found a masked array", "fill or drop")),
    (list(np.ma.masked_less(X, 0)), ("found a masked array", "fill or drop")),
    (
        Frame(lambda: {"a": X[:, 0], "city": ["Oslo"] * 40}),
        ("columns that are not numbers: city", "encode or drop"),
    ),
    (MANY, ("a_long_name_of_column_0", "and 36 more")),
    (MISSING, ("found NaN in row 1 (20 such rows in all)",)),
    ([[1.0, 2.0], [3.0]], ("rows of different lengths", "give all rows the same length")),
    (first_two, ("found <function first_two", "pass an array")),
    ((row for row in X), ("found <generator", "pass an array")),
    ({"a": 1}, ("found {'a': 1}", "pass an array")),
    ("points.npy", ("found 'points.npy', a text", "pass the array")),
    ([[10**30, 1]] * 40, ("integers beyond 2**53", "subtract an offset")),
    (np.full((40, 2), {1}), ("found dtype object", "pass numbers")),
    (np.rec.fromarrays(X.T), ("found records", "structured_to_unstructured")),
)


def given(call, bad):
    return call(pd.DataFrame(bad.columns()) if isinstance(bad, Frame) else bad)


PLACES = (
    ("X_test", lambda bad: distbench.evaluate(never, bad, k=3)),
    ("reference", lambda bad: distbench.evaluate(never, X, reference=bad, k=3)),
    ("Z_test", lambda bad: distbench.evaluate_codes(X, bad, k=3)),
    ("reference[0]", lambda bad: distbench.evaluate_codes(X, Z, reference=(bad, Z), k=3)),
    ("X", lambda bad: metrics.stress(bad, Z)),
    ("Z", lambda bad: metrics.continuity(X, bad, k=3)),
    ("X_test", lambda bad: floors(bad, 2, k=3)),
    ("X_test", lambda bad: distbench.check_encoder(never, bad, k=3)),
)
OPTIONAL = (1, 7)  # places where None stands for no points


def of_points():
    """Yield each kind of bad points as test points of evaluate, and in one other argument."""
    for number, (bad, words) in enumerate(POINTS):
        for place in sorted({0, number % len(PLACES)}):
            argument, call = PLACES[place]
            if bad is not None or place not in OPTIONAL:
                yield Case(functools.partial(given, call, bad), InputError, (f"{argument}: ", *words))


def evaluation(*words, encoder=never, points=X, **options):
    return Case(functools.partial(distbench.evaluate, encoder, points, **{"k": 3, **options}), InputError, words)


ARGUMENTS = [
    evaluation("X_test: found 0 candidates", "at least 2", points=X[:1]),
    evaluation("X_test: found 1 candidates", points=X[:2]),
    evaluation("X_test: found points that all coincide", points=np.ones((40, 4))),
    evaluation("k: found 0 with M = 39", "pass 1 <= k <= 19", k=0),
    evaluation("k: found 20 with M = 39", "pass 1 <= k <= 19", "continuity, metrics= without these, or more", k=20),
    evaluation("k: found 39 with M = 39", "pass 1 <= k <= 38, the most for knn_recall", k=39, metrics=["knn_recall"]),
    evaluation("k: found 3.5", "whole number", k=3.5),
    evaluation("k: found '3'", "whole number", k="3"),
    evaluation("k: found True", "whole number", k=True),
    evaluation("k: found ndarray of shape (2, 2)", "whole number", k=SQUARE),
    evaluation("k: found 3 with M = 3", reference=X[:3], include_queries=False),
    evaluation("reference: found 3 columns, but X_test has 4", reference=REFERENCE[:, :3]),
    evaluation(
        *("reference: found rows of shape (4, 3, 2), but (2, 3, 4) in X_test", "the same shape"),
        points=rng.random((40, 2, 3, 4)),
        reference=rng.random((60, 4, 3, 2)),
    ),
    evaluation("metrics: found no metric 'continuty'; did you mean 'continuity'?", metrics="continuty"),
    evaluation("metrics: found []", "'default'", metrics=[]),
    evaluation("metrics: found 3;", metrics=3),
    evaluation("metrics: found {'continuity': 0.9}", metrics={"continuity": 0.9}),
    evaluation("metrics: found 3 among the names", metrics=["stress", 3]),
    evaluation(
        "found 'spearman'", "of order, such as trustworthiness,", metrics="spearman", distance_z="inner_product"
    ),
    evaluation("metric: found no option of that name; did you mean 'metrics'?", metric="stress"),
    evaluation("n_neighbors: found no option of that name; known are encoder, X_test,", n_neighbors=3),
    evaluation("continuity: found a limit, which evaluate does not take", continuity=0.9),
    evaluation("'label_agreement', which cannot be measured: pass labels=", metrics="label_agreement"),
    evaluation("'reconstruction_mse'", "inverse_transform", metrics="reconstruction_mse"),
    evaluation("confidence: found 95", "between 0 and 1", confidence=95),
    evaluation("confidence: found ndarray of shape", confidence=SQUARE),
    evaluation("batch_size: found 0", "whole number above 0", batch_size=0),
    evaluation("batch_size: found True", batch_size=True),
    evaluation("distance_x: found 'euclid'", "'cosine'", distance_x="euclid"),
    evaluation("distance_x: found 'manhatten'; did you mean 'cityblock'?", distance_x="manhatten"),
    evaluation("distance_x: found 'hamming'; pass", distance_x="hamming"),
    evaluation("distance_x: found None; pass 'euclidean'", distance_x=None),
    evaluation("distance_x: found ndarray", distance_x=SQUARE),
    evaluation("distance_z: found <function", "'hamming'", distance_z=first_two),
    evaluation("codes of X_test: ", "no whole numbers", encoder=first_two, distance_z="hamming"),
    evaluation("X_test: found only zeros in row 7", points=np.insert(X, 7, 0.0, axis=0), distance_x="cosine"),
    evaluation("labels: found 3 labels for 40 points", labels=[1, 2, 3]),
    evaluation("labels: found 5", "one label for each point", labels=5),
    evaluation("labels: found shape (40, 2)", labels=np.ones((40, 2))),
    evaluation("labels: found None at place 3", labels=[1, 1, 1, None] * 10),
    evaluation("labels: found NaN at place 0", labels=[np.nan] * 40, metrics="all"),
    evaluation("labels: found lists of different lengths", labels=[[1], [1, 2]] * 20),
    evaluation("reference_labels: given without", labels=[1] * 40, reference_labels=[1]),
    evaluation("reference_labels: found None", labels=[1] * 40, reference=REFERENCE, metrics="all"),
    evaluation("queries: found 1", "2 or more", queries=1),
    evaluation("queries: found '10'", queries="10"),
    evaluation("precision: found 0.1", "continuity", precision=0.1),
    evaluation("precision: found 'distortion'", precision={"distortion": 0.1}),
    evaluation("precision: found ", "did you mean 'continuity'", precision={"continuty": 0.1}),
    evaluation("precision: found continuity = 0", precision={"continuity": 0}),
    evaluation("seed: found -1", "0 or more", seed=-1),
    evaluation("executor: found str", "concurrent.futures", encoder=first_two, executor="threads"),
    evaluation("progress: found 'yes'", "True or False", progress="yes"),
    evaluation("include_queries: found 'no'", "True or False", include_queries="no"),
    evaluation("include_queries: found False without reference", "pass reference=", include_queries=False),
    evaluation("include_queries: found ndarray", include_queries=SQUARE),
    evaluation("stochastic: found 'yes'", "True or False", stochastic="yes"),
    evaluation("draws: found 3", "pass stochastic=True", draws=3),
    evaluation("draws: found 1", "2 or more", stochastic=True, draws=1),
    evaluation("encoder, X_test: look swapped", encoder=X, points=first_two),
]


def encoding(encoder, *words, **options):
    return Case(functools.partial(distbench.evaluate, encoder, X, **{"k": 3, **options}), EncoderError, words)


def raises(batch):
    raise RuntimeError("CUDA out of memory\nand forty lines more")


class Counts:
    """Changes what it returns with the number of the batch."""

    def __init__(self, change):
        self._change, self._number = change, -1

    def __call__(self, batch):
        self._number += 1
        return self._change(batch, self._number)


async def waits(batch):
    return batch


class Layout:
    embedding_ = Z

    def fit_transform(self, X):
        return X[:, :2]


class Classifier:
    classes_ = (0, 1)

    def predict(self, batch):
        return batch[:, 0] > 0


ENCODERS = [
    encoding(raises, "encoder 'raises' raised RuntimeError: CUDA out of memory; it got rows 0 to 39 of 40"),
    encoding(lambda b: b @ np.ones((3, 2)), "raised ValueError: matmul", "float64 of shape (40, 4)"),
    encoding(lambda batch: None, "returned NoneType", "one array with a row for each point"),
    encoding(lambda batch: 3.0, "a single number for 40 points", "one code for each point"),
    encoding(lambda b: (b, b[:, :1]), "a tuple of 2 arrays for 40 points", "return only the codes"),
    encoding(lambda batch: [batch, batch[:, :2]], "a list of 2 arrays for 40 points", "return only the codes"),
    encoding(lambda batch: {"codes": batch}, "returned dict"),
    encoding(lambda batch: (row for row in batch), "returned generator; return one array with a row for each point"),
    encoding(lambda batch: map(list, batch), "returned map; return one array"),
    encoding(lambda b: [[0.0] * (n % 3 + 1) for n in range(len(b))], "codes of different sizes"),
    encoding(lambda batch: batch.astype(str), "values of type <U32", "real numbers"),
    encoding(lambda batch: batch + 1j, "values of type complex128"),
    encoding(lambda batch: batch.astype(object), "values of type object"),
    encoding(lambda b: np.arange(len(b)) + 2**60, "integers beyond 2**53"),
    encoding(lambda batch: np.ma.masked_less(batch, 0), "a masked array"),
    encoding(lambda batch: list(np.ma.masked_less(batch, 0)), "a masked array"),
    encoding(lambda batch: batch[:-1], "shape (39, 4) for 40 points"),
    encoding(lambda batch: batch[:, :0], "codes of size 0"),
    encoding(
        Counts(lambda batch, number: batch[:, :2] if number != 2 else with_value(1, np.nan, batch[:, :2])),
        "NaN or infinity in the code of row 21;",
        batch_size=10,
    ),
    encoding(
        Counts(lambda batch, number: batch[:, : 2 + (number == 3)]),
        "codes of size 3 from row 30 on, 2 before",
        batch_size=10,
    ),
    encoding(
        Counts(lambda b, n: b[:, :2] + np.random.default_rng(n).normal(size=(len(b), 2))),
        *("different codes", "second time", "make it deterministic", "stochastic=True"),
    ),
    encoding(Counts(lambda b, n: b if n < 1 else b[:0]), "failed the second time"),
    encoding(lambda b: b[:, :2] - b[:, :2].mean(axis=0), "with the other points of its batch", "eval mode"),
    encoding(Classifier, "got the class 'Classifier'; pass an instance"),
    encoding(Classifier(), "predicts classes, not codes"),
    encoding(TSNE(), "'TSNE', which has only fit_transform", "; pass a Keras model"),
    encoding(Layout().fit_transform, "'fit_transform' fits 'Layout' anew to each batch; pass", "evaluate_codes"),
    encoding(Layout(), "'Layout' (it has codes of the points", "distbench.evaluate_codes(X, layout.embedding_)"),
    encoding(make_pipeline(StandardScaler(), Layout()), "'Pipeline' (it has codes of the", "X, layout.embedding_)"),
    encoding(lambda batch: pytest.importorskip("dask").delayed(batch), "an object of Dask; return codes.compute()"),
    encoding(waits, "encoder 'waits' returned a coroutine", "lambda batch: asyncio.run(encode(batch))"),
    encoding(3, "encoder: cannot encode with 'int'", "pass a Keras model"),
    encoding(None, "encoder: cannot encode with 'NoneType'"),
    encoding("pca", "encoder: cannot encode with 'str' (found 'pca'", "fit_baseline"),
    encoding(Z, "for ready codes use distbench.evaluate_codes"),
    encoding("/nowhere/model.keras", "encoder: /nowhere/model.keras: no such file"),
]


def case(call, *words, error=InputError):
    return Case(call, error, words)


@functools.cache
def report(**options):
    return distbench.evaluate(first_two, X, **{"k": 3, **options})


CODES = [
    case(lambda: distbench.evaluate_codes(X, Z[:3], k=3), "Z_test: found 3 rows, but X_test has 40"),
    case(lambda: distbench.evaluate_codes(X, Z, k=3, distance_z="hamming"), "Z_test: found values that are no whole"),
    case(lambda: distbench.evaluate_codes(X, Z, X_ref=X), "X_ref: found no option of that name; known are X_test, Z"),
    case(
        lambda: distbench.evaluate_neighbors(csr_array(X.astype(int)), X, X, k=3),
        "ids: found csr_array of shape (40, 4); pass one row of ids",
    ),
    case(lambda: distbench.evaluate_codes(RAY, RAY, k=3, distance_x="cosine"), "without any cosine distance"),
    case(lambda: distbench.evaluate_codes(X, Z, reference=X, k=3), "reference: found ndarray", "pair"),
    case(lambda: distbench.evaluate_codes(X, Z, reference=(X, None), k=3), "reference[1]: found None"),
    case(lambda: distbench.evaluate_codes(X, Z, reference=(X, Z[:3]), k=3), "reference[1]: found 3 rows"),
    case(
        lambda: distbench.evaluate_codes(X, Z, reference=(X, X), k=3), "reference[1]: found 4 columns, but Z_test has 2"
    ),
    case(lambda: distbench.evaluate_codes(X, list(map(str, Z.tolist()))), "found texts, the first", "json.loads"),
    case(lambda: distbench.evaluate_codes(X, list(map(bytes, X > 0))), "Z_test: found bytes; pass", "numpy.frombuffer"),
    case(
        lambda: distbench.evaluate_codes(
            pytest.importorskip("dask.dataframe").from_pandas(pd.DataFrame(X), npartitions=2), Z, k=3
        ),
        "X_test: found a Dask frame; pass X_test.to_dask_array(lengths=True)",
    ),
    case(lambda: distbench.evaluate_codes(X, [{"a": 1.0}] * 40), "Z_test: found a list of dicts", "pandas.DataFrame"),
    case(lambda: distbench.evaluate_codes(X, [csr_array(X)] * 40), "Z_test: found a list of sparse", "vstack"),
    case(
        lambda: distbench.evaluate_codes(X, X.reshape(40, 2, 2, 1), reference=(X, X.reshape(40, 1, 4)), k=3),
        "reference[1]: found rows of shape (1, 4), but (2, 2, 1) in Z_test",
    ),
    case(
        lambda: metrics.stress(X.reshape(40, 1, 4), Z, reference=(X.reshape(40, 2, 2), Z)),
        "reference[0]: found rows of shape (2, 2), but (1, 4) in X",
    ),
    case(lambda: metrics.label_agreement(None, Z, np.zeros(40)), "X: found None"),
    case(lambda: metrics.knn_recall(X[:2], Z[:2]), "X: found 1 candidates"),
    case(lambda: metrics.knn_recall(X[:3], Z[:3], reference=(X[:1], Z[:1])), "X and reference[0]: found 1 candidates"),
    case(lambda: metrics.spearman(X, Z[:3]), "Z: found 3 rows, but X has 40"),
    case(lambda: metrics.continuity(X, Z, k=20), "k: found 20 with M = 39"),
    case(lambda: metrics.stress(X * 0, Z), "X: found points that all coincide"),
    case(lambda: metrics.continuity(X, Z, reference=X), "reference: found ndarray", "pair (X_ref, Z_ref)"),
    case(lambda: metrics.label_agreement(X, Z, labels=[1, 2], k=3), "labels: "),
    case(lambda: metrics.label_agreement(X, Z, np.ones(40), reference=5, reference_labels=[1]), "reference: found int"),
    case(
        lambda: metrics.label_agreement(X, Z, np.ones(40), reference=(None, Z), reference_labels=[1]),
        "reference[0]: found None",
    ),
    case(lambda: distbench.compare(report(), Z), "report_b: found ndarray"),
    case(lambda: distbench.compare(report(), report(k=4)), "found k = 3 and 4"),
    case(lambda: distbench.compare(report(metrics="stress"), report(metrics="pearson")), "no metric that both have"),
    case(lambda: distbench.compare(report(), report(confidence=0.9)), "found confidence = 0.95 and 0.9"),
    case(lambda: distbench.compare(report(), report(distance_x="cityblock")), "found distance_x = "),
    case(lambda: distbench.compare(report(), report(queries=20)), "found m = 40 and 20"),
    case(lambda: distbench.compare(report(), distbench.evaluate(first_two, X, reference=X, k=3)), "M = 39 and 79"),
    case(lambda: distbench.compare(report(), distbench.evaluate(first_two, X + 1, k=3)), "found different points"),
    case(lambda: distbench.compare(report(queries=20), report(queries=20, seed=1)), "evaluated; pass the same queries"),
    case(lambda: report().check(), "limits: found none", "continuity=0.95"),
    case(lambda: report().check(continuty=0.9), "continuty: found no metric", "did you mean 'continuity'?"),
    case(lambda: report().check(continuity="high"), "continuity: found the limit 'high'; pass a number"),
    case(lambda: report().check(continuity=np.nan), "continuity: found the limit nan"),
    case(lambda: report().check(continuity=True), "continuity: found the limit True; pass a number"),
    case(lambda: report().check(continuity=SQUARE), "continuity: found the limit ndarray of shape (2, 2)"),
    case(lambda: report().check(continuity=95), "continuity: found the limit 95", "between 0 and 1"),
    case(lambda: report().check(continuity=10**400), "continuity: found the limit inf", "between 0 and 1"),
    case(lambda: report().check(kendall=0.5), "kendall: found a limit, but it was not measured", "metrics="),
    case(lambda: report().check(undecided="maybe", continuity=0.5), "undecided: found 'maybe'"),
    case(lambda: report().verdicts(sterss=0.1), "sterss: ", "did you mean 'stress'?"),
    case(lambda: report().worst_pairs(kind="near"), "kind: found 'near'", "'torn'"),
    case(lambda: report().worst_pairs(n="3"), "n: found '3'"),
    case(lambda: report().worst_points(n=-1), "n: found -1"),
    case(lambda: report().worst_points(metric="continuty"), "metric: found 'continuty'", "did you mean"),
    case(lambda: floors(X, 0, k=3), "code_size: found 0"),
    case(lambda: floors(X, 2, k=39), "k: found 39"),
    case(lambda: check_floors({"stress": 0.0}, X, 2, k=3), "stress: found a limit of at most 0", "loosen"),
    case(lambda: chance(X, Z, "continuty", k=3), "metric: found 'continuty'"),
    case(lambda: attainable(X, -1, k=3), "code_size: found -1"),
]


class Recipe:
    def fit(self, X, code_size, seed):
        raise AssertionError("fitted")


def checked(*arguments, **options):
    return lambda: distbench.check_encoder(*arguments, **options)


CHECKS = [
    case(checked(never, X, k=3, referense=X), "referense: found no metric and no option", "reference"),
    case(checked(never, X, k=3, limits="stress"), "limits: found 'stress'", "pass a mapping"),
    case(checked(never, X, k=3, distance="cosine"), "distance: ", "distance_x="),
    case(checked(never, X, k=3, metrics=3, stress=1.0), "metrics: found 3"),
    case(checked(Recipe()), "X_test: not given", "dataset="),
    case(checked(Recipe(), X, k=3), "it is a recipe", error=EncoderError),
    case(checked(never, X, dataset="digits"), "dataset: given beside X_test"),
    case(checked(Recipe(), dataset="digit", code_size=2), "digit", "digits", error=DatasetError),
    case(checked("pca", dataset="digits", code_size=0), "code_size"),
    case(checked("pac", dataset="digits", code_size=2), "pac", "pca"),
    case(checked("pca", dataset="digits", code_size=2, stochastic=True), "stochastic: given for a recipe"),
    case(lambda: distbench.load_dataset("digit"), "name: no data set is called", "'digits'", error=DatasetError),
    case(lambda: distbench.load_dataset(3), "3", error=DatasetError),
]

CASES = [*of_points(), *ARGUMENTS, *ENCODERS, *CODES, *CHECKS]
