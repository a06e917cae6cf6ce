from __future__ import annotations

import os
import signal
import threading
import time

import pytest

from distbench._util.locks import locked

posix = pytest.mark.skipif(os.name != "posix", reason="needs a POSIX system")


class Other:
    """Another thread that holds the lock until it is told."""

    def __init__(self, lock):
        self.holds, self.end = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self.run, args=(lock,), daemon=True)

    def run(self, lock):
        with lock:
            self.holds.set()
            self.end.wait(60)

    def __enter__(self):
        self.thread.start()
        assert self.holds.wait(60)
        return self

    def __exit__(self, *_):
        self.end.set()
        self.thread.join(60)


def is_refused(path):
    """Say whether another thread cannot have the lock now."""
    refused = []

    def ask():
        try:
            with locked(path, wait=0.05):
                refused.append(False)
        except TimeoutError:
            refused.append(True)

    asking = threading.Thread(target=ask)
    asking.start()
    asking.join(60)
    return refused[0]


def test_another_thread_waits_and_is_told(tmp_path):
    path = tmp_path / "new" / "r.json"
    with (
        Other(locked(path)),
        pytest.raises(TimeoutError, match=r"another process or thread has been writing there for 0\.1 s; wait for"),
        locked(path, wait=0.1),
    ):
        pass
    with locked(path, wait=0.1):
        pass
    assert list(path.parent.iterdir()) == []


def test_who_has_the_lock_may_ask_again_and_keeps_it_until_the_first_ends(tmp_path):
    with locked(tmp_path / "r.json", wait=0.1):
        with locked(tmp_path / "s.json", wait=0.1):
            pass
        with locked(tmp_path / "other" / "r.json", wait=0.1):
            pass
        assert is_refused(tmp_path / "r.json")
    with Other(locked(tmp_path / "r.json", wait=20)):
        pass


def test_an_error_lets_go(tmp_path):
    with pytest.raises(ZeroDivisionError), locked(tmp_path / "r.json"):
        raise ZeroDivisionError
    with Other(locked(tmp_path / "r.json", wait=0.1)):
        pass


@posix
def test_a_forked_child_does_not_keep_what_its_parent_has_let_go(tmp_path):
    with locked(tmp_path / "r.json"):
        child = os.fork()
        if child == 0:
            time.sleep(600)
            os._exit(0)
    try:
        with locked(tmp_path / "r.json", wait=0.1):
            pass
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


@posix
def test_a_forked_child_that_leaves_does_not_let_go_for_its_parent(tmp_path):
    reader, writer = os.pipe()
    parent = os.getpid()
    try:
        with locked(tmp_path / "r.json"):
            child = os.fork()
            if child:
                assert os.read(reader, 1) == b"x"  # the child is out
                assert is_refused(tmp_path / "r.json")
    finally:
        if os.getpid() != parent:
            os.write(writer, b"x")
            os._exit(0)
        os.waitpid(child, 0)
        os.close(reader)
        os.close(writer)


def test_where_there_is_no_place_for_a_lock_it_goes_on_without(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "file"))
    with locked(tmp_path / "r.json", wait=60):
        done = True
    assert done
