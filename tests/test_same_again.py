"""Encoders that do not give the same codes again are an error or have a note."""

from __future__ import annotations

import numpy as np
import pytest
from frameworks import pd

import distbench
from distbench.encoders import as_encoder
from distbench.encoders.determinism import check_same_again
from distbench.errors import EncoderError

rng = np.random.default_rng(3)
X = rng.normal(size=(300, 5))
W = rng.normal(size=(5, 3))


def notes_of(encode, points=X, batch_size=128):
    encoder = as_encoder(encode, batch_size)
    return check_same_again(encoder, points, encoder.encode(points))


class Noisy:
    """Add noise to every code, with a share of the codes' spread."""

    def __init__(self, share, kind=np.float64):
        self._rng, self._share, self._kind = np.random.default_rng(0), share, kind

    def __call__(self, batch):
        codes = batch @ W
        return (codes + self._share * codes.std() * self._rng.normal(size=codes.shape)).astype(self._kind)


class Recorder:
    """Record the sizes of batches."""

    def __init__(self):
        self.sizes = []

    def __call__(self, batch):
        self.sizes.append(len(batch))
        return batch @ W


def test_a_deterministic_encoder_encodes_64_rows_twice():
    encoder = Recorder()
    assert notes_of(encoder) == []
    assert encoder.sizes == [128, 128, 44, 64]


