"""Starts the process of one case, reads its events, and ends it when a call takes too long."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from _case import Case
from _table import Result

__all__ = ["measure", "over"]

PATIENCE = 600.0  # seconds for imports, compilation and our own calls, which are no reason to lose a peer's row


def over(timeout: float) -> str:
    return f"over {timeout:g}"


def measure(case: Case, timeout: float) -> Result:
    """Measure one case in a separate process; a failure is a result too.

    Parameters
    ----------
    case : Case
        What to measure.
    timeout : float
        Seconds that one call may take.
    """
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("_case.py")), json.dumps(dataclasses.asdict(case))],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,  # so that what it starts can be ended with it
    )
    try:
        return _listen(process, Result(case), timeout)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _listen(process: subprocess.Popen[str], result: Result, timeout: float) -> Result:
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_pass_on, args=(process, lines), daemon=True).start()
    running = "setup"
    while True:
        try:
            line = lines.get(timeout=timeout if running == "peer" else PATIENCE)
        except queue.Empty:
            return _stopped(result, running, timeout)
        if not line:
            return _ended(process, result)
        event = json.loads(line)
        running = event.get("begin", "setup")
        _note(result, event)


def _pass_on(process: subprocess.Popen[str], lines: queue.SimpleQueue[str]) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        lines.put(line)
    lines.put("")


def _note(result: Result, event: dict[str, Any]) -> None:
    if "end" in event:
        what = event["end"]
        if event["counts"]:
            result.seconds.setdefault(what, []).append(event["seconds"])
        if event["above"] is not None:
            result.above[what] = max(event["above"], result.above.get(what, 0))
        if event["values"] is not None:
            result.values.setdefault(what, {}).update(event["values"])
    elif "others" in event:
        result.values.setdefault("ours", {}).update(event["others"])
    elif "failed" in event:
        result.failed, result.message = event["failed"], event["message"]


def _stopped(result: Result, running: str, timeout: float) -> Result:
    """Return a result that names the call that was too slow, with the calls that were measured before."""
    if running != "peer":
        result.failed = f"{running} {over(PATIENCE)}"
    elif not result.seconds.get("peer"):
        result.failed = over(timeout)
    return result


def _ended(process: subprocess.Popen[str], result: Result) -> Result:
    code = process.wait()
    if code and result.failed is None:
        result.failed = signal.Signals(-code).name if code < 0 else f"exit status {code}"
    return result
