"""The hash of a recipe: it changes when code that its fits rest on changes, and says so without running any.

Source text is hashed, not syntax trees, whose form changes between versions of Python. Keras is never imported.
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
from pathlib import Path
from typing import Any

from distbench.errors import InputError

__all__ = ["plain_source", "recipe_hash"]

FOLLOWED = ("distbench.baselines", "distbench.keras")
"""Packages whose modules are part of the recipes that import them."""
MACHINERY = ("__init__", "_recipe", "_require", "registered")
"""Modules of theirs that find and check recipes, and change no fit."""
BY_NAME = ("BASELINES", "fit_baseline")
"""What gives recipes by their names: whoever imports one may rest on any baseline."""
PARTS = "_MODULES"
"""The table in distbench.keras that says which module a name lives in."""


def recipe_hash(name: str, options: Mapping[str, Any] | None = None) -> str:
    """Return a hash of a recipe's code and options.

    The code is that of the recipe's module and of all modules of ``distbench.baselines`` and ``distbench.keras`` that
    it imports, directly or through others, inside functions too; without comments, docstrings and blank lines. Other
    modules that a recipe of your own imports are not looked at.

    Parameters
    ----------
    name : str
        A baseline, or ``module:object``.
    options : mapping of str to any, optional
        What is handed to the recipe's ``fit`` by name.

    Returns
    -------
    str
        SHA-256, as 64 hexadecimal digits; the same on every system and version of Python.

    Raises
    ------
    InputError
        The recipe is unknown, or its source cannot be read.
    """
    module, _, _ = name.partition(":")
    first = module if ":" in name else _home(name)
    sources = {one: _module(one).source for one in sorted(_reached(first))}
    try:
        told = json.dumps({"recipe": name, "options": dict(options or {}), "code": sources}, sort_keys=True)
    except TypeError as error:
        raise InputError("options", str(error), "give text, numbers, lists and tables") from None
    return sha256(told.encode()).hexdigest()


def plain_source(source: str) -> str:
    """Return Python source without comments, docstrings, blank lines and blanks at the ends of lines."""
    lines = list(io.StringIO(source))  # as the parser counts lines
    for start, end in sorted([*_comments(source), *_docstrings(source)], reverse=True):
        (row, column), (last_row, last_column) = start, end
        lines[row - 1 : last_row] = [lines[row - 1][:column] + lines[last_row - 1][last_column:]]
    kept = (line.rstrip() for line in "".join(lines).split("\n"))
    return "\n".join(line for line in kept if line)


@dataclass(frozen=True)
class _Module:
    source: str
    imports: frozenset[str]


Span = tuple[tuple[int, int], tuple[int, int]]


def _comments(source: str) -> Iterator[Span]:
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start, token.end


def _docstrings(source: str) -> Iterator[Span]:
    lines = list(io.StringIO(source))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = node.body[0] if ast.get_docstring(node, clean=False) is not None else None
            if text is not None and text.end_lineno is not None and text.end_col_offset is not None:
                end = text.end_lineno, _characters(lines[text.end_lineno - 1], text.end_col_offset)
                yield (text.lineno, _characters(lines[text.lineno - 1], text.col_offset)), end


def _characters(line: str, octets: int) -> int:
    """Return how many characters so many bytes are: syntax trees count the bytes of UTF-8."""
    return len(line.encode()[:octets].decode())


def _home(name: str) -> str:
    from distbench.baselines import BASELINES

    if name not in BASELINES:
        raise InputError("recipe", BASELINES.hint(name))
    return str(BASELINES[name].run.__module__)


def _reached(first: str) -> set[str]:
    """Return a module and all that it rests on."""
    reached, waiting = set(), [first]
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += _module(name).imports
    return reached


def _module(name: str) -> _Module:
    """Return a module by its full name, found but not imported; its packages are."""
    try:
        found = importlib.util.find_spec(name)
    except (ImportError, ValueError) as error:
        raise InputError("recipe", f"{name} cannot be found ({error})") from error
    if found is None or found.origin is None or not found.origin.endswith(".py"):
        raise InputError("recipe", f"{name} has no Python source that could be hashed")
    return _read(name, found.origin, Path(found.origin).stat().st_mtime_ns)


@cache
def _read(name: str, path: str, changed: int) -> _Module:
    try:
        source = Path(path).read_text(encoding="utf-8")
        tree = ast.parse(source)
    except (OSError, SyntaxError, UnicodeDecodeError) as error:
        raise InputError("recipe", f"the source of {name} cannot be read ({error})") from error
    return _Module(plain_source(source), frozenset(_imports(tree, name, is_package=path.endswith("__init__.py"))))


def _imports(tree: ast.AST, name: str, *, is_package: bool) -> Iterator[str]:
    """Yield the modules of FOLLOWED that a module imports anywhere, but for type checkers alone."""
    running = list(_running(tree))
    ours = {
        "distbench",
        *(
            one.asname
            for node in running
            if isinstance(node, ast.Import)
            for one in node.names
            if one.name == "distbench" and one.asname
        ),
    }
    for node in running:
        if isinstance(node, ast.Import):
            for one in node.names:
                yield from _resolved(one.name, None)
        elif isinstance(node, ast.ImportFrom):
            package = name if is_package else name.rpartition(".")[0]
            for _ in range(node.level - 1):
                package = package.rpartition(".")[0]
            origin = ".".join(part for part in (package if node.level else "", node.module) if part)
            for one in node.names:
                yield from _resolved(origin, one.name)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in ours:
            yield from _resolved(f"distbench.{node.attr}", None)


def _running(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            for other in node.orelse:
                yield from (other, *_running(other))
            continue
        yield node
        yield from _running(node)


def _resolved(origin: str, name: str | None) -> Iterator[str]:
    """Yield what ``import origin`` or ``from origin import name`` brings of the followed packages."""
    if origin == "distbench" and name is not None:
        origin, name = f"distbench.{name}", None
    if origin.removeprefix("distbench.") in BY_NAME or (name in BY_NAME and origin.startswith(FOLLOWED)):
        yield from _members("distbench.baselines", None)
    elif origin in FOLLOWED:
        yield from _members(origin, name)
    elif origin.rpartition(".")[0] in FOLLOWED and origin.rpartition(".")[2] not in MACHINERY:
        yield origin


def _members(package: str, name: str | None) -> Iterator[str]:
    """Yield the module that a name of a package stands for; all of the package where none is named."""
    files = {path.stem for path in _folder(package).glob("*.py")} - set(MACHINERY)
    parts = _parts(package)
    if name is None or name == "*":
        yield from (f"{package}.{part}" for part in (sorted(set(parts.values())) if parts else sorted(files)))
    elif name in parts:
        yield f"{package}.{parts[name]}"
    elif name in files:
        yield f"{package}.{name}"


@cache
def _folder(package: str) -> Path:
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        raise InputError("recipe", f"the source of {package} cannot be found")
    return Path(found.origin).parent


@cache
def _parts(package: str) -> dict[str, str]:
    """Return a package's table of names and the modules they live in, read off its source."""
    tree = ast.parse((_folder(package) / "__init__.py").read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(target, ast.Name) and target.id == PARTS for target in targets):
                return dict(ast.literal_eval(node.value))
    return {}
