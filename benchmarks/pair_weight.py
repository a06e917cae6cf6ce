"""How much distances should count in codes of each size: the recipe pairwise_autoencoder with weights 2 and 10.

    python benchmarks/pair_weight.py --markdown docs/encoders.md

The test points of the data sets play no part: four fifths of the train points are encoded, and the others judge.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from _page import machine, show

import distbench

SETTINGS = {"digits": ((2, 4, 6, 8, 16), 5), "mnist5k": ((2, 4, 6, 8, 16), 3)}  # code sizes and seeds
WEIGHTS = 2.0, 10.0
METRICS = "knn_recall", "scaled_stress"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, help="fewer seeds, for a look")
    parser.add_argument("--markdown", type=Path, help="page of the docs to write the table into; else it is printed")
    options = parser.parse_args()
    columns = [f"`{metric}`, weight {weight:g}" for metric in METRICS for weight in WEIGHTS]
    lines = [f"| data, code size | {' | '.join(columns)} |", f"|---|{'---:|' * len(columns)}"]
    for dataset, (code_sizes, seeds) in SETTINGS.items():
        for code_size in code_sizes:
            scores = {weight: means(dataset, code_size, weight, options.seeds or seeds) for weight in WEIGHTS}
            cells = [f"{scores[weight][metric]:.3f}" for metric in METRICS for weight in WEIGHTS]
            lines.append(f"| {dataset}, {code_size} | {' | '.join(cells)} |")
    counts = ", ".join(f"{options.seeds or seeds} seeds on {dataset}" for dataset, (_, seeds) in SETTINGS.items())
    about = f"{counts}; {machine('distbench', 'tensorflow', 'keras', 'numpy')}."
    show("\n".join([*lines, "", about]), options.markdown, "pair weight")
    return 0


def means(dataset: str, code_size: int, weight: float, seeds: int) -> dict[str, float]:
    """Return the mean score over seeds for each metric, on a fifth of the train points."""
    train = distbench.load_dataset(dataset).train
    order = np.random.default_rng(0).permutation(len(train))
    fitted, judges = np.split(train[order], [len(train) * 4 // 5])
    reports = []
    for seed in range(seeds):
        encoder = distbench.fit_baseline("pairwise_autoencoder", fitted, code_size, seed=seed, weight=weight)
        reports.append(distbench.evaluate(encoder, judges, reference=fitted, metrics=METRICS))
    return {metric: float(np.mean([report[metric].value for report in reports])) for metric in METRICS}


if __name__ == "__main__":
    raise SystemExit(main())
