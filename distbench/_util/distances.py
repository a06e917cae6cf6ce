"""The names of distances, free of numpy: tables of options need them before anything is measured."""

from __future__ import annotations

__all__ = ["CODE_DISTANCES", "EUCLIDEAN", "INPUT_DISTANCES"]

EUCLIDEAN = "euclidean"
INPUT_DISTANCES = (EUCLIDEAN, "cosine", "cityblock")
CODE_DISTANCES = (*INPUT_DISTANCES, "hamming")
