"""Run the commands in the READMEs of the examples, and fail if an exit code or output differs from the README.

``python examples/run.py --python VENV/bin/python [EXAMPLE ...]``, with an environment that has the wheel of distbench.

Each example is copied into a new folder, where its ``sh`` blocks are run one after the other. A block must end with
exit code 0, or with the last ``exit code N`` in the text between it and the block before it. If a ``text``
block follows, each of its lines must be a line of the output, in that order:

- ``...`` stands for whatever varies: a part of a line, or, alone, any lines;
- numbers with a point may differ by 5 % of their value (or of their difference from 1, if that is less), and always by
  0.003, since networks train differently on another machine; ``<!-- within 20 % -->`` before a ``text`` block allows
  more;
- the width of columns and of rows of ``=`` does not matter.

``<!-- with PACKAGE -->`` or ``<!-- without PACKAGE -->`` before a block: it runs only in such environments.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

HERE = Path(__file__).resolve().parent
BLOCK = re.compile(r"(?:<!-- (with|without) (\S+) -->\n+)?```sh\n(.*?)```\n", re.DOTALL)
EXIT_CODE = re.compile(r"exit code\s+(\d+)")
TEXT = re.compile(r"(?:<!-- within (\d+) % -->\n+)?```text\n(.*?)```", re.DOTALL)
OTHERS = re.compile(r"^```(?!sh$|text$|python$|toml$|yaml$|$).*", re.MULTILINE)
WILD = re.compile(r" ?\.{3} ?|\d+\.\d+")
RULES = re.compile(r"[=_-]{2,}")
OFF, LEAST = 0.05, 0.003  # share of a number, and a difference that any number may have
LIMIT = 300  # seconds of a block


@dataclass(frozen=True)
class Block:
    """The commands of one ``sh`` block, and how they end.

    Attributes
    ----------
    commands : str
        As they stand in the README.
    exit_code : int
        Of the last of them, and of the first that fails.
    lines : tuple of str
        What they print.
    off : float
        By what share numbers may be off.
    condition, package : str
        "with" or "without", and what of; empty where the block is for all environments.
    """

    commands: str
    exit_code: int
    lines: tuple[str, ...]
    off: float
    condition: str
    package: str


def blocks(readme: str) -> Iterator[Block]:
    """Find the commands of a README and what it says of each."""
    found = list(BLOCK.finditer(readme))
    starts = [block.start() for block in found] + [len(readme)]
    ends = [0] + [block.end() for block in found]
    for number, block in enumerate(found):
        codes = EXIT_CODE.findall(TEXT.sub("", readme[ends[number] : starts[number]]))
        text = TEXT.search(readme[ends[number + 1] : starts[number + 1]])
        lines = tuple(text[2].splitlines()) if text else ()
        off = int(text[1]) / 100 if text and text[1] else OFF
        yield Block(block[3].strip(), int(codes[-1]) if codes else 0, lines, off, block[1] or "", block[2] or "")


def missing(expected: tuple[str, ...], output: str, off: float = OFF) -> str | None:
    """Return the first line that is not in the output after the line before it; None where all are."""
    printed = iter([_plain(line) for line in output.splitlines()])
    for line in expected:
        wanted = _plain(line)
        if wanted not in ("", "...") and not any(_alike(wanted, one, off) for one in printed):
            return line
    return None


def _plain(line: str) -> str:
    return " ".join(RULES.sub(" ", line).split())


def _alike(wanted: str, printed: str, off: float) -> bool:
    """Say whether a line is as it should be, but for what may vary."""
    pattern, end, numbers = "", 0, []
    for found in WILD.finditer(wanted):
        pattern += re.escape(wanted[end : found.start()])
        end = found.end()
        if found[0].strip() == "...":
            pattern += ".*"
        else:
            pattern += r"(\d+\.\d+)"
            numbers.append(float(found[0]))
    match = re.fullmatch(pattern + re.escape(wanted[end:]), printed)
    if match is None:
        return False
    return all(_near(float(now), then, off) for now, then in zip(match.groups(), numbers, strict=True))


def _near(now: float, then: float, off: float) -> bool:
    left = min(then, 1 - then) if then < 1 else then
    return abs(now - then) <= max(off * left, LEAST if then <= 1 else 0.0)


def run(block: Block, folder: Path, python: Path) -> str | None:
    """Run the commands in a folder; return what did not end as it should, None where all did."""
    path = os.pathsep.join([str(python.parent), os.environ["PATH"]])
    # As wide as a terminal; and no module of the folder that this process runs in.
    environment = {**os.environ, "PATH": path, "COLUMNS": "80", "TF_CPP_MIN_LOG_LEVEL": "2"}
    environment.pop("PYTHONPATH", None)
    words = ["bash", "-euo", "pipefail", "-c", block.commands]
    try:
        done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        return f"took more than {LIMIT} seconds"
    output = done.stdout + done.stderr
    if done.returncode != block.exit_code:
        return f"exit code {done.returncode}, the README says {block.exit_code}\n{output}"
    line = missing(block.lines, output, block.off)
    return None if line is None else f"this line of the README is not in the output: {line}\n{output}"


def run_example(example: Path, python: Path) -> bool:
    """Run the blocks of an example's README in a copy of its folder; print a line for each command."""
    readme = (example / "README.md").read_text()
    found = list(blocks(readme))
    if not found or OTHERS.search(readme):
        print(f"{example.name}: {'a block that is not looked at' if found else 'no command'} in its README")
        return False
    own = "".join(file.read_text() for file in (*example.glob("*.py"), *example.glob("pyproject.toml")))
    strangers = [block.package for block in found if block.condition and block.package not in own]
    if strangers:
        print(f"{example.name}: a block depends on {strangers[0]}, which no file of it names")
        return False
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, example.name)
        shutil.copytree(example, copy, ignore=shutil.ignore_patterns("__pycache__", ".*_cache"))
        ended = [_told(block, copy, python) for block in found]
    return all(ended)


