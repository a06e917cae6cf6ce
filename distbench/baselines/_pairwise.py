"""The network that reconstructs and keeps distances, and how much distances count in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from distbench.keras import DistancePreservingAutoencoder

__all__ = ["pair_weight", "pairwise_model"]


def pairwise_model(name: str, code_size: int, weight: float | None, **options: Any) -> DistancePreservingAutoencoder:
    """Return an untrained ``DistancePreservingAutoencoder``: of ``code_size``, or of networks among the options."""
    from distbench.keras import DistancePreservingAutoencoder

    size = None if "encoder" in options else code_size
    weight = pair_weight(weight, code_size)
    return DistancePreservingAutoencoder(size, weight, dtype="float32", name=name, **options)


def pair_weight(weight: float | None, code_size: int) -> float:
    """Return ``weight``; if it is None, return 2 for codes of up to seven numbers and 10 for longer codes.

    Chosen on held-out train points of digits and mnist5k (``benchmarks/pair_weight.py``). Shorter codes cannot keep
    both distances and neighbors, and weight 10 loses neighbors. Codes of eight numbers lose few, longer ones none, and
    all keep distances better with 10 than with 2.
    """
    if weight is None:
        return 2.0 if code_size < 8 else 10.0
    return weight
