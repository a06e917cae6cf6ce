"""The hash of a recipe: it changes if the code that its fits depend on changes. The code is not run.

Source text is hashed, because syntax trees differ between versions of Python. Keras is never imported.
"""

from __future__ import annotations

import ast
import importlib.util
import io
import json
import tokenize
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from typing import Any

from distbench.errors import InputError

__all__ = ["followed_imports", "plain_source", "recipe_hash", "sources"]

FOLLOWED = ("distbench.baselines", "distbench.keras")
"""Packages whose modules count as code of the recipes that import them."""
MACHINERY = ("__init__", "_recipe")
"""Modules of these packages that find and check recipes, but change no fit."""
BY_NAME = ("BASELINES", "fit_baseline")
"""Names that look recipes up: a recipe that imports one of them may use any baseline."""

Span = tuple[tuple[int, int], tuple[int, int]]


def recipe_hash(name: str, options: Mapping[str, Any] | None = None) -> str:
    """Return a SHA-256 hash of a recipe's code and options, the same on every system and version of Python.

    The code is the source of the recipe's module and of all modules of ``distbench.baselines`` and ``distbench.keras``
    that it imports, directly or indirectly, also inside functions; without comments, docstrings and blank lines. Other
    modules are left out. Raises InputError if the recipe is unknown or has no source.
    """
    from distbench.baselines import BASELINES

    module = name.partition(":")[0]
    if ":" not in name:
        if name not in BASELINES:
            raise InputError("recipe", BASELINES.hint(name))
        module = BASELINES[name].run.__module__
    try:
        hashed = json.dumps({"recipe": name, "options": dict(options or {}), "code": sources(module)}, sort_keys=True)
    except TypeError as error:
        raise InputError("options", f"{error}", "give text, numbers, lists and tables") from None
    return sha256(hashed.encode()).hexdigest()


def sources(module: str) -> dict[str, str]:
    """Return the plain source of a recipe's module and of all followed modules that it imports, by full name."""
    reached: dict[str, _Module] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached[name] = _module(name)
            waiting += reached[name].imports
    return {name: reached[name].source for name in sorted(reached)}


def plain_source(source: str) -> str:
    """Return Python source without comments, docstrings, blank lines and trailing spaces."""
    lines = list(io.StringIO(source))  # splits lines as the parser does
    for start, end in sorted([*_comments(source), *_docstrings(source)], reverse=True):
        (row, column), (last_row, last_column) = start, end
        lines[row - 1 : last_row] = [lines[row - 1][:column] + lines[last_row - 1][last_column:]]
    kept = (line.rstrip() for line in "".join(lines).split("\n"))
    return "\n".join(line for line in kept if line)


def _comments(source: str) -> Iterator[Span]:
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start, token.end


def _docstrings(source: str) -> Iterator[Span]:
    lines = list(io.StringIO(source))

    def position(row: int, octets: int) -> tuple[int, int]:
        return row, len(lines[row - 1].encode()[:octets].decode())  # syntax trees count the bytes of UTF-8

    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = node.body[0] if ast.get_docstring(node, clean=False) is not None else None
            if text is not None and text.end_lineno is not None and text.end_col_offset is not None:
                yield position(text.lineno, text.col_offset), position(text.end_lineno, text.end_col_offset)


@dataclass(frozen=True)
class _Module:
    source: str
    imports: frozenset[str]


def _module(name: str) -> _Module:
    """Return a module by its full name without importing it."""
    try:
        spec = _spec(name)
    except (ImportError, ValueError) as error:
        raise InputError("recipe", f"{name} cannot be found ({error})") from error
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        raise InputError("recipe", f"{name} has no Python source that could be hashed")
    return _read(name, spec.origin, Path(spec.origin).stat().st_mtime_ns)


def _spec(name: str) -> ModuleSpec | None:
    """Find a module; its parent packages are imported, except those of FOLLOWED: one of them imports Keras."""
    package = name.rpartition(".")[0]
    if package not in FOLLOWED:
        return importlib.util.find_spec(name)
    parent = importlib.util.find_spec(package)
    return parent and PathFinder.find_spec(name, parent.submodule_search_locations)


@cache
def _read(name: str, path: str, changed: int) -> _Module:
    try:
        source = Path(path).read_text(encoding="utf-8")
        tree = ast.parse(source)
    except (OSError, SyntaxError, UnicodeDecodeError) as error:
        raise InputError("recipe", f"the source of {name} cannot be read ({error})") from error
    package = name if path.endswith("__init__.py") else name.rpartition(".")[0]
    return _Module(plain_source(source), frozenset(followed_imports(tree, package)))


def followed_imports(tree: ast.AST, package: str) -> Iterator[str]:
    """Yield the modules of FOLLOWED that a module of `package` imports anywhere, except under TYPE_CHECKING."""
    nodes = list(_executed(tree))
    names = [alias for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    aliases = {"distbench"} | {alias.asname for alias in names if alias.name == "distbench"}
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _followed(alias.name, None)
        elif isinstance(node, ast.ImportFrom):
            origin = node.module or ""
            if node.level:
                origin = importlib.util.resolve_name("." * node.level + origin, package)
            for alias in node.names:
                yield from _followed(origin, alias.name)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in aliases:
            yield from _followed(f"distbench.{node.attr}", None)


def _executed(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            for other in node.orelse:
                yield from (other, *_executed(other))
            continue
        yield node
        yield from _executed(node)


def _followed(origin: str, name: str | None) -> Iterator[str]:
    """Yield the modules of FOLLOWED that ``import origin`` or ``from origin import name`` imports."""
    if origin == "distbench" and name is not None:
        origin, name = f"distbench.{name}", None
    if origin.removeprefix("distbench.") in BY_NAME or (name in BY_NAME and origin.startswith(FOLLOWED)):
        origin, name = "distbench.baselines", None
    if origin in FOLLOWED:
        files, parts = _modules_of(origin)
        if name is None or name == "*":
            yield from (f"{origin}.{module}" for module in set(parts.values()) or files)
        elif name in parts:
            yield f"{origin}.{parts[name]}"
        elif name in files:
            yield f"{origin}.{name}"
    elif origin.rpartition(".")[0] in FOLLOWED and origin.rpartition(".")[2] not in MACHINERY:
        yield origin


@cache
def _modules_of(package: str) -> tuple[set[str], dict[str, str]]:
    """Return the names of a package's modules, and from which of them it takes each of its public names."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise InputError("recipe", f"the source of {package} cannot be found")
    files = {path.stem for path in Path(spec.origin).parent.glob("*.py")} - set(MACHINERY)
    parts: dict[str, str] = {}
    for node in _executed(ast.parse(Path(spec.origin).read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            parent, _, module = node.module.rpartition(".")
            if parent == package and module in files:
                parts |= {alias.asname or alias.name: module for alias in node.names}
    return files, parts
