"""Errors in the words of the command line: options in place of the arguments of functions."""

from __future__ import annotations

import re

__all__ = ["as_typed"]

POINTS = {
    "X_test": "--data",
    "Z_test": "--codes",
    "Z_reference": "--reference-codes",
    "reference_codes": "--reference-codes",
    "X_reference": "--reference",
}
"""What no word of a sentence is called: named wherever it stands."""
WORDS = {
    "mark the test with dataset= and code_size=": "give --dataset and --code-size",
    "stochastic=True": "--stochastic",
    "a tuple (of X_test, of reference)": "it twice, of --data and of --reference",
    "X_test, reference: ": "--data, --reference: ",
    "distbench.evaluate_codes": "--codes",
}
OPTIONS = (
    *("reference", "labels", "reference_labels", "input_space", "k", "metrics", "distance_x", "distance_z", "name"),
    *("queries", "stochastic", "dataset", "code_size", "seed", "expansion", "contraction", "budget", "directions"),
)
ANY = "|".join(OPTIONS)


def as_typed(text: str) -> str:
    """Return an error with options in place of arguments: ``X_test: found ...`` is ``--data: found ...``."""
    for said, typed in WORDS.items():
        text = text.replace(said, typed)
    text = re.sub(r" \(for a single column: [^)]*\)\)", "", text)
    text = re.sub(
        r"\b(budget|directions|queries)=(?:'(\w+)')?",
        lambda found: f"{_option(found[1])} {found[2] or ''}".strip(),
        text,
    )
    text = re.sub(rf"\b({'|'.join(POINTS)})\b(?!\()", lambda found: POINTS[found[1]], text)
    text = re.sub(rf"^({ANY}): ", lambda found: f"{_option(found[1])}: ", text)
    return re.sub(rf"(?<![\w-])({ANY})=(?=[\s,.;:)]|$)", lambda found: _option(found[1]), text)


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"
