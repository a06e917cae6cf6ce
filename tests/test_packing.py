from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import distbench
from distbench.inference.estimate import Estimate
from distbench.results.packing import pack, unpack

VALUES = arrays(np.float64, st.integers(1, 40), elements=st.floats(-1e6, 1e6))


@given(VALUES, st.floats(-10, 10))
def test_what_is_unpacked_is_near_what_was_packed(values, offset):
    packed = json.loads(json.dumps(pack(values, "float16", offset)))
    error = np.abs(unpack(packed) - values)
    largest = np.abs(values - offset).max()
    assert (error <= 2**-10 * np.abs(values - offset) + 1e-7 * largest + 1e-12 * np.abs(values)).all()


@given(arrays(np.float64, (7, 4), elements=st.floats(-1, 1)))
def test_bytes_are_exact_to_a_hundredth_of_the_largest_and_better_near_zero(values):
    unpacked = unpack(pack(values, "root8"))
    assert unpacked.shape == values.shape
    largest = np.abs(values).max()
    assert (np.abs(unpacked - values) <= np.sqrt(np.abs(values)) * np.sqrt(largest) / 120 + largest / 60_000).all()


def test_lists_and_nothing_pass_as_they_are():
    np.testing.assert_array_equal(unpack([0.5, 1.0]), [0.5, 1.0])
    assert unpack(None) is None
    assert pack([1.0, float("inf")], "float16") is None


@pytest.fixture(scope="module")
def scores():
    """Return the continuity of different encoders on the same points; two of them are nearly the same."""
    rng = np.random.default_rng(0)
    train, test = rng.normal(size=(800, 8)), rng.normal(size=(300, 8))
    turn, _ = np.linalg.qr(rng.normal(size=(8, 8)))
    encoders = [
        lambda X: X[:, :2],
        lambda X: X[:, :2] + 0.05 * np.sin(9 * X[:, 2:4]),
        lambda X: X[:, :3],
        lambda X: (X @ turn)[:, :3],
        lambda X: np.tanh(X),
        lambda X: X + 0.01 * np.sin(20 * X[:, ::-1]),
    ]
    return [distbench.evaluate(encoder, test, reference=train, k=10)["continuity"] for encoder in encoders]


@pytest.mark.parametrize("pair", [(0,), (3,), (5,), (0, 1), (2, 3), (4, 5), (0, 5), (1, 2)])
def test_intervals_from_packed_values_are_those_of_the_values(scores, pair):
    """One number is a score, two are a paired difference."""

    def width(is_packed):
        estimates = []
        for score in (scores[number] for number in pair):
            arrays = score.leave_one_out, score.interaction
            if is_packed:
                arrays = unpack(pack(arrays[0], "float16", score.value)), unpack(pack(arrays[1], "root8"))
            estimates.append(Estimate.of_metric("continuity", score.value, *arrays, counts=(10, 299, 300)))
        low, high = (estimates[0] if len(pair) == 1 else estimates[0] - estimates[1]).interval()
        return high - low

    assert width(True) / width(False) == pytest.approx(1, abs=0.01)
