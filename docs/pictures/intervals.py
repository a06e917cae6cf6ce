"""Three limits beside one measured interval: met, undecided, broken."""

from __future__ import annotations

from _style import BLUE, GRAY, GREEN, INK, ORANGE, clean, figure, save

import distbench

data = distbench.load_dataset("digits")
encoder = distbench.fit_baseline("pca", data.train, code_size=8)
report = distbench.evaluate(encoder, data.test, reference=data.train)
score = report["knn_recall"]
colors = {"met": GREEN, "undecided": GRAY, "broken": ORANGE}

page = figure(7.4, 2.0)
axes = clean(page.subplots(), "knn_recall of PCA on digits, its 95 % interval, and three limits")
for place, limit in enumerate((0.62, 0.59, 0.55)):
    verdict = report.verdicts(knn_recall=limit)["knn_recall"]
    axes.plot([score.low, score.high], [place, place], color=BLUE, lw=3, solid_capstyle="round")
    axes.plot(score.value, place, "o", color=BLUE, ms=7)
    axes.plot([limit, limit], [place - 0.35, place + 0.35], color=INK, lw=1.6)
    axes.text(
        0.632, place, f"at least {limit}: {verdict}", va="center", fontsize=9, color=colors[verdict], weight="bold"
    )
axes.set_yticks([])
axes.spines["left"].set_visible(False)
axes.set_xlim(0.54, 0.685)
axes.set_ylim(-0.6, 2.6)
axes.set_xticks([0.55, 0.57, 0.59, 0.61])
save(page, __file__)
