"""Two images that principal components give nearly the same code, found by a hunt between the test points."""

from __future__ import annotations

import numpy as np
from _style import GRAY, INK, ORANGE, figure, save

import distbench

data = distbench.load_dataset("digits")
encoder = distbench.fit_baseline("pca", data.train, code_size=8)
hunt = distbench.hunt(encoder, data.test, bounds=(0, 1), seed=0)
merged = hunt.merged
first, second = (np.asarray(point).reshape(8, 8) for point in merged.pair)
shown = {"one input": first, "another": second, "their difference": second - first}

page = figure(6.2, 2.3)
for axes, (title, image) in zip(page.subplots(1, 3), shown.items(), strict=True):
    is_difference = title == "their difference"
    axes.imshow(image, cmap="PuOr" if is_difference else "gray_r", vmin=-1 if is_difference else 0, vmax=1)
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_color(GRAY)
    axes.set_title(title, loc="left", fontsize=10, color=ORANGE if is_difference else INK)
page.suptitle(
    f"PCA to 8 numbers: inputs {merged.d_x:.3g} apart with codes {merged.d_z:.2g} apart",
    x=0.01,
    ha="left",
    fontsize=10,
    color=INK,
)
save(page, __file__)
