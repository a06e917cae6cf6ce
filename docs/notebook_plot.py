"""Makes the picture of docs/notebook.md: ``python docs/notebook_plot.py [FILE]``."""

import sys
from pathlib import Path

from matplotlib.figure import Figure

import distbench

data = distbench.load_dataset("digits")
pca = distbench.fit_baseline("pca", data.train, code_size=2)
report = distbench.evaluate(pca, data.test, reference=data.train)
figure = Figure(figsize=(12.6, 3.9), layout="constrained", facecolor="white")
report.plot(ax=figure.subplots(1, 3), labels=data.labels_test)
figure.savefig(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).with_name("notebook-plot.png"), dpi=100)
