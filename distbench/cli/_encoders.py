"""Encoders and recipes from their names on the command line."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import click

from distbench._util.imports import imported
from distbench.encoders.adapters import adapter_of_file
from distbench.encoders.resolve import FILES
from distbench.errors import InputError

__all__ = ["encoder_of", "named_object", "recipe_of"]

PYTHON_FILE = re.compile(r"(?:\./)?([\w/]+)\.py(?::(\w+))?")
HINT = "modules are searched for in this folder first; is it there?"


def encoder_of(text: str) -> Any:
    """Return an encoder: the path of a model file unchanged, or the object that ``module:name`` names."""
    from distbench.baselines import BASELINES

    as_file = PYTHON_FILE.fullmatch(text)
    if as_file and (Path(f"{as_file[1]}.py").exists() or not _names_object(text)):
        named = f"{'.'.join(Path(as_file[1]).parts)}:{as_file[2] or 'NAME'}"
        raise InputError("ENCODER", f"found {text!r}", f"give the module, not its file: {named}")
    if _names_object(text):
        return named_object(text)
    if text in BASELINES and not Path(text).exists():
        raise InputError("ENCODER", f"{text} is a recipe, which must be fitted", "give --dataset and --code-size too")
    if not Path(text).exists() and not Path(text).suffix:
        raise InputError("ENCODER", f"found {text!r}, which is no file", "give the file of a model, or module:name")
    if adapter_of_file(text) is None:
        raise InputError(
            "ENCODER",
            f"{text}: files that can be loaded are {FILES}",
            "load other files in your module, and give module:name",
        )
    return text


def recipe_of(text: str) -> Any:
    """Return a recipe: the name of a baseline unchanged, or the object that ``module:name`` names."""
    return named_object(text) if _names_object(text) else text


def _names_object(text: str) -> bool:
    module, colon, name = text.partition(":")
    words = [*module.split("."), *name.split(".")]
    return bool(colon) and all(map(str.isidentifier, words)) and not Path(text).exists()


def named_object(text: str, argument: str = "ENCODER") -> Any:
    """Return the object that ``module:name`` names; modules are searched for in the current folder first."""
    folder = str(Path.cwd())
    if folder not in sys.path:
        sys.path.insert(0, folder)
        path = sys.path  # removed again for tests, which run several commands in one process
        click.get_current_context().call_on_close(lambda: path.remove(folder) if folder in path else None)
    try:
        return imported(text, HINT)
    except InputError as error:
        raise InputError(argument, f"{text}: {error}") from error.__cause__
