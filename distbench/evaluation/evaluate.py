"""Points and an encoder in, a report out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from distbench._util.distances import EUCLIDEAN
from distbench._util.text import plain_text
from distbench.encoders.decoder import decoder_of
from distbench.encoders.encoder import as_encoder
from distbench.encoders.resolve import is_path, loaded_file, name_of
from distbench.errors import InputError
from distbench.evaluation.encode import encode, with_codes
from distbench.evaluation.measure import measure
from distbench.evaluation.points import InputPoints, input_points
from distbench.evaluation.report import Pair, Report
from distbench.evaluation.settings import DECODER, Settings, chosen_metrics, draws_of, flag
from distbench.inputs.anndata import points_and_codes
from distbench.inputs.arrays import as_points

__all__ = ["evaluate", "evaluate_codes"]


def evaluate(
    encoder: Any,
    X_test: Any,
    *,
    reference: Any = None,
    input_space: Any = None,
    k: int = 10,
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
    queries: int | None = None,
    precision: Mapping[str, float] | None = None,
    seed: int = 0,
    executor: Any = None,
    progress: bool | None = None,
) -> Report:
    """Measure how well an encoder keeps close things close on test points.

    Parameters
    ----------
    encoder : model, object with ``transform``, ``encode`` or ``predict``, callable, or path
        Maps rows of points to rows of codes. Models are those of Keras and torch, sessions of onnxruntime and
        loaded SavedModels; paths are those of ``.keras`` and ``.onnx`` files and of folders of SavedModels.
    X_test : array-like of shape (m, d), or list of m objects
        Points the encoder is judged on. Images (m, h, w[, c]) reach the encoder as they are and are flattened
        for input distances. Texts and other objects reach it as lists, and need an `input_space`.
    reference : array-like of shape (n, d), or list of n objects, optional
        Points that neighbours are looked up in, usually the training points. Default: the test points.
    input_space : encoder, array-like of shape (m, e), path, or tuple of two of these arrays, optional
        The space in which input distances are measured, in place of the points themselves: an encoder, whose codes of
        the same points count; or ready points, one for each test point, in a tuple with those of the reference if there
        is one.
    k : int
        Number of neighbours, 1 <= k < M / 2, whichever metrics are chosen: the worst pairs are found among them.
    metrics : "default", "all" or iterable of str
        Names of metrics. "all" is all that can be measured: `label_agreement` with labels, `reconstruction_mse` with
        a decoder.
    include_queries : bool
        Whether the other test points are candidates too.
    confidence : float
        Share of samples of test points whose interval should contain the true value.
    batch_size : int
        Rows that the encoder gets at once.
    stochastic : bool
        Whether the encoder answers differently each time. It is then judged over `draws` draws of its codes, of test
        and reference points anew each time: scores are means over draws, and intervals hold their variance too. Other
        encoders are called again for at most 64 test and reference points, and refused if the codes differ.
    draws : int, optional
        Draws of a stochastic encoder, 2 or more. Default: 5.
    name : str, optional
        Name of the encoder in the report.
    distance_x, distance_z : str
        Distances of points and of codes: "euclidean", "cosine" or "cityblock"; of codes of 0 and 1 also "hamming".
    labels, reference_labels : array-like of shape (m,) and (n,), optional
        Labels of the test and the reference points, of any kind.
    queries : int, optional
        Judge only this many test points, a random sample, against all candidates. Default: all.
    precision : mapping of str to float, optional
        Half the width that the intervals of metrics may have: ``{"continuity": 0.002}`` judges 1,000 test points (or
        `queries`) and then more until the interval is the value -+ 0.002, or all of them are judged.
    seed : int
        Seed of the sample of test points.
    executor : concurrent.futures.Executor, optional
        Where blocks of queries run. Default: threads.
    progress : bool, optional
        Whether to show a bar on what takes over two seconds. Default: where stderr is a terminal.

    Returns
    -------
    Report
        A `Score` (value, interval, chance, scores of single points) for each metric, the worst pairs, and notes.

    Raises
    ------
    InputError
        If points, k or another argument cannot be used.
    EncoderError
        If the encoder is of no known kind, raises an error, returns what cannot be used, or gives other codes for the
        same points without being called stochastic.
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
    _refuse_swapped(encoder, X_test)
    model = loaded_file(encoder)
    decoder = decoder_of(model) if input_space is None else None
    settings = Settings(
        chosen_metrics(metrics, with_labels=labels is not None, with_decoder=decoder is not None),
        k=k,
        include_queries=flag(include_queries, "include_queries") or reference is None,
        confidence=confidence,
        distance_x=distance_x,
        distance_z=distance_z,
        queries=queries,
        precision=precision,
        seed=seed,
        executor=executor,
        progress=progress,
        draws=draws_of(stochastic, draws),
    )
    adapter = as_encoder(model, batch_size=batch_size)
    if is_path(encoder):  # a file's name says more than that of the model in it
        adapter = replace(adapter, name=name_of(encoder))
    notes: list[str] = []
    points = input_points(X_test, reference, input_space, batch_size, notes)
    points = points.checked(settings, labels, reference_labels)
    if DECODER not in settings.names:
        decoder = None
    encoded = encode(adapter, (X_test, reference), points, decoder, settings, notes)
    report = measure(points, encoded, settings, plain_text(name or adapter.name), notes)
    return _labelled(report, labels, reference_labels)


