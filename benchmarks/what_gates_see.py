"""What gates see: which of them are red for graded damage to codes, and how often for another fit on other points.

    python benchmarks/what_gates_see.py --markdown docs/appendix-checks.md

The codes are those of PCA(8) and of the recipe autoencoder on digits, on the data set's own division into train and
test points. Damage is done to the codes of all points. A refit is fitted on a random division of all points and
compared with the first fit; nothing got worse there, so each red gate is an accident.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
from _page import machine, show
from numpy.typing import NDArray

import distbench
from distbench.results.changes import compare_rows
from distbench.results.gates import broken_gates, parse_gate
from distbench.results.rows import Row, rows_of

CODE_SIZE = 8
GATES = ("continuity:25%", "knn_recall:10%", "scaled_stress:10%", "continuity:1%", "continuity:0.01")
METRICS = ("continuity", "knn_recall", "scaled_stress")

Array = NDArray[np.float64]
Damage = Callable[[Array], Array]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--refits", type=int, default=50, help="number of refits of each encoder")
    parser.add_argument("--markdown", type=Path, help="page of the docs to write the table into; else it is printed")
    options = parser.parse_args()
    head = [f"`{gate}`" for gate in GATES]
    lines = [f"| codes | {' | '.join(head)} |", f"|---|{'---|' * len(GATES)}"]
    for recipe in ("pca", "autoencoder"):
        lines += table_lines(recipe, options.refits)
    about = f"Digits, codes of {CODE_SIZE}; {machine('distbench', 'numpy', 'scikit-learn', 'keras')}."
    show("\n".join([*lines, "", about]), options.markdown, "what gates see")
    return 0


def damages() -> Iterator[tuple[str, Damage]]:
    for count in (1, 2, 3):
        yield f"{count} of {CODE_SIZE} columns zeroed", partial(zeroed, count=count)
    for percent in (5, 10, 20):
        yield f"noise of {percent} % of each column's spread", partial(noisy, share=percent / 100)
    for bits in (8, 4, 3):
        yield f"rounded to {bits} bits", partial(rounded, bits=bits)
    for percent in (1, 3, 10):
        yield f"{percent} % of the codes exchanged", partial(exchanged, share=percent / 100)


def zeroed(Z: Array, *, count: int) -> Array:
    """Return codes without the columns of the least spread."""
    kept = np.argsort(-Z.std(axis=0))[: Z.shape[1] - count]
    damaged = np.zeros_like(Z)
    damaged[:, kept] = Z[:, kept]
    return damaged


def noisy(Z: Array, *, share: float) -> Array:
    noise: Array = np.random.default_rng(0).normal(size=Z.shape)
    return Z + share * Z.std(axis=0) * noise


def rounded(Z: Array, *, bits: int) -> Array:
    """Return codes at 2**bits equal steps between the least and the largest value of all columns."""
    step = (Z.max() - Z.min()) / (2**bits - 1)
    return np.asarray(np.round(Z / step) * step)


def exchanged(Z: Array, *, share: float) -> Array:
    chosen = np.random.default_rng(0).choice(len(Z), max(2, round(share * len(Z))), replace=False)
    Z = Z.copy()
    Z[chosen] = Z[np.roll(chosen, 1)]
    return Z


def table_lines(recipe: str, refits: int) -> Iterator[str]:
    data = distbench.load_dataset("digits")
    encoder = distbench.fit_baseline(recipe, data.train, code_size=CODE_SIZE, seed=0)
    points, m = np.concatenate([data.test, data.train]), len(data.test)
    codes = np.asarray(encoder.transform(points), dtype=np.float64)
    before = rows_from(points, codes, m)
    for name, damage in damages():
        now = rows_from(points, damage(codes), m)
        cells = [worsening(before, now, gate) + (" **red**" if is_red(before, now, gate) else "") for gate in GATES]
        yield f"| `{recipe}`, {name} | {' | '.join(cells)} |"
    red = np.zeros(len(GATES), dtype=int)
    for seed in range(refits):
        order = np.random.default_rng(seed).permutation(len(points))
        again = distbench.fit_baseline(recipe, points[order[m:]], code_size=CODE_SIZE, seed=seed)
        now = rows_from(points[order], np.asarray(again.transform(points[order]), dtype=np.float64), m)
        red += [is_red(before, now, gate) for gate in GATES]
    yield f"| `{recipe}`, refits on other points | {' | '.join(f'{count} of {refits} red' for count in red)} |"


def rows_from(points: Array, codes: Array, m: int) -> list[Row]:
    """Return the rows of codes whose first `m` belong to the test points."""
    report = distbench.evaluate_codes(
        points[:m], codes[:m], reference=(points[m:], codes[m:]), metrics=METRICS, name="codes"
    )
    return rows_of(report, dataset="digits", leave_one_out=METRICS)


def is_red(before: list[Row], now: list[Row], gate: str) -> bool:
    return bool(broken_gates(compare_rows(before, now), [parse_gate(gate)]))


def worsening(before: list[Row], now: list[Row], gate: str) -> str:
    """Return how much worse the gate's metric got, in the gate's unit."""
    parsed = parse_gate(gate)
    (change,) = (change for change in compare_rows(before, now).changes if change.metric == parsed.metric)
    worse = change.worsening[0]
    return f"{round(100 * worse * parsed.threshold / parsed.allowed(change))} %" if parsed.relative else f"{worse:.4f}"


if __name__ == "__main__":
    raise SystemExit(main())
