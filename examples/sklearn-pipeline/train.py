"""Fit the pipeline and save it: ``python train.py`` writes pipeline.joblib."""

from __future__ import annotations

import joblib
from sklearn.datasets import load_breast_cancer
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

FILE = "pipeline.joblib"


def load_points(seed: int = 0):
    """Return train and test points: 30 measurements of cell nuclei each, in very different units."""
    points, _ = load_breast_cancer(return_X_y=True)
    return train_test_split(points, test_size=0.25, random_state=seed)


def fit(train, code_size: int = 5) -> Pipeline:
    """Return the fitted pipeline: one unit for all measurements, then fewer numbers."""
    return make_pipeline(StandardScaler(), PCA(code_size)).fit(train)


if __name__ == "__main__":
    train, _ = load_points()
    joblib.dump(fit(train), FILE)
    print(f"{FILE}: fitted on {len(train)} points")
