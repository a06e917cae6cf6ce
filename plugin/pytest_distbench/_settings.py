"""The options of a run, read once and checked."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from distbench._util.text import short_repr
from distbench.render.formats import FILES
from pytest_distbench._options import flag_of, from_ini, from_line, option_value

if TYPE_CHECKING:
    from distbench.results.gates import Gate

__all__ = ["Settings", "added_encoders", "settings_of"]


@dataclass(frozen=True)
class Settings:
    """The options of a run: the command line (``line_...``) wins over call and marker, these over the ini file."""

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

    @property
    def shows_pictures(self) -> bool:
        """Whether a report with pictures is asked for."""
        return any(kind == "html" for kind, _ in self.reports)

    @property
    def limits(self) -> dict[str, float]:
        """The limits of added encoders, for which no suite has limits."""
        return {**self.ini_limits, **self.line_limits}

    def undecided(self, own: str | None = None) -> str:
        """Return what becomes of an undecided limit; ``own`` is what the check's call says."""
        return self.line_undecided or own or self.ini_undecided or "value"

    def seed(self, own: int | None = None) -> int | None:
        """Return the training seed; ``own`` is the marker's. None where there is none."""
        return next((seed for seed in (self.line_seed, own, self.ini_seed) if seed is not None), None)


_SETTINGS: pytest.StashKey[Settings] = pytest.StashKey()
_ADDED: pytest.StashKey[tuple[tuple[str, str], ...]] = pytest.StashKey()


def settings_of(config: pytest.Config) -> Settings:
    """Return what the options say, checked on first use.

    Raises
    ------
    pytest.UsageError
        An option has a wrong value.
    """
    if _SETTINGS not in config.stash:
        config.stash[_SETTINGS] = _read(config)
    return config.stash[_SETTINGS]


def added_encoders(config: pytest.Config) -> tuple[tuple[str, str], ...]:
    """Return name and recipe of the encoders that are added to every suite.

    Raises
    ------
    pytest.UsageError
        One is not NAME=RECIPE, or a name is given twice.
    """
    if _ADDED not in config.stash:
        recipes: dict[str, str] = {}
        for text in option_value(config, "encoder"):
            name, _, recipe = (part.strip() for part in text.partition("="))
            if not name or not recipe:
                raise _wrong("encoder", text, "give NAME=module:object, such as mine=my_package.encoders:MyRecipe")
            if name in recipes:
                raise _wrong("encoder", text, f"{name!r} is given twice; give each encoder its own name")
            recipes[name] = recipe
        here = str(config.invocation_params.dir)
        if recipes and here not in sys.path:
            sys.path.append(here)  # as `python -m pytest` does: module:object is looked up here
        config.stash[_ADDED] = tuple(recipes.items())
    return config.stash[_ADDED]


def _read(config: pytest.Config) -> Settings:
    added_encoders(config)
    compare, gates = option_value(config, "compare"), option_value(config, "compare-fail")
    if gates and not compare:
        raise _wrong("compare-fail", gates[0], "say what to compare with: --distbench-compare PATH")
    folder = partial(_folder, config)
    return Settings(
        line_limits=_limits(from_line(config, "limit")),
        ini_limits=_limits(from_ini(config, "limit")),
        line_undecided=_undecided(from_line(config, "undecided")),
        ini_undecided=_undecided(from_ini(config, "undecided")),
        line_seed=_seed(from_line(config, "seed")),
        ini_seed=_seed(from_ini(config, "seed")),
        sort=_sort(option_value(config, "sort")),
        compare=folder("compare") / Path(compare).expanduser() if compare else None,
        gates=tuple(_gate(text) for text in gates),
        reports=tuple(_report(text, folder("report")) for text in option_value(config, "report")),
    )


def _folder(config: pytest.Config, name: str) -> Path:
    """Return what an option's path is relative to: the folder pytest was called in, or that of the ini file."""
    if from_line(config, name) or config.inipath is None:
        return config.invocation_params.dir
    return config.inipath.parent


def _wrong(name: str, found: object, hint: str) -> pytest.UsageError:
    return pytest.UsageError(f"{flag_of(name)}: found {short_repr(found)}; {hint}")


def _limits(texts: list[str] | None) -> dict[str, float]:
    if not texts:
        return {}
    from distbench.errors import InputError
    from distbench.inference.limits import read_limit

    limits: dict[str, float] = {}
    for text in texts:
        try:
            metric, limit = read_limit(text)
            limits[metric] = limit
        except InputError as error:
            raise pytest.UsageError(f"{flag_of('limit')} {text}: {error}") from None
        except ValueError:
            raise _wrong("limit", text, "give METRIC:VALUE, such as continuity:0.95") from None
    return limits


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


def _sort(text: str | None) -> str:
    if not text:
        return Settings.sort
    from distbench._util.text import did_you_mean
    from distbench.errors import InputError
    from distbench.metrics import METRICS

    try:
        if text in METRICS:
            return text
    except InputError as error:  # of a package that cannot be loaded
        raise _wrong("sort", text, str(error)) from None
    raise _wrong("sort", text, f"no metric is called that; {did_you_mean(text, METRICS)}")


def _gate(text: str) -> Gate:
    from distbench.errors import InputError
    from distbench.results.gates import parse_gate

    try:
        return parse_gate(text)
    except InputError as error:
        raise pytest.UsageError(f"{flag_of('compare-fail')} {text}: {error}") from None


def _report(text: str, here: Path) -> tuple[str, Path | None]:
    kind, _, path = (part.strip() for part in text.partition(":"))
    problem = _format_problem(kind)
    if problem:
        raise _wrong("report", text, problem)
    if kind == "github" and path:
        raise _wrong("report", text, "github goes to the job's summary page; write md:PATH for a file")
    path = path or FILES.get(kind, f"distbench.{kind}")
    return kind, here / Path(path).expanduser() if path else None


def _format_problem(kind: str) -> str:
    """Return why there is no report of that type; nothing where there is one."""
    if kind in FILES:
        return ""
    from distbench._util.text import did_you_mean
    from distbench.errors import InputError
    from distbench.render.formats import FORMATS

    try:
        return "" if kind in FORMATS else f"no report is called {kind!r}; {did_you_mean(kind, FORMATS)}"
    except InputError as error:
        return str(error)
