"""Data sets to evaluate encoders on: split into train and test points by a seed, hashed, with source and licence.

Each family is one module of this package and is registered by the decorator :func:`dataset`. Importing this package
loads no numpy: a data set is made when it is loaded.
"""

from __future__ import annotations

from distbench.datasets._dataset import DATASETS, Dataset, DatasetEntry, load_dataset
from distbench.datasets._source import DataSource

__all__ = ["DATASETS", "DataSource", "Dataset", "DatasetEntry", "load_dataset"]
