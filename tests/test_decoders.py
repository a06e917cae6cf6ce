from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA

from distbench.encoders.decoder import decode, decoder_of
from distbench.errors import EncoderError


class Part:
    def __init__(self, name):
        setattr(self, name, lambda codes: codes * 2)


class Model:
    def __init__(self, decoder):
        self.decoder = decoder


CODES = np.arange(10.0).reshape(5, 2)


@pytest.mark.parametrize(
    "encoder",
    [
        Part("inverse_transform"),
        Part("decode"),
        Model(Part("predict")),
        Model(Part("predict_on_batch")),
        Model(lambda codes: codes * 2),
    ],
    ids=["inverse_transform", "decode", "decoder.predict", "decoder.predict_on_batch", "decoder"],
)
def test_found_by_its_name(encoder):
    np.testing.assert_array_equal(decode(decoder_of(encoder), CODES, 2), CODES * 2)


@pytest.mark.parametrize("encoder", [len, "pca", PCA, Model(None), Model("text")])
def test_none_without_one(encoder):
    assert decoder_of(encoder) is None


def test_batches_are_copies_and_images_are_flattened():
    sizes = []

    def images(batch):
        sizes.append(len(batch))
        batch[:] = -1
        return np.ones((len(batch), 3, 3))

    codes = CODES.copy()
    assert decode(images, codes, 2).shape == (5, 9)
    assert sizes == [2, 2, 1]
    np.testing.assert_array_equal(codes, CODES)


@pytest.mark.parametrize("made", [lambda batch: batch[:1], lambda batch: 3.0])
def test_one_point_a_code(made):
    with pytest.raises(EncoderError, match="decoder returned shape"):
        decode(made, CODES, 4)
