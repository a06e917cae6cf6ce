"""Neither collecting the tests nor cheap calls of the library load packages that take seconds to load."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
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
    assert f"tests/{Path(__file__).name}: " in out.read_text()


@pytest.mark.parametrize(
    ("code", "heavy"),
    [
        ("from distbench.baselines import BASELINES as b; assert 'umap' in list(b)", "numpy scipy keras sklearn umap"),
        ("from distbench.datasets import DATASETS; assert len(DATASETS) == 6", "numpy"),
        ("from distbench.datasets import load_dataset; load_dataset('tokens')", "wordllama tokenizers requests"),
        ("from distbench.encoders import as_encoder as e; e(lambda x: x).encode([[1]])", "keras torch pandas scipy"),
        ("from distbench.results import environment as e; assert 'blas' not in e.environment()", "numpy subprocess"),
        ("from distbench.cli import main; main(['--help'], standalone_mode=False)", "numpy scipy"),
    ],
    ids=["names of baselines", "names of data sets", "tokens", "encoders", "environment", "help"],
)
def test_cheap_calls_load_nothing_heavy(code, heavy):
    code = f"import sys\n{code}\nsys.exit(' '.join({set(heavy.split())} & set(sys.modules)) or 0)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
