"""``distbench metrics``: list the metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from distbench.cli._common import Command, errors_as_lines, json_option, width_option

if TYPE_CHECKING:
    from distbench.cli._lists import Entry
    from distbench.metrics import Metric

__all__ = ["command"]


@click.command("metrics", cls=Command, examples=["distbench metrics"])
@json_option
@width_option
def command(as_json: bool, width: int | None) -> None:
    """List the metrics: what each measures, its range, and which values are better.

    All can be limited with --limit NAME:VALUE. Those of neighbors may have their own number of neighbors, such as
    knn_recall@100.
    """
    from distbench.cli._lists import print_list, usable
    from distbench.metrics import METRICS

    with errors_as_lines():
        metrics, mistakes = usable(METRICS)
        entries = [_entry(name, metric) for name, metric in metrics.items()]
    print_list("metrics", entries, mistakes, _lines, as_json, width)


def _entry(name: str, metric: Metric) -> dict[str, Any]:
    from distbench import metrics

    described = ((getattr(metrics, name, None) or metric.measure).__doc__ or "").strip().removeprefix("Return ")
    return {
        "name": name,
        "summary": " ".join(f"{described[:1].upper()}{described[1:]}".split("\n\n")[0].split()),
        "better": "higher" if metric.direction == "up" else "lower",
        "range": list(metric.bounds),
        "default": metric.default,
        "at_k": metric.largest_k is not None,
        "scale_free": metric.scale_free,
        "has_interval": metric.has_interval,
    }


def _lines(entry: Entry) -> list[str]:
    low, high = entry["range"]
    facts = [
        f"{entry['better']} is better, from {low:g} to {high:g}",
        "depends on k" if entry["at_k"] else "",
        "" if entry["scale_free"] else "depends on the scale of the codes",
        "" if entry["has_interval"] else "no interval: a worst case",
        "in the default set" if entry["default"] else "",
    ]
    return [entry["summary"], "; ".join(filter(None, facts))]
