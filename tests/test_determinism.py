"""The same points give the same numbers: in other processes, with other threads, hash seeds and BLAS kernels.

Whatever is slow to compare is done once, by ``benchmarks/determinism.py``, whose parts are used here. With and without
xdist: ``tests/plugin/test_xdist.py``.
"""

from __future__ import annotations

import importlib.util
import platform
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

import distbench
from distbench.inference.jackknife import jackknife_interval
from distbench.metrics import METRICS

SCRIPT = Path(__file__).resolve().parents[1] / "benchmarks" / "determinism.py"
LIMIT = 1e-9
RECIPES = ("pca", "random_projection", "mds")


@pytest.fixture(scope="module")
def determinism():
    """Return the script as a module: it is no part of the package."""
    spec = importlib.util.spec_from_file_location("determinism", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


@pytest.fixture(scope="module")
def measured(determinism, tmp_path_factory):
    """Return a function that measures in a new process, and the results of such a process in the usual environment."""
    folder = tmp_path_factory.mktemp("determinism")
    determinism.write_clouds(folder / "clouds.npz", 200)

    def measure(**options):
        return determinism.run(folder / "clouds.npz", folder / "found", **options)

    return measure, measure(environment={"PYTHONHASHSEED": "0"}, threads=2, recipes=RECIPES)


@pytest.mark.nightly
def test_all_metrics_on_all_kinds_of_points_are_compared(measured):
    _, base = measured
    names = {tuple(key.split("|")[:2]) for key in base.values}
    left_out = {"reconstruction_mse"}  # needs a decoder
    assert {metric for _, metric in names} >= METRICS.keys() - left_out
    clouds = {cloud for cloud, _ in names}
    assert any("float32" in cloud for cloud in clouds)
    assert any("float64" in cloud for cloud in clouds)
    assert b"leave_one_out" in base.rows


@pytest.mark.nightly
def test_one_thread_and_another_hash_seed_give_the_same_rows_byte_for_byte(measured):
    measure, base = measured
    other = measure(environment={"PYTHONHASHSEED": "1"}, threads=1, recipes=RECIPES)
    different = [name for name, array in base.values.items() if array.tobytes() != other.values[name].tobytes()]
    assert different == []
    assert other.rows == base.rows
    assert other.digest == base.digest


def openblas():
    """Return which kernels numpy's OpenBLAS chose here, or None without one."""
    found = [pool["architecture"] for pool in threadpool_info() if pool["internal_api"] == "openblas"]
    return found[0] if found else None


@pytest.mark.nightly
@pytest.mark.skipif(platform.machine() not in {"x86_64", "AMD64"}, reason="names of kernels are those of x86-64")
@pytest.mark.skipif(openblas() is None, reason="numpy's BLAS is not OpenBLAS")
@pytest.mark.parametrize("kernel", ["Prescott", "Sandybridge"])
def test_other_blas_kernels_give_the_same_to_a_billionth(measured, determinism, kernel):
    measure, base = measured
    other = measure(environment={"OPENBLAS_CORETYPE": kernel}, threads=2)
    if other.about["BLAS kernel"] == base.about["BLAS kernel"]:
        pytest.skip(f"this machine runs {other.about['BLAS kernel']} for {kernel}, too")
    apart = determinism.differences(base, other)  # recipes may stop an iteration earlier or later, and are left out
    apart = {name: value for name, value in apart.items() if determinism.FITTED not in name}
    assert len(apart) > 1_000
    assert {name: value for name, value in apart.items() if value > LIMIT} == {}


def test_differences_and_digests_see_small_changes(determinism):
    def found(rows=b"", **values):
        return determinism.Found({}, {key: np.asarray(value) for key, value in values.items()}, rows)

    apart = determinism.differences(found(a=[1e6, 0.5], b=2.0), found(a=[1e6 + 1, 0.5], b=2.0))
    assert apart == {"a": pytest.approx(1e-6), "b": 0.0}, "relative above 1, absolute below"
    for other in ({}, {"a": [1.0]}, {"a": [1.0, np.inf]}, {"a": [1.0, np.nan]}):
        assert determinism.differences(found(a=[1.0, 2.0]), found(**other)) == {"a": np.inf}, "missing or infinite"
    assert determinism.differences(found(a=np.inf), found(a=np.inf)) == {"a": 0.0}
    assert found(a=1.0).digest != found(a=np.nextafter(1.0, 2.0)).digest
    assert found(b"rows").digest != found(b"other rows").digest


def blas_threads():
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


def parts_of(report):
    """Return every number of a report as bytes, by metric and part."""
    parts = ("value", "low", "high", "points", "leave_one_out", "interaction")
    return {
        (name, part): np.asarray(getattr(score, part), dtype=float).tobytes()
        for name, score in report.items()
        for part in parts
        if getattr(score, part) is not None
    }


@pytest.mark.parametrize("workers", [1, 2, 6])
def test_evaluations_in_any_threads_are_the_same_to_the_last_bit(workers):
    rng = np.random.default_rng(3)
    clouds = [rng.normal(size=(200, 6)) for _ in range(6)]

    def measure(X):
        return parts_of(distbench.evaluate_codes(X, X[:, :2], metrics="all"))

    with threadpool_limits(2, user_api="blas"):
        before = blas_threads()
        alone = [measure(X) for X in clouds]
        with ThreadPoolExecutor(workers) as executor:  # the main thread has held BLAS to one thread, now these do
            together = list(executor.map(measure, clouds))
            assert blas_threads() == before  # the last to end restores it
        assert [measure(X) for X in clouds] == alone
    for i, (found, expected) in enumerate(zip(together, alone, strict=True)):
        assert [(i, *key) for key in expected if found[key] != expected[key]] == []


def test_a_value_within_rounding_of_its_bound_has_an_interval_of_rounding():
    """On the scale of logarithms of 1 - value it once reached as far as 2e-9, and elsewhere not."""
    rng = np.random.default_rng(4)
    noise = rng.integers(1, 9, 100) * 2.0**-53
    low, high = jackknife_interval(1 - 2.0**-53, 1 - noise, bounds=(-1, 1))
    assert 1 - 1e-13 < low < 1
    assert high <= 1
    low, high = jackknife_interval(1 + 2.0**-52, 1 + 2 * noise, bounds=(1, np.inf))
    assert 1 <= low <= high < 1 + 1e-13
