"""Files that are written whole or not at all: whoever reads one finds the old or the new one, never a part."""

from __future__ import annotations

import contextlib
import os
import platform
import re
from pathlib import Path

__all__ = ["is_gone", "machine", "write_whole"]

HOST_LENGTH = 32


def write_whole(path: Path, text: str) -> None:
    """Write a text file in place of the old one.

    Half of a pair of surrogates, which is no text, is written as the escape that JSON has for it.
    The text goes to a file beside it first, is forced to disk and renamed. What a process that was killed meanwhile
    has left there goes with the next write.

    Parameters
    ----------
    path : Path
        The file; its folder is made where there is none. Of a link, the file that it points to is written.
    text : str
        All of it.

    Raises
    ------
    OSError
        The folder or file cannot be written; the old file, if any, is as it was.
    """
    path = path.resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    _clean(path)
    part = path.with_name(_part_name(path, os.getpid()))
    try:
        with part.open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _part_name(path: Path, process: int | str) -> str:
    # With the machine's name: on a shared folder, a process that is gone here may live elsewhere.
    return f".{path.name}.{machine()}.{process}.part"


def machine() -> str:
    """Return this machine's name, fit for the name of a file."""
    return re.sub(r"\W+", "-", platform.node())[:HOST_LENGTH]


def _clean(path: Path) -> None:
    """Remove what processes of this machine that are gone have left of this file."""
    pattern = re.compile(re.escape(_part_name(path, "PID")).replace("PID", r"(\d+)"))
    for other in path.parent.iterdir():
        found = pattern.fullmatch(other.name)
        if found and is_gone(int(found[1])):
            with contextlib.suppress(OSError):  # another process cleans too, or may not
                other.unlink()


def is_gone(process: int) -> bool:
    """Say whether there is no process of that number on this machine; no where that cannot be asked."""
    if os.name != "posix":  # elsewhere asking may end the process
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        return False
    return False


def _sync_folder(folder: Path) -> None:
    """Force the new name to disk where the system can; the file itself is there already."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
