"""``distbench leaderboard``: print or write the leaderboards of files of results."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from distbench.cli import _common as common
from distbench.cli._common import PATH, CannotDo, json_option, width_option

if TYPE_CHECKING:
    from distbench.results.leaderboard import Leaderboard
    from distbench.results.run import RunResults

__all__ = ["command", "rendered"]

FILE_WIDTH = 120
JSON_SIGN = '"schema": 1,\n "tables": ['
ENTRY = (
    *("place", "encoder", "values", "low", "high", "seed_sd", "seconds", "ran", "seeds", "code_width", "reason"),
    *("code_bytes", "point_bytes"),
    *("test", "in_sample", "note", "stored", "verdicts"),
)


@click.command(
    "leaderboard",
    cls=common.Command,
    examples=["distbench leaderboard results.json", "distbench leaderboard results.json --format md -o board.md"],
)
@click.argument("results", nargs=-1, required=True, type=PATH)
@click.option(
    "--sort", default="continuity", metavar="METRIC", callback=common.metric_name, help="Rank encoders by this metric."
)
@click.option(
    "--format",
    "form",
    default="text",
    type=click.Choice(["text", "md", "html", "json"]),
    help="The format of the output.",
)
@json_option
@click.option("-o", "--output", type=PATH, help="Write to this file instead of the terminal.")
@width_option
def command(
    results: tuple[Path, ...], sort: str, form: str, as_json: bool, output: Path | None, width: int | None
) -> None:
    """Print the leaderboards of files of results.

    If several files have rows of an encoder in the same setting on the same data, the rows of the last file are shown.
    The files that suites store in baselines/ can be read too.
    """
    from distbench._util.files import write_whole
    from distbench.render.formats import SIGNS
    from distbench.results.file import read_results
    from distbench.results.merge import merge_results

    form = "json" if as_json else form
    sign = {"text": SIGNS["term"], "json": JSON_SIGN}.get(form) or SIGNS[form]
    common.check_output(output, "--output", results, sign)
    with common.errors_as_lines():
        run, notes = merge_results([(path, read_results(path)) for path in results], sort)
        if not run.rows:
            raise CannotDo(f"{', '.join(map(str, results))}: found no rows; give files with results")
        text = rendered(run, form, width or (FILE_WIDTH if output else common.width_or_terminal(None)))
        if output is not None:
            head = f"{sign}\n" if form == "text" else ""
            write_whole(output, f"{head}{text.rstrip()}\n")
    for note in notes:
        common.print_text(f"note: {note}", err=True)
    if output is None:
        common.print_text(text, is_page=form != "text")


def rendered(run: RunResults, form: str, width: int) -> str:
    """Return leaderboards in a form: "text", "md", "html" or "json"."""
    if form == "md":
        from distbench.render.markdown import render_markdown

        return render_markdown(run)
    if form == "html":
        from distbench.render.html import render_html

        return render_html(run)
    if form == "json":
        from distbench.results.leaderboard import leaderboard

        return common.document_text({"tables": [_board(board) for board in leaderboard(run.rows, run.sort)]})
    from distbench.render.text import render_leaderboards

    return "\n\n".join(render_leaderboards(run.rows, run.sort, width))


def _board(board: Leaderboard) -> dict[str, Any]:
    entries = [{name: getattr(entry, name) for name in ENTRY} for entry in board.entries]
    return {**vars(board), "entries": entries}
