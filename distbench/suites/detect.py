"""Says whether a file is a suite; a module apart, as pytest asks it about every TOML file of a project."""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["is_suite"]

# Whatever looks like a schema number makes a suite, so that the reader reports a wrong one; "^0.1" is a version of the
# package distbench.
_MARK = re.compile(r"""(["']?)distbench\1\s*=\s*(["']?)\s*(?:[+-]?\d[\w.]*|true|false)\s*\2\s*(?:\#.*)?$""")
_HEADER = re.compile(r"""\[\[?[^\[\],]+\]\]?\s*(?:\#.*)?$""")
_QUOTES = re.compile(r'"{3}|\'{3}')


def is_suite(path: Path) -> bool:
    """Say whether a file calls itself a suite: ``distbench = 1`` before the first table.

    Another number, a number in quotes, and bytes that are not UTF-8 are mistakes that the reader reports. Only the
    lines before the first table header are read; a file that cannot be opened is no suite.
    """
    in_text = False  # between the quotes of a text of several lines
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as lines:
            for line in map(str.strip, lines):
                if not in_text and _HEADER.match(line):
                    return False
                if not in_text and _MARK.match(line):
                    return True
                in_text ^= len(_QUOTES.findall(line)) % 2 == 1
    except OSError:
        return False
    return False
