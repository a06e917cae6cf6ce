"""The line on versions and machine that every table has, and how a table is written into a page of the docs."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

__all__ = ["machine", "put", "show", "version_of"]


def version_of(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def machine(*packages: str) -> str:
    """Return the versions of these packages and of Python, and a description of the machine."""
    versions = ", ".join(f"{package} {version_of(package)}" for package in packages)
    return (
        f"{versions}, Python {platform.python_version()}, {os.cpu_count()} cores, "
        f"{platform.system()} {platform.machine()}"
    )


def put(page: str, name: str, text: str) -> str:
    """Return a page with text between its comments ``<!-- NAME: begin -->`` and ``<!-- NAME: end -->``."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, found_begin, rest = page.partition(begin)
    _, found_end, after = rest.partition(end)
    if not (found_begin and found_end):
        raise SystemExit(f"the page has no {begin} and {end}; put them on lines of their own")
    return f"{before}{begin}\n{text}\n{end}{after}"


def show(text: str, page: Path | None, name: str) -> None:
    """Write text between the comments of a page, or print it if no page is given."""
    if page is None:
        print(text)
    else:
        page.write_text(put(page.read_text(encoding="utf-8"), name, text), encoding="utf-8")
