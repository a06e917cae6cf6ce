"""Distances between codes must equal distances between images of digits."""

from __future__ import annotations

import pytest
from autoencoder import Plain, WithDistances

import distbench as db


@pytest.mark.distbench(dataset="digits", code_size=8, limits={"scaled_stress": 0.11, "continuity": 0.995})
@db.checks({"plain": Plain, "with_distances": WithDistances})
def test_codes_keep_distances(distbench, encoder):
    """Train on the train digits, and evaluate on digits that training never saw."""
    distbench.check(encoder)
