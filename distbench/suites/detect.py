"""Says whether a file is a suite. Apart from all else about suites, for every TOML file of a project is asked."""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["is_suite"]

# Whatever looks like a schema number is ours, so that a wrong one is told; distbench = "^0.1" is a package's version.
_MARK = re.compile(r"""(["']?)distbench\1\s*=\s*(["']?)\s*(?:[+-]?\d[\w.]*|true|false)\s*\2\s*(?:\#.*)?$""")
_HEADER = re.compile(r"""\[\[?[^\[\],]+\]\]?\s*(?:\#.*)?$""")
_QUOTES = re.compile(r'"{3}|\'{3}')


def is_suite(path: Path) -> bool:
    """Say whether a file calls itself a suite: ``distbench = 1`` before the first table.

    Another number, one in quotes, or bytes that are no UTF-8, are mistakes that the reader tells, and no reason to
    leave the file alone. Cheap, and quiet about files that are not ours: it reads no further than the first table
    header and answers no for what cannot be opened.
    """
    in_text = False  # between the quotes of a text of many lines
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
