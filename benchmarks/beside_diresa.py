"""diresa 1.3.1 beside the pairwise recipes, fitted on the same train points, evaluated on the same test points.

``python benchmarks/beside_diresa.py --help`` lists what can be changed; the tables are printed.
``benchmarks/README.md`` says what to install.
"""

from __future__ import annotations

import argparse
import itertools
import os
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from _page import machine

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

METRICS = ("trustworthiness", "continuity", "spearman", "scaled_stress", "triplet_accuracy")
PACKAGES = ("diresa", "tensorflow", "keras", "numpy")
OURS = ("autoencoder", "pairwise_autoencoder", "sampled_pairs_autoencoder")
DISTANCES = {
    "mse": "mse_dist_loss",
    "msle": "msle_dist_loss",
    "corr": "corr_dist_loss",
    "corr log": "corr_log_dist_loss",
}
RATES = ("cosine", "fixed")  # Adam as the recipes have it; Adam at its default rate, as in diresa's documentation
UNITS = ("range", "variance")  # points in [0, 1]; points of variance 1
WEIGHTS = (1.0, 3.0, 1.5)  # of reconstruction, covariance and distance, as in its documentation

Fit = Callable[[Any, int, int], Any]  # points, code size, seed -> encoder


@dataclass(frozen=True)
class Judged:
    """The scores of one tool over the seeds."""

    name: str
    reports: list[Any]
    seconds: float


def main() -> None:
    args = _arguments()
    from distbench import load_dataset

    data = load_dataset(args.dataset)
    kinds = _kinds(args)
    print(
        f"{machine(*PACKAGES)}; data set {args.dataset}, {len(data.train):,} train and {len(data.test):,} test points, "
    )
    print(f"{args.epochs} epochs, batch {args.batch}, seeds {', '.join(map(str, args.seeds))}.")
    for code_size in args.code_sizes:
        rows = []
        for name, fit in kinds.items():
            rows.append(_judged(name, fit, data, code_size, args.seeds))
            print(_row(rows[-1]), file=sys.stderr, flush=True)
        print(f"\nCode size {code_size}:\n\n{_table(rows)}\n\n{_differences(rows)}", flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure diresa beside the pairwise recipes.")
    parser.add_argument("--dataset", default="digits", help="name of a data set of distbench")
    parser.add_argument("--code-sizes", type=int, nargs="+", default=[2, 8], help="columns of the codes")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="seeds of the weights")
    parser.add_argument("--epochs", type=int, default=200, help="passes over the points, for all tools")
    parser.add_argument("--batch", type=int, default=32, help="points a step, for all tools")
    parser.add_argument(
        "--weight", type=float, help="weights of the distances in the pairwise recipes; default: their own"
    )
    parser.add_argument(
        "--losses", nargs="+", choices=list(DISTANCES), default=["mse", "corr"], help="losses of diresa"
    )
    parser.add_argument(
        "--rates", nargs="+", choices=RATES, default=["cosine"], help="learning rates of diresa; fixed: 0.001"
    )
    parser.add_argument(
        "--units", nargs="+", choices=UNITS, default=list(UNITS), help="units of the points that diresa gets"
    )
    return parser.parse_args()


def _kinds(args: argparse.Namespace) -> dict[str, Fit]:
    def ours(name: str) -> Fit:
        from distbench import fit_baseline

        common = {"epochs": args.epochs, "batch_size": args.batch}
        if args.weight is not None and name != OURS[0]:
            common["weight"] = args.weight
        return lambda X, code_size, seed: fit_baseline(name, X, code_size, seed, **common)

    def theirs(loss: str, rate: str, units: str) -> Fit:
        return lambda X, code_size, seed: _diresa(X, code_size, seed, loss, rate, units, args.epochs, args.batch)

    kinds = {name: ours(name) for name in OURS}
    choices = itertools.product(args.losses, args.rates, args.units)
    return kinds | {f"diresa, {', '.join(choice)}": theirs(*choice) for choice in choices}


