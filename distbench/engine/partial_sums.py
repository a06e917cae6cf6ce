"""What a job leaves behind, and what jobs leave together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Merged", "Part", "merge"]


@dataclass
class Part:
    """What one job found: rows of its own queries, sums over them for each test point, and totals."""

    rows: dict[str, NDArray[Any]] = field(default_factory=dict)
    columns: dict[str, NDArray[Any]] = field(default_factory=dict)
    totals: dict[str, NDArray[Any]] = field(default_factory=dict)


@dataclass
class Merged(Part):
    """What all jobs found: rows in order, columns and totals summed in order."""


def merge(parts: Iterable[Part]) -> Merged:
    """Join parts in the order they come in: the result does not depend on who computed them when."""
    rows: dict[str, list[NDArray[Any]]] = {}
    merged = Merged()
    for part in parts:
        for name, values in part.rows.items():
            rows.setdefault(name, []).append(values)
        for sums, more in ((merged.columns, part.columns), (merged.totals, part.totals)):
            for name, values in more.items():
                sums[name] = np.add(sums[name], values, out=sums[name]) if name in sums else values
    merged.rows = {name: np.concatenate(rows.pop(name)) for name in list(rows)}  # blocks go as soon as they are joined
    return merged
