"""The options of a run, read once and checked."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import pytest

from distbench._util.text import did_you_mean, plain_name, short_repr, shortened
from distbench.errors import MAX_NAME, InputError
from distbench.render.formats import FILES, FORMATS
from pytest_distbench._options import flag_of, from_ini, from_line, option_value

if TYPE_CHECKING:
    from distbench.results.gates import Gate

__all__ = ["Settings", "settings_of"]

T = TypeVar("T")


@dataclass(frozen=True)
class Settings:
    """The options of a run. ``line_...`` are the command line's values, ``ini_...`` those of the ini file."""

    line_limits: dict[str, float] = field(default_factory=dict)
    ini_limits: dict[str, float] = field(default_factory=dict)
    line_undecided: str | None = None
    ini_undecided: str | None = None
    line_seed: int | None = None
    ini_seed: int | None = None
    sort: str = "continuity"
    compare: Path | None = None
    gates: tuple[Gate, ...] = ()
    reports: tuple[tuple[str, Path | None], ...] = ()
    encoders: tuple[tuple[str, str], ...] = ()
    silence: tuple[str, ...] = ()
    retrain: bool = False
    update: bool = False
    brief: bool = False
    suggest: bool = False

    @property
    def shows_pictures(self) -> bool:
        """Whether the run writes a report with pictures."""
        return any(kind == "html" for kind, _ in self.reports)

    def undecided(self, from_call: str | None = None) -> str:
        """Return how undecided limits are settled; the argument of a check's call wins over the ini file."""
        return self.line_undecided or from_call or self.ini_undecided or "value"

    def seed(self, from_marker: int | None = None) -> int | None:
        """Return the training seed, or None; a marker's seed wins over the ini file."""
        return next((seed for seed in (self.line_seed, from_marker, self.ini_seed) if seed is not None), None)


_SETTINGS: pytest.StashKey[Settings] = pytest.StashKey()


def settings_of(config: pytest.Config) -> Settings:
    """Return the options; on first use read and check them, and raise ``pytest.UsageError`` for a wrong value."""
    if _SETTINGS not in config.stash:
        config.stash[_SETTINGS] = _read(config)
    return config.stash[_SETTINGS]


def _read(config: pytest.Config) -> Settings:
    compare, gates, sort = (option_value(config, name) for name in ("compare", "compare-fail", "sort"))
    if gates and not compare:
        raise _wrong("compare-fail", gates[0], "add the results to compare with: --distbench-compare PATH")
    flag = flag_of("compare")
    if sum(str(argument).split("=")[0] == flag for argument in config.invocation_params.args) > 1:
        raise _wrong("compare", compare, "give one file; only the last one would be compared with")
    read_report = partial(_report, here=_folder(config, "report"))
    return Settings(
        line_limits=_limits(from_line(config, "limit")),
        ini_limits=_limits(from_ini(config, "limit")),
        line_undecided=_undecided(from_line(config, "undecided")),
        ini_undecided=_undecided(from_ini(config, "undecided")),
        line_seed=_seed(from_line(config, "seed")),
        ini_seed=_seed(from_ini(config, "seed")),
        sort=_sort(sort) if sort else Settings.sort,
        compare=_path("compare", _folder(config, "compare"), compare) if compare else None,
        gates=tuple(_gate(text) for text in gates),
        reports=tuple(_checked("report", read_report, text) for text in option_value(config, "report")),
        encoders=_encoders(config),
        silence=tuple(map(_code, option_value(config, "silence"))),
        retrain=bool(option_value(config, "retrain")),
        update=bool(option_value(config, "update")),
        brief=bool(option_value(config, "brief")),
        suggest=bool(option_value(config, "suggest-limits")),
    )


def _encoders(config: pytest.Config) -> tuple[tuple[str, str], ...]:
    """Return the names and recipes of the encoders that are added to every suite."""
    recipes: dict[str, str] = {}
    for text in option_value(config, "encoder"):
        name, _, recipe = (part.strip() for part in text.partition("="))
        if not name or not recipe:
            raise _wrong("encoder", text, "give NAME=module:object, such as mine=my_package.encoders:MyRecipe")
        if plain_name(name) != name:
            raise _wrong("encoder", text, f"give a name of at most {MAX_NAME} printable characters")
        if name in recipes:
            raise _wrong("encoder", text, f"the name {name!r} is given twice; give each encoder another name")
        recipes[name] = recipe
    here = str(config.invocation_params.dir)
    if recipes and here not in sys.path:
        sys.path.append(here)  # `python -m pytest` finds modules here too
    return tuple(recipes.items())


def _folder(config: pytest.Config, name: str) -> Path:
    """Return the folder that an option's path is relative to: where pytest was called, or where the ini file is."""
    if from_line(config, name) or config.inipath is None:
        return config.invocation_params.dir
    return config.inipath.parent


def _path(name: str, here: Path, text: str) -> Path:
    path = here / os.path.expanduser(text)  # noqa: PTH111 - a Path raises for a user that does not exist
    try:
        os.path.realpath(path).encode()
    except ValueError as error:  # it has a zero byte, or a single surrogate
        raise _wrong(name, text, f"it cannot be a path ({error})") from None
    return path


def _wrong(name: str, found: object, hint: str) -> pytest.UsageError:
    return pytest.UsageError(f"{flag_of(name)}: found {short_repr(found)}; {hint}")


def _checked(name: str, read: Callable[[str], T], text: str) -> T:
    """Return an option's text as `read` converts it; its errors name the option."""
    try:
        return read(text)
    except InputError as error:
        raise pytest.UsageError(shortened(f"{flag_of(name)} {text}: {error}")) from None


def _limits(texts: list[str] | None) -> dict[str, float]:
    if not texts:
        return {}
    from distbench.inference.limits import read_limit

    return dict(_checked("limit", read_limit, text) for text in texts)


def _undecided(text: str | None) -> str | None:
    if text and text not in ("value", "fail", "pass"):
        raise _wrong("undecided", text, "give value, fail or pass")
    return text or None


def _seed(text: str | None) -> int | None:
    if not text:
        return None
    if not (text.strip().isdecimal() and text.strip().isascii()):
        raise _wrong("seed", text, "give an integer from 0")
    return int(text)


def _code(text: str) -> str:
    from distbench._util.notes import CODES

    if text not in CODES:
        raise _wrong("silence", text, did_you_mean(text, CODES))
    return text


def _sort(text: str) -> str:
    from distbench.inference.limits import metric_name

    return _checked("sort", metric_name, text)


def _gate(text: str) -> Gate:
    from distbench.results.gates import parse_gate

    return _checked("compare-fail", parse_gate, text)


def _report(text: str, here: Path) -> tuple[str, Path | None]:
    kind, _, path = (part.strip() for part in text.partition(":"))
    if kind not in FORMATS:
        raise InputError(FORMATS.hint(kind))
    if kind == "github" and path:
        raise InputError("github goes to the job's summary page; write md:PATH for a file")
    if path == "-":
        raise InputError(
            f"found a file called -; write {kind}:/dev/stdout for standard output, or {kind}:./- for a file"
        )
    path = path or FILES.get(kind, f"distbench.{kind}")
    return kind, _path("report", here, path) if path else None
