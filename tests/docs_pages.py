"""Execute a page of the documentation: its blocks in order, in one namespace and one folder.

Python blocks that define tests are run by pytest with ``--distbench``, others are executed. Of shell blocks only the
commands of pytest, distbench and python are run, not those that install or build. Each page starts with an encoder and
points, the names in `READERS`.

    python tests/docs_pages.py docs/PAGE.md    # writes the printed output into the output blocks of the page
"""

from __future__ import annotations

import contextlib
import io
import linecache
import os
import re
import shlex
import subprocess
import sys
import tomllib
import traceback
from dataclasses import dataclass, field
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

import warm
from docs_blocks import ANYTHING, Block, blocks_of, same
from threadpoolctl import threadpool_limits

from distbench.suites.reader import read_suite

ROOT = Path(__file__).parents[1]
READERS = """
import numpy as np
from sklearn.decomposition import PCA
import distbench

data = distbench.load_dataset("digits")
X_train, X_test, y_train, y_test = data.train, data.test, data.labels_train, data.labels_test
encoder = model = pca = PCA(8, svd_solver="full").fit(X_train)
"""
OUTPUT = ("text", "")
TESTS = re.compile(r"^(async )?def test_|^@given", re.MULTILINE)
INSTALLS = re.compile(
    r"(pip|uv|git|cd|mkdir|source|\.|apt-get|printf|[.\w/-]*python3? -m (pip|venv|build|ipykernel))(?=\s|$)"
)
WIDTH = "100"
NARROW = "80"  # of README, which is read first


class PageError(AssertionError):
    """A page shows something that does not happen."""


@dataclass
class Page:
    """A page that is being executed: its folder, its namespace, and the output of its last block."""

    folder: Path
    names: dict[str, Any]
    width: str = WIDTH
    printed: str = ""
    part: bool = False
    failed: bool = False
    trace: str = ""
    outputs: list[tuple[Block, str]] = field(default_factory=list)

    def run(self, blocks: list[Block]) -> None:
        for block, after in zip(blocks, [*blocks, None][1:], strict=True):
            shown = after if after and after.language in OUTPUT else None
            if block.language in OUTPUT:
                self.show(block)
                continue
            self.printed, self.part, self.failed, self.trace = "", False, False, ""
            if self.has_reason(block, "not run"):
                self.printed = None
                continue
            self.execute(block, shown.text if shown else "")
            if self.failed and "fails" not in block.remarks:
                raise PageError(f"{block.place} failed, and does not say <!-- fails -->:\n{self.printed}{self.trace}")
            if "fails" in block.remarks and not self.failed:
                raise PageError(f"{block.place} was to fail, and did not")

    @staticmethod
    def has_reason(block: Block, remark: str) -> bool:
        """Return whether a block has a remark; a remark without a reason is an error."""
        if block.remarks.get(remark) == "":
            raise PageError(f"{block.place}: {remark}, and no reason")
        return remark in block.remarks

    def execute(self, block: Block, shown: str) -> None:
        if "file" in block.remarks:
            path = self.folder / block.remarks["file"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")
            if path.suffix == ".py":
                compile(block.text, str(path), "exec")
        elif block.language == "python" and TESTS.search(block.text):
            self.tests(block, shown)
        elif block.language == "python":
            self.python(block)
        elif block.language in ("sh", "console", "bash"):
            exec(block.remarks.get("setup", ""), self.names)
            for words in commands(block.text):
                self.command(words, block)
        elif block.language == "toml":
            self.toml(block)
        elif block.language != "file":
            raise PageError(f"{block.place}: {block.language!r} is not run; say why, with <!-- not run: ... -->")

    def toml(self, block: Block) -> None:
        """Read a suite, or check the names of distbench's settings for pytest."""
        document = tomllib.loads(block.text)
        if "distbench" in document:
            path = self.folder / f"{document['name']}.toml"
            path.write_text(block.text, encoding="utf-8")
            read_suite(path)
        ini = document.get("tool", {}).get("pytest", {}).get("ini_options", {})
        if unknown := [key for key in ini if key.startswith("distbench") and key not in ini_keys()]:
            raise PageError(f"{block.place}: there is no {unknown[0]} in ini files")

    def tests(self, block: Block, shown: str) -> None:
        """Run a block of tests, in a file with the name that the output after it shows."""
        match = re.search(r"(test_\w+\.py)::", shown)
        path = self.folder / (match[1] if match else "test_mine.py")
        above = block.remarks.get("setup", READERS).strip()
        path.write_text(f"{above}\n\n\n{block.text}", encoding="utf-8")
        self.part, self.failed = True, self.pytest(["--distbench", path.name]) != 0

    def python(self, block: Block) -> None:
        text, name = f"{block.remarks.get('setup', '')}\n{block.text}", f"<{block.place}>"
        linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
        caught = io.StringIO()
        try:
            with contextlib.redirect_stdout(caught):
                exec(compile(text, name, "exec"), self.names)
        except Exception as error:
            self.failed = self.part = True
            caught.write(f"{error}\n")
            self.trace = "".join(traceback.format_exception(error))
        self.printed = caught.getvalue()

    def command(self, words: list[str], block: Block) -> None:
        line = shlex.join(words)
        if INSTALLS.match(line):
            return
        self.part = True
        program, *arguments = words
        if program == "pytest":
            code = self.pytest(arguments)
        elif program == "distbench":
            code = self.distbench(arguments)
        elif program == "python":
            command = [sys.executable, *arguments]
            done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)
            code, self.printed = done.returncode, self.printed + done.stdout + done.stderr
        else:
            raise PageError(f"{block.place}: {line!r} is not run; say why, with <!-- not run: ... -->")
        self.failed |= code != 0

    def pytest(self, arguments: list[str], folder: Path | None = None, width: str = "") -> int:
        """Run pytest in a forked process that has numpy and other packages loaded."""
        out, err = self.folder / ".stdout", self.folder / ".stderr"
        options = f"{warm.OTHERS} -p no:cacheprovider"
        environment = {"COLUMNS": width or self.width, "PYTEST_ADDOPTS": options, "PYTHONPATH": str(self.folder)}
        environment = {**os.environ, **environment}
        order = warm.Order(tuple(arguments), str(folder or self.folder), environment, str(out), str(err), clean_path())
        code = warm.Run(order).wait(120)
        printed = out.read_text(encoding="utf-8") + err.read_text(encoding="utf-8")
        self.printed += re.sub(r"^E(?= )", "", printed, flags=re.MULTILINE)  # the sign of an error's lines
        return int(code or 0)

    def distbench(self, arguments: list[str]) -> int:
        from click.testing import CliRunner

        from distbench.cli import main

        done = CliRunner(env={"COLUMNS": self.width}).invoke(main, arguments)
        self.printed += done.output
        return done.exit_code

    def show(self, block: Block) -> None:
        """Compare an output block with what was printed."""
        if self.has_reason(block, "not compared"):
            return
        if "from" in block.remarks:
            self.printed, self.part = "", True
            words = shlex.split(block.remarks["from"])
            if words[0] != "pytest" or self.pytest(words[1:], ROOT, NARROW):
                raise PageError(f"{block.place}: {block.remarks['from']} failed:\n{self.printed}")
        if self.printed is None:
            raise PageError(f"{block.place}: what printed this is not run; say <!-- not compared: ... -->")
        self.outputs.append((block, self.printed))
        if wrong := same(block.text, self.printed, part=self.part or self.failed):
            raise PageError(f"{block.place}: {wrong}\n--- shown\n{block.text}\n--- printed\n{self.printed}{self.trace}")


