"""Search by codes, then sort the found tokens by their embeddings: how many to fetch, and the time and bytes."""

from __future__ import annotations

from time import perf_counter

import numpy as np
from compression import FIT

import distbench

FETCHED = (10, 50, 100, 400)


def cosine_distances(queries: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Return a row of distances for each query; lengths of `queries` do not change its order."""
    return -queries @ (codes / np.linalg.norm(codes, axis=1, keepdims=True)).T


def hamming_distances(queries: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Return how many bits differ, eight bytes of packed bits at a time."""
    queries, codes = (np.packbits(bits, axis=1).view(np.uint64) for bits in (queries, codes))
    return np.stack([np.bitwise_count(codes ^ query).sum(axis=1, dtype=np.int32) for query in queries])


def nearest(queries: np.ndarray, codes: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the places of all codes, nearest first, and the milliseconds that distances took for one query."""
    distances = hamming_distances if codes.dtype == bool else cosine_distances
    start = perf_counter()
    found = distances(queries, codes)
    took = perf_counter() - start
    return np.argsort(found, axis=1, kind="stable"), 1000 * took / len(queries)


def main() -> None:
    """Print a line for each kind of code."""
    tokens = distbench.load_dataset("tokens")
    wanted, took = nearest(tokens.test, tokens.train)
    wanted = wanted[:, :10]
    print("of the 10 nearest tokens, the share among the nearest ... by code")
    print(f"{'':20}{'bytes':>8}" + "".join(f"{count:>8}" for count in FETCHED) + f"{'ms':>10}")
    print(f"{'256 numbers':20}{4 * tokens.test.shape[1]:>8}" + f"{1:8.3f}" * len(FETCHED) + f"{took:10.4f}")
    for name, fit in FIT.items():
        encode = fit(tokens.train)
        queries, codes = encode(tokens.test), encode(tokens.train)
        found, took = nearest(queries, codes)
        shares = [
            np.mean([np.isin(want, row[:count]).mean() for want, row in zip(wanted, found, strict=True)])
            for count in FETCHED
        ]
        size = codes.shape[1] // 8 if codes.dtype == bool else 4 * codes.shape[1]
        print(f"{name:20}{size:>8}" + "".join(f"{share:8.3f}" for share in shares) + f"{took:10.4f}")


if __name__ == "__main__":
    main()
