"""The tools that distbench is measured beside: one function each, and nothing else to touch for another one."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["PEERS", "Peer", "version_of"]

Call = Callable[[Any, Any, int], dict[str, float]]  # points, codes, k -> values by distbench's names of metrics

PEERS: dict[str, Peer] = {}


@dataclass(frozen=True)
class Peer:
    """One function of one tool.

    Parameters
    ----------
    name : str
        As asked for on the command line.
    package, function, computes : str
        What is installed, what is called, and what that computes, in words.
    metrics : tuple of str
        Metrics of distbench whose values it must agree with.
    load : callable
        Imports the tool and returns its call; raises what the tool raises where it is missing or broken.
    """

    name: str
    package: str
    function: str
    computes: str
    metrics: tuple[str, ...]
    load: Callable[[], Call]


def version_of(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def peer(
    name: str, *, package: str, function: str, computes: str, metrics: tuple[str, ...]
) -> Callable[[Callable[[], Call]], Callable[[], Call]]:
    """Put the decorated loader into the table."""

    def put(load: Callable[[], Call]) -> Callable[[], Call]:
        PEERS[name] = Peer(name, package, function, computes, metrics, load)
        return load

    return put


@peer(
    "scikit-learn",
    package="scikit-learn",
    function="manifold.trustworthiness",
    computes="trustworthiness",
    metrics=("trustworthiness",),
)
def _scikit_learn() -> Call:
    from sklearn.manifold import trustworthiness

    return lambda X, Z, k: {"trustworthiness": float(trustworthiness(X, Z, n_neighbors=k))}


def _zadu(specs: dict[str, bool], values: Callable[[dict[str, float]], dict[str, float]]) -> Call:
    """Return a call of ZADU with these metrics; True marks those that take k."""
    from zadu import ZADU

    def call(X: Any, Z: Any, k: int) -> dict[str, float]:
        chosen = [{"id": name, "params": {"k": k} if takes_k else {}} for name, takes_k in specs.items()]
        found: dict[str, float] = {}
        for scores in ZADU(chosen, X).measure(Z):
            found |= scores
        return values(found)

    return call


@peer(
    "zadu-tnc",
    package="zadu",
    function="ZADU, tnc",
    computes="trustworthiness, continuity",
    metrics=("trustworthiness", "continuity"),
)
def _zadu_tnc() -> Call:
    return _zadu({"tnc": True}, lambda found: found)


@peer(
    "zadu-six",
    package="zadu",
    function="ZADU, tnc + mrre + srho + pr + stress + sn_stress",
    computes="six in one call: trustworthiness and continuity, rank errors, Spearman, Pearson, two stresses",
    metrics=(
        "trustworthiness",
        "continuity",
        "mrre_code",
        "mrre_input",
        "spearman",
        "pearson",
        "stress",
        "scaled_stress",
    ),
)
def _zadu_six() -> Call:
    specs = {"tnc": True, "mrre": True, "srho": False, "pr": False, "stress": False, "sn_stress": False}

    def values(found: dict[str, float]) -> dict[str, float]:
        return {
            "trustworthiness": found["trustworthiness"],
            "continuity": found["continuity"],
            "mrre_code": 1 - found["mrre_false"],  # zadu: 1 is best
            "mrre_input": 1 - found["mrre_missing"],
            "spearman": found["spearman_rho"],
            "pearson": found["pearson_r"],
            "stress": found["stress"],
            "scaled_stress": found["scale_normalized_stress"],
        }

    return _zadu(specs, values)


@peer("zadu-spearman", package="zadu", function="ZADU, srho", computes="Spearman", metrics=("spearman",))
def _zadu_spearman() -> Call:
    return _zadu({"srho": False}, lambda found: {"spearman": found["spearman_rho"]})


@peer("scipy", package="scipy", function="pdist + spearmanr", computes="Spearman", metrics=("spearman",))
def _scipy() -> Call:
    from scipy.spatial.distance import pdist
    from scipy.stats import spearmanr

    return lambda X, Z, k: {"spearman": float(spearmanr(pdist(X), pdist(Z)).statistic)}


@peer(
    "tensorflow-projection-qm",
    package="tensorflow-projection-qm",
    function="trustworthiness.trustworthiness",
    computes="trustworthiness",
    metrics=("trustworthiness",),
)
def _tensorflow_projection_qm() -> Call:
    from tensorflow_projection_qm.metrics.trustworthiness import trustworthiness

    return lambda X, Z, k: {"trustworthiness": float(trustworthiness(X, Z, k=k))}


@peer(
    "torchdr",
    package="torchdr",
    function="eval.neighborhood_preservation",
    computes="recall",
    metrics=("knn_recall",),
)
def _torchdr() -> Call:
    from torchdr.eval import neighborhood_preservation

    return lambda X, Z, k: {"knn_recall": float(neighborhood_preservation(X, Z, K=k))}


@peer("redumetrics", package="redumetrics", function="ulse_score", computes="recall", metrics=("knn_recall",))
def _redumetrics() -> Call:
    from ReduMetrics.metrics.ulse import ulse_score

    return lambda X, Z, k: {"knn_recall": float(ulse_score(X, Z, k=k))}


@peer(
    "pycoranking",
    package="pycoranking",
    function="coranking_matrix, trustworthiness, continuity",
    computes="trustworthiness, continuity",
    metrics=("trustworthiness", "continuity"),
)
def _pycoranking() -> Call:
    from coranking import coranking_matrix
    from coranking.metrics import continuity, trustworthiness

    def call(X: Any, Z: Any, k: int) -> dict[str, float]:
        Q = coranking_matrix(X, Z)
        return {
            "trustworthiness": float(trustworthiness(Q, min_k=k, max_k=k + 1)[0]),
            "continuity": float(continuity(Q, min_k=k, max_k=k + 1)[0]),
        }

    return call
