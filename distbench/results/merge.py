"""Merges the results of several files; later files win."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from distbench.results.environment import describe
from distbench.results.file import Results
from distbench.results.matching import contradictory
from distbench.results.points import hashes_of_points
from distbench.results.run import SORT_METRIC, RunResults

__all__ = ["merge_results"]


def merge_results(files: Sequence[tuple[Path, Results]], sort: str = SORT_METRIC) -> tuple[RunResults, list[str]]:
    """Return the results of several files as those of one run, and lines on rows that were left out.

    If several files have rows of the same setting on the same points, those of the last file are taken. `sort` is the
    metric that ranks encoders.
    """
    hashes = iter(hashes_of_points([row for _, results in files for row in results.rows]))
    # All training seeds of an encoder are taken from one file.
    settings = [[(row.setting._replace(seed=None), next(hashes)) for row in results.rows] for _, results in files]
    owner = {setting: path for (path, _), in_file in zip(files, settings, strict=True) for setting in in_file}
    rows, notes = [], []
    for (path, results), in_file in zip(files, settings, strict=True):
        rows += [row for row, setting in zip(results.rows, in_file, strict=True) if owner[setting] == path]
        older = sorted({setting for setting in in_file if owner[setting] != path})
        if older:
            later = ", ".join(dict.fromkeys(str(owner[setting]) for setting in older))
            notes.append(
                f"{path}: {len(older)} encoder{'s' * (len(older) > 1)} left out, as later files have them: {later}"
            )
    notes += [line for path, results in files for line in _contradictions(path, results)]
    claims = {claim.id: claim for _, results in files for claim in results.claims}
    return RunResults(rows, _environment(files), tuple(claims.values()), sort=sort), notes


def _contradictions(path: Path, results: Results) -> list[str]:
    """Return a line for each encoder of which a file has two values of one metric in one setting: one is shown."""
    hashes = dict(zip(map(id, results.rows), hashes_of_points(results.rows), strict=True))
    found = contradictory([results.rows], lambda row: (row.encoder, row.test, row.setting.subject, hashes[id(row)]))
    names = dict.fromkeys(encoder for encoder, *_ in sorted(found))
    return [
        f"{path}: {name} has several values of one metric in one setting, of which the last is shown" for name in names
    ]


def _environment(files: Sequence[tuple[Path, Results]]) -> Mapping[str, Any]:
    """Return the environment if there is only one; if there are several, return a line for each."""
    last = {str(path): results.environment for path, results in files if results.environment}
    earlier = {f"{path}: {name}": values for path, results in files for name, values in results.earlier.items()}
    if len(last) == 1 and not earlier:
        return next(iter(last.values()))
    return {name: f"{values.get('date', '')}: {describe(values)}" for name, values in (last | earlier).items()}
