"""Shows a progress bar if a pass takes more than two seconds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

__all__ = ["track"]

Result = TypeVar("Result")

DELAY_SECONDS = 2.0  # seconds


def track(
    results: Iterable[Result], sizes: Sequence[int], *, progress: bool | None = None, what: str = "queries"
) -> Iterator[Result]:
    """Yield `results`; show on stderr how many queries they cover.

    Parameters
    ----------
    results : iterable
        In the order of `sizes`.
    sizes : sequence of int
        Queries behind each result.
    progress : bool, optional
        True: show a bar once two seconds have passed. False: never. None: only where stderr is a terminal.
    what : str
        What is counted.
    """
    if progress is False:
        yield from results
        return
    from tqdm import tqdm

    with tqdm(
        total=sum(sizes),
        unit=f" {what}",
        desc="distbench",
        delay=DELAY_SECONDS,
        disable=None if progress is None else False,  # None: off where stderr is no terminal
        leave=False,
    ) as bar:
        for result, size in zip(results, sizes, strict=True):
            bar.update(size)
            yield result
