"""Which lines and branches of the library its tests run, also in subprocesses, workers and killed processes.

    python benchmarks/coverage_of_tests.py --workers 2          # all tests, those of the night as well
    python benchmarks/coverage_of_tests.py tests/test_cli.py    # some more, added to what is stored
    python benchmarks/coverage_of_tests.py --report             # the tables of what is stored

Compiled kernels are invisible to coverage, so the tests of the kernels run a second time as plain Python
(``NUMBA_DISABLE_JIT=1``), except those that would then take minutes.

Exit code 1: a test failed, or fewer branches were taken than ``--least`` requires.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

from _page import show

ROOT = Path(__file__).parents[1]
PLAIN = ("definitions", "metrics", "engine", "kernels", "formulas", "public_metrics", "signs")
# tests with so many points that plain Python takes minutes
LONG = (
    "many_pairs or scikit_learn or rare_level or shuffled_codes_score or pixels_tie or without_sorting"
    " or to_the_last_bit or sampled"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tests", nargs="*", help="files or folders; default: all, after forgetting what is stored")
    parser.add_argument("--data", default=".coverage-of-tests", help="folder of the stored measurements")
    parser.add_argument("--report", action="store_true", help="only make the tables")
    parser.add_argument("--plain", action="store_true", help="only the tests of the kernels, as plain Python")
    parser.add_argument("--workers", default="0", help="workers of pytest-xdist")
    parser.add_argument("--markdown", type=Path, help="page whose table is written; default: it is printed")
    parser.add_argument("--least", type=float, default=0.0, help="least percentage of branches taken")
    options = parser.parse_args()
    os.chdir(ROOT)
    folder = Path(options.data).absolute()
    folder.mkdir(exist_ok=True)
    os.environ["COVERAGE_FILE"] = str(folder / "data")
    passed = options.report or measure(options, folder)
    coverage("combine", "--append", "--quiet")
    coverage("json", "--quiet", "-o", str(folder / "report.json"))
    report = json.loads((folder / "report.json").read_text())
    print(missed(report))
    show(table(report), options.markdown, "coverage")
    taken = 100 * report["totals"]["covered_branches"] / report["totals"]["num_branches"]
    if taken < options.least:
        print(f"{taken:.1f} % of the branches are taken, at least {options.least} % are asked for")
    sys.exit(0 if passed and taken >= options.least else 1)


def measure(options: argparse.Namespace, folder: Path) -> bool:
    """Run the tests and say whether all passed."""
    everything = not (options.tests or options.plain)
    if everything:
        for file in folder.glob("data*"):
            file.unlink()
    passed = True
    if not options.plain:
        passed = measured([*(options.tests or ["tests"]), "-n", options.workers])
    if everything or options.plain:
        files = [f"tests/test_{name}.py" for name in PLAIN]
        passed &= measured([*files, "-o", "filterwarnings=ignore", "-k", f"not ({LONG})"], NUMBA_DISABLE_JIT="1")
    return passed


def measured(arguments: list[str], **environment: str) -> bool:
    """Run pytest under coverage and say whether all tests passed; a failed one does not end the measurement."""
    pytest = ["pytest", "-q", "-m", "", "-p", "no:cacheprovider", "-p", "benchmarks._saving", "--dist", "worksteal"]
    command = [sys.executable, "-m", "coverage", "run", "-m", *pytest, *arguments]
    return subprocess.run(command, env={**os.environ, **environment}, check=False).returncode == 0


def coverage(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "coverage", *arguments], check=False)


def table(report: dict[str, Any]) -> str:
    """Return what is covered, folder by folder."""
    folders: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for path, covered in report["files"].items():
        summary = covered["summary"]
        keys = "num_statements", "covered_lines", "num_branches", "covered_branches"
        for name in (str(Path(path).parent), "all"):
            folders[name] = [total + summary[key] for total, key in zip(folders[name], keys, strict=True)]
    lines = ["| folder | lines | run | branches | taken | both |", "| --- | --: | --: | --: | --: | --: |"]
    for name in sorted(folders, key=lambda name: (name == "all", name)):
        n, run, branches, taken = folders[name]
        share = (run + taken) / max(1, n + branches)
        name = "**all**" if name == "all" else f"`{name}`"
        lines.append(f"| {name} | {n:,} | {run:,} | {branches:,} | {taken:,} | {share:.1%} |")
    lines += ["", f"{folders['all'][3] / max(1, folders['all'][2]):.1%} of the branches are taken."]
    return "\n".join(lines)


def missed(report: dict[str, Any]) -> str:
    """Return the lines and branches that no test runs, file by file."""
    lines = []
    for path, covered in sorted(report["files"].items()):
        numbers = [str(line) for line in covered["missing_lines"]]
        numbers += [
            f"{start} -> {'end' if stop < 0 else stop}"
            for start, stop in covered["missing_branches"]
            if start not in covered["missing_lines"] and stop not in covered["missing_lines"]
        ]
        if numbers:
            lines.append(f"{path}: {', '.join(numbers)}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
