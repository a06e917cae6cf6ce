"""Parts that the commands share: errors of one line, types of options, printing of text and JSON."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout, suppress
from pathlib import Path
from typing import Any, get_args

import click

from distbench._util.text import plain_text
from distbench.cli._wording import error_text
from distbench.errors import DistbenchError, InputError
from distbench.inference.verdicts import Undecided

__all__ = [
    "INTERRUPTED",
    "NOT_A_FILE",
    "PATH",
    "CannotDo",
    "Command",
    "check_output",
    "document_text",
    "errors_as_lines",
    "json_option",
    "metric_name",
    "print_document",
    "print_text",
    "print_verdict",
    "running_user_code",
    "undecided_option",
    "width_option",
    "width_or_terminal",
]

MIN_WIDTH = 40  # characters
SCHEMA = 1
INTERRUPTED = 130  # exit code, the same as in shells, because 1 would mean that a limit is broken
NOT_A_FILE = (AttributeError, OSError, ValueError)
"""Errors of a stream that is closed, or that is not a file, for instance in tests."""


class CannotDo(click.ClickException):
    """An error of one line, with the exit code for wrong usage."""

    exit_code = 2


@contextmanager
def errors_as_lines() -> Iterator[None]:
    """Turn each error of distbench and of files into one line."""
    from distbench._util.files import os_problem

    try:
        yield
    except (DistbenchError, OSError) as error:
        if isinstance(error, OSError):
            text = os_problem(error)
        else:
            text = error_text(error) if isinstance(error, InputError) else str(error)
        raise CannotDo(plain_text(" ".join(text.split()))) from error


@contextmanager
def running_user_code() -> Iterator[None]:
    """Run a user's code: its errors become one line, its output goes to standard error, the folder is restored."""
    folder = Path.cwd()
    try:
        with _stdout_to_stderr(), redirect_stdout(sys.stderr), errors_as_lines():
            yield
    except click.ClickException:
        raise
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except BaseException as error:  # even sys.exit(0) of an encoder, which would mean that all limits are met
        from distbench._util.text import raised

        raise CannotDo(raised(error)) from error
    finally:
        with suppress(OSError):
            os.chdir(folder)


@contextmanager
def _stdout_to_stderr() -> Iterator[None]:
    """Redirect to standard error what libraries and other processes write to the descriptor of standard output."""
    stream = sys.stdout
    try:
        output = stream.fileno()
        stream.flush()
        copy_of_output = os.dup(output)
    except NOT_A_FILE:
        yield
        return
    try:
        _to_stderr(output)
        yield
    finally:
        with suppress(OSError, ValueError):
            stream.flush()
        with suppress(OSError):
            os.dup2(copy_of_output, output)
        os.close(copy_of_output)


def _to_stderr(output: int) -> None:
    with suppress(*NOT_A_FILE):
        os.dup2(sys.stderr.fileno(), output)


class Command(click.Command):
    """A command whose help ends with examples."""

    def __init__(self, *args: Any, examples: Sequence[str] = (), **options: Any) -> None:
        super().__init__(*args, **options)
        self.examples = tuple(examples)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples."""
        with formatter.section("Example" + "s" * (len(self.examples) > 1)):
            for line in self.examples:
                formatter.write(f"  {line}\n")


class _File(click.Path):
    """A path; a text that cannot be a path is wrong usage."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path."""
        try:
            return super().convert(value, param, ctx)
        except ValueError as error:  # it has a zero byte, or a single surrogate
            self.fail(f"{value!r} cannot be a path ({error})", param, ctx)


PATH = _File(path_type=Path)

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")
width_option = click.option("--width", type=click.IntRange(min=MIN_WIDTH), help="The number of characters in a line.")


def undecided_option(text: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return the option ``--undecided`` with this help."""
    choice = click.Choice(get_args(Undecided))
    return click.option("--undecided", default="value", show_default=True, type=choice, help=text)


def metric_name(context: click.Context, parameter: click.Parameter, value: str) -> str:
    """Return the name of the metric that an option has as its value."""
    from distbench.inference import limits

    try:
        return limits.metric_name(value)
    except InputError as error:
        raise click.BadParameter(str(error)) from None


def check_output(path: Path | None, option: str, inputs: Iterable[Path] = (), sign: str = "") -> None:
    """Raise an error for a file that could not be written, before anything is measured.

    It must not be one of the inputs, nor a file that does not begin with `sign`.
    """
    from distbench._util.files import is_stream, write_problem

    if path is None:
        return
    if str(path) == "-":
        raise CannotDo(f"{option}: found a file called -; write /dev/stdout for standard output, or name another file")
    if not is_stream(path) and os.path.realpath(path) in map(os.path.realpath, inputs):
        raise CannotDo(f"{option}: {path} is also read; name another file")
    if problem := write_problem(path, sign):
        raise CannotDo(f"{option}: {problem}")


def width_or_terminal(width: int | None) -> int:
    """Return `width` if it was given, else the width of the terminal."""
    from distbench.render.text import terminal_width

    return width or terminal_width()


def print_text(text: str, *, err: bool = False, is_page: bool = False, **style: Any) -> None:
    """Print lines that are made safe to print, or a page, which is; what the terminal lacks becomes question marks."""
    from distbench.render.text import encodable, printable

    color = False if os.environ.get("NO_COLOR") else None  # https://no-color.org
    text = (encodable if is_page else printable)(text, getattr(sys.stderr if err else sys.stdout, "encoding", None))
    click.echo(click.style(text, **style) if style else text, color=color, err=err)


def print_verdict(text: str, failure: str, document: Mapping[str, Any] | None) -> None:
    """Print a text and the failure, if any; or the document, if there is one."""
    if document is not None:
        print_document(document)
        return
    print_text(text)
    if failure:
        print_text("")
        print_text(failure, fg="red")


def document_text(document: Mapping[str, Any]) -> str:
    """Return a document as JSON, with ``schema`` first; numbers that JSON lacks become texts, such as ``"inf"``."""
    import json

    from distbench.results.file import json_number

    def plain(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {str(key): plain(part) for key, part in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [plain(part) for part in value]
        return json_number(value)

    # The text is ASCII, which every terminal can print; CI services would take ##[ for a command.
    return json.dumps(plain({"schema": SCHEMA, **document}), allow_nan=False, indent=1).replace("##", r"\u0023#")


def print_document(document: Mapping[str, Any]) -> None:
    """Print a document as JSON, and redirect later output, such as that of an encoder, to standard error."""
    click.echo(document_text(document))
    with suppress(*NOT_A_FILE):
        _to_stderr(sys.stdout.fileno())
