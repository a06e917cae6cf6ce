"""How many small changes to the metrics, the engine and the intervals the tests detect.

    python benchmarks/mutation.py --minutes 60          # a seeded sample, spread over the modules
    python benchmarks/mutation.py --most 600
    python benchmarks/mutation.py --report              # tables of what is stored

Each outcome is stored at once (``--store``) and not computed again, so a run can be stopped and continued.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import pickle
import time
from functools import cache
from pathlib import Path
from typing import Any

os.environ |= {"NUMBA_DISABLE_JIT": "1", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}

from _mutation_mutants import ROOT, Mutant, all_mutants, source, spread
from _mutation_table import reason, report
from _mutation_tests import Judge, Known, collect, measure
from _page import show

# quick in plain Python, but for some tests of the engine and of metrics, which are left out by their time
TESTS = (
    "definitions engine metrics kernels formulas public_metrics extending estimate jackknife floors verdicts"
    " worst_pairs signs executors shortlists neighbors orders spaces directions groups row_order each_k"
)


def main() -> None:
    options = _options()
    store = Path(options.store)
    if not options.report:
        os.chdir(ROOT)
        collect([f"tests/test_{name}.py" for name in options.tests.split()], lambda items: _run(items, options, store))
    show(report(list(_stored(store).values()), len(all_mutants())), options.markdown, options.mark)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", default="mutation.jsonl", help="file of outcomes, one a line")
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--most", type=int, default=10**9, help="stop at so many mutants")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--tests", default=TESTS, help="names of files in tests/")
    parser.add_argument("--only", default="", help="only modules whose path contains this")
    parser.add_argument("--again", action="store_true", help="test survivors without a reason once more")
    parser.add_argument("--seconds", type=float, default=20.0, help="seconds of tests for each mutant, at most")
    parser.add_argument("--part", default="0/1", help="0/2 and 1/2 in two processes share the work; a store each")
    parser.add_argument("--report", action="store_true", help="only make the tables")
    parser.add_argument("--markdown", type=Path, help="page whose tables are written; default: they are printed")
    parser.add_argument("--mark", default="mutants", help="name of the marks in the page")
    return parser.parse_args()


def _run(items: list[Any], options: argparse.Namespace, store: Path) -> None:
    known = _known(items, store.with_suffix(".tests"))
    print(f"{len(known)} of {len(items)} tests can be used, {sum(k.seconds for k in known.values()):.0f} s together")
    judge, done = Judge(items, known, options.seconds), _stored(store)
    end = time.monotonic() + 60 * options.minutes
    part, parts = map(int, options.part.split("/"))
    mutants = spread(all_mutants(), options.seed)[: options.most][part::parts]
    for mutant in mutants:
        if time.monotonic() > end:
            break
        if options.only not in mutant.path:
            continue
        before = done.get(mutant.key)
        if not _wanted(before, options.again):
            continue
        found = judge.judge(mutant, _statement(mutant.path, mutant.line))
        done[mutant.key] = mutant.as_dict() | found
        with store.open("a") as file:
            file.write(json.dumps(done[mutant.key]) + "\n")


def _wanted(before: dict[str, Any] | None, again: bool) -> bool:
    """Return whether to test a mutant, given its stored outcome."""
    if not again:
        return before is None
    return before is not None and before["outcome"] == "survived" and reason(before) is None


def _known(items: list[Any], file: Path) -> dict[str, Known]:
    known = pickle.loads(file.read_bytes()) if file.exists() else {}
    for start in range(0, len(items), 20):
        known |= measure(items[start : start + 20], known)
        file.write_bytes(pickle.dumps(known))
    return {item.nodeid: known[item.nodeid] for item in items if known[item.nodeid].passed}


@cache
def _statements(path: str) -> list[tuple[int, int]]:
    """Return first and last line of each statement; of a statement with a body only the lines above the body."""
    spans = []
    for node in ast.walk(ast.parse(source(path))):
        if isinstance(node, ast.stmt | ast.ExceptHandler):
            body = getattr(node, "body", None)
            last = body[0].lineno - 1 if body else node.end_lineno
            first = min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", []))])
            spans.append((first, max(node.lineno, last or node.lineno)))
    return spans


def _statement(path: str, line: int) -> range:
    """Return the lines of the smallest statement that holds a line."""
    spans = [(last - first, first, last) for first, last in _statements(path) if first <= line <= last]
    _, first, last = min(spans)
    return range(first, last + 1)


def _stored(store: Path) -> dict[str, dict[str, Any]]:
    done = {}
    if store.exists():
        for text in store.read_text().splitlines():
            row = json.loads(text)
            place = {name: row[name] for name in ("path", "operator", "occurrence", "line", "column")}
            done[Mutant(**place).key] = row
    return done


if __name__ == "__main__":
    main()
