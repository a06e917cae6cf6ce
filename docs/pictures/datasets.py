"""Points of the shipped data sets that can be seen."""

from __future__ import annotations

import numpy as np
from _style import INK, figure, save

import distbench

IMAGES = {"digits": (8, 8), "mnist5k": (28, 28)}
SURFACES = ("swiss_roll", "s_curve")

page = figure(9.6, 2.6)
for place, (name, shape) in enumerate(IMAGES.items(), start=1):
    data = distbench.load_dataset(name)
    axes = page.add_subplot(1, 4, place)
    rows = [
        np.hstack([np.pad(data.test[row + column].reshape(shape), shape[0] // 8) for column in range(5)])
        for row in range(0, 25, 5)
    ]
    axes.imshow(np.vstack(rows), cmap="gray_r")
    axes.set_axis_off()
    axes.set_title(name, loc="left", fontsize=10, color=INK)
for place, name in enumerate(SURFACES, start=3):
    data = distbench.load_dataset(name)
    axes = page.add_subplot(1, 4, place, projection="3d")
    x, y, z = data.train.T
    axes.scatter(x, y, z, c=z if name == "s_curve" else np.hypot(x, z), s=3, cmap="viridis")
    axes.view_init(12, -72)
    axes.set_axis_off()
    axes.set_title(name, loc="left", fontsize=10, color=INK)
save(page, __file__)
