"""``distbench baselines``: list the encoders that come with distbench."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from distbench.cli._common import Command, errors_as_lines, json_option, width_option

if TYPE_CHECKING:
    from distbench.baselines import Recipe
    from distbench.cli._lists import Entry

__all__ = ["command"]


@click.command("baselines", cls=Command, examples=["distbench baselines"])
@json_option
@width_option
def command(as_json: bool, width: int | None) -> None:
    """List the baselines, encoders that come with distbench, and the packages they need.

    Their settings are the same on every data set, not tuned for yours.

    'distbench evaluate NAME --dataset digits --code-size 8' fits and evaluates one.
    """
    from distbench.baselines import BASELINES
    from distbench.cli._lists import print_list, usable

    with errors_as_lines():
        recipes, mistakes = usable(BASELINES)
        entries = [_entry(name, recipe) for name, recipe in recipes.items()]
    print_list("baselines", entries, mistakes, _lines, as_json, width)


def _entry(name: str, recipe: Recipe) -> dict[str, Any]:
    from distbench.cli._lists import is_installed

    needs = [recipe.requires] if recipe.requires else []
    needs += ["keras"] if _uses_keras(recipe) else []
    keys = ("summary", "deterministic", "in_sample_only")
    described = {key: getattr(recipe, key) for key in keys}
    return {
        "name": name,
        **described,
        "options": list(recipe.options),
        "needs": needs,
        "installed": is_installed(needs),
    }


def _uses_keras(recipe: Recipe) -> bool:
    """Return whether a recipe's code imports Keras, without running it."""
    from distbench.errors import InputError
    from distbench.suites.recipe_hash import sources

    try:
        code = sources(recipe.run.__module__)
    except InputError:  # the source of a package's recipe is missing
        return False
    return any(name.startswith("distbench.keras") or "import keras" in text for name, text in code.items())


def _lines(entry: Entry) -> list[str]:
    from distbench.cli._lists import needs_line

    return [
        entry["summary"],
        f"options: {', '.join(entry['options'])}" if entry["options"] else "",
        "the seed changes nothing" if entry["deterministic"] else "",
        "in sample only: no code for new points" if entry["in_sample_only"] else "",
        needs_line(entry),
    ]
