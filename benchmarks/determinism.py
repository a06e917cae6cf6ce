"""Whether the same points give the same numbers elsewhere: other threads, hash seeds, BLAS kernels, numpy builds.

    python benchmarks/determinism.py --python OTHER/bin/python --markdown docs/appendix-checks.md

Each variant is a separate process that reads the same points and codes from a file and measures all metrics on them:
float32 and float64, far from the origin, with ties, duplicates, isometries, other distances, in sample and against
reference points. With ``--recipes`` it also fits recipes on part of the digits and evaluates them. Everything is
compared with the results of a process in the unchanged environment: values, ends of intervals, values of single points
and values without each point. The difference is |a - b| / max(1, |b|).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

LIMIT = 1e-9
FITTED = "digits by "
RECIPES = ("pca", "random_projection", "mds", "kernel_pca", "isomap")
THREADS = ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
OLD_CPU = "X86_V3 X86_V4 AVX512_ICL AVX512_SPR"  # what numpy 2.4 is not to use; older ones have other names

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Found:
    """The measurements of one process, and its environment."""

    about: dict[str, str]
    values: Arrays
    rows: bytes

    @property
    def digest(self) -> str:
        """Of the bits of all numbers and of the rows as they are stored."""
        whole = hashlib.sha256(self.rows)
        for name, array in sorted(self.values.items()):
            whole.update(name.encode() + array.tobytes())
        return whole.hexdigest()


def write_clouds(path: Path, most: int = 700) -> None:
    """Write points and codes, at most so many: made once, since other builds of numpy round functions otherwise."""
    rng = np.random.default_rng(0)
    clouds: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    X, some = rng.normal(size=(most, 16)), 4 * (most // 8)
    clouds["gaussian"] = X, np.tanh(X[:, :8] @ rng.normal(size=(8, 3)))
    X = X[:some]
    clouds["rotated"] = X, X @ np.linalg.qr(rng.normal(size=(16, 16)))[0]
    clouds["scaled"] = X, 3 * X[:, ::-1]
    wide = rng.normal(size=(some, 40)) @ rng.normal(size=(40, 300))
    clouds["wide"] = wide, wide[:, :20]
    clouds["far off"] = 1e6 + X, X[:, :2] - 1e4
    clouds["spread 1e-4 at 1e3"] = 1e3 + 1e-4 * X, 50 + 1e-3 * X[:, :4]
    lattice = rng.integers(0, 5, size=(some, 3)).astype(float)
    clouds["lattice"] = lattice, lattice[:, :2]
    clouds["duplicates"] = np.repeat(X[: some // 4], 4, axis=0), np.repeat(X[: some // 2, :2], 2, axis=0)
    clouds["collapsed"] = X, np.column_stack([X[:, 0], np.zeros(some)])
    clouds["one code"] = X, np.ones((some, 2))
    clouds["large numbers"] = 1e15 * X, 1e-15 * X[:, :3]
    np.savez(path, **{f"{name}/{space}": pair[i] for name, pair in clouds.items() for i, space in enumerate("XZ")})


def measure(source: Path, out: Path, threads: int | None, recipes: list[str]) -> None:
    """Measure everything in this process and write it."""
    import distbench
    from distbench.results.file import write_results
    from distbench.results.rows import rows_of

    values: Arrays = {}
    rows: list[Any] = []
    for name, report in _reports(source, threads, recipes):
        for metric, score in report.items():
            parts = {"value": score.value, "low": score.low, "high": score.high}
            parts |= {"points": score.points, "leave_one_out": score.leave_one_out, "interaction": score.interaction}
            for part, value in parts.items():
                if value is not None:
                    values[f"{name}|{metric}|{part}"] = np.asarray(value, dtype=float)
        rows += rows_of(report, encoder=name, dataset=name, seed=0, leave_one_out=tuple(report))
    np.savez(out.with_suffix(".npz"), **values)
    out.with_suffix(".rows").unlink(missing_ok=True)
    write_results(out.with_suffix(".rows"), rows, {}, whole=True)
    out.with_suffix(".json").write_text(json.dumps(_about(distbench.__version__)), encoding="utf-8")


def _reports(source: Path, threads: int | None, recipes: list[str]) -> Iterator[tuple[str, Any]]:
    from concurrent.futures import ThreadPoolExecutor

    import distbench

    executor = ThreadPoolExecutor(threads) if threads else None
    for name, X, Z in _clouds(source):
        m, labels = len(X) // 3, np.arange(len(X)) % 3
        whole = {"labels": labels, "metrics": "all", "executor": executor, "progress": False}
        yield f"{name}, in sample", distbench.evaluate_codes(X, Z, **whole)
        apart = whole | {"labels": labels[:m], "reference": (X[m:], Z[m:]), "reference_labels": labels[m:]}
        yield f"{name}, train and test", distbench.evaluate_codes(X[:m], Z[:m], **apart)
        if name.startswith(("gaussian", "lattice")):
            yield f"{name}, train only", distbench.evaluate_codes(X[:m], Z[:m], include_queries=False, **apart)
            yield f"{name}, city block", distbench.evaluate_codes(X, Z, distance_x="cityblock", **whole)
            other = {"distance_x": "cosine", "distance_z": "cosine"}
            yield f"{name}, cosine", distbench.evaluate_codes(X + 1, Z + 1, **other, **whole)
            yield f"{name}, hamming", distbench.evaluate_codes(X, (Z > 1) * 1.0, distance_z="hamming", **whole)
    if recipes:
        data = distbench.load_dataset("digits")
        train, test = data.train[:400], data.test[:150]
        for recipe in recipes:
            encoder = distbench.fit_baseline(recipe, train, code_size=4, seed=0)
            yield f"{FITTED}{recipe}", distbench.evaluate(encoder, test, reference=train, executor=executor)


def _clouds(source: Path) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    arrays = np.load(source, allow_pickle=False)
    for name in dict.fromkeys(key.partition("/")[0] for key in arrays.files):
        for dtype in (np.float64, np.float32):
            yield f"{name} {dtype.__name__}", *(arrays[f"{name}/{space}"].astype(dtype) for space in "XZ")


def _about(version: str) -> dict[str, str]:
    """Return what measured: versions, and the kernels of BLAS and of numpy that really ran."""
    from importlib.metadata import version as of

    from numpy._core import _multiarray_umath as core
    from threadpoolctl import threadpool_info

    kernels = {pool.get("architecture") or "?" for pool in threadpool_info() if pool["user_api"] == "blas"}
    found = {name: of(name) for name in ("numpy", "scipy", "numba")}
    used = [name for name in core.__cpu_dispatch__ if core.__cpu_features__.get(name)]
    found |= {"BLAS kernel": " ".join(sorted(kernels)), "SIMD": used[-1] if used else "baseline"}
    return {"distbench": version, "Python": platform.python_version(), **found}


def run(source: Path, out: Path, *, python: str = sys.executable, **options: Any) -> Found:
    """Measure the points of `source` in a process of its own, which writes to `out` with suffixes.

    Options: ``environment``, a dict of what to set (None: unset), ``threads`` and ``recipes``.
    """
    threads, recipes = options.get("threads"), options.get("recipes", ())
    settings = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[1])}
    settings |= {name: str(threads) for name in THREADS} if threads else {}
    environment = options.get("environment", {})
    if python != sys.executable or "NUMBA_CPU_NAME" in environment:
        # another numba would throw away the kernels that this one keeps beside the code
        settings["NUMBA_CACHE_DIR"] = str(out.parent / "kernels")
    for name, value in environment.items():
        settings.pop(name, None)
        settings |= {name: value} if value is not None else {}
    command = [python, __file__, "--measure", str(source), str(out), "--recipes", *recipes]
    command += ["--threads", str(threads)] if threads else []
    done = subprocess.run(command, env=settings, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr}")
    with np.load(out.with_suffix(".npz"), allow_pickle=False) as arrays:
        values = dict(arrays)
    return Found(json.loads(out.with_suffix(".json").read_text()), values, out.with_suffix(".rows").read_bytes())


def differences(base: Found, other: Found) -> dict[str, float]:
    """Return the largest difference of each number from `base`, by name; inf where one is missing or infinite."""
    found = dict.fromkeys(base.values.keys() ^ other.values.keys(), np.inf)
    for name in base.values.keys() & other.values.keys():
        a, b = other.values[name], base.values[name]
        if a.shape != b.shape:
            found[name] = np.inf
            continue
        with np.errstate(invalid="ignore"):
            apart = np.where(a == b, 0.0, np.abs(a - b) / np.maximum(1.0, np.abs(b)))
        found[name] = float(np.nan_to_num(apart, nan=np.inf, posinf=np.inf).max(initial=0.0))
    return found


def variants(arguments: argparse.Namespace) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what is compared with the environment as it is."""
    yield "another process, another hash seed", {"environment": {"PYTHONHASHSEED": "1"}}
    for threads in arguments.counts:
        yield f"{threads} thread{'s' * (threads > 1)}", {"threads": threads}
    yield "OPENBLAS_CORETYPE unset", {"environment": {"OPENBLAS_CORETYPE": None, "OPENBLAS_L2_SIZE": None}}
    for kernel in arguments.kernels:
        yield f"OPENBLAS_CORETYPE={kernel}", {"environment": {"OPENBLAS_CORETYPE": kernel}}
    yield "numpy without AVX2", {"environment": {"NPY_DISABLE_CPU_FEATURES": OLD_CPU}}
    if arguments.generic:
        yield "numba for any x86-64", {"environment": {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""}}
    for python in arguments.python:
        yield "another environment", {"python": python}


