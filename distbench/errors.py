"""The errors of distbench.

All derive from :class:`DistbenchError`. Wrong input is also a ``ValueError``, a broken limit an ``AssertionError``, so
that other code can handle them without importing distbench.
"""

from __future__ import annotations

import re

__all__ = [
    "DatasetError",
    "DistbenchError",
    "EncoderError",
    "InputError",
    "MissingDependencyError",
    "PreservationError",
    "ResultsError",
    "SuiteError",
    "TrainingError",
]

COMMAND = re.compile(r"^\s*::|##(?=\w*\[)")
MAX_NAME = 500  # characters
MAX_PART = 2_000  # characters of each part of a message


def plain_text(text: object) -> str:
    """Return a name or message as one line that is safe to print: it controls no terminal, page or CI service.

    Control characters, line breaks, marks of direction and lone surrogates are spelled out as in Python. So is the
    first sign of what CI services take for a command: ``::`` that begins a line, and ``##[`` or ``##vso[`` anywhere.
    """
    text = str(text)
    if not text.isprintable():
        text = "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in text)
    return COMMAND.sub(_spelled, text)


def _spelled(match: re.Match[str]) -> str:
    return f"{match[0][:-2]}\\x{ord(match[0][-1]):02x}{match[0][-1]}"


def plain_name(name: object) -> str:
    """Return a name as `plain_text` does; one that is too long for tables and logs is cut in the middle."""
    return cut_middle(plain_text(name), MAX_NAME)


def cut_middle(text: str, size: int) -> str:
    """Return a text of at most `size` characters; a third of a longer one's room is for its start, the rest its end."""
    start = (size - 3) // 3
    return text if len(text) <= size else f"{text[:start]}...{text[start + 3 - size :]}"


class DistbenchError(Exception):
    """Base class of all errors that distbench raises."""


class InputError(DistbenchError, ValueError):
    """An argument cannot be used; the error's text is ``argument: found; advice``.

    Parameters
    ----------
    argument : str
        The argument, option, file or key, or empty. Passed alone, it is the whole message and becomes `found`.
    found : str
        The value or problem that was found.
    advice : str
        A remedy.
    """

    # Keras wraps an error inside a layer in the arguments of its call, unless it finds this mark of such an error.
    _keras_call_info_injected = True

    def __init__(self, argument: str, found: str = "", advice: str = "") -> None:
        parts = (plain_name(argument), found, advice) if found else ("", argument, "")  # names may come from anywhere
        self.argument, self.found, self.advice = (cut_middle(part, MAX_PART) for part in parts)
        super().__init__(str(self))

    def __str__(self) -> str:
        text = f"{self.found}; {self.advice}" if self.advice else self.found
        return f"{self.argument}: {text}" if self.argument else text


class EncoderError(InputError):
    """An encoder is not of a known kind, or its results cannot be used as codes."""


class DatasetError(InputError):
    """A data set is unknown or its source cannot be read."""


class SuiteError(InputError):
    """A suite file cannot be used; the error names the file, the key and what to do."""


class ResultsError(InputError):
    """A file of results cannot be used; the error names the file, what is wrong and what to do."""


class MissingDependencyError(DistbenchError, ImportError):
    """An optional package is not installed; the error names the extra that installs it."""


class TrainingError(DistbenchError, RuntimeError):
    """A baseline could not be fitted, because training diverged or the data are degenerate."""


class PreservationError(DistbenchError, AssertionError):
    """An encoder breaks a limit."""
