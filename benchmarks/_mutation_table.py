"""Outcomes of the mutants as Markdown: a table of modules, and the survivors with their reasons."""

from __future__ import annotations

import math
import tomllib
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import Any

from _mutation_mutants import source

__all__ = ["reason", "report"]

Row = dict[str, Any]
REASONS = Path(__file__).with_name("mutation_survivors.toml")
GAP = "A gap"  # how the reason begins where there is none: a test was missing
OPERATORS = {  # what cosmic-ray calls it: what we call it
    "ReplaceBinaryOperator": "another arithmetic operator",
    "ReplaceComparisonOperator": "another comparison",
    "ReplaceUnaryOperator": "another sign, or none",
    "NumberReplacer": "a number 1 larger or smaller",
    "AddNot": "a condition negated",
    "ReplaceAndWithOr": "`and`, `or` exchanged",
    "ReplaceOrWithAnd": "`and`, `or` exchanged",
    "ReplaceTrueWithFalse": "`True`, `False` exchanged",
    "ReplaceFalseWithTrue": "`True`, `False` exchanged",
    "ZeroIterationForLoop": "a loop that does not run",
    "RemoveDecorator": "a decorator removed",
    "ExceptionReplacer": "another exception caught",
    "ReplaceBreakWithContinue": "`break`, `continue` exchanged",
    "ReplaceContinueWithBreak": "`break`, `continue` exchanged",
}


def report(rows: list[Row], population: int) -> str:
    """Return the tables; `population` is how many mutants there are in all."""
    real = [row for row in rows if row["outcome"] in ("killed", "survived")]
    killed = sum(row["outcome"] == "killed" for row in real)
    low, high = wilson(killed, len(real))
    same = [row for row in real if row["outcome"] == "survived" and not (reason(row) or GAP).startswith(GAP)]
    lower, upper = wilson(killed, len(real) - len(same))
    lines = [
        f"{len(rows):,} of {population:,} mutants were drawn; {len(rows) - len(real)} of them are not valid "
        f"Python, or compile to the same code, and do not count. Of the other {len(real):,}, **{killed:,} were killed: "
        f"{killed / len(real):.1%}** (95 % interval {low:.1%} to {high:.1%}). {len(same)} of the survivors change no "
        f"result, for the reasons below; without these it is "
        f"{killed / (len(real) - len(same)):.1%} ({lower:.1%} to {upper:.1%}).",
        "",
        *_by_kind(real),
        "",
        *_by_module(real),
        "",
        *_survivors([row for row in real if row["outcome"] == "survived"]),
    ]
    return "\n".join(lines)


def wilson(hits: int, n: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a share."""
    z, p = 1.959964, hits / n
    middle, half = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return (middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n)


def _counted(title: str, groups: dict[str, list[Row]]) -> list[str]:
    lines = [f"| {title} | mutants | killed | |", "| --- | --: | --: | --: |"]
    for name in sorted(groups):
        own = groups[name]
        killed = sum(row["outcome"] == "killed" for row in own)
        lines.append(f"| {name} | {len(own)} | {killed} | {killed / len(own):.0%} |")
    return lines


def _by_kind(rows: list[Row]) -> list[str]:
    groups = defaultdict(list)
    for row in rows:
        groups[OPERATORS[row["operator"].split("_")[0]]].append(row)
    return _counted("change", groups)


def _by_module(rows: list[Row]) -> list[str]:
    groups = defaultdict(list)
    for row in rows:
        groups[f"`{row['path'].removeprefix('distbench/')}`"].append(row)
    return _counted("module", groups)


def _survivors(rows: list[Row]) -> list[str]:
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[reason(row) or "No reason given"].append(row)
    lines = []
    for why in sorted(groups, key=lambda one: (-len(groups[one]), one)):
        lines += [f"**{why}** ({len(groups[why])})", ""]
        for row in sorted(groups[why], key=lambda row: (row["path"], row["line"], row["column"])):
            module = row["path"].removeprefix("distbench/")
            lines.append(f"- `{module}`, {row['operator']}: `{_code(row)}`")
        lines.append("")
    return lines


def _code(row: Row) -> str:
    return source(row["path"]).splitlines()[row["line"] - 1].strip()


@cache
def _reasons() -> list[dict[str, Any]]:
    return list(tomllib.loads(REASONS.read_text())["reason"])


def reason(row: Row) -> str | None:
    """Return why a mutant cannot be killed, as far as that is known."""
    for one in _reasons():
        fits = row["path"].endswith(one["module"]) and one["line"] in _code(row)
        if fits and one.get("operator", "") in row["operator"] and row["column"] in one.get("columns", [row["column"]]):
            return str(one["why"])
    return None
