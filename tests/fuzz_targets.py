"""Fuzz targets, for ``benchmarks/fuzz.py`` with atheris and for ``test_fuzz.py`` with Hypothesis.

Bytes choose everything: how a valid document is changed, then how its text is. So most documents are nearly right and
get further than noise; some are noise.
"""

from __future__ import annotations

import copy
import json
import math
import os
import re
import sys
import tempfile
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from click.testing import CliRunner

from distbench.errors import DistbenchError

__all__ = ["TARGETS", "Taken", "folder"]

EVIL = "<script>x</script>|`$(x)`\x1b[31m\r\n## \u202e"
SCALARS = (
    *(None, True, False, 0, 1, -1, 2, 10, 2**63, 10**400, 0.5, -0.0, 1e308, 1e-320, math.nan, math.inf, -math.inf),
    *("", " ", "pca", "identity", "continuity", "stress", "digits", "a:b", "a..b:c"),
    *("x" * 5000, "\ud800", "\x00", EVIL),
    *("inf", "nan", "ok", "failed: no", "up", "down", "met", "euclidean", "2026-01-02", "../x.npz", "/etc/x.npy", "é"),
)
NAMES = ("name", "limits", "value", "k", "m", "seed", "environment", "schema", "distbench", "measure", "label", "", "é")


class Taken:
    """Choices made by bytes; when these are used up, each choice is the first."""

    def __init__(self, data):
        self._data = data

    def _next(self, size):
        taken, self._data = self._data[:size], self._data[size:]
        return taken

    def below(self, n):
        """Return a whole number from 0 to below n."""
        return int.from_bytes(self._next(1 if n <= 256 else 2), "big") % n

    def of(self, options):
        """Return one of the options."""
        return options[self.below(len(options))]

    def text(self):
        """Return a text of up to 40 bytes."""
        return self._next(self.below(40)).decode("utf-8", errors="replace")


def value(taken, depth=0):
    """Return any value that JSON can hold."""
    kind = taken.below(8)
    if kind < 5 or depth > 3:
        return taken.of(SCALARS)
    if kind == 5:
        return taken.text()
    inner = [value(taken, depth + 1) for _ in range(taken.below(4))]
    return inner if kind == 6 else {taken.of(NAMES): item for item in inner}


def changed(document, taken):
    """Return a copy with up to five places in it changed, left out, doubled or added."""
    document = copy.deepcopy(document)
    for _ in range(taken.below(6)):
        place = document
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            if not keys:
                break
            key = taken.of(keys)
            if isinstance(place[key], dict | list) and taken.below(4):
                place = place[key]
                continue
            _change(place, key, taken)
            break
    return document


def _change(place, key, taken):
    what = taken.below(6)
    if what < 3:
        place[key] = value(taken)
    elif what == 3:
        del place[key]
    elif isinstance(place, list):
        place.append(copy.deepcopy(place[key]) if what == 4 else value(taken))
    else:
        place[taken.of(NAMES) if what == 4 else taken.text()] = value(taken)


def noisy(text, taken):
    """Return a text as bytes, one time in four with some of them changed or cut off."""
    data = bytearray(text.encode("utf-8", errors="surrogatepass"))
    if taken.below(4) == 3 and data:
        for _ in range(taken.below(6)):
            at = taken.below(65536) % max(len(data), 1)
            new = taken.text().encode("utf-8", errors="replace")
            data[at : at + taken.below(4)] = new
        if taken.below(4) == 3:
            del data[taken.below(65536) % max(len(data), 1) :]
    return bytes(data)