def study(arguments: argparse.Namespace) -> tuple[Found, list[dict[str, str]], list[dict[str, str]], list[str]]:
    """Run everything; return what the base found, the rows of both tables and what is beyond the limit."""
    ready, fitted, beyond = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "clouds.npz")
        write_clouds(source)
        base = run(source, Path(folder, "base"), recipes=arguments.recipes)
        for name, options in variants(arguments):
            found = run(source, Path(folder, "other"), recipes=arguments.recipes, **options)
            apart = differences(base, found)
            ready.append(_row(name, found, {key: apart[key] for key in apart if FITTED not in key}))
            print(ready[-1], file=sys.stderr, flush=True)
            fitted.append({"": name} | {recipe: _largest(apart, recipe) for recipe in arguments.recipes})
            far = [key for key in sorted(apart) if apart[key] > LIMIT and FITTED not in key]
            beyond += [f"{name}: {key.replace('|', ', ')}: {apart[key]:.1e}" for key in far]
    return base, ready, fitted, beyond


def _row(name: str, found: Found, apart: dict[str, float]) -> dict[str, str]:
    worst = max(apart, key=lambda key: apart[key])
    about = [found.about[key] for key in ("numpy", "scipy", "numba")]
    return {
        "": name,
        "numpy, scipy, numba": ", ".join(about),
        "BLAS kernel": found.about["BLAS kernel"],
        "numpy's SIMD": found.about["SIMD"],
        "same to the last bit": f"{np.mean([value == 0 for value in apart.values()]):.1%}",
        "largest difference": f"{apart[worst]:.1e}",
        "which": worst.replace("|", ", ") if apart[worst] else "",
    }


