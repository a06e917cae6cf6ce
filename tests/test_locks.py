from __future__ import annotations

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from distbench._util.locks import locked


def refusal(path):
    """Return the error message of another thread that tries to take the lock, or "" if it gets the lock."""

    def ask():
        try:
            with locked(path, wait=0.1):
                return ""
        except TimeoutError as error:
            return str(error)

    with ThreadPoolExecutor(1) as other:
        return other.submit(ask).result(60)


def test_one_thread_at_a_time_has_a_folder_and_may_ask_for_it_again(tmp_path):
    path = tmp_path / "new" / "r.json"
    message = f"{path.parent}: another process or thread has been writing there for 0.1 s; wait for it, or end it"
    with locked(path, wait=0.1):
        with locked(path.with_name("s.json"), wait=0.1):
            pass
        assert refusal(path).startswith(message)
        assert refusal(tmp_path / "r.json") == ""
    assert refusal(path) == ""
    with pytest.raises(ZeroDivisionError), locked(path):
        raise ZeroDivisionError
    assert refusal(path) == ""
    assert list(path.parent.iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_neither_keeps_nor_lets_go_what_its_parent_has(tmp_path):
    path, parent = tmp_path / "r.json", os.getpid()
    reader, writer = os.pipe()
    try:
        with locked(path):
            child = os.fork()
            if child == 0:
                raise KeyboardInterrupt  # leaves the lock
            assert os.read(reader, 1) == b"x"
            assert refusal(path)
        assert refusal(path) == ""
    finally:
        if os.getpid() != parent:
            os.write(writer, b"x")
            time.sleep(60)
            os._exit(0)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def test_where_there_is_no_place_for_a_lock_it_goes_on_without(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "file"))
    with locked(tmp_path / "r.json", wait=60):
        assert refusal(tmp_path / "r.json") == ""
