"""Fuzzes the readers of files and command lines: they may raise only the library's own errors.

    pip install atheris
    python benchmarks/fuzz.py suite --runs 100000
    python benchmarks/fuzz.py results --runs 100000
    python benchmarks/fuzz.py command-line --runs 100000

atheris (https://pypi.org/project/atheris) runs each target on inputs that reach more and more of distbench's code; only
this code is instrumented. The targets are those of ``tests/fuzz_targets.py``; ``tests/test_fuzz.py`` runs them on a few
hundred inputs of Hypothesis, and on those that once failed. An input that fails now is written to
``crash-...`` in this folder; ``--show FILE`` runs it alone and shows the traceback.
"""

from __future__ import annotations

import argparse
import importlib
import random
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LONGEST = 2000
EXCLUDED = ["distbench.engine", "distbench.metrics._leave_one_out"]  # compiled by numba, which needs the plain bytecode


def main() -> None:
    """Run one target."""
    asked = _arguments()
    sys.path[0] = str(ROOT / "tests")
    if asked.show:
        from fuzz_targets import TARGETS, folder

        data = asked.show.resolve().read_bytes()
        with folder() as here:
            TARGETS[asked.target](data, here)
        return
    import atheris

    import distbench.engine.job  # noqa: F401 - before, so that numba sees it as it is

    with atheris.instrument_imports(include=["distbench"], exclude=EXCLUDED):
        import fuzz_targets

        _load_all()
    corpus, found = tempfile.TemporaryDirectory(), Path.cwd()
    _seeds(Path(corpus.name), asked.seed)
    with corpus, fuzz_targets.folder() as here:

        def run(data: bytes) -> None:
            fuzz_targets.TARGETS[asked.target](data, here)

        options = [
            f"-runs={asked.runs}",
            f"-max_len={LONGEST}",
            f"-seed={asked.seed}",
            "-timeout=60",
            "-rss_limit_mb=0",
        ]
        atheris.Setup([sys.argv[0], *options, f"-artifact_prefix={found}/", corpus.name], run)
        atheris.Fuzz()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("target", choices=["suite", "results", "command-line"])
    parser.add_argument("--runs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1, help="seed of atheris, from 1")
    parser.add_argument("--show", type=Path, help="run this one input, without atheris")
    return parser.parse_args()


def _load_all() -> None:
    """Import everything that the targets import: modules loaded later would not be instrumented."""
    for name in (
        *("cli.baselines", "cli.compare", "cli.datasets", "cli.evaluate", "cli.hunt", "cli.leaderboard", "cli.suites"),
        *("render.changes", "render.html", "render.markdown", "render.plain", "render.text"),
        *("results.file", "results.gates", "results.merge", "results.suite_store", "suites"),
    ):
        importlib.import_module(f"distbench.{name}")


def _seeds(folder: Path, seed: int) -> None:
    """Write inputs to begin with: bytes choose what is changed, so any will do."""
    chosen = random.Random(seed)
    for number in range(64):
        (folder / str(number)).write_bytes(chosen.randbytes(chosen.choice([1, 20, 60, 200, 600])))


if __name__ == "__main__":
    main()
