"""The table of options, each of which can be set in the ini file too; ``_settings`` reads and checks their values.

Every run of pytest loads this module, so it imports nothing and makes no classes.

Every option on the command line implies ``--distbench``; an ini value alone does not. The command line wins over the
arguments of a test's marker or call, and these win over the ini file.
"""

from __future__ import annotations

import pytest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = [
    "FLAG",
    "MARKER",
    "REASON",
    "RETRAIN",
    "UPDATE",
    "add_options",
    "flag_of",
    "from_ini",
    "from_line",
    "ini_of",
    "is_on",
    "option_value",
]

FLAG = "--distbench"
RETRAIN = "--distbench-retrain"
UPDATE = "--distbench-update"
MARKER = "dataset=, code_size=, limits=, k=, seed=, distance="
REASON = "needs --distbench"

OPTIONS = (
    ("", "flag", "", "run distbench tests and suite files (TOML with distbench = 1), which skip without it"),
    (
        "encoder",
        "values",
        "NAME=RECIPE",
        "add an encoder to every selected suite and its leaderboard: fit this recipe (module:object, or a baseline's "
        "name) under this name; can be repeated",
    ),
    (
        "limit",
        "values",
        "METRIC:VALUE",
        "a limit for every check in a test and every encoder added with --distbench-encoder, such as continuity:0.95; "
        "can be repeated",
    ),
    (
        "undecided",
        "value",
        "value|fail|pass",
        "decide a limit inside the 95 %% interval by the value alone (default), or let it fail or pass",
    ),
    (
        "brief",
        "flag",
        "",
        "a short summary: five encoders of each leaderboard, and only claims that are not as expected",
    ),
    (
        "suggest-limits",
        "flag",
        "",
        "propose limits for what tests check or evaluate: two half widths of the interval off the value",
    ),
    ("sort", "value", "METRIC", "the metric that ranks the leaderboards (default: continuity)"),
    ("seed", "value", "N", "fit the recipes of tests, and those of --distbench-encoder, with this seed"),
    ("silence", "values", "CODE", "leave out the notes of this kind: a code in brackets after a note; can be repeated"),
    ("retrain", "flag", "", "fit again the encoders that have stored rows, and show how far the new rows differ"),
    (
        "update",
        "flag",
        "",
        "fit encoders whose stored rows are missing or stale; store rows in baselines/ beside suites",
    ),
    ("compare", "value", "PATH", "show what changed since the results of another run (json report)"),
    (
        "compare-fail",
        "values",
        "METRIC:CHANGE",
        "fail the run if an encoder is worse than in --distbench-compare by more than CHANGE, or missing: "
        "continuity:25%% or continuity:0.01; can be repeated",
    ),
    (
        "report",
        "values",
        "TYPE[:PATH]",
        "also write the results: json:PATH, md:PATH, html:PATH, term:PATH, github (the job's summary page), or a type "
        "that a package adds; can be repeated",
    ),
)
"""Name, kind ("flag"; "value", or "values" for an option that can be repeated), metavar, help."""

_INI: dict[str, tuple[Any, Any]] = {"flag": ("bool", False), "value": ("string", ""), "values": ("linelist", [])}


def flag_of(name: str) -> str:
    """Return an option as it is written on the command line."""
    return f"{FLAG}-{name}" if name else FLAG


def ini_of(name: str) -> str:
    """Return an option as it is written in the ini file."""
    return flag_of(name).lstrip("-").replace("-", "_")


def add_options(parser: pytest.Parser) -> None:
    """Add every option and its ini value."""
    group = parser.getgroup("distbench", "distbench: does close stay close? (any of these implies --distbench)")
    for name, kind, metavar, text in OPTIONS:
        if kind == "flag":
            group.addoption(flag_of(name), action="store_true", default=None, help=text)
        else:
            # Never nargs="?", which would take the path of a test for its value.
            action = "append" if kind == "values" else "store"
            group.addoption(flag_of(name), action=action, metavar=metavar, help=text)
        ini_type, default = _INI[kind]
        parser.addini(ini_of(name), f"as {flag_of(name)}", type=ini_type, default=default)


def is_on(config: pytest.Config) -> bool:
    """Return whether distbench tests run: an option is on the command line, or ``distbench`` in the ini file."""
    return any(from_line(config, option[0]) for option in OPTIONS) or bool(config.getini("distbench"))


def option_value(config: pytest.Config, name: str) -> Any:
    """Return an option's value on the command line, else in the ini file; empty if it is in neither."""
    return from_line(config, name) or from_ini(config, name)


def from_line(config: pytest.Config, name: str) -> Any:
    """Return an option's value on the command line, or None."""
    return config.getoption(ini_of(name))


def from_ini(config: pytest.Config, name: str) -> Any:
    """Return an option's value in the ini file, or an empty one."""
    return config.getini(ini_of(name))
