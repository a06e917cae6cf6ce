from __future__ import annotations

import pytest

import distbench.metrics  # noqa: F401 - loads numpy before pytester takes stock of sys.modules

POINTS = """
import numpy as np
import pytest
from sklearn.decomposition import PCA
from distbench import InputError, PreservationError

rng = np.random.default_rng(0)
X_train, X_test = rng.normal(size=(200, 6)), rng.normal(size=(60, 6))
pca = PCA(5).fit(X_train)

def first(X):
    return X[:, :1]
"""


@pytest.fixture
def collect(pytester):
    """Collect in this process, which is quicker, where no encoder runs."""

    def collect(**files):
        for name, text in files.items():
            (pytester.path / name.replace("__", ".")).write_text(text, encoding="utf-8")
        return pytester.runpytest_inprocess("--distbench", "--collect-only")

    return collect


@pytest.fixture
def run(pytester, monkeypatch):
    """Run pytest in a subprocess, in a folder with the given test file, on an 80 columns wide terminal."""
    monkeypatch.setenv("COLUMNS", "80")

    def run(body, *options, flag=True):
        pytester.makepyfile(test_mine=POINTS + body)
        return pytester.runpytest_subprocess(*(["--distbench"] if flag else []), *options)

    return run
