from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time

import pytest

from distbench._util.files import write_whole


def test_new_text_replaces_the_old_and_nothing_is_left_beside_it(tmp_path):
    path = tmp_path / "new" / "folder" / "a.json"
    write_whole(path, "old" * 1000)
    write_whole(path, "ä\n")
    with pytest.raises(TypeError):
        write_whole(path, b"no text")
    assert path.read_bytes() == "ä\n".encode()
    assert list(path.parent.iterdir()) == [path]
    write_whole(path, json.dumps("\ud800", ensure_ascii=False))  # half of a pair of surrogates
    assert json.loads(path.read_text(encoding="utf-8")) == "\ud800"


def test_writing_to_a_link_writes_its_target(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "link.json").symlink_to(tmp_path / "there" / "a.json")
    write_whole(tmp_path / "link.json", "text")
    assert (tmp_path / "link.json").is_symlink()
    assert (tmp_path / "there" / "a.json").read_text() == "text"


@pytest.mark.skipif(os.name != "posix", reason="rights of POSIX systems")
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o666])
def test_the_rights_of_the_old_file_are_those_of_the_new_one(tmp_path, mode):
    path = tmp_path / "a.json"
    path.write_text("old")
    path.chmod(mode)
    write_whole(path, "new")
    assert path.stat().st_mode & 0o777 == mode
    assert path.read_text() == "new"


@pytest.mark.skipif(os.name != "posix", reason="links take rights elsewhere")
def test_a_link_that_waits_where_the_text_goes_first_is_not_followed(tmp_path, monkeypatch):
    (tmp_path / "precious.txt").write_text("precious")
    path = tmp_path / "a.json"
    monkeypatch.setattr("distbench._util.files.secrets.token_hex", lambda _: "0" * 8)
    (tmp_path / ".a.json.00000000.part").symlink_to(tmp_path / "precious.txt")
    with pytest.raises(FileExistsError):
        write_whole(path, "evil")
    monkeypatch.undo()
    write_whole(path, "new")
    assert path.read_text() == "new"
    assert (tmp_path / "precious.txt").read_text() == "precious"


WRITER = """
import sys
from pathlib import Path
import os
from distbench._util.files import write_whole
def stop(descriptor):
    print("writing", flush=True)
    sys.stdin.read()
os.fsync = stop
write_whole(Path(sys.argv[1]), "half")
"""


def test_a_killed_write_leaves_the_old_file_and_its_part_goes_after_an_hour(tmp_path):
    path, other = tmp_path / "a.json", tmp_path / ".b.json.0.part"
    write_whole(path, "old")
    other.write_text("of another file")
    command = [sys.executable, "-c", WRITER, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as killed:
        assert killed.stdout.readline() == "writing\n"
        killed.kill()
    assert path.read_text() == "old"
    write_whole(path, "new")
    (part,) = tmp_path.glob(".a.json.*.part")  # it may be of a process that lives
    for left in (part, other):
        os.utime(left, (time.time() - 3700,) * 2)
    write_whole(path, "newer")
    assert sorted(left.name for left in tmp_path.iterdir()) == [other.name, "a.json"]
    assert path.read_text() == "newer"


def test_a_reader_never_finds_a_part(tmp_path):
    path = tmp_path / "a.json"
    texts = [json.dumps([number] * 20_000) for number in range(2)]
    write_whole(path, texts[0])
    done = threading.Event()

    def write():
        for number in range(40):
            write_whole(path, texts[number % 2])
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    reads = 0
    while not done.is_set() or not reads:
        assert path.read_text() in texts
        reads += 1
    writer.join()
