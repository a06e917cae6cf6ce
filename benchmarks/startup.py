"""What the plugin costs a project that has no distbench tests: pytest with it and without it, in turn.

    python benchmarks/startup.py --runs 30

Each pair is the same command with and without ``-p no:distbench``; the order changes from pair to pair. Each side of
a pair is the quickest of five fresh processes, since other work of the machine only slows it down. All other plugins
are off on both sides, since modules that they also load would seem to cost nothing. The table shows medians over the
pairs, of wall-clock time and of processor time. With ``--at-most 5`` the command fails if either median is above 5
milliseconds.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path

from _page import machine
from tabulate import tabulate

OURS = "distbench"
WITHOUT = ("-p", f"no:{OURS}")
WARM_UP = 2  # compiles, and fills the disk's cache
PROJECT = """[project]
name = "project"
version = "1.0"
optional-dependencies = { dev = ["distbench", "pytest"] }

[tool.pytest.ini_options]
addopts = []
"""
TEST = "def test_{}():\n    assert True\n"


@dataclass(frozen=True)
class Cost:
    """Seconds of one process."""

    wall: float
    processor: float


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=30, help="pairs of runs (default: 30)")
    parser.add_argument("--best-of", type=int, default=5, help="processes a side of a pair (default: 5)")
    parser.add_argument("--tests", type=int, default=20, help="tests of the project, which do nothing (default: 20)")
    parser.add_argument("--at-most", type=float, metavar="MS", help="fail above so many milliseconds")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder)
        (project / "pyproject.toml").write_text(PROJECT)
        (project / "test_project.py").write_text("\n".join(TEST.format(number) for number in range(options.tests)))
        pairs = measure(project, options.runs, options.best_of)
    print(machine("distbench", "pytest"))
    print()
    print(table(pairs))
    return judged(pairs, options.at_most)


def measure(project: Path, runs: int, best_of: int) -> list[tuple[Cost, Cost]]:
    """Return the times of pytest with the plugin and without it, by pair."""
    pairs = []
    for number in range(WARM_UP + runs):
        sides: tuple[list[Cost], list[Cost]] = ([], [])
        for turn in range(2 * best_of):
            bare = (turn + number) % 2
            sides[bare].append(run(project, *(WITHOUT if bare else ())))
        pairs.append((quickest(sides[0]), quickest(sides[1])))
    return pairs[WARM_UP:]


def quickest(costs: list[Cost]) -> Cost:
    return Cost(min(cost.wall for cost in costs), min(cost.processor for cost in costs))


def run(project: Path, *options: str) -> Cost:
    """Run pytest in a separate process."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *others_off(), *options]
    before, start = spent(), time.perf_counter()
    done = subprocess.run(command, cwd=project, capture_output=True, text=True)
    wall = time.perf_counter() - start
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return Cost(wall, spent() - before)


def spent() -> float:
    """Return the processor time of the processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def others_off() -> list[str]:
    """Return the options that switch the other plugins off."""
    names = sorted({one.name for one in entry_points(group="pytest11")} - {OURS})
    return [part for name in names for part in ("-p", f"no:{name}")]


def above(pairs: list[tuple[Cost, Cost]], kind: str) -> list[float]:
    """Return by how many milliseconds pytest is slower with the plugin, by pair."""
    return [1000 * (getattr(plugin, kind) - getattr(bare, kind)) for plugin, bare in pairs]


def table(pairs: list[tuple[Cost, Cost]]) -> str:
    """Return the medians in milliseconds as Markdown."""
    rows = []
    for kind in ("wall", "processor"):
        both = [[1000 * getattr(pair[side], kind) for pair in pairs] for side in (0, 1)]
        apart = above(pairs, kind)
        low, _, high = statistics.quantiles(apart, n=4)
        rows.append([kind, *map(statistics.median, both), statistics.median(apart), f"{low:.1f} to {high:.1f}"])
    head = ["time", "with the plugin, ms", "without, ms", "difference, ms", "middle half"]
    return tabulate(rows, headers=head, tablefmt="github", floatfmt=".1f")


def judged(pairs: list[tuple[Cost, Cost]], at_most: float | None) -> int:
    """Return the exit code, and print the limit that is broken."""
    broken = [
        f"{kind}: {found:.1f} ms is above {at_most:g} ms"
        for kind in ("wall", "processor")
        if at_most is not None and (found := statistics.median(above(pairs, kind))) > at_most
    ]
    print("\n".join(broken), file=sys.stderr)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
