"""The example for GitHub Actions does what its README says: its command is run in a copy of its folder."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from distbench.results.file import read_results

EXAMPLE = Path(__file__).parents[2] / "examples" / "github-actions"
WORKFLOW = EXAMPLE / ".github" / "workflows" / "encoders.yml"


@pytest.fixture
def folder(tmp_path):
    shutil.copytree(EXAMPLE, tmp_path / "example", ignore=shutil.ignore_patterns("__pycache__", ".*_cache"))
    return tmp_path / "example"


def command():
    """Return the words of the workflow's pytest command."""
    match = re.search(r"run: >-\n((?: {10}.*\n)+)", WORKFLOW.read_text())
    return shlex.split(match[1].replace("\n", " "))


def run(folder, words):
    environment = {**os.environ, "GITHUB_STEP_SUMMARY": str(folder / "summary.md"), "COLUMNS": "120"}
    words = [sys.executable, "-m", *words, "-p", "no:cacheprovider"]
    return subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.nightly
def test_the_workflow_passes_on_what_is_stored_and_leaves_its_reports(folder):
    pytest.importorskip("jinja2")
    pytest.importorskip("matplotlib")
    done = run(folder, command())
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout
    stored, now = (read_results(folder / name).rows for name in ("results.json", "report/results.json"))
    assert [(row.encoder, row.metric) for row in now] == [(row.encoder, row.metric) for row in stored]
    summary = (folder / "summary.md").read_text()
    assert (
        summary.index("limits: 2 met") < summary.index("### Changes since") < summary.index("### digits, code size 8")
    )
    assert "<html" in (folder / "report" / "report.html").read_text()


def test_a_worse_encoder_fails_the_run_and_the_summary_says_so_first(folder):
    path = folder / "test_encoder.py"
    path.write_text(path.read_text().replace("PCA(code_size,", "PCA(code_size - 6,"))
    words = command()
    html = next(number for number, word in enumerate(words) if word.startswith("html:"))
    done = run(folder, [*words[: html - 1], *words[html + 1 :]])
    assert done.returncode == 1
    summary = (folder / "summary.md").read_text()
    gate, limit = summary.index("- continuity:25%: ours, digits, code size 8"), summary.index("### Broken limits")
    assert gate < limit < summary.index("### Changes since")


@pytest.mark.nightly
def test_the_command_that_stores_results_is_the_one_that_made_them(folder):
    (words,) = re.findall(r"```sh\n(.*)\n```", (folder / "README.md").read_text())
    before = json.loads((folder / "results.json").read_text())
    (folder / "results.json").unlink()
    assert run(folder, shlex.split(words)).returncode == 0
    after = json.loads((folder / "results.json").read_text())
    names = "encoder", "dataset", "code_size", "metric", "metric_version", "k", "m", "M", "direction", "test", "status"
    assert [[row[name] for name in names] for row in after["rows"]] == [
        [row[name] for name in names] for row in before["rows"]
    ]
    for row, stored in zip(after["rows"], before["rows"], strict=True):
        assert row["value"] == pytest.approx(stored["value"], rel=1e-3)
