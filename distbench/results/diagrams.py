"""The numbers of an encoder's three pictures, as plain values that can be stored and sent.

The pictures show the density of code against input distance, the codes with the worst torn pairs, and the share of
neighbors kept at each size of neighborhood. They use a seeded sample of the test points, so they cost far less than
the report.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypedDict

from distbench._util.text import short_repr
from distbench.errors import InputError

if TYPE_CHECKING:
    from distbench.evaluation.report import Report
    from distbench.results._diagram_distances import Curve, Shepard
    from distbench.results._diagram_map import Map

__all__ = ["Diagrams", "diagrams_of"]


class Diagrams(TypedDict):
    """The numbers of one encoder's pictures; the first fields are as in :class:`distbench.results.rows.Row`."""

    encoder: str
    dataset: str
    test: str
    code_size: int
    seed: int | None
    in_sample: bool
    k: int
    m: int
    M: int
    values: dict[str, float]
    distance: str
    shepard: Shepard
    map: Map
    curve: Curve


def diagrams_of(
    report: Report,
    *,
    encoder: str | None = None,
    dataset: str = "",
    code_size: int | None = None,
    seed: int | None = None,
    test: str = "",
    labels: Any = None,
    in_sample: bool = False,
) -> Diagrams:
    """Return the numbers of a report's pictures.

    Parameters
    ----------
    report : Report
        A report of :func:`distbench.evaluate`, which has its points.
    encoder, dataset, code_size, seed, test
        As in :func:`distbench.results.rows.rows_of`.
    labels : array-like of shape (m,), optional
        Labels of the test points, of any kind.
    in_sample
        As in :func:`distbench.results.rows.rows_of`.

    Returns
    -------
    Diagrams
        The numbers; equal for equal reports.

    Raises
    ------
    InputError
        The report has no points, or there is not one label for each test point.
    """
    if report.clouds is None:
        raise InputError("report", "has no points, since it comes from stored rows", "evaluate the encoder anew")
    points = len(report.clouds.X)
    if labels is not None and (not hasattr(labels, "__len__") or len(labels) != points):
        found = len(labels) if hasattr(labels, "__len__") else short_repr(labels)
        raise InputError("labels", f"found {found} for {points} test points", "pass one for each test point")
    from distbench.results._diagram_distances import curve, sampled_distances, shepard
    from distbench.results._diagram_map import map_of
    from distbench.results.rows import distance_of

    input_distances, code_distances = sampled_distances(report)
    return Diagrams(
        encoder=report.encoder if encoder is None else encoder,
        dataset=dataset,
        test=test,
        code_size=int(report.code_size if code_size is None else code_size),
        seed=seed,
        in_sample=in_sample,
        k=int(report.k),
        m=int(report.m),
        M=int(report.M),
        values={name: float(value) for name, value in report.as_dict().items()},
        distance=distance_of(report),
        shepard=shepard(input_distances, code_distances),
        map=map_of(report, None if labels is None else [str(label) for label in labels], _image_shape(report, dataset)),
        curve=curve(input_distances, code_distances),
    )


def _image_shape(report: Report, dataset: str) -> tuple[int, ...]:
    """Return the shape of points that are images: as they were given, or as the shipped data set has them."""
    from distbench.datasets import DATASETS

    shape = () if report.clouds is None or report.space else report.clouds.image_shape
    if not shape and dataset in DATASETS.builtin():
        shape = DATASETS[dataset].image_shape
    return shape if report.clouds is not None and math.prod(shape or (0,)) == report.clouds.X.shape[1] else ()
