"""Shows a progress bar if a pass takes more than two seconds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

__all__ = ["track"]

Result = TypeVar("Result")

DELAY_SECONDS = 2.0


def track(results: Iterable[Result], sizes: Sequence[int], progress: bool | None = None) -> Iterator[Result]:
    """Yield `results`; show on stderr how many queries are done. `sizes` are the numbers of queries of each result.

    progress : True shows the bar after two seconds, False never shows it, None shows it only on a terminal.
    """
    if progress is False:
        yield from results
        return
    from tqdm import tqdm

    with tqdm(
        total=sum(sizes),
        unit=" queries",
        desc="distbench",
        delay=DELAY_SECONDS,
        disable=None if progress is None else False,  # None: no bar if stderr is no terminal
        leave=False,
    ) as bar:
        for result, size in zip(results, sizes, strict=True):
            bar.update(size)
            yield result
