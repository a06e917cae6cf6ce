"""An encoder or a recipe judged outside pytest: one row a metric, with a verdict where it has a limit."""

from __future__ import annotations

from typing import Any

from distbench._util.notes import warnings_of
from distbench.errors import InputError
from distbench.evaluation.evaluate import evaluate
from distbench.evaluation.limits import CheckOptions, Floors, recipe_options
from distbench.results.rows import Row, rows_of
from distbench.suites.fits import FitCache
from distbench.suites.recipes import as_recipe

__all__ = ["check_encoder"]


def check_encoder(
    encoder: Any,
    X_test: Any = None,
    *,
    reference: Any = None,
    dataset: str | None = None,
    code_size: int | None = None,
    seed: int = 0,
    k: int = 10,
    name: str | None = None,
    include_queries: bool = True,
    **options: Any,
) -> list[Row]:
    r"""Judge an encoder, or fit and judge a recipe, and return one row a metric, with a verdict where it has a limit.

    What ``distbench.check`` does in a test, without pytest: a broken limit is a row that says so, not an error.

    Parameters
    ----------
    encoder : encoder or recipe
        With ``X_test``: whatever :func:`distbench.evaluate` takes. With ``dataset``: a recipe (a class or object with
        ``fit(X, code_size, seed)``, or the name of a baseline).
    X_test : array of shape (m, ...) or list of m objects, optional
        The points to judge an encoder on; texts and other objects with ``input_space=`` among the options.
    reference : array of shape (n, ...) or list of n objects, optional
        The points to look neighbours up in beside the test points, mostly the train points.
    dataset, code_size, seed : str, int and int
        Of a recipe: the data set on whose train points it is fitted and on whose test points it is judged, the
        columns its codes are to have (from 1), and its training seed (from 0).
    k : int
        Neighbours, from 1 to below half the candidates.
    name : str, optional
        The encoder's name; its own by default.
    include_queries : bool
        Whether the other test points are candidates beside the reference.
    **options
        Limits, one a metric, such as ``continuity=0.95``; and whatever else :func:`distbench.evaluate` takes.

    Returns
    -------
    list of Row
        Plain dictionaries. ``limit`` and ``verdict`` ("met", "broken", "undecided": whether the whole 95 % interval is
        on one side of the limit) are those of the limits; the values decide for metrics without an interval.

    Raises
    ------
    InputError
        An argument cannot be used, or a limit is one that no encoder of that code size can keep on these points.
    EncoderError
        The encoder is of no known kind, or what it returns cannot be used.
    TrainingError
        The recipe could not be fitted.
    """
    asked = CheckOptions.of(options, required=False)
    floors = Floors(asked.limits, k, X_test, reference is not None, include_queries, asked.options)
    about: dict[str, Any] = {"limits": asked.limits}
    for argument, value in (("dataset", dataset), ("code_size", code_size)) if X_test is not None else ():
        if value is not None:
            raise InputError(argument, "given beside X_test", "points are for an encoder, a data set for a recipe")
    if X_test is None and reference is not None:
        raise InputError("reference", "given for a recipe, which is judged on its data set as it is", "leave it out")
    if X_test is not None:
        floors.check_encoder(encoder)
        report = evaluate(
            encoder, X_test, reference=reference, k=k, name=name, include_queries=include_queries, **asked.options
        )
        if asked.limits and "broken" in report.verdicts(**asked.limits).values():
            floors.check_report(report)
        return rows_of(report, note=warnings_of(report.notes), **about)
    if dataset is None or code_size is None:
        raise InputError("X_test", "not given", "give the test points, or dataset= and code_size= to fit a recipe")
    bench, recipe = FitCache(), as_recipe(encoder)
    floors.check_recipe(bench.dataset(dataset), code_size)
    run = bench.run(
        recipe,
        dataset,
        code_size,
        seed,
        k=k,
        name=name,
        include_queries=include_queries,
        **recipe_options(asked.options),
    )
    about |= {"dataset": dataset, "code_size": code_size, "seed": seed, "seconds": run.seconds}
    data_sha256 = bench.dataset(dataset).sha256
    return rows_of(run.report, in_sample=run.in_sample, note=run.note, data_sha256=data_sha256, **about)
