"""Faults around the library: full disks, clocks set back, other runs, Ctrl+C. Old results survive them."""

from __future__ import annotations

import copy
import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest
from fuzz_targets import documents

from distbench._util.locks import locked
from distbench.results.file import read_results, write_results
from distbench.results.gates import compare_rows
from distbench.results.suite_store import Store, read_store, write_store

ROOT = Path(__file__).resolve().parents[1]
posix = pytest.mark.skipif(os.name != "posix", reason="needs a POSIX system")
DAY = {"date": "2026-01-02", "python": "3.11"}


def python(source, *arguments, **options):
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(source), *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(ROOT / "tests")},
        **options,
    )


@pytest.fixture
def results(tmp_path):
    path = tmp_path / "r.json"
    path.write_text(json.dumps(documents()[0]))
    return path


@pytest.fixture
def small_disk(tmp_path):
    """Mount a disk of 64 KiB, or skip the test where that is not allowed."""
    place = tmp_path / "small"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", place]
    if shutil.which("mount") is None or subprocess.run(command, check=False).returncode:
        pytest.skip("mounting a small disk takes the rights of root")
    yield place
    subprocess.run(["umount", place], check=True)


class TestFullDisk:
    def test_old_results_stay_as_they_were(self, small_disk):
        path = small_disk / "r.json"
        path.write_text(json.dumps(documents()[0]))
        rows, old = read_results(path).rows, path.read_bytes()
        with pytest.raises(OSError, match="No space left") as raised:
            write_results(path, [replace(row, encoder=f"e{n}") for row in rows for n in range(200)], DAY, whole=False)
        assert raised.value.errno == errno.ENOSPC
        assert path.read_bytes() == old
        assert list(small_disk.iterdir()) == [path]
        write_results(path, [replace(row, encoder="new") for row in rows], DAY, whole=False)
        assert {row.encoder for row in read_results(path).rows} == {"a", "b", "new"}

    def test_old_stores_stay_as_they_were(self, small_disk):
        path = small_disk / "s.json"
        path.write_text(json.dumps(documents()[0]))
        row = read_results(path).rows[0]
        store = Store(path).updated(DAY, [row])
        write_store(store)
        old = path.read_bytes()
        many = [replace(row, encoder=f"e{n}") for n in range(300)]
        with pytest.raises(OSError, match="No space left"):
            write_store(store.updated(DAY, many))
        assert path.read_bytes() == old
        assert [row.value for row in read_store(path).results.rows] == [row.value for row in store.results.rows]

    @posix
    def test_a_file_may_grow_no_larger(self, results):
        source = """
            import resource, signal, sys
            from dataclasses import replace
            from pathlib import Path
            from distbench.results.file import read_results, write_results
            path = Path(sys.argv[1])
            rows = read_results(path).rows
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
            try:
                write_results(path, [replace(r, encoder=f"e{n}") for r in rows for n in range(99)], {}, whole=False)
            except OSError as error:
                print(type(error).__name__, error)
        """
        old = results.read_bytes()
        printed, errors = python(source, results).communicate(timeout=60)
        assert "File too large" in printed, errors
        assert results.read_bytes() == old
        assert list(results.parent.iterdir()) == [results]


class TestClock:
    def test_a_clock_that_was_set_back_changes_no_row(self, results):
        """Rows are matched by their setting, never by the time at which they or their file were written."""
        document = copy.deepcopy(documents()[0])
        document["environment"]["date"] = "2099-12-31"
        results.write_text(json.dumps(document))
        os.utime(results, (4_102_444_800, 4_102_444_800))  # in the year 2100
        future = read_results(results).rows
        new = [replace(row, value=0.5) for row in future if (row.encoder, row.metric) == ("a", "stress")]
        write_results(results, new, DAY, whole=False)
        merged = read_results(results)
        stress = [row.value for row in merged.rows if (row.encoder, row.metric) == ("a", "stress")]
        assert stress == [0.5, 0.5]
        assert merged.environment == DAY
        assert {row.stored for row in merged.rows if row.encoder == "b"} == {"2099-12-31"}
        assert [c.difference for c in compare_rows(future, merged.rows).changes if c.metric == "stress"] != [0.0]

    def test_new_points_are_read_from_a_file_with_the_old_time(self, tmp_path):
        import numpy as np

        from distbench.datasets import DataSource

        paths = {key: tmp_path / f"{key}.npy" for key in ("train", "test")}
        for path in paths.values():
            np.save(path, np.zeros((4, 2)))
        source = DataSource("own", tuple(paths.items()))
        first, status = source.load(), paths["test"].stat()
        assert source.load() is first
        np.save(tmp_path / "new.npy", np.ones((4, 2)))
        (tmp_path / "new.npy").replace(paths["test"])
        os.utime(paths["test"], ns=(status.st_atime_ns, status.st_mtime_ns))
        assert source.load().test.tolist() == [[1.0, 1.0]] * 4


WRITER = """
    import json, sys
    from dataclasses import replace
    from pathlib import Path
    from distbench.results.file import read_results, write_results
    path, name = Path(sys.argv[1]), sys.argv[2]
    rows = read_results(path.with_name("seed.json")).rows
    print("ready", flush=True)
    sys.stdin.readline()
    for number in range(4):
        mine = [replace(row, encoder=f"{name}-{number}", test=f"{name}-{number}") for row in rows]
        write_results(path, mine, {"date": name}, whole=False)
"""
STORER = """
    import sys
    from dataclasses import replace
    from pathlib import Path
    from distbench.results.file import read_results
    from pytest_distbench._record import Record
    from pytest_distbench._writer import write_updates
    path, name = Path(sys.argv[1]), sys.argv[2]
    rows = [row for row in read_results(path.parent.parent / "seed.json").rows if row.encoder == "a"]
    print("ready", flush=True)
    sys.stdin.readline()
    for number in range(4):
        update = {"suite": str(path.parent.parent / "s.toml"), "environment": {"date": name}}
        mine = [replace(row, encoder=f"{name}-{number}") for row in rows]
        written, failed = write_updates([Record(rows=mine, updates=[update])])
        assert not failed, failed
"""


