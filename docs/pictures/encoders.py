"""Test digits in two numbers, by six reference encoders; orange points have lost their neighbors."""

from __future__ import annotations

from _style import INK, clean, figure, save

import distbench

NAMES = ("pca", "random_projection", "isomap", "umap", "autoencoder", "neighbor_autoencoder")
data = distbench.load_dataset("digits")
page = figure(10.2, 6.4)
for name, axes in zip(NAMES, page.subplots(2, 3).ravel(), strict=True):
    encoder = distbench.fit_baseline(name, data.train, code_size=2, seed=0)
    report = distbench.evaluate(encoder, data.test, reference=data.train)
    report.plot("points", ax=axes, labels=data.labels_test)
    if axes.get_legend():
        axes.get_legend().remove()
    for text in list(axes.texts):
        if text.get_fontsize() < 9:  # the explanation below the title
            text.remove()
    clean(axes, f"{name}: continuity {report['continuity'].value:.3f}")
    axes.set(xlabel="", ylabel="", xticks=[], yticks=[])
    axes.title.set_color(INK)
save(page, __file__)
