"""The two public functions that evaluate an encoder on points, or codes that exist already."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from distbench._util.checks import check_reference_pair, has_queries_as_candidates
from distbench._util.distances import EUCLIDEAN, PRECOMPUTED
from distbench._util.float_errors import with_default_float_errors
from distbench._util.text import plain_name
from distbench.encoders.decoder import decoder_of
from distbench.encoders.encoder import as_encoder
from distbench.encoders.indexes import index_of
from distbench.encoders.resolve import is_path, loaded_file, may_reconstruct, name_of, takes_symbols
from distbench.errors import InputError
from distbench.evaluation.encode import encode, with_codes
from distbench.evaluation.given_distances import reference_count
from distbench.evaluation.limits import with_known_options
from distbench.evaluation.measure import measure
from distbench.evaluation.mistakes import refuse_parts, refuse_swapped
from distbench.evaluation.neighbors import evaluated_index
from distbench.evaluation.point_kinds import symbol_notes
from distbench.evaluation.points import REFERENCE, TEST, check_names, checked_points, input_points
from distbench.evaluation.report import Report
from distbench.evaluation.settings import DECODER, Settings, chosen_metrics, draws_of
from distbench.inputs.anndata import points_and_codes
from distbench.inputs.table_names import column_notes

__all__ = ["evaluate", "evaluate_codes"]


@with_known_options
@with_default_float_errors
def evaluate(
    encoder: Any,
    X_test: Any,
    *,
    reference: Any = None,
    reference_encoder: Any = None,
    codes: tuple[Any, Any] | None = None,
    input_space: Any = None,
    k: int | Iterable[int] = 10,
    metrics: str | Iterable[str] = "default",
    include_queries: bool = True,
    confidence: float = 0.95,
    batch_size: int = 1024,
    stochastic: bool = False,
    draws: int | None = None,
    name: str | None = None,
    distance_x: str = EUCLIDEAN,
    distance_z: str = EUCLIDEAN,
    labels: Any = None,
    reference_labels: Any = None,
    groups: Any = None,
    queries: int | None = None,
    precision: Mapping[str, float] | None = None,
    seed: int = 0,
    executor: Any = None,
    progress: bool | None = None,
) -> Report:
    """Measure how well an encoder preserves neighbors and distances on test points.

    Parameters
    ----------
    encoder : model, object with ``transform``, ``encode`` or ``predict``, callable, or path
        Maps rows of points to rows of codes. A model is a Keras model, a torch module, a session of onnxruntime or a
        loaded SavedModel; a path leads to a ``.keras`` file, an ``.onnx`` file or the folder of a SavedModel. Or a
        search index, whose neighbors are evaluated as by `evaluate_neighbors`.
    X_test : array-like of shape (m, d), or list of m objects
        Points that the encoder is evaluated on. Images (m, h, w[, c]) are passed to the encoder as they are, and
        flattened for input distances. Texts and other objects are passed as lists; they need an `input_space`.
    reference : array-like of shape (n, d), or list of n objects, optional
        Points among which neighbors are looked up, usually the training points. Default: the test points.
    reference_encoder : encoder, optional
        Encodes the reference points, if not `encoder` does: for a search in which queries and documents have codes of
        their own, such as full queries among compressed documents. The candidates are then the reference points alone.
        Both encoders return codes of one size, between which `distance_z` is measured.
    codes : tuple (Z_test, Z_ref), optional
        Only for a search index: the codes that it compares, as in `evaluate_neighbors`.
    input_space : encoder, array-like of shape (m, e), path, or tuple of two of these arrays, optional
        Other points, between which input distances are measured. Pass an encoder that makes them from `X_test` and
        `reference`; or an array with a row for each test point; or, if there are reference points, a tuple of an array
        for the test points and one for the reference points.
    k : int or iterable of int
        Number of neighbors, 1 <= k < M with M candidates; for trustworthiness and continuity 1 <= k <= M / 2. Of
        several, such as ``(1, 10, 100)``, each metric of neighbors is measured at each, as ``knn_recall@100``; worst
        pairs have the first, and so has a metric named without ``@``. Metrics without neighbors do not need it: if only
        they are measured, worst pairs are found among at most half of the candidates.
    metrics : "default", "all" or iterable of str
        Names of metrics; those of neighbors may have their own k, as ``"knn_recall@100"``. "all" leaves out those that
        cannot be measured: `label_agreement` without labels, `reconstruction_mse` without a decoder.
    include_queries : bool
        Whether the other test points are candidates beside the reference points. Without these they have to be.
    confidence : float
        Confidence of the intervals, between 0 and 1.
    batch_size : int
        Number of rows in one call of the encoder.
    stochastic : bool
        Whether the encoder returns different codes each time. It then encodes all points several times (`draws`):
        scores are means over draws, and intervals include the variance over draws. If False, at most 64 test and
        64 reference points are encoded again, and the encoder is refused if their codes differ.
    draws : int, optional
        Number of draws of a stochastic encoder, 2 or more. Default: 5.
    name : str, optional
        Name of the encoder in the report.
    distance_x, distance_z : str
        Distances of points and of codes: "euclidean", "cosine" or "cityblock"; "inner_product", the larger the nearer,
        for metrics of neighbors and of order; for codes of 0 and 1 also "hamming", and for bits packed eight to a byte
        "packed_hamming". With `distance_x` "precomputed", `X_test` (or `input_space`) has the distances themselves: a
        row for each test point and a column for each candidate, the test points first and then the reference points.
    labels, reference_labels : array-like of shape (m,) and (n,), optional
        Labels of the test and the reference points, of any kind.
    groups : array-like of shape (m,), optional
        The group of each test point, such as its writer, patient, film or document: labels of any kind, as
        scikit-learn's ``groups``. Points of one group are not independent, so intervals are over groups (at least 5,
        better 10 or more), which usually makes them wider. Values do not change. `Report.by_group` has the values of
        groups.
    queries : int, optional
        Size of the random sample of test points that are evaluated, against all candidates. Default: all.
    precision : mapping of str to float, optional
        Largest half width of each metric's interval. ``{"continuity": 0.002}`` evaluates 1,000 test points (or
        `queries`), then more until the interval is the value -+ 0.002 or all test points are evaluated.
    seed : int
        Seed of the sample of test points.
    executor : concurrent.futures.Executor, optional
        Runs blocks of queries. Default: threads.
    progress : bool, optional
        Whether to show a progress bar for computations over two seconds. Default: if stderr is a terminal.

    Returns
    -------
    Report
        For each metric a `Score` (value, interval, chance, scores of single points), the worst pairs, and notes.

    Raises
    ------
    InputError
        If points, k or another argument cannot be used.
    EncoderError
        If the encoder is of no known kind, raises an error, returns codes that cannot be used, or returns different
        codes for the same points though `stochastic` is False.
    MissingDependencyError
        If the package that loads the encoder's file is not installed.

    Examples
    --------
    >>> import distbench
    >>> data = distbench.load_dataset("digits")
    >>> encoder = distbench.fit_baseline("pca", data.train, code_size=8)
    >>> report = distbench.evaluate(encoder, data.test, reference=data.train)
    >>> score = report["continuity"]
    >>> print(f"{score.value:.4f}, {score.low:.4f} to {score.high:.4f}")
    0.9964, 0.9959 to 0.9968
    >>> report.verdicts(continuity=0.99, scaled_stress=0.05)
    {'continuity': 'met', 'scaled_stress': 'broken'}
    """
    if index_of(encoder) is not None:
        given = {name: value for name, value in locals().items() if name not in ("encoder", "X_test", "reference")}
        return evaluated_index(encoder, X_test, reference, _changed(given))
    if codes is not None:
        raise InputError("codes", "given beside an encoder", "leave it out; evaluate_codes takes codes alone")
    refuse_swapped(encoder, X_test)
    model = loaded_file(encoder)
    decoder = decoder_of(model) if input_space is None else None
    settings = Settings(
        chosen_metrics(
            metrics,
            with_labels=labels is not None,
            with_decoder=decoder is not None,
            distances=(distance_x, distance_z),
        ),
        k=k,
        include_queries=_includes_queries(include_queries, reference, reference_encoder),
        confidence=confidence,
        distance_x=distance_x,
        distance_z=distance_z,
        queries=queries,
        precision=precision,
        seed=seed,
        executor=executor,
        progress=progress,
        draws=draws_of(stochastic, draws),
        labels=labels,
        reference_labels=reference_labels,
        groups=groups,
        named=metrics,
    )
    if settings.distance_z == PRECOMPUTED:
        found = "found 'precomputed' for codes that an encoder makes"
        raise InputError("distance_z", found, "pass the distances of the codes to distbench.evaluate_codes")
    adapter = as_encoder(model, batch_size=batch_size)
    if is_path(encoder):  # the name of a file is clearer than that of the model in it
        adapter = replace(adapter, name=name_of(encoder))
    of_reference = adapter if reference_encoder is None else as_encoder(loaded_file(reference_encoder), batch_size)
    refuse_parts(X_test, reference)
    notes: list[str] = []
    points = input_points(X_test, reference, input_space, batch_size, settings, notes)
    settings = replace(settings, metrics=points.metrics)
    spaces = (*input_space, None) if isinstance(input_space, tuple) else (input_space, None)
    sets = zip((X_test, reference), (TEST, REFERENCE), spaces, strict=False)
    test, others = ([(part, name), (space, "input_space")] for part, name, space in sets)
    matrix = test[:1] if input_space is None else test[1:]
    check_names(test, others, settings, notes, matrix if settings.distance_x == PRECOMPUTED else [])
    notes += column_notes([*test, *others] if input_space is None else [*test[1:], *others[1:]])
    if input_space is None and settings.distance_x != PRECOMPUTED:
        notes += symbol_notes(points.X, takes_symbols(model))
    if DECODER not in settings.names:
        decoder = None
    encoded = encode((adapter, of_reference), (X_test, reference), points, decoder, settings, notes)
    return measure(points, encoded, settings, plain_name(name or adapter.name), notes, may_reconstruct(model))


@with_known_options
@with_default_float_errors
def evaluate_codes(
    X_test: Any,
    Z_test: Any,
    *,
    reference: tuple[Any, Any] | None = None,
    k: int | Iterable[int] = 10,
    metrics: str | Iterable[str] = "default",
    include_queries: bool = True,
    confidence: float = 0.95,
    name: str | None = None,
    distance_x: str = EUCLIDEAN,
    distance_z: str = EUCLIDEAN,
    labels: Any = None,
    reference_labels: Any = None,
    groups: Any = None,
    queries: int | None = None,
    precision: Mapping[str, float] | None = None,
    seed: int = 0,
    executor: Any = None,
    progress: bool | None = None,
) -> Report:
    """Measure how well codes preserve neighbors and distances of their points.

    Parameters
    ----------
    X_test : array-like of shape (m, d), path, AnnData, or (AnnData, str)
        Test points. A path leads to an ``.npy``; an ``.npz`` of one array, or ``"file.npz:key"``; a ``.parquet`` with
        columns of numbers or one column of lists, or ``"file.parquet:column"``; or an ``.h5ad``, of which ``X`` is
        read, or ``"file.h5ad:X_pca"``. Of an AnnData object ``X`` is used, of a pair (AnnData, key) ``obsm[key]``.
    Z_test : array-like of shape (m, dim), path, (AnnData, str), or str
        Their codes. If `X_test` is an AnnData object, a key of its ``obsm``: ``evaluate_codes(adata, "X_umap")``.
    reference : tuple (X_ref, Z_ref), optional
        Reference points and their codes, in the same forms.
    k, metrics, include_queries, confidence, name
        As in `evaluate`. If the codes of reference points are of another kind than those of test points, as in a search
        for full queries among compressed documents, pass ``include_queries=False``.
    distance_x, distance_z : str
        As in `evaluate`. With "precomputed", `X_test` or `Z_test` has distances: (m, m) in sample, (m, m + n) beside n
        reference points, (m, n) with ``include_queries=False``. `reference` then has None in place of these points; it
        is left out if both are distances.
    labels, reference_labels, groups
        As in `evaluate`.
    queries, precision, seed, executor, progress
        As in `evaluate`.

    Returns
    -------
    Report
        As from `evaluate`.

    Raises
    ------
    InputError
        If an argument cannot be used, or a file cannot be read.
    MissingDependencyError
        If the package that reads such files is not installed.

    Examples
    --------
    >>> import distbench
    >>> data = distbench.load_dataset("digits")
    >>> report = distbench.evaluate_codes(data.test, data.test[:, 16:48], metrics="knn_recall")
    >>> print(f"{report['knn_recall'].value:.2f}")
    0.63
    """
    check_reference_pair(reference)
    distances = distance_x, distance_z
    are_given = all(isinstance(name, str) and name == PRECOMPUTED for name in distances)
    settings = Settings(
        chosen_metrics(metrics, with_labels=labels is not None, distances=distances),
        k=k,
        include_queries=has_queries_as_candidates(include_queries, True if are_given else reference),
        confidence=confidence,
        distance_x=distance_x,
        distance_z=distance_z,
        queries=queries,
        precision=precision,
        seed=seed,
        executor=executor,
        progress=progress,
        labels=labels,
        reference_labels=reference_labels,
        groups=groups,
        named=metrics,
    )
    notes: list[str] = []
    names, code_names = ("X_test", "reference[0]"), ("Z_test", "reference[1]")
    X, Z = points_and_codes(X_test, Z_test, (names[0], code_names[0]))
    X_ref, Z_ref = (None, None) if reference is None else points_and_codes(*reference, (names[1], code_names[1]))
    pairs = [] if reference is None else list(zip(reference, (names[1], code_names[1]), strict=True))
    tables = [(X_test, names[0]), (Z_test, code_names[0])]
    matrices = [table for table, distance in zip(tables, distances, strict=True) if distance == PRECOMPUTED]
    check_names(tables, pairs, settings, notes, matrices)
    notes += column_notes([*tables, *pairs])
    pair = None if reference is None else (X_ref, Z_ref)
    count = reference_count(pair, settings.distances, (names[1], code_names[1]))
    points = checked_points((X,) if X_ref is None else (X, X_ref), names, settings, notes, references=count)
    settings = replace(settings, metrics=points.metrics)
    notes += symbol_notes(points.X, False) if settings.distance_x != PRECOMPUTED else []
    encoded = with_codes(points, (Z, Z_ref), code_names, settings, notes)
    return measure(points, [encoded], settings, plain_name(name or "codes"), notes)


def _changed(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of `evaluate` that were given; those that change no value are left out."""
    defaults = {name: parameter.default for name, parameter in inspect.signature(evaluate).parameters.items()}
    return {
        name: value
        for name, value in options.items()
        if name not in ("include_queries", "batch_size", "seed", "executor", "progress") and value is not defaults[name]
    }


def _includes_queries(include_queries: Any, reference: Any, reference_encoder: Any) -> bool:
    """Return whether test points are candidates; beside codes of another encoder they are none."""
    if reference_encoder is None:
        return has_queries_as_candidates(include_queries, reference)
    if reference is None:
        raise InputError("reference_encoder", "given without reference points", "pass reference=, or leave it out")
    return False
