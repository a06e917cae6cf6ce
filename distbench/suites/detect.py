"""Tells whether a file is a suite. The module is small, since pytest runs it on every TOML file of a project."""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["is_suite"]

# Any schema number makes a file a suite, so that the reader reports a wrong one; "^0.1" is a version of distbench.
_MARK = re.compile(r"""(["']?)distbench\1\s*=\s*(["']?)\s*(?:[+-]?\d[\w.]*|true|false)\s*\2\s*(?:\#.*)?$""")
_HEADER = re.compile(r"""\[\[?[^\[\],]+\]\]?\s*(?:\#.*)?$""")
_QUOTES = re.compile(r'"{3}|\'{3}')


def is_suite(path: Path) -> bool:
    """Return whether a file has ``distbench = 1``, or a mistaken form of it, before the first table header.

    A path that is not a file, or cannot be opened, is not a suite.
    """
    in_text = False  # whether the line begins inside a text of several lines

    try:
        if not path.is_file():  # opening a pipe could wait for ever
            return False
        with path.open(encoding="utf-8-sig", errors="replace") as lines:
            for line in (line.replace("\0", "").strip("\ufffd \t\r\n") for line in lines):  # also in UTF-16, to be told
                if not in_text and _HEADER.match(line):
                    return False
                if not in_text and _MARK.match(line):
                    return True
                in_text ^= len(_QUOTES.findall(line)) % 2 == 1
    except OSError:
        return False
    return False
