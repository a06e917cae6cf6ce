"""Tests of mutants: one process imports and collects everything; a forked child runs the tests of each mutant.

Kernels run as plain Python (``NUMBA_DISABLE_JIT``), so that a change of their code changes what runs.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import os
import pickle
import random
import resource
import signal
import sys
import types
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any

import pytest
from _mutation_mutants import FOLDERS, ROOT, Mutant, changed_functions, mutated

__all__ = ["Judge", "Known", "collect", "measure"]

# those that start processes
SLOW = "not (test_executors and (Dask or dask or processes or pool or client or closed or dies))"
LONGEST = 4.0  # seconds that a test may take in plain Python; slower ones are left out
MEMORY = 6 << 30  # bytes more than now that a mutant may take
ERROR, FAILED, SURVIVED = 3, 1, 0


@dataclass
class Known:
    """The time of a test before any mutation, and the lines that it ran, by module."""

    passed: bool
    seconds: float
    lines: dict[str, frozenset[int]] = field(default_factory=dict)
    of: dict[str, str] = field(default_factory=dict)  # what the test's file and these modules were then


def allow(seconds: float) -> None:
    """End this process after so many seconds of processor time, or many more of waiting, whatever it is doing."""
    for timer, name, limit in (
        (signal.ITIMER_PROF, signal.SIGPROF, seconds),
        (signal.ITIMER_REAL, signal.SIGALRM, 30 + 10 * seconds),
    ):
        signal.signal(name, signal.SIG_DFL)
        signal.setitimer(timer, limit)


def in_child(work: Callable[[], Any], limit: float) -> tuple[Any, float]:
    """Return the result of work in a forked child, or None if it died or took too long; and its processor time."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        code = ERROR
        try:
            os.close(reading)
            os.setpgid(0, 0)
            allow(limit)
            used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
            resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))
            nowhere = os.open(os.devnull, os.O_RDWR)
            for stream in (0, 1, 2):
                os.dup2(nowhere, stream)
            answer = pickle.dumps(work())
            with os.fdopen(writing, "wb") as pipe:
                pipe.write(answer)
            code = 0
        finally:
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        answer = pipe.read()
    _, _, used = os.wait4(child, 0)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)  # what the test itself may have started
    return (pickle.loads(answer) if answer else None), used.ru_utime + used.ru_stime


def _passes(item: pytest.Item) -> bool:
    from _pytest.runner import runtestprotocol

    return not any(report.failed for report in runtestprotocol(item, nextitem=None, log=False))


def measure(items: list[pytest.Item], before: dict[str, Known]) -> dict[str, Known]:
    """Run each test once, in a child, and note which lines it ran; leave out slow ones and those that fail.

    Earlier results of a test are kept if neither its file nor a module that it runs has changed.
    """
    known = {}
    for item in items:
        one = before.get(item.nodeid)
        if one is None or one.of != _now(item, one.lines):
            lines, seconds = in_child(lambda item=item: _watched(item), LONGEST)
            if lines is None:
                print(f"left out after {seconds:.1f} s: {item.nodeid}", flush=True)
            one = Known(lines is not None, seconds, lines or {}, _now(item, lines or {}))
        known[item.nodeid] = one
    return known


def _now(item: pytest.Item, lines: dict[str, frozenset[int]]) -> dict[str, str]:
    return {str(path): _hash(path) for path in (item.path, *(ROOT / name for name in lines))}


@cache
def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def _watched(item: pytest.Item) -> dict[str, frozenset[int]] | None:
    """Return the lines that a test runs, by module, or None if it fails."""
    import coverage

    watch = coverage.Coverage(
        data_file=None, config_file=False, include=[str(ROOT / folder / "*") for folder in FOLDERS]
    )
    watch.start()
    passed = _passes(item)
    watch.stop()
    data = watch.get_data()
    found = {os.path.relpath(path, ROOT): frozenset(data.lines(path) or ()) for path in data.measured_files()}
    return {path: lines for path, lines in found.items() if lines} if passed else None


class _Driver:
    """A plugin of pytest that hands over what was collected instead of running it."""

    def __init__(self, work: Callable[[list[pytest.Item]], None]) -> None:
        self.work = work

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self.work(session.items)
        return True


def _arguments(tests: list[str]) -> list[str]:
    quiet = "-q -s --assert=plain -o filterwarnings=ignore -p no:cacheprovider -p no:distbench -p no:xdist"
    return [*quiet.split(), f"--rootdir={ROOT}", *tests]


def collect(tests: list[str], work: Callable[[list[pytest.Item]], None]) -> None:
    """Collect tests and give them to `work`."""
    from hypothesis import HealthCheck, Phase, settings

    settings.register_profile(
        "mutation",
        derandomize=True,
        database=None,
        deadline=None,
        max_examples=12,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate],
    )
    settings.load_profile("mutation")
    # threads that wait in a pool would be missing in forked children
    if pytest.main([*_arguments(tests), "-k", SLOW], plugins=[_Driver(work)]) not in (0, 5):
        raise SystemExit("the tests could not be collected: run them with pytest first")


