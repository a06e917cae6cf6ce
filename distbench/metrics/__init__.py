"""The table of metrics, and for each metric a function that takes two arrays and returns a float.

A new metric needs one `Metric` row and one function in its family's file. Other packages make their metrics with
`point_metric` and name them in entry points of the group ``distbench.metrics``.
"""

from distbench.metrics import (
    _correlation,
    _density,
    _distortion,
    _order,
    _ranks,
    _search,
    _stress,
    reconstruction,
    semantic,
)
from distbench.metrics._correlation import kendall, pearson, spearman
from distbench.metrics._density import density_kl
from distbench.metrics._distortion import contraction, distortion, distortion_q, expansion, sigma_distortion
from distbench.metrics._metric import Measured, Metric
from distbench.metrics._order import triplet_accuracy
from distbench.metrics._ranks import (
    continuity,
    knn_recall,
    lcmc,
    mrre_code,
    mrre_input,
    rnx_auc,
    trustworthiness,
)
from distbench.metrics._search import near_recall
from distbench.metrics._stress import nonmetric_stress, sammon, scaled_stress, stress
from distbench.metrics.reconstruction import reconstruction_mse
from distbench.metrics.semantic import label_agreement
from distbench.metrics.table import MetricTable
from distbench.metrics.user_metrics import MetricInputs, adopt, point_metric

__all__ = [
    "METRICS",
    "Cases",
    "Measured",
    "Metric",
    "MetricInputs",
    "continuity",
    "contraction",
    "default_metrics",
    "density_kl",
    "distortion",
    "distortion_q",
    "expansion",
    "kendall",
    "knn_recall",
    "label_agreement",
    "lcmc",
    "mrre_code",
    "mrre_input",
    "near_recall",
    "nonmetric_stress",
    "pearson",
    "point_metric",
    "reconstruction_mse",
    "rnx_auc",
    "sammon",
    "scaled_stress",
    "sigma_distortion",
    "spearman",
    "stress",
    "triplet_accuracy",
    "trustworthiness",
]

Cases = MetricInputs  # an earlier name, kept for metrics that use it

_FAMILIES = (_ranks, _search, _stress, _distortion, _correlation, _order, _density, semantic, reconstruction)
METRICS = MetricTable(
    "metric",
    "distbench.metrics",
    adopt,
    {metric.name: metric for family in _FAMILIES for metric in family.METRICS},
    _search.WIDE,
)


def default_metrics() -> list[str]:
    """Return the names of the metrics that ``metrics="default"`` measures."""
    return [name for name, metric in METRICS.items() if metric.default]
