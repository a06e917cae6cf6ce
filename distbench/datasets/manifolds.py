"""Two-dimensional sheets rolled up in three dimensions, drawn by scikit-learn.

scikit-learn's color of a point is its position along the sheet, not a class, so these data sets have no labels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from distbench.datasets._dataset import dataset

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["s_curve", "swiss_roll"]

_POINTS = 2000


@dataset(
    "swiss_roll",
    source="computed: sklearn.datasets.make_swiss_roll, after Marsland (2014), Machine Learning: "
    "An Algorithmic Perspective, 2nd edition, chapter 6; 2,000 points without noise, seed 0",
    licence="computed, free of rights (generator: scikit-learn, BSD-3-Clause)",
)
def swiss_roll() -> tuple[NDArray[np.float64], None]:
    """2,000 points of the swiss roll in 3 dimensions."""
    from sklearn.datasets import make_swiss_roll

    return make_swiss_roll(_POINTS, random_state=0)[0], None


@dataset(
    "s_curve",
    source="computed: sklearn.datasets.make_s_curve; 2,000 points without noise, seed 0",
    licence="computed, free of rights (generator: scikit-learn, BSD-3-Clause)",
)
def s_curve() -> tuple[NDArray[np.float64], None]:
    """2,000 points of the S curve in 3 dimensions."""
    from sklearn.datasets import make_s_curve

    return make_s_curve(_POINTS, random_state=0)[0], None
