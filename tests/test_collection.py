"""Collecting the tests loads no package that takes seconds to load, since every test process collects them."""

from __future__ import annotations

import os
from pathlib import Path

import warm

# tests/frameworks.py has names that load some of them when a test first uses them. pandas and pyarrow are missing here,
# because scikit-learn loads them if they are installed.
HEAVY = (
    *("dask", "distributed", "h5py", "jax", "keras", "matplotlib", "onnxruntime", "polars", "selenium"),
    *("tensorflow", "torch", "umap", "zarr"),
)
CODE = f"""
import importlib.machinery
import sys
import pytest

failures = []

class Refused:
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return importlib.machinery.ModuleSpec(name, cls) if name in {HEAVY} else None

    @staticmethod
    def create_module(spec):
        raise ImportError(f"{{spec.name}} takes seconds to load; see tests/frameworks.py")

    exec_module = create_module

class Modules:
    def pytest_collectreport(self, report):
        if not report.passed:  # a module is skipped as a whole if an import failed
            failures.append(f"{{report.nodeid}}: {{report.longrepr}}")

sys.meta_path.insert(0, Refused)
options = "--collect-only -qq -p no:cacheprovider {warm.OTHERS} tests".split()
code = pytest.main(options, plugins=[Modules()])
sys.exit("\\n".join(failures) or code)
"""


def test_no_test_module_imports_what_takes_seconds_to_load(tmp_path):
    out, errors = tmp_path / "out", tmp_path / "errors"
    environment = {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}
    folder = str(Path(__file__).parents[1])
    order = warm.Order((), folder, environment, str(out), str(errors), warm.clean_path(), code=CODE)
    assert (warm.Run(order).wait(120), errors.read_text()) == (0, "")
    assert f"tests/{Path(__file__).name}: 1" in out.read_text().splitlines()
