"""How time and memory grow: the full default set with intervals, each size in a separate process.

    python benchmarks/scale.py                      # everything; prints Markdown
    python benchmarks/scale.py memory time          # these parts alone
    python benchmarks/scale.py mapped --rows 1000000 --queries 2000

Points are Gaussian; codes are their first two columns with a little noise. Peaks are resident memory: of the whole
process, or above the memory that it held after imports, a warm-up on 500 points and loading the data.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from _page import machine

K = 10
MB = 1e6


def cloud(n: int, d: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d))
    return X, X[:, :2] + rng.normal(scale=0.3, size=(n, 2))


def peak() -> float:
    """Largest resident memory so far, in bytes."""
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(size if sys.platform == "darwin" else size * 1024)


def forget_peak() -> None:
    """Reset the peak to the memory that is resident now, if the system can (Linux)."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


def warm_up() -> None:
    import distbench

    X, Z = cloud(500, 64, seed=1)
    distbench.evaluate_codes(X, Z, k=K)
    reference = X.astype(np.float32), Z.astype(np.float32)
    distbench.evaluate_codes(*reference, reference=reference, k=K)


def in_memory(n: int, d: int, repeats: int) -> dict[str, float]:
    """Measure `n` points against each other."""
    import distbench

    warm_up()
    X, Z = cloud(n, d)
    forget_peak()
    start = peak()
    seconds = []
    for _ in range(repeats):
        began = time.perf_counter()
        distbench.evaluate_codes(X, Z, k=K)
        seconds.append(time.perf_counter() - began)
    return {"seconds": min(seconds), "above": peak() - start, "peak": peak()}


def mapped(rows: int, d: int, queries: int) -> dict[str, float]:
    """Measure queries against a memory-mapped reference."""
    import distbench

    warm_up()
    with tempfile.TemporaryDirectory() as folder:
        reference = write_reference(Path(folder), rows, d)
        X, Z = (part.astype(np.float32) for part in cloud(queries, d, seed=2))
        forget_peak()
        start, began = peak(), time.perf_counter()
        distbench.evaluate_codes(X, Z, reference=reference, k=K)
        return {"seconds": time.perf_counter() - began, "above": peak() - start, "peak": peak()}


def write_reference(folder: Path, rows: int, d: int) -> tuple[np.ndarray, np.ndarray]:
    with (folder / "points").open("wb") as points, (folder / "codes").open("wb") as codes:
        for start in range(0, rows, 10_000):
            X, Z = cloud(min(10_000, rows - start), d, seed=3 + start)
            points.write(X.astype(np.float32).data)
            codes.write(Z.astype(np.float32).data)
    return (
        np.memmap(folder / "points", dtype=np.float32, mode="r", shape=(rows, d)),
        np.memmap(folder / "codes", dtype=np.float32, mode="r", shape=(rows, 2)),
    )


def child(part: str, **numbers: int) -> dict[str, float]:
    """Run one measurement in a separate process."""
    call = [sys.executable, __file__, "--child", json.dumps({"part": part, **numbers})]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{part} {numbers} failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def memory_table(sizes: list[int], d: int) -> list[str]:
    lines = ["| points | peak above start, MB | peak of the process, MB |", "|---:|---:|---:|"]
    for n in sizes:
        found = child("in_memory", n=n, d=d, repeats=1)
        lines.append(f"| {n:,} | {found['above'] / MB:.0f} | {found['peak'] / MB:.0f} |")
    return lines


def time_table(sizes: list[int], d: int, repeats: int) -> list[str]:
    lines = ["| points | seconds | growth per doubling |", "|---:|---:|---:|"]
    before: tuple[int, float] | None = None
    for n in sizes:
        seconds = child("in_memory", n=n, d=d, repeats=repeats)["seconds"]
        growth = "" if before is None else f"{(seconds / before[1]) ** (np.log(2) / np.log(n / before[0])):.2f}"
        lines.append(f"| {n:,} | {seconds:.2f} | {growth} |")
        before = n, seconds
    return lines


def mapped_table(rows: int, d: int, queries: int) -> list[str]:
    found = child("mapped", rows=rows, d=d, queries=queries)
    return [
        "| queries | memory-mapped reference | seconds | peak above start, MB | peak of the process, MB |",
        "|---:|---:|---:|---:|---:|",
        f"| {queries:,} | {rows:,} x {d} float32 | {found['seconds']:.1f} | {found['above'] / MB:.0f} "
        f"| {found['peak'] / MB:.0f} |",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="part", help="memory, time, mapped (default: all)")
    parser.add_argument("--memory-sizes", type=int, nargs="+", default=[10_000, 40_000])
    parser.add_argument("--time-sizes", type=int, nargs="+", default=[10_000, 20_000, 40_000])
    parser.add_argument("--repeats", type=int, default=3, help="the best of so many counts")
    parser.add_argument("--dimensions", type=int, default=64)
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the memory-mapped reference")
    parser.add_argument("--queries", type=int, default=2_000)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        numbers = json.loads(options.child)
        print(json.dumps({"in_memory": in_memory, "mapped": mapped}[numbers.pop("part")](**numbers)))
        return
    d = options.dimensions
    tables = {
        "memory": lambda: memory_table(options.memory_sizes, d),
        "time": lambda: time_table(options.time_sizes, d, options.repeats),
        "mapped": lambda: mapped_table(options.rows, d, options.queries),
    }
    if unknown := set(options.parts) - set(tables):
        parser.error(f"no such part: {', '.join(sorted(unknown))}; pass {', '.join(tables)}")
    print(f"{machine('distbench', 'numpy')}; {d} dimensions, codes of 2, k = {K}\n")
    for name in options.parts or tables:
        print("\n".join([*tables[name](), ""]), flush=True)


if __name__ == "__main__":
    main()
