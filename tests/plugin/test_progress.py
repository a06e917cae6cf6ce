from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest
from suite_texts import SWISS_ROLL

SUITE = SWISS_ROLL + '[[encoder]]\nname = "slow"\nrecipe = "slow_recipe:Slow"\n'
RECIPE = """
import time
from sklearn.decomposition import PCA

class Slow:
    def fit(self, X, code_size, seed, progress=None):
        print("captured output of the fit")
        for epoch in range(8):
            time.sleep(0.1)
            if progress is not None:
                progress(epoch + 1, 8)
        return PCA(code_size).fit(X)
"""
BAR = b"slow[2] seed 0:"


def on_a_terminal(folder, *options):
    """Run pytest with a pseudo-terminal as its output, and return all that was written to it."""
    import fcntl
    import pty
    import struct
    import termios

    main, other = pty.openpty()
    fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    command = [sys.executable, "-m", "pytest", "--distbench", "-p", "no:cacheprovider", *options]
    process = subprocess.Popen(command, cwd=folder, stdin=other, stdout=other, stderr=other, close_fds=True)
    os.close(other)
    written = b""
    try:
        while chunk := os.read(main, 65536):
            written += chunk
    except OSError:  # what Linux says when the other side has closed
        pass
    os.close(main)
    return process.wait(), written


@pytest.fixture
def folder(pytester):
    pytester.makefile(".toml", suite=SUITE)
    pytester.makepyfile(slow_recipe=RECIPE)
    return pytester.path


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
@pytest.mark.parametrize("options", [(), pytest.param(("-p", "no:capture"), marks=pytest.mark.nightly)], ids=" ".join)
def test_a_bar_on_a_terminal_while_an_encoder_trains(folder, options):
    code, written = on_a_terminal(folder, *options)
    assert code == 0
    assert BAR in written
    assert re.search(rb"slow\[2\] seed 0:[^\r]* [1-8]/8 ", written)
    if not options:
        assert b"captured output of the fit" not in written, "pytest goes on capturing"


@pytest.mark.nightly
@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_no_bar_from_xdist_workers(folder):
    code, written = on_a_terminal(folder, "-n", "1")
    assert code == 0
    assert BAR not in written


def test_no_bar_in_logs(folder, pytester):
    result = pytester.runpytest_subprocess("--distbench")
    result.assert_outcomes(passed=1)
    assert BAR.decode() not in result.stdout.str() + result.stderr.str()
