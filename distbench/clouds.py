"""The points behind a report, for whoever draws them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Clouds"]


@dataclass(frozen=True, eq=False)
class Clouds:
    """Test points and reference points with their codes: the arrays that were judged, not copies of them.

    They live as long as the report that holds them.

    Attributes
    ----------
    X, Z : ndarray
        Test points and their codes.
    X_ref, Z_ref : ndarray or None
        Reference points and theirs, where there were any.
    """

    X: NDArray[Any]
    Z: NDArray[Any]
    X_ref: NDArray[Any] | None = None
    Z_ref: NDArray[Any] | None = None
