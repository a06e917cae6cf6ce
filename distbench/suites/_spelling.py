"""Looks for what ``module:object`` names in the module's source, so that a slip is told before anything runs.

Nothing is imported. What cannot be told from the source (a module that makes its names as it runs, or that is found
only once tests are under way) is left to the import.
"""

from __future__ import annotations

import ast
import importlib.machinery
import sys
from collections.abc import Iterator
from importlib.machinery import ModuleSpec
from pathlib import Path

from distbench._util.text import did_you_mean

__all__ = ["misspelt"]

DYNAMIC = ("__getattr__", "globals", "vars", "exec", "setattr", "__path__", "__class__")


def misspelt(name: str) -> str:
    """Return what is wrong with ``module:object``; nothing where it is right, or where that cannot be told."""
    module, _, path = name.partition(":")
    first = path.partition(".")[0]
    found, without = _found(module)
    if found is None:
        return without
    known = _names(found)
    return f"{module} has no {first!r}; {did_you_mean(first, known)}" if known and first not in known else ""


def _found(module: str) -> tuple[ModuleSpec | None, str]:
    """Return a module's spec; else why there is none, where that is sure."""
    where: list[str] | None = None
    spec: ModuleSpec | None = None
    for number, part in enumerate(parts := module.split(".")):
        full, package = ".".join(parts[: number + 1]), spec
        if full in sys.modules:  # it may have been made, or its folder found, in ways of its own
            spec = sys.modules[full].__spec__
        else:
            try:
                spec = importlib.machinery.PathFinder.find_spec(full, where)
            except (ImportError, ValueError):
                return None, ""
        if spec is None:
            inner = _names(package) if package is not None and package.has_location else []
            return (
                None,
                f"{package.name} has no module {part!r}; {did_you_mean(part, inner)}" if package and inner else "",
            )
        where = None if spec.submodule_search_locations is None else list(spec.submodule_search_locations)
    return spec, ""


def _names(spec: ModuleSpec) -> list[str]:
    """Return all names that a module's source gives to anything, and its modules; none where that may not be all."""
    if spec.origin is None or not spec.origin.endswith(".py"):
        return []
    path = Path(spec.origin)
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (OSError, SyntaxError, ValueError, RecursionError):  # the import tells it better
        return []
    names = set(_given(tree))
    if names & set(DYNAMIC) or "*" in names:
        return []
    if spec.submodule_search_locations is not None:
        names |= {inner.stem for inner in path.parent.iterdir() if inner.suffix == ".py" or inner.is_dir()}
    return sorted(name for name in names if not name.startswith("__"))


def _given(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            if isinstance(node.ctx, ast.Store) or node.id in DYNAMIC:
                yield node.id
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.alias):
            yield node.asname or node.name.partition(".")[0]
        elif isinstance(node, ast.Attribute) and node.attr in DYNAMIC:
            yield node.attr
