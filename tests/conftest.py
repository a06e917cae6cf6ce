from __future__ import annotations

import gc
import signal

import hypothesis  # noqa: F401 - loaded later, it takes generators of frozen modules (trio's) for garbage, and warns
import pytest

pytest_plugins = ["pytester"]

# In a run that a script has put into the background Ctrl-C is ignored, and so by all that tests start, too.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="module", autouse=True)
def _collected_once():
    """Leave what a module's tests have kept (networks: a million objects) out of all later searches for garbage."""
    yield
    gc.collect()
    gc.freeze()
