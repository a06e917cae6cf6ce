"""Writes files whole or not at all: readers find the old or the new file, never a part."""

from __future__ import annotations

import contextlib
import errno
import glob
import os
import secrets
import stat
import sys
import time
from pathlib import Path
from typing import Any

from distbench._util.text import join_names

__all__ = ["is_stream", "kind_of", "os_problem", "read_text", "write_problem", "write_whole"]

KINDS = (
    (stat.S_ISREG, "a file"),
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISSOCK, "a socket"),
)
TEXT: Any = {"encoding": "utf-8", "errors": "backslashreplace", "newline": "\n"}
VIRTUAL = ("/proc", "/sys")
"""Folders of the system that take no new files, whatever their permissions say."""
START_CHARACTERS = 50  # of a file's name; they have at most 200 bytes
SIGN_BYTES = 500  # from the start of a file, in which its sign is looked for
STALE_SECONDS = 3600.0  # a partial file of this age was left by a killed process, since a write takes seconds


def kind_of(path: Path) -> str:
    """Return what a path leads to: a file, a folder, a pipe, a device or a socket; empty if there is nothing."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):  # ValueError: the path has a zero byte
        return ""
    return next((kind for is_kind, kind in KINDS if is_kind(mode)), "a disk")


def os_problem(error: OSError) -> str:
    """Return an error of a file without its number: the file, if it is known, and the reason."""
    return f"{error.filename}: {error.strerror}" if error.filename else error.strerror or str(error)


def is_stream(path: Path) -> bool:
    """Return whether a path is a device, a pipe, or this process's standard output, to which a write adds text."""
    return kind_of(path) in ("a pipe", "a device") or _standard_stream(path) is not None


def write_problem(path: Path, sign: str = "") -> str:
    """Return why a file could not be written, and what to do; empty if no reason is known.

    A file that is not empty and has no `sign` near its start is not replaced: only distbench writes such a sign.
    """
    if is_stream(path):
        return "" if os.access(path, os.W_OK) else f"{path} cannot be written to; name a file"
    if kind_of(path) not in ("", "a file"):
        return f"{path} is {kind_of(path)}; name a file"
    if sign and kind_of(path):
        try:
            with path.open("rb") as file:
                start = file.read(SIGN_BYTES)
        except OSError as error:
            return f"{path} cannot be read ({error.strerror}); name another file"
        if start and sign.encode(errors=TEXT["errors"]) not in start:
            return f"{path} exists and is another kind of file; name another file"
    folder = next(folder for folder in path.absolute().parents if kind_of(folder))
    is_virtual = any(map(folder.resolve().is_relative_to, VIRTUAL))
    if is_virtual or not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        return f"{folder} is not a folder that you can write to; choose another"
    longest, longest_path = (
        os.pathconf(folder, name) if hasattr(os, "pathconf") else most
        for name, most in (("PC_NAME_MAX", 255), ("PC_PATH_MAX", 4096))
    )
    too_long = [part for part in path.parts if len(os.fsencode(part)) > longest]
    if too_long:
        return f"{join_names(too_long)} is longer than {longest} bytes; choose a shorter name"
    if len(os.fsencode(path.absolute())) >= longest_path:
        return f"{str(path)[:START_CHARACTERS]}... is a path of more than {longest_path} bytes; choose a shorter one"
    is_loop = path.is_symlink() and Path(os.path.realpath(path)).is_symlink()
    return f"{path} is a link that leads to itself; name a file" if is_loop else ""


def read_text(path: Path) -> str:
    """Return the text of a file or pipe. Raises OSError for a pipe that nobody writes into, which would have no end."""
    if not path.is_fifo():
        return path.read_text(encoding="utf-8-sig")  # a byte order mark, which some editors write, is no part of it
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # without it, opening waits for somebody who writes
    os.set_blocking(descriptor, True)
    with os.fdopen(descriptor, encoding="utf-8-sig") as file:
        text = file.read()
    if not text:
        raise OSError("nobody writes into this pipe; start its writer first")
    return text


def write_whole(path: Path, text: str) -> None:
    """Write a text file in place of the old one, or raise OSError and leave the old one unchanged.

    The text goes to a new file in the same folder, which gets the permissions of the old one, is forced to disk, and is
    renamed. The function also removes partial files that killed processes left behind at least an hour ago. A missing
    folder is made, and a link is followed. A lone surrogate, which UTF-8 cannot hold, is written as its JSON escape.
    Devices, pipes and standard output are not replaced: the text is written into them.
    """
    try:
        if is_stream(path):
            with os.fdopen(_opened(path), "w", **TEXT) as file:
                file.write(text)
        else:
            _replace(path, text)
    except OSError as error:
        if error.errno:
            error.filename = str(path)  # not that of the partial file, nor none
        raise


def _replace(path: Path, text: str) -> None:
    if kind_of(path) not in ("", "a file"):
        raise OSError(f"{path} is {kind_of(path)}; name a file")
    path = path.resolve()
    start = path.name[:START_CHARACTERS]  # of the partial file's name, which must not become too long
    path.parent.mkdir(parents=True, exist_ok=True)
    for part in path.parent.glob(f".{glob.escape(start)}.*.part"):
        with contextlib.suppress(OSError):  # another process may have removed it
            if time.time() - part.lstat().st_mtime > STALE_SECONDS:
                part.unlink()
    part = path.with_name(f".{start}.{secrets.token_hex(8)}.part")
    mode = stat.S_IMODE(path.stat().st_mode) & 0o777 if path.exists() else None
    # With O_EXCL this fails if the name exists, even as a link, and does not open the existing file.
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666 if mode is None else mode)
    try:
        with os.fdopen(descriptor, "w", **TEXT) as file:
            if mode is not None:
                with contextlib.suppress(OSError):  # the file system may have no permissions
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


def _standard_stream(path: Path) -> int | None:
    """Return the descriptor of this process's standard output or error if a path leads to it, else None."""
    for descriptor in (1, 2):
        with contextlib.suppress(OSError, ValueError):
            if os.path.samestat(path.stat(), os.fstat(descriptor)):
                return descriptor
    return None


def _opened(path: Path) -> int:
    """Return a new descriptor that writes into a device, a pipe or a standard stream."""
    standard = _standard_stream(path)
    if standard is not None:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(AttributeError, OSError, ValueError):  # there is none, or it is closed
                stream.flush()
        return os.dup(standard)
    waits = getattr(os, "O_NONBLOCK", 0)  # without it, opening a pipe that nobody reads would never return
    try:
        descriptor = os.open(path, os.O_WRONLY | waits)
    except OSError as error:
        if error.errno == errno.ENXIO and path.is_fifo():
            raise OSError(error.errno, "nobody reads from this pipe; start its reader first", str(path)) from None
        raise
    if waits:
        os.set_blocking(descriptor, True)
    return descriptor
