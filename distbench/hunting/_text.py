"""Findings in words, and code that shows them again."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from distbench._util.text import code_repr, join_names
from distbench.hunting._region import PlausibleRegion

if TYPE_CHECKING:
    from distbench.hunting._finding import Finding, Hunt

__all__ = ["failure_text", "finding_text", "hunt_text", "snippet_of"]

Array = NDArray[np.float64]

WIDTH = 100
MOST_LINES = 12  # of a snippet that is shown in a message
WORDS = {"merge": ("merged", "contraction"), "tear": ("torn apart", "expansion")}


def hunt_text(hunt: Hunt) -> str:
    """Return a hunt in a few lines."""
    by = ", by its gradients" if hunt.by_gradient else ""
    lines = [
        f"hunt of {hunt.encoder} (codes of {hunt.code_size}) around {hunt.m} test points: {hunt.asked:,} rows{by}",
        *(f"  {line}" for finding in (hunt.merged, hunt.torn) for line in finding_text(finding).split("\n")),
        *(f"  note: {note}" for note in hunt.notes),
    ]
    return "\n".join(lines)


def finding_text(finding: Finding) -> str:
    """Return a finding in one or two lines."""
    word, measure = WORDS[finding.kind]
    i, j = finding.test_rows
    test = f"test points {i} and {j} ({measure} {_short(finding.test_value)})"
    if not finding.found:
        more = (
            f"; {measure} {_short(finding.value)} nearby" if _short(finding.value) != _short(finding.test_value) else ""
        )
        return f"{word}: nothing worse than {test}{more}"
    head = (
        f"{word}: inputs {_short(finding.d_x)} apart, codes {_short(finding.d_z)} apart; {measure} "
        f"{_short(finding.value)}, {_times(finding.ratio)} that of {test}"
    )
    small = f"  shrunk: {_told(finding)}; inputs {_short(finding.shrunk_d_x)}, codes {_short(finding.shrunk_d_z)} apart"
    return f"{head}\n{small}"


def failure_text(hunt: Hunt, broken: Mapping[str, float]) -> str:
    """Return what a user must know of broken limits: how bad, which pair, and how to see it again."""
    plural = "s" * (len(broken) > 1)
    lines = [f"{hunt.encoder} (codes of {hunt.code_size}) does not meet {len(broken)} limit{plural}:"]
    for name, limit in broken.items():
        finding = hunt.torn if name == "expansion" else hunt.merged
        value = getattr(hunt, name)
        shown, bound = _short(value), _short(limit)
        if shown == bound:  # a near miss must not look like a hit
            shown, bound = repr(value), repr(limit)
        lines.append(f"  {name} = {shown}, limit at most {bound}")
        lines += [f"    {line.strip()}" for line in finding_text(finding).split("\n")]
    lines += [
        f"  found around {hunt.m} test points in {hunt.asked:,} rows; distances are in the units of points and codes"
    ]
    lines += [f"  note: {note}" for note in hunt.notes]
    first = hunt.torn if next(iter(broken)) == "expansion" else hunt.merged
    snippet = first.snippet.split("\n")
    if len(snippet) <= MOST_LINES:
        return "\n".join(
            [
                *lines,
                "  to see it again (encoder and X: what was hunted):",
                *(f"    {line}".rstrip() for line in snippet),
            ]
        )
    part = "torn" if first is hunt.torn else "merged"
    options = "".join(f", {name}={code_repr(name, value)}" for name, value in hunt.options)
    again = f"print(distbench.hunt(encoder, X, seed={hunt.seed}{options}).{part}.snippet)"
    return "\n".join([*lines, f"  to see it again ({len(snippet)} lines): {again}"])


def snippet_of(
    encoder: str, region: PlausibleRegion, pair: tuple[Array, Array], homes: tuple[int, int], rows: tuple[int, int]
) -> str:
    """Return code that has a pair encoded again.

    Parameters
    ----------
    encoder : str
        Its name.
    region : PlausibleRegion
        Where the pair lies.
    pair : tuple of ndarray
        The two inputs, flat.
    homes, rows : tuple of int
        The points they are told by: their rows in the region and in the user's array.
    """
    lines = ["import numpy as np", "from distbench.encoders import as_encoder", ""]
    lines += [f"# encoder = ...  # {join_names([encoder])}", "# X = ...  # the points that were hunted around"]
    frame = region.like is not None
    source = "X.to_numpy(dtype=float)" if frame else "np.asarray(X)"
    lines.append(f"pair = {source}[[{rows[0]}, {rows[1]}]]")
    for side, (point, home) in enumerate(zip(pair, homes, strict=True)):
        lines += _assignment(f"pair[{side}].flat", point, region.rows[home], region.dtype)
    given = "type(X)(pair, columns=X.columns)" if frame else "pair"
    lines += [
        f"codes = as_encoder(encoder).encode({given}).astype(float)",
        "x, y = pair.astype(float).reshape(2, -1)",
        "print(np.linalg.norm(x - y), np.linalg.norm(codes[0] - codes[1]))",
    ]
    return "\n".join(lines)


def _assignment(target: str, point: Array, home: Array, dtype: np.dtype[np.generic]) -> list[str]:
    changed = np.flatnonzero(point != home)
    if not len(changed):
        return []
    values = [str(value) for value in point[changed].astype(dtype)]
    if len(changed) == len(point):
        return _wrapped(f"{target}[:] = [", values)
    if len(changed) == 1:
        return [f"{target}[{changed[0]}] = {values[0]}"]
    return [*_wrapped("changed = [", [str(one) for one in changed]), *_wrapped(f"{target}[changed] = [", values)]


def _wrapped(head: str, values: Sequence[str]) -> list[str]:
    text = f"{head}{', '.join(values)}]"
    return textwrap.wrap(text, WIDTH, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)


def _told(finding: Finding) -> str:
    """Say which test points the shrunk inputs are, or are made of."""
    total = int(np.size(finding.shrunk[0]))
    (i, j), (a, b) = finding.rows, finding.changed

    def one(row: int, changed: int) -> str:
        return f"test point {row}" + (f" with {changed} of {total} numbers changed" if changed else "")

    if i == j and not a:
        return f"test point {i}, and the same with {b} of {total} numbers changed"
    return f"{one(i, a)}, and {one(j, b)}"


def _short(value: float) -> str:
    return f"{value:.4g}"


def _times(ratio: float) -> str:
    if ratio > 1e9:
        return "more than 1e+09 times"
    return f"{ratio:.3g} times" if ratio >= 1.1 else f"{ratio:.4g} times"
