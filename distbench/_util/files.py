"""Writes files whole or not at all: readers find the old or the new file, never a part."""

from __future__ import annotations

import contextlib
import glob
import os
import secrets
import stat
import time
from pathlib import Path

__all__ = ["write_problem", "write_whole"]

STALE_SECONDS = 3600.0  # age at which a partial file is left by a killed process: a write takes seconds


def write_problem(path: Path) -> str:
    """Return why a file could not be written, and what to do; empty if no reason is known."""
    if path.is_dir():
        return f"{path} is a folder; name a file"
    folder = next(folder for folder in path.absolute().parents if folder.exists())
    if folder.is_dir() and os.access(folder, os.W_OK | os.X_OK):
        return ""
    return f"{folder} is not a folder that you can write to; choose another"


def write_whole(path: Path, text: str) -> None:
    """Write a text file in place of the old one, or raise OSError and leave the old one unchanged.

    The text goes to a new file in the same folder, which gets the permissions of the old one, is forced to disk, and is
    renamed. Partial files that killed processes left behind are removed by any write that comes at least an hour later.
    A missing folder is made, a link followed. A lone surrogate, which UTF-8 cannot hold, is written as its escape in
    JSON.
    """
    path = path.resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    for part in path.parent.glob(f".{glob.escape(path.name)}.*.part"):
        with contextlib.suppress(OSError):  # another process may have removed it
            if time.time() - part.lstat().st_mtime > STALE_SECONDS:
                part.unlink()
    part = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
    mode = stat.S_IMODE(path.stat().st_mode) & 0o777 if path.exists() else None
    # O_EXCL: fails if the name exists, even as a link, rather than open it.
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666 if mode is None else mode)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
            if mode is not None:
                with contextlib.suppress(OSError):  # a file system without permissions
                    part.chmod(mode)  # undoes the umask
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    with contextlib.suppress(OSError):  # forces the new name to disk if the system can
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
