"""The options and their ini twins: one table.

Loaded by every run of pytest, so it imports nothing and makes no classes; ``_settings`` reads what the options say.

Every option on the command line implies ``--distbench``; an ini value alone does not. What both have is taken from the
command line; where a test's marker or call says something too, it stands between the two.
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
    "is_on",
    "option_value",
]

FLAG = "--distbench"
RETRAIN = "--distbench-retrain"
UPDATE = "--distbench-update"
MARKER = "dataset=, code_size=, limits=, k=, seed=, distance="
REASON = "needs --distbench"

OPTIONS = (
    ("", "flag", "", "run distbench tests and suite files (TOML with distbench = 1); they skip without it"),
    (
        "encoder",
        "values",
        "NAME=RECIPE",
        "fit a recipe of yours (module:object, or a baseline's name) on every selected suite, on its leaderboard under "
        "that name; can be repeated",
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
        "what becomes of a limit that the interval holds: the value alone decides (default), it fails, or it passes",
    ),
    ("sort", "value", "METRIC", "the metric that ranks the leaderboards (default: continuity)"),
    ("seed", "value", "N", "fit the recipes of tests, and those of --distbench-encoder, with this seed"),
    ("retrain", "flag", "", "fit anew what suites have stored rows of, and tell how far the new rows lie off"),
    ("update", "flag", "", "store what suites measure in baselines/ beside their files; fits the stale alone"),
    ("compare", "value", "PATH", "show what changed since the results of another run (json report)"),
    (
        "compare-fail",
        "values",
        "METRIC:CHANGE",
        "fail the run where an encoder is worse than in --distbench-compare by more than that: continuity:1%% or "
        "continuity:0.01; can be repeated",
    ),
    (
        "report",
        "values",
        "TYPE[:PATH]",
        "write the results too: json:PATH, md:PATH, html:PATH, term:PATH, github (the job's summary page), or a type "
        "that a package adds; can be repeated",
    ),
)
"""Name, kind ("flag"; "value", or "values" where it can be repeated), what stands for the value in the help, help."""

_INI: dict[str, tuple[Any, Any]] = {"flag": ("bool", False), "value": ("string", ""), "values": ("linelist", [])}


def flag_of(name: str) -> str:
    """Return an option as it is written on the command line."""
    return f"{FLAG}-{name}" if name else FLAG


def _ini_of(name: str) -> str:
    return flag_of(name).lstrip("-").replace("-", "_")


def add_options(parser: pytest.Parser) -> None:
    """Add every option and its ini twin."""
    group = parser.getgroup("distbench", "distbench: does close stay close? (any of these implies --distbench)")
    for name, kind, metavar, text in OPTIONS:
        if kind == "flag":
            group.addoption(flag_of(name), action="store_true", default=None, help=text)
        else:
            # Never nargs="?", which would take the path of a test for its value.
            action = "append" if kind == "values" else "store"
            group.addoption(flag_of(name), action=action, metavar=metavar, help=text)
        of_type, default = _INI[kind]
        parser.addini(_ini_of(name), f"as {flag_of(name)}", type=of_type, default=default)


def is_on(config: pytest.Config) -> bool:
    """Return whether distbench tests run: an option is on the command line, or ``distbench`` in the ini file."""
    return any(from_line(config, option[0]) for option in OPTIONS) or bool(config.getini("distbench"))


def option_value(config: pytest.Config, name: str) -> Any:
    """Return an option's value on the command line, else in the ini file; empty where it is in neither."""
    return from_line(config, name) or from_ini(config, name)


def from_line(config: pytest.Config, name: str) -> Any:
    """Return an option's value on the command line; None where it is not there."""
    return config.getoption(_ini_of(name))


def from_ini(config: pytest.Config, name: str) -> Any:
    """Return the value of an option's twin; empty where it is not there."""
    return config.getini(_ini_of(name))
