"""Leaderboards as JSON, for other programs."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from distbench.results.json_rows import json_number
from distbench.results.leaderboard import Leaderboard, LeaderboardRow

__all__ = ["render_json"]

SCHEMA = 1


def render_json(tables: Iterable[Leaderboard]) -> str:
    """Return leaderboards as JSON: ``{"schema": 1, "tables": [...]}``, each with its entries, best first.

    Parameters
    ----------
    tables : iterable of Leaderboard
        From :func:`distbench.results.leaderboard.leaderboard`.

    Returns
    -------
    str
        What JSON has no number for is text: ``"inf"``, ``"nan"``.
    """
    document = {"schema": SCHEMA, "tables": [_table(table) for table in tables]}
    return json.dumps(document, ensure_ascii=False, allow_nan=False, indent=1) + "\n"


def _table(table: Leaderboard) -> dict[str, Any]:
    return {**vars(table), "entries": [_entry(entry) for entry in table.entries]}


def _entry(entry: LeaderboardRow) -> dict[str, Any]:
    plain = {name: json_number(value) for name, value in vars(entry).items() if name != "estimate"}
    return plain | {"values": {name: json_number(value) for name, value in entry.values.items()}}
