"""Points and encoders in a folder, for tests of ``distbench evaluate``."""

from __future__ import annotations

import sys

import numpy as np
from click.testing import CliRunner

from distbench.cli import main

__all__ = ["POINTS", "RNG", "X_REF", "X", "in_folder", "run", "write_points"]

RNG = np.random.default_rng(0)
X, X_REF = RNG.normal(size=(60, 6)), RNG.normal(size=(90, 6))
POINTS = ("--data", "points.npz:test", "--reference", "points.npz:train", "--k", 7)


def write_points(folder, encoders):
    """Write points, codes, labels and a module of encoders, and return the folder."""
    np.savez(folder / "points.npz", train=X_REF, test=X)
    np.save(folder / "X.npy", X)
    np.save(folder / "Z.npy", X[:, :4])
    np.save(folder / "Z_ref.npy", X_REF[:, :4])
    np.save(folder / "labels.npy", np.arange(60) % 3)
    (folder / "own_encoders.py").write_text(encoders)
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
