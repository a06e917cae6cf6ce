"""The tools that distbench is compared with: one function each. A new tool needs only its function here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["PEERS", "Peer"]

Call = Callable[[Any, Any, int], dict[str, float]]  # points, codes, k -> values by distbench's names of metrics


@dataclass(frozen=True)
class Peer:
    """One function of one tool.

    Parameters
    ----------
    package, function, computes : str
        The package to install, the function that is called, and a description of what it computes.
    metrics : tuple of str
        Metrics of distbench whose values it must agree with.
    load : callable
        Imports the tool and returns its call; an error of a missing or broken tool is not caught.
    """

    package: str
    function: str
    computes: str
    metrics: tuple[str, ...]
    load: Callable[[], Call]


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


def _zadu_tnc() -> Call:
    return _zadu({"tnc": True}, lambda found: found)


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


def _zadu_spearman() -> Call:
    return _zadu({"srho": False}, lambda found: {"spearman": found["spearman_rho"]})


def _scipy() -> Call:
    from scipy.spatial.distance import pdist
    from scipy.stats import spearmanr

    return lambda X, Z, k: {"spearman": float(spearmanr(pdist(X), pdist(Z)).statistic)}


def _tensorflow_projection_qm() -> Call:
    from tensorflow_projection_qm.metrics.trustworthiness import trustworthiness

    return lambda X, Z, k: {"trustworthiness": float(trustworthiness(X, Z, k=k))}


def _torchdr() -> Call:
    from torchdr.eval import neighborhood_preservation

    return lambda X, Z, k: {"knn_recall": float(neighborhood_preservation(X, Z, K=k))}


def _redumetrics() -> Call:
    from ReduMetrics.metrics.ulse import ulse_score

    return lambda X, Z, k: {"knn_recall": float(ulse_score(X, Z, k=k))}


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


_RANKED = ("trustworthiness", "continuity")
_RANKING_CALLS = "coranking_matrix, trustworthiness, continuity"
PEERS = {
    "scikit-learn": Peer(
        "scikit-learn", "manifold.trustworthiness", "trustworthiness", ("trustworthiness",), _scikit_learn
    ),
    "zadu-tnc": Peer("zadu", "ZADU, tnc", "trustworthiness, continuity", ("trustworthiness", "continuity"), _zadu_tnc),
    "zadu-six": Peer(
        "zadu",
        "ZADU, tnc + mrre + srho + pr + stress + sn_stress",
        "six in one call: trustworthiness and continuity, rank errors, Spearman, Pearson, two stresses",
        ("trustworthiness", "continuity", "mrre_code", "mrre_input", "spearman", "pearson", "stress", "scaled_stress"),
        _zadu_six,
    ),
    "zadu-spearman": Peer("zadu", "ZADU, srho", "Spearman", ("spearman",), _zadu_spearman),
    "scipy": Peer("scipy", "pdist + spearmanr", "Spearman", ("spearman",), _scipy),
    "tensorflow-projection-qm": Peer(
        "tensorflow-projection-qm",
        "trustworthiness.trustworthiness",
        "trustworthiness",
        ("trustworthiness",),
        _tensorflow_projection_qm,
    ),
    "torchdr": Peer("torchdr", "eval.neighborhood_preservation", "recall", ("knn_recall",), _torchdr),
    "redumetrics": Peer("redumetrics", "ulse_score", "recall", ("knn_recall",), _redumetrics),
    "pycoranking": Peer("pycoranking", _RANKING_CALLS, "trustworthiness, continuity", _RANKED, _pycoranking),
}
