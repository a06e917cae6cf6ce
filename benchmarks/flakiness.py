"""How often a check passes by accident or fails by accident: simulated CI runs, each on fresh test points.

    python benchmarks/flakiness.py --runs 1000 --kept draws.jsonl --markdown docs/flakiness.md

Encoders and reference points are fixed; each run draws m new test points. The population value of a metric is its mean
over the runs. Limits stand at that value and 1, 2 and 4 standard deviations (of the value over the runs) on either side
of it, and every run is judged against each of them: met, broken or undecided, and whether ``check`` passes with
``undecided=`` "value", "fail" and "pass". With ``--kept`` finished cases are kept in a file, and the same command goes
on where it was stopped.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path

# First: it keeps numba from importing coverage.py as the package of its name.
from _draws import K, REFERENCES, Case, Found, all_draws  # isort: skip

import numpy as np
from scipy.special import ndtr
from tabulate import tabulate

import distbench
from distbench.inference.verdicts import Undecided, passes, verdict
from distbench.metrics import METRICS

SCENES = {"blobs": "PCA", "swiss roll": "nonlinear"}
SETTINGS = ("in sample", "train and test")
CHOSEN = (
    "continuity",
    "trustworthiness",
    "knn_recall",
    "scaled_stress",
    "spearman",
    "triplet_accuracy",
    "distortion_q",
)
MARGINS = (-4, -2, -1, 0, 1, 2, 4)
POLICIES: tuple[Undecided, ...] = ("value", "fail", "pass")
REACH = 1.959964
BEGIN, END = "<!-- flakiness: begin -->", "<!-- flakiness: end -->"


@dataclass(frozen=True)
class Line:
    """What the runs say of one metric of one encoder against one limit."""

    case: Case
    encoder: str
    metric: str
    margin: int  # standard deviations between limit and population value; above 0 the encoder is good enough
    met: float
    undecided: float
    broken: float
    passed: dict[str, float]  # by what an undecided check does
    luck: float  # correlation of a run's value, good or bad, with the half width of its interval towards the bad side


@dataclass(frozen=True)
class Next:
    """How often a run passes a limit that was taken from the run before it."""

    case: Case
    metric: str
    reach: float  # half widths of the first run's interval between its value and the limit
    passed: dict[str, float]


def lines_of(case: Case, found: Found) -> Iterator[Line]:
    """Judge every run of a case against every limit that the metric can take."""
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
    """Take a limit from every run and hold the run after it against it."""
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
    return float(np.corrcoef(value[has] if up else -value[has], half[has])[0, 1])


def _rows(rows: Iterable[tuple[float, float, float]]) -> Iterator[tuple[float, float | None, float | None]]:
    """Yield value, low and high as reports have them: None where there is no interval."""
    for value, low, high in rows:
        yield (value, None, None) if np.isnan(low) or np.isnan(high) else (value, low, high)


def _share(each: Iterable[bool]) -> float:
    every = list(each)
    return sum(every) / len(every)


def promised(margin: float) -> dict[str, float]:
    """Return what a value of normal distribution with the ideal interval does."""
    met, broken = float(ndtr(margin - REACH)), float(ndtr(-margin - REACH))
    return {"met": met, "undecided": 1 - met - broken, "broken": broken, "value": float(ndtr(margin))}


def study(sizes: list[int], runs: int, jobs: int, kept: Path | None) -> Iterator[tuple[Case, Found]]:
    """Yield every case with its runs, from the file of kept ones where it is there."""
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
        told = json.loads(line)
        if told["runs"] == runs:
            rows = {(encoder, metric): [tuple(row) for row in values] for encoder, metric, values in told["rows"]}
            yield Case(**told["case"]), rows


def markdown(lines: list[Line], after: list[Next], runs: int) -> str:
    """Return the tables."""
    sizes = _either(sorted({line.case.m for line in lines}))
    return "\n\n".join(
        [
            f"{runs:,} simulated runs each; {REFERENCES} train points, k = {K}, codes of 2: PCA on Gaussian blobs in "
            "ten dimensions and a fixed nonlinear map of the swiss roll, in sample and against train and test points, "
            f"{sizes} test points, {len(CHOSEN)} metrics.",
            f"distbench {distbench.__version__}, numpy {np.__version__}, Python {platform.python_version()}; written "
            f"by `python benchmarks/flakiness.py --runs {runs} --markdown docs/flakiness.md`.",
            "### By the distance of the limit",
            "*margin*: how far the population value is on the limit's good side, in standard deviations of the value "
            "over the runs. Mean over all cases, and least to most in brackets; *ideal*: a value of normal "
            "distribution and an interval of 1.96 known standard deviations.",
            by_margin(lines),
            "### By metric and test points",
            "Least to most of all cases. *at the limit* is margin 0, *bad* margins -1, -2 and -4, *good* 1, 2 and 4. "
            "*luck*: correlation, over the runs, of a value with the half width of its interval; below 0 where runs "
            "that happen to look better also look surer.",
            by_metric(lines),
            "### A limit taken from another run",
            "How often the next run passes when the limit is the value of the run before it, moved to the bad side by "
            "so many half widths of that run's interval. Mean over all cases (least).",
            by_reach(after),
            "### Every case",
            "Of 100 runs: met / undecided / broken, by margin. A dash: no such limit, it is beyond the metric's range.",
            every_case(lines),
        ]
    )


def by_margin(lines: list[Line]) -> str:
    """Return the table of verdicts and passes by margin."""
    rows = []
    for margin in MARGINS:
        of, ideal = [line for line in lines if line.margin == margin], promised(margin)
        row = {"margin": f"{margin:+d}" if margin else "0"}
        for word in ("met", "undecided", "broken"):
            row |= {word: _spread([getattr(line, word) for line in of]), f"ideal {word}": f"{ideal[word]:.1%}"}
        row["passes with `value`"] = _spread([line.passed["value"] for line in of])
        row["ideal"] = f"{ideal['value']:.1%}"
        rows.append(row | {f"with `{p}`": _spread([line.passed[p] for line in of]) for p in ("fail", "pass")})
    return _table(rows)


def by_metric(lines: list[Line]) -> str:
    """Return the table of what METRICS promises, by metric and number of test points."""
    rows = []
    for metric, m in product(CHOSEN, sorted({line.case.m for line in lines})):
        of = [line for line in lines if (line.metric, line.case.m) == (metric, m)]
        at = [line for line in of if line.margin == 0]
        bad, good = [line for line in of if line.margin < 0], [line for line in of if line.margin > 0]
        rows.append(
            {
                "metric": metric,
                "m": str(m),
                "undecided at the limit": _range([line.undecided for line in at]),
                "passes with `fail` at the limit": _range([line.passed["fail"] for line in at]),
                "bad, passes with `fail`": _range([line.passed["fail"] for line in bad]),
                "fails with `pass` at the limit": _range([1 - line.passed["pass"] for line in at]),
                "good, fails with `pass`": _range([1 - line.passed["pass"] for line in good]),
                "luck": f"{min(line.luck for line in at):+.2f} to {max(line.luck for line in at):+.2f}",
            }
        )
    return _table(rows)


def by_reach(after: list[Next]) -> str:
    """Return the table of limits taken from the run before."""
    rows = []
    for reach in sorted({line.reach for line in after}):
        row = {"limit": f"{reach:g} half width{'s' * (reach > 1)} off" if reach else "the value itself"}
        for policy in POLICIES:
            of = [line.passed[policy] for line in after if line.reach == reach]
            row[f"`{policy}`"] = f"{np.mean(of):.1%} ({min(of):.1%})"
        rows.append(row)
    return _table(rows)


def every_case(lines: list[Line]) -> str:
    """Return the table of all verdicts."""
    rows: dict[tuple[str, ...], dict[str, str]] = {}
    for line in lines:
        case = line.case
        key = (str(case.m), case.source, line.encoder, case.setting, line.metric)
        head = dict(zip(("m", "points", "encoder", "setting", "metric"), key, strict=True))
        row = rows.setdefault(key, head | {f"{margin:+d}" if margin else "0": "-" for margin in MARGINS})
        said = (line.met, line.undecided, line.broken)
        row[f"{line.margin:+d}" if line.margin else "0"] = " / ".join(f"{100 * share:.1f}" for share in said)
    return _table(list(rows.values()))


def _table(rows: list[dict[str, str]]) -> str:
    return str(tabulate(rows, headers="keys", tablefmt="pipe", disable_numparse=True))


def _spread(shares: list[float]) -> str:
    return f"{np.mean(shares):.1%} ({min(shares):.1%} to {max(shares):.1%})"


def _range(shares: list[float]) -> str:
    return f"{min(shares):.1%} to {max(shares):.1%}"


def _either(numbers: list[int]) -> str:
    *first, last = (f"{number:,}" for number in numbers)
    return f"{', '.join(first)} and {last}" if first else last


def write_between(path: Path, text: str, begin: str, end: str) -> None:
    """Put text between two marks of a page, which stay."""
    before, found, rest = path.read_text(encoding="utf-8").partition(begin)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise SystemExit(f"{path.name}: found no marks; put {begin} and {end} on lines of their own")
    path.write_text(f"{before}{begin}\n\n{text}\n\n{end}{after}", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1_000)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--m", type=int, nargs="+", default=[100, 300, 1_000])
    parser.add_argument("--kept", type=Path, help="file of finished cases, to go on with")
    parser.add_argument("--markdown", type=Path, help=f"page with {BEGIN} and {END}; default: print")
    arguments = parser.parse_args()
    lines: list[Line] = []
    after: list[Next] = []
    for case, found in study(arguments.m, arguments.runs, arguments.jobs, arguments.kept):
        lines += lines_of(case, found)
        after += next_of(case, found)
    text = markdown(lines, after, arguments.runs)
    if arguments.markdown:
        write_between(arguments.markdown, text, BEGIN, END)
    else:
        print(text)


if __name__ == "__main__":
    main()
