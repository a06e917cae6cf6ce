"""The names of distances, in a module that does not load numpy: options are checked before anything is measured."""

from __future__ import annotations

__all__ = ["CODE_DISTANCES", "EUCLIDEAN", "INPUT_DISTANCES"]

EUCLIDEAN = "euclidean"
INPUT_DISTANCES = (EUCLIDEAN, "cosine", "cityblock")
CODE_DISTANCES = (*INPUT_DISTANCES, "hamming")
