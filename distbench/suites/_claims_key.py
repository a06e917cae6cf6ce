"""What a verdict rests on, as one hash: a stored finding holds as long as that stays the same."""

from __future__ import annotations

import json
from dataclasses import asdict
from hashlib import sha256
from typing import Any

from distbench.suites._model import AngleClaim, BetterClaim, BoundClaim, Claim, FloorClaim, Suite, SuiteEncoder

__all__ = ["JUDGING", "claim_key"]

JUDGING = 1
"""Raised when claims are judged in another way, so that findings stored before are not trusted."""

WORDS = ("id", "statement", "source", "expect")  # of a claim: they say what it means, and change no verdict


def claim_key(claim: Claim, suite: Suite) -> str:
    """Return a hash of all that a verdict rests on.

    That is the kind of the claim and its numbers, the data, the recipes with all the code that they use and their
    options, the seeds, k, the version of the metric and that of the judging. The words of a claim are not part of it.

    Parameters
    ----------
    claim : Claim
        One of ``suite.claims``.
    suite : Suite
        Says seeds, k and what the names of encoders stand for.

    Returns
    -------
    str
        SHA-256, as 64 hexadecimal digits.

    Raises
    ------
    InputError
        A data set or a recipe is unknown or cannot be read.
    """
    rests_on = {
        "judging": JUDGING,
        "kind": type(claim).__name__,
        "claim": {name: value for name, value in asdict(claim).items() if name not in WORDS},
        "data": suite.load_dataset(claim.dataset).sha256,
        "encoders": [_encoder(encoder, suite) for encoder in _encoders(claim, suite)],
        "k": suite.k,
        "metric_version": _metric_version(claim),
    }
    return sha256(json.dumps(rests_on, sort_keys=True, default=repr).encode()).hexdigest()


def _encoders(claim: Claim, suite: Suite) -> tuple[SuiteEncoder, ...]:
    pca = (SuiteEncoder("pca", "pca", {}),) if isinstance(claim, AngleClaim) else ()
    return *suite.encoders_of(claim), *pca


def _encoder(encoder: SuiteEncoder, suite: Suite) -> dict[str, Any]:
    from distbench.suites.recipe_hash import recipe_hash

    return {
        "recipe": encoder.recipe,
        "hash": recipe_hash(encoder.recipe, encoder.options),
        "options": dict(encoder.options),
        "in_sample": encoder.in_sample,
        "seeds": suite.seeds_of(encoder),
    }


def _metric_version(claim: Claim) -> int | None:
    if not isinstance(claim, BoundClaim | BetterClaim | FloorClaim):
        return None
    from distbench.metrics import METRICS

    return METRICS[claim.metric].version
