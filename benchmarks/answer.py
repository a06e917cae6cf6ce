"""Writes the stored claims and the scores of the baselines as Markdown.

    python benchmarks/answer.py

writes them into ``docs/answer.md`` and ``docs/encoders.md``, between comments. Nothing is fitted or evaluated; a test
compares the pages with the stored rows.
"""

from __future__ import annotations

import argparse
import re
from collections import Counter
from pathlib import Path

from _page import show

from distbench.inference.estimate import mean_of
from distbench.inference.verdicts import holm
from distbench.results.rows import Row
from distbench.results.run import holm_line
from distbench.results.suite_store import Store, read_store, store_path
from distbench.suites.reader import read_suite
from distbench.suites.suite import Claim

ROOT = Path(__file__).parents[1]
SUITES = ROOT / "suites" / "distbench_suites"
CLAIMS = SUITES / "claims.toml"
TABLES = (("digits", 2), ("digits", 8), ("mnist5k", 16), ("spheres", 2), ("tokens", 32))
COLUMNS = {
    "trustworthiness": "trust.",
    "continuity": "cont.",
    "spearman": "Spearman",
    "scaled_stress": "scaled stress",
    "triplet_accuracy": "triplets",
}
DETAILS = re.compile(r", \d+ test points, k = \d+, M = \d+")
REMARK = re.compile(r" \((?!\d{4}\))[^()]*\)$")
ASKED = ("pca", "autoencoder", "pairwise_autoencoder")
OVERVIEW = {
    "scaled_stress": "scaled stress",
    "spearman": "Spearman",
    "continuity": "continuity",
    "knn_recall": "recall",
}
CLOSE_TO_1 = 0.995  # from here on a score gets a fourth digit


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.parse_args()
    for (page, name), make in PARTS.items():
        show(make(), ROOT / "docs" / page, name)
    return 0


def claims() -> str:
    """Return every claim with its verdict and evidence, under the headings of the suite's file."""
    store = read_store(store_path(CLAIMS))
    parts, heading = [], ""
    for claim in read_suite(CLAIMS).claims:
        if (found := headings()[claim.id]) != heading:
            heading = found
            parts.append(f"\n### {heading}\n\n| claim | found | evidence |\n|---|---|---|")
        parts.append(_line(claim, store))
    return "\n".join(parts) + "\n"


def headings() -> dict[str, str]:
    """Return the heading of each claim: the last comment above it in the suite's file."""
    found, heading = {}, ""
    for line in CLAIMS.read_text(encoding="utf-8").splitlines():
        if line.startswith("# "):
            heading = line.removeprefix("# ").rstrip(".")
        elif line.startswith("id = "):
            found[line.partition('"')[2].rstrip('"')] = heading
    return found


def _line(claim: Claim, store: Store) -> str:
    finding = store.claim(claim.id)
    if finding is None:
        raise SystemExit(f"nothing is stored of the claim {claim.id}; run pytest --distbench --distbench-update suites")
    evidence = DETAILS.sub("", finding.evidence).replace("|", "\\|")
    verdict = finding.verdict if finding.verdict == "borne out" else f"**{finding.verdict}**"
    if finding.verdict == "borne out" and finding.p_value is not None and claim.id not in _after_holm(store):
        verdict += ", alone"
    return f"| {claim.statement} | {verdict} | {evidence} |"


def _after_holm(store: Store) -> list[str]:
    """Return the claims that intervals decide after Holm's correction for their number."""
    p_values = {claim.id: claim.p_value for claim in store.results.claims if claim.p_value is not None}
    return sorted(p_values, key=p_values.__getitem__)[: holm(p_values.values())]


def counts() -> str:
    """Return how many claims there are, and how many of each verdict."""
    store = read_store(store_path(CLAIMS))
    found = Counter(finding.verdict for finding in store.results.claims)
    verdicts = ", ".join(f"{number} {verdict}" for verdict, number in found.most_common())
    days = ", ".join(sorted(store.results.earlier))
    return f"**{len(store.results.claims)} claims: {verdicts}**; {holm_line(store.results.claims)} (stored {days})."


def sources() -> str:
    """Return the works that the claims cite, each once."""
    given = {REMARK.sub("", claim.source) for claim in read_suite(CLAIMS).claims}
    cited = {one for one in given if re.search(r"\(\d{4}\)", one)}
    whole = {one for one in cited if not any(other != one and other.startswith(one) for other in cited)}
    return "\n".join(f"- {source}" for source in sorted(whole, key=str.casefold))


def scores() -> str:
    """Return the mean scores of encoders over seeds, a table for each of `TABLES`."""
    return "\n\n".join(_table(name, size) for name, size in TABLES)


def overview() -> str:
    """Return the scores of the encoders in `ASKED` on every data set at every code size, one metric in each column."""
    heads = " | ".join(OVERVIEW.values())
    lines = [f"| data, code size | {heads} |", "|---" * (len(OVERVIEW) + 1) + "|"]
    for path in sorted(SUITES.glob("*.toml")):
        suite = read_suite(path)
        for size in suite.code_sizes:
            rows = _rows(path.stem, size)
            owns = [[row for row in rows if row.encoder == name] for name in ASKED]
            if not all(owns):
                continue
            cells = ("/".join(_cell(own, metric) for own in owns) for metric in OVERVIEW)
            lines.append(f"| {suite.dataset}, {size} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _rows(name: str, size: int) -> list[Row]:
    return [row for row in read_store(store_path(SUITES / f"{name}.toml")).results.rows if row.code_size == size]


def _table(name: str, size: int) -> str:
    rows = _rows(name, size)
    lines = [f"| {name}, code size {size} | {' | '.join(COLUMNS.values())} |", "|---" * (len(COLUMNS) + 1) + "|"]
    for encoder in _by_kind({row.encoder for row in rows}):
        own = [row for row in rows if row.encoder == encoder]
        shown = f"{encoder} (in sample)" if own[0].in_sample else encoder
        lines.append(f"| {shown} | {' | '.join(_cell(own, metric) for metric in COLUMNS)} |")
    return "\n".join(lines)


def _by_kind(encoders: set[str]) -> list[str]:
    """Return encoders as the table of `docs/encoders.md` lists them."""
    text = (ROOT / "docs" / "encoders.md").read_text(encoding="utf-8")
    first_cells = " ".join(re.findall(r"^\| (`.*?) \|", text, re.MULTILINE))
    listed = list(dict.fromkeys(re.findall(r"`(\w+)`", first_cells)))
    return sorted(encoders - {"identity"}, key=lambda name: (listed.index(name.removesuffix("_extended")), name))


def _cell(rows: list[Row], metric: str) -> str:
    value = mean_of([float(row.value) for row in rows if row.metric == metric])
    return f"{value:.{4 if CLOSE_TO_1 <= value < 0.99995 else 3}f}".replace("0.", ".", 1)


PARTS = {
    ("answer.md", "overview"): overview,
    ("answer.md", "counts"): counts,
    ("answer.md", "claims"): claims,
    ("answer.md", "sources"): sources,
    ("encoders.md", "scores"): scores,
}

if __name__ == "__main__":
    raise SystemExit(main())
