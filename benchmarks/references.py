"""Test points among many references: processor time and memory beside faiss's exact search and beside bare products.

``python benchmarks/references.py --markdown docs/benchmarks.md`` writes the table into the page. The steps of a row
take turns in one process. ``--small`` takes a hundredth of the references.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from _page import machine, show
from threadpoolctl import threadpool_limits

BLOCK_QUERIES, BLOCK_REFERENCES = 256, 4096  # of one bare product
WRITTEN_ROWS = 20_000
ROWS: dict[str, tuple[int, int, int, int]] = {  # queries, references, columns of points and of codes
    "in memory": (1_000, 100_000, 768, 192),
    "memory map": (2_000, 1_000_000, 256, 64),
    "packed bits": (1_000, 1_000_000, 2, 32),
    "wide points, in sample": (10_000, 0, 784, 2),
}


def normal(path: Path, n: int, d: int, weights: Any = None) -> tuple[Any, Any]:
    """Write normal points of single precision, and their products with the weights, to files; return memory maps."""
    rng, columns = np.random.default_rng(n), (d, 0 if weights is None else weights.shape[1])
    maps = [np.memmap(path / f"{n}-{i}", np.float32, "w+", shape=(n, max(1, c))) for i, c in enumerate(columns)]
    for start in range(0, n, WRITTEN_ROWS):
        block = rng.standard_normal((min(WRITTEN_ROWS, n - start), d), dtype=np.float32)
        maps[0][start : start + len(block)] = block
        if weights is not None:
            maps[1][start : start + len(block)] = block @ weights
    return tuple(np.memmap(path / f"{n}-{i}", np.float32, "r", shape=each.shape) for i, each in enumerate(maps))


def products(*pairs: tuple[Any, Any]) -> Callable[[], None]:
    def run() -> None:
        with threadpool_limits(1):
            for queries, references in pairs:
                for q in range(0, len(queries), BLOCK_QUERIES):
                    for c in range(0, len(references), BLOCK_REFERENCES):
                        _ = queries[q : q + BLOCK_QUERIES] @ references[c : c + BLOCK_REFERENCES].T

    return run


def searches(make: str, *pairs: tuple[Any, Any]) -> Callable[[], None]:
    def run() -> None:
        import faiss

        faiss.omp_set_num_threads(1)  # its threads wait in loops, which would count as work

        for queries, references in pairs:
            index = getattr(faiss, make)(references.shape[1] * (8 if "Binary" in make else 1))
            index.add(np.ascontiguousarray(references))
            index.search(np.ascontiguousarray(queries), 10)

    return run


def evaluation(X: Any, Z: Any, reference: Any = None, **options: Any) -> Callable[[], None]:
    def run() -> None:
        import distbench

        if reference is not None:
            options["include_queries"] = False
        distbench.evaluate_codes(X, Z, reference=reference, progress=False, **options)

    return run


def steps(row: str, folder: Path, share: float) -> dict[str, Callable[[], None]]:
    """Return what is measured in a row, the yardstick first."""
    m, n, d, c = ROWS[row]
    n, m = int(n * share), m if n else int(m * max(share, 0.1))
    rng = np.random.default_rng(0)
    if row == "packed bits":
        Q, D = normal(folder, m, d)[0], normal(folder, n, d)[0]
        bits, known = (rng.integers(0, 256, (size, c), dtype=np.uint8) for size in (m, n))
        of_bits = evaluation(Q, bits, (D, known), metrics="knn_recall", distance_z="packed_hamming")
        return {"faiss IndexBinaryFlat, codes": searches("IndexBinaryFlat", (bits, known)), "`knn_recall`": of_bits}
    if row == "wide points, in sample":
        X = rng.standard_normal((m, d), dtype=np.float32)
        return {"products": products((X, X)), "default set": evaluation(X, X[:, :c])}
    weights = rng.standard_normal((d, c), dtype=np.float32) / np.float32(d**0.5)
    (Q, ZQ), (D, ZD) = normal(folder, m, d, weights), normal(folder, n, d, weights)
    recall = {"`knn_recall`": evaluation(Q, ZQ, (D, ZD), metrics="knn_recall")}
    if row == "memory map":
        return {"products": products((Q, D), (ZQ, ZD))} | recall
    Q, ZQ, D, ZD = (np.array(part) for part in (Q, ZQ, D, ZD))
    faiss = searches("IndexFlatL2", (Q, D), (ZQ, ZD))
    recall = {"`knn_recall`": evaluation(Q, ZQ, (D, ZD), metrics="knn_recall")}
    return {"faiss IndexFlatL2, both spaces": faiss} | recall | {"default set": evaluation(Q, ZQ, (D, ZD))}


def resident() -> float:
    """Memory of this process in MB, without files."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(float(line.split()[1]) / 1024 for line in lines if line.startswith("RssAnon"))


def measured(work: Callable[[], None]) -> tuple[float, float]:
    """Return processor seconds, and the largest memory above that before."""
    before, peak, done = resident(), [0.0], threading.Event()

    def watch() -> None:
        while not done.wait(0.02):
            peak[0] = max(peak[0], resident() - before)

    watcher = threading.Thread(target=watch)
    watcher.start()
    start = time.process_time()
    work()
    seconds = time.process_time() - start
    done.set()
    watcher.join()
    return seconds, peak[0]


def one_row(row: str, share: float, repeats: int) -> dict[str, tuple[float, float]]:
    with tempfile.TemporaryDirectory() as folder:
        for work in steps(row, Path(folder), 1e-3).values():  # compiles
            work()
        works = steps(row, Path(folder), share)
        found = [{name: measured(work) for name, work in works.items()} for _ in range(repeats)]
    return {name: (min(each[name][0] for each in found), max(each[name][1] for each in found)) for name in works}


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure test points among many references.")
    parser.add_argument("--small", action="store_true", help="take a hundredth of the references")
    parser.add_argument("--repeats", type=int, default=1, help="runs of each row: least time, most memory")
    parser.add_argument("--row", choices=ROWS, help=argparse.SUPPRESS)
    parser.add_argument("--markdown", type=Path, metavar="PAGE", help="write the table into this page")
    args = parser.parse_args()
    if args.row:
        print(json.dumps(one_row(args.row, 0.01 if args.small else 1.0, args.repeats)))
        return
    options = ["--repeats", str(args.repeats), *(["--small"] if args.small else [])]
    lines = [f"`python benchmarks/references.py {' '.join(options)}`", ""]
    lines += [f"Versions and machine: {machine('distbench', 'numpy', 'numba', 'faiss-cpu')}.", ""]
    lines += ["| work | processor s | MB | x the first of the row |", "| --- | ---: | ---: | ---: |"]
    for row, (m, n, d, c) in ROWS.items():
        command = [sys.executable, __file__, "--row", row, *options]
        found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        n = n // 100 if args.small else n
        size = f"{m:,} x {n:,} x {d}, codes of {c}" if n else f"{m:,} x {d}, codes of {c}"
        yardstick = next(iter(found.values()))[0]
        lines += [
            f"| {row}, {size}: {name} | {seconds:.2f} | {memory:.0f} | {seconds / yardstick:.2f} |"
            for name, (seconds, memory) in found.items()
        ]
    show("\n".join(lines), args.markdown, "references")


if __name__ == "__main__":
    main()
