"""``distbench.hunt`` in a test, with limits that are recorded as a check."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pytest

from distbench.errors import InputError, PreservationError
from pytest_distbench._checks import name_of
from pytest_distbench._record import CheckRecord, record_limits
from pytest_distbench._session import node_id, rerun_line

if TYPE_CHECKING:
    from distbench.hunting import Hunt

__all__ = ["checked_hunt"]


def checked_hunt(
    item: pytest.Item, encoder: Any, X_test: Any, limits: Mapping[str, float | None], options: dict[str, Any]
) -> Hunt:
    """Hunt in a test, and check limits on ``expansion`` and ``contraction``, of which one may be None.

    Raises what ``DistbenchFixture.hunt`` raises.
    """
    import distbench
    from distbench.hunting import checked_limits

    _check_options(options)
    checked = checked_limits(**limits)
    name = options.pop("name", None) or name_of(item, encoder)
    hunt = distbench.hunt(encoder, X_test, name=name, **options)
    broken = hunt.broken(**checked)
    verdicts = {metric: "broken" if metric in broken else "met" for metric in checked}
    check = CheckRecord(test=node_id(item), encoder=hunt.encoder, passed=not broken, verdicts=verdicts)
    values = {metric: getattr(hunt, metric) for metric in checked}
    record_limits(item, check, f"{hunt.encoder}.hunt", values, checked)
    try:
        return hunt.check(**checked)
    except PreservationError as error:
        raise PreservationError(f"{error}\n{rerun_line(item)}") from None


def _check_options(options: Mapping[str, Any]) -> None:
    import distbench
    from distbench._util.text import did_you_mean
    from distbench.metrics import METRICS

    known = [name for name in inspect.signature(distbench.hunt).parameters if name not in ("encoder", "X")]
    for name in options:
        if name in METRICS:
            raise InputError(name, "is not a limit of hunts", "pass expansion=, contraction= or both")
        if name not in known:
            raise InputError(name, "is not an option of hunts", did_you_mean(name, known))