@pytest.mark.parametrize("m", [1, 2, 3, 5, 64, 65])
def test_few_rows_are_encoded_again_in_another_batch(m):
    encoder = Recorder()
    notes_of(encoder, X[:m])
    assert encoder.sizes == [m, min(64, (m + 1) // 2)]


@pytest.mark.parametrize("share", [1e-3, 0.1, 10])
def test_noise_is_found(share):
    with pytest.raises(EncoderError, match=r"'Noisy' gave different codes \(by up to .* of their spread\) the second"):
        notes_of(Noisy(share))


@pytest.mark.parametrize(
    "encode",
    [
        Noisy(1e-6, np.float32),
        Noisy(1e-6, np.float64),
        lambda batch: (batch @ W).astype(np.float32) + np.float32(1e6),
        lambda batch: np.nextafter((batch @ W + 1e6).astype(np.float32), np.float32(len(batch) * 1e5)),
    ],
    ids=["float32", "float64", "far from zero", "far from zero, to the next number"],
)
def test_rounding_passes(encode):
    assert notes_of(encode) == []


@pytest.mark.parametrize("name", ["float16", "bfloat16"])
def test_rounding_of_short_types_passes(name):
    kind = np.float16 if name == "float16" else pytest.importorskip("ml_dtypes").bfloat16
    relative = 2.0**-11 if name == "float16" else 2.0**-8

    class Rounded(Noisy):
        def __call__(self, batch):
            codes = batch @ W
            return (codes * (1 + relative * self._rng.uniform(-1, 1, size=codes.shape))).astype(kind)

    assert notes_of(Rounded(0)) == []
    with pytest.raises(EncoderError, match="second time"):
        notes_of(Noisy(0.5, kind))


def test_a_bit_that_rounding_flips_passes_and_many_do_not():
    wide = rng.normal(size=(5, 32))

    class Binary:
        def __init__(self, flips):
            self._rng, self._flips = np.random.default_rng(0), flips

        def __call__(self, batch):
            bits = (batch @ wide > 0).astype(np.int8)
            rows = self._rng.integers(len(bits), size=self._flips)
            bits[rows, self._rng.integers(32, size=self._flips)] ^= 1
            return bits

    assert notes_of(Binary(3)) == []
    with pytest.raises(EncoderError, match="second time"):
        notes_of(Binary(300))


def of_the_batch(share):
    def encode(batch):
        return batch @ W + share * W.std() * np.tanh(batch).mean(axis=0).sum()

    return encode


def test_codes_that_depend_much_on_the_batch_are_an_error_and_little_a_note():
    with pytest.raises(EncoderError, match=r"codes of a point differ by up to .* with the other points of its batch"):
        notes_of(of_the_batch(5.0))
    (note,) = notes_of(of_the_batch(0.02))
    assert note.startswith("codes of a point differ by up to 0.00")
    assert note.endswith("scores are those of batches of 128")


def test_encoders_that_fit_places_may_look_at_the_batch():
    class Placed:
        codes_ = np.zeros((3, 3))

        def transform(self, batch):
            return of_the_batch(5.0)(batch)

    (note,) = notes_of(Placed())
    assert "scores are those of batches of 128" in note


def test_encoders_of_one_batch_size_are_called_with_it():
    def picky(batch):
        if len(batch) != 100:
            raise ValueError("compiled for 100 rows")
        return batch @ W

    assert notes_of(picky, batch_size=100) == []
    noisy = Noisy(0.1)
    with pytest.raises(EncoderError, match="second time"):
        notes_of(lambda batch: noisy(picky(batch) @ np.linalg.pinv(W)), batch_size=100)


def test_frames_stay_frames_and_stored_points_are_read_from_the_start():
    assert notes_of(lambda batch: batch[["a", "b"]], pd.DataFrame(X, columns=list("abcde"))) == []
    encoder = Recorder()
    assert notes_of(encoder, pytest.importorskip("dask.array").from_array(X, chunks=(50, 5))) == []
    assert encoder.sizes[-1] == 64


def test_reports_are_refused_before_anything_is_measured():
    with pytest.raises(distbench.EncoderError, match="pass stochastic=True"):
        distbench.evaluate(Noisy(0.1), X, k=5)
    assert distbench.check_encoder(Noisy(0.1), X, k=5, stochastic=True, draws=2, continuity=0.5)


def noisy_in_one(codes_of, column):
    noise = np.random.default_rng(0)

    def encode(batch):
        codes = codes_of(batch)
        codes[:, column] += 5 * noise.normal(size=len(codes))
        return codes

    return encode


def test_noise_is_found_in_each_column_by_itself():
    many = rng.normal(size=(5, 256))
    huge = np.diag([1e6, 1, 1, 1, 1])
    for codes_of in (lambda batch: 1e-3 * batch @ many, lambda batch: batch @ huge):
        for kind in (np.float64, np.float32):
            with pytest.raises(EncoderError, match="second time"):
                notes_of(noisy_in_one(lambda batch, of=codes_of, kind=kind: of(batch).astype(kind), 1))


def test_columns_that_are_constant_but_for_rounding_pass():
    def encode(batch):
        codes = (batch @ W).astype(np.float32)
        return np.c_[codes, np.float32(1e-8) * len(batch) * codes[:, :1], np.ones(len(batch), np.float32)]

    assert notes_of(encode) == []


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("factor", [1e160, 1e300, 1e-300, 0.0])
def test_very_large_and_small_codes_are_seen(factor):
    assert notes_of(lambda batch: factor * (batch @ W)) == []
    if factor:
        noisy = Noisy(0.1)
        with pytest.raises(EncoderError, match="second time"):
            notes_of(lambda batch: factor * noisy(batch))


def test_errors_of_the_second_call_are_shown():
    calls = []

    def encode(batch):
        calls.append(len(batch))
        if len(calls) > 1:
            raise MemoryError("GPU out of memory")
        return batch @ W

    with pytest.raises(EncoderError, match=r"failed the second time .* \(MemoryError: GPU out of memory\)") as caught:
        notes_of(encode, batch_size=1024)
    assert isinstance(caught.value.__cause__, MemoryError)
    assert "deterministic" not in str(caught.value)


def test_the_advice_about_eval_mode_is_for_models_in_training_mode():
    torch = pytest.importorskip("torch")

    class ByBatch(torch.nn.Module):
        def forward(self, batch):
            return batch[:, :3] / batch.abs().max()

    points = rng.normal(size=(300, 5)) * np.linspace(1, 30, 300)[::-1, None]
    for module in (ByBatch().eval(), ByBatch().train()):  # it encodes in eval mode in both cases
        with pytest.raises(EncoderError, match=r"it is in eval mode.*batch_size=1, or evaluate ready codes"):
            notes_of(module, points)
        assert notes_of(module, points[:70], batch_size=1) == []
    with pytest.raises(EncoderError, match="put it into eval mode"):
        notes_of(lambda batch: np.asarray(ByBatch()(torch.as_tensor(batch))), points)


def test_reference_points_are_encoded_again():
    noise = np.random.default_rng(0)

    def encode(batch):
        return batch @ W + (noise.normal(size=(len(batch), 3)) if batch[0, 0] > 50 else 0)

    with pytest.raises(EncoderError, match="second time it encoded the same points of reference;"):
        distbench.evaluate(encode, X, reference=X + 100, k=5)