def _diresa(X: Any, code_size: int, seed: int, loss: str, rate: str, units: str, epochs: int, batch: int) -> Any:
    """Train diresa as its documentation does, on points divided by one number, which keeps their geometry."""
    import diresa.loss
    import keras
    from diresa.models import build_diresa
    from diresa.toolbox import encoder_decoder

    keras.utils.set_random_seed(seed)
    # Its weights have units: what range the points have decides how much the distances count.
    centre, unit = (X.min(), float(np.ptp(X))) if units == "range" else (X.mean(axis=0), float(X.std(axis=0).mean()))
    points = ((X - centre) / unit).astype("float32")
    twins = points[np.random.default_rng(seed).permutation(len(points))]
    model = build_diresa(input_shape=points.shape[1:], dense_units=(128, 64, code_size))
    schedule = keras.optimizers.schedules.CosineDecay(3e-3, epochs * -(-len(points) // batch))
    model.compile(
        loss=["mse", diresa.loss.LatentCovLoss(1.0), getattr(diresa.loss, DISTANCES[loss])],
        loss_weights=list(WEIGHTS),
        optimizer=keras.optimizers.Adam(schedule if rate == "cosine" else 1e-3),
        jit_compile=True,
        steps_per_execution=-(-len(points) // batch),  # less waiting, the same steps
    )
    model.fit((points, twins), (points, points, points), epochs=epochs, batch_size=batch, shuffle=True, verbose=0)
    encoder, _ = encoder_decoder(model, verbose=False)
    return lambda rows: encoder.predict_on_batch(((rows - centre) / unit).astype("float32"))


def _judged(name: str, fit: Fit, data: Any, code_size: int, seeds: list[int]) -> Judged:
    import distbench

    reports, seconds = [], []
    for seed in seeds:
        start = time.perf_counter()
        encoder = fit(data.train, code_size, seed)
        seconds.append(time.perf_counter() - start)
        reports.append(
            distbench.evaluate(encoder, data.test, reference=data.train, metrics=METRICS, name=name, progress=False)
        )
    return Judged(name, reports, statistics.median(seconds))


def _table(rows: list[Judged]) -> str:
    """Values: mean over seeds, half the width of the 95 % interval over test points, SD over seeds."""
    head = f"| encoder | {' | '.join(METRICS)} | seconds |\n|{'---|' * (len(METRICS) + 2)}\n"
    return head + "\n".join(_row(row) for row in rows)


def _row(row: Judged) -> str:
    cells = []
    for metric in METRICS:
        values = [report[metric].value for report in row.reports]
        spread = statistics.stdev(values) if len(values) > 1 else 0.0
        half = statistics.mean(report[metric].half_width for report in row.reports)
        cells.append(f"{statistics.mean(values):.3f} ± {half:.3f} ({spread:.3f})")
    return f"| {row.name} | {' | '.join(cells)} | {row.seconds:.0f} |"


def _differences(rows: list[Judged]) -> str:
    """How many seeds each of ours wins against each of theirs, by the paired interval."""
    lines = [f"| | {' | '.join(METRICS)} |", f"|{'---|' * (len(METRICS) + 1)}"]
    for ours in rows[1 : len(OURS)]:
        for theirs in rows[len(OURS) :]:
            cells = [_wins(ours, theirs, metric) for metric in METRICS]
            lines.append(f"| {ours.name} - ({theirs.name}) | {' | '.join(cells)} |")
    return "\n".join(lines)


def _wins(ours: Judged, theirs: Judged, metric: str) -> str:
    from distbench import compare

    found = [compare(a, b)[metric] for a, b in zip(ours.reports, theirs.reports, strict=True)]
    better, worse = (sum(one.better == side for one in found) for side in ("a", "b"))
    return f"{statistics.mean(one.value for one in found):+.3f} (better {better}, worse {worse} of {len(found)})"


if __name__ == "__main__":
    main()
