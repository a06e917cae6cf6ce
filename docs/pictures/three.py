"""The three pictures of ``report.plot()``, of PCA on digits."""

from __future__ import annotations

from _style import figure, save

import distbench

data = distbench.load_dataset("digits")
pca = distbench.fit_baseline("pca", data.train, code_size=2)
report = distbench.evaluate(pca, data.test, reference=data.train)
page = figure(12.6, 3.9)
report.plot(ax=page.subplots(1, 3), labels=data.labels_test)
save(page, __file__)
