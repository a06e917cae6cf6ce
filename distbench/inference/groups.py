"""Groups of test points that are not independent: their labels, and a statistic without each group."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench._util.text import short_repr
from distbench.errors import InputError
from distbench.inputs.labels import first_missing, numbered

__all__ = ["FEW_GROUPS", "Groups", "leave_groups_out"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

FEW_GROUPS = 5
"""With fewer groups, intervals over groups are rough."""
ADVICE = "pass one label for each test point, as scikit-learn's groups"


@dataclass(frozen=True, eq=False)
class Groups:
    """The groups of the test points.

    Attributes
    ----------
    labels : tuple
        The labels, in the order of their first points.
    codes : ndarray of int of shape (m,)
        The place in `labels` of each test point's label. It does not depend on how groups are named.
    """

    labels: tuple[Any, ...]
    codes: Indices

    @classmethod
    def of(cls, groups: Any, points: int) -> Groups:
        """Return the groups of so many test points from an array-like of labels of any kind.

        Raises InputError for another number of labels, a missing label, or labels that cannot be compared.
        """
        array = np.asarray(groups, dtype=object)  # numbers beside texts stay numbers, and a missing label is found
        if array.ndim != 1:
            found = f"shape {array.shape}" if array.ndim else short_repr(groups)
            raise InputError("groups", f"found {found}", ADVICE)
        if len(array) != points:
            raise InputError("groups", f"found {len(array)} labels for {points} test points", ADVICE)
        labels = array.tolist()
        if (missing := first_missing(groups)) is not None:
            advice = "give this point a label, such as one that no other point has, or leave the point out"
            raise InputError("groups", f"found no label at place {missing[0]} ({missing[1]})", advice)
        names, codes = numbered(labels, "groups")
        return cls(tuple(names), codes)

    def __len__(self) -> int:
        return len(self.labels)

    def fingerprint(self) -> str:
        """Return a short hash of which test points are in one group: equal however the groups are named."""
        return sha256(self.codes.tobytes()).hexdigest()[:16]


def leave_groups_out(leave_one_out: Array, codes: Indices) -> Array:
    r"""Return a statistic without each group, to first order, from the statistic without each test point.

    .. math:: T_{(-g)} = \bar T + \frac{m - 1}{m - n_g} \sum_{i \in g} (T_{(-i)} - \bar T)

    with :math:`\bar T` the mean of the m values :math:`T_{(-i)}` and n_g the number of points of group g: a group's
    influence is the sum of its points' influences. For a mean of independent scores this is the mean without the group,
    and for groups of one point each it is `leave_one_out`. `leave_one_out` must not include how removing a point
    changes the rows of other points of its group: these rows are removed with the group, so the changes would count
    twice.

    Parameters
    ----------
    leave_one_out : ndarray of shape (m,)
        The statistic without each test point in turn.
    codes : ndarray of int of shape (m,)
        The group of each test point.

    Returns
    -------
    ndarray of shape (G,)
        In ascending order of codes. A single group has no interval: its value is the mean of `leave_one_out`.

    References
    ----------
    .. [1] J. G. MacKinnon, M. Ø. Nielsen and M. D. Webb (2023), Cluster-robust inference: a guide to empirical
       practice (the cluster jackknife).
    """
    _, codes, sizes = np.unique(codes, return_inverse=True, return_counts=True)
    m, mean = len(leave_one_out), leave_one_out.mean()
    with np.errstate(invalid="ignore"):  # infinite without a point: no interval follows
        sums = np.bincount(codes, leave_one_out - mean)
    return np.asarray(mean + (m - 1) / np.maximum(m - sizes, 1) * sums)
