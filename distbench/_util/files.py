"""Files that are written whole or not at all: whoever reads one finds the old or the new one, never a part."""

from __future__ import annotations

import contextlib
import os
import platform
import re
import secrets
import stat
import time
from pathlib import Path

__all__ = ["is_gone", "machine", "write_whole"]

HOST_LENGTH = 32
LEFT = 3600.0
"""Seconds after which a part of a process that is gone is a leftover. In another container with the same folder and
machine's name a process may live whose number says nothing here."""


def write_whole(path: Path, text: str) -> None:
    """Write a text file in place of the old one.

    Half of a pair of surrogates, which is no text, is written as the escape that JSON has for it.
    The text goes to a new file beside it first, with the rights of the old one, is forced to disk and renamed. What a
    process that was killed meanwhile has left there goes with the next write after an hour.

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
    part = path.with_name(_part_name(path, os.getpid(), secrets.token_hex(4)))
    descriptor = _open_new(part, like=path)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _open_new(part: Path, like: Path) -> int:
    """Open a file that is not there yet, with the rights of the old one; none that is there is followed."""
    try:
        mode = stat.S_IMODE(like.stat().st_mode) & 0o777
    except OSError:
        mode = None
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
    descriptor = os.open(part, flags, 0o666 if mode is None else mode)
    if mode is not None and hasattr(os, "fchmod"):
        with contextlib.suppress(OSError):  # a file system without rights
            os.fchmod(descriptor, mode)  # what the umask has taken away
    return descriptor


def _part_name(path: Path, process: int | str, word: str) -> str:
    # With the machine's name: on a shared folder, a process that is gone here may live elsewhere.
    return f".{path.name}.{machine()}.{process}.{word}.part"


def machine() -> str:
    """Return this machine's name, fit for the name of a file."""
    return re.sub(r"\W+", "-", platform.node())[:HOST_LENGTH]


def _clean(path: Path) -> None:
    """Remove what processes of this machine that are gone have left of this file."""
    start = re.escape(f".{path.name}.{machine()}.")
    pattern = re.compile(rf"{start}(\d+)\.[0-9a-f]{{8}}\.part")
    for other in path.parent.iterdir():
        found = pattern.fullmatch(other.name)
        if found and is_gone(int(found[1])):
            with contextlib.suppress(OSError):  # another process cleans too, or may not
                if time.time() - other.lstat().st_mtime > LEFT:
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
