"""Killed at any moment, a run leaves its files as they were or as a run that was not killed leaves them."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time

import pytest

SUITE = """
distbench = 1
name = "mine"
question = "Does it?"
dataset = "swiss_roll"
code_sizes = [2]
seeds = [0]

[[encoder]]
name = "pca"

[[encoder]]
name = "random_projection"
"""
KILLS = 20
COMMAND = (
    *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "mine.toml"),
    *("--distbench-report=json:out.json", "--distbench-retrain", "--distbench-update"),
)


def contents(folder):
    """Return the two files without what differs between two complete runs: seconds, days and environments."""
    found = {}
    for name in ("out.json", "baselines/mine.json"):
        document = json.loads((folder / name).read_text(encoding="utf-8"))
        found[name] = [{**row, "seconds": None, "environment": None} for row in document["rows"]]
    return found


def start(folder):
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.Popen(
        COMMAND,
        cwd=folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="kills a process group")
def test_twenty_kills_leave_the_files_whole(tmp_path):
    suite = tmp_path / "mine.toml"
    suite.write_text(SUITE.partition('[[encoder]]\nname = "random')[0])
    assert start(tmp_path).wait(120) == 0
    old = contents(tmp_path)
    suite.write_text(SUITE)  # from now on a complete run leaves more rows
    before = {name: (tmp_path / name).read_bytes() for name in old}
    begun = time.perf_counter()
    assert start(tmp_path).wait(120) == 0
    takes = time.perf_counter() - begun
    new = contents(tmp_path)
    assert new != old
    moments = random.Random(0)
    survived = 0
    for _ in range(KILLS):
        for name, content in before.items():
            (tmp_path / name).write_bytes(content)
        # Half of them anywhere, half near the end, where the files are written.
        part = moments.choice([moments.uniform(0, 1), moments.uniform(0.85, 1.1)])
        running = start(tmp_path)
        try:
            running.wait(part * takes)
            survived += 1
        except subprocess.TimeoutExpired:
            os.killpg(running.pid, signal.SIGKILL)
            running.wait()
        for name, rows in contents(tmp_path).items():
            assert rows in (old[name], new[name]), f"{name} after a kill at {part:.2f} of a run"
    assert survived < KILLS
    for folder in (tmp_path, tmp_path / "baselines"):
        for part in folder.glob("*.part"):  # a younger one may be of a run that lives, in another container
            os.utime(part, (0, 0))
    assert start(tmp_path).wait(120) == 0
    assert contents(tmp_path) == new
    left = [path.name for path in (*tmp_path.iterdir(), *(tmp_path / "baselines").iterdir())]
    assert [name for name in left if name.endswith(".part")] == []
