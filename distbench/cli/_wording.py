"""Errors in the words of the command line: options in place of the arguments of functions."""

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
"""The option of each argument that has another name on the command line."""

IN_PROSE = re.compile(
    r"(?<![\w-])(?:(X_test|Z_test|X_reference|Z_reference)\b(?!\.\w|\()|(\w+)=(?:True\b|'(\w+)')?(?=[\s,.;:)]|$))"
)


def error_text(error: InputError) -> str:
    """Return an error with the options of the running command in place of arguments."""
    argument = ", ".join(_option(name) or name for name in error.argument.split(", "))
    return str(InputError(argument, with_options(error.found), with_options(error.advice)))


def with_options(text: str) -> str:
    """Return prose with options in place of arguments, written as ``X_test``, ``queries=`` or ``directions='data'``.

    Advice such as "pass queries= too" names other arguments than the one that an error is about, and so do notes.
    """
    return IN_PROSE.sub(_in_prose, text)


def _in_prose(match: re.Match[str]) -> str:
    option = _option(match[1] or match[2])
    return match[0] if option is None else f"{option} {match[3]}" if match[3] else option


def _option(argument: str) -> str | None:
    """Return the option of the running command that stands for an argument."""
    if argument in POINTS:
        return POINTS[argument]
    options = [parameter for parameter in click.get_current_context().command.params if parameter.name == argument]
    return options[0].opts[0] if options and options[0].opts[0].startswith("-") else None