class TestTwoRunsAtOnce:
    @pytest.mark.parametrize(("source", "name"), [(WRITER, "r.json"), (STORER, "baselines/s.json")])
    def test_no_row_is_lost(self, tmp_path, source, name):
        (tmp_path / "seed.json").write_text(json.dumps(documents()[0]))
        path = tmp_path / name
        running = [python(source, path, word, stdin=subprocess.PIPE) for word in ("one", "two", "three")]
        assert [process.stdout.readline() for process in running] == ["ready\n"] * 3
        for process in running:
            process.stdin.write("go\n")
            process.stdin.flush()
        for process in running:
            _, errors = process.communicate(timeout=120)
            assert process.returncode == 0, errors
        rows = read_results(path).rows
        assert {row.encoder for row in rows} == {f"{w}-{n}" for w in ("one", "two", "three") for n in range(4)}
        assert sorted(file.name for file in path.parent.iterdir() if file.name != "seed.json") == [path.name]

    def test_a_lock_that_another_process_holds(self, tmp_path):
        source = """
            import sys
            from pathlib import Path
            from distbench._util.locks import locked
            with locked(Path(sys.argv[1])):
                print("held", flush=True)
                sys.stdin.readline()
        """
        path = tmp_path / "r.json"
        other = python(source, path, stdin=subprocess.PIPE)
        assert other.stdout.readline() == "held\n"
        message = r"another process or thread has been writing there for 0\.1 s; wait for it"
        with pytest.raises(TimeoutError, match=message), locked(path, wait=0.1):
            pass
        other.kill()  # which releases the lock
        other.communicate()
        with locked(path, wait=20):
            pass
        assert list(tmp_path.iterdir()) == []


THREADS = """
import sys, threading
def report(kind, error, trace):
    others = [thread for thread in threading.enumerate() if thread is not threading.main_thread()]
    print("left:", *(thread.name for thread in others if thread not in before))
    sys.__excepthook__(kind, error, trace)
sys.excepthook = report
before = threading.enumerate()
"""
INTERRUPTED = {
    "engine": """
        import numpy as np, distbench
        X = np.random.default_rng(0).normal(size=(30_000, 16))
        distbench.evaluate(lambda x: x[:, :2], X[:40], k=5)  # compiles
        before = threading.enumerate()
        print("begun", flush=True)
        while True:
            distbench.evaluate(lambda x: x[:, :2], X, k=10)
    """,
    "training": """
        import numpy as np, distbench
        X = np.random.default_rng(0).normal(size=(4000, 16)).astype("float32")
        def progress(done, total):
            if done == 1:
                print("begun", flush=True)
        distbench.fit_baseline("autoencoder", X, code_size=2, seed=0, epochs=100_000, progress=progress)
    """,
}


@posix
@pytest.mark.parametrize("what", ["engine", pytest.param("training", marks=pytest.mark.nightly)])
def test_ctrl_c_ends_endless_work_and_leaves_no_thread(what):
    if what == "training":
        pytest.importorskip("tensorflow")
    running = python(THREADS + textwrap.dedent(INTERRUPTED[what]))
    try:
        assert running.stdout.readline() == "begun\n", running.stderr.read()
        running.send_signal(signal.SIGINT)
        printed, errors = running.communicate(timeout=60)
    finally:
        running.kill()
    assert running.returncode in (130, -signal.SIGINT), errors
    assert errors.rstrip().endswith("KeyboardInterrupt")
    assert printed == "left:\n"


@posix
@pytest.mark.nightly
def test_compiled_kernels_that_cannot_be_kept_are_compiled_each_time(tmp_path):
    """Everything is read-only: the package, the home folder and the folder of caches."""
    package = Path(__import__("distbench").__file__).resolve().parent
    read_only = f"mount --bind {package} {package} && mount -o remount,bind,ro {package}"
    code = (
        "import numpy as np, pathlib, distbench, sys\n"
        "try: (pathlib.Path(distbench.__file__).parent / 'x').touch(); sys.exit(77)\n"
        "except OSError: pass\n"
        "X = np.random.default_rng(0).normal(size=(50, 4))\n"
        "print(distbench.evaluate(lambda x: x[:, :2], X, k=5)['knn_recall'].value)\n"
    )
    shell = ["unshare", "-m", "sh", "-c"]
    if (
        shutil.which("unshare") is None
        or subprocess.run([*shell, read_only], check=False, capture_output=True).returncode
    ):
        pytest.skip("a read-only folder takes the rights of root")
    nowhere = {"HOME": "/dev/null/x", "XDG_CACHE_HOME": "/dev/null/x", "PYTHONPATH": str(package.parent)}
    environment = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"} | nowhere
    command = [*shell, f'{read_only} && exec {sys.executable} -c "$0"', code]
    result = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert result.returncode == 0, result.stderr
    import numpy as np

    import distbench

    X = np.random.default_rng(0).normal(size=(50, 4))
    assert float(result.stdout) == distbench.evaluate(lambda x: x[:, :2], X, k=5)["knn_recall"].value
