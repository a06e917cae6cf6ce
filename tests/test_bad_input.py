"""Whatever a user passes by mistake is told in one line: which argument, what was found, what to do."""

from __future__ import annotations

import warnings

import pytest
from bad_input_cases import CASES

MOST = 300  # characters of a line
MOST_NAMES = 450  # of one that lists every name there is


def check_message(error: BaseException, words: tuple[str, ...]) -> None:
    message = str(error)
    assert "\n" not in message
    assert len(message) <= (MOST_NAMES if "known" in message else MOST)
    for word in words:
        assert word in message


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_one_line_says_what_is_wrong(case):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(case.error) as caught:
            case.call()
    check_message(caught.value, case.words)