SUITES = (
    {
        "distbench": 1,
        "name": "mine",
        "question": "Does it?",
        "dataset": "digits",
        "code_sizes": [2, 8],
        "seeds": [0, 1],
        "k": 10,
        "encoder": [
            {"name": "pca", "limits": {"continuity": 0.9, "stress": {"2": 0.4, "8": 0.2}}, "code_sizes": [2, 8]},
            {"name": "small", "recipe": "autoencoder", "options": {"hidden": [64], "epochs": 3}, "in_sample": True},
            {"name": "own", "recipe": "my_package.recipes:Mine", "seeds": [0]},
        ],
        "claim": [
            {"id": "a", "statement": "s", "source": "me", "code_size": 8, "encoder": "pca", "metric": "stress"}
            | {"at_most": 0.5, "expect": "refuted"},
            {"id": "b", "statement": "s", "source": "me", "code_size": 8, "better": "pca", "than": "small"}
            | {"metric": "spearman", "margin": 0.01, "dataset": "swiss_roll"},
            {"id": "c", "statement": "s", "source": "me", "code_size": 2, "measure": "floor", "metric": "stress"}
            | {"at_least": 0.1},
            {"id": "d", "statement": "s", "source": "me", "code_size": 2, "measure": "collapse", "encoder": "pca"}
            | {"at_most": 1e-4},
            {"id": "e", "statement": "s", "source": "me", "code_size": 2, "measure": "principal_angle"}
            | {"encoder": "pca", "at_most": 5},
        ],
    },
    {
        "distbench": 1,
        "question": "On data of my own?",
        "dataset": {"name": "own", "train": "a.npy", "test": "sub/b.parquet", "label": "class"},
        "code_sizes": [2],
        "encoder": [{"name": "pca"}],
    },
    {
        "distbench": 1,
        "question": "By a function?",
        "dataset": {"name": "own", "load": "my_package.data:load"},
        "code_sizes": [],
        "claim": [],
    },
)


def _toml(value):
    if isinstance(value, dict):
        return "{" + ", ".join(_pairs(value)) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(item) for item in value if item is not None) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return json.dumps(value) if isinstance(value, str) else str(value)


def _key(key):
    return key if re.fullmatch("[A-Za-z0-9_-]+", key) else json.dumps(key)


def _pairs(table):
    return [f"{_key(key)} = {_toml(value)}" for key, value in table.items() if value is not None]


def toml_text(document, headers):
    """Return a document as TOML, with headers of tables or with tables inline."""
    lines, tables = [], []
    for key, item in document.items():
        if headers and isinstance(item, list) and item and all(isinstance(entry, dict) for entry in item):
            for entry in item:
                tables += [f"[[{_key(key)}]]", *_pairs(entry)]
        elif headers and isinstance(item, dict):
            tables += [f"[{_key(key)}]", *_pairs(item)]
        else:
            lines += _pairs({key: item})
    return "\n".join([*lines, *tables, ""])


@contextmanager
def folder():
    """Work in a temporary folder, in memory where the system has /dev/shm."""
    memory = Path("/dev/shm")
    before = Path.cwd()
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as name:
        os.chdir(name)
        try:
            yield Path(name)
        finally:
            os.chdir(before)


def _one_line(error):
    text = str(error)
    assert text.strip(), "an error without a word"
    assert text.isprintable(), f"an error of several lines, or with control characters: {text!r}"
    assert len(text) < 2000, f"an error of {len(text)} characters"


def fuzz_suite(data, here):
    """Read a suite file and look up its names."""
    from distbench.errors import SuiteError
    from distbench.suites.check_names import check_suite
    from distbench.suites.detect import is_suite
    from distbench.suites.reader import read_suite

    taken = Taken(data)
    text = toml_text(changed(taken.of(SUITES), taken), headers=bool(taken.below(2)))
    path = here / "s.toml"
    path.write_bytes(noisy(text, taken))
    is_suite(path)
    try:
        suite = read_suite(path)
        for encoder in suite.encoders:
            for size in suite.code_sizes_of(encoder):
                encoder.limits_at(size)
        check_suite(suite)
    except SuiteError as error:
        _one_line(error)


