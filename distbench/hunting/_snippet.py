"""Writes code that encodes a pair again."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from distbench._util.text import join_names
from distbench.hunting._region import PlausibleRegion

__all__ = ["snippet"]

Array = NDArray[np.float64]

WIDTH = 100


def snippet(
    encoder: str, region: PlausibleRegion, pair: tuple[Array, Array], homes: tuple[int, int], rows: tuple[int, int]
) -> str:
    """Return code that encodes a pair of flat inputs again, given ``encoder`` and ``X``.

    The inputs are changes of two points: `homes` are their rows in the region, `rows` are their rows in ``X``.
    """
    source, points = "np.asarray(X)", "pair"
    if region.empty_frame is not None:
        columns = "columns" if hasattr(region.empty_frame, "iloc") else "schema"
        source, points = "X.to_numpy().astype(float)", f"type(X)(pair, {columns}=X.columns)"
    changes = [
        line
        for side, (point, home) in enumerate(zip(pair, homes, strict=True))
        for line in _assignments(f"pair[{side}].flat", point, region.rows[home], region.dtype)
    ]
    return "\n".join(
        [
            "import numpy as np",
            "from distbench.encoders import as_encoder",
            "",
            f"# encoder = ...  # {join_names([encoder])}",
            "# X = ...  # the points of the hunt",
            f"pair = {source}[[{rows[0]}, {rows[1]}]]",
            *changes,
            f"codes = as_encoder(encoder).encode({points}).astype(float)",
            "x, y = pair.astype(float).reshape(2, -1)",
            "print(np.linalg.norm(x - y), np.linalg.norm(codes[0] - codes[1]))",
        ]
    )


def _assignments(target: str, point: Array, home: Array, dtype: np.dtype[np.generic]) -> list[str]:
    """Return lines that set the numbers in which a point differs from `home`."""
    changed = np.flatnonzero(point != home)
    values = [str(value) for value in point[changed].astype(dtype)]
    if not values:
        return []
    if len(changed) == len(point):
        return _wrapped(f"{target}[:] = [", values)
    if len(changed) == 1:
        return [f"{target}[{changed[0]}] = {values[0]}"]
    return [*_wrapped("changed = [", list(map(str, changed))), *_wrapped(f"{target}[changed] = [", values)]


def _wrapped(head: str, values: Sequence[str]) -> list[str]:
    text = f"{head}{', '.join(values)}]"
    return textwrap.wrap(text, WIDTH, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)
