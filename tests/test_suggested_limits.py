"""Limits that a run suggests: far enough from its value, rounded, and compared with simple encoders."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

import distbench
from distbench.cli import main
from distbench.inference.suggestion import share_met, suggested_limit
from distbench.inference.verdicts import is_met

DIGITS = ("limits", "pca", "--dataset", "digits", "--code-size", "8")


@given(st.floats(0.05, 0.95), st.floats(1e-4, 0.02), st.sampled_from(["up", "down"]))
def test_a_limit_is_two_half_widths_off_and_rounded_to_the_loose_side(value, half, direction):
    limit = suggested_limit(value, value - half, value + half, direction, (0, 1))
    off = (value - limit if direction == "up" else limit - value) / half
    assert 2 - 1e-6 <= off <= 2.5 + 1e-6
    assert is_met(value, limit, direction)
    share = share_met(value, value - half, value + half, limit, direction)
    assert 0.997 < share < 0.9999


def test_without_an_interval_or_beyond_the_range_there_is_no_limit():
    assert suggested_limit(7.9, None, None, "down", (1, np.inf)) is None
    assert suggested_limit(np.inf, 3.0, np.inf, "down", (1, np.inf)) is None
    assert suggested_limit(0.1, 0.0, 0.3, "up", (0, 1)) is None
    assert suggested_limit(1.0, 1.0, 1.0, "up", (0, 1)) == 1
    assert suggested_limit(1.0, 1.0, 1.0, "down", (0, 1)) is None, "nothing breaks it"
    assert share_met(1.0, 1.0, 1.0, 1.0, "up") == 1


def test_the_share_is_that_of_repeated_runs():
    rng = np.random.default_rng(0)
    runs = rng.normal(0.9, 0.01, size=(20_000, 2))  # the value of this run and that of the next
    limits = [suggested_limit(value, value - 0.0196, value + 0.0196, "up", (0, 1)) for value in runs[:, 0]]
    shares = [
        share_met(value, value - 0.0196, None, limit, "up") for value, limit in zip(runs[:, 0], limits, strict=True)
    ]
    assert np.mean(runs[:, 1] >= limits) == pytest.approx(np.mean(shares), abs=0.002)


def test_the_command_prints_limits_that_can_be_pasted_and_that_the_encoder_meets():
    result = CliRunner().invoke(main, [*DIGITS, "--metrics", "continuity,knn_recall@20,distortion"])
    assert result.exit_code == 0
    assert "no limit for distortion: it has no interval\n" in result.stdout
    call = next(line.strip() for line in result.stdout.splitlines() if "distbench.check(" in line)
    limits = eval(f"dict({call.removeprefix('distbench.check(encoder, X_test, reference=X_train, ')}")
    assert set(limits) == {"continuity", "limits"}
    data = distbench.load_dataset("digits")
    encoder = distbench.fit_baseline("pca", data.train, code_size=8)
    metrics = ["continuity", "knn_recall@20"]
    report = distbench.evaluate(encoder, data.test, reference=data.train, metrics=metrics)
    assert set(report.verdicts(**limits).values()) == {"met"}
    assert f'distbench_limit = ["continuity:{limits["continuity"]:g}", "knn_recall@20:' in result.stdout


def test_limits_of_codes_that_coincide_come_with_the_notes_and_none_that_nothing_breaks(tmp_path):
    points = np.random.default_rng(0).normal(size=(60, 4))
    np.save(tmp_path / "X.npy", points)
    np.save(tmp_path / "Z.npy", 0 * points[:, :2])
    arguments = ["limits", "--codes", str(tmp_path / "Z.npy"), "--data", str(tmp_path / "X.npy")]
    text = CliRunner().invoke(main, arguments).stdout
    assert "note: 60 distinct test points have only 1 distinct codes" in text
    assert "scaled_stress<=" not in text.replace(" ", "")
    document = json.loads(CliRunner().invoke(main, [*arguments, "--json"]).stdout)
    assert [one["metric"] for one in document["limits"]] == ["continuity"]
    assert any("1 distinct codes" in note for note in document["notes"])


def test_the_document_says_which_simple_encoders_meet_the_limit_too():
    document = json.loads(CliRunner().invoke(main, [*DIGITS, "--json"]).stdout)
    assert [one["metric"] for one in document["limits"]] == ["continuity", "scaled_stress"]
    for one in document["limits"]:
        assert set(one["simple"]) == {"random_projection"}, "PCA is the encoder itself"
        assert one["met_by"] == []
    arguments = ["random_projection" if word == "pca" else word for word in DIGITS]
    document = json.loads(CliRunner().invoke(main, [*arguments, "--json"]).stdout)
    assert [one["met_by"] for one in document["limits"]] == [["pca"], ["pca"]]


def test_a_metric_that_needs_labels_hides_no_simple_encoder_of_the_others():
    arguments = ["random_projection" if word == "pca" else word for word in DIGITS]
    text = CliRunner().invoke(main, [*arguments, "--metrics", "continuity,label_agreement"]).stdout
    met_by = {line.split()[0]: line.split("%")[-1].split() for line in text.splitlines() if ">=" in line}
    assert met_by == {"continuity": ["pca", "(0.9964)"], "label_agreement": ["not", "measured"]}
