"""The metrics: one table, and one function each that takes two arrays and returns a float.

Adding a metric is one `Metric` row in its family's file.
"""

from distbench.metrics import _correlation, _distortion, _order, _ranks, _stress
from distbench.metrics._correlation import pearson, spearman
from distbench.metrics._distortion import distortion, distortion_q, sigma_distortion
from distbench.metrics._metric import Measured, Metric
from distbench.metrics._order import triplet_accuracy
from distbench.metrics._ranks import continuity, knn_recall, trustworthiness
from distbench.metrics._stress import scaled_stress, stress

__all__ = [
    "METRICS",
    "Measured",
    "Metric",
    "continuity",
    "distortion",
    "distortion_q",
    "knn_recall",
    "pearson",
    "scaled_stress",
    "sigma_distortion",
    "spearman",
    "stress",
    "triplet_accuracy",
    "trustworthiness",
]

METRICS: dict[str, Metric] = {
    metric.name: metric for family in (_ranks, _stress, _distortion, _correlation, _order) for metric in family.METRICS
}
