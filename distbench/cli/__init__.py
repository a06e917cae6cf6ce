"""The command line. Each command is a module of this package, imported when it is asked for."""

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
from distbench.cli._common import INTERRUPTED, CannotDo, Examples

__all__ = ["main"]

COMMANDS = ("evaluate", "hunt", "leaderboard", "compare", "suites", "datasets", "baselines")


@contextmanager
def _read_on() -> Iterator[None]:
    """End quietly where nobody reads on, as with ``| head``; click's own exit code for it is 1."""
    try:
        yield
    except BrokenPipeError:
        _close_output()
        raise click.exceptions.Exit(CannotDo.exit_code) from None


def _close_output() -> None:
    """Let what could not be printed go, or the interpreter tries again as it ends."""
    with suppress(AttributeError, OSError, ValueError):  # no real file, as in tests, or none at all
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _tell(error: BaseException) -> int:
    """Say on standard error what went wrong, if it is there; return the exit code."""
    from distbench._util.text import raised

    if not isinstance(error, click.ClickException):
        error = CannotDo(" ".join((str(error) if isinstance(error, OSError) else raised(error)).split()))
    with suppress(AttributeError, OSError, ValueError):
        error.show()
    return error.exit_code


class _Modules(UserDict[str, click.Command]):
    """Commands by the names of their modules, which are imported when a command is looked up; no value is kept."""

    def __getitem__(self, name: str) -> click.Command:
        command: click.Command = importlib.import_module(f"distbench.cli.{name}").command
        return command


class _Group(Examples, click.Group):
    """Lists its commands in their order, and says which one was probably meant."""

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run a command; whatever becomes of it, 1 says that a limit is broken and nothing else."""
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
            code = _tell(error)
        except BaseException as error:
            _close_output()
            code = _tell(error)
        sys.exit(code)

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        """Return the context of a command; it may print the help."""
        with _read_on():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        with _read_on():
            return super().invoke(ctx)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands: first what judges, then what shows."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of that name, if there is one."""
        return self.commands[cmd_name] if cmd_name in COMMANDS else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that is asked for; say which one was probably meant."""
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
    """Say whether encoders keep close points close.

    Commands that judge exit with 0 where every limit is met, 1 where one is broken, and 2 where they could not judge.
    Results are what 'distbench evaluate --results PATH' and 'pytest --distbench-report json:PATH' write.
    """
