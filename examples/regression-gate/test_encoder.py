"""What the encoder reaches is in results.json; a run that is compared with it fails where the encoder got worse."""

from __future__ import annotations

import pytest
from encoder import OurEncoder


@pytest.mark.distbench(dataset="digits", code_size=8)
def test_our_encoder(distbench):
    """Measure, and hold it to one loose limit: whether it got worse is the gate's business."""
    distbench.check(OurEncoder, name="ours", continuity=0.95)