@cache
def documents():
    """Return valid files of results: of a run, of a run after others, and the stored rows of a suite."""
    import numpy as np

    import distbench
    from distbench.results.file import write_results
    from distbench.results.rows import ClaimOutcome, failed_row, rows_of

    rng = np.random.default_rng(0)
    points, reference = rng.normal(size=(20, 4)), rng.normal(size=(30, 4))
    claim = ClaimOutcome(**dict.fromkeys(("id", "statement", "source", "verdict", "expect", "evidence"), "x"))
    runs = []
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "r.json"
        for columns, dataset, day in ((2, "shapes", "2026-01-02"), (3, "", "2026-01-03")):
            report = distbench.evaluate(lambda X, n=columns: X[:, :n], points, reference=reference, k=5)
            about = {"code_size": 2, "dataset": dataset, "test": f"t.py::{columns}"}
            rows = [
                row
                for seed in (0, 1)
                for row in rows_of(
                    report, encoder="a", seed=seed, leave_one_out={"continuity"}, limits={"stress": 0.1}, **about
                )
                if row.metric in ("continuity", "stress", "distortion")
            ]
            rows.append(failed_row("no", encoder="b", k=5, m=20, M=49, **about))
            write_results(path, rows, {"date": day, "python": "3.11"}, claims=[claim], whole=False)
            runs.append(json.loads(path.read_text()))
    stored = {**runs[0], "environments": {"2026-01-02": {"date": "2026-01-02"}}, "findings": []}
    more = {"environment": "2026-01-02", "recipe_hash": "", "data_sha256": ""}
    stored["rows"] = [row | more for row in stored["rows"]]
    for name in ("environment", "earlier", "claims"):
        del stored[name]
    return (*runs, stored)


def _results_text(taken):
    return noisy(json.dumps(changed(taken.of(documents()), taken), ensure_ascii=bool(taken.below(2))), taken)


def fuzz_results(data, here):
    """Read a file of results, compare it, rank it, write it in every form and merge new rows into it."""
    from distbench.results.file import read_results, write_results
    from distbench.results.merge import merge_results
    from distbench.results.suite_store import read_store

    taken = Taken(data)
    path, good = here / "r.json", here / "good.json"
    path.write_bytes(_results_text(taken))
    if not good.exists():
        good.write_text(json.dumps(documents()[1]))
    form = taken.below(16)
    for use in (lambda: read_store(path), lambda: write_results(path, read_results(good).rows, {}, whole=False)):
        kept = path.read_bytes()
        try:
            use()
        except DistbenchError as error:
            _one_line(error)
            assert path.read_bytes() == kept, "a damaged file was written over"
        path.write_bytes(kept)
    try:
        results, other = read_results(path), read_results(good)
    except DistbenchError as error:
        _one_line(error)
        return
    outcome, _ = merge_results([(good, other), (path, results)])
    _rendered(outcome, other, form)


