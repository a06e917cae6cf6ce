"""Chance, PCA, what scaling of the test points attains, and the floor, by code size."""

from __future__ import annotations

from _style import BLUE, GRAY, GREEN, INK, ORANGE, clean, figure, save

import distbench
from distbench.inference.attainable import attainable
from distbench.inference.floors import floors

SIZES = (1, 2, 4, 8, 16, 32)
data = distbench.load_dataset("digits")
lines: dict[str, list[float]] = {
    "shuffled codes": [],
    "PCA": [],
    "attainable: scaling of the test points": [],
    "floor": [],
}
for size in SIZES:
    encoder = distbench.fit_baseline("pca", data.train, code_size=size)
    score = distbench.evaluate(encoder, data.test, metrics=["scaled_stress"])["scaled_stress"]
    attained = attainable(data.test, size, metrics=["scaled_stress"])["scaled_stress"]
    floor = floors(data.test, size)["scaled_stress"]
    for name, value in zip(lines, (score.chance, score.value, attained, floor), strict=True):
        lines[name].append(value)

page = figure(6.6, 3.2)
axes = clean(page.subplots(), "Scaled stress of digits: what can be had at each code size")
for (name, values), color in zip(lines.items(), (GRAY, ORANGE, BLUE, GREEN), strict=True):
    axes.plot(SIZES, values, "o-", ms=4, color=color, label=name)
axes.fill_between(SIZES, 0, lines["floor"], color=GREEN, alpha=0.1)
axes.set_xscale("log", base=2)
axes.set_xticks(SIZES, list(map(str, SIZES)))
axes.set_xlabel("code size", fontsize=8.5, color=INK)
axes.set_ylim(0)
axes.legend(frameon=False, fontsize=8, labelcolor=INK)
save(page, __file__)
