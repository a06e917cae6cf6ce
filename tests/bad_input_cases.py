"""What users pass by mistake: each call, the error it raises, and the words that its one line must hold."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from frameworks import pd
from scipy import sparse

import distbench
from distbench import metrics
from distbench.errors import DatasetError, DistbenchError, EncoderError, InputError
from distbench.inference.attainable import attainable
from distbench.inference.chance import chance
from distbench.inference.floors import check_floors, floors

__all__ = ["CASES", "Case", "X", "first_two"]

rng = np.random.default_rng(0)
X, REFERENCE = rng.normal(size=(40, 4)), rng.normal(size=(60, 4))
Z = X[:, :2]
SQUARE = np.ones((2, 2))


def first_two(batch: Any) -> Any:
    return batch[:, :2]


def never(batch: Any) -> Any:
    raise AssertionError("the encoder was asked before the arguments were checked")


@dataclass(frozen=True)
class Case:
    """A call that must fail, how, and what its message must say."""

    name: str
    call: Callable[[], Any]
    error: type[DistbenchError]
    words: tuple[str, ...]


@dataclass(frozen=True)
class Frame:
    """A frame of pandas that is made when its case is called."""

    columns: Callable[[], dict[str, Any]]


def with_value(row: int, value: Any, points: Any = X) -> Any:
    changed = points.copy()
    changed[row, 1] = value
    return changed


TEXT = Frame(lambda: {"a": X[:, 0], "city": ["Oslo"] * len(X)})
MISSING = Frame(lambda: {"a": pd.array([1, None] * 20, dtype="Int64"), "b": X[:, 0]})
MANY = Frame(lambda: {f"a_long_name_of_column_{n}": ["x"] * 40 for n in range(40)})
with np.errstate(over="ignore"):
    FLOAT16 = (X * 1e5).astype(np.float16)

POINTS: dict[str, tuple[Any, tuple[str, ...]]] = {
    "NaN": (with_value(7, np.nan), ("found NaN in row 7;", "drop or mend")),
    "infinity": (with_value(9, -np.inf), ("found an infinite value in row 9;", "drop or mend")),
    "float16 that overflowed": (FLOAT16, ("of float16, which ends at 65504", "such rows in all")),
    "no rows": (X[:0], ("found shape (0, 4)", "pass at least one row")),
    "no columns": (X[:, :0], ("found shape (40, 0)", "column")),
    "one dimension": (X[:, 0], ("found 1-D data of shape (40,)", "reshape(-1, 1)")),
    "a number": (3.0, ("found 0-D data", "one point a row")),
    "None": (None, ("found None", "pass an array")),
    "texts": (X.astype(str), ("found dtype <U32", "pass numbers")),
    "objects": (X.astype(object), ("found dtype object", "pass numbers")),
    "dates": (np.zeros((40, 2), "M8[s]"), ("found dtype datetime64", "pass numbers")),
    "complex numbers": (X + 1j, ("found complex numbers", "pass real ones")),
    "huge integers": (np.full((40, 2), 2**60), ("integers beyond 2**53", "subtract an offset")),
    "a sparse matrix": (sparse.csr_array(X), ("found a sparse matrix", ".toarray()")),
    "a masked array": (np.ma.masked_less(X, 0), ("found a masked array", "fill or drop")),
    "a text column": (TEXT, ("columns that are not numbers: city", "encode or drop")),
    "many text columns": (MANY, ("a_long_name_of_column_0", "and 36 more")),
    "missing values of pandas": (MISSING, ("found NaN in row 1 (20 such rows in all)",)),
    "rows of other lengths": ([[1.0, 2.0], [3.0]], ("rows of different lengths", "give every row the same")),
    "a function": (first_two, ("found <function first_two", "pass an array")),
    "a generator": ((row for row in X), ("found <generator", "pass an array")),
    "a dictionary": ({"a": 1}, ("found {'a': 1}", "pass an array")),
    "a file name": ("points.npy", ("found 'points.npy', a text", "pass the array")),
}


def given(call: Callable[[Any], Any], bad: Any) -> Any:
    return call(pd.DataFrame(bad.columns()) if isinstance(bad, Frame) else bad)


def of_points() -> Iterator[Case]:
    """Every kind of bad points, in each place that takes points, in turn."""
    places: dict[str, tuple[str, Callable[[Any], Any]]] = {
        "evaluate, test points": ("X_test", lambda bad: distbench.evaluate(never, bad, k=3)),
        "evaluate, reference": ("reference", lambda bad: distbench.evaluate(never, X, reference=bad, k=3)),
        "evaluate_codes, codes": ("Z_test", lambda bad: distbench.evaluate_codes(X, bad, k=3)),
        "evaluate_codes, reference": (
            "reference[0]",
            lambda bad: distbench.evaluate_codes(X, Z, reference=(bad, Z), k=3),
        ),
        "a metric, points": ("X", lambda bad: metrics.stress(bad, Z)),
        "a metric, codes": ("Z", lambda bad: metrics.continuity(X, bad, k=3)),
        "floors": ("X_test", lambda bad: floors(bad, 2, k=3)),
        "check_encoder": ("X_test", lambda bad: distbench.check_encoder(never, bad, k=3)),
    }
    for number, (kind, (bad, words)) in enumerate(POINTS.items()):
        for place, (argument, call) in places.items():
            first = number % len(places) == list(places).index(place)
            optional = bad is None and place in ("evaluate, reference", "check_encoder")
            if (first or place == "evaluate, test points") and not optional:
                made = functools.partial(given, call, bad)
                yield Case(f"{place}: {kind}", made, InputError, (f"{argument}: ", *words))


def evaluation(name: str, *words: str, encoder: Any = never, points: Any = X, **options: Any) -> Case:
    call = functools.partial(distbench.evaluate, encoder, points, **{"k": 3, **options})
    return Case(f"evaluate: {name}", call, InputError, words)


ARGUMENTS = [
    evaluation("one point", "X_test, reference: found 0 candidates", "at least 3", points=X[:1]),
    evaluation("two points", "X_test, reference: found 1 candidates", points=X[:2]),
    evaluation("points that coincide", "X_test: found points that all coincide", points=np.ones((40, 4))),
    evaluation("k = 0", "k: found 0 with M = 39", "pass 1 <= k <= 19", k=0),
    evaluation("k of half the candidates", "k: found 20 with M = 39", "pass 1 <= k <= 19", k=20),
    evaluation("k of float", "k: found 3.5", "whole number", k=3.5),
    evaluation("k of text", "k: found '3'", "whole number", k="3"),
    evaluation("k of an array", "k: found ndarray of shape (2, 2)", "whole number", k=SQUARE),
    evaluation("k of few references", "k: found 3 with M = 3", reference=X[:3], include_queries=False),
    evaluation("columns of the reference", "reference: found 3 columns, but X_test has 4", reference=REFERENCE[:, :3]),
    evaluation(
        "a misspelt metric", "metrics: found no metric 'continuty'; did you mean 'continuity'?", metrics="continuty"
    ),
    evaluation("no metrics", "metrics: found none", "'default'", metrics=[]),
    evaluation("metrics of a number", "metrics: found 3;", metrics=3),
    evaluation("a number among metrics", "metrics: found 3 among the names", metrics=["stress", 3]),
    evaluation(
        "labels not given", "'label_agreement', which cannot be measured: pass labels=", metrics="label_agreement"
    ),
    evaluation("a decoder not given", "'reconstruction_mse'", "inverse_transform", metrics="reconstruction_mse"),
    evaluation("confidence in percent", "confidence: found 95", "between 0 and 1", confidence=95),
    evaluation("confidence of an array", "confidence: found ndarray of shape", confidence=SQUARE),
    evaluation("no batch", "batch_size: found 0", "whole number above 0", batch_size=0),
    evaluation("an unknown distance", "distance_x: found 'euclid'", "'cosine'", distance_x="euclid"),
    evaluation("a function as distance", "distance_z: found <function", "'hamming'", distance_z=first_two),
    evaluation("hamming on codes", "codes of X_test: ", "no whole numbers", encoder=first_two, distance_z="hamming"),
    evaluation(
        "cosine of zeros", "X_test: found only zeros in row 7", points=np.insert(X, 7, 0.0, axis=0), distance_x="cosine"
    ),
    evaluation("few labels", "labels: found 3 labels for 40 points", labels=[1, 2, 3]),
    evaluation("one label", "labels: found 5", "one label a point", labels=5),
    evaluation("labels of two columns", "labels: found shape (40, 2)", labels=np.ones((40, 2))),
    evaluation("a label of None", "labels: found None at place 3", labels=[1, 1, 1, None] * 10),
    evaluation("a label of NaN", "labels: found NaN at place 0", labels=[np.nan] * 40, metrics="all"),
    evaluation("ragged labels", "labels: found lists of different lengths", labels=[[1], [1, 2]] * 20),
    evaluation("labels without a reference", "reference_labels: given without", labels=[1] * 40, reference_labels=[1]),
    evaluation(
        "no labels of the reference",
        "reference_labels: found None",
        labels=[1] * 40,
        reference=REFERENCE,
        metrics="all",
    ),
    evaluation("one query", "queries: found 1", "2 or more", queries=1),
    evaluation("queries of text", "queries: found '10'", queries="10"),
    evaluation("precision of a number", "precision: found 0.1", "continuity", precision=0.1),
    evaluation("precision of a worst case", "precision: found 'distortion'", precision={"distortion": 0.1}),
    evaluation("precision of zero", "precision: found continuity = 0", precision={"continuity": 0}),
    evaluation("a negative seed", "seed: found -1", "0 or more", seed=-1),
    evaluation(
        "an executor of text", "executor: found str", "concurrent.futures", encoder=first_two, executor="threads"
    ),
    evaluation("progress of text", "progress: found 'yes'", "True or False", progress="yes"),
    evaluation("include_queries of text", "include_queries: found 'no'", "True or False", include_queries="no"),
    evaluation("include_queries of an array", "include_queries: found ndarray", include_queries=SQUARE),
    evaluation("stochastic of text", "stochastic: found 'yes'", "True or False", stochastic="yes"),
    evaluation("draws of a steady encoder", "draws: found 3", "pass stochastic=True", draws=3),
    evaluation("draws as by default of a steady encoder", "draws: found 5", "pass stochastic=True", draws=5),
    evaluation("one draw", "draws: found 1", "2 or more", stochastic=True, draws=1),
    evaluation("swapped arguments", "encoder, X_test: look swapped", encoder=X, points=first_two),
]


def encoding(name: str, encoder: Any, *words: str, points: Any = X, **options: Any) -> Case:
    call = functools.partial(distbench.evaluate, encoder, points, **{"k": 3, **options})
    return Case(f"encoder: {name}", call, EncoderError, words)


def raises(batch: Any) -> Any:
    raise RuntimeError("CUDA out of memory\nand forty lines more")


def multiplies(batch: Any) -> Any:
    return batch @ np.ones((3, 2))


class Counts:
    """Changes what it returns with the number of the batch."""

    def __init__(self, change: Callable[[Any, int], Any]) -> None:
        self._change, self._number = change, -1

    def __call__(self, batch: Any) -> Any:
        self._number += 1
        return self._change(batch, self._number)


class Classifier:
    classes_ = (0, 1)

    def predict(self, batch: Any) -> Any:
        return batch[:, 0] > 0


class Sampler:
    """Draws its codes anew each time, as the sampling layer of a variational autoencoder does."""

    def __init__(self) -> None:
        self._rng = np.random.default_rng(0)

    def __call__(self, batch: Any) -> Any:
        return batch[:, :2] + 0.1 * self._rng.normal(size=(len(batch), 2))


def standardised(batch: Any) -> Any:
    """Do what batch normalisation does in training mode."""
    return (batch[:, :2] - batch[:, :2].mean(axis=0)) / batch[:, :2].std(axis=0)


ENCODERS = [
    encoding(
        "raises", raises, "encoder 'raises' raised RuntimeError: CUDA out of memory; it was given rows 0 to 39 of 40"
    ),
    encoding("of other columns", multiplies, "raised ValueError: matmul", "float64 of shape (40, 4)"),
    encoding("returns None", lambda batch: None, "returned NoneType", "one array with a row a point"),
    encoding("returns a number", lambda batch: 3.0, "a single number for 40 points", "one code a point"),
    encoding("returns a tuple", lambda b: (b, b[:, :1]), "a tuple of 2 arrays for 40 points", "return the codes alone"),
    encoding("returns a dictionary", lambda batch: {"codes": batch}, "returned dict"),
    encoding(
        "returns a ragged list", lambda b: [[0.0] * (n % 3 + 1) for n in range(len(b))], "codes of different sizes"
    ),
    encoding("returns texts", lambda batch: batch.astype(str), "values of type <U32", "real numbers"),
    encoding("returns complex numbers", lambda batch: batch + 1j, "values of type complex128"),
    encoding("returns objects", lambda batch: batch.astype(object), "values of type object"),
    encoding("returns huge integers", lambda b: np.arange(len(b)) + 2**60, "integers beyond 2**53"),
    encoding("returns a masked array", lambda batch: np.ma.masked_less(batch, 0), "a masked array"),
    encoding("drops a row", lambda batch: batch[:-1], "shape (39, 4) for 40 points"),
    encoding("returns no columns", lambda batch: batch[:, :0], "codes of size 0"),
    encoding(
        "NaN in its third batch",
        Counts(lambda batch, number: batch[:, :2] if number != 2 else with_value(1, np.nan, batch[:, :2])),
        "NaN or infinity in the code of row 21;",
        batch_size=10,
    ),
    encoding(
        "other widths in other batches",
        Counts(lambda batch, number: batch[:, : 2 + (number == 3)]),
        "codes of size 3 from row 30 on, 2 before",
        batch_size=10,
    ),
    encoding(
        "other codes the second time",
        Sampler(),
        "other codes",
        "second time",
        "make it deterministic",
        "stochastic=True",
    ),
    encoding("fails the second time", Counts(lambda b, n: b if n < 1 else b[:0]), "gave no codes the second time"),
    encoding("codes that rest on the batch", standardised, "with the other points of its batch", "eval mode"),
    encoding("a class", Classifier, "got the class 'Classifier'; pass an instance"),
    encoding("a classifier", Classifier(), "predicts classes, not codes"),
    encoding("a number", 3, "encoder: cannot encode with 'int'", "pass a Keras model"),
    encoding("None", None, "encoder: cannot encode with 'NoneType'"),
    encoding("a name", "pca", "encoder: cannot encode with 'str' (found 'pca'", "fit_baseline"),
    encoding("ready codes", Z, "for ready codes use distbench.evaluate_codes"),
    encoding("a missing file", "/nowhere/model.keras", "encoder: /nowhere/model.keras: no such file"),
]


def case(name: str, call: Callable[[], Any], *words: str, error: type[DistbenchError] = InputError) -> Case:
    return Case(name, call, error, words)


@functools.cache
def report(**options: Any) -> Any:
    return distbench.evaluate(first_two, X, **{"k": 3, **options})


CODES = [
    case("codes: rows", lambda: distbench.evaluate_codes(X, Z[:3], k=3), "Z_test: found 3 rows, but X_test has 40"),
    case(
        "codes: bare reference",
        lambda: distbench.evaluate_codes(X, Z, reference=X, k=3),
        "reference: found ndarray",
        "pair",
    ),
    case(
        "codes: half a reference",
        lambda: distbench.evaluate_codes(X, Z, reference=(X, None), k=3),
        "reference[1]: found None",
    ),
    case(
        "codes: rows of the reference",
        lambda: distbench.evaluate_codes(X, Z, reference=(X, Z[:3]), k=3),
        "reference[1]: found 3 rows",
    ),
    case(
        "codes: columns of the reference",
        lambda: distbench.evaluate_codes(X, Z, reference=(X, X), k=3),
        "reference[1]: found 4 columns, but Z_test has 2",
    ),
    case("metric: rows", lambda: metrics.spearman(X, Z[:3]), "Z: found 3 rows, but X has 40"),
    case("metric: k", lambda: metrics.knn_recall(X, Z, k=20), "k: found 20 with M = 39"),
    case("metric: points that coincide", lambda: metrics.stress(X * 0, Z), "X: found points that all coincide"),
    case(
        "metric: reference",
        lambda: metrics.continuity(X, Z, reference=X),
        "reference: found ndarray",
        "pair (X_ref, Z_ref)",
    ),
    case("metric: few labels", lambda: metrics.label_agreement(X, Z, labels=[1, 2], k=3), "labels: "),
    case("compare: codes", lambda: distbench.compare(report(), Z), "report_b: found ndarray"),
    case("compare: other k", lambda: distbench.compare(report(), report(k=4)), "found k = 3 and 4"),
    case(
        "compare: other confidence",
        lambda: distbench.compare(report(), report(confidence=0.9)),
        "found confidence = 0.95 and 0.9",
    ),
    case(
        "compare: other points",
        lambda: distbench.compare(report(), distbench.evaluate(first_two, X + 1, k=3)),
        "found other points",
    ),
    case(
        "compare: other queries",
        lambda: distbench.compare(report(queries=20), report(queries=20, seed=1)),
        "found other test points judged",
    ),
    case("check: no limit", lambda: report().check(), "limits: found none", "continuity=0.95"),
    case(
        "check: misspelt",
        lambda: report().check(continuty=0.9),
        "continuty: found no metric",
        "did you mean 'continuity'?",
    ),
    case("check: text", lambda: report().check(continuity="high"), "continuity: found the limit 'high'; pass a number"),
    case("check: NaN", lambda: report().check(continuity=np.nan), "continuity: found the limit nan"),
    case(
        "check: an array",
        lambda: report().check(continuity=SQUARE),
        "continuity: found the limit ndarray of shape (2, 2)",
    ),
    case("check: percent", lambda: report().check(continuity=95), "continuity: found the limit 95", "between 0 and 1"),
    case(
        "check: not measured",
        lambda: report().check(kendall=0.5),
        "kendall: found a limit, but it was not measured",
        "metrics=",
    ),
    case("check: undecided", lambda: report().check(undecided="maybe", continuity=0.5), "undecided: found 'maybe'"),
    case("verdicts: misspelt", lambda: report().verdicts(sterss=0.1), "sterss: ", "did you mean 'stress'?"),
    case("worst_pairs: kind", lambda: report().worst_pairs(kind="near"), "kind: found 'near'", "'torn'"),
    case("worst_pairs: n", lambda: report().worst_pairs(n="3"), "n: found '3'"),
    case("worst_points: n", lambda: report().worst_points(n=-1), "n: found -1"),
    case(
        "worst_points: metric",
        lambda: report().worst_points(metric="continuty"),
        "metric: found 'continuty'",
        "did you mean",
    ),
    case("floors: code size", lambda: floors(X, 0, k=3), "code_size: found 0"),
    case("floors: k", lambda: floors(X, 2, k=20), "k: found 20"),
    case(
        "floors: a limit beyond",
        lambda: check_floors({"stress": 0.0}, X, 2, k=3),
        "stress: found the limit at most 0",
        "loosen",
    ),
    case("chance: metric", lambda: chance(X, Z, "continuty", k=3), "metric: found 'continuty'"),
    case("attainable: code size", lambda: attainable(X, -1, k=3), "code_size: found -1"),
]


class Recipe:
    def fit(self, X: Any, code_size: int, seed: int) -> Any:
        raise AssertionError("fitted")


def checked(*arguments: Any, **options: Any) -> Callable[[], Any]:
    return lambda: distbench.check_encoder(*arguments, **options)


CHECKS = [
    case(
        "check_encoder: misspelt option",
        checked(never, X, k=3, referense=X),
        "referense: found no metric and no option",
        "reference",
    ),
    case("check_encoder: limits", checked(never, X, k=3, limits={"stress": 1}), "limits: ", "continuity=0.95"),
    case("check_encoder: distance", checked(never, X, k=3, distance="cosine"), "distance: ", "distance_x="),
    case("check_encoder: metrics", checked(never, X, k=3, metrics=3, stress=1.0), "metrics: found 3"),
    case("check_encoder: no points", checked(Recipe()), "X_test: not given", "dataset="),
    case("check_encoder: recipe with points", checked(Recipe(), X, k=3), "it is a recipe", error=EncoderError),
    case("check_encoder: data set beside points", checked(never, X, dataset="digits"), "dataset: given beside X_test"),
    case(
        "check_encoder: data set",
        checked(Recipe(), dataset="digit", code_size=2),
        "digit",
        "digits",
        error=DatasetError,
    ),
    case("check_encoder: code size", checked("pca", dataset="digits", code_size=0), "code_size"),
    case("check_encoder: name", checked("pac", dataset="digits", code_size=2), "pac", "pca"),
    case(
        "check_encoder: option of a recipe",
        checked("pca", dataset="digits", code_size=2, stochastic=True),
        "stochastic: given for a recipe",
    ),
    case("fit_baseline: name", lambda: distbench.fit_baseline("pac", X, 2), "name: ", "pca"),
    case("fit_baseline: code size", lambda: distbench.fit_baseline("pca", X, 2.5), "code_size: 2.5"),
    case("fit_baseline: seed", lambda: distbench.fit_baseline("pca", X, 2, -1), "seed: -1"),
    case("fit_baseline: option", lambda: distbench.fit_baseline("pca", X, 2, epoch=3), "epoch"),
    case("fit_baseline: NaN", lambda: distbench.fit_baseline("pca", with_value(3, np.nan), 2), "X: ", "NaN", "row 3"),
    case("fit_baseline: one point", lambda: distbench.fit_baseline("pca", X[:1], 2), "X: 1 points; at least 2"),
    case("fit_baseline: one column", lambda: distbench.fit_baseline("pca", X[:, 0], 2), "X: ", "(40,)"),
    case("load_dataset: name", lambda: distbench.load_dataset("digit"), "digit", "digits", error=DatasetError),
    case("load_dataset: number", lambda: distbench.load_dataset(3), "3", error=DatasetError),
]

CASES = [*of_points(), *ARGUMENTS, *ENCODERS, *CODES, *CHECKS]
