"""Executes a page of the documentation: its blocks in order, in one namespace and one folder.

Blocks of Python that define tests are run by pytest with ``--distbench``, others are executed. Of shell blocks, what
installs, builds or starts services is only looked at; commands of pytest and distbench are run. A reader has an encoder
and points; so has each page, under the names of `READERS`.

    python tests/docs_pages.py docs/PAGE.md    # writes what is printed into the output blocks of the page
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
    """A page says something that does not happen."""


@dataclass
class Page:
    """A page under way: its folder, its namespace, and what its last block printed."""

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
            if "not run" in block.remarks:
                if not block.remarks["not run"]:
                    raise PageError(f"{block.place}: not run, and no reason")
                self.printed = None
                continue
            self.execute(block, shown.text if shown else "")
            if self.failed and "fails" not in block.remarks:
                raise PageError(f"{block.place} failed, and does not say <!-- fails -->:\n{self.printed}{self.trace}")
            if "fails" in block.remarks and not self.failed:
                raise PageError(f"{block.place} was to fail, and did not")

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
        """Read settings as what they are for does: suites, and what pytest's ini file may hold of ours."""
        found = tomllib.loads(block.text)
        if "distbench" in found:
            path = self.folder / f"{found['name']}.toml"
            path.write_text(block.text, encoding="utf-8")
            read_suite(path)
        ini = found.get("tool", {}).get("pytest", {}).get("ini_options", {})
        if unknown := [key for key in ini if key.startswith("distbench") and key not in ini_keys()]:
            raise PageError(f"{block.place}: there is no {unknown[0]} in ini files")

    def tests(self, block: Block, shown: str) -> None:
        """Run a block of tests, in a file of the name that the output after it shows."""
        named = re.search(r"(test_\w+\.py)::", shown)
        path = self.folder / (named[1] if named else "test_mine.py")
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
            done = subprocess.run(
                [sys.executable, *arguments], cwd=self.folder, capture_output=True, text=True, check=False
            )
            code, self.printed = done.returncode, self.printed + done.stdout + done.stderr
        else:
            raise PageError(f"{block.place}: {line!r} is not run; say why, with <!-- not run: ... -->")
        self.failed |= code != 0

    def pytest(self, arguments: list[str], folder: Path | None = None, width: str = "") -> int:
        """Run pytest in a process of its own that has numpy and its like loaded."""
        out, err = self.folder / ".stdout", self.folder / ".stderr"
        environment = {
            **os.environ,
            "COLUMNS": width or self.width,
            "PYTEST_ADDOPTS": f"{warm.OTHERS} -p no:cacheprovider",
        }
        environment |= {"PYTHONPATH": str(self.folder)}
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
        """Hold an output block against what was printed."""
        if "not compared" in block.remarks:
            if not block.remarks["not compared"]:
                raise PageError(f"{block.place}: not compared, and no reason")
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
    found = []
    for line in text.replace("\\\n", " ").splitlines():
        words = shlex.split(line.removeprefix("$ "), comments=True)
        while words:
            end = words.index("&&") if "&&" in words else len(words)
            found.append(words[:end])
            words = words[end + 1 :]
    return [[word for word in words if word] for words in found]


@cache
def ini_keys() -> set[str]:
    """Return the names that ours have in ini files."""
    from pytest_distbench import _options

    return {_options._ini_of(option[0]) for option in _options.OPTIONS}


@cache
def clean_path() -> list[str]:
    return warm.clean_path()


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
    """Execute a page in an empty folder; PageError where it says what does not happen."""
    with _in(folder):
        page = Page(folder, dict(readers()), NARROW if path.name == "README.md" else WIDTH)
        page.run(blocks_of(path))
    return page


def write_outputs(path: Path, folder: Path) -> None:
    """Write what is printed into the output blocks of a page that show all of it."""
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
