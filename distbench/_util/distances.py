"""The names of distances, in a module that does not load numpy: options are checked before anything is measured."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

__all__ = [
    *("CODE_DISTANCES", "EUCLIDEAN", "HAMMING", "INNER_PRODUCT", "INPUT_DISTANCES", "PACKED_HAMMING"),
    *("POINT_DISTANCES", "PRECOMPUTED", "distance_advice"),
]

EUCLIDEAN, HAMMING, PACKED_HAMMING = "euclidean", "hamming", "packed_hamming"
INNER_PRODUCT, PRECOMPUTED = "inner_product", "precomputed"
INPUT_DISTANCES = (EUCLIDEAN, "cosine", "cityblock")
POINT_DISTANCES = (*INPUT_DISTANCES, INNER_PRODUCT, PRECOMPUTED)
CODE_DISTANCES = (*POINT_DISTANCES, HAMMING, PACKED_HAMMING)
OTHER_NAMES = {
    **dict.fromkeys(("l1", "manhattan", "taxicab"), "cityblock"),
    **dict.fromkeys(("l2", "minkowski", "sqeuclidean"), EUCLIDEAN),
    **dict.fromkeys(("angular", "cos"), "cosine"),
    **dict.fromkeys(("dot", "dotproduct", "dot_product", "ip", "innerproduct"), INNER_PRODUCT),
}


def distance_advice(name: Any, known: tuple[str, ...]) -> str:
    """Return advice on a name that is not `known`: what the distance is called here, and the names that are known."""
    text = name.lower() if isinstance(name, str) else ""
    close = next(iter(get_close_matches(text, [*OTHER_NAMES, *known], n=1)), "")
    meant = OTHER_NAMES.get(close, close)
    question = f"did you mean {meant!r}? " if meant in known else ""
    return f"{question}pass {', '.join(map(repr, known[:-1]))} or {known[-1]!r}"
