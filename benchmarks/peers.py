"""distbench beside other tools, each in separate processes; the table goes into ``docs/benchmarks.md``.

``python benchmarks/peers.py --help`` lists the options; ``benchmarks/README.md`` explains the measurements.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

from _adapters import PEERS
from _case import Case
from _page import show
from _process import measure, over
from _table import Result, about, markdown

PAGE = Path(__file__).resolve().parents[1] / "docs" / "benchmarks.md"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure distbench beside other tools.")
    parser.add_argument("--n", type=int, nargs="+", default=[2000, 5000, 10000, 20000], help="numbers of points")
    parser.add_argument("--d", type=int, nargs="+", default=[64, 784], help="columns of the points")
    parser.add_argument("--codes", type=int, nargs="+", default=[2, 16], help="columns of the codes")
    parser.add_argument("--k", type=int, default=10, help="neighbors")
    parser.add_argument("--peers", nargs="+", choices=list(PEERS), default=list(PEERS), metavar="PEER", help=_names())
    parser.add_argument("--repeats", type=int, default=3, help="calls that count; fewer if TIMEOUT is used up")
    parser.add_argument("--timeout", type=float, default=120, help="seconds that one call of a peer may take")
    parser.add_argument("--memory", type=float, default=0.8, help="share of the memory that a process may use")
    parser.add_argument("--results", type=Path, help="file of JSON lines; cases in it are not measured again")
    parser.add_argument("--out", default=str(PAGE), help="page whose tables are written, or - to print")
    args = parser.parse_args()
    if args.repeats < 1:
        parser.error(f"--repeats: found {args.repeats}; pass 1 or more")
    return args


def _names() -> str:
    return "any of " + ", ".join(PEERS)


def main() -> None:
    args = _arguments()
    facts = about(args.peers)
    known = {result.case: result for result in _read(args.results) if result.about == facts}
    slow: dict[tuple[str, int, int], int] = {}  # peer, columns of points and of codes -> n that was over the timeout
    results: list[Result] = []
    for case in _cases(args):
        kind = (case.peer, case.d, case.code_size)
        if kind in slow:
            results.append(Result(case, failed=f"not run: {over(args.timeout)} at n = {slow[kind]:,}", about=facts))
            continue
        result = known.get(case)
        if result is None:
            result = dataclasses.replace(measure(case, args.timeout), about=facts)
            _keep(args.results, result)
        if result.failed == over(args.timeout):
            slow[kind] = case.n
        results.append(result)
        print(_line(result), file=sys.stderr, flush=True)
    text = markdown(results, f"python benchmarks/peers.py {_asked()}".strip())
    show(text, None if args.out == "-" else Path(args.out), "peers")


def _cases(args: argparse.Namespace) -> Iterator[Case]:
    memory = int(args.memory * _physical_memory())
    for d in args.d:
        for code_size in args.codes:
            for n in sorted(args.n):
                for peer in args.peers:
                    yield Case(peer, n, d, code_size, args.k, args.repeats, args.timeout, memory)


def _physical_memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _asked() -> str:
    """Return the arguments that change what is measured: no paths."""
    asked: list[str] = []
    words = iter(sys.argv[1:])
    for word in words:
        if word in ("--results", "--out"):
            next(words)
        elif not word.startswith(("--results=", "--out=")):
            asked.append(word)
    return shlex.join(asked)


def _read(path: Path | None) -> list[Result]:
    if path is None or not path.exists():
        return []
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [Result(**{**line, "case": Case(**line["case"])}) for line in lines]


def _keep(path: Path | None, result: Result) -> None:
    if path is not None:
        with path.open("a", encoding="utf-8") as file:
            print(json.dumps(dataclasses.asdict(result)), file=file)


def _line(result: Result) -> str:
    case = result.case
    figures = ", ".join(f"{what} {result.median(what):.3g} s" for what in result.seconds)
    return f"{case.peer} n={case.n} d={case.d} codes={case.code_size}: {result.failed or 'done'}; {figures}"


if __name__ == "__main__":
    main()
