"""Results with a bit of everything and with names that try to inject markup, for tests of pages."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
from small_reports import claim

import distbench
from distbench.results.diagrams import diagrams_of
from distbench.results.gates import compare_rows
from distbench.results.rows import failed_row, rows_of
from distbench.results.run import RunResults

EVIL = '<script>window.evil = 1</script><img src="http://evil.test/x.png" onerror="window.evil = 2">'
SCORES = {"first": 2, "second": 3, "third": 4}
"""Encoders that keep so many of six columns: the more, the better they are."""


@cache
def outcome() -> RunResults:
    rng = np.random.default_rng(11)
    X, X_ref = rng.normal(size=(60, 6)), rng.normal(size=(120, 6))
    labels = rng.choice([EVIL, "b"], 60)
    rows, diagrams = [], []
    for name, columns in SCORES.items():
        report = distbench.evaluate(lambda x, kept=columns: x[:, :kept], X, reference=X_ref, k=5, labels=labels)
        about = {"encoder": name, "dataset": "shapes", "code_size": 4, "test": f"suite.toml::{name}"}
        limits = {"continuity": 0.9, "stress": 0.2}
        rows += rows_of(report, **about, seconds=columns / 10, leave_one_out={"continuity"}, limits=limits, seed=0)
        if name != "first":
            diagrams.append(diagrams_of(report, **about, labels=labels, seed=0))
    rows = [replace(row, stored="2026-01-02") if row.encoder == "first" else row for row in rows]
    for number in range(2):
        found = distbench.evaluate(lambda x: x[:, :3], X, k=5, name=EVIL)
        rows += rows_of(found, test=f"test_mine.py::test_{number}[{EVIL}]", limits={"continuity": 0.5})
    about = {"dataset": "shapes", "code_size": 4, "k": 5, "m": 60, "M": 179, "test": "suite.toml::x"}
    rows.append(failed_row(EVIL, encoder=f"broken {EVIL}", **about))
    before = [replace(row, value=row.value + 0.5) if row.metric == "stress" else row for row in rows]
    texts = {"statement": f"Statement {EVIL}", "evidence": f"evidence {EVIL}"}
    return RunResults(
        rows=rows,
        environment={"date": "2026-01-02", "python": "3.12", "processor": EVIL},
        claims=[claim(f"claim-{verdict}", verdict, **texts) for verdict in ("borne out", "refuted")],
        diagrams=diagrams,
        comparison=compare_rows(before, rows, f"before {EVIL}.json"),
        broken=[f"continuity of {EVIL}: worse"],
        advice={("suite.toml::second", "second"): [f"next: try {EVIL}"]},
    )
