"""How much the pairwise-distance loss counts beside reconstruction."""

from __future__ import annotations

__all__ = ["pair_weight"]


def pair_weight(weight: float | None, code_size: int) -> float:
    """Return ``weight``, or where it is None 2 for codes of up to three numbers and 10 for larger ones.

    Chosen on a validation split of the train points of digits and mnist5k. Two numbers cannot keep distances and
    neighbours both, and more than 2 takes neighbours away; with eight and more, 10 takes none and keeps more distances.
    Sizes between were not tried.
    """
    if weight is None:
        return 2.0 if code_size <= 3 else 10.0
    return weight
