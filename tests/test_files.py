from __future__ import annotations

import json
import os
import select
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from distbench._util.files import read_text, write_problem, write_whole


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


@pytest.mark.skipif(os.name != "posix", reason="devices and pipes of POSIX systems")
class TestNoFiles:
    def test_a_device_is_written_into_and_stays_a_device(self):
        controller, terminal = os.openpty()
        path = Path(os.ttyname(terminal))
        assert write_problem(path) == ""
        write_whole(path, "text\n")
        assert os.read(controller, 100).split() == [b"text"]
        assert path.is_char_device()
        os.close(terminal), os.close(controller)

    def test_a_pipe_is_written_into_if_somebody_reads_it_and_else_refused_at_once(self, tmp_path):
        path = tmp_path / "pipe"
        os.mkfifo(path)
        with pytest.raises(OSError, match="nobody reads from this pipe"):
            write_whole(path, "text")
        reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        assert write_problem(path) == ""
        write_whole(path, "text")
        assert os.read(reader, 100) == b"text"
        os.close(reader)
        assert path.is_fifo()

    def test_a_pipe_is_read_if_somebody_writes_into_it_and_else_refused_at_once(self, tmp_path):
        path = tmp_path / "pipe"
        os.mkfifo(path)
        with pytest.raises(OSError, match="nobody writes into this pipe"):
            read_text(path)
        reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        writer = threading.Thread(target=path.write_text, args=("text",))
        writer.start()
        while not select.select([reader], [], [], 0.01)[0]:
            pass
        assert read_text(path) == "text"
        writer.join()
        os.close(reader)

    @pytest.mark.parametrize("redirected", [True, False])
    def test_standard_output_gets_the_text_after_what_was_printed(self, tmp_path, redirected):
        code = "from distbench._util.files import *; from pathlib import Path; print('first');"
        code += "write_whole(Path('/dev/stdout'), 'text\\n'); print('last')"
        with (tmp_path / "out.txt").open("w") as file:
            stdout = file if redirected else subprocess.PIPE
            done = subprocess.run([sys.executable, "-c", code], stdout=stdout, text=True, check=True)
        assert (done.stdout or (tmp_path / "out.txt").read_text()) == "first\ntext\nlast\n"

    def test_a_link_that_leads_to_itself_is_refused(self, tmp_path):
        (tmp_path / "a").symlink_to(tmp_path / "b")
        (tmp_path / "b").symlink_to(tmp_path / "a")
        assert write_problem(tmp_path / "a").endswith("is a link that leads to itself; name a file")
        (tmp_path / "c").symlink_to(tmp_path / "gone.md")
        assert write_problem(tmp_path / "c") == ""

    def test_a_path_that_is_too_long_is_refused(self, tmp_path):
        problem = write_problem(tmp_path.joinpath(*["folder"] * 1000))
        assert problem.endswith("... is a path of more than 4096 bytes; choose a shorter one")

    def test_a_file_of_another_kind_is_not_replaced(self, tmp_path):
        path, sign = tmp_path / "page", "<!-- ä \ud800 -->"
        assert write_problem(path, sign) == ""
        path.write_text("text" * 1000 + sign, "utf-8", "backslashreplace")
        assert write_problem(path, sign).endswith("page exists and is another kind of file; name another file")
        for text in ("", f"\n{sign}\ntext"):
            write_whole(path, text)
            assert write_problem(path, sign) == ""

    @pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc")
    @pytest.mark.parametrize("folder", ["/dev/fd", "/sys"])
    def test_no_file_is_made_among_processes_and_devices(self, folder):
        assert write_problem(Path(folder, "99")) == f"{folder} is not a folder that you can write to; choose another"

    def test_folders_and_sockets_are_refused(self, tmp_path):
        with socket.socket(socket.AF_UNIX) as opened:
            opened.bind(str(tmp_path / "socket"))
            for path, kind in ((tmp_path, "a folder"), (tmp_path / "socket", "a socket")):
                assert write_problem(path) == f"{path} is {kind}; name a file"
                with pytest.raises(OSError, match=f"is {kind}; name a file"):
                    write_whole(path, "text")


def test_names_are_as_long_as_the_system_allows_and_no_longer(tmp_path):
    longest = "ä" * 125 + ".json"
    assert write_problem(tmp_path / longest) == ""
    write_whole(tmp_path / longest, "text")
    assert [path.name for path in tmp_path.iterdir()] == [longest]
    for path in (tmp_path / f"a{longest}", tmp_path / "new" / f"a{longest}" / "b.json"):
        assert write_problem(path).endswith("... is longer than 255 bytes; choose a shorter name")


WRITER = """
import sys
from pathlib import Path
import os
from distbench._util.files import read_text, write_problem, write_whole
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
