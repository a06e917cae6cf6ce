"""The encoder that this project ships."""

from __future__ import annotations

from sklearn.decomposition import PCA


class OurEncoder:
    """Eight numbers an image of a digit."""

    def fit(self, X, code_size, seed):
        """Return the encoder, fitted on train points."""
        return PCA(code_size, whiten=False, svd_solver="full").fit(X)
