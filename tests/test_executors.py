"""Jobs return the same results in the same order wherever they run, or raise an error that names the cause."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import threading
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor

import jobs as work
import numpy as np
import pytest

import distbench
from distbench.engine.parallel.executors import workers_for
from distbench.engine.parallel.pickling import PickledProblem
from distbench.engine.parallel.progress import track
from distbench.errors import DistbenchError, InputError

JOBS = [range(start, start + 10) for start in range(0, 200, 10)]
RNG = np.random.default_rng(0)


class Unknown(Executor):
    """An executor of an unknown kind, which pickles jobs and results."""

    def submit(self, function, /, *args):
        future = Future()
        try:
            future.set_result(pickle.loads(pickle.dumps(function(*pickle.loads(pickle.dumps(args))))))
        except Exception as error:
            future.set_exception(error)
        return future


def run_jobs(function, jobs, problem, executor=None, threads=None):
    with workers_for(problem, executor, threads) as workers:
        yield from workers.run(function, jobs)


def processes():
    return ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn"))


def cluster(workers):
    return pytest.importorskip("distributed").LocalCluster(
        n_workers=workers, threads_per_worker=1, host="127.0.0.1", dashboard_address=":0", silence_logs=50
    )


@pytest.fixture(scope="module")
def client():
    with cluster(2) as two, two.get_client() as client:
        yield client


@pytest.fixture(scope="module")
def pool():
    with processes() as pool:
        yield pool


@pytest.fixture(params=["threads", "a thread pool", "processes", "unknown", "a Dask client", "a Dask executor"])
def executor(request):
    if request.param == "processes":
        return request.getfixturevalue("pool")
    if request.param.startswith("a Dask"):
        client = request.getfixturevalue("client")
        return client if request.param == "a Dask client" else client.get_executor()
    return {"threads": None, "a thread pool": ThreadPoolExecutor(2), "unknown": Unknown()}[request.param]


@pytest.fixture
def problem(tmp_path):
    points = np.memmap(tmp_path / "points", dtype=np.float32, mode="w+", shape=(210, 8))
    points[:] = RNG.normal(size=points.shape)
    return {"points": points[10:], "factor": RNG.normal(size=(500, 300))}


def test_same_results_in_the_same_order(executor, problem):
    wanted = [work.total(problem, job) for job in JOBS]
    for _ in range(2):  # the executor is left open
        assert list(run_jobs(work.total, JOBS, problem, executor)) == wanted
    assert list(run_jobs(work.total, [], problem, executor)) == []
    with workers_for(problem, executor) as workers:  # they take more than one round, and map memory maps again
        assert list(workers.run(work.total, JOBS)) == wanted
        for function in (work.is_mapped, work.is_writable):  # read-only arrays are another type to numba
            assert list(workers.run(function, JOBS)) == [True] * len(JOBS)


@pytest.mark.parametrize("where", ["pool", "client"])
def test_the_problem_is_opened_once_a_worker(where, request, problem):
    seen = list(run_jobs(work.opened, JOBS, problem, request.getfixturevalue(where)))
    assert len({pid for pid, _ in seen}) == 2
    assert len(set(seen)) == 2


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_any_number_of_threads(problem, threads):
    wanted = [work.total(problem, job) for job in JOBS]
    assert list(run_jobs(work.total, JOBS, problem, threads=threads)) == wanted
    with pytest.raises(ZeroDivisionError):  # errors are passed on
        list(run_jobs(work.fails, JOBS, problem, threads=threads))


def test_a_job_that_raises_is_named(executor, problem):
    if executor is None:
        return
    with pytest.raises(DistbenchError, match="queries 30 to 39 raised ZeroDivisionError: nothing left") as caught:
        list(run_jobs(work.fails, JOBS, problem, executor))
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_a_process_that_dies_is_an_error(problem):
    with processes() as pool:
        with pytest.raises(DistbenchError, match="a worker of ProcessPoolExecutor died"):
            list(run_jobs(work.dies, JOBS, problem, pool))
        with pytest.raises(DistbenchError, match="pass a new executor"):
            list(run_jobs(work.total, JOBS, problem, pool))


def pids(client):
    client.wait_for_workers(2, timeout=60)
    return list(client.run(os.getpid).values())


@pytest.mark.parametrize("killed", [1, 2])
def test_dask_workers_killed_in_the_middle_change_nothing(client, problem, killed):
    wanted = [work.total(problem, job) for job in JOBS]
    results, victims = [], pids(client)[:killed]
    for result in run_jobs(work.total, JOBS, problem | {"seconds": 0.05}, client):
        results.append(result)
        if len(results) == 3:
            for pid in victims:
                os.kill(pid, signal.SIGKILL)
    assert results == wanted
    assert not set(victims) & set(pids(client))


@pytest.mark.nightly
def test_a_job_that_kills_dask_workers_is_an_error(problem):
    # This test needs a separate cluster: Dask may give up on workers that die while they start.
    refusal = pytest.raises(DistbenchError, match=r"executor: .*Dask workers? ")
    with cluster(2) as doomed, doomed.get_client() as client, refusal:
        list(run_jobs(work.dies, JOBS, problem, client))


def test_few_results_wait(problem):
    started, lock = [], threading.Lock()

    def job(problem, job):
        with lock:
            started.append(job)
        return job

    results = run_jobs(job, range(100), problem, threads=2)
    for taken in range(1, 50):
        next(results)
        assert len(started) <= taken + 4
    results.close()
    assert len(started) < 60


def test_what_is_no_open_executor_is_refused(problem):
    wrong = {4: "int; pass a concurrent.futures.Executor", "threads": "str", ThreadPoolExecutor: "(ABCMeta|type)"}
    for value, message in wrong.items():
        with pytest.raises(InputError, match=f"executor: found {message}"):
            workers_for(problem, value)
    for closed in (ThreadPoolExecutor(1), processes()):
        closed.shutdown()
        with pytest.raises(InputError, match=r"executor: cannot schedule .* pass an executor that is open"):
            list(run_jobs(work.total, JOBS, problem, closed))
    with cluster(0) as empty:
        client = empty.get_client()
        with pytest.raises(InputError, match="executor: found a Dask cluster without workers"):
            list(run_jobs(work.total, JOBS, problem, client))
        client.close()
        with pytest.raises(InputError, match="executor: found a Client that is closed"):
            list(run_jobs(work.total, JOBS, problem, client))


class TestPickledProblem:
    def test_memory_maps_travel_as_names(self, tmp_path):
        points = np.memmap(tmp_path / "points", dtype=np.float64, mode="w+", shape=(5000, 10), offset=24)
        points[:] = RNG.normal(size=points.shape)
        for view in (points, points[3:], points[7:4000, 2:5], points.T, np.asarray(points)[::3], points[5]):
            data = pickle.dumps(PickledProblem({"view": view}))
            assert len(data) < 1000
            opened = pickle.loads(data)
            np.testing.assert_array_equal(opened.open()["view"], view)
            opened.forget()

    def test_arrays_that_differ_from_their_file_are_pickled_by_value(self, tmp_path):
        points = np.memmap(tmp_path / "points", dtype=np.float64, mode="w+", shape=(50, 10))
        points.flush()
        changed = np.memmap(tmp_path / "points", dtype=np.float64, mode="c", shape=(50, 10))
        changed[3] = 7
        gone = np.memmap(tmp_path / "gone", dtype=np.float64, mode="w+", shape=(50, 10))
        (tmp_path / "gone").unlink()
        for view in (changed, gone, points[::-1], points[:0]):
            opened = PickledProblem(view)
            np.testing.assert_array_equal(opened.open(), view)
            opened.forget()

    def test_files_that_are_gone_or_shorter_are_errors(self, tmp_path):
        path = tmp_path / "points"
        points = np.memmap(path, dtype=np.float64, mode="w+", shape=(50, 10))
        for view in (points, points[3:]):
            packed = PickledProblem(view)
            path.write_bytes(bytes(3800))
            with pytest.raises(DistbenchError, match=r"found 3800 bytes in .*points, but 4000 are needed"):
                packed.open()
            path.write_bytes(bytes(4000))
            assert packed.open().shape == view.shape
            packed.forget()
        path.unlink()
        with pytest.raises(DistbenchError, match=r"cannot open the memory-mapped file .*points \(No such file"):
            packed.open()

    def test_large_arrays_go_through_files_of_one_machine(self, tmp_path):
        large, small = RNG.normal(size=(600, 300)), RNG.normal(size=5)
        packed = PickledProblem({"large": large, "small": small, "turned": large.T}, tmp_path)
        assert len(pickle.dumps(packed)) < 2000
        opened = packed.open()
        for name, array in {"large": large, "small": small, "turned": large.T}.items():
            np.testing.assert_array_equal(opened[name], array)
        opened["large"][:] = 0  # never reaches the file
        packed.forget()
        np.testing.assert_array_equal(packed.open()["large"], large)
        packed.forget()


@pytest.mark.parametrize(("progress", "shown"), [(True, True), (False, False), (None, False)])
def test_a_bar_on_what_takes_long_without_a_terminal(progress, shown, capsys, monkeypatch):
    assert list(track(iter("abc"), [1, 2, 3], progress=progress)) == ["a", "b", "c"]
    assert capsys.readouterr().err == ""  # quick
    monkeypatch.setattr("distbench.engine.parallel.progress.DELAY_SECONDS", 1e-9)
    for _ in track(iter("abc"), [100, 100, 50], progress=progress):
        threading.Event().wait(0.12)
    assert ("/250" in capsys.readouterr().err) == shown


@pytest.mark.parametrize("mapped", [False, True])
def test_reports_are_the_same_to_the_last_bit(executor, tmp_path, mapped):
    X, X_ref = RNG.normal(size=(150, 8)).astype(np.float32), RNG.normal(size=(300, 8)).astype(np.float32)
    if mapped:
        X_ref.tofile(tmp_path / "reference")
        X_ref = np.memmap(tmp_path / "reference", dtype=np.float32, mode="r", shape=X_ref.shape)
    codes = (X[:, :2], X_ref[:, :2])
    plain = distbench.evaluate_codes(X, codes[0], reference=(np.array(X_ref), codes[1]), k=5)
    other = distbench.evaluate_codes(X, codes[0], reference=(X_ref, codes[1]), k=5, executor=executor)
    assert other.as_dict() == plain.as_dict()
    for name in plain:
        assert (plain[name].low, plain[name].high) == (other[name].low, other[name].high)
        np.testing.assert_array_equal(plain[name].points, other[name].points)
        np.testing.assert_array_equal(plain[name].leave_one_out, other[name].leave_one_out)
