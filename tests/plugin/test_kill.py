"""A run that is killed leaves complete files: the old ones or the new ones."""

from __future__ import annotations

import json
import os
import random
import subprocess
import time

import pytest
import warm
from suite_texts import SMALL

SUITE = SMALL + '[[encoder]]\nname = "pca"\n[[encoder]]\nname = "random_projection"\n'
COMMAND = (
    *("-q", "-p", "no:cacheprovider", "-p", "no:xdist", "mine.toml"),
    *("--distbench-report=json:out.json", "--distbench-retrain", "--distbench-update"),
)


def contents(folder):
    """Return the rows of both files without seconds and environments, which differ between runs."""
    rows = {}
    for name in ("out.json", "baselines/mine.json"):
        document = json.loads((folder / name).read_text(encoding="utf-8"))
        rows[name] = [{**row, "seconds": None, "environment": None} for row in document["rows"]]
    return rows


def start(folder, path):
    streams = str(folder / "stdout"), str(folder / "stderr")
    return warm.Run(warm.Order(COMMAND, str(folder), dict(os.environ), *streams, path, own_group=True))


@pytest.mark.skipif(os.name != "posix", reason="kills a process group")
@pytest.mark.parametrize("kills", [2, pytest.param(20, marks=pytest.mark.nightly)])
def test_kills_leave_the_files_whole(kills, tmp_path, clean_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    suite = folder / "mine.toml"
    suite.write_text(SUITE.partition('[[encoder]]\nname = "random')[0])
    assert start(folder, clean_path).wait(120) == 0
    old = contents(folder)
    suite.write_text(SUITE)  # from now on a complete run leaves more rows
    before = {name: (folder / name).read_bytes() for name in old}
    begun = time.perf_counter()
    assert start(folder, clean_path).wait(120) == 0
    takes = time.perf_counter() - begun
    new = contents(folder)
    assert new != old
    moments = random.Random(0)
    survived = 0
    for number in range(kills):
        for name, content in before.items():
            (folder / name).write_bytes(content)
        # Half of them anywhere, half near the end, where the files are written.
        part = moments.uniform(*[(0.85, 1.0), (0, 1), (0.85, 1.1)][number % 3])
        running = start(folder, clean_path)
        try:
            running.wait(part * takes)
            survived += 1
        except subprocess.TimeoutExpired:
            running.kill_group()
        for name, rows in contents(folder).items():
            assert rows in (old[name], new[name]), f"{name} after a kill at {part:.2f} of a run"
    assert survived < kills
    for place in (folder, folder / "baselines"):
        for part in place.glob("*.part"):  # a younger one may be of a run that lives, in another container
            os.utime(part, (0, 0))
    assert start(folder, clean_path).wait(120) == 0
    assert contents(folder) == new
    left = [path.name for path in (*folder.iterdir(), *(folder / "baselines").iterdir())]
    assert [name for name in left if name.endswith(".part")] == []
