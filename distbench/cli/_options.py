"""The arguments of the commands that evaluate an encoder: what is evaluated, on which points, and how."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click

from distbench._util.distances import CODE_DISTANCES, EUCLIDEAN, POINT_DISTANCES, distance_advice
from distbench.cli import _common as common

__all__ = ["evaluation_options", "limit_option", "passed_options", "some_options"]

FILES = "an .npy, .npz or file.npz:key, .parquet, .h5ad or file.h5ad:key"
PASSED = (
    *("metrics", "distance_x", "distance_z", "queries", "precision"),
    *("stochastic", "draws", "batch_size", "confidence", "executor", "progress"),
)
"""Options that are passed to `distbench.evaluate` unchanged."""


def limit_option(text: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return an option that can be repeated, with limits by metric."""
    return click.option(
        "--limit", "limits", multiple=True, metavar="METRIC:VALUE", callback=_limits_of, help=f"{text} Can be repeated."
    )


def _limits_of(context: click.Context, parameter: click.Parameter, texts: Sequence[str]) -> dict[str, float]:
    """Return the limits by metric of texts such as ``continuity:0.95``."""
    from distbench.inference.limits import read_limit

    return _by_metric(texts, read_limit, "limits")


def _precision(context: click.Context, parameter: click.Parameter, texts: Sequence[str]) -> dict[str, float] | None:
    """Return the half widths by metric, or None."""
    from distbench.inference.limits import read_number

    return _by_metric(texts, read_number, "half widths") or None


def _by_metric(texts: Sequence[str], read: Callable[[str], tuple[str, float]], what: str) -> dict[str, float]:
    from distbench.errors import InputError

    numbers: dict[str, float] = {}
    for text in texts:
        try:
            metric, number = read(text)
        except InputError as error:
            raise click.BadParameter(str(error)) from None
        if metric in numbers:
            raise click.BadParameter(f"{metric} has two {what}; give one")
        numbers[metric] = number
    return numbers


def _metrics(context: click.Context, parameter: click.Parameter, texts: Sequence[str]) -> Any:
    """Return "default", "all" or the names of metrics."""
    names = [name.strip() for text in texts for name in text.split(",")]
    if len(names) == 1 and names[0] in ("default", "all"):
        return names[0]
    return tuple(common.metric_name(context, parameter, name) for name in names)


def _numbers(context: click.Context, parameter: click.Parameter, text: str) -> tuple[int, ...]:
    """Return the numbers of neighbors."""
    try:
        return tuple(map(int, text.split(",")))
    except ValueError:
        raise click.BadParameter(f"{text!r} is not a number of neighbors, or several such as 1,10,100") from None


def _executor(context: click.Context, parameter: click.Parameter, text: str) -> Any:
    """Return the executor that ``module:name`` names, or None."""
    from distbench.cli._encoders import named_object

    if not text:
        return None
    with common.running_user_code():
        return named_object(text, "--executor")


class _Distance(click.Choice):  # type: ignore[type-arg]  # it takes no types before click 8.2
    """One of the names of distances; for names that other packages give them, the error has the one that is meant."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the name."""
        if value not in self.choices:
            self.fail(f"found {value!r}; {distance_advice(value, tuple(self.choices))}", param, ctx)
        return str(value)


OPTIONS = (
    click.argument("encoder", default=""),
    click.option("--data", default="", metavar="FILE", help=f"Test points: {FILES}."),
    click.option(
        "--reference",
        default="",
        metavar="FILE",
        help="Further points in which neighbors are looked up, usually the train points.",
    ),
    click.option("--codes", default="", metavar="FILE", help="Codes of the test points, instead of ENCODER."),
    click.option("--reference-codes", default="", metavar="FILE", help="Codes of the reference points, with --codes."),
    click.option(
        "--reference-encoder",
        default="",
        metavar="ENCODER",
        help="The encoder of the reference points, if it is another: neighbors are then looked up in these alone.",
    ),
    click.option("--reference-only", is_flag=True, help="Look neighbors up in the reference points alone."),
    click.option("--labels", default="", metavar="FILE", help="One label for each test point."),
    click.option("--reference-labels", default="", metavar="FILE", help="One label for each reference point."),
    click.option(
        "--groups", default="", metavar="FILE", help="The group of each test point; intervals are over groups."
    ),
    click.option(
        "--input-space",
        multiple=True,
        metavar="ENCODER|FILE",
        help="Measure input distances between the codes of this encoder, or between these points. With --reference, "
        "also give one for the reference points.",
    ),
    click.option(
        "--dataset", default="", metavar="NAME", help="Fit ENCODER, a recipe, on this data set's train points."
    ),
    click.option(
        "--code-size", type=click.IntRange(min=1), metavar="N", help="The number of columns of a recipe's codes."
    ),
    click.option(
        "--seed",
        type=click.IntRange(min=0),
        default=0,
        metavar="N",
        help="Seed of training and of samples.  [default: 0]",
    ),
    click.option(
        "--k",
        default="10",
        show_default=True,
        metavar="N[,N]",
        callback=_numbers,
        help="The number of neighbors, or several, such as 1,10,100.",
    ),
    click.option(
        "--metrics",
        "--metric",
        multiple=True,
        default=("default",),
        metavar="NAMES",
        callback=_metrics,
        help="default, all, or names separated by commas, such as stress,knn_recall@100. Can be repeated.",
    ),
    click.option("--distance-x", default=EUCLIDEAN, type=_Distance(POINT_DISTANCES), help="Distance between points."),
    click.option("--distance-z", default=EUCLIDEAN, type=_Distance(CODE_DISTANCES), help="Distance between codes."),
    click.option(
        "--queries", type=click.IntRange(min=1), metavar="N", help="Evaluate a random sample of N test points."
    ),
    click.option(
        "--precision",
        multiple=True,
        metavar="METRIC:WIDTH",
        callback=_precision,
        help="Evaluate as many test points as it takes for an interval of this half width. Can be repeated.",
    ),
    click.option(
        "--confidence",
        type=click.FloatRange(0, 1, min_open=True, max_open=True),
        metavar="P",
        help="Confidence of the intervals.  [default: 0.95]",
    ),
    click.option(
        "--stochastic", is_flag=True, default=None, help="The encoder draws random codes: evaluate several draws."
    ),
    click.option(
        "--draws", type=click.IntRange(min=2), metavar="N", help="Draws of a stochastic encoder.  [default: 5]"
    ),
    click.option("--batch-size", type=click.IntRange(min=1), metavar="N", help="Rows in one call of the encoder."),
    click.option(
        "--executor",
        default="",
        metavar="MODULE:NAME",
        callback=_executor,
        help="Runs blocks of test points, as a pool of processes.",
    ),
    click.option("--progress/--no-progress", default=None, help="Whether to show a progress bar."),
    click.option("--name", help="The encoder's name in reports."),
)


def passed_options(typed: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of `distbench.evaluate` among those that were typed."""
    return {name: typed[name] for name in PASSED if typed[name] is not None}


def evaluation_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the arguments to a command, in their order in the help."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def some_options(*names: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return a decorator that adds some of the arguments to a command."""

    def holder() -> None: ...

    known = {option.name: option for option in evaluation_options(holder).__click_params__}  # type: ignore[attr-defined]

    def add(command: Callable[..., Any]) -> Callable[..., Any]:
        added = [known[name] for name in reversed(names)]
        command.__click_params__ = [*getattr(command, "__click_params__", []), *added]  # type: ignore[attr-defined]
        return command

    return add
