"""Judges claims: borne out, refuted or undecided, and by what evidence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from distbench.errors import SuiteError
from distbench.inference.estimate import Estimate
from distbench.suites._bench import FitCache, Run
from distbench.suites._model import (
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
from distbench.suites.recipes import Progress, Recipe, as_recipe

__all__ = ["ClaimResult", "judge"]

ProgressFor = Callable[[str], Progress | None]


@dataclass(frozen=True)
class ClaimResult:
    """What became of a claim."""

    claim: Claim
    verdict: Verdict
    evidence: str

    @property
    def as_expected(self) -> bool:
        """Whether the verdict is the one that the suite expects."""
        return self.verdict == self.claim.expect


def judge(claim: Claim, suite: Suite, bench: FitCache, progress: ProgressFor = lambda _: None) -> ClaimResult:
    """Fit what a claim speaks of, and judge it.

    A bound and a comparison are judged on the mean over the training seeds, by its 95 % interval over test
    points (the jackknife of the mean, or of the paired difference): borne out when the whole interval is on the
    claim's side, refuted when all of it is on the other, else undecided. A margin moves the line of a comparison from
    0 to that much worse. A metric without an interval (worst cases) is judged by its value alone, and can only be
    bounded. An angle and a collapse are judged by the largest over the seeds. A floor is certain: it holds or not.
    A collapse that was not found is undecided: that a search found none proves nothing.

    Parameters
    ----------
    claim : Claim
        One of ``suite.claims``.
    suite : Suite
        Says the seeds, k and which recipe a name stands for.
    bench : FitCache
        Where fits are shared.
    progress : callable
        Gives, for a line of description, what a fit reports its progress to.

    Returns
    -------
    ClaimResult

    Raises
    ------
    SuiteError
        The claim compares by a metric that has no interval, speaks of a floor that there is not, or of an encoder
        that cannot have what it says.
    """
    judged = _Judge(suite, bench, progress)
    if isinstance(claim, BoundClaim):
        return judged.bound(claim)
    if isinstance(claim, BetterClaim):
        return judged.better(claim)
    if isinstance(claim, AngleClaim):
        return judged.angle(claim)
    if isinstance(claim, CollapseClaim):
        return judged.collapse(claim)
    return judged.floor(claim)


@dataclass(frozen=True)
class _Judge:
    suite: Suite
    bench: FitCache
    progress: ProgressFor

    def bound(self, claim: BoundClaim) -> ClaimResult:
        runs = self._runs(claim, claim.encoder, claim.metric)
        mean = _mean_over_seeds(runs, claim.metric)
        value, (low, high) = mean.value, mean.interval()
        spread = "no interval" if low is None else f"95 % interval {low:.4g} to {high:.4g}"
        if low is None or high is None:
            low = high = value
        if claim.at_most is not None:
            verdict = _verdict(high <= claim.at_most, low > claim.at_most)
            bound = f"at most {claim.at_most:g}"
        else:
            verdict = _verdict(low >= (claim.at_least or 0.0), high < (claim.at_least or 0.0))
            bound = f"at least {claim.at_least:g}"
        name = _called(claim.encoder, runs)
        return ClaimResult(
            claim, verdict, f"{name} {claim.metric} {value:.4g} ({spread}), {bound}; {_sample(claim, runs)}"
        )

    def better(self, claim: BetterClaim) -> ClaimResult:
        better = self._runs(claim, claim.better, claim.metric)
        than = self._runs(claim, claim.than, claim.metric)
        a, b = _mean_over_seeds(better, claim.metric), _mean_over_seeds(than, claim.metric)
        low, high = (a - b).interval()
        if low is None or high is None:
            raise SuiteError(
                f"claim {claim.id}", f"{claim.metric} has no interval to compare by", "choose another metric"
            )
        up = better[0].report[claim.metric].direction == "up"
        least, most = (low, high) if up else (-high, -low)  # of the advantage
        verdict = _verdict(least > -claim.margin, most < -claim.margin)
        wins, pairs = _wins(better, than, claim.metric, up)
        margin = f", no worse than by {claim.margin:g}" if claim.margin else ""
        return ClaimResult(
            claim,
            verdict,
            f"{claim.metric}: {_called(claim.better, better)} {a.value:.4g}, "
            f"{_called(claim.than, than)} {b.value:.4g}, "
            f"difference {a.value - b.value:+.4g} (95 % interval {low:+.4g} to {high:+.4g}){margin}, "
            f"better in {wins} of {pairs} seeds; {_sample(claim, max(better, than, key=len))}",
        )

    def angle(self, claim: AngleClaim) -> ClaimResult:
        from distbench.baselines.subspace import largest_principal_angle

        pca, _ = self.bench.fit(as_recipe("pca"), claim.dataset, claim.code_size, self.suite.seeds[0])
        angles = [
            float(largest_principal_angle(_components(encoder, claim), pca.components_))
            for encoder in self._fitted(claim, claim.encoder)
        ]
        worst = max(angles)
        return ClaimResult(
            claim,
            _verdict(worst <= claim.at_most, worst > claim.at_most),
            f"{claim.encoder}: largest principal angle to the first {claim.code_size} principal components "
            f"{worst:.3g} degrees (largest of {_count(len(angles), 'seed')}), at most {claim.at_most:g}; "
            f"{claim.dataset}",
        )

    def collapse(self, claim: CollapseClaim) -> ClaimResult:
        from distbench.suites._collapse import find_collapse

        points = self.bench.dataset(claim.dataset).train
        found = [find_collapse(encoder, points, goal=claim.at_most) for encoder in self._fitted(claim, claim.encoder)]
        worst = max(found, key=lambda collapse: collapse.ratio)
        return ClaimResult(
            claim,
            # A search that finds no such pair is no proof that there is none.
            _verdict(worst.ratio <= claim.at_most, False),
            f"{claim.encoder}: {worst}; a share of {worst.ratio:.2g} of the median, at most {claim.at_most:g} "
            f"(largest of {_count(len(found), 'seed')}); {claim.dataset}, codes of {claim.code_size}",
        )

    def floor(self, claim: FloorClaim) -> ClaimResult:
        from distbench.inference.floors import floors

        test = self.bench.dataset(claim.dataset).test
        found = floors(test, claim.code_size, k=self.suite.k, metrics=(claim.metric,)).get(claim.metric)
        if found is None:
            raise SuiteError(
                f"claim {claim.id}", f"these points have no floor of {claim.metric}", "choose smaller data"
            )
        return ClaimResult(
            claim,
            _verdict(found >= claim.at_least, found < claim.at_least),
            f"no codes of {claim.code_size} numbers have {claim.metric} below {found:.4g} among the {len(test)} test "
            f"points (certified floor), at least {claim.at_least:g}; {claim.dataset}",
        )

    def _fits(self, claim: Claim, name: str) -> list[tuple[SuiteEncoder, Recipe, int, Progress | None]]:
        encoder = self.suite.encoder(name)
        recipe = as_recipe(encoder.recipe, encoder.options)
        seeds = self.suite.seeds_of(encoder)[: 1 if recipe.deterministic else None]
        told = [self.progress(f"{name}[{claim.code_size}] on {claim.dataset} seed {seed}") for seed in seeds]
        return [(encoder, recipe, seed, tell) for seed, tell in zip(seeds, told, strict=True)]

    def _runs(self, claim: Claim, name: str, metric: str) -> list[Run]:
        from distbench.metrics import METRICS

        return [
            self.bench.run(
                recipe,
                claim.dataset,
                claim.code_size,
                seed,
                k=self.suite.k,
                name=name,
                metrics="default" if METRICS[metric].default else (metric,),
                progress=told,
                in_sample=encoder.in_sample,
            )
            for encoder, recipe, seed, told in self._fits(claim, name)
        ]

    def _fitted(self, claim: Claim, name: str) -> list[Any]:
        """Return the encoders themselves, for what is no metric of codes."""
        return [
            self.bench.fit(recipe, claim.dataset, claim.code_size, seed, told, encoder.in_sample)[0]
            for encoder, recipe, seed, told in self._fits(claim, name)
        ]


def _components(encoder: Any, claim: AngleClaim) -> Any:
    components = getattr(encoder, "components_", None)
    if components is None:
        raise SuiteError(
            f"claim {claim.id}", f"{claim.encoder} has no components_", "a principal angle needs a linear encoder"
        )
    return components


def _verdict(good: bool, bad: bool) -> Verdict:
    return "borne out" if good else "refuted" if bad else "undecided"


def _mean_over_seeds(runs: Sequence[Run], metric: str) -> Estimate:
    return Estimate.mean([run.report[metric].estimate() for run in runs])


def _wins(better: Sequence[Run], than: Sequence[Run], metric: str, up: bool) -> tuple[int, int]:
    """Count the seeds in which the one beats the other; one that has no seeds stands against each."""
    pairs = max(len(better), len(than))
    ones, twos = ([float(runs[n % len(runs)].report[metric].value) for n in range(pairs)] for runs in (better, than))
    return sum(one > two if up else one < two for one, two in zip(ones, twos, strict=True)), pairs


def _called(name: str, runs: Sequence[Run]) -> str:
    return f"{name} (in sample)" if runs[0].in_sample and "in sample" not in name else name


def _sample(claim: Claim, runs: Sequence[Run]) -> str:
    report = runs[0].report
    points = f"{claim.dataset}, codes of {claim.code_size}, {report.m} test points"
    return f"{points}, k = {report.k}, M = {report.M}, {_count(len(runs), 'seed')}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
