"""Text escaped for Markdown."""

from __future__ import annotations

import re

__all__ = ["escaped", "item"]

_SPECIAL = re.compile(r"[&<>|`*\[\]~\\$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_NAMED = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_CALLS = re.compile(r"([@#])(?=[A-Za-z0-9])")
_OPENS = re.compile(r"^([#+=-]|[0-9]+[.)])")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def escaped(text: object) -> str:
    """Return text for a line or a cell of a table in GitHub-flavoured Markdown.

    Special characters become references, which never make markup; a line break becomes a space. An empty comment
    parts ``@`` and ``#`` from what follows, so that nobody is notified and no issue is linked.
    """
    plain = _CONTROL.sub(" ", str(text)).encode("utf-8", errors="replace").decode("utf-8")
    parts = _CALLS.split(plain)  # the sign itself is every second part
    return "".join(f"{part}<!-- -->" if number % 2 else _quoted(part) for number, part in enumerate(parts))


def item(text: object) -> str:
    """Return text as an item of a list; what would open a list or a heading in it is escaped."""
    return "- " + _OPENS.sub(lambda match: f"{match[0][:-1]}&#{ord(match[0][-1])};", escaped(str(text).strip()))


def _quoted(text: str) -> str:
    return _SPECIAL.sub(lambda match: _NAMED.get(match[0], f"&#{ord(match[0])};"), text)
