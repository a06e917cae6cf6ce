"""How often equal recipes are wrongly distinguished: a recipe against itself, trained with other seeds.

    python benchmarks/self_against_self.py --markdown docs/intervals.md

Each recipe is fitted with many seeds on digits, codes of 2. Resampling divides the fits into disjoint sets of 3 or of 8
seeds, and each set counts as one encoder. They are all equal, so each difference that is found is an error. Counted is
how often a claim finds the first of two encoders better or worse, how often they have different places on a
leaderboard, how often a gate on the recipe is red, and how often on a larger leaderboard one encoder has another place
than the best.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from _page import machine, show

import distbench
from distbench.inference.estimate import Estimate
from distbench.metrics import default_metrics
from distbench.results.changes import compare_rows
from distbench.results.gates import broken_gates, parse_gate
from distbench.results.leaderboard import leaderboard
from distbench.results.packing import estimate_of
from distbench.results.rows import Row, rows_of

CODE_SIZE = 2
PAIR = 2
BOARDS = (5, 10, 23)
SEEDS = (3, 8)

Fits = dict[str, list[Row]]


@dataclass(frozen=True)
class Line:
    """How often one metric wrongly distinguishes equal recipes, in percent."""

    recipe: str
    seeds: int
    decision: str
    metric: str
    percent: float


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--fits", nargs="+", default=["autoencoder:80", "random_projection:240"], metavar="RECIPE:N")
    parser.add_argument("--repeats", type=int, default=300, help="how often the fits are divided into sets")
    parser.add_argument("--markdown", type=Path, help="page of the docs to write the table into; else it is printed")
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    lines = []
    for fits in options.fits:
        recipe, _, count = fits.partition(":")
        lines += [
            line
            for metric, rows in _fitted(recipe, int(count)).items()
            for line in _lines(recipe, metric, rows, options.repeats, rng)
        ]
    show(_markdown(lines, options), options.markdown, "self against self")
    return 0


def _fitted(recipe: str, count: int) -> Fits:
    """Return the rows of a recipe with seeds 0 to `count` - 1, by metric, for the metrics that have an interval."""
    data = distbench.load_dataset("digits")
    rows: Fits = {}
    for seed in range(count):
        encoder = distbench.fit_baseline(recipe, data.train, CODE_SIZE, seed=seed)
        report = distbench.evaluate(encoder, data.test, reference=data.train, name=recipe)
        about = {"dataset": "digits", "code_size": CODE_SIZE, "data_sha256": data.sha256, "seed": seed}
        for row in rows_of(report, leave_one_out=tuple(default_metrics()), **about):
            if row.low is not None:
                rows.setdefault(row.metric, []).append(row)
    return rows


def _lines(recipe: str, metric: str, rows: list[Row], repeats: int, rng: np.random.Generator) -> Iterator[Line]:
    for seeds in SEEDS:
        pairs = [_sets(rows, PAIR, seeds, rng) for _ in range(repeats)]
        for decision, differs in (("claim", _claim), ("leaderboard of 2", _board), ("gate", _gate)):
            yield Line(recipe, seeds, decision, metric, 100 * float(np.mean([differs(sets) for sets in pairs])))
        for size in BOARDS:
            if size * seeds <= len(rows):
                boards = [_sets(rows, size, seeds, rng) for _ in range(repeats)]
                share = 100 * float(np.mean([_board(sets) for sets in boards]))
                yield Line(recipe, seeds, f"leaderboard of {size}", metric, share)


def _sets(rows: list[Row], size: int, seeds: int, rng: np.random.Generator) -> list[list[Row]]:
    """Return `size` encoders of `seeds` fits each, no fit in two of them, with seeds 0, 1, ..."""
    drawn = rng.permutation(len(rows))[: size * seeds].reshape(size, seeds)
    return [
        [replace(rows[fit], encoder=f"encoder {number}", seed=seed) for seed, fit in enumerate(fits)]
        for number, fits in enumerate(drawn)
    ]


def _claim(sets: list[list[Row]]) -> bool:
    a, b = (Estimate.mean([estimate_of(row) for row in rows]) for rows in sets)
    low, high = (a - b).interval()
    return low is not None and high is not None and not low <= 0 <= high


def _board(sets: list[list[Row]]) -> bool:
    (board,) = leaderboard((row for rows in sets for row in rows), sets[0][0].metric)
    return any(entry.place != 1 for entry in board.entries)


def _gate(sets: list[list[Row]]) -> bool:
    before, now = ([replace(row, encoder="encoder") for row in rows] for rows in sets)
    gate = parse_gate(f"{before[0].metric}:0")
    return bool(broken_gates(compare_rows(before, now), [gate], undecided="pass"))


def _markdown(lines: list[Line], options: argparse.Namespace) -> str:
    metrics = list(dict.fromkeys(line.metric for line in lines))
    percents: dict[tuple[str, int, str], list[str]] = {}
    for line in lines:
        percents.setdefault((line.recipe, line.seeds, line.decision), []).append(f"{line.percent:.1f}")
    of_pairs = max((line.percent for line in lines if line.decision in IN_PAIRS), default=0.0)
    of_boards = max((line.percent for line in lines if line.decision not in IN_PAIRS), default=0.0)
    fits = " and ".join(f"{count} fits of `{recipe}`" for recipe, _, count in (f.partition(":") for f in options.fits))
    return "\n".join(
        [
            f"Equal recipes were wrongly distinguished in at most {of_pairs:.1f} % of {options.repeats} divisions of",
            f"{fits} if two were compared, and in at most {of_boards:.1f} % on larger leaderboards",
            f"({machine('distbench', 'keras')}).",
            "",
            f"| recipe | seeds | decision | {' | '.join(f'`{metric}`' for metric in metrics)} |",
            "|---|---:|---|" + "---:|" * len(metrics),
            *(f"| `{recipe}` | {n} | {name} | {' | '.join(row)} |" for (recipe, n, name), row in percents.items()),
        ]
    )


IN_PAIRS = ("claim", f"leaderboard of {PAIR}", "gate")

if __name__ == "__main__":
    raise SystemExit(main())
