"""``distbench datasets``: list the data sets of distbench."""

from __future__ import annotations

import click

from distbench.cli._common import Command, errors_as_lines, json_option, width_option

__all__ = ["command"]


@click.command("datasets", cls=Command, examples=["distbench datasets"])
@json_option
@width_option
def command(as_json: bool, width: int | None) -> None:
    """List the data sets with source, licence and the packages they need.

    Every fifth point is a test point. To use your own data, name them in a suite file, or pass them to 'distbench
    evaluate --data'.
    """
    from distbench.cli._lists import Entry, is_installed, needs_line, print_list, usable
    from distbench.datasets import DATASETS

    def lines_of(entry: Entry) -> list[str]:
        return [entry["summary"], f"source: {entry['source']}", f"licence: {entry['licence']}", needs_line(entry)]

    with errors_as_lines():
        datasets, mistakes = usable(DATASETS)
    entries = []
    for name, dataset in datasets.items():
        needs = [dataset.requires] if dataset.requires else []
        described = {"summary": dataset.summary, "source": dataset.source, "licence": dataset.licence}
        entries.append({"name": name, **described, "needs": needs, "installed": is_installed(needs)})
    print_list("datasets", entries, mistakes, lines_of, as_json, width)
