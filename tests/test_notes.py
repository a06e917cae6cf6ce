"""Notes: text for readers, level and code for programs."""

from __future__ import annotations

import copy
import pickle

from distbench._util.notes import Note, codes_of, warnings_of

WARNING = Note("warning", "seen_points", "3 points seen in training")
NOTES = (WARNING, Note("info", "queries", "20 points judged"), "plain", Note("warning", "ranges", "not scaled alike"))


def test_a_note_is_its_text():
    assert f"note: {WARNING}" == "note: 3 points seen in training"
    assert (WARNING.level, WARNING.code) == ("warning", "seen_points")


def test_level_and_code_go_with_it_to_other_processes():
    for other in (pickle.loads(pickle.dumps(WARNING)), copy.deepcopy(WARNING)):
        assert (other, other.level, other.code) == (WARNING, "warning", "seen_points")


def test_warnings_are_one_plain_text():
    assert warnings_of(NOTES) == "3 points seen in training; not scaled alike"
    assert type(warnings_of([WARNING])) is str
    assert codes_of(NOTES) == {"seen_points", "queries", "ranges"}
