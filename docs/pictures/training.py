"""Continuity and scaled stress of unseen digits while two autoencoders train, one with a loss on distances."""

from __future__ import annotations

import keras
from _style import BLUE, GRAY, INK, ORANGE, clean, figure, save

import distbench
from distbench.keras import Autoencoder, DistancePreservingAutoencoder, PreservationMonitor

EPOCHS = 40
data = distbench.load_dataset("digits")
train, val = data.train.astype("float32"), data.test.astype("float32")
histories = {}
for name, kind in {"Autoencoder": Autoencoder, "DistancePreservingAutoencoder": DistancePreservingAutoencoder}.items():
    keras.utils.set_random_seed(0)
    model = kind(8)
    model.adapt(train)
    model.compile("adam")
    monitor = PreservationMonitor(val, reference=train, metrics=["continuity", "scaled_stress"])
    histories[name] = model.fit(train, epochs=EPOCHS, batch_size=32, verbose=0, callbacks=[monitor]).history

page = figure(9.2, 2.8)
for axes, metric in zip(page.subplots(1, 2), ("continuity", "scaled_stress"), strict=True):
    clean(axes, f"val_{metric}")
    for (name, history), color in zip(histories.items(), (ORANGE, BLUE), strict=True):
        axes.plot(range(1, EPOCHS + 1), history[f"val_{metric}"], color=color, lw=1.8, label=name)
    axes.set_xlabel("epoch", fontsize=8.5, color=INK)
    axes.grid(color=GRAY, alpha=0.2)
axes.legend(frameon=False, fontsize=8.5, labelcolor=INK)
save(page, __file__)
