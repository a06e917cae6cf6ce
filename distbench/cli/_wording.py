"""Errors and notes on the command line: they name options instead of the arguments of functions."""

from __future__ import annotations

import re

import click

from distbench.errors import InputError

__all__ = ["error_text", "with_options"]

POINTS = {
    "X_test": "--data",
    "X": "--data",
    "Z_test": "--codes",
    "X_reference": "--reference",
    "Z_reference": "--reference-codes",
}
"""Options whose names differ from the names of their arguments."""

ARGUMENT_IN_TEXT = re.compile(
    r"(?<![\w-])(?:(X_test|Z_test|X_reference|Z_reference)\b(?!\.\w|\()|(\w+)=(?:True\b|'(\w+)')?(?=[\s,.;:)]|$))"
)


def error_text(error: InputError) -> str:
    """Return the text of an error; arguments are replaced by options of the running command."""
    argument = ", ".join(_option(name) or name for name in error.argument.split(", "))
    return str(InputError(argument, with_options(error.found), with_options(error.advice)))


def with_options(text: str) -> str:
    """Return a text in which options replace arguments such as ``X_test``, ``queries=`` or ``kind='data'``."""
    return ARGUMENT_IN_TEXT.sub(_as_option, text)


def _as_option(match: re.Match[str]) -> str:
    option = _option(match[1] or match[2])
    return match[0] if option is None else f"{option} {match[3]}" if match[3] else option


def _option(argument: str) -> str | None:
    """Return the option of the running command for an argument, if there is one."""
    if argument in POINTS:
        return POINTS[argument]
    options = [parameter for parameter in click.get_current_context().command.params if parameter.name == argument]
    return options[0].opts[0] if options and options[0].opts[0].startswith("-") else None
