"""Search in compressed embeddings must find the neighbors that search in the embeddings finds."""

from __future__ import annotations

import pytest
from compression import FIT

import distbench as db

LIMITS = {
    "64 numbers": {"knn_recall": 0.35, "continuity": 0.98},
    "16 numbers": {"knn_recall": 0.09, "continuity": 0.87},
    "256 signs": {"knn_recall": 0.31, "continuity": 0.97},
    "256 rotated signs": {"knn_recall": 0.35, "continuity": 0.98},
}


@pytest.fixture(scope="module")
def tokens():
    """Return 4,000 embeddings to search in, and 1,000 to search for."""
    return db.load_dataset("tokens")


@pytest.mark.parametrize("name", FIT)
def test_search(distbench, tokens, name):
    """Compare embeddings and codes of numbers by cosine, codes of bits by how many differ."""
    distbench.check(
        FIT[name](tokens.train),
        tokens.test,
        reference=tokens.train,
        name=name,
        distance_x="cosine",
        distance_z="hamming" if "signs" in name else "cosine",
        metrics=["knn_recall", "continuity", "trustworthiness"],
        **LIMITS[name],
    )
