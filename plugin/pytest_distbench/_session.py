"""What one pytest process shares: whether distbench is on, and the bench where fits are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from distbench.suites import Bench

__all__ = ["REASON", "bench_of", "enabled"]

REASON = "needs --distbench"

_BENCH: pytest.StashKey[Bench] = pytest.StashKey()


def enabled(config: pytest.Config) -> bool:
    """Say whether distbench tests run."""
    return bool(config.getoption("--distbench"))


def bench_of(config: pytest.Config) -> Bench:
    """Return the bench of this process: suites, claims and tests share its fits."""
    if _BENCH not in config.stash:
        from distbench.suites import Bench

        config.stash[_BENCH] = Bench()
    return config.stash[_BENCH]
