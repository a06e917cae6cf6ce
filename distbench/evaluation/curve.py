"""A metric at each number of neighbors that a report has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from distbench._util.text import did_you_mean, short_repr
from distbench.errors import InputError
from distbench.evaluation.scores import Curve
from distbench.metrics import METRICS
from distbench.metrics.table import base_name

if TYPE_CHECKING:
    from distbench.evaluation.report import Report

__all__ = ["curve"]


def curve(report: Report, metric: Any) -> Curve:
    """Return the curve of a metric; see `Report.curve`."""
    known = [name for name in report if (row := METRICS.get(name)) is not None and row.largest_k and not row.within]
    names = {METRICS[name].at(report.k): name for name in known if base_name(name) == metric}
    if not names:
        advice = did_you_mean(str(metric), dict.fromkeys(map(base_name, known)), "measure a metric of neighbors")
        raise InputError("metric", f"found {short_repr(metric)}, not measured at any number of neighbors", advice)
    scores = [report[names[k]] for k in sorted(names)]
    ends = np.array([(score.value, score.low, score.high) for score in scores], dtype=np.float64)  # None becomes nan
    return Curve(np.array(sorted(names)), *ends.T)
