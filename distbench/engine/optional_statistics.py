"""The registry of the statistics beyond the default set: one entry a family."""

from __future__ import annotations

from distbench.engine.density import DensityFamily
from distbench.engine.labels import LabelsFamily
from distbench.engine.optional_statistic import OptionalStatistic
from distbench.engine.relative_ranks import RelativeFamily
from distbench.engine.rnx_curve import OrderCurvesFamily
from distbench.engine.sampled_pairs import SampledPairsFamily

__all__ = ["OPTIONAL_STATISTICS"]

OPTIONAL_STATISTICS: dict[str, OptionalStatistic] = {
    family.name: family
    for family in (RelativeFamily(), OrderCurvesFamily(), SampledPairsFamily(), DensityFamily(), LabelsFamily())
}
