"""A report's numbers in the tools that track training runs: MLflow and TensorBoard."""

from __future__ import annotations

import math
import os
import socket
import time
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from distbench._util.imports import require
from distbench._util.text import short_repr
from distbench.errors import InputError, MissingDependencyError

if TYPE_CHECKING:
    from distbench.evaluation.report import Report

__all__ = ["log_mlflow", "log_tensorboard"]

TAGS = ("encoder", "code_size", "k", "m", "M", "n_reference", "distance_x", "distance_z", "confidence")
_FILES = count()


def log_mlflow(report: Report, prefix: str, step: int | None) -> None:
    """Log a report to the active MLflow run; see `distbench.Report.log_mlflow`."""
    _check(prefix, step)
    require("mlflow", "log_mlflow()", "mlflow")
    import mlflow

    try:
        mlflow.log_metrics({f"{prefix}{name}": value for name, value in _numbers(report, ".")}, step=step)
        mlflow.set_tags({f"{prefix}{name}": str(getattr(report, name)) for name in TAGS})
    except ImportError as error:  # mlflow-skinny has none of what its own default store needs
        raise MissingDependencyError(
            f"log_mlflow(): MLflow needs {error.name} for this store; pip install mlflow, or set a tracking server"
        ) from error


def log_tensorboard(report: Report, log_dir_or_writer: Any, step: int, prefix: str) -> None:
    """Log a report to TensorBoard; see `distbench.Report.log_tensorboard`."""
    _check(prefix, step)
    scalars = [(f"{prefix}{name}", value) for name, value in _numbers(report, "/")]
    to = log_dir_or_writer
    if isinstance(to, str | os.PathLike):
        if "://" in str(to):
            raise InputError(
                "log_dir_or_writer", f"found {short_repr(str(to))}", "pass a local folder, or a writer for it"
            )
        _write_events(Path(to), scalars, step)
    elif callable(getattr(to, "add_scalar", None)):  # of torch, tensorboard or tensorboardX
        for name, value in scalars:
            to.add_scalar(name, value, step)
        to.flush()
    elif callable(getattr(to, "as_default", None)):  # of tf.summary
        import tensorflow as tf

        with to.as_default():
            for name, value in scalars:
                tf.summary.scalar(name, value, step=step)
        to.flush()
    else:
        raise InputError(
            "log_dir_or_writer",
            f"found {short_repr(to)}",
            "pass a folder, a SummaryWriter, or what tf.summary.create_file_writer returned",
        )


def _check(prefix: Any, step: Any) -> None:
    if not isinstance(prefix, str):
        raise InputError("prefix", f"found {short_repr(prefix)}", "pass text")
    if step is not None and (isinstance(step, bool) or not hasattr(step, "__index__") or not 0 <= step < 2**63):
        raise InputError("step", f"found {short_repr(step)}", "pass a whole number, 0 or more")


def _numbers(report: Report, between: str) -> list[tuple[str, float]]:
    """Return values and ends of intervals by name; what is infinite is no number that these tools can keep."""
    found = []
    for name, score in report.scores.items():
        parts = ((name, score.value), (f"{name}{between}low", score.low), (f"{name}{between}high", score.high))
        found += [(part, float(value)) for part, value in parts if value is not None and math.isfinite(value)]
    return found


def _write_events(folder: Path, scalars: list[tuple[str, float]], step: int) -> None:
    """Write scalars as a file of events of its own.

    With TensorBoard's record writer alone: its other writers load TensorFlow where it is installed, which takes
    seconds.
    """
    require("tensorboard", "log_tensorboard()", "tensorboard")
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.record_writer import RecordWriter

    now = time.time()
    name = f"events.out.tfevents.{now:.0f}.{socket.gethostname()}.{os.getpid()}.distbench{next(_FILES)}"
    summary = Summary(value=[Summary.Value(tag=tag, simple_value=value) for tag, value in scalars])
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / name).open("xb") as file:
            writer = RecordWriter(file)
            for event in (Event(wall_time=now, file_version="brain.Event:2"), Event(step=step, summary=summary)):
                event.wall_time = now
                writer.write(event.SerializeToString())
    except OSError as error:
        raise InputError(
            "log_dir_or_writer", f"{folder} cannot be written ({error.strerror})", "pass another"
        ) from None
