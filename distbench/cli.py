"""The command line: leaderboards of results files, and what changed between two of them."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from distbench._version import __version__
from distbench.errors import DistbenchError
from distbench.inference.verdicts import Undecided

if TYPE_CHECKING:
    from distbench.outcome import Outcome
    from distbench.regression import Gate

__all__ = ["main"]

LEAST_WIDTH = 40  # some CI systems report a width of 1
WIDTH = 80
FILE_WIDTH = 120
WIDER = "only the first are listed; with a larger --width their lines have room for intervals"


class CannotDo(click.ClickException):
    """What a user must change: one line, and the exit code of wrong usage."""

    exit_code = 2


@contextmanager
def _told() -> Iterator[None]:
    """Turn errors into one line each."""
    try:
        yield
    except (DistbenchError, OSError) as error:
        raise CannotDo(" ".join(str(error).split())) from error


class _File(click.Path):
    """A path; what no file can be called is wrong usage."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path."""
        try:
            return super().convert(value, param, ctx)
        except ValueError as error:  # a zero byte, or half of a pair of surrogates
            self.fail(f"{value!r} can be no path ({error})", param, ctx)


PATH = _File(path_type=Path)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="distbench")
def main() -> None:
    """Show stored results of tests of encoders: who keeps close points close.

    Results are what 'pytest --distbench --distbench-report json:PATH' writes; the rows that suites store in
    baselines/ can be read too. Encoders are judged by 'pytest --distbench'.
    """


def _metric(context: click.Context, parameter: click.Parameter, value: str) -> str:
    from distbench.limits import near_miss
    from distbench.metrics import METRICS

    if value not in METRICS:
        raise click.BadParameter(f"no metric is called {value!r}; {near_miss(value, METRICS)}")
    return value


@main.command()
@click.argument("results", nargs=-1, required=True, type=PATH)
@click.option("--sort", default="continuity", metavar="METRIC", callback=_metric, help="The metric that ranks.")
@click.option(
    "--format", "form", default="text", type=click.Choice(["text", "md", "html", "json"]), help="What to write."
)
@click.option("-o", "--output", type=PATH, help="A file to write to, in place of the terminal.")
@click.option("--width", type=click.IntRange(min=LEAST_WIDTH), help="Characters a line of text may have.")
def leaderboard(results: tuple[Path, ...], sort: str, form: str, output: Path | None, width: int | None) -> None:
    """Print the leaderboards of one or more files of results.

    Of an encoder that is in several files, judged in the same way on the same data, the last file counts.
    """
    from distbench.files import write_whole
    from distbench.merging import merge_results
    from distbench.results_file import read_results

    with _told():
        outcome, notes = merge_results([(path, read_results(path)) for path in results], sort)
        if not outcome.rows:
            raise CannotDo(f"{', '.join(map(str, results))}: found no rows, so there is nothing to show")
        text = _rendered(outcome, form, width or (FILE_WIDTH if output else _terminal()))
        if output is not None:
            write_whole(output, text.rstrip("\n") + "\n")
    for note in notes:
        click.echo(f"note: {note}", err=True)
    if output is None:
        _print(text)


def _rendered(outcome: Outcome, form: str, width: int) -> str:
    from distbench.leaderboard import leaderboard as ranked

    if form == "md":
        from distbench.render.markdown import render_markdown

        return render_markdown(outcome)
    if form == "html":
        from distbench.render.html import render_html

        return render_html(outcome)
    if form == "json":
        from distbench.render.plain import render_json

        return render_json(ranked(outcome.rows, outcome.sort))
    from distbench.render.text import render_checks, render_table

    tables = ranked(outcome.rows, outcome.sort)
    alone = [table for table in tables if table.stands_alone]
    blocks = [render_table(table, width) for table in tables if table not in alone]
    return "\n\n".join([*blocks, *([render_checks(alone, width)] if alone else [])])


def _gates(context: click.Context, parameter: click.Parameter, texts: Sequence[str]) -> tuple[Gate, ...]:
    from distbench.errors import InputError
    from distbench.regression import parse_gate

    try:
        return tuple(map(parse_gate, texts))
    except InputError as error:
        raise click.BadParameter(str(error)) from error


@main.command()
@click.argument("before", type=PATH)
@click.argument("now", type=PATH)
@click.option(
    "--fail",
    "gates",
    multiple=True,
    metavar="METRIC:CHANGE",
    callback=_gates,
    help="Exit with 1 where an encoder is worse by more: continuity:1% or continuity:0.01. Can be repeated.",
)
@click.option(
    "--undecided",
    default="value",
    type=click.Choice(get_args(Undecided)),
    help="What becomes of a worsening whose interval holds the threshold.",
)
@click.option("--width", type=click.IntRange(min=LEAST_WIDTH), help="Characters a line may have.")
def compare(before: Path, now: Path, gates: tuple[Gate, ...], undecided: Undecided, width: int | None) -> None:
    """Print what changed from the results in BEFORE to those in NOW."""
    from distbench.regression import broken_gates, compare_rows
    from distbench.render.changes import render_changes
    from distbench.results_file import read_results

    with _told():
        comparison = compare_rows(read_results(before).rows, read_results(now).rows, source=str(before))
    _print(render_changes(comparison, width or _terminal(), rest=WIDER))
    broken = broken_gates(comparison, gates, undecided)
    if broken:
        _print("")
        _print("\n".join(broken), styled=lambda text: click.style(text, fg="red", bold=True))
        sys.exit(1)


def _terminal() -> int:
    width = shutil.get_terminal_size().columns
    return width if width >= LEAST_WIDTH else WIDTH


def _print(text: str, styled: Callable[[str], str] = str) -> None:
    from distbench.render.text import printable

    click.echo(styled(printable(text, sys.stdout.encoding)))