def _largest(apart: dict[str, float], recipe: str) -> str:
    of = {key: value for key, value in apart.items() if key.startswith(f"{FITTED}{recipe}|")}
    means = [value for key, value in of.items() if key.endswith(("|value", "|low", "|high"))]
    return f"{max(means):.1e}" if max(means) else "0"


def markdown(arguments: argparse.Namespace) -> tuple[str, list[str]]:
    """Return the tables, and what is beyond the limit."""
    from tabulate import tabulate

    base, ready, fitted, beyond = study(arguments)
    numbers = sum(array.size for array in base.values.values())
    about = ", ".join(f"{name} {version}" for name, version in base.about.items())
    text = [
        f"{numbers:,} numbers, compared with those of {about}. Difference: |a - b| / max(1, |b|). Written by "
        "`python benchmarks/determinism.py --python OTHER --markdown docs/appendix-checks.md`.",
        "The same points and codes, read from a file:",
        tabulate(ready, headers="keys", tablefmt="pipe", disable_numparse=True),
    ]
    if arguments.recipes:
        text += [
            "Recipes that are fitted in the other environment too (400 digits, codes of 4): largest difference of a "
            "value or of an end of its interval.",
            tabulate(fitted, headers="keys", tablefmt="pipe", disable_numparse=True),
        ]
    return "\n\n".join(text), beyond


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", nargs="*", default=[], help="interpreters of other environments")
    parser.add_argument("--kernels", nargs="*", default=["Prescott", "Sandybridge", "Haswell"])
    parser.add_argument("--counts", type=int, nargs="*", default=[1, 2], help="numbers of threads")
    parser.add_argument("--generic", action="store_true", help="also compile kernels for any x86-64: slow")
    parser.add_argument("--recipes", nargs="*", default=list(RECIPES))
    parser.add_argument("--markdown", type=Path, help="page whose tables are written; default: they are printed")
    parser.add_argument("--measure", type=Path, nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--threads", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        measure(*arguments.measure, arguments.threads, arguments.recipes)
        return
    text, beyond = markdown(arguments)
    print("\n".join(beyond) or f"nothing differs by more than {LIMIT:.0e}", file=sys.stderr)
    from _page import show

    show(f"\n{text}\n", arguments.markdown, "determinism")
    raise SystemExit(bool(beyond))


if __name__ == "__main__":
    main()
