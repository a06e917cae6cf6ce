"""The families of statistics beyond the default set: one entry a family."""

from __future__ import annotations

from distbench.engine.density import DensityFamily
from distbench.engine.family import ExtraFamily, ExtraProblem
from distbench.engine.labels import LabelsFamily
from distbench.engine.order_curves import OrderCurvesFamily
from distbench.engine.relative import RelativeFamily
from distbench.engine.sampled_pairs import SampledPairsFamily

__all__ = ["EXTRA", "ExtraFamily", "ExtraProblem"]

EXTRA: dict[str, ExtraFamily] = {
    family.name: family
    for family in (RelativeFamily(), OrderCurvesFamily(), SampledPairsFamily(), DensityFamily(), LabelsFamily())
}
