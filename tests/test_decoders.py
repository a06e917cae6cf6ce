from __future__ import annotations

from types import SimpleNamespace as Model

import numpy as np
import pytest
from sklearn.decomposition import PCA

from distbench.encoders.decoder import decode, decoder_of
from distbench.errors import EncoderError


def double(codes):
    return codes * 2


CODES = np.arange(10.0).reshape(5, 2)


@pytest.mark.parametrize(
    "encoder",
    [
        Model(inverse_transform=double),
        Model(decode=double),
        Model(decoder=Model(predict=double)),
        Model(decoder=Model(predict_on_batch=double)),
        Model(decoder=double),
    ],
    ids=["inverse_transform", "decode", "decoder.predict", "decoder.predict_on_batch", "decoder"],
)
def test_found_by_its_name(encoder):
    np.testing.assert_array_equal(decode(decoder_of(encoder), CODES, 2), CODES * 2)
    assert [decoder_of(none) for none in (len, "pca", PCA, Model(decoder=None), Model(decoder="text"))] == [None] * 5


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
    for wrong in (lambda batch: batch[:1], lambda batch: 3.0):
        with pytest.raises(EncoderError, match="decoder returned shape"):
            decode(wrong, CODES, 4)