def evaluate_codes(
    X_test: Any,
    Z_test: Any,
    *,
    reference: tuple[Any, Any] | None = None,
    k: int = 10,
    metrics: str | Iterable[str] = "default",
    include_queries: bool = True,
    confidence: float = 0.95,
    name: str | None = None,
    distance_x: str = EUCLIDEAN,
    distance_z: str = EUCLIDEAN,
    labels: Any = None,
    reference_labels: Any = None,
    queries: int | None = None,
    precision: Mapping[str, float] | None = None,
    seed: int = 0,
    executor: Any = None,
    progress: bool | None = None,
) -> Report:
    """Measure codes that are there already.

    Parameters
    ----------
    X_test : array-like of shape (m, d), path, AnnData, or (AnnData, str)
        Test points. A path is that of an ``.npy``; an ``.npz`` of one array, or ``"file.npz:key"``; a ``.parquet`` of
        columns of numbers or one column of lists, or ``"file.parquet:column"``; or an ``.h5ad``, for its ``X``, or
        ``"file.h5ad:X_pca"``. Of an AnnData object it is ``X``, or the key of ``obsm`` beside it.
    Z_test : array-like of shape (m, dim), path, (AnnData, str), or str
        Their codes; beside an AnnData object a key of its ``obsm``: ``evaluate_codes(adata, "X_umap")``.
    reference : tuple (X_ref, Z_ref), optional
        Reference points and their codes, given in the same ways.
    k, metrics, include_queries, confidence, name, distance_x, distance_z, labels, reference_labels
        As for `evaluate`.
    queries, precision, seed, executor, progress
        As for `evaluate`.

    Returns
    -------
    Report
        A `Score` (value, interval, chance, scores of single points) for each metric, the worst pairs, and notes.

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
    if reference is not None and not (isinstance(reference, tuple | list) and len(reference) == 2):
        raise InputError("reference", f"found {type(reference).__name__}", "pass a pair (X_ref, Z_ref)")
    settings = Settings(
        chosen_metrics(metrics, with_labels=labels is not None),
        k=k,
        include_queries=flag(include_queries, "include_queries") or reference is None,
        confidence=confidence,
        distance_x=distance_x,
        distance_z=distance_z,
        queries=queries,
        precision=precision,
        seed=seed,
        executor=executor,
        progress=progress,
    )
    notes: list[str] = []
    names, code_names = ("X_test", "reference[0]"), ("Z_test", "reference[1]")
    X, Z = points_and_codes(X_test, Z_test, (names[0], code_names[0]))
    X_ref, Z_ref = (None, None) if reference is None else points_and_codes(*reference, (names[1], code_names[1]))
    X = as_points(X, names[0], notes)
    points = InputPoints(X, None if X_ref is None else as_points(X_ref, names[1], notes), names)
    points = points.checked(settings, labels, reference_labels)
    encoded = with_codes(points, (Z, Z_ref), code_names, settings, notes)
    return _labelled(measure(points, [encoded], settings, plain_text(name or "codes"), notes), labels, reference_labels)


def _labelled(report: Report, labels: Any, reference_labels: Any) -> Report:
    """Return the report with the labels of its pairs, where those of both points are known."""
    if labels is None:
        return report
    known = {"test": np.asarray(labels)}
    if reference_labels is not None:
        known["reference"] = np.asarray(reference_labels)

    def labelled(pair: Pair) -> Pair:
        if pair.partner_set not in known:
            return pair
        return replace(pair, labels=(str(known["test"][pair.query]), str(known[pair.partner_set][pair.partner])))

    return replace(report, pairs={kind: tuple(map(labelled, pairs)) for kind, pairs in report.pairs.items()})


def _refuse_swapped(encoder: Any, X_test: Any) -> None:
    encodes = any(hasattr(X_test, name) for name in ("transform", "encode", "predict")) or callable(X_test)
    if isinstance(encoder, np.ndarray) and encodes and not hasattr(X_test, "__array__"):
        raise InputError("encoder, X_test: look swapped; pass the encoder first, then the test points")
