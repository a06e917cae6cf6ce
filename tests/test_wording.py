"""Messages are one printable line, whatever they quote; notes have a level and a code beside their text."""

from __future__ import annotations

import copy
import pickle
import re
from pathlib import Path

import numpy as np
import pytest

import distbench
from distbench._util.notes import CODES, Note, coded_texts, codes_of, warnings_of, without_codes
from distbench._util.text import (
    first_line,
    join_names,
    plain_lines,
    plain_name,
    plain_text,
    raised,
    short_repr,
    shortened,
    type_and_line,
)
from distbench.errors import InputError

HOSTILE = [
    "::error::failed",
    " ::set-output name=a::b",
    "x ##[error]",
    "##vso[task.x]",
    "\x1b[31mred\x1b[0m",
    "nul \x00",
    "lone \ud800",
    "\u202eback",
]

CI_COMMAND = re.compile(r"^\s*::|##\w*\[", re.MULTILINE)
"""What GitHub and Azure take for commands in a log."""


def test_lines_keep_their_breaks_and_names_of_tests_their_colons():
    assert plain_lines("a.py::test\n::error::\x1b[2J\n\tb") == "a.py::test\n\\x3a:error::\\x1b[2J\n\\tb"
    assert plain_text("größe 近い a::b #1 [x]") == "größe 近い a::b #1 [x]"


@pytest.mark.parametrize("text", HOSTILE)
def test_control_characters_are_escaped(text):
    for message in (
        first_line(ValueError(text)),
        shortened(text),
        raised(ValueError(text)),
        join_names([text]),
        short_repr(text),
    ):
        assert message.isprintable()
        assert message != ""
        assert not CI_COMMAND.search(message)
    assert len(first_line(ValueError("\x00" * 999))) == 160


class SilentError(RuntimeError):
    def __str__(self):
        raise RuntimeError("no text")


def test_errors_without_a_text():
    assert first_line(SilentError()) == "no message"
    assert raised(SilentError()) == "raised SilentError: "
    assert first_line(ValueError("\n two \n three")) == "two"


def test_names_and_messages_of_any_length_are_cut_in_the_middle():
    name = plain_name(f"start{'x' * 99_999}end")
    assert name == plain_name(name)
    assert len(name) == 500
    assert name.startswith("start")
    assert name.endswith("end")
    message = str(InputError("x" * 99_999, f"found {'y' * 99_999}", f"{'z' * 99_999} instead"))
    assert len(message) < 5_000
    assert message.endswith("z instead")
    assert type_and_line(ValueError(f"\x0b\nstart{'x' * 99_999}")).startswith("ValueError: startxx")


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


WARNING = Note("warning", "seen_points", "3 points seen in training")
NOTES = (WARNING, Note("info", "queries", "20 points judged"), "plain", Note("warning", "ranges", "not scaled alike"))


def test_a_note_is_its_text():
    assert f"note: {WARNING}" == "note: 3 points seen in training"
    assert (WARNING.level, WARNING.code) == ("warning", "seen_points")


def test_level_and_code_go_with_it_to_other_processes():
    for other in (pickle.loads(pickle.dumps(WARNING)), copy.deepcopy(WARNING)):
        assert (other, other.level, other.code) == (WARNING, "warning", "seen_points")


def test_warnings_are_one_plain_text():
    text = "3 points seen in training [seen_points]; not scaled alike [ranges]"
    assert warnings_of(NOTES) == text
    assert coded_texts(text) == [("seen_points", "3 points seen in training"), ("ranges", "not scaled alike")]
    assert coded_texts("a; b") == [("", "a; b")]
    assert coded_texts("a [x]; b") == [("x", "a"), ("", "b")]
    assert coded_texts("n " * 25_000) == [("", "n " * 25_000)], "in linear time"
    assert coded_texts("") == []
    assert without_codes(NOTES, ["ranges", "queries"]) == (WARNING, "plain")
    assert type(warnings_of([WARNING])) is str
    assert codes_of(NOTES) == {"seen_points", "queries", "ranges"}


def test_all_codes_are_known():
    """Those of the package's source, which are literals after a level."""
    sources = "".join(path.read_text(encoding="utf-8") for path in Path(distbench.__file__).parent.rglob("*.py"))
    found = re.findall(r'Note\(\s*"(?:warning|info)", (?:"(\w+)" if .*? else "(\w+)"|"(\w+)")', sources)
    assert {code for codes in found for code in codes if code} == set(CODES)
