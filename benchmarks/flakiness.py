"""How often a check passes by accident or fails by accident: simulated CI runs, each on fresh test points.

    python benchmarks/flakiness.py --runs 1000 --kept draws.jsonl --markdown docs/appendix-checks.md

Encoders and reference points are fixed; each run draws m new test points. The population value of a metric is its mean
over the runs. Limits stand at that value and 1, 2 and 4 standard deviations (of the value over the runs) on either side
of it, and every run is compared with each of them: met, broken or undecided, and whether ``check`` passes with
``undecided=`` "value", "fail" and "pass". With ``--kept`` finished cases are kept in a file, and the same command goes
on where it was stopped.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from itertools import product
from pathlib import Path

import numpy as np
from _draws import Case, Found, all_draws
from _flakiness_tables import CHOSEN, MARGINS, POLICIES, Line, Next, markdown
from _page import show

from distbench.inference.verdicts import passes, verdict
from distbench.metrics import METRICS

SCENES = {"blobs": "PCA", "swiss roll": "nonlinear"}
SETTINGS = ("in sample", "train and test")


def lines_of(case: Case, found: Found) -> Iterator[Line]:
    """Compare every run of a case with every limit in the metric's range."""
    for (encoder, metric), rows in found.items():
        about = METRICS[metric]
        up = about.direction == "up"
        values = np.array([value for value, _, _ in rows])
        mean, spread = values.mean(), values.std(ddof=1)
        for margin in MARGINS:
            limit = mean - margin * spread if up else mean + margin * spread
            if not about.bounds[0] <= limit <= about.bounds[1]:
                continue
            said = [verdict(*row, limit, about.direction) for row in _rows(rows)]
            passed = {
                policy: _share(
                    passes(found, value, limit, about.direction, policy)
                    for found, value in zip(said, values, strict=True)
                )
                for policy in POLICIES
            }
            shares = {word: said.count(word) / len(said) for word in ("met", "undecided", "broken")}
            yield Line(case, encoder, metric, margin, **shares, passed=passed, luck=_luck(rows, up))


def next_of(case: Case, found: Found) -> Iterator[Next]:
    """Take a limit from every run and check whether the next run meets it."""
    for (_, metric), rows in found.items():
        direction = METRICS[metric].direction
        for reach in (0, 1, 2, 3):
            passed: dict[str, list[bool]] = {policy: [] for policy in POLICIES}
            runs = list(_rows(rows))
            for (value, low, high), after in zip(runs, [*runs[1:], runs[0]], strict=True):
                if low is None or high is None:
                    continue
                limit = value - reach * (value - low) if direction == "up" else value + reach * (high - value)
                found_next = verdict(*after, limit, direction)
                for policy in POLICIES:
                    passed[policy].append(passes(found_next, after[0], limit, direction, policy))
            yield Next(case, metric, reach, {policy: _share(each) for policy, each in passed.items()})


def _luck(rows: list[tuple[float, float, float]], up: bool) -> float:
    value, low, high = np.array(rows).T
    half = value - low if up else high - value
    has = np.isfinite(half)
    slope = np.polyfit(value[has] if up else -value[has], half[has], 1)[0]
    return float(slope * value[has].std(ddof=1) / half[has].mean())


def _rows(rows: Iterable[tuple[float, float, float]]) -> Iterator[tuple[float, float | None, float | None]]:
    """Yield value, low and high as reports have them: None where there is no interval."""
    for value, low, high in rows:
        yield (value, None, None) if np.isnan(low) or np.isnan(high) else (value, low, high)


def _share(each: Iterable[bool]) -> float:
    every = list(each)
    return sum(every) / len(every)


def study(sizes: list[int], runs: int, jobs: int, kept: Path | None) -> Iterator[tuple[Case, Found]]:
    """Yield every case with its runs, from the file of finished cases if they are in it."""
    known = dict(_kept(kept, runs)) if kept and kept.exists() else {}
    for m, setting, (source, encoder) in product(sizes, SETTINGS, SCENES.items()):
        case = Case(source, setting, m)
        if case in known:
            yield case, known[case]
            continue
        for _, found in all_draws([case], runs, jobs, CHOSEN, (encoder,)):
            if kept:
                rows = [[*key, values] for key, values in found.items()]
                with kept.open("a", encoding="utf-8") as file:
                    print(json.dumps({"runs": runs, "case": asdict(case), "rows": rows}), file=file)
            yield case, found


def _kept(path: Path, runs: int) -> Iterator[tuple[Case, Found]]:
    for line in path.read_text(encoding="utf-8").splitlines():
        saved = json.loads(line)
        if saved["runs"] == runs:
            rows = {(encoder, metric): [tuple(row) for row in values] for encoder, metric, values in saved["rows"]}
            yield Case(**saved["case"]), rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1_000)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--m", type=int, nargs="+", default=[100, 300, 1_000])
    parser.add_argument("--kept", type=Path, help="file of finished cases, from which a run continues")
    parser.add_argument("--markdown", type=Path, help="page whose tables are written; default: they are printed")
    arguments = parser.parse_args()
    lines: list[Line] = []
    after: list[Next] = []
    for case, found in study(arguments.m, arguments.runs, arguments.jobs, arguments.kept):
        lines += lines_of(case, found)
        after += next_of(case, found)
    show(f"\n{markdown(lines, after, arguments.runs)}\n", arguments.markdown, "flakiness")


if __name__ == "__main__":
    main()
