"""``distbench evaluate``: evaluate an encoder, ready codes or a recipe, and check limits."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from distbench.cli import _common as common
from distbench.cli._common import PATH, CannotDo, json_option
from distbench.cli._options import evaluation_options, limit_option, passed_options
from distbench.cli._wording import with_options

if TYPE_CHECKING:
    from distbench.inference.verdicts import Undecided
    from distbench.suites.check_flow import Check, Outcome

__all__ = ["command"]

INPUTS = ("encoder", "data", "reference", "codes", "reference_codes", "labels", "reference_labels", "groups")
"""Options that may name a file."""


@click.command(
    "evaluate",
    cls=common.Command,
    examples=[
        "distbench evaluate my_encoders:encode --data X_test.npy --reference X_train.npy --limit continuity:0.6",
        "distbench evaluate pca --dataset digits --code-size 8 --limit continuity:0.95 --results results.json",
        "distbench evaluate --codes Z_test.npy --data X_test.npy --metrics continuity,trustworthiness --json",
    ],
)
@evaluation_options
@limit_option("A limit, such as continuity:0.95: the least value if larger is better, else the largest.")
@common.undecided_option("How to decide a limit that is inside the interval: by the value, or let it fail or pass.")
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
    from distbench.evaluation.limits import limits_and_options
    from distbench.suites.check_flow import Check

    with common.running_user_code():
        _check_files(html, results, _inputs(typed))
        check_sources(typed)
        passed = passed_options(typed)
        limits, options = limits_and_options({**passed, **limits}, k=typed["k"][0], required=False)
        check = Check(limits=limits, undecided=undecided, options=options)
        check, outcome = run_check(typed, check)
        message = [with_options(text) for text in _message(check, outcome)]
        failure = "\n".join(message)
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
            lines += write_files(outcome, limits, html, results, message[1:])
    except click.ClickException as error:
        write_error = error  # raised after the values are printed
    text = "\n".join([with_options(str(outcome.report)), *([""] if lines else []), *lines])
    common.print_verdict(text, failure, document if as_json else None)
    if write_error is not None:
        raise write_error
    if failure:
        sys.exit(1)


def _message(check: Check, outcome: Outcome) -> list[str]:
    """Return the message of the broken limits, then the best baselines and what to do next, one item each."""
    from distbench.encoders.resolve import framework_of
    from distbench.evaluation.failure_message import failure_lines
    from distbench.suites.reference_scores import reference_scores

    report, broken = outcome.report, outcome.broken
    if not broken:
        return []
    references = reference_scores(check, report, broken)
    size = check.code_size or report.code_size
    return failure_lines(report, broken, references, size, framework_of(check.encoder))


def _inputs(typed: Mapping[str, Any]) -> list[Path]:
    """Return the paths that the options name as input, also those before a key."""
    texts = [str(typed[name]) for name in INPUTS if typed[name]] + list(typed["input_space"])
    return [Path(part) for text in texts for part in (text, text.rpartition(":")[0]) if part]


def _check_files(html: Path | None, results: Path | None, inputs: Sequence[Path]) -> None:
    """Raise an error for files that could not be written, before anything is measured."""
    from distbench._util.files import is_stream
    from distbench.render.formats import SIGNS

    for path, option in ((html, "--html"), (results, "--results")):
        common.check_output(path, option, inputs, SIGNS["html"] if path is html else "")
    if html is not None and results is not None and html.resolve() == results.resolve():
        raise CannotDo(f"--html and --results: both name {html}; give two different files")
    if html is not None:
        from distbench._util.imports import require

        require("jinja2", "--html")
        require("matplotlib", "--html")
    if results is not None and results.exists() and not is_stream(results):
        from distbench.results.file import read_results

        read_results(results)
