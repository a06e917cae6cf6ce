"""Verdicts on claims: borne out, refuted or undecided, with the evidence."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any

from distbench.errors import SuiteError
from distbench.inference.estimate import Estimate
from distbench.suites.fits import Fit, FitCache, Run
from distbench.suites.recipe_hash import recipe_hash
from distbench.suites.recipes import Progress, as_recipe
from distbench.suites.suite import (
    AngleClaim,
    BetterClaim,
    BoundClaim,
    Claim,
    CollapseClaim,
    FloorClaim,
    Suite,
    SuiteEncoder,
    Verdict,
)

__all__ = ["ClaimResult", "claim_key", "judge"]

ProgressFor = Callable[[str], Progress | None]

JUDGING_VERSION = 2
"""Raise this number when claims are decided in another way: stored verdicts then become stale."""
WORDS = ("id", "statement", "source", "expect")  # parts of a claim that do not change its verdict


@dataclass(frozen=True)
class ClaimResult:
    """The verdict on a claim, its evidence, and its p-value if an interval decides it."""

    verdict: Verdict
    evidence: str
    p_value: float | None = None


def claim_key(claim: Claim, suite: Suite) -> str:
    """Return a SHA-256 hash of all that a verdict depends on; a stored verdict is valid while the hash stays the same.

    These are the claim's kind and numbers, the data, the recipes with their code and options, the seeds, k, and the
    versions of the metric and of ``judge``; but not the claim's words.
    """
    from distbench.metrics import METRICS

    encoders = [*suite.encoders_of(claim)] + [SuiteEncoder("pca", "pca")] * isinstance(claim, AngleClaim)
    metric = getattr(claim, "metric", None)
    parts = {
        "judging": JUDGING_VERSION,
        "kind": type(claim).__name__,
        "claim": {name: value for name, value in asdict(claim).items() if name not in WORDS},
        "data": suite.load_dataset(claim.dataset).sha256,
        "encoders": [
            {
                "recipe": encoder.recipe,
                "hash": recipe_hash(encoder.recipe, encoder.options),
                "options": dict(encoder.options),
                "in_sample": encoder.in_sample,
                "seeds": suite.seeds_of(encoder),
            }
            for encoder in encoders
        ],
        "k": suite.k,
        "metric_version": None if metric is None else METRICS[metric].version,
    }
    if suite.options:
        parts["distance"] = suite.distance
    return sha256(json.dumps(parts, sort_keys=True, default=repr).encode()).hexdigest()


def judge(claim: Claim, suite: Suite, fits: FitCache, progress: ProgressFor = lambda _: None) -> ClaimResult:
    """Fit the encoders of a claim, and return the verdict.

    A claim is about recipes, trained again, on new test points. A bound is decided by the 95 % interval of the mean
    over training seeds, a comparison by that of the difference of two means: the claim is borne out if the whole
    interval is on its side, refuted if the whole interval is on the other, else undecided. The intervals include the
    variance over test points (jackknife, paired) and over the trainings of each encoder. With a margin, the first
    encoder of a comparison may be worse by so much. Each claim is decided alone; `distbench.inference.verdicts.holm`
    counts the claims that stay decided after a correction for their number. A bound on a metric without an interval
    (worst cases) is decided by the value. For an angle and a collapse the largest value over the seeds decides. A floor
    is certain. A collapse that was not found is undecided: a search proves nothing.

    Raises
    ------
    SuiteError
        The claim compares by a metric without an interval, is about a floor that does not exist, or is about the
        principal angle of an encoder that is not linear.
    """
    subject = _Subject(claim, suite, fits, progress)
    judges: dict[type, Callable[[Any, _Subject], ClaimResult]] = {
        BoundClaim: _bound,
        BetterClaim: _better,
        AngleClaim: _angle,
        CollapseClaim: _collapse,
        FloorClaim: _floor,
    }
    return judges[type(claim)](claim, subject)


@dataclass(frozen=True)
class _Subject:
    """Fits and evaluates the encoders of a claim with each seed."""

    claim: Claim
    suite: Suite
    fits: FitCache
    progress: ProgressFor

    def runs(self, name: str, metric: str) -> list[Run]:
        from distbench.metrics import METRICS

        metrics = "default" if METRICS[metric].default else (metric,)
        options = {"k": self.suite.k, "name": name, "metrics": metrics, **self.suite.options}
        return [self.fits.run(fit, **options) for fit in self._all(name)]

    def fitted(self, name: str) -> list[Any]:
        """Return the fitted encoders."""
        return [self.fits.fit(fit)[0] for fit in self._all(name)]

    def _all(self, name: str) -> list[Fit]:
        claim, encoder = self.claim, self.suite.encoder(name)
        recipe = as_recipe(encoder.recipe, encoder.options)
        fits = []
        for seed in self.suite.seeds_of(encoder)[: 1 if recipe.deterministic else None]:
            progress = self.progress(f"{name}[{claim.code_size}] on {claim.dataset} seed {seed}")
            fits.append(Fit(recipe, claim.dataset, claim.code_size, seed, encoder.in_sample, progress))
        return fits


def _bound(claim: BoundClaim, subject: _Subject) -> ClaimResult:
    runs = subject.runs(claim.encoder, claim.metric)
    mean = _mean_over_seeds(runs, claim.metric)
    low, high = mean.interval()
    spread = "no interval" if low is None else f"95 % interval {low:.4g} to {high:.4g} {_over(mean)}"
    least = claim.at_least or 0.0
    if low is None or high is None:
        low = high = mean.value
    if claim.at_most is not None:
        verdict, bound = _verdict(high <= claim.at_most, low > claim.at_most), f"at most {claim.at_most:g}"
    else:
        verdict, bound = _verdict(low >= least, high < least), f"at least {least:g}"
    name = _shown(claim.encoder, runs)
    evidence = f"{name} {claim.metric} {mean.value:.4g} ({spread}), {bound}; {_sample(claim, runs)}, {_seeds(runs)}"
    return ClaimResult(verdict, evidence, _p_value(mean, least if claim.at_most is None else claim.at_most))


def _better(claim: BetterClaim, subject: _Subject) -> ClaimResult:
    better, than = (subject.runs(name, claim.metric) for name in (claim.better, claim.than))
    a, b = _mean_over_seeds(better, claim.metric), _mean_over_seeds(than, claim.metric)
    difference = a - b
    low, high = difference.interval()
    if low is None or high is None:
        raise SuiteError(f"claim {claim.id}", f"{claim.metric} has no interval to compare by", "choose another metric")
    up = better[0].report[claim.metric].direction == "up"
    least, most = (low, high) if up else (-high, -low)  # ends of the advantage
    margin = f", no worse than by {claim.margin:g}" if claim.margin else ""
    evidence = (
        f"{claim.metric}: {_shown(claim.better, better)} {a.value:.4g} ({_seeds(better)}), "
        f"{_shown(claim.than, than)} {b.value:.4g} ({_seeds(than)}), "
        f"difference {difference.value:+.4g} (95 % interval {low:+.4g} to {high:+.4g} {_over(difference)}){margin}; "
        f"{_sample(claim, better)}"
    )
    verdict = _verdict(least > -claim.margin, most < -claim.margin)
    return ClaimResult(verdict, evidence, _p_value(difference, -claim.margin if up else claim.margin))


def _angle(claim: AngleClaim, subject: _Subject) -> ClaimResult:
    from distbench.baselines.subspace import largest_principal_angle

    pca, _ = subject.fits.fit(Fit(as_recipe("pca"), claim.dataset, claim.code_size, subject.suite.seeds[0]))
    encoders = subject.fitted(claim.encoder)
    if any(getattr(encoder, "components_", None) is None for encoder in encoders):
        raise SuiteError(
            f"claim {claim.id}", f"{claim.encoder} has no components_", "a principal angle needs a linear encoder"
        )
    worst = max(float(largest_principal_angle(encoder.components_, pca.components_)) for encoder in encoders)
    return ClaimResult(
        _verdict(worst <= claim.at_most, worst > claim.at_most),
        f"{claim.encoder}: largest principal angle to the first {claim.code_size} principal components "
        f"{worst:.3g} degrees (largest of {_seeds(encoders)}), at most {claim.at_most:g}; {claim.dataset}",
    )


def _collapse(claim: CollapseClaim, subject: _Subject) -> ClaimResult:
    from distbench.suites._collapse import find_collapse

    points = subject.fits.dataset(claim.dataset).train
    pairs = [find_collapse(encoder, points, goal=claim.at_most) for encoder in subject.fitted(claim.encoder)]
    worst = max(pairs, key=lambda pair: pair.ratio)
    return ClaimResult(
        _verdict(worst.ratio <= claim.at_most, False),
        f"{claim.encoder}: {worst}; a share of {worst.ratio:.2g} of the median, at most {claim.at_most:g} "
        f"(largest of {_seeds(pairs)}); {claim.dataset}, codes of {claim.code_size}",
    )


def _floor(claim: FloorClaim, subject: _Subject) -> ClaimResult:
    from distbench.inference.floors import floors

    test = subject.fits.dataset(claim.dataset).test
    floor = floors(test, claim.code_size, k=subject.suite.k, metrics=(claim.metric,)).get(claim.metric)
    if floor is None:
        raise SuiteError(f"claim {claim.id}", f"these points have no floor of {claim.metric}", "choose smaller data")
    return ClaimResult(
        _verdict(floor >= claim.at_least, floor < claim.at_least),
        f"no codes of {claim.code_size} numbers have {claim.metric} below {floor:.4g} among the {len(test)} test "
        f"points (certified floor), at least {claim.at_least:g}; {claim.dataset}",
    )


def _mean_over_seeds(runs: Sequence[Run], metric: str) -> Estimate:
    return Estimate.mean([run.report[metric].estimate() for run in runs])


def _over(estimate: Estimate) -> str:
    """Return what an interval is over, for evidence."""
    return "over test points and trainings" if estimate.replicates else "over test points"


def _p_value(estimate: Estimate, threshold: float) -> float | None:
    p = estimate.p_value(threshold)
    return None if p is None else float(f"{p:.3g}")


def _verdict(is_borne_out: bool, is_refuted: bool) -> Verdict:
    return "borne out" if is_borne_out else "refuted" if is_refuted else "undecided"


def _shown(name: str, runs: Sequence[Run]) -> str:
    return f"{name} (in sample)" if runs[0].in_sample and "in sample" not in name else name


def _sample(claim: Claim, runs: Sequence[Run]) -> str:
    report = runs[0].report
    unit = " bytes" if report.code_bytes == claim.code_size else ""
    points = f"{claim.dataset}, codes of {claim.code_size}{unit}, {report.m} test points"
    return f"{points}, k = {report.k}, M = {report.M}"


def _seeds(results: Sequence[Any]) -> str:
    """Return the number of seeds, one for each result, as text: "1 seed" or "5 seeds"."""
    return "1 seed" if len(results) == 1 else f"{len(results)} seeds"
