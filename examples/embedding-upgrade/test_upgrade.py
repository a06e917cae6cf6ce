"""A new embedding model must find most of what the old one found, and the old index what the new one finds."""

from __future__ import annotations

import models
import numpy as np
import pytest
from texts import described

OPTIONS = {"include_queries": False, "distance_x": "cosine", "distance_z": "cosine"}


@pytest.fixture(scope="module")
def searched():
    """Return the vectors of 400 queries and of the other texts by both models, and the queries and their modules."""
    module_of = described()
    order = np.random.default_rng(0).permutation(len(module_of))
    texts = [list(module_of)[row] for row in order]
    old, new = models.old(texts), models.new(texts)
    return (old[:400], old[400:]), (new[:400], new[400:]), texts[:400], [module_of[text] for text in texts[:400]]


def test_new_model(distbench, searched):
    """What the old model finds is the truth; the new vectors are the codes."""
    old, new, queries, modules = searched
    report = distbench.check_codes(
        old[0], new[0], reference=(old[1], new[1]), groups=modules, name="new model", knn_recall=0.4, **OPTIONS
    )
    groups = [group for group in report.by_group("knn_recall") if group.n >= 10]
    for group in sorted(groups, key=lambda group: group.value):
        print(f"{group.group}: {group.value:.2f} ({group.low:.2f} to {group.high:.2f})")
    for row, share in report.worst_points(3, "knn_recall"):
        print(f"{share:.1f} stay of those of {queries[row]!r}")


def test_old_index(distbench, searched):
    """What the new model finds is the truth; 100 texts are fetched from the index of the old one, and sorted again."""
    old, new, _, modules = searched
    limits = {"recall@10_in_100": 0.8}
    distbench.check_codes(
        new[0], old[0], reference=(new[1], old[1]), groups=modules, name="old index", limits=limits, **OPTIONS
    )
