"""The numbers of an encoder's three pictures, taken from its report: plain values that can be stored and sent.

Density of input against code distance, the codes themselves with the worst torn pairs, and how much of a neighbourhood
is kept at each size. All come from a seeded sample, so that they cost far less than the report itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from distbench._util.text import short_repr
from distbench.errors import InputError
from distbench.results.pictures import Curve, Diagrams, Map, Shepard, Torn

if TYPE_CHECKING:
    from distbench.evaluation.report import Report

__all__ = ["Curve", "Diagrams", "Map", "Shepard", "Torn", "diagrams_of"]


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
        From :func:`distbench.evaluate`, which keeps its points.
    encoder, dataset, code_size, seed, test
        As for :func:`distbench.results.rows.rows_of`.
    labels : array-like of shape (m,), optional
        Of the test points, of any kind.
    in_sample : bool
        As for :func:`distbench.results.rows.rows_of`.

    Returns
    -------
    Diagrams
        Plain lists and numbers. The same report gives the same.

    Raises
    ------
    InputError
        The report has no points, or there is not one label for each test point.
    """
    clouds = report.clouds
    if clouds is None:
        raise InputError(
            "report", "found none of its points, since it comes from stored rows", "evaluate the encoder anew"
        )
    if labels is not None and (not hasattr(labels, "__len__") or len(labels) != len(clouds.X)):
        found = len(labels) if hasattr(labels, "__len__") else short_repr(labels)
        raise InputError("labels", f"found {found} for {len(clouds.X)} test points", "pass one a test point")
    from distbench.render.diagrams._distances import curve, sampled_distances, shepard
    from distbench.render.diagrams._map import map_of
    from distbench.results.rows import distance_of

    a, b = sampled_distances(report)
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
        shepard=shepard(a, b),
        map=map_of(report, None if labels is None else [str(label) for label in labels]),
        curve=curve(a, b),
    )
