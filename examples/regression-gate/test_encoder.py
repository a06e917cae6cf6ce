"""The last scores are in results.json; a run that is compared with it fails if the encoder got worse."""

from __future__ import annotations

import pytest
from encoder import OurEncoder


@pytest.mark.distbench(dataset="digits", code_size=8)
def test_our_encoder(distbench):
    """Check one loose limit; the gate checks whether the encoder got worse."""
    distbench.check(OurEncoder, name="ours", continuity=0.95)
