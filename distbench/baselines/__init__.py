"""Reference encoders: recipes that are fitted on train points.

Each recipe is one module of this package; its ``baseline`` or ``network`` decorator registers it.
Importing this package loads neither numpy nor Keras: a recipe loads what it needs when it is fitted.
"""

from __future__ import annotations

from distbench.baselines._recipe import BASELINES, FittedEncoder, Progress, Recipe, fit_baseline

__all__ = ["BASELINES", "FittedEncoder", "Progress", "Recipe", "fit_baseline"]
