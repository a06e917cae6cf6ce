"""``distbench.hunt`` inside a test: limits on what is found, and a record like that of a check."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pytest

from distbench.errors import InputError, PreservationError
from pytest_distbench._checks import name_of
from pytest_distbench._record import CheckRecord, record_of
from pytest_distbench._session import rerun_line

if TYPE_CHECKING:
    from distbench.hunting import Hunt

__all__ = ["hunted"]


def hunted(
    item: pytest.Item, encoder: Any, X_test: Any, limits: Mapping[str, float | None], options: dict[str, Any]
) -> Hunt:
    """Hunt, and hold what is found to limits.

    Parameters
    ----------
    item : pytest.Item
        The test.
    encoder, X_test
        As for :func:`distbench.hunt`.
    limits : mapping of str to float or None
        On expansion and contraction; None where there is none.
    options : dict
        For :func:`distbench.hunt`.

    Raises
    ------
    PreservationError
        A limit is broken.
    InputError
        An option, a limit or the points cannot be used, or there is no limit.
    """
    import distbench
    from distbench.hunting import checked_limits

    _check_options(options)
    asked = checked_limits(**limits)
    name = options.pop("name", None) or name_of(item, encoder)
    hunt = distbench.hunt(encoder, X_test, name=name, **options)
    broken = hunt.broken(**asked)
    _note(item, hunt, asked, broken)
    if broken:
        try:
            hunt.check(**asked)
        except PreservationError as error:
            raise PreservationError(f"{error}\n{rerun_line(item)}") from None
    return hunt


def _check_options(options: Mapping[str, Any]) -> None:
    import distbench
    from distbench._util.text import did_you_mean
    from distbench.metrics import METRICS

    known = [name for name in inspect.signature(distbench.hunt).parameters if name not in ("encoder", "X")]
    for name in options:
        if name in METRICS:
            raise InputError(name, "found a limit that hunts do not take", "pass expansion=, contraction= or both")
        if name not in known:
            raise InputError(name, "found no option of that name", did_you_mean(name, known))


def _note(item: pytest.Item, hunt: Hunt, limits: Mapping[str, float], broken: Mapping[str, float]) -> None:
    """Keep whether the limits hold, for the end of the run and for JUnit files."""
    verdicts = {name: "broken" if name in broken else "met" for name in limits}
    check = CheckRecord(test=item.nodeid, encoder=hunt.encoder, passed=not broken, verdicts=verdicts)
    record_of(item).checks.append(check)
    for metric, limit in limits.items():
        name = f"distbench.{hunt.encoder}.hunt.{metric}"
        values = (("", float(getattr(hunt, metric))), (".limit", float(limit)), (".verdict", verdicts[metric]))
        item.user_properties += [(f"{name}{part}", value) for part, value in values]
