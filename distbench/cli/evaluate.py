"""``distbench evaluate``: evaluate an encoder, ready codes or a recipe, and check limits."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from distbench._util.distances import CODE_DISTANCES, EUCLIDEAN, POINT_DISTANCES
from distbench.cli import _common as common
from distbench.cli._common import PATH, CannotDo, json_option
from distbench.cli._wording import with_options

if TYPE_CHECKING:
    from distbench.inference.verdicts import Undecided

__all__ = ["command"]

FILES = "an .npy, .npz or file.npz:key, .parquet, .h5ad or file.h5ad:key"
OPTIONS = ("metrics", "distance_x", "distance_z", "queries", "stochastic")
"""Options that are passed to `distbench.evaluate` unchanged."""
INPUTS = ("encoder", "data", "reference", "codes", "reference_codes", "labels", "reference_labels", "groups")
"""Options that may name a file."""


def _limits(context: click.Context, parameter: click.Parameter, texts: Sequence[str]) -> dict[str, float]:
    """Return the limits by metric."""
    from distbench.errors import InputError
    from distbench.inference.limits import read_limit

    limits: dict[str, float] = {}
    for text in texts:
        try:
            metric, limit = read_limit(text)
        except InputError as error:
            raise click.BadParameter(str(error)) from None
        if metric in limits:
            raise click.BadParameter(f"{metric} has two limits; give one")
        limits[metric] = limit
    return limits


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


@click.command(
    "evaluate",
    cls=common.Command,
    examples=[
        "distbench evaluate my_encoders:encode --data X_test.npy --reference X_train.npy --limit continuity:0.6",
        "distbench evaluate pca --dataset digits --code-size 8 --limit continuity:0.95 --results results.json",
        "distbench evaluate --codes Z_test.npy --data X_test.npy --metrics continuity,trustworthiness --json",
    ],
)
@click.argument("encoder", default="")
@click.option("--data", default="", metavar="FILE", help=f"Test points: {FILES}.")
@click.option(
    "--reference",
    default="",
    metavar="FILE",
    help="Further points in which neighbors are looked up, usually the train points.",
)
@click.option("--codes", default="", metavar="FILE", help="Codes of the test points, instead of ENCODER.")
@click.option("--reference-codes", default="", metavar="FILE", help="Codes of the reference points, with --codes.")
@click.option(
    "--reference-encoder",
    default="",
    metavar="ENCODER",
    help="The encoder of the reference points, if it is another: neighbors are then looked up in these alone.",
)
@click.option("--reference-only", is_flag=True, help="Look neighbors up in the reference points alone.")
@click.option("--labels", default="", metavar="FILE", help="One label for each test point.")
@click.option("--reference-labels", default="", metavar="FILE", help="One label for each reference point.")
@click.option("--groups", default="", metavar="FILE", help="The group of each test point: intervals are over groups.")
@click.option(
    "--input-space",
    multiple=True,
    metavar="ENCODER|FILE",
    help="Measure input distances between the codes of this encoder, or between these points. With --reference, also "
    "give one for the reference points.",
)
@click.option("--dataset", default="", metavar="NAME", help="Fit ENCODER, a recipe, on this data set's train points.")
@click.option("--code-size", type=click.IntRange(min=1), metavar="N", help="The number of columns of a recipe's codes.")
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, metavar="N", help="Seed of training and of samples.  [default: 0]"
)
@click.option(
    "--limit",
    "limits",
    multiple=True,
    metavar="METRIC:VALUE",
    callback=_limits,
    help="A limit, such as continuity:0.95: the least value if larger is better, else the largest. Can be repeated.",
)
@common.undecided_option("How to decide a limit that is inside the interval: by the value, or let it fail or pass.")
@click.option(
    "--k",
    default="10",
    show_default=True,
    metavar="N[,N]",
    callback=_numbers,
    help="The number of neighbors, or several, such as 1,10,100.",
)
@click.option(
    "--metrics",
    "--metric",
    multiple=True,
    default=("default",),
    metavar="NAMES",
    callback=_metrics,
    help="default, all, or names separated by commas, such as stress,knn_recall@100. Can be repeated.",
)
@click.option("--distance-x", default=EUCLIDEAN, type=click.Choice(POINT_DISTANCES), help="Distance between points.")
@click.option("--distance-z", default=EUCLIDEAN, type=click.Choice(CODE_DISTANCES), help="Distance between codes.")
@click.option("--queries", type=click.IntRange(min=1), metavar="N", help="Evaluate a random sample of N test points.")
@click.option("--stochastic", is_flag=True, help="The encoder draws random codes: evaluate several draws.")
@click.option("--name", help="The encoder's name in reports.")
@click.option("--html", type=PATH, help="Write a page with pictures to this file.")
@click.option("--results", type=PATH, help="Add the rows to this file of results.")
@json_option
def command(
    limits: dict[str, float],
    undecided: Undecided,
    html: Path | None,
    results: Path | None,
    as_json: bool,
    **typed: Any,
) -> None:
    """Evaluate ENCODER on test points, and check limits.

    ENCODER is the file of a model, or module:name of an encoder or function; modules are searched for in this folder
    first. With --dataset, it is the name of a baseline, or module:name of a recipe. The exit code is 0 if every limit
    is met, 1 if one is broken.
    """
    from distbench.cli._checking import check_sources, run_check
    from distbench.cli._results import limit_lines, report_document, write_files
    from distbench.evaluation.failure_message import failure_text
    from distbench.evaluation.limits import limits_and_options
    from distbench.suites.check_flow import Check

    with common.running_user_code():
        _check_files(html, results, _inputs(typed))
        check_sources(typed)
        passed = {name: typed[name] for name in OPTIONS if typed[name]}
        limits, options = limits_and_options({**passed, **limits}, k=typed["k"][0], required=False)
        named = {name: typed[name] for name in ("k", "seed", "name")}
        named["include_queries"] = not typed["reference_only"]
        outcome = run_check(typed, Check(limits=limits, undecided=undecided, options=options, **named))
        failure = failure_text(outcome.report, outcome.broken) if outcome.broken else ""
        limits = outcome.limits
        lines = limit_lines(outcome, limits, undecided)
        document = report_document(outcome, limits)
    document |= {"undecided": undecided, "met": not failure if limits else None, "failure": failure or None}
    document["queries"] = typed["queries"]
    if typed["queries"] is not None:
        document["seed"] = typed["seed"]
    write_error = None
    try:
        with common.errors_as_lines():  # no user's code runs, and /dev/stdout is standard output
            lines += write_files(outcome, limits, html, results)
    except click.ClickException as error:
        write_error = error  # raised after the values are printed
    text = "\n".join([with_options(str(outcome.report)), *([""] if lines else []), *lines])
    common.print_verdict(text, failure, document if as_json else None)
    if write_error is not None:
        raise write_error
    if failure:
        sys.exit(1)


def _inputs(typed: Mapping[str, Any]) -> list[Path]:
    """Return the paths that the options name as input, also those before a key."""
    texts = [str(typed[name]) for name in INPUTS if typed[name]] + list(typed["input_space"])
    return [Path(part) for text in texts for part in (text, text.rpartition(":")[0]) if part]


def _check_files(html: Path | None, results: Path | None, inputs: Sequence[Path]) -> None:
    """Raise an error for files that could not be written, before anything is measured."""
    from distbench._util.files import is_stream

    for path, option in ((html, "--html"), (results, "--results")):
        common.check_output(path, option, inputs, is_page=path is html)
    if html is not None and results is not None and html.resolve() == results.resolve():
        raise CannotDo(f"--html and --results: both name {html}; give two different files")
    if html is not None:
        from distbench._util.imports import require

        require("jinja2", "--html")
        require("matplotlib", "--html")
    if results is not None and results.exists() and not is_stream(results):
        from distbench.results.file import read_results

        read_results(results)
