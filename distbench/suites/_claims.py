"""Judges claims: borne out, refuted or undecided, and by what evidence."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from distbench.errors import SuiteError
from distbench.suites._bench import Bench, Run
from distbench.suites._model import AngleClaim, BetterClaim, BoundClaim, Claim, Suite, Verdict
from distbench.suites._recipes import Progress, Recipe, as_recipe

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Finding", "judge"]

CONFIDENCE = 0.95
ProgressFor = Callable[[str], Progress | None]


@dataclass(frozen=True)
class Finding:
    """What became of a claim."""

    claim: Claim
    verdict: Verdict
    evidence: str

    @property
    def as_expected(self) -> bool:
        """Whether the verdict is the one that the suite expects."""
        return self.verdict == self.claim.expect


def judge(claim: Claim, suite: Suite, bench: Bench, progress: ProgressFor = lambda _: None) -> Finding:
    """Fit what a claim speaks of, and judge it.

    A bound and a comparison are judged on the mean over the suite's training seeds, by its 95 % interval
    over test points (the jackknife of the mean, or of the paired difference): borne out when the whole
    interval is on the claim's side, refuted when all of it is on the other, else undecided. A metric
    without an interval (worst cases) is judged by its value alone, and can only be bounded. An angle is
    judged by the largest over the seeds.

    Parameters
    ----------
    claim : Claim
        One of ``suite.claims``.
    suite : Suite
        Says the data set, the seeds, k and which recipe a name stands for.
    bench : Bench
        Where fits are shared.
    progress : callable
        Gives, for a line of description, what a fit reports its progress to.

    Returns
    -------
    Finding

    Raises
    ------
    SuiteError
        The claim compares by a metric that has no interval.
    """
    if isinstance(claim, BoundClaim):
        return _judge_bound(claim, _runs(claim, claim.encoder, suite, bench, progress))
    if isinstance(claim, BetterClaim):
        better = _runs(claim, claim.better, suite, bench, progress)
        than = _runs(claim, claim.than, suite, bench, progress)
        return _judge_better(claim, better, than)
    return _judge_angle(claim, suite, bench, progress)


def _fits(claim: Claim, encoder: str, suite: Suite, progress: ProgressFor) -> list[tuple[Recipe, int, Progress | None]]:
    recipe = as_recipe(suite.recipe(encoder))
    seeds = suite.seeds[:1] if recipe.deterministic else suite.seeds
    return [(recipe, seed, progress(f"{encoder}[{claim.code_size}] seed {seed}")) for seed in seeds]


def _runs(claim: Claim, encoder: str, suite: Suite, bench: Bench, progress: ProgressFor) -> list[Run]:
    return [
        bench.run(recipe, suite.dataset, claim.code_size, seed, k=suite.k, name=encoder, progress=told)
        for recipe, seed, told in _fits(claim, encoder, suite, progress)
    ]


def _judge_bound(claim: BoundClaim, runs: Sequence[Run]) -> Finding:
    mean = _over_seeds(runs, claim.metric)
    value, interval = mean.value, _interval(mean, claim.metric, runs[0].report.m)
    low, high = interval or (value, value)
    if claim.at_most is not None:
        verdict = _verdict(high <= claim.at_most, low > claim.at_most)
        bound = f"at most {claim.at_most:g}"
    else:
        verdict = _verdict(low >= (claim.at_least or 0.0), high < (claim.at_least or 0.0))
        bound = f"at least {claim.at_least:g}"
    spread = "no interval" if interval is None else f"95 % interval {low:.4g} to {high:.4g}"
    return Finding(claim, verdict, f"{claim.encoder} {claim.metric} {value:.4g} ({spread}), {bound}; {_sample(runs)}")


def _judge_better(claim: BetterClaim, better: Sequence[Run], than: Sequence[Run]) -> Finding:
    a, b = _over_seeds(better, claim.metric), _over_seeds(than, claim.metric)
    one, two, interval = a.value, b.value, _interval(a.less(b))
    if interval is None:
        raise SuiteError(f"claim {claim.id}: {claim.metric} has no interval to compare by; choose another metric")
    low, high = interval
    up = better[0].report[claim.metric].direction == "up"
    verdict = _verdict(low > 0 if up else high < 0, high < 0 if up else low > 0)
    wins, pairs = _wins(better, than, claim.metric, up)
    sample = _sample(max(better, than, key=len))
    return Finding(
        claim,
        verdict,
        f"{claim.metric}: {claim.better} {one:.4g}, {claim.than} {two:.4g}, difference {one - two:+.4g} "
        f"(95 % interval {low:+.4g} to {high:+.4g}), better in {wins} of {pairs} seeds; {sample}",
    )


def _judge_angle(claim: AngleClaim, suite: Suite, bench: Bench, progress: ProgressFor) -> Finding:
    from distbench.baselines.subspace import largest_principal_angle

    first = suite.seeds[0]
    pca, _ = bench.fit(as_recipe("pca"), suite.dataset, claim.code_size, first)
    angles = []
    for recipe, seed, told in _fits(claim, claim.encoder, suite, progress):
        encoder, _ = bench.fit(recipe, suite.dataset, claim.code_size, seed, told)
        angles.append(float(largest_principal_angle(_components(encoder, claim), pca.components_)))
    worst = max(angles)
    return Finding(
        claim,
        _verdict(worst <= claim.at_most, worst > claim.at_most),
        f"{claim.encoder}: largest principal angle to the first {claim.code_size} principal components "
        f"{worst:.3g} degrees (largest of {_count(len(angles), 'seed')}), at most {claim.at_most:g}",
    )


def _components(encoder: Any, claim: AngleClaim) -> Any:
    components = getattr(encoder, "components_", None)
    if components is None:
        raise SuiteError(
            f"claim {claim.id}: {claim.encoder} has no components_; a principal angle needs a linear encoder"
        )
    return components


def _verdict(good: bool, bad: bool) -> Verdict:
    return "borne out" if good else "refuted" if bad else "undecided"


@dataclass(frozen=True)
class _Mean:
    """A score's mean over training seeds, and what its interval over test points comes from."""

    value: float
    leave_one_out: NDArray[Any] | None
    interaction: NDArray[Any] | None

    def less(self, other: _Mean) -> _Mean:
        return _Mean(
            self.value - other.value,
            _difference(self.leave_one_out, other.leave_one_out),
            _difference(self.interaction, other.interaction),
        )


