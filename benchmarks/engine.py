"""What the engine's work costs in processor time, in multiples of the default set; all rows take turns in one process.

``python benchmarks/engine.py --markdown docs/benchmarks.md`` writes the table into the page.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from _page import machine, show

import distbench

WARMING = 500  # points of the call that compiles


def _works(n: int) -> dict[str, dict[str, Any]]:
    """Return the options of each row of the table; the first is the default set."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, 64))
    Z = X[:, :2] + 0.5 * rng.normal(size=(n, 2))
    bits = (X + rng.normal(size=(n, 64)) > 0).astype(float)
    packed = np.packbits(bits.astype(bool), axis=1)
    classes = rng.normal(size=(10, 2))[rng.integers(0, 10, n)]
    return {
        "default set, k = 10": {"X": X, "Z": Z},
        "k = 100": {"X": X, "Z": Z, "k": 100},
        "k = n/3": {"X": X, "Z": Z, "k": n // 3},
        "twenty k, 10 to 200": {"X": X, "Z": Z, "k": tuple(range(10, 201, 10))},
        "codes rounded to whole numbers": {"X": X, "Z": np.round(2 * Z)},
        "points of whole numbers": {"X": np.round(20 * X), "Z": Z},
        "binary codes, 64 columns, hamming": {"X": X, "Z": bits, "distance_z": "hamming"},
        "the same, packed": {"X": X, "Z": packed, "distance_z": "packed_hamming"},
        "ten codes, one for each class": {"X": X, "Z": classes},
        "`mrre_input` and `mrre_code` alone": {"X": X, "Z": Z, "metrics": ["mrre_input", "mrre_code"]},
        "`rnx_auc` alone": {"X": X, "Z": Z, "metrics": "rnx_auc"},
        "`density_kl` alone": {"X": X, "Z": Z, "metrics": "density_kl"},
        '`metrics="all"`': {"X": X, "Z": Z, "metrics": "all"},
    }


def _seconds(work: dict[str, Any]) -> float:
    options = dict(work)
    start = time.process_time()
    distbench.evaluate_codes(options.pop("X"), options.pop("Z"), progress=False, **options)
    return time.process_time() - start


def _warm(work: dict[str, Any]) -> None:
    k = work.get("k", 10)
    few = min(k, WARMING // 4) if isinstance(k, int) else k
    _seconds(work | {"X": work["X"][:WARMING], "Z": work["Z"][:WARMING], "k": few})


FIRST = """
import time, numpy as np, distbench
X = np.random.default_rng(0).normal(size=(300, 64))
start = time.process_time()
distbench.evaluate_codes(X, {codes}, metrics={metrics!r}, progress=False)
print(time.process_time() - start)
"""


def _first_call(metrics: str, codes: str) -> float:
    """Return the processor seconds of the first call in a new process, which compiles."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", FIRST.format(metrics=metrics, codes=codes)]
        env = os.environ | {"NUMBA_CACHE_DIR": folder}
        return float(subprocess.run(command, check=True, capture_output=True, text=True, env=env).stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the engine's work beside the default set.")
    parser.add_argument("--n", type=int, nargs="+", default=[5000], help="numbers of points, above 600")
    parser.add_argument("--repeats", type=int, default=3, help="calls of each row; the least time counts")
    parser.add_argument("--markdown", type=Path, metavar="PAGE", help="write the table into this page")
    args = parser.parse_args()
    lines = [f"`python benchmarks/engine.py --n {' '.join(map(str, args.n))} --repeats {args.repeats}`", ""]
    lines += [f"Versions and machine: {machine('distbench', 'numpy', 'numba')}.", ""]
    lines += ["| n | work | processor s | x default set |", "| ---: | --- | ---: | ---: |"]
    for n in args.n:
        works = _works(n)
        for work in works.values():
            _warm(work)
        least = dict.fromkeys(works, np.inf)
        for _ in range(args.repeats):  # in turn, so that what else the machine does slows all rows alike
            for name, work in works.items():
                least[name] = min(least[name], _seconds(work))
        default = next(iter(least.values()))
        lines += [f"| {n:,} | {name} | {seconds:.2f} | {seconds / default:.1f} |" for name, seconds in least.items()]
    lines += [
        f"| 300 | first call in a new process: default set | {_first_call('default', 'X[:, :2]'):.2f} | |",
        f'| 300 | the same: `metrics="all"`, tied codes | {_first_call("all", "np.round(X[:, :2])"):.2f} | |',
    ]
    show("\n".join(lines), args.markdown, "engine")


if __name__ == "__main__":
    main()
