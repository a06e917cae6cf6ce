"""Results of several files as one: of what is in more than one of them, the last file's counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from distbench.results.environment import told
from distbench.results.file import Results
from distbench.results.rows import EUCLIDEAN, ClaimOutcome, Row
from distbench.results.run import SORT_METRIC, RunResults

__all__ = ["merge_results"]


def merge_results(files: Sequence[tuple[Path, Results]], sort: str = SORT_METRIC) -> tuple[RunResults, list[str]]:
    """Return the results of several files as one outcome.

    Parameters
    ----------
    files : sequence of (path, Results)
        The later ones win.
    sort : str
        The metric that ranks.

    Returns
    -------
    outcome : RunResults
        Without changes or pictures.
    notes : list of str
        One line a file of which rows were left out for those of a later one.
    """
    owner = {_what(row): path for path, results in files for row in results.rows}
    rows, notes = [], []
    for path, results in files:
        kept = [row for row in results.rows if owner[_what(row)] == path]
        rows += kept
        lost = {_what(row) for row in results.rows} - {_what(row) for row in kept}
        if lost:
            later = ", ".join(dict.fromkeys(str(owner[what]) for what in sorted(lost)))
            notes.append(
                f"{path}: {len(lost)} encoder{'s' * (len(lost) > 1)} left out, as later files have them: {later}"
            )
    claims: dict[str, ClaimOutcome] = {claim.id: claim for _, results in files for claim in results.claims}
    return RunResults(rows, _environment(files), tuple(claims.values()), sort=sort), notes


def _what(row: Row) -> tuple[Any, ...]:
    """Return what a row is of: the same encoder, judged in the same way on the same data."""
    points = row.dataset or f"\n{row.test}"  # no data set is called so
    setting = row.code_size, row.k, row.m, row.M, row.distance or EUCLIDEAN
    return row.encoder, points, row.in_sample, *setting


def _environment(files: Iterable[tuple[Path, Results]]) -> Mapping[str, Any]:
    """Return the environment of one run as it is; of several, a line each."""
    found = [(str(path), results.environment) for path, results in files if results.environment]
    earlier = [(f"{path}: {name}", one) for path, results in files for name, one in results.earlier.items()]
    if len(found) == 1 and not earlier:
        return found[0][1]
    return {name: f"{one.get('date', '')}: {told(one)}" for name, one in (*found, *earlier)}
