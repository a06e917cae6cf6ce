"""Messages are one printable line, whatever stands in what they quote."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import distbench
from distbench._util.text import first_line, join_names, raised, short_repr, shortened
from distbench.errors import InputError

HOSTILE = ["\x1b[31mred\x1b[0m", "nul \x00", "lone \ud800", "\u202eback"]


@pytest.mark.parametrize("text", HOSTILE)
def test_control_signs_are_spelt_out(text):
    for told in (
        first_line(ValueError(text)),
        shortened(text),
        raised(ValueError(text)),
        join_names([text]),
        short_repr(text),
    ):
        assert told.isprintable()
        assert told != ""
    assert len(first_line(ValueError("\x00" * 999))) == 160


class SilentError(RuntimeError):
    def __str__(self):
        raise RuntimeError("no text")


def test_errors_without_a_text_are_told():
    assert first_line(SilentError()) == "no message"
    assert raised(SilentError()) == "raised SilentError: "
    assert first_line(ValueError("\n two \n three")) == "two"


@pytest.mark.parametrize("error", [ValueError("\x1b[31mred"), SilentError()], ids=["signs", "silent"])
def test_errors_of_encoders_leave_as_one_printable_line(error):
    def encode(batch):
        raise error

    with pytest.raises(distbench.EncoderError) as caught:
        distbench.evaluate(encode, np.eye(40), k=3)
    assert str(caught.value).isprintable()
    assert caught.value.__cause__ is error


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        (("k", "found 0", "pass 1 or more"), "k: found 0; pass 1 or more"),
        (("k", "found 0"), "k: found 0"),
        (("", "found 0", "pass 1 or more"), "found 0; pass 1 or more"),
    ],
)
def test_errors_about_input_keep_their_parts(parts, text):
    error = pickle.loads(pickle.dumps(InputError(*parts)))
    assert str(error) == text
    assert (error.argument, error.found, error.advice) == (*parts, "")[:3]
    whole = InputError(text)
    assert (str(whole), whole.argument, whole.found, whole.advice) == (text, "", text, "")
