"""Close digits get close codes, for digits that training never saw. Skipped if torch is not installed."""

from __future__ import annotations

import pytest

import distbench as db

torch = pytest.importorskip("torch", reason="torch is not installed: pip install torch")

from encoder import make_encoder, train  # noqa: E402 - it imports torch, too


@pytest.fixture(scope="module")
def digits():
    """Return images of 8 x 8 pixels, as rows of 64."""
    return db.load_dataset("digits")


@pytest.fixture(scope="module")
def encoder(digits):
    """Return the encoder, trained."""
    torch.manual_seed(0)
    torch.set_num_threads(1)  # so small a network is faster without the others
    return train(make_encoder(64, 8), torch.tensor(digits.train, dtype=torch.float32))


def test_codes_keep_distances(distbench, digits, encoder):
    """Check a module against limits; it gets tensors of its own type, on its own device, without gradients."""
    distbench.check(
        encoder.eval(),
        digits.test,
        reference=digits.train,
        name="trained",
        scaled_stress=0.1,
        continuity=0.995,
    )


def test_dropout_is_off(distbench, digits, encoder):
    """A module that was left in training mode is evaluated in eval mode."""
    assert encoder.train().training
    distbench.check(
        encoder,
        digits.test,
        reference=digits.train,
        name="left in training mode",
        scaled_stress=0.1,
    )
