"""``distbench suites``: list the suites of distbench and a user's suites."""

from __future__ import annotations

import importlib.util
import shlex
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from distbench.cli._common import PATH, CannotDo, Command, errors_as_lines, json_option, width_option

if TYPE_CHECKING:
    from distbench.suites.suite import Suite

__all__ = ["command"]

SHIPPED = "distbench_suites"


@click.command("suites", cls=Command, examples=["distbench suites", "distbench suites my_suites my_suite.toml"])
@click.argument("paths", nargs=-1, type=PATH)
@json_option
@width_option
def command(paths: tuple[Path, ...], as_json: bool, width: int | None) -> None:
    """List suites and how to run them.

    Without PATHS, the suites of distbench and of this folder are listed. With PATHS, the suites in these files and
    folders are listed. Nothing that a suite names is imported.
    """
    from distbench.cli._lists import print_list

    with errors_as_lines():
        entries, mistakes = _entries(paths)
    print_list("suites", entries, mistakes, _lines, as_json, width, mistake="Error")
    if mistakes:
        sys.exit(CannotDo.exit_code)


def _entries(paths: tuple[Path, ...]) -> tuple[list[dict[str, Any]], list[str]]:
    """Return an entry for each suite, and the errors of files that cannot be read."""
    from distbench.errors import SuiteError
    from distbench.suites.check_names import check_suite
    from distbench.suites.reader import read_suite

    entries, mistakes = [], []
    for path, shipped in _files(paths):
        try:
            suite = read_suite(path)
            check_suite(suite)
        except SuiteError as error:
            mistakes.append(" ".join(str(error).split()))
        else:
            entries.append(_entry(suite, shipped))
    return entries, mistakes


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
            problem = (
                "no suite files" if path.is_dir() else "no suite file; the first line of a suite file is distbench = 1"
            )
            raise CannotDo(f"{path}: {problem if path.exists() else 'no such file'}")
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


def _lines(entry: Mapping[str, Any]) -> list[str]:
    code_sizes = ", ".join(map(str, entry["code_sizes"])) or "none"
    return [
        entry["question"],
        f"data sets: {', '.join(entry['datasets'])}",
        f"code sizes: {code_sizes}; seeds: {', '.join(map(str, entry['seeds']))}",
        f"encoders ({len(entry['encoders'])}): {', '.join(entry['encoders'])}" if entry["encoders"] else "",
        f"claims: {entry['claims']}" if entry["claims"] else "",
        f"run: {entry['run']}",
    ]
