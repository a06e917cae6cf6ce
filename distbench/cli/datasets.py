"""``distbench datasets``: the data sets that ship with distbench."""

from __future__ import annotations

from typing import Any

import click

from distbench.cli._common import Command, json_option, print_document, print_text, told, width_option, width_or

__all__ = ["command"]


@click.command("datasets", cls=Command, examples=["distbench datasets"])
@json_option
@width_option
def command(as_json: bool, width: int | None) -> None:
    """List the data sets and what they need.

    What each is, where it comes from, and on what terms.

    Every fifth point of each is a test point. Own data: in a suite file, or as files of 'distbench evaluate --data'.
    """
    with told():
        found, wrong = _found()
    if as_json:
        print_document({"datasets": found, "mistakes": wrong})
        return
    from distbench.cli._lists import listing, need

    entries = [
        (
            one["name"],
            [
                one["summary"],
                f"source: {one['source']}",
                f"licence: {one['licence']}",
                need(one["needs"], one["installed"]),
            ],
        )
        for one in found
    ]
    print_text(listing(entries, width_or(width)))
    for mistake in wrong:
        click.echo(f"note: {mistake}", err=True)


def _found() -> tuple[list[dict[str, Any]], list[str]]:
    from distbench.cli._lists import is_installed, usable
    from distbench.datasets import DATASETS

    entries, wrong = usable(DATASETS)
    found = [
        {
            "name": name,
            "summary": entry.summary,
            "source": entry.source,
            "licence": entry.licence,
            "needs": [entry.requires] if entry.requires else [],
            "installed": not entry.requires or is_installed(entry.requires),
        }
        for name, entry in entries
    ]
    return found, wrong
