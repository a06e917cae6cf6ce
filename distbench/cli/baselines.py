"""``distbench baselines``: the reference encoders that ship with distbench."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from distbench.cli._common import Command, json_option, print_document, print_text, told, width_option, width_or

if TYPE_CHECKING:
    from distbench.baselines import Recipe

__all__ = ["command"]

KERAS = "keras"


@click.command("baselines", cls=Command, examples=["distbench baselines"])
@json_option
@width_option
def command(as_json: bool, width: int | None) -> None:
    """List the reference encoders and what they need.

    Each is a recipe: 'distbench evaluate NAME --dataset digits --code-size 8' fits and judges it.
    """
    with told():
        found, wrong = _found()
    if as_json:
        print_document({"baselines": found, "mistakes": wrong})
        return
    from distbench.cli._lists import listing

    print_text(listing([(one["name"], _lines(one)) for one in found], width_or(width)))
    for mistake in wrong:
        click.echo(f"note: {mistake}", err=True)


def _found() -> tuple[list[dict[str, Any]], list[str]]:
    from distbench.baselines import BASELINES
    from distbench.cli._lists import usable

    entries, wrong = usable(BASELINES)
    return [_entry(name, recipe) for name, recipe in entries], wrong


def _entry(name: str, recipe: Recipe) -> dict[str, Any]:
    from distbench.cli._lists import is_installed

    needs = [*([recipe.requires] if recipe.requires else []), *([KERAS] if _is_network(recipe) else [])]
    return {
        "name": name,
        "summary": recipe.summary,
        "options": list(recipe.options),
        "deterministic": recipe.deterministic,
        "in_sample_only": recipe.in_sample_only,
        "needs": needs,
        "installed": all(map(is_installed, needs)),
    }


def _is_network(recipe: Recipe) -> bool:
    """Say whether a recipe's code uses Keras; none of it is run."""
    from distbench.errors import InputError
    from distbench.suites.recipe_hash import sources

    try:
        code = sources(recipe.run.__module__)
        return any(name.startswith("distbench.keras") or "import keras" in text for name, text in code.items())
    except InputError:  # no source to read, as of one that a package adds
        return False


def _lines(one: dict[str, Any]) -> list[str]:
    from distbench.cli._lists import need

    return [
        one["summary"],
        f"options: {', '.join(one['options'])}" if one["options"] else "",
        "the seed changes nothing" if one["deterministic"] else "",
        "in sample only: no code for new points" if one["in_sample_only"] else "",
        need(one["needs"], one["installed"]),
    ]
