"""Mutants: every small change that cosmic-ray's operators make to a module, except those that no test should detect."""

from __future__ import annotations

import ast
import random
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from types import CodeType

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.operators.provider import OperatorProvider

__all__ = ["FOLDERS", "Mutant", "all_mutants", "changed_functions", "mutated", "spread"]

ROOT = Path(__file__).parents[1]
FOLDERS = ("distbench/metrics", "distbench/engine", "distbench/inference")
LEFT_OUT = {"distbench/engine/parallel/executors.py"}  # needs a Dask cluster, which takes seconds to start
OPERATORS = OperatorProvider()
NAMES = [name for name in OPERATORS if not name.startswith("Variable")]  # those two need names to put in
COMPILERS = {"kernel", "inner", "counting"}  # decorators that only make a function fast


@dataclass(frozen=True)
class Mutant:
    """One change: the n-th place at which an operator can change a module."""

    path: str
    operator: str
    occurrence: int
    line: int
    column: int

    @property
    def key(self) -> str:
        """Its name in stored outcomes."""
        return f"{self.path}:{self.line}:{self.column}:{self.operator}:{self.occurrence}"

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


@cache
def source(path: str) -> str:
    return (ROOT / path).read_text()


def mutated(mutant: Mutant) -> str:
    """Return the module's text with the change."""
    text = mutate_code(source(mutant.path), OPERATORS[mutant.operator](), mutant.occurrence)
    assert text is not None, mutant
    return str(text)


def all_mutants() -> list[Mutant]:
    """Return all mutants of the three folders, module by module."""
    paths = sorted(str(path.relative_to(ROOT)) for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
    return [mutant for path in paths if path not in LEFT_OUT for mutant in _of_module(path)]


def _of_module(path: str) -> Iterator[Mutant]:
    nodes, left_out = list(ast_nodes(get_ast(source(path)))), _left_out(path)
    for name in NAMES:
        operator, occurrence = OPERATORS[name](), 0
        for node in nodes:
            for (line, column), _ in operator.mutation_positions(node):
                if not any(start <= (line, column) < stop for start, stop in left_out):
                    yield Mutant(path, name, occurrence, line, column)
                occurrence += 1


Place = tuple[int, int]


def _left_out(path: str) -> list[tuple[Place, Place]]:
    """Return the places of annotations, names of types, decorators that compile, and texts of errors."""
    found: list[ast.expr] = []
    for node in ast.walk(ast.parse(source(path))):
        if isinstance(node, ast.FunctionDef):
            found += [node.returns] if node.returns else []
            found += [one for one in node.decorator_list if isinstance(one, ast.Name) and one.id in COMPILERS]
        elif isinstance(node, ast.arg | ast.AnnAssign):
            found += [node.annotation] if node.annotation else []
        elif isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called.endswith("Error"):
                found += node.args
            if called in ("TypeVar", "cast"):
                found += node.args[:1]
    # a decorator's "@" stands one column before it
    return [
        ((one.lineno, one.col_offset - 1), (one.end_lineno or one.lineno, one.end_col_offset or 0)) for one in found
    ]


def spread(mutants: list[Mutant], seed: int) -> list[Mutant]:
    """Return the mutants shuffled so that any first part of the list covers modules in proportion to their sizes."""
    rng = random.Random(seed)
    by_module: dict[str, list[Mutant]] = {}
    for mutant in mutants:
        by_module.setdefault(mutant.path, []).append(mutant)
    placed: list[tuple[float, str, Mutant]] = []
    for path, own in by_module.items():
        rng.shuffle(own)
        shift = rng.random()
        placed += [((place + shift) / len(own), path, mutant) for place, mutant in enumerate(own)]
    return [mutant for _, _, mutant in sorted(placed, key=lambda one: one[:2])]


def _own(code: CodeType) -> tuple[object, ...]:
    plain = tuple((type(value), value) for value in code.co_consts if not isinstance(value, CodeType))
    return code.co_code, plain, code.co_names, code.co_varnames, code.co_freevars, code.co_exceptiontable


def changed_functions(path: str, text: str) -> list[tuple[CodeType, CodeType]] | None:
    """Return the functions that differ, old and new; None if code that runs at import differs.

    Raises SyntaxError if the text is not valid Python.
    """
    old, new = (compile(one, str(ROOT / path), "exec", dont_inherit=True) for one in (source(path), text))
    return _differing(old, new, inside=False)


def _differing(old: CodeType, new: CodeType, inside: bool) -> list[tuple[CodeType, CodeType]] | None:
    nested = [[value for value in code.co_consts if isinstance(value, CodeType)] for code in (old, new)]
    same_shape = [one.co_name for one in nested[0]] == [one.co_name for one in nested[1]]
    if _own(old) != _own(new) or not same_shape:
        return [(old, new)] if inside else None
    found: list[tuple[CodeType, CodeType]] = []
    for one, other in zip(*nested, strict=True):
        below = _differing(one, other, inside=bool(one.co_flags & 0x2) and one.co_name[0] != "<")
        if below is None:
            return [(old, new)] if inside else None
        found += [(old, new)] if below and inside else below
    return found
