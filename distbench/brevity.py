"""Messages of one line that are not too long, whatever stands in the file that they speak of."""

from __future__ import annotations

from pathlib import Path

__all__ = ["raised", "shortened"]


def shortened(text: str, most: int = 400) -> str:
    """Return a message as one line of so many characters: its middle goes, for its end says what to do."""
    line = " ".join(text.splitlines())
    line = line if len(line) <= most else f"{line[: most // 2]} ... {line[-most // 2 :]}"
    return "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in line)


def raised(error: BaseException) -> str:
    """Return what a user's code raised, and where."""
    import traceback

    frames = traceback.extract_tb(error.__traceback__)
    place = f" (at {Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    return shortened(f"raised {type(error).__name__}: {error}{place}")
