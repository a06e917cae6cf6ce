"""Data sets to judge encoders on: seeded, split, hashed, with their source and licence.

Each family is one module of this package; its :func:`dataset` decorators are all there is to registering it.
Importing this package loads no numpy: a data set is made when it is asked for.
"""

from __future__ import annotations

from distbench.datasets._dataset import DATASETS, Dataset, DatasetEntry, load_dataset
from distbench.datasets._source import DataSource

__all__ = ["DATASETS", "DataSource", "Dataset", "DatasetEntry", "load_dataset"]
