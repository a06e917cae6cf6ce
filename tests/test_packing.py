from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import distbench
from distbench.errors import InputError
from distbench.inference.intervals import jackknife_interval
from distbench.results.packing import pack, unpack

VALUES = arrays(np.float64, st.integers(1, 40), elements=st.floats(-1e6, 1e6))


@given(VALUES, st.floats(-10, 10))
def test_what_is_unpacked_is_near_what_was_packed(values, offset):
    packed = json.loads(json.dumps(pack(values, "float16", offset)))
    error = np.abs(unpack(packed) - values)
    most = np.abs(values - offset).max()
    assert (error <= 2**-10 * np.abs(values - offset) + 1e-7 * most + 1e-12 * np.abs(values)).all()


@given(arrays(np.float64, (7, 4), elements=st.floats(-1, 1)))
def test_bytes_are_exact_to_a_hundredth_of_the_largest_and_better_near_zero(values):
    found = unpack(pack(values, "root8"))
    assert found.shape == values.shape
    most = np.abs(values).max()
    assert (np.abs(found - values) <= np.sqrt(np.abs(values) * most) / 120 + most / 60_000).all()


def test_lists_and_nothing_pass_as_they_are():
    np.testing.assert_array_equal(unpack([0.5, 1.0]), [0.5, 1.0])
    assert unpack(None) is None
    assert pack([1.0, float("inf")], "float16") is None


@pytest.mark.parametrize("damage", [{"data": "?"}, {"data": "AAAA"}, {"shape": [3]}, {"dtype": "f8"}])
def test_damage_is_told(damage):
    with pytest.raises(InputError, match="damaged"):
        unpack({**pack([0.5, 1.0], "float16"), **damage})


@pytest.fixture(scope="module")
def scores():
    """Continuity of encoders of many kinds on the same points, some of them nearly the same."""
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


def widths(low, high, other_low, other_high):
    return (high - low) / (other_high - other_low)


def test_intervals_from_packed_values_are_those_of_the_values(scores):
    for score in scores:
        packed = unpack(pack(score.leave_one_out, "float16", score.value))
        twice = unpack(pack(score.interaction, "root8"))
        exact = jackknife_interval(score.value, score.leave_one_out, 0.95, (0, 1), score.interaction, 300)
        found = jackknife_interval(score.value, packed, 0.95, (0, 1), twice, 300)
        assert widths(*found, *exact) == pytest.approx(1, abs=0.01)


def test_so_are_those_of_paired_differences(scores):
    for one, two in [(0, 1), (2, 3), (4, 5), (0, 5), (1, 2)]:
        a, b = scores[one], scores[two]
        exact = jackknife_interval(
            a.value - b.value, a.leave_one_out - b.leave_one_out, interaction=a.interaction - b.interaction
        )
        loo = [unpack(pack(score.leave_one_out, "float16", score.value)) for score in (a, b)]
        twice = [unpack(pack(score.interaction, "root8")) for score in (a, b)]
        found = jackknife_interval(a.value - b.value, loo[0] - loo[1], interaction=twice[0] - twice[1])
        assert widths(*found, *exact) == pytest.approx(1, abs=0.01)
