"""Imports between packages go one way, also inside functions and for types; private modules stay private."""

from __future__ import annotations

import ast
import sys
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = {
    "distbench": ROOT / "distbench",
    "pytest_distbench": ROOT / "plugin" / "pytest_distbench",
    "distbench_suites": ROOT / "suites" / "distbench_suites",
}
# From the ground up. A package imports those below it, and none beside it.
FLOORS = (
    ("errors", "_version"),
    ("_util",),
    ("inputs",),
    ("engine",),
    ("metrics",),
    ("inference",),
    ("keras",),
    ("encoders",),
    ("baselines", "datasets"),
    ("evaluation",),
    ("results",),
    ("hunting", "render"),
    ("suites",),
    ("cli", "pytest_distbench"),
)
FLOOR = {package: number for number, packages in enumerate(FLOORS) for package in packages}
LOOSE = {"__init__", "__main__", "_version", "errors", "strategies"}
NUMBERS = {"numpy", "scipy", "numba", "threadpoolctl", "llvmlite"}
# The monitor evaluates, so it lives above what it is offered from.
UPWARD_STILL = {("distbench.keras", "distbench.evaluation.keras_monitor")}


@cache
def modules() -> dict[str, Path]:
    """Return the file of each module, by its full name."""
    found = {}
    for top, folder in FOLDERS.items():
        for path in folder.rglob("*.py"):
            name = ".".join([top, *path.relative_to(folder).with_suffix("").parts])
            found[name.removesuffix(".__init__")] = path
    return found


def imported(tree: ast.AST) -> set[str]:
    """Return the full names that a module imports, wherever in it."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {
                full if (full := f"{node.module}.{alias.name}") in modules() else node.module for alias in node.names
            }
    return names


@cache
def arrows() -> dict[str, set[str]]:
    """Return which modules of ours each module imports."""
    found = {}
    for name, path in modules().items():
        names = imported(ast.parse(path.read_text(encoding="utf-8")))
        found[name] = {other for other in names if other in modules()} - {name, "distbench"}
    return found


def package(name: str) -> str:
    """Return the package that a module belongs to, or the loose module itself."""
    top, _, rest = name.partition(".")
    return rest.partition(".")[0] if top == "distbench" else top


def across() -> list[tuple[str, str]]:
    """Return the imports of other packages' modules."""
    pairs = [(module, other) for module, others in arrows().items() for other in others]
    return [(module, other) for module, other in pairs if package(module) and package(module) != package(other)]


def test_every_package_has_its_floor_and_few_files_are_loose():
    assert {package(name) for name in modules()} - {"", *FLOOR} == {"__main__", "distbench_suites", "strategies"}
    assert {path.stem for path in FOLDERS["distbench"].glob("*.py")} == LOOSE


def test_every_package_has_a_docstring():
    for path in modules().values():
        if path.name == "__init__.py":
            assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), path


def test_imports_point_down():
    rooms = [(module, other) for module, other in across() if package(module) in FLOOR]
    climbing = {(module, other) for module, other in rooms if FLOOR[package(other)] >= FLOOR[package(module)]}
    assert climbing == UPWARD_STILL


def test_there_is_no_circle():
    try:
        tuple(TopologicalSorter(arrows()).static_order())
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_no_package_reaches_into_the_private_modules_of_another():
    private = {pair for pair in across() if any(part[0] == "_" for part in pair[1].split(".")[1:] if part != "_util")}
    assert not private


@pytest.mark.parametrize("room", ["engine", "metrics"])
def test_what_measures_knows_numbers_alone(room):
    # the engine shows progress and runs on Dask on request
    allowed = NUMBERS | {"distbench", "dask", "distributed", "tqdm"}
    for name, path in modules().items():
        if package(name) == room:
            others = {full.partition(".")[0] for full in imported(ast.parse(path.read_text(encoding="utf-8")))}
            outside = others - allowed - sys.stdlib_module_names
            assert not outside, name


def test_this_test_sees_a_climb_in_a_function_and_for_types():
    source = (
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from distbench.results.rows import Row\n"
        "def f():\n    from distbench.render import html\n"
    )
    assert {"distbench.results.rows", "distbench.render.html"} <= imported(ast.parse(source))
