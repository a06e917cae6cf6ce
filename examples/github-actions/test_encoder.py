"""Tests of the encoder that this project makes: digits that look alike must get codes that lie close."""

from __future__ import annotations

import pytest
from sklearn.decomposition import PCA

import distbench


class OurEncoder:
    """How this project makes its encoder; put yours here."""

    def fit(self, X, code_size, seed):
        """Return an encoder: anything with ``transform``, ``encode`` or ``predict``, or a function."""
        return PCA(code_size, random_state=seed).fit(X)


@pytest.mark.distbench(dataset="digits", code_size=8, limits={"continuity": 0.99, "scaled_stress": 0.2})
def test_close_digits_stay_close(distbench):
    """Check our encoder against limits: fitted on train digits, evaluated on digits that it never saw."""
    distbench.check(OurEncoder, name="ours")


@pytest.mark.distbench(dataset="digits", code_size=8)
@distbench.checks(["random_projection", "kernel_pca"])
def test_beside_others(distbench, encoder):
    """Evaluate baselines on the same leaderboard, without limits."""
    distbench.evaluate(encoder)
