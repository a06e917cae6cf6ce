"""Tests over combinations of values, of which a few run always and the others nightly."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable
from typing import Any

import pytest

__all__ = ["over_all"]


def over_all(names: Iterable[str], *values: Iterable[Any], stand: Collection[tuple[Any, ...]]) -> pytest.MarkDecorator:
    """Parametrise a test over the product of values: the combinations in ``stand`` always run, the others nightly."""
    product = list(itertools.product(*values))
    assert set(stand) <= set(product), "a combination that is not in the product"
    return pytest.mark.parametrize(
        tuple(names),
        [pytest.param(*values, marks=[] if values in stand else [pytest.mark.nightly]) for values in product],
    )
