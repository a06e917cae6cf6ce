"""``distbench.hunt`` of the fixture: limits, messages and counts."""

from __future__ import annotations

from pathlib import Path

BODY = """
import distbench as library
def halved(X):
    return X * [1, 1, 1, 1, 1, 0.5]

def lost(X):
    return X * [1, 1, 1, 1, 1, 0]

def test_met(distbench):
    hunt = distbench.hunt(halved, X_test, contraction=2.01, expansion=1.01, budget=2000)
    assert hunt.contraction > 1.99
    assert hunt.encoder == "halved"

def test_broken(distbench):
    distbench.hunt(lost, X_test, contraction=5, budget=2000, name="mine")

@pytest.mark.parametrize("options, message", [
    (dict(continuity=0.9), "continuity: is not a limit of hunts; pass expansion=, contraction= or both"),
    (dict(budgets=9), "budgets: is not an option of hunts; did you mean 'budget'"),
    (dict(contraction=-1), "contraction: found the limit -1; pass one between 0 and inf"),
    (dict(expansion="low"), "expansion: found the limit 'low'; pass a number"),
    (dict(), "limits: found none; pass expansion=, contraction= or both"),
    (dict(contraction=9, budget=3), "budget: found 3; pass a whole number, 200 or more"),
])
def test_refused(distbench, options, message):
    with pytest.raises(InputError) as raised:
        distbench.hunt(lost, X_test, **options)
    assert message in str(raised.value)

@pytest.mark.distbench(limits={"continuity": 0.5})
def test_marker(distbench):
    library.hunt(lost, X_test, budget=500)
"""


def test_hunts_in_tests(run):
    result = run(BODY, "--junitxml=junit.xml", "--verbosity=0")
    result.assert_outcomes(passed=7, failed=2)
    result.stdout.fnmatch_lines(
        [
            "mine (codes of 6) does not meet 1 limit:",
            "  contraction = inf, limit at most 5",
            "    merged: inputs * apart, codes 0 apart; contraction inf, more than 1e+09 times *",
            "    shrunk: test point *, and the same with 1 of 6 numbers changed; *",
            "  to see it again (with encoder and X of the hunt):",
            "    # encoder = ...  # lost",
            "    pair = np.asarray(X)*",
            "    pair[[]1].flat[[]5] = *",
            "rerun: pytest --distbench test_mine.py::test_broken",
            "at test_mine.py:*",
            "*::test_marker: its marker has limits, but the test checked nothing;*",
            "2 checks: 1 met, 1 broken",
            "FAILED test_mine.py::test_broken - *mine: contraction = inf, limit at most 5",
        ]
    )
    for internal in ("_hunt.py", "_fixture.py", "Traceback"):
        result.stdout.no_fnmatch_line(f"*{internal}*")
    written = Path("junit.xml").read_text(encoding="utf-8")
    assert 'name="distbench.mine.hunt.contraction.verdict" value="broken"' in written
    assert 'name="distbench.halved.hunt.expansion.verdict" value="met"' in written
