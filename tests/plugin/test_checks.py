"""``distbench.checks``: many encoders in one test, each with a readable id."""

from __future__ import annotations

import json

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
    ids = [
        "named[[]principal]",
        "named[[]a/b c]",
        "own_names[[]5-PCA]",
        "own_names[[]9-first]",
        "own_names[[]5-Mine (2)]",
    ]
    result.stdout.fnmatch_lines_random([f"*::test_{name} PASSED*" for name in ids])
    result.stdout.fnmatch_lines_random(["test_named[[]principal] *continuity@10 *", "test_own_names[[]9-Mine (1)] *"])


def test_the_number_after_equal_names_makes_no_name_of_another_encoder():
    parameters = distbench.checks(["pca", "pca", "pca (2)", "umap"]).args[1]
    assert [parameter.id for parameter in parameters] == ["pca (1)", "pca (3)", "pca (2)", "umap"]


def test_marks_ids_and_options_of_single_encoders(run, pytester):
    body = """
import distbench as db

def signs(X):
    return (pca.transform(X) > 0).astype(np.uint8)

@db.checks({
    "sure": pca,
    "bits": dict(encoder=signs, distance_z="hamming", continuity=0.3, k=5),
    "first": pytest.param(first, marks=pytest.mark.xfail(raises=PreservationError, strict=True)),
    "first-again": pytest.param(dict(encoder=first, continuity=0.2), marks=[pytest.mark.slow]),
})
def test_named(distbench, encoder):
    report = distbench.check(encoder, X_test, reference=X_train, k=9, continuity=0.9)
    assert (report.k, report.distance_z) == ((5, "hamming") if encoder is signs else (9, "euclidean"))

broken = pytest.mark.xfail(raises=PreservationError, strict=True)

@db.checks({
    "added": pytest.param(dict(encoder=first, limits={"knn_recall@5": 0.01}), marks=broken),
    "instead": dict(encoder=first, limits={"continuity@10": 0.01}),
})
def test_limits(distbench, encoder):
    distbench.check(encoder, X_test, limits={"continuity": 0.999})

skipped = pytest.param(first, marks=pytest.mark.skip)

@db.checks([pytest.param(pca, id="caf\u00e9"), skipped, dict(encoder=pca, name="x")])
@pytest.mark.parametrize("times", [1, 2])
def test_list(distbench, encoder, times):
    distbench.evaluate(encoder, X_test)

@db.checks({"wrong": dict(encoder=first, distanz_z="hamming")})
def test_wrong(distbench, encoder):
    with pytest.raises(InputError, match="distanz_z: found no metric and no option of that name"):
        distbench.check(encoder, X_test, continuity=0.1)

def test_others(distbench):
    report = distbench.check(pca, X_test, continuity=0.1)
    assert report.encoder == "PCA"
"""
    pytester.makeini("[pytest]\nmarkers = slow\n")
    result = run(body, "--strict-markers", "--distbench-report=json:out.json", "-v")
    result.assert_outcomes(passed=10, xfailed=2, skipped=2)
    rows = json.loads((pytester.path / "out.json").read_text(encoding="utf-8"))["rows"]
    found = {(row["test"].partition("::")[2].partition("[")[0], row["encoder"]) for row in rows}
    named = {("test_named", name) for name in ("sure", "bits", "first", "first-again")}
    named |= {("test_limits", name) for name in ("added", "instead")}
    assert found == {*named, ("test_list", "caf\u00e9"), ("test_list", "x"), ("test_others", "PCA")}
    run(body, "-m", "slow").assert_outcomes(passed=1, deselected=13)


@pytest.mark.parametrize("call", ["lambda X: encoder(X), X_test", "db.evaluate(encoder, X_test)"])
def test_options_that_no_call_uses_fail_the_test(run, call):
    body = f"""
import distbench as db

@db.checks({{"mine": dict(encoder=first, continuity=0.99), "other": first}})
def test_it(distbench, encoder):
    distbench.check({call}, continuity=0.1)
"""
    result = run(body)
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["test_mine.py::test_it?mine?: its encoder has options of its own (continuity) that*"])


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"bits": {"distance_z": "hamming"}}, "found options without an encoder; give dict"),
        ([pytest.param("pca", 8)], "found a pytest.param of 2 values; give it one encoder"),
        ([pytest.param(id="none")], "found a pytest.param of 0 values; give it one encoder"),
    ],
)
def test_invalid_parameters(wrong, message):
    with pytest.raises(distbench.InputError, match=f"^encoders: {message}"):
        distbench.checks(wrong)


@pytest.mark.parametrize("nothing", [[], {}, "pca", 7])
def test_invalid_encoders(nothing):
    with pytest.raises(distbench.InputError, match=r"^encoders: found .*; give "):
        distbench.checks(nothing)
