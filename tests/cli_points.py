"""Points and encoders in a folder, for tests of ``distbench evaluate``."""

from __future__ import annotations

import sys

import numpy as np
from click.testing import CliRunner

from distbench.cli import main

__all__ = ["ENCODERS", "POINTS", "RNG", "X_REF", "X", "in_folder", "run", "write_points"]

RNG = np.random.default_rng(0)
X, X_REF = RNG.normal(size=(60, 6)), RNG.normal(size=(90, 6))
POINTS = ("--data", "points.npz:test", "--reference", "points.npz:train", "--k", 7)

ENCODERS = """
import asyncio, atexit, os, subprocess, sys
import numpy as np

noise = np.random.default_rng(0)

class Columns:
    name = "columns"

    def __init__(self, many):
        self.many = many

    def transform(self, X):
        print("printed by the encoder")
        return X[:, : self.many]

    class Recipe:
        deterministic = True

        def fit(self, X, code_size, seed):
            return Columns(code_size)

    class Failing(Recipe):
        def fit(self, X, code_size, seed):
            raise RuntimeError("no fit")

two, four = Columns(2), Columns(4)

def same(X):
    return X

def rounded(X):
    return np.round(X)

def leaves(X):
    sys.exit(0)

def stops(X):
    raise KeyboardInterrupt

def noisy(X):
    return X[:, :4] + noise.normal(scale=0.05, size=(len(X), 4))

def cancelled(X):
    raise asyncio.CancelledError

def loud(X):
    os.write(1, b"written past Python\\n")
    sys.__stdout__.write("held by Python\\n")
    subprocess.run(["echo", "another process"])
    atexit.register(print, "at the end")
    return X[:, :4]

def moves(X):
    os.chdir("/")
    return X[:, :4]
"""


def write_points(folder):
    """Write points, codes, labels and modules of encoders, and return the folder."""
    np.savez(folder / "points.npz", train=X_REF, test=X)
    np.save(folder / "X.npy", X)
    np.save(folder / "Z.npy", X[:, :4])
    np.save(folder / "Z_ref.npy", X_REF[:, :4])
    np.save(folder / "labels.npy", np.arange(60) % 3)
    (folder / "own_encoders.py").write_text(ENCODERS)
    (folder / "broken_module.py").write_text("1 / 0\n")
    return folder


def in_folder(folder, monkeypatch):
    """Yield once in a folder, and forget its module of encoders."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield
    sys.modules.pop("own_encoders", None)


def run(*arguments):
    """Return the result of the command."""
    return CliRunner().invoke(main, ["evaluate", *map(str, arguments)], catch_exceptions=False)
