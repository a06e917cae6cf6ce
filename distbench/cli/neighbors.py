"""``distbench neighbors``: evaluate the neighbors that a search returned, and check limits."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from distbench._util.distances import PRECOMPUTED
from distbench.cli import _common as common
from distbench.cli._common import PATH, json_option
from distbench.cli._options import limit_option, some_options
from distbench.errors import InputError

if TYPE_CHECKING:
    from distbench.inference.verdicts import Undecided

__all__ = ["command"]

POINTS = ("data", "reference", "codes", "reference_codes", "groups")


@click.command(
    "neighbors",
    cls=common.Command,
    examples=[
        "distbench neighbors ids.npy --data X_test.npy --reference X_train.npy --k 1,10 --limit knn_recall@10:0.9",
    ],
)
@click.argument("ids")
@click.option("--ids-of", default="", metavar="FILE", help="The id of each reference point, if it is not its row.")
@some_options(*POINTS, "k", "metrics", "distance_x", "distance_z", "confidence", "name")
@limit_option("The least value, such as knn_recall@10:0.9.")
@common.undecided_option("How to decide a limit that is inside the interval: by the value, or let it fail or pass.")
@click.option("--results", type=PATH, help="Add the rows to this file of results.")
@json_option
def command(
    ids: str, limits: dict[str, float], undecided: Undecided, results: Path | None, as_json: bool, **typed: Any
) -> None:
    """Evaluate the neighbors that a search returned, and check limits.

    IDS is a file with a row of ids for each test point of --data, nearest first: rows of --reference, or the ids in
    --ids-of; -1 where none was found. The exit code is 0 if every limit is met, 1 if one is broken.
    """
    from distbench.cli._checking import check_file_names, read_option
    from distbench.cli._results import limit_lines, report_document, write_files
    from distbench.evaluation.failure_message import failure_lines
    from distbench.evaluation.limits import limits_and_options
    from distbench.evaluation.neighbors import evaluate_neighbors
    from distbench.suites.check_flow import Check

    with common.running_user_code():
        files = {"ids": ids, **typed}
        for name in ("data", "reference"):
            if not typed[name] and not (name == "reference" and typed["distance_x"] == PRECOMPUTED):
                raise InputError(name, "not given", "give the file of the points")
        common.check_output(results, "--results", [Path(text) for text in (ids, typed["data"]) if text])
        data, reference, codes, stored, groups = (read_option(files, name) for name in POINTS)
        notes = check_file_names(typed)
        limits, options = limits_and_options({"metrics": typed["metrics"], **limits}, k=typed["k"][0], required=False)
        report = evaluate_neighbors(
            read_option(files, "ids"),
            data,
            reference,
            ids_of=read_option(files, "ids_of"),
            codes=None if codes is None else (codes, stored),
            k=typed["k"],
            groups=groups,
            name=typed["name"] or Path(ids).stem,
            distance_x=typed["distance_x"],
            distance_z=typed["distance_z"],
            confidence=typed["confidence"] or 0.95,
            **options,
        )
        report = replace(report, notes=(*notes, *report.notes))
        outcome = Check(encoder=report, limits=limits, undecided=undecided).run()
        limits = outcome.limits
        outcome.row_fields.update(dataset=Path(typed["data"]).name, data_sha256=report.fingerprint)
        message = failure_lines(report, outcome.broken, {}, report.code_size) if outcome.broken else []
        failure = "\n".join(message)
        lines = [*limit_lines(outcome, limits, undecided), *write_files(outcome, limits, None, results)]
        document = report_document(outcome, limits)
    document |= {"undecided": undecided, "met": not failure if limits else None, "failure": failure or None}
    text = "\n".join([str(report), *([""] if lines else []), *lines])
    common.print_verdict(text, failure, document if as_json else None)
    if failure:
        sys.exit(1)