def _told(block: Block, folder: Path, python: Path) -> bool:
    """Run one block and print how it went."""
    shown = f"{folder.name}: {block.commands.replace(chr(10), '; ')}"
    if not _is_due(block, python):
        print(f"{shown}: skipped, it is for environments {block.condition} {block.package}", flush=True)
        return True
    start = perf_counter()
    wrong = run(block, folder, python)
    print(f"{shown}: {wrong or 'as the README says'} ({perf_counter() - start:.0f} s)", flush=True)
    return wrong is None


def _is_due(block: Block, python: Path) -> bool:
    return not block.condition or (block.condition == "with") == _has(python, block.package)


def _has(python: Path, package: str) -> bool:
    code = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({package!r}) is None)"
    return subprocess.run([python, "-c", code], cwd=HERE, check=False).returncode == 0


def _installed(python: Path) -> Path:
    """Return the folder of the distbench that this Python imports."""
    code = "import distbench, pathlib; print(pathlib.Path(distbench.__file__).resolve().parent)"
    done = subprocess.run([python, "-c", code], cwd=HERE, capture_output=True, text=True, check=True)
    return Path(done.stdout.strip())


def main() -> int:
    """Run the examples that are named, or all of them."""
    known = sorted(path.parent.name for path in HERE.glob("*/README.md"))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", type=Path, default=Path(sys.executable), help="of the environment")
    parser.add_argument("--checkout", action="store_true", help="take distbench from this checkout, not from a wheel")
    parser.add_argument("examples", nargs="*", metavar="EXAMPLE", help=", ".join(known))
    given = parser.parse_args()
    if unknown := sorted(set(given.examples) - set(known)):
        parser.error(f"no example is called {unknown[0]!r}; there are {', '.join(known)}")
    python = given.python.absolute()  # not resolved: the link is what makes it the environment's
    if _installed(python) == HERE.parent / "distbench" and not given.checkout:
        parser.error(f"{given.python} has the checkout installed; install the wheel, or pass --checkout")
    ended = {name: run_example(HERE / name, python) for name in given.examples or known}
    failed = [name for name, well in ended.items() if not well]
    print(f"{len(ended) - len(failed)} of {len(ended)} examples end as their READMEs say")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
