"""``distbench evaluate``: an encoder, ready codes or a recipe, held to limits."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from distbench._util.distances import CODE_DISTANCES, EUCLIDEAN, INPUT_DISTANCES
from distbench.cli import _common as common
from distbench.cli._common import PATH, CannotDo, json_option
from distbench.cli._wording import with_options

if TYPE_CHECKING:
    from distbench.inference.verdicts import Undecided

__all__ = ["command"]

FILES = "an .npy, .npz or file.npz:key, .parquet, .h5ad or file.h5ad:key"
OPTIONS = ("metrics", "distance_x", "distance_z", "queries", "stochastic")
"""Options that `distbench.evaluate` takes as they are."""


def _limits(context: click.Context, parameter: click.Parameter, texts: Sequence[str]) -> dict[str, float]:
    """Return limits by metric."""
    from distbench.errors import InputError
    from distbench.inference.limits import read_limit

    limits: dict[str, float] = {}
    for text in texts:
        try:
            metric, limit = read_limit(text)
        except InputError as error:
            raise click.BadParameter(str(error)) from None
        except ValueError:
            raise click.BadParameter(f"found {text!r}; give METRIC:VALUE, such as continuity:0.95") from None
        if metric in limits:
            raise click.BadParameter(f"{metric} has two limits; give one")
        limits[metric] = limit
    return limits


def _metrics(context: click.Context, parameter: click.Parameter, text: str) -> Any:
    """Return "default", "all" or names."""
    if text in ("default", "all"):
        return text
    return tuple(common.metric_name(context, parameter, name.strip()) for name in text.split(","))


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
    help="Points among which neighbours are found too, mostly the train points.",
)
@click.option("--codes", default="", metavar="FILE", help="Codes of the test points, in place of ENCODER.")
@click.option("--reference-codes", default="", metavar="FILE", help="Codes of the reference points, with --codes.")
@click.option("--labels", default="", metavar="FILE", help="One label for each test point.")
@click.option("--reference-labels", default="", metavar="FILE", help="One label for each reference point.")
@click.option(
    "--input-space",
    multiple=True,
    metavar="ENCODER|FILE",
    help="Measure input distances between an encoder's codes of the points, or between ready points; with --reference "
    "give a second one for the reference points, too.",
)
@click.option("--dataset", default="", metavar="NAME", help="Fit ENCODER, a recipe, on this data set's train points.")
@click.option("--code-size", type=click.IntRange(min=1), metavar="N", help="Columns of the codes of a recipe.")
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, metavar="N", help="Seed of training and of samples.  [default: 0]"
)
@click.option(
    "--limit",
    "limits",
    multiple=True,
    metavar="METRIC:VALUE",
    callback=_limits,
    help="A limit, at least or at most by the metric's direction: continuity:0.95. Can be repeated.",
)
@common.undecided_option("What decides on a limit that the interval contains.")
@click.option("--k", type=int, default=10, show_default=True, metavar="N", help="Neighbours.")
@click.option(
    "--metrics", default="default", metavar="NAMES", callback=_metrics, help="all, or names with commas between."
)
@click.option("--distance-x", default=EUCLIDEAN, type=click.Choice(INPUT_DISTANCES), help="Distance between points.")
@click.option("--distance-z", default=EUCLIDEAN, type=click.Choice(CODE_DISTANCES), help="Distance between codes.")
@click.option(
    "--queries", type=click.IntRange(min=1), metavar="N", help="Judge a random sample of so many test points."
)
@click.option("--stochastic", is_flag=True, help="The encoder draws its codes: judge it over several draws.")
@click.option("--name", help="The encoder's name; its own by default.")
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
    """Judge ENCODER on test points, and hold it to limits.

    ENCODER is the file of a model, or module:name of an encoder or function, looked for in this folder first; with
    --dataset the name of a baseline, or module:name of a recipe. Exit with 0 where every limit is met, 1 where one is
    broken.
    """
    from distbench.cli._judging import check_sources, judge
    from distbench.cli._results import limit_lines, report_document, write_files
    from distbench.evaluation.limits import limits_and_options
    from distbench.evaluation.text import failure_text
    from distbench.suites.check import Check

    with common.running_user_code():
        _check_files(html, results)
        check_sources(typed)
        given = {name: typed[name] for name in OPTIONS if typed[name]}
        limits, options = limits_and_options({**given, **limits}, required=False)
        about = {name: typed[name] for name in ("k", "seed", "name")}
        outcome = judge(typed, Check(limits=limits, undecided=undecided, options=options, **about))
        failure = failure_text(outcome.report, outcome.broken) if outcome.broken else ""
        lines = limit_lines(outcome, limits, undecided)
        document = report_document(outcome, limits)
    document |= {"undecided": undecided, "met": not failure if limits else None, "failure": failure or None}
    document["queries"] = typed["queries"]
    if typed["queries"] is not None:
        document["seed"] = typed["seed"]
    unwritten = None
    try:
        with common.running_user_code():
            lines += write_files(outcome, limits, html, results)
    except click.ClickException as error:
        unwritten = error  # raised once what was measured is printed
    text = "\n".join([with_options(str(outcome.report)), *([""] if lines else []), *lines])
    common.print_verdict(text, failure, document if as_json else None)
    if unwritten is not None:
        raise unwritten
    if failure:
        sys.exit(1)


def _check_files(html: Path | None, results: Path | None) -> None:
    """Refuse files that could not be written, or not be added to, before anything is measured."""
    for path, option in ((html, "--html"), (results, "--results")):
        common.check_output(path, option)
    if html is not None and results is not None and html.resolve() == results.resolve():
        raise CannotDo(f"--html and --results: both name {html}; give each a file of its own")
    if html is not None:
        from distbench._util.imports import require

        require("jinja2", "--html")
        require("matplotlib", "--html")
    if results is not None and results.exists():
        from distbench.results.file import read_results

        read_results(results)
