"""The result of a job, and the results of all jobs merged."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Part", "merge"]


@dataclass
class Part:
    """The result of one job or of all: rows of its queries, sums over these for each test point, and totals."""

    rows: dict[str, NDArray[Any]] = field(default_factory=dict)
    columns: dict[str, NDArray[Any]] = field(default_factory=dict)
    totals: dict[str, NDArray[Any]] = field(default_factory=dict)


def merge(parts: Iterable[Part]) -> Part:
    """Return parts joined: rows concatenated, columns and totals summed, in the order of the parts."""
    rows: dict[str, list[NDArray[Any]]] = {}
    merged = Part()
    for part in parts:
        for name, values in part.rows.items():
            rows.setdefault(name, []).append(values)
        for sums, more in ((merged.columns, part.columns), (merged.totals, part.totals)):
            for name, values in more.items():
                sums[name] = np.add(sums[name], values, out=sums[name]) if name in sums else values
    merged.rows = {name: np.concatenate(rows.pop(name)) for name in list(rows)}  # blocks go as soon as they are joined
    return merged
