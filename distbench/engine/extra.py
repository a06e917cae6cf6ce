"""The families of statistics beyond the default set, and a driver that runs one of them."""

from __future__ import annotations

from typing import Any

from distbench.engine.density import DensityFamily
from distbench.engine.family import ExtraFamily, ExtraProblem
from distbench.engine.labels import LabelsFamily
from distbench.engine.order_curves import OrderCurvesFamily
from distbench.engine.part import Merged, merge
from distbench.engine.relative import RelativeFamily
from distbench.engine.sampled_pairs import SampledPairsFamily

__all__ = ["EXTRA", "ExtraFamily", "ExtraProblem", "run_extra"]

EXTRA: dict[str, ExtraFamily] = {
    family.name: family
    for family in (RelativeFamily(), OrderCurvesFamily(), SampledPairsFamily(), DensityFamily(), LabelsFamily())
}


def run_extra(problem: ExtraProblem, family: ExtraFamily, size: int = 64) -> Any:
    """Return the statistics of one family, `size` queries at a time, one after the other."""
    merged, state = Merged(), None
    cuts = [range(start, min(start + size, problem.m)) for start in range(0, problem.m, size)]
    for index in range(family.passes):
        if index:
            state = family.between(problem, merged, state, index - 1)
        merged = merge([family.part(problem, rows, state, index) for rows in cuts])
    return family.finish(problem, merged, state)
