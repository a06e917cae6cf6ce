from __future__ import annotations

import multiprocessing
import os
import sys
from pathlib import Path

import pytest
import warm

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


@pytest.fixture(scope="session")
def clean_path():
    return warm.clean_path()


@pytest.fixture(autouse=True)
def _warm(request):
    """Run pytester's runs of pytest as forks with numpy loaded, unless a test needs a new process."""
    if "pytester" not in request.fixturenames or "forkserver" not in multiprocessing.get_all_start_methods():
        return
    pytester, monkeypatch = request.getfixturevalue("pytester"), request.getfixturevalue("monkeypatch")
    path = request.getfixturevalue("clean_path")
    cold, before = pytester.popen, warm.read_at_start(os.environ)

    def popen(arguments, **streams):
        same = warm.read_at_start(os.environ) == before
        if arguments[:2] != (sys.executable, "-mpytest") or not same or request.node.get_closest_marker("cold"):
            return cold(arguments, **streams)
        folders = (str(Path.cwd()), os.environ.get("PYTHONPATH"))
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, folders))}
        environment["PYTEST_ADDOPTS"] = f"{warm.OTHERS} {os.environ.get('PYTEST_ADDOPTS', '')}"
        names = streams["stdout"].name, streams["stderr"].name
        return warm.Run(warm.Order(arguments[2:], str(Path.cwd()), environment, *names, path))

    monkeypatch.setattr(pytester, "popen", popen)


@pytest.fixture
def run(pytester, monkeypatch):
    """Run pytest in a subprocess, in a folder with a test file, on a terminal 80 columns wide."""
    monkeypatch.setenv("COLUMNS", "80")

    def run(body, *options, flag=True):
        pytester.makepyfile(test_mine=POINTS + body)
        return pytester.runpytest_subprocess(*(["--distbench"] if flag else []), *options)

    return run
