from __future__ import annotations

import functools
import gc
import signal

import hypothesis  # noqa: F401 - loaded later, it takes generators of frozen modules (trio's) for garbage, and warns
import pytest
from suite_texts import written

pytest_plugins = ["pytester"]

# In a run that a script has put into the background Ctrl-C is ignored, and so by all that tests start, too.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def write_suite(tmp_path):
    return functools.partial(written, tmp_path)


@pytest.fixture(scope="module", autouse=True)
def _collected_once():
    """Exclude objects that the tests of a module have kept (networks: a million) from later garbage collection."""
    yield
    gc.collect()
    gc.freeze()
