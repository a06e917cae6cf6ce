"""What each metric sees of a known fault in the codes: the numbers of docs/which-metric.md as colors."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from _style import INK, clean, figure, save

import distbench

PAGE = Path(__file__).resolve().parents[1] / "which-metric.md"
# The page defines the points and the faults; its block is run here, so both show the same numbers.
block = re.search(
    r"```python\n(import numpy as np\nimport distbench\n.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL
)
assert block is not None
names = {"np": np, "distbench": distbench}
exec(block[1].partition("print(")[0], names)  # its own source, up to the table
X, faults, metrics = names["X"], names["faults"], list(names["names"])
rows = []
for Z in faults.values():
    report = distbench.evaluate_codes(X, Z, metrics=metrics)
    rows.append([report[metric].value for metric in metrics])
values = np.array(rows)
report = distbench.evaluate_codes(X, X, metrics=metrics)
moved = np.abs(values - [report[metric].value for metric in metrics])
ratios = metrics.index("distortion_q")
moved[:, ratios] = np.log(values[:, ratios])
worst = moved / moved.max(axis=0)

page = figure(8.6, 3.6)
axes = clean(page.subplots(), "How far each metric is from its value for perfect codes (distortion_q: log scale)")
axes.imshow(worst, cmap="Oranges", vmin=0, vmax=1.3, aspect="auto")
for (row, column), value in np.ndenumerate(values):
    axes.text(column, row, f"{value:.3g}", ha="center", va="center", fontsize=8, color=INK)
axes.set_xticks(range(len(metrics)), [metric.replace("_", "\n") for metric in metrics])
axes.set_yticks(range(len(faults)), list(faults))
axes.spines[:].set_visible(False)
axes.tick_params(length=0)
save(page, __file__)
