"""What the commands share: errors as one line, kinds of arguments, and how text and JSON are printed."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout, suppress
from pathlib import Path
from typing import Any

import click

from distbench.cli._wording import as_typed
from distbench.errors import DistbenchError, InputError

__all__ = [
    "INTERRUPTED",
    "PATH",
    "CannotDo",
    "Command",
    "Examples",
    "check_output",
    "document_text",
    "json_option",
    "metric_name",
    "print_document",
    "print_text",
    "running",
    "told",
    "width_option",
    "width_or",
]

LEAST_WIDTH = 40  # some CI systems report a width of 1
WIDTH = 80
SCHEMA = 1
INTERRUPTED = 130  # as shells have it: 1 would say that a limit is broken


class CannotDo(click.ClickException):
    """What a user must change: one line, and the exit code of wrong usage."""

    exit_code = 2


@contextmanager
def told() -> Iterator[None]:
    """Turn the errors of distbench and of files into one line each."""
    try:
        yield
    except (DistbenchError, OSError) as error:
        said = as_typed(str(error)) if isinstance(error, InputError) else str(error)
        raise CannotDo(" ".join(said.split())) from error


@contextmanager
def running() -> Iterator[None]:
    """Run code of a user's: whatever it raises is one line, and what it prints is no part of the output.

    A folder that it changes to is left again.
    """
    here = Path.cwd()
    try:
        with _aside(), redirect_stdout(sys.stderr), told():
            yield
    except click.ClickException:
        raise
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except BaseException as error:  # sys.exit(0) of an encoder would say that all limits are met
        from distbench._util.text import raised

        raise CannotDo(raised(error)) from error
    finally:
        with suppress(OSError):
            os.chdir(here)


@contextmanager
def _aside() -> Iterator[None]:
    """Send to standard error what is written to standard output past Python: by libraries, and by other processes."""
    stream = sys.stdout
    try:
        output = stream.fileno()
        stream.flush()
        kept = os.dup(output)
    except (AttributeError, OSError, ValueError):  # there is none, or none with a number, as in tests
        yield
        return
    try:
        _to_stderr(output)
        yield
    finally:
        with suppress(OSError, ValueError):
            stream.flush()
        with suppress(OSError):
            os.dup2(kept, output)
        os.close(kept)


def _to_stderr(output: int) -> None:
    with suppress(AttributeError, OSError, ValueError):
        os.dup2(sys.stderr.fileno(), output)


class Examples(click.Command):
    """A command whose help ends with examples, one a line, as they are typed."""

    def __init__(self, *args: Any, examples: Sequence[str] = (), **options: Any) -> None:
        super().__init__(*args, **options)
        self.examples = tuple(examples)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples."""
        with formatter.section("Example" + "s" * (len(self.examples) > 1)):
            for line in self.examples:
                formatter.write(f"  {line}\n")


class Command(Examples):
    """A command with examples; for ``click.command(cls=Command, examples=...)``."""


class _File(click.Path):
    """A path; what no file can be called is wrong usage."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path."""
        try:
            return super().convert(value, param, ctx)
        except ValueError as error:  # a zero byte, or half of a pair of surrogates
            self.fail(f"{value!r} can be no path ({error})", param, ctx)


PATH = _File(path_type=Path)

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document in place of text.")
width_option = click.option("--width", type=click.IntRange(min=LEAST_WIDTH), help="Characters a line may have.")


def metric_name(context: click.Context, parameter: click.Parameter, value: str) -> str:
    """Return the name of a metric, as a callback of an option."""
    from distbench._util.text import did_you_mean
    from distbench.metrics import METRICS

    try:
        known = value in METRICS
    except InputError as error:  # of a package that is broken
        raise click.BadParameter(str(error)) from None
    if not known:
        raise click.BadParameter(f"no metric is called {value!r}; {did_you_mean(value, METRICS)}")
    return value


def check_output(path: Path | None, option: str) -> None:
    """Refuse a file that could not be written, before anything is measured for it."""
    if path is None:
        return
    if path.is_dir():
        raise CannotDo(f"{option}: {path} is a folder; name a file")
    folder = next(folder for folder in path.absolute().parents if folder.exists())
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        raise CannotDo(f"{option}: {folder} cannot be written to; name another path")


def width_or(width: int | None) -> int:
    """Return the width that is asked for, else the terminal's, else 80."""
    found = width or shutil.get_terminal_size().columns
    return found if found >= LEAST_WIDTH else WIDTH


def print_text(text: str, styled: Callable[[str], str] = str) -> None:
    """Print a text; what the terminal has no sign for becomes a question mark."""
    from distbench.render.text import printable

    color = False if os.environ.get("NO_COLOR") else None  # https://no-color.org
    click.echo(styled(printable(text, getattr(sys.stdout, "encoding", None))), color=color)


def document_text(document: Mapping[str, Any]) -> str:
    """Return a document as JSON: ``schema`` first; what JSON has no number for is text, such as ``"inf"``."""
    import json

    from distbench.results.json_rows import json_number

    def plain(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {str(key): plain(one) for key, one in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [plain(one) for one in value]
        return json_number(value)

    # In ASCII, for any terminal.
    return json.dumps(plain({"schema": SCHEMA, **document}), allow_nan=False, indent=1)


def print_document(document: Mapping[str, Any]) -> None:
    """Print a document as JSON: it is all of the output, whatever an encoder prints at the end."""
    click.echo(document_text(document))
    with suppress(AttributeError, OSError, ValueError):
        _to_stderr(sys.stdout.fileno())
