from __future__ import annotations

import string
import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distbench.suites._lines import Lines, locate

DOCUMENT = '''\
distbench = 1
text = """[[not_a_table]]
no_key = 2 \\""" still text"""""
literal = \'\'\'
no_key = 3\'\'\'
list = [ # ] no end
  [1, "]"], {x = 1, "q.r" = [1,
 2]},
]
day = 1979-05-27 07:32:00 # a = 1
[[encoder]]
name = "a # b"
limits.stress = 3
limits . continuity.2 = 0.5
  [encoder.options]
  "k\\u00e9" = -1
[[encoder]]
'quoted key' = {}
[[encoder.sub]]
[encoder.sub.deep]
[[encoder.sub]]
last = true
'''
EXPECTED = {
    ("distbench",): 1,
    ("text",): 2,
    ("literal",): 4,
    ("list", 0, 1): 7,
    ("list", 1, "q.r"): 7,
    ("list", 1, "q.r", 1): 8,
    ("day",): 10,
    ("encoder",): 11,
    ("encoder", 0): 11,
    ("encoder", 0, "name"): 12,
    ("encoder", 0, "limits"): 13,
    ("encoder", 0, "limits", "stress"): 13,
    ("encoder", 0, "limits", "continuity", "2"): 14,
    ("encoder", 0, "options"): 15,
    ("encoder", 0, "options", "ké"): 16,
    ("encoder", 1): 17,
    ("encoder", 1, "quoted key"): 18,
    ("encoder", 1, "sub", 0): 19,
    ("encoder", 1, "sub", 0, "deep"): 20,
    ("encoder", 1, "sub", 1): 21,
    ("encoder", 1, "sub", 1, "last"): 22,
}


def paths(value, path=()):
    """Return the path of every key and list element, as tomllib has them."""
    below = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [one for key, item in below for one in ((*path, key), *paths(item, (*path, key)))]


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_a_document_with_all_that_toml_has(ends):
    text = DOCUMENT.replace("\n", ends)
    found = locate(text)
    assert EXPECTED.items() <= found.items()
    assert set(found) == set(paths(tomllib.loads(text)))


def test_a_key_that_is_not_there_stands_where_its_table_does():
    lines = Lines(DOCUMENT)
    assert lines.of(("encoder", 0, "limits", "spearman")) == 13
    assert lines.of(("encoder", 1, "name")) == 17
    assert lines.of(("missing",)) == lines.of(()) == 1
    assert Lines().of(("anything", 0)) == 1


def test_a_header_counts_more_than_one_inside_it_that_comes_first():
    assert locate("[a.b]\n[a]\nx = 1\n")[("a",)] == 2


@pytest.mark.parametrize("text", ["x = [1, ", "[a", "[[a]", "x = {y = 1", "x", '"', 'x = """a', "= 1", "x = [" * 5000])
def test_a_text_that_is_not_toml_is_no_trouble(text):
    assert all(line == 1 for line in locate(text).values())


# Documents of every form: what is drawn is the text itself, so that comments, quotes and line breaks are drawn too.
word = st.text(string.ascii_lowercase + string.digits + "-_", min_size=1, max_size=3)
odd = st.text(string.ascii_letters + " .#[]{}=,'é\"\\\n", max_size=6)


def basic(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


key = st.one_of(word, odd.map(basic), odd.map(lambda text: "'" + text.replace("'", "").replace("\n", "") + "'"))
tricky = st.text("ab#=[]{}',\n", max_size=8)
scalar = st.one_of(
    st.sampled_from(["1", "-1.5e3", "inf", "true", "1979-05-27 07:32:00Z", "07:32:00", "0x_f".replace("_", "")]),
    odd.map(basic),
    tricky.map(lambda text: f'"""{text}"""'),
    tricky.map(lambda text: f'"""{text}\\""" \\\\"""""'),
    tricky.map(lambda text: "'''" + text.replace("'", "") + "''''"),
)
blank = st.sampled_from(["", " ", "\n", "  # ] a = 1 }\n", "\n\n\t"])


def listed(values):
    parts = st.lists(st.tuples(blank, values, blank).map("".join), max_size=3)
    return st.tuples(parts, blank).map(lambda drawn: f"[{','.join(drawn[0])}{drawn[1]}]")


def inline(values):
    pairs = st.lists(st.tuples(key, values).map(" = ".join), max_size=3)
    return pairs.map(lambda drawn: "{ " + ", ".join(drawn) + " }")


value = st.recursive(scalar, lambda values: listed(values) | inline(values), max_leaves=6)
dotted = st.lists(key, min_size=1, max_size=3).flatmap(
    lambda keys: st.sampled_from([".", " . "]).map(lambda d: d.join(keys))
)
pair = st.tuples(dotted, value).map(" = ".join)
header = dotted.flatmap(lambda name: st.sampled_from([f"[{name}]", f"[[{name}]]", f"[[ {name} ]] # [x]"]))
ends = st.sampled_from(["\n", " # x = 1\n", "\n\n"])
lines = st.lists(st.tuples(st.sampled_from(["", "  "]), pair | header, ends).map("".join), min_size=1, max_size=8)


def kept(drawn):
    """Return the longest valid document that the lines make, each in turn left out where it breaks it."""
    text = ""
    for line in drawn:
        try:
            tomllib.loads(text + line)
        except tomllib.TOMLDecodeError:
            continue
        text += line
    return text


@settings(deadline=None)
@given(lines.map(kept))
def test_every_key_is_found_in_a_line_that_holds_it(text):
    found = locate(text)
    assert set(found) == set(paths(tomllib.loads(text)))
    held = text.split("\n")
    for path, line in found.items():
        if isinstance(path[-1], str):
            here = held[line - 1]
            assert any(spelt in here for spelt in (path[-1], basic(path[-1]))), (path, line, here)
