"""``distbench leaderboard``: the tables of files of results."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from distbench.cli._common import (
    PATH,
    CannotDo,
    Command,
    check_output,
    document_text,
    json_option,
    metric_name,
    print_text,
    told,
    width_option,
    width_or,
)

if TYPE_CHECKING:
    from distbench.results.leaderboard import Leaderboard
    from distbench.results.run import RunResults

__all__ = ["command", "rendered"]

FILE_WIDTH = 120
ENTRY = (
    *("place", "encoder", "values", "low", "high", "seed_sd", "seconds", "ran", "seeds", "code_width", "reason"),
    *("test", "in_sample", "note", "stored", "verdicts"),
)


@click.command(
    "leaderboard",
    cls=Command,
    examples=["distbench leaderboard results.json", "distbench leaderboard results.json --format md -o board.md"],
)
@click.argument("results", nargs=-1, required=True, type=PATH)
@click.option("--sort", default="continuity", metavar="METRIC", callback=metric_name, help="The metric that ranks.")
@click.option(
    "--format",
    "form",
    default="text",
    type=click.Choice(["text", "md", "html", "json"]),
    help="What to write.",
)
@json_option
@click.option("-o", "--output", type=PATH, help="A file to write to, in place of the terminal.")
@width_option
def command(
    results: tuple[Path, ...], sort: str, form: str, as_json: bool, output: Path | None, width: int | None
) -> None:
    """Print the leaderboards of files of results.

    Of an encoder that is in several files, judged in the same way on the same data, the last file counts. The rows
    that suites store in baselines/ can be read too.
    """
    from distbench._util.files import write_whole
    from distbench.results.file import read_results
    from distbench.results.merge import merge_results

    check_output(output, "--output")
    with told():
        outcome, notes = merge_results([(path, read_results(path)) for path in results], sort)
        if not outcome.rows:
            raise CannotDo(f"{', '.join(map(str, results))}: found no rows, so there is nothing to show")
        text = rendered(outcome, "json" if as_json else form, width or (FILE_WIDTH if output else width_or(None)))
        if output is not None:
            write_whole(output, text.rstrip("\n") + "\n")
    for note in notes:
        click.echo(f"note: {note}", err=True)
    if output is None:
        print_text(text)


def rendered(outcome: RunResults, form: str, width: int) -> str:
    """Return leaderboards as "text", "md", "html" or "json"."""
    if form == "md":
        from distbench.render.markdown import render_markdown

        return render_markdown(outcome)
    if form == "html":
        from distbench.render.html import render_html

        return render_html(outcome)
    if form == "json":
        from distbench.results.leaderboard import leaderboard

        return document_text({"tables": [_board(board) for board in leaderboard(outcome.rows, outcome.sort)]})
    from distbench.render.text import render_leaderboards

    return "\n\n".join(render_leaderboards(outcome.rows, outcome.sort, width))


def _board(board: Leaderboard) -> dict[str, Any]:
    entries = [{name: getattr(entry, name) for name in ENTRY} for entry in board.entries]
    return {**vars(board), "entries": entries}
