"""Tests over all combinations of some values, of which a few stand for the others in the runs of every change."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable
from typing import Any

import pytest

__all__ = ["over_all"]


def over_all(names: Iterable[str], *values: Iterable[Any], stand: Collection[tuple[Any, ...]]) -> pytest.MarkDecorator:
    """Parametrise a test over the product of values: the combinations in ``stand`` always run, the others nightly."""
    product = list(itertools.product(*values))
    assert all(each in product for each in stand), "what stands for the others must be one of them"
    return pytest.mark.parametrize(
        tuple(names),
        [pytest.param(*each, marks=[] if each in stand else [pytest.mark.nightly]) for each in product],
    )
