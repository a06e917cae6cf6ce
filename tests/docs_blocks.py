"""The fenced blocks of a Markdown page with the comments before them, and the comparison of output with a page.

HTML comments right before a block say how it is executed:

======================  ============================================================================================
``not run: REASON``     the block is not executed; the options of its commands are still checked
``not compared: WHY``   the output block is not compared with what was printed
``from: COMMAND``       the output block is part of what that command prints in a checkout
``fails``               the tests or the commands of the block must fail
``setup:`` and code     is executed before the block, in its namespace, or is put above it in its file
``file: NAME``          the block is the file of that name; with more lines, the comment itself is the file
======================  ============================================================================================
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from markdown_it import MarkdownIt

COMMENT = re.compile(r"<!--\s*(not run|not compared|from|fails|setup|file)\b:?[ \t]*(.*?)\s*-->", re.DOTALL)
NUMBER = re.compile(r"(?<![\w.])[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+|(?<=\d))(?:e[-+]?\d+)?(?![\w])")
ANYTHING = "..."
MANY_DECIMALS = 6  # with more, numbers are compared by their relative difference


@dataclass(frozen=True)
class Block:
    """One fenced block; `remarks` are the comments before it, by their first words."""

    page: Path
    line: int
    language: str
    text: str
    remarks: dict[str, str] = field(default_factory=dict)
    lines: tuple[int, int] = (0, 0)

    @property
    def place(self) -> str:
        return f"{self.page.name}:{self.line}"


def blocks_of(page: Path) -> list[Block]:
    """Return the blocks of a page in order; files in comments are blocks of the language ``file``."""
    blocks, remarks = [], {}
    for token in MarkdownIt("commonmark").enable("table").parse(page.read_text(encoding="utf-8")):
        first = token.map[0] + 1 if token.map else 0
        if token.type == "html_block":
            for key, value in COMMENT.findall(token.content):
                if key == "file" and "\n" in value:
                    name, _, text = value.partition("\n")
                    blocks.append(Block(page, first, "file", text + "\n", {"file": name.strip()}))
                else:
                    remarks[key] = value
        elif token.type == "fence":
            language = token.info.split()[0] if token.info else ""
            if not language.startswith("{"):  # a directive of Sphinx
                blocks.append(Block(page, first, language, token.content, remarks, tuple(token.map)))
            remarks = {}
        elif token.level == 0 and token.nesting >= 0:
            remarks = {}
    return blocks


def same(shown: str, printed: str, *, part: bool) -> str | None:
    """Return the difference between what a page shows and what was printed, or None; `part`: a part may be shown."""
    pieces = [re.escape(piece) for piece in _spaced(NUMBER.sub("\0", shown)).split(" ")]
    pattern = (
        r"\s+".join(pieces).replace(re.escape(ANYTHING), r"(?s:.*?)").replace(re.escape("\0"), f"({NUMBER.pattern})")
    )
    match = (re.search if part else re.fullmatch)(pattern, _spaced(printed))
    if not match:
        return "the words differ"
    wrong = [f"{a} is {b}" for a, b in zip(NUMBER.findall(shown), match.groups(), strict=True) if not near(a, b)]
    return "; ".join(wrong) or None


def near(shown: str, printed: str) -> bool:
    """Return whether two numbers agree to the digits that are shown."""
    a, b = (float(text.replace(",", "")) for text in (shown, printed))
    if not set(shown) & set(".e"):
        return a == b or (abs(a) >= 1000 and abs(a - b) <= 0.01 * abs(a))  # large counts may depend on rounding
    mantissa, _, exponent = shown.partition("e")
    decimals = len(mantissa.partition(".")[2])
    unit = 10.0 ** (int(exponent or 0) - decimals)
    return abs(a - b) <= (1e-6 * abs(a) if decimals > MANY_DECIMALS and not exponent else 1.01 * unit)


def _spaced(text: str) -> str:
    return " ".join(text.split())
