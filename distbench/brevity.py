"""Messages of one line that are not too long, whatever stands in the file that they speak of."""

from __future__ import annotations

__all__ = ["shortened"]


def shortened(text: str, most: int = 400) -> str:
    """Return a message as one line of so many characters: its middle goes, for its end says what to do."""
    line = " ".join(text.splitlines())
    line = line if len(line) <= most else f"{line[: most // 2]} ... {line[-most // 2 :]}"
    return "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in line)
