"""The search: its stages, their shares of the budget, and when it stops."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from distbench.hunting._hypothesis import in_hypothesis_test, search_with_hypothesis
from distbench.hunting._jacobians import Jacobians
from distbench.hunting._merged import MergedPairs
from distbench.hunting._shrink import shrinking_cost
from distbench.hunting._stretched import StretchedPairs
from distbench.hunting._worst_pairs import MIN_RATIO, Candidate, Kind, WorstPairs, distances

__all__ = ["search"]

Array = NDArray[np.float64]

FIRST_SHARES = {"mirror": 0.06, "stretched": 0.42, "hypothesis": 0.12, "merged": 0.2, "bisect": 0.03}  # of the budget
SHRINKING_SHARE = 0.12  # at most this share of the budget is kept for shrinking
RESTART_SHARES = {"stretched": 0.3, "hypothesis": 0.1, "merged": 0.5, "bisect": 0.1}  # of a restart's budget
RESTARTS = 4  # they share the rest of the budget
MIN_RESTART_ROWS = 40
MAX_CHORDS = 256  # points between test points that are compared with an affine map
MAX_BISECTED = 16  # pairs


def search(pairs: WorstPairs, jacobians: Jacobians, worst_tests: Mapping[Kind, Candidate], seed: int) -> None:
    """Run all stages, then run them again with other random numbers, until only the rows for shrinking are left.

    `worst_tests` are the worst test pair of each kind.
    """
    encoder, visited = pairs.encoder, set[int]()

    def run_stages(rows: Mapping[str, int], rng: np.random.Generator, seed: int) -> None:
        if "mirror" in rows and jacobians.directions.kind == "any":
            _try_mirror_images(pairs, rows["mirror"], rng)
        StretchedPairs(pairs, jacobians, rng, visited).search(rows["stretched"])
        if not jacobians.are_exact and not in_hypothesis_test():
            search_with_hypothesis(pairs, jacobians.directions, seed, rows["hypothesis"])
        MergedPairs(pairs, jacobians, rng).search(rows["merged"], distant_pairs="mirror" not in rows)
        _bisect(pairs, rows["bisect"])

    total = encoder.left
    kept_for_shrinking = min(
        int(SHRINKING_SHARE * total), shrinking_cost(pairs.region.rows.shape[1], jacobians.directions.kind)
    )
    run_stages({stage: int(share * total) for stage, share in FIRST_SHARES.items()}, np.random.default_rng(seed), seed)
    if _is_affine(pairs, np.random.default_rng((seed, 0))):
        return  # the Jacobian of an affine map is the same everywhere, so no other pair is worse
    rows_per_restart = max(MIN_RESTART_ROWS, (encoder.left - kept_for_shrinking) // RESTARTS)
    restart = 0
    while (left := encoder.left - kept_for_shrinking) >= MIN_RESTART_ROWS and not _cannot_get_worse(pairs, worst_tests):
        restart, before = restart + 1, encoder.spent
        rng = np.random.default_rng((seed, restart))
        rows = {stage: int(share * min(left, rows_per_restart)) for stage, share in RESTART_SHARES.items()}
        run_stages(rows, rng, int(rng.integers(2**31)))
        if encoder.spent - before < min(MIN_RESTART_ROWS, rows_per_restart // 10):
            return  # no stage has anything left to try


def _cannot_get_worse(pairs: WorstPairs, worst_tests: Mapping[Kind, Candidate]) -> bool:
    """Return whether the codes of the worst merged pair are equal up to rounding, and a torn pair was found."""
    merges, tears = pairs.worst("merge")[:1], pairs.worst("tear")[:1]
    merged = any(pair.d_z <= pairs.noise for pair in merges)
    return merged and any(pair.score > MIN_RATIO * worst_tests["tear"].score for pair in tears)


def _is_affine(pairs: WorstPairs, rng: np.random.Generator) -> bool:
    """Return whether the codes of points between test points are those of an affine map."""
    region, encoder, n = pairs.region, pairs.encoder, len(pairs.codes)
    if region.is_integer or encoder.left < MIN_RESTART_ROWS:
        return False
    starts = np.sort(rng.permutation(n)[: min(MAX_CHORDS, encoder.left // 8)])
    ends = (starts + rng.integers(1, n, len(starts))) % n
    differences = region.rows[ends] - region.rows[starts]
    lengths = np.linalg.norm(differences, axis=1)
    shares = np.minimum(0.5, 0.5 * region.radii[starts] / np.where(lengths > 0, lengths, np.inf))
    between = region.clip(region.rows[starts] + shares[:, None] * differences)
    usable = region.contains(between) & (shares > 0)
    if 2 * usable.sum() < len(starts):
        return False
    codes, shares = pairs.codes, shares[usable, None]
    affine = (1 - shares) * codes[starts[usable]] + shares * codes[ends[usable]]
    return bool((distances(encoder.encode(between[usable]), affine) <= pairs.noise).all())


def _try_mirror_images(pairs: WorstPairs, allowance: int, rng: np.random.Generator) -> None:
    """Compare points with their images: mirrored at 0 or the middle, in all columns or one, or two columns swapped."""
    region = pairs.region
    middle = (region.low + region.high) / 2
    kinds = 5 if len(region.varying) > 1 else 4
    count = max(1, min(len(region.rows), allowance // kinds))
    for kind in range(kinds):
        origins = np.sort(rng.choice(len(region.rows), count, replace=False))
        points, center = region.rows[origins], np.zeros_like(middle) if kind in (0, 2) else middle
        images = 2 * center - points
        if kind >= 2:
            rows, column, images = np.arange(count), rng.choice(region.varying, count), points.copy()
            images[rows, column] = 2 * center[column] - points[rows, column]
        if kind == 4:
            other = rng.choice(region.varying, count)
            images[rows, column], images[rows, other] = points[rows, other], points[rows, column]
        clipped = region.clip(images)
        unclipped = (np.abs(clipped - images) <= 1e-6 * region.median_gap).all(axis=1)
        origins, points, images = origins[unclipped], points[unclipped], clipped[unclipped]
        pairs.encode_and_offer(origins, points, pairs.codes[origins], images, "mirror images")


def _bisect(pairs: WorstPairs, allowance: int) -> None:
    """Halve the most torn pairs repeatedly, as long as the halves are plausible and far enough apart.

    By the triangle inequality the worse half is torn at least as much as the whole pair. It is torn twice as much if
    the encoder jumps there.
    """
    torn, region, encoder = pairs.worst("tear")[:MAX_BISECTED], pairs.region, pairs.encoder
    while torn and allowance >= len(torn) and encoder.left >= len(torn):
        allowance -= len(torn)
        x, y = np.stack([pair.x for pair in torn]), np.stack([pair.y for pair in torn])
        middle = region.clip((x + y) / 2)
        far_enough = np.flatnonzero(np.minimum(distances(x, middle), distances(middle, y)) >= pairs.closest)
        far_enough = far_enough[region.contains(middle[far_enough])]
        codes = encoder.encode(middle[far_enough]) if len(far_enough) else np.empty(0)
        torn = [_worse_half(pairs, torn[p], middle[p], code) for p, code in zip(far_enough, codes, strict=True)]
        for half in torn:
            pairs.offer(np.array([half.origin]), half.x[None], half.y[None], half.z_x[None], half.z_y[None], half.how)


def _worse_half(pairs: WorstPairs, pair: Candidate, middle: Array, code: Array) -> Candidate:
    """Return the half of a pair cut at `middle` that is torn more; `code` is the code of `middle`."""
    how = pair.how if pair.how.endswith("halved") else f"{pair.how}, halved"
    ends, codes = np.stack([pair.x, pair.y]), np.stack([pair.z_x, pair.z_y])
    scores = pairs.score("tear", distances(ends, middle), distances(codes, code))
    worse = int(scores.argmax())
    return Candidate(float(scores[worse]), pair.origin, ends[worse], middle, codes[worse], code, how)