def commands(text: str) -> list[list[str]]:
    """Return the commands of a shell block as words; variables and comments are dropped."""
    lines = [shlex.split(line.removeprefix("$ "), comments=True) for line in text.replace("\\\n", " ").splitlines()]
    commands = [list(part) for line in lines for joined, part in groupby(line, lambda word: word == "&&") if not joined]
    return [[word for word in command if word] for command in commands]


@cache
def ini_keys() -> set[str]:
    """Return the names of distbench's settings in ini files."""
    from pytest_distbench import _options

    return {_options.ini_of(option[0]) for option in _options.OPTIONS}


clean_path = cache(warm.clean_path)


@cache
def readers() -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "a_page"}
    exec(READERS, names)
    return names


@contextlib.contextmanager
def _in(folder: Path):
    with contextlib.chdir(folder), threadpool_limits(1, "blas"):  # threads of BLAS that wait take time from others
        yield


def run_page(path: Path, folder: Path) -> Page:
    """Execute a page in an empty folder; raise PageError if it shows something that does not happen."""
    with _in(folder):
        page = Page(folder, dict(readers()), NARROW if path.name == "README.md" else WIDTH)
        page.run(blocks_of(path))
    return page


def write_outputs(path: Path, folder: Path) -> None:
    """Write the printed output into the output blocks of a page that show all of it."""
    seen: list[tuple[Block, str]] = []

    class Filling(Page):
        def show(self, block: Block) -> None:
            shown_in_part = ANYTHING in block.text or (self.part and block.text.strip())
            if self.printed is not None and not shown_in_part and not {"not compared", "from"} & set(block.remarks):
                seen.append((block, self.printed))

    with _in(folder):
        Filling(folder, dict(readers())).run(blocks_of(path))
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    for block, printed in reversed(seen):
        first, last = block.lines
        blank = lines[first][: len(lines[first]) - len(lines[first].lstrip())]
        lines[first + 1 : last - 1] = [
            f"{blank}{line.rstrip()}".rstrip() + "\n" for line in printed.strip("\n").splitlines()
        ]
    path.write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    import tempfile

    for name in sys.argv[1:]:
        with tempfile.TemporaryDirectory() as scratch:
            write_outputs(Path(name).resolve(), Path(scratch))
