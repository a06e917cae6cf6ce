"""Which lines and branches of the library do its tests run? Subprocesses, workers and killed processes counted.

    python benchmarks/coverage_of_tests.py --workers 2          # all tests: twice as long as a plain run
    python benchmarks/coverage_of_tests.py tests/test_cli.py    # some more, added to what is stored
    python benchmarks/coverage_of_tests.py --report             # the table of what is stored

Compiled kernels are invisible to coverage, so the tests of the kernels run a second time as plain Python
(``NUMBA_DISABLE_JIT=1``), but for those that take minutes then.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PLAIN = (
    "extra_metrics",
    "small_clouds",
    "kernels",
    "formulas",
    "public_metrics",
    "engine",
    "metrics",
    "signs",
    "floors",
)
# tests with so many points that plain Python takes minutes
LONG = (
    "many_pairs or scikit_learn or rare_level or train_points_differ or pixels_tie or without_sorting"
    " or to_the_last_bit or rank_as_by_differences or both_paths or size_of_block or isometry or sampled or largest"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tests", nargs="*", help="files or folders; default: all, after forgetting what is stored")
    parser.add_argument("--data", default=".coverage-of-tests", help="folder of what is measured")
    parser.add_argument("--report", action="store_true", help="only print the table")
    parser.add_argument("--plain", action="store_true", help="only the tests of the kernels, as plain Python")
    parser.add_argument("--workers", default="0", help="of pytest-xdist")
    options = parser.parse_args()
    os.chdir(ROOT)
    folder = Path(options.data).absolute()
    folder.mkdir(exist_ok=True)
    os.environ["COVERAGE_FILE"] = str(folder / "data")
    if not options.report:
        if not (options.tests or options.plain):
            for file in folder.glob("data*"):
                file.unlink()
        if not options.plain:
            measured([*(options.tests or ["tests"]), "-n", options.workers])
        if options.plain or not options.tests:
            files = [f"tests/test_{name}.py" for name in PLAIN if Path(f"tests/test_{name}.py").exists()]
            measured([*files, "-o", "filterwarnings=ignore", "-k", f"not ({LONG})"], NUMBA_DISABLE_JIT="1")
    coverage("combine", "--append", "--quiet")
    coverage("report", "--skip-covered", "--show-missing")


def measured(arguments: list[str], **environment: str) -> None:
    """Run pytest under coverage; a failed test is shown, and does not end the measurement."""
    command = [sys.executable, "-m", "coverage", "run", "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    subprocess.run(command, env={**os.environ, **environment}, check=False)


def coverage(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "coverage", *arguments], check=False)


if __name__ == "__main__":
    main()