class Judge:
    """Runs the tests that reach a mutant until one fails."""

    def __init__(self, items: list[pytest.Item], known: dict[str, Known], most: float) -> None:
        self.items = {item.nodeid: item for item in items if item.nodeid in known}
        self.known, self.most = known, most
        self.functions = _functions()
        self.shuffled = random.Random(0).sample(list(self.items), len(self.items))

    def tests(self, path: str, lines: range | None) -> list[str]:
        """Return tests that run some of the lines, or any line of a module, within the time limit.

        One of each function, the quickest first; then another of each, and so on.
        """
        groups: dict[str, list[str]] = {}
        for name in self.shuffled:
            ran = self.known[name].lines
            own = ran.get(path, frozenset())
            if (not ran or own) if lines is None else not own.isdisjoint(lines):
                groups.setdefault(name.split("[")[0], []).append(name)
        turns = ([name for name in turn if name] for turn in zip_longest(*groups.values()))
        total, chosen = 0.0, []
        for name in chain.from_iterable(sorted(turn, key=lambda name: self.known[name].seconds) for turn in turns):
            total += self.known[name].seconds
            if chosen and total > self.most:
                break
            chosen.append(name)
        return chosen

    def limit(self, name: str) -> float:
        return 1.5 + 6 * self.known[name].seconds

    def judge(self, mutant: Mutant, lines: range) -> dict[str, Any]:
        """Return the outcome of a mutant, and the test that killed it."""
        text = mutated(mutant)
        try:
            changed = changed_functions(mutant.path, text)
        except (SyntaxError, ValueError):
            return {"outcome": "no Python"}
        if changed == []:
            return {"outcome": "same code"}
        names = self.tests(mutant.path, None if changed is None else lines)
        if not names:
            return {"outcome": "survived", "tests": 0}
        if changed is None:
            return self._fresh(mutant, text, names)
        return self._swapped(changed, names)

    def _swapped(self, changed: list[Any], names: list[str]) -> dict[str, Any]:
        swaps = [
            (f, new)
            for old, new in changed
            for f in self.functions[old.co_filename, old.co_qualname, old.co_firstlineno]
        ]

        def run(only: list[str]) -> Callable[[], str]:
            def work() -> str:
                for function, new in swaps:
                    function.__code__ = new
                for name in only:
                    allow(self.limit(name))
                    if not _passes(self.items[name]):
                        return name
                return ""

            return work

        return _outcome(*in_child(run(names), self.limit(names[0])), names)

    def _fresh(self, mutant: Mutant, text: str, names: list[str]) -> dict[str, Any]:
        """Test a change of code that runs at import, in a child that imports everything again."""
        limit = 30.0 + 4 * sum(self.known[name].seconds for name in names)

        def work() -> str:
            for name, module in list(sys.modules.items()):
                if str(getattr(module, "__file__", None)).startswith((f"{ROOT}/distbench", f"{ROOT}/tests")):
                    del sys.modules[name]
            sys.meta_path.insert(0, _Changed(mutant.path, text))
            return "" if pytest.main([*_arguments(names), "-x"]) == 0 else "one of them"

        return _outcome(*in_child(work, limit), names)


def _outcome(answer: str | None, seconds: float, names: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {"tests": len(names), "seconds": round(seconds, 2)}
    if answer is None:
        return found | {"outcome": "killed", "by": "time, memory or a crash"}
    return found | ({"outcome": "killed", "by": answer} if answer else {"outcome": "survived"})


class _Changed(MetaPathFinder):
    """Imports one module from changed text."""

    def __init__(self, path: str, text: str) -> None:
        self.name = path.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
        self.path, self.text = path, text

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> ModuleSpec | None:
        del path, target
        return spec_from_loader(fullname, self, origin=self.path) if fullname == self.name else None

    def create_module(self, spec: ModuleSpec) -> None:
        del spec

    def exec_module(self, module: types.ModuleType) -> None:
        module.__file__ = str(ROOT / self.path)
        exec(compile(self.text, module.__file__, "exec", dont_inherit=True), module.__dict__)


def _functions() -> dict[tuple[str, str, int], list[types.FunctionType]]:
    found: dict[tuple[str, str, int], list[types.FunctionType]] = {}
    for path in (path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")):  # some are imported late
        import_module(".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"))
    for one in gc.get_objects():
        if isinstance(one, types.FunctionType) and "/distbench/" in one.__code__.co_filename:
            code = one.__code__
            found.setdefault((code.co_filename, code.co_qualname, code.co_firstlineno), []).append(one)
    return found
