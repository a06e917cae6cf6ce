"""Loaded once by the server of warm runs: an evaluation loads the compiled kernels, so that no run has to."""

import numpy as np

import distbench

points = np.random.default_rng(0).normal(size=(60, 6))
distbench.evaluate(lambda X: X[:, :3], points[:20], reference=points[20:], k=5).check(continuity=0.1)
str(distbench.evaluate(lambda X: X[:, :3], points, k=5))
