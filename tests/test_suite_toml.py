from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distbench.suites._toml import TomlLocation, key_lines

DOCUMENT = '''\
distbench = 1
text = """[[not_a_table]]
no_key = 2
"""
list = [
  1,
]
[[encoder]] # [x]
name = "a # b"
limits.stress = 3
limits . continuity.2 = 0.5
  [encoder.options]
  "quoted key" = -1
[[encoder]]
inline = { x = 1 }
[[ encoder.sub ]]
[encoder.sub.deep]
[[encoder.sub]]
last = true
'''
LINES = {
    ("distbench",): 1,
    ("text",): 2,
    ("list",): 5,
    ("encoder",): 8,
    ("encoder", 0): 8,
    ("encoder", 0, "name"): 9,
    ("encoder", 0, "limits"): 10,
    ("encoder", 0, "limits", "stress"): 10,
    ("encoder", 0, "limits", "continuity"): 11,
    ("encoder", 0, "limits", "continuity", "2"): 11,
    ("encoder", 0, "options"): 12,
    ("encoder", 0, "options", "quoted key"): 13,
    ("encoder", 1): 14,
    ("encoder", 1, "inline"): 15,
    ("encoder", 1, "sub"): 16,
    ("encoder", 1, "sub", 0): 16,
    ("encoder", 1, "sub", 0, "deep"): 17,
    ("encoder", 1, "sub", 1): 18,
    ("encoder", 1, "sub", 1, "last"): 19,
}


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_keys_and_headers_have_their_lines(end):
    assert key_lines(DOCUMENT.replace("\n", end)) == LINES


def test_a_key_without_a_line_has_that_of_the_table_around_it():
    top = TomlLocation("s.toml", LINES)
    assert str(top.error("wrong")) == "s.toml:1: wrong"
    limits = top.at("encoder", 0, "limits")
    assert str(limits.error("wrong", key="spearman")) == "s.toml:10: encoder 1.limits: wrong"
    assert str(top.at("encoder", 1, "inline", "x").error("wrong")) == "s.toml:15: encoder 2.inline.x: wrong"
    assert str(top.at("encoder", 1).error("wrong", key="inline")) == "s.toml:15: encoder 2: wrong"


@given(st.text(string.printable) | st.lists(st.sampled_from(DOCUMENT.split("\n"))).map("\n".join))
def test_no_text_is_trouble(text):
    assert all(1 <= line <= text.count("\n") + 1 for line in key_lines(text).values())
