"""``distbench.checks``: many encoders in one test, each with a readable id."""

from __future__ import annotations

import pytest

import distbench


def test_ids_and_leaderboards_have_the_names_of_encoders(run):
    body = """
import distbench as db

class Mine:
    def transform(self, X):
        return X[:, :2]

named = PCA(2).fit(X_train)

@db.checks({"principal": pca, "a/b c": first})
def test_named(distbench, encoder):
    distbench.check(encoder, X_test, reference=X_train, continuity=0.5)

@db.checks([pca, first, Mine(), Mine()])
@pytest.mark.parametrize("k", [5, 9])
def test_own_names(distbench, encoder, k):
    distbench.check(encoder, X_test, reference=X_train, k=k, continuity=0.3)

@pytest.mark.distbench(dataset="swiss_roll", code_size=2, limits={"continuity": 0.2})
@db.checks({"mine": "pca", "other": "random_projection"})
def test_recipes(distbench, encoder):
    distbench.check(encoder)
"""
    result = run(body, "-v")
    result.assert_outcomes(passed=12)
    result.stdout.fnmatch_lines(["swiss_roll, code size 2 *", "1 *other*", "2 *mine*"])
    ids = ["named[[]principal]", "named[[]a/b c]", "own_names[[]5-PCA]", "own_names[[]9-first]", "own_names[[]5-Mine2]"]
    result.stdout.fnmatch_lines_random([f"*::test_{name} PASSED*" for name in ids])
    result.stdout.fnmatch_lines_random(["*test_named[[]principal] principal *", "*own_names[[]9-Mine1] Mine1 *"])


@pytest.mark.parametrize("nothing", [[], {}, "pca", 7])
def test_invalid_encoders(nothing):
    with pytest.raises(distbench.InputError, match=r"^encoders: found .*; give "):
        distbench.checks(nothing)
