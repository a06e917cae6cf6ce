"""Intervals of many samples of test points, and the value of all points; the width by the number of test points."""

from __future__ import annotations

import numpy as np
from _style import BLUE, GRAY, INK, ORANGE, clean, figure, save

import distbench

SAMPLES = 100
rng = np.random.default_rng(0)
data = distbench.load_dataset("digits")
points = np.vstack([data.train, data.test])
train, others = points[:397], points[397:]
encoder = distbench.fit_baseline("pca", train, code_size=8)
options = {"reference": train, "metrics": ["continuity"], "include_queries": False}
whole = distbench.evaluate(encoder, others, **options)["continuity"].value


def sample(m):
    """Return the continuity of so many of the test points."""
    rows = rng.choice(len(others), m, replace=False)
    return distbench.evaluate(encoder, others[rows], **options)["continuity"]


page = figure(9.2, 2.9)
left, right = page.subplots(1, 2, width_ratios=[1.6, 1])
clean(left, f"{SAMPLES} samples of 100 test points: value and 95 % interval")
missed = 0
for place in range(SAMPLES):
    score = sample(100)
    missed += not score.low <= whole <= score.high
    color = BLUE if score.low <= whole <= score.high else ORANGE
    left.plot([place, place], [score.low, score.high], color=color, lw=1.3)
    left.plot(place, score.value, "o", color=color, ms=2)
left.axhline(whole, color=INK, lw=1, ls="--")
left.set_xlabel(f"dashed: all 1,400 points; {missed} intervals miss it", fontsize=8.5, color=INK)
left.set_xticks([])
clean(right, "Half width of the interval")
sizes = [25, 50, 100, 200, 400, 800, 1400]
halves = [np.mean([(s.high - s.low) / 2 for s in (sample(m) for _ in range(5))]) for m in sizes]
right.plot(sizes, halves, "o-", color=BLUE, ms=4)
right.set_xscale("log")
right.set_xticks(sizes[1::2], [f"{m:,}" for m in sizes[1::2]])
right.minorticks_off()
right.set_ylim(0)
right.set_xlabel("test points", fontsize=8.5, color=INK)
right.grid(color=GRAY, alpha=0.2)
save(page, __file__)
