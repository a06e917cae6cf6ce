from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import distbench
from distbench.encoders.resolve import declared_code_size

X = np.random.default_rng(0).normal(size=(60, 6))


@pytest.mark.parametrize(
    "encoder",
    [PCA(3).fit(X), make_pipeline(StandardScaler(), PCA(3)).fit(X), distbench.fit_baseline("pca", X, code_size=3)],
    ids=["transformer", "pipeline", "baseline"],
)
def test_as_many_columns_as_the_codes_have(encoder):
    assert declared_code_size(encoder) == 3 == encoder.transform(X).shape[1]
    assert [declared_code_size(Shaped(shape)) for shape in ((None, 4), (None, 2, 3))] == [4, 6]  # as Keras declares


class Autoencoder:
    """Its output is no code; and nothing may run."""

    output_shape = (None, 6)

    def encode(self, X):
        raise AssertionError("ran")


class Shaped:
    def __init__(self, shape):
        self.output_shape = shape

    def __call__(self, X):
        raise AssertionError("ran")


@pytest.mark.parametrize(
    "encoder",
    [PCA(3), PCA, len, "pca", Autoencoder(), Shaped((None, None)), Shaped([(None, 2), (None, 3)]), Shaped((None,))],
    ids=["not fitted", "a class", "a function", "a name", "encode", "open", "several", "none"],
)
def test_none_where_it_is_not_declared(encoder):
    assert declared_code_size(encoder) is None
