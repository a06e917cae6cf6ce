"""Reference encoders to stand beside: recipes that are fitted on train points.

Each recipe is one module of this package; its ``baseline`` decorator is all there is to registering it.
Importing this package loads neither numpy nor Keras: they come when a recipe that needs them is fitted.
"""

from __future__ import annotations

from distbench.baselines._recipe import BASELINES, FittedEncoder, Progress, Recipe, fit_baseline

__all__ = ["BASELINES", "FittedEncoder", "Progress", "Recipe", "fit_baseline"]