def _rendered(outcome, other, form):
    from dataclasses import replace

    from distbench.cli.leaderboard import rendered as written
    from distbench.render.changes import render_changes
    from distbench.render.markdown import render_summary
    from distbench.results.gates import broken_gates, compare_rows, parse_gate

    gates = [parse_gate("all:1%"), parse_gate("continuity:0.01")]
    runs = (outcome.rows, other.rows) if form % 2 else (other.rows, outcome.rows)
    comparison = compare_rows(*runs, source="before")
    render_changes(comparison, 80)
    broken = list(map(str, broken_gates(comparison, gates, ("value", "fail", "pass")[form % 3])))
    outcome = replace(outcome, comparison=comparison, broken=broken)
    if outcome.rows:
        name = ("text", "md", "json", "html")[form // 4]
        page = written(outcome, name, 80)
        assert name not in ("md", "html") or "<script>x" not in page, "text of a file is markup in a report"
    render_summary(outcome, limit=4000)


COMMANDS = tuple(
    tuple(command.split())
    for command in (
        "leaderboard r.json good.json --sort stress --format md --width 120 -o out.txt",
        "compare good.json r.json --fail continuity:25% --undecided fail --json",
        "evaluate enc:two --data X.npy --limit continuity:0.5 --k 2 --results out.json",
        "evaluate --codes both.npz:z --data both.npz:x --metrics stress,continuity --k 2 --json",
        "evaluate enc:two --data X.npy --reference X.npy --queries 5 --undecided fail",
        "evaluate pca --dataset s_curve --code-size 2 --metrics continuity --seed 1",
        "hunt enc:two --data X.npy --budget 200 --contraction 2 --directions data",
        "suites s.toml .",
        "datasets --json",
        "baselines --width 60",
    )
)
OPTIONS = tuple(dict.fromkeys(word for command in COMMANDS for word in command if word.startswith("-")))
OPTIONS += ("--output", "--name", "--html", "--stochastic", "--distance-x", "--distance-z", "--labels", "--expansion")
OPTIONS += ("--reference-codes", "--reference-labels", "-h", "--help", "--version", "--")
ARGUMENTS = (
    *("leaderboard", "compare", "r.json", "good.json", "gone.json", ".", "text", "md", "json", "html", "stress"),
    *("continuity:25%", "all:0", "continuity:nan", "continuity:1e999", "all:-1", "value", "fail", "pass", "out.txt"),
    *("120", "39", "0", "-1", "200", "0.5", "inf", "nan", "9" * 5000, "", " ", "\x00", "\ud800", "x" * 300),
    *("sub/out.txt", "r.json/out.txt", "X.npy", "both.npz", "both.npz:x", "both.npz:no", "bad.npy", "bad.npz:x"),
    *("bad.parquet", "bad.h5ad:X", "enc:two", "enc:fails", "enc:leaves", "enc:no", "nowhere:x", "a.keras", "cosine"),
    *("hamming", "continuity:0.5", "stress:-1", "stress,continuity", "all", "s.toml", "digts", "any"),
)
ENCODERS = """import sys
def two(X): return X[:, :2]
def fails(X): raise RuntimeError("several\\nlines \\x1b[31m")
def leaves(X): sys.exit(0)
"""


def _command_files(here, taken):
    """Write the files that commands read; return those that may not change, unless they are named as output."""
    import numpy as np

    points = np.random.default_rng(0).normal(size=(12, 3))
    np.save(here / "X.npy", points)
    np.savez(here / "both.npz", x=points, z=points[:, :2])
    (here / "good.json").write_text(json.dumps(documents()[1]))
    (here / "enc.py").write_text(ENCODERS)
    suffixes = (".npy", ".npz", ".json", ".py")
    kept = {path: path.read_bytes() for path in sorted(here.iterdir()) if path.suffix in suffixes}
    (here / "r.json").write_bytes(b"" if taken.below(8) == 7 else _results_text(taken))
    (here / "s.toml").write_text(toml_text(taken.of(SUITES), headers=True))
    whole = (here / "X.npy").read_bytes()
    for name in ("bad.npy", "bad.npz", "bad.parquet", "bad.h5ad"):
        (here / name).write_bytes(noisy("\x93NUMPY", taken) if taken.below(2) else whole[: taken.below(256)])
    return kept


def _words(taken):
    """Return a command that is right but for a few words, or any words."""
    words = [] if taken.below(8) == 7 else list(taken.of(COMMANDS))
    for _ in range(taken.below(5)):
        kind, at = taken.below(8), taken.below(len(words) + 1)
        # No path out of this folder is written to.
        word = taken.of(OPTIONS) if kind < 2 else taken.of(ARGUMENTS) if kind < 6 else taken.text()
        if kind >= 6:
            word = word.replace("/", "_").replace("\\", "_").replace(":", "_")
        words[at : at + taken.below(2)] = [word]
    return words


def fuzz_command_line(data, here):
    """Call the command line with words that are nearly right, and files that may be damaged."""
    from distbench.cli import main

    taken = Taken(data)
    words = _words(taken)
    kept = _command_files(here, taken)
    before = list(sys.path)
    try:
        result = CliRunner().invoke(main, words, catch_exceptions=False)
    finally:
        sys.path[:] = before
        sys.modules.pop("enc", None)
    assert result.exit_code in (0, 1, 2), f"exit code {result.exit_code}"
    assert result.exit_code == 0 or result.output.strip(), "it failed without a word"
    assert "Traceback" not in result.output
    errors = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    assert (result.exit_code == 2) == bool(errors) or words in ([], ["--"]), "exit code 2 is for errors"
    assert all(len(line) < 2000 or "9" * 4000 in line for line in errors), "an endless error"
    writes = any(word.startswith(("-o", "--o", "--html", "--results")) for word in words)
    for path, text in kept.items():
        assert path.read_bytes() == text or writes, f"an input was changed: {path.name}"
    for path in here.iterdir():
        if path.is_file():
            path.unlink()


TARGETS = {
    "suite": fuzz_suite,
    "results": fuzz_results,
    "command-line": fuzz_command_line,
}
