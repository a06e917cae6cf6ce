"""The saved pipeline keeps close cells close; these tests fit nothing."""

from __future__ import annotations

import joblib
import pytest
from train import FILE, load_points


@pytest.fixture(scope="module")
def pipeline():
    """Return what train.py saved."""
    return joblib.load(FILE)


def test_close_cells_stay_close(distbench, pipeline):
    """Close means close after scaling, where all measurements count alike, so evaluate the steps after the scaler."""
    train, test = load_points()
    scaler, encoder = pipeline[:-1], pipeline[-1]
    distbench.check(
        encoder,
        scaler.transform(test),
        reference=scaler.transform(train),
        name="after scaling",
        continuity=0.985,
        scaled_stress=0.1,
    )


def test_in_raw_units(distbench, pipeline):
    """Measure what scaling changes: in raw units the areas, in the hundreds, alone decide which cells are close."""
    train, test = load_points()
    report = distbench.evaluate(pipeline, test, reference=train, name="whole pipeline")
    assert report["continuity"].value < 0.9
