"""What the loss on neighbors adds to a loss on distances: the recipes neighbor_autoencoder and pairwise_autoencoder.

    python benchmarks/neighbor_loss.py --fits fits --markdown docs/keras.md

Both recipes are fitted with several seeds on the train points of digits and mnist5k, and evaluated on the test points.
Intervals of the differences are over test points and trainings.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from _page import machine, show

from distbench.inference.estimate import Estimate
from distbench.suites.fits import Fit, FitCache
from distbench.suites.recipes import as_recipe

SETTINGS = {"digits": ((2, 8, 16), 8), "mnist5k": ((2, 16, 32), 5)}  # code sizes and number of seeds
METRICS = ("knn_recall", "continuity", "scaled_stress")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--fits", type=Path, help="folder that keeps the fits, for another run")
    parser.add_argument("--markdown", type=Path, help="page of the docs to write the table into; else it is printed")
    options = parser.parse_args()
    if options.fits is not None:
        options.fits.mkdir(parents=True, exist_ok=True)
    cache = FitCache(options.fits)
    lines = [f"| data, code size | {' | '.join(METRICS)} |", f"|---|{'---|' * len(METRICS)}"]
    for dataset, (code_sizes, seeds) in SETTINGS.items():
        for code_size in code_sizes:
            cells = [cell(cache, dataset, code_size, seeds, metric) for metric in METRICS]
            lines.append(f"| {dataset}, {code_size} | {' | '.join(cells)} |")
    counts = ", ".join(f"{seeds} seeds on {dataset}" for dataset, (_, seeds) in SETTINGS.items())
    about = f"{counts}; {machine('distbench', 'tensorflow', 'keras', 'numpy')}."
    show("\n".join([*lines, "", about]), options.markdown, "neighbor loss")
    return 0


def cell(cache: FitCache, dataset: str, code_size: int, seeds: int, metric: str) -> str:
    """Return the scores of both recipes, and the interval of their difference."""
    pairwise, neighbor = (
        Estimate.mean(
            [
                cache.run(Fit(as_recipe(name), dataset, code_size, seed), metrics=METRICS).report[metric].estimate()
                for seed in range(seeds)
            ]
        )
        for name in ("pairwise_autoencoder", "neighbor_autoencoder")
    )
    low, high = (neighbor - pairwise).interval()
    assert low is not None
    return f"{pairwise.value:.4f}, {neighbor.value:.4f} ({low:+.4f} to {high:+.4f})"


if __name__ == "__main__":
    raise SystemExit(main())
