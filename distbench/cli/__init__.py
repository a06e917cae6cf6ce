"""The command line. Each command is a module of this package, which is imported when the command runs."""

from __future__ import annotations

import importlib
import os
import sys
from collections import UserDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import click

from distbench import __version__
from distbench._util.text import did_you_mean
from distbench.cli._common import INTERRUPTED, NOT_A_FILE, CannotDo, Command

__all__ = ["main"]

COMMANDS = (
    "evaluate",
    "neighbors",
    "limits",
    "hunt",
    "leaderboard",
    "compare",
    "suites",
    "datasets",
    "baselines",
    "metrics",
)


@contextmanager
def _quiet_if_output_is_closed() -> Iterator[None]:
    """Exit without a message if the output is closed, for instance by ``| head``."""
    try:
        yield
    except BrokenPipeError:
        _discard_output()
        raise click.exceptions.Exit(CannotDo.exit_code) from None


def _discard_output() -> None:
    """Discard output that could not be printed, because the interpreter would try again when it ends."""
    with suppress(*NOT_A_FILE):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _show(error: BaseException) -> int:
    """Print an error to standard error, if that is open, and return the exit code."""
    from distbench._util.text import plain_text, raised
    from distbench.errors import MAX_PART, cut_middle

    if not isinstance(error, click.ClickException):
        error = CannotDo(" ".join((str(error) if isinstance(error, OSError) else raised(error)).split()))
    vars(error).update(message=cut_middle(plain_text(error.message), MAX_PART))  # it may have any text that was typed
    with suppress(*NOT_A_FILE):
        error.show()
    return error.exit_code


class _Modules(UserDict[str, click.Command]):
    """Commands by name; looking up a command imports its module."""

    def __getitem__(self, name: str) -> click.Command:
        command: click.Command = importlib.import_module(f"distbench.cli.{name}").command
        return command


class _Group(Command, click.Group):
    """A group that lists its commands in the order of ``COMMANDS``, and suggests one for an unknown name."""

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run a command; the exit code 1 always means that a limit is broken."""
        run: Callable[..., Any] = super().main
        if not extra.pop("standalone_mode", True):
            return run(*args, standalone_mode=False, **extra)
        try:
            code = run(*args, standalone_mode=False, **extra)
        except SystemExit:
            raise
        except click.Abort:
            code = INTERRUPTED
        except click.ClickException as error:
            code = _show(error)
        except BaseException as error:
            _discard_output()
            code = _show(error)
        sys.exit(code)

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        """Return the context of a command; this may print the help."""
        with _quiet_if_output_is_closed():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        with _quiet_if_output_is_closed():
            return super().invoke(ctx)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command with this name, or None."""
        return self.commands[cmd_name] if cmd_name in COMMANDS else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that the arguments name; suggest a similar name for an unknown one."""
        if args[0] not in COMMANDS and not args[0].startswith("-"):
            ctx.fail(f"no command is called {args[0]!r}; {did_you_mean(args[0], COMMANDS)}")
        return super().resolve_command(ctx, args)


@click.group(
    "distbench",
    cls=_Group,
    commands=_Modules(dict.fromkeys(COMMANDS, click.Command(None))),
    context_settings={"help_option_names": ["-h", "--help"]},
    examples=["distbench evaluate pca --dataset digits --code-size 8 --limit continuity:0.95"],
)
@click.version_option(__version__, prog_name="distbench")
def main() -> None:
    """Measure whether encoders keep close points close.

    The exit code is 0 if every limit is met, 1 if one is broken, and 2 if a command could not run. 'distbench evaluate
    --results PATH' and 'pytest --distbench-report json:PATH' write files of results.
    """