def _difference(one: NDArray[Any] | None, two: NDArray[Any] | None) -> NDArray[Any] | None:
    return None if one is None or two is None else one - two


def _over_seeds(runs: Sequence[Run], metric: str) -> _Mean:
    scores = [run.report[metric] for run in runs]
    return _Mean(
        statistics.fmean(float(score.value) for score in scores),
        _mean([score.leave_one_out for score in scores]),
        _mean([score.interaction for score in scores]),
    )


def _mean(arrays: Sequence[NDArray[Any] | None]) -> NDArray[Any] | None:
    import numpy as np

    known = [array for array in arrays if array is not None]
    return np.mean(known, axis=0) if known and len(known) == len(arrays) else None


def _interval(mean: _Mean, metric: str | None = None, m: int = 0) -> tuple[float, float] | None:
    from distbench.inference.intervals import jackknife_interval
    from distbench.judging import MEANS
    from distbench.metrics import METRICS

    single = m if metric is not None and METRICS[metric].family in MEANS else None
    bounds = (-math.inf, math.inf) if metric is None else METRICS[metric].bounds
    low, high = jackknife_interval(mean.value, mean.leave_one_out, CONFIDENCE, bounds, mean.interaction, single)
    return None if low is None or high is None else (low, high)


def _wins(better: Sequence[Run], than: Sequence[Run], metric: str, up: bool) -> tuple[int, int]:
    """Count the seeds in which the one beats the other; one that has no seeds stands against each."""
    pairs = max(len(better), len(than))
    ones, twos = ([float(runs[n % len(runs)].report[metric].value) for n in range(pairs)] for runs in (better, than))
    return sum(one > two if up else one < two for one, two in zip(ones, twos, strict=True)), pairs


def _sample(runs: Sequence[Run]) -> str:
    report = runs[0].report
    return f"{report.m} test points, k = {report.k}, M = {report.M}, {_count(len(runs), 'seed')}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
