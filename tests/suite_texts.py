"""Parts of suite files."""

from __future__ import annotations

import textwrap
from pathlib import Path

__all__ = [
    "AUTO",
    "BETTER",
    "CLAIM",
    "COLLAPSE",
    "FLOOR",
    "PCA_ENTRY",
    "RECIPE_LOG",
    "SMALL",
    "SWISS_ROLL",
    "TOP",
    "written",
]

TOP = """
distbench = 1
question = "Does close stay close?"
dataset = "digits"
code_sizes = [2, 8]
"""
SWISS_ROLL = TOP.replace("digits", "swiss_roll").replace("[2, 8]", "[2]")
SMALL = """
distbench = 1
name = "mine"
question = "Does it?"
dataset = "swiss_roll"
code_sizes = [2]
seeds = [0]
"""
PCA_ENTRY = '[[encoder]]\nname = "pca"\n'
BETTER = 'better = "pca"\nthan = "identity"\nmetric = "stress"\n'
FLOOR = 'measure = "floor"\nmetric = "stress"\nat_least = 0.1\n'
COLLAPSE = 'measure = "collapse"\nencoder = "pca"\nat_most = 1e-4\n'
AUTO = '[[encoder]]\nname = "autoencoder"\n'
CLAIM = '[[claim]]\nid = "c"\nstatement = "s"\nsource = "me"\ncode_size = 8\n'
RECIPE_LOG = """
import os, pathlib, signal, time
import numpy as np
from distbench.errors import TrainingError

HERE = pathlib.Path(__file__).parent

def log_fit(name):
    with (HERE / "fits.txt").open("a") as file:
        file.write(f"{name}\\n")
"""


def written(folder: Path, text: str, name: str = "s.toml") -> Path:
    path = folder / name
    path.write_text(textwrap.dedent(text), encoding="utf-8")
    return path
