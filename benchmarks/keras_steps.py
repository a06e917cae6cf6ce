"""How much time losses on distances and on neighbors add to a training step, at several batch sizes.

``python benchmarks/keras_steps.py --help`` lists what can be changed; the table is printed.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from _page import machine

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

PLAIN = "plain"
ORDERS = 64  # batches, taken again and again
PACKAGES = ("tensorflow", "keras", "numpy")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure what each loss adds to a training step.")
    parser.add_argument("--batches", type=int, nargs="+", default=[16, 32, 128, 256, 1024], help="points a step")
    parser.add_argument("--d", type=int, default=64, help="columns of the points")
    parser.add_argument("--code-size", type=int, default=8, help="columns of the codes")
    parser.add_argument("--form", default="scaled", help="form of the loss")
    parser.add_argument("--repeats", type=int, default=15, help="epochs that count, of each kind in turn")
    parser.add_argument("--seconds", type=float, default=0.15, help="approximate seconds of an epoch of the plain kind")
    parser.add_argument("--threads", type=int, default=1, help="threads of TensorFlow")
    return parser.parse_args()


def main() -> None:
    args = _arguments()
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(args.threads)
    tf.config.threading.set_inter_op_parallelism_threads(args.threads)
    settings = f"{args.d} columns, codes of {args.code_size}, form {args.form}, {args.threads} thread(s)"
    print(f"{machine(*PACKAGES)}; {settings}.\n")
    print("| batch | plain, ms a step | all pairs | all pairs of at most 128 points | sampled pairs | neighbors |")
    print("|---|---|---|---|---|---|")
    for batch in args.batches:
        print(_row(batch, *_measured(batch, args)), flush=True)


def _measured(batch: int, args: argparse.Namespace) -> tuple[float, dict[str, float]]:
    """Milliseconds of a plain step, and the median ratio to it of each kind, taken repeat by repeat."""
    from distbench.keras import NeighborLoss, PairwiseDistanceLoss

    kinds: dict[str, Any] = {
        PLAIN: lambda codes, inputs: codes,
        "all": PairwiseDistanceLoss(10.0, 10.0, form=args.form, max_points=batch),
        "capped": PairwiseDistanceLoss(10.0, 10.0, form=args.form),
        "sampled": PairwiseDistanceLoss(10.0, 10.0, form=args.form, pairs="sampled"),
        "neighbors": lambda codes, inputs: NeighborLoss()(codes),
    }
    if batch <= 128:
        del kinds["capped"]
    epochs = {kind: _epoch(batch, args, loss) for kind, loss in kinds.items()}
    for epoch in epochs.values():
        epoch(20)  # compiles
    steps = max(4, round(args.seconds / _seconds(epochs[PLAIN], 20) * 20))
    times: dict[str, list[float]] = {kind: [] for kind in kinds}
    for repeat in range(args.repeats):
        # In turn, each time another one first: whatever else the machine does falls on all of them.
        order = list(epochs)
        for kind in order[repeat % len(order) :] + order[: repeat % len(order)]:
            times[kind].append(_seconds(epochs[kind], steps))
    ratios = {
        kind: statistics.median(time / plain for time, plain in zip(times[kind], times[PLAIN], strict=True))
        for kind in kinds
    }
    return 1000 * statistics.median(times[PLAIN]) / steps, ratios


def _epoch(batch: int, args: argparse.Namespace, with_loss: Callable[[Any, Any], Any]) -> Callable[[int], Any]:
    """One compiled epoch of an autoencoder of 128 and 64 hidden units, as the baselines train it.

    For the loss on neighbors half of a batch are anchors, and the other half their partners.
    """
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(0)
    inputs = keras.Input((args.d,))
    hidden = keras.layers.Dense(64, "relu")(keras.layers.Dense(128, "relu")(inputs))
    codes = with_loss(keras.layers.Dense(args.code_size)(hidden), inputs)
    hidden = keras.layers.Dense(128, "relu")(keras.layers.Dense(64, "relu")(codes))
    model = keras.Model(inputs, keras.layers.Dense(args.d)(hidden))
    optimizer = keras.optimizers.Adam(1e-4)
    optimizer.build(model.trainable_variables)
    points = tf.constant(np.random.default_rng(0).normal(size=(max(2048, batch), args.d)).astype("float32"))

    orders = tf.constant(np.random.default_rng(1).integers(0, len(points), (ORDERS, batch)), tf.int32)

    @tf.function(jit_compile=True)
    def run(steps: Any) -> Any:
        total = tf.constant(0.0)
        for step in tf.range(steps):
            rows = tf.gather(points, orders[step % ORDERS])
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(tf.square(model(rows, training=True) - rows)) + sum(model.losses)
            optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
            total += loss
        return total

    return lambda steps: run(tf.constant(steps)).numpy()


def _seconds(epoch: Callable[[int], Any], steps: int) -> float:
    start = time.perf_counter()
    epoch(steps)
    return time.perf_counter() - start


def _row(batch: int, plain: float, ratios: dict[str, float]) -> str:
    cells = [f"{ratios[kind]:.2f} x" if kind in ratios else "" for kind in ("all", "capped", "sampled", "neighbors")]
    return f"| {batch:,} | {plain:.3g} | {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
