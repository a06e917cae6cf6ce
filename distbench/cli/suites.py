"""``distbench suites``: the suites that ship with distbench, and a user's own."""

from __future__ import annotations

import importlib.util
import shlex
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from distbench.cli._common import (
    PATH,
    CannotDo,
    Command,
    json_option,
    print_document,
    print_text,
    told,
    width_option,
    width_or,
)

if TYPE_CHECKING:
    from distbench.suites.model import Suite

__all__ = ["command"]

SHIPPED = "distbench_suites"


@click.command("suites", cls=Command, examples=["distbench suites", "distbench suites my_suites my_suite.toml"])
@click.argument("paths", nargs=-1, type=PATH)
@json_option
@width_option
def command(paths: tuple[Path, ...], as_json: bool, width: int | None) -> None:
    """List suites and how to run them.

    Without PATHS those that ship with distbench, and the suite files of this folder; else those of these files and
    folders. Nothing that a suite names is imported.
    """
    with told():
        found, wrong = _found(paths)
    if as_json:
        print_document({"suites": found, "mistakes": wrong})
    else:
        from distbench.cli._lists import listing

        print_text(listing([(one["name"], _lines(one)) for one in found], width_or(width)))
    for mistake in wrong:
        click.echo(f"Error: {mistake}", err=True)
    if wrong:
        sys.exit(2)


def _found(paths: Iterable[Path]) -> tuple[list[dict[str, Any]], list[str]]:
    """Return what suites say, and what is wrong with those that cannot be read."""
    from distbench.errors import SuiteError
    from distbench.suites.names import check_suite
    from distbench.suites.reader import read_suite

    found, wrong = [], []
    for path, shipped in _files(tuple(paths)):
        try:
            suite = read_suite(path)
            check_suite(suite)
        except SuiteError as error:
            wrong.append(" ".join(str(error).split()))
        else:
            found.append(_entry(suite, shipped))
    return found, wrong


def _files(paths: tuple[Path, ...]) -> Iterator[tuple[Path, bool]]:
    from distbench.suites.detect import is_suite

    if not paths:
        spec = importlib.util.find_spec(SHIPPED)
        for folder in (spec.submodule_search_locations or []) if spec else []:
            yield from ((path, True) for path in sorted(Path(folder).glob("*.toml")))
    for path in paths or (Path(),):
        files = sorted(path.glob("*.toml")) if path.is_dir() else [path]
        suites = [file for file in files if is_suite(file)]
        if paths and not suites:
            what = "no suite files" if path.is_dir() else "no suite file: distbench = 1 is its first line"
            raise CannotDo(f"{path}: {what if path.exists() else 'no such file'}")
        yield from ((file, False) for file in suites)


def _entry(suite: Suite, shipped: bool) -> dict[str, Any]:
    claims = [claim.dataset for claim in suite.claims]
    return {
        "name": suite.name,
        "question": suite.question,
        "path": str(suite.path),
        "shipped": shipped,
        "datasets": list(dict.fromkeys([suite.dataset, *claims])),
        "code_sizes": list(suite.code_sizes),
        "seeds": list(suite.seeds),
        "encoders": [encoder.name for encoder in suite.encoders],
        "claims": len(suite.claims),
        "run": f"pytest --distbench {shlex.quote(str(suite.path))}",
    }


def _lines(one: dict[str, Any]) -> list[str]:
    numbers = ", ".join(map(str, one["code_sizes"])) or "none of its own"
    return [
        one["question"],
        f"data sets: {', '.join(one['datasets'])}",
        f"code sizes: {numbers}; seeds: {', '.join(map(str, one['seeds']))}",
        f"encoders ({len(one['encoders'])}): {', '.join(one['encoders'])}" if one["encoders"] else "",
        f"claims: {one['claims']}" if one["claims"] else "",
        f"run: {one['run']}",
    ]
