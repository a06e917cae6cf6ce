from __future__ import annotations

import json
from pathlib import Path

PASSING = """
def test_it(distbench):
    distbench.check(pca, X_test, reference=X_train, continuity=0.9)
"""
FAILING = """
def test_it(distbench):
    distbench.check(first, X_test, reference=X_train, k=7, continuity=0.99)
"""


def test_without_the_flag_tests_skip_with_the_reason_and_set_nothing_up(run):
    body = """
@pytest.fixture
def trained():
    raise RuntimeError("this would train for an hour")

def test_fixture(trained, distbench): ...

@pytest.mark.distbench(dataset="digits", code_size=2)
def test_marked(trained): ...

def test_asked_for_later(request):
    request.getfixturevalue("distbench")

def test_other(): ...
"""
    result = run(body, "-rs", "--strict-markers", "-W", "error", flag=False)
    result.assert_outcomes(skipped=3, passed=1)
    result.stdout.fnmatch_lines(["SKIPPED*needs --distbench"])
    result.stdout.no_fnmatch_line("*= distbench =*")


def test_a_kept_limit_passes(run):
    result = run(PASSING)
    assert result.ret == 0
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*= distbench =*", "test_it PCA *0.9??*", "1 check: 1 met"])


def test_a_broken_limit_fails_with_the_users_line_and_the_message_alone(run):
    result = run(FAILING)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "first *does not meet 1 limit*",
            "  continuity = 0.*limit at least 0.99*",
            "  *95% interval *",
            "  m = 60 test points, M = 259 candidates each, k = 7",
            "  near in input, torn apart in the codes (input -> codes):",
            "    test *: rank * -> *, distance * -> *",
            "  best baseline at code size 1: pca (fitted on the reference), continuity = 0.*",
            "next: *",
            "rerun: pytest --distbench test_mine.py::test_it",
            "at test_mine.py:14",
            "1 check: 1 broken",
            "FAILED test_mine.py::test_it - first: continuity = 0.*, limit at least*",
        ]
    )
    for internal in ("_fixture.py", "report.py", "def check", "Traceback"):
        result.stdout.no_fnmatch_line(f"*{internal}*")


def test_an_index_is_checked_as_an_encoder_is(run):
    body = """
from sklearn.neighbors import NearestNeighbors

def test_exact(distbench):
    index = NearestNeighbors().fit(X_train)
    distbench.check(index, X_test, reference=X_train, knn_recall=0.95)

def test_lost(distbench):
    index = NearestNeighbors(metric="chebyshev").fit(X_train)
    distbench.check(index, X_test, reference=X_train, k=5, limits={"knn_recall@1": 0.999})

def test_lost_by_the_search(distbench):
    index = NearestNeighbors(metric="chebyshev").fit(X_train)
    distbench.check(index, X_test, reference=X_train, codes=(X_test, X_train), knn_recall=0.999)
"""
    result = run(body)
    result.assert_outcomes(passed=1, failed=2)
    result.stdout.fnmatch_lines(
        [
            "NearestNeighbors does not meet 1 limit*",
            "  knn_recall@1 = 0.*limit at least 0.99*",
            "  m = 60 test points, M = 200 candidates each*",
            "next: search more of the index (*; take larger codes, *sort them again*; codes= tells *",
            "next: the search loses most (see the note): *",
            "test_lost *knn_recall@1 *! * >= 0.999*",
            "test_exact *knn_recall* 1.000 * >= 0.95*",
            "3 checks: 1 met, 2 broken",
            "FAILED test_mine.py::test_lost - NearestNeighbors: knn_recall@1 = *",
        ]
    )
    for wrong in ("*no score*", "*code size 64: *", "*look at these pairs*"):
        result.stdout.no_fnmatch_line(wrong)


def test_evaluate_and_check_take_the_same_options_and_return_a_report(run):
    body = """
from pytest_distbench import DistbenchFixture

labels, labels_train = X_test[:, 0] > 0, X_train[:, 0] > 0

def test_it(distbench):
    report = distbench.check(
        pca, X_test, reference=X_train, metrics="all", labels=labels, reference_labels=labels_train,
        distance_x="cityblock", confidence=0.8, kendall=0.1, label_agreement=0.5,
    )
    assert report.confidence == 0.8
    assert {"label_agreement", "reconstruction_mse", "kendall", "stress"} <= set(report)

def test_what_has_a_limit_is_measured(distbench):
    report = distbench.check(pca, X_test, kendall=0.1)
    assert {"kendall", "continuity", "stress"} <= set(report)
    assert "rnx_auc" not in report
    assert set(distbench.check(pca, X_test, metrics=["stress"], kendall=0.1)) == {"stress", "kendall"}
    assert distbench.check(pca, X_test, queries=30, precision={"continuity": 0.5}, continuity=0.5).m == 30

def test_evaluate(distbench: DistbenchFixture):
    assert isinstance(distbench, DistbenchFixture)
    report = distbench.evaluate(pca, X_test, reference=X_train, k=5, include_queries=False, name="my pca")
    assert (report.k, report.M, report.encoder) == (5, 200, "my pca")
    assert list(distbench.evaluate(pca, X_test, metrics=["stress"])) == ["stress"]
    assert distbench.check(pca, X_test, continuity=0.5)["continuity"].value > 0.5

writers = [f"writer {n // 5}" for n in range(len(X_test))]

@pytest.mark.distbench(groups=writers)
def test_groups(distbench):
    for report in (distbench.check(pca, X_test, continuity=0.5), distbench.evaluate(pca, X_test)):
        assert len(report.groups) == len(X_test) // 5
        assert report.by_group()[0].n == 5
    assert distbench.evaluate(pca, X_test, groups=writers[::-1]).groups.labels[0] == writers[-1]
    with pytest.raises(InputError, match="groups: found"):
        distbench.check(pca, X_test[1:], continuity=0.5)

def test_undecided(distbench):
    value = distbench.evaluate(pca, X_test)["continuity"].value
    distbench.check(pca, X_test, continuity=value)
    distbench.check(pca, X_test, continuity=value + 1e-6, undecided="pass")
    with pytest.raises(PreservationError, match="continuity"):
        distbench.check(pca, X_test, continuity=value, undecided="fail")
    with pytest.raises(InputError, match="undecided: found 'maybe'"):
        distbench.check(pca, X_test, continuity=value, undecided="maybe")

@pytest.mark.distbench(dataset="digits", code_size=2, limits={"label_agreement": 0.3})
def test_a_recipe(distbench):
    assert list(distbench.check("pca"))[-1] == "label_agreement"
    assert "rnx_auc" in distbench.evaluate("pca", metrics="all")
    with pytest.raises(InputError, match="confidence: given for a recipe"):
        distbench.check("pca", confidence=0.8)
"""
    result = run(body)
    result.assert_outcomes(passed=6)
    result.stdout.fnmatch_lines_random(["test_evaluate my pca *", "test_evaluate PCA *"])


def test_reports_and_codes_that_exist_already_are_checked(run, pytester):
    body = """
import distbench as db

report = db.evaluate(first, X_test, reference=X_train, k=7, metrics=["continuity", "kendall"], distance_x="cosine")

@pytest.mark.distbench(k=3, distance="cityblock", limits={"kendall": 0.1})
def test_report(distbench):
    assert distbench.check(report, continuity=0.1) is report
    assert distbench.evaluate(report, name="renamed").encoder == "renamed"

def test_codes(distbench):
    points = dict(reference=(X_train, X_train[:, :2]), k=7)
    of_codes = distbench.check_codes(X_test, X_test[:, :2], **points, continuity=0.1, kendall=0.1)
    same = distbench.evaluate(lambda X: X[:, :2], X_test, reference=X_train, k=7, metrics=list(of_codes), name="same")
    assert of_codes.as_dict() == same.as_dict()
    distbench.check_codes(X_test, X_test, name="all", continuity=1)

def test_broken_report(distbench):
    distbench.check(report, continuity=0.99)

def test_broken_codes(distbench):
    distbench.check_codes(X_test, X_test[:, :2], reference=(X_train, X_train[:, :2]), continuity=0.99)

OPTIONS = [{"k": 7}, {"reference": X_train}, {"distance_x": "cosine"}, {"metrics": ["stress"]}]

@pytest.mark.parametrize("option", OPTIONS)
def test_a_report_is_not_measured_again(distbench, option):
    (name,) = option
    with pytest.raises(InputError, match=f"{name}: given beside a report; leave it out"):
        distbench.check(report, continuity=0.1, **option)
    with pytest.raises(InputError, match="stress: found a limit, but it was not measured"):
        distbench.check(report, stress=1)

def test_codes_have_no_encoder(distbench):
    with pytest.raises(InputError, match="stochastic: given for ready codes; leave it out, or pass the encoder"):
        distbench.check_codes(X_test, X_test, stochastic=True, continuity=0.1)
    with pytest.raises(InputError, match="reference"):
        distbench.check_codes(X_test, X_test, reference=X_train, continuity=0.1)
"""
    result = run(body, "--distbench-report=json:out.json")
    result.assert_outcomes(passed=7, failed=2)
    result.stdout.fnmatch_lines(["first (codes of 1) does not meet 1 limit:", "rerun: pytest *::test_broken_report"])
    result.stdout.fnmatch_lines(["codes (codes of 2) does not meet 1 limit:", "rerun: pytest *::test_broken_codes"])
    result.stdout.fnmatch_lines(["test_mine.py::test_codes, code size 2 (k = 7*", "*codes *"])
    rows = json.loads((pytester.path / "out.json").read_text(encoding="utf-8"))["rows"]
    of_report = [row for row in rows if row["test"] == "test_mine.py::test_report"]
    assert {(row["encoder"], row["k"], row["distance"]) for row in of_report} == {
        ("first", 7, "cosine/euclidean"),
        ("renamed", 7, "cosine/euclidean"),
    }
    gate = (
        "--distbench-compare=out.json",
        "--distbench-compare-fail=continuity:25%",
        "-k",
        "test_codes or test_report",
    )
    assert run(body, *gate).ret == 0
    worse = body.replace("(X_train, X_train[:, :2])", "(X_train, X_train[:, 3:5])")
    result = run(worse.replace("continuity=0.1, kendall=0.1", "continuity=0.1"), *gate)
    broken = "continuity:25%: codes, test_mine.py::test_codes, code size 2: continuity * worse by *"
    result.stdout.fnmatch_lines([broken])


def test_a_recipe_is_fitted_and_evaluated_as_the_marker_says(run):
    body = """
class Mine:
    def fit(self, X, code_size, seed):
        assert X.shape == (1437, 64)
        self.seed = seed
        return PCA(code_size, random_state=seed).fit(X)

pytestmark = pytest.mark.distbench(dataset="digits", limits={"continuity": 0.9})

@pytest.mark.distbench(code_size=8, k=5)
def test_class(distbench):
    report = distbench.check(Mine)
    assert (report.k, report.m, report.M, report.code_size) == (5, 360, 1796, 8)

@pytest.mark.distbench(code_size=2, seed=4)
def test_object(distbench):
    mine = Mine()
    assert distbench.check(mine, name="an object").encoder == "an object"
    assert mine.seed == 4

@pytest.mark.distbench(code_size=2)
def test_baseline(distbench):
    distbench.check("pca", spearman=0.5)
    with pytest.raises(PreservationError, match="continuity"):
        distbench.check("pca", continuity=0.999)  # the call wins over the marker

@pytest.mark.distbench(code_size=2, k=4)
def test_marker_limits_hold_for_points_of_ones_own(distbench):
    assert distbench.check(pca, X_test).k == 4

@pytest.mark.distbench(code_size=2)
def test_errors(distbench):
    with pytest.raises(InputError, match="reference: given for a recipe"):
        distbench.check(Mine, reference=X_train)
    with pytest.raises(InputError, match="function has no fit.*pass the test points too"):
        distbench.check(first)
"""
    result = run(body, "--strict-markers")
    result.assert_outcomes(passed=5)
    result.stdout.fnmatch_lines(
        ["digits, code size 8 (k = 5, m = 360 test points, M = 1796 candidates)", "1  Mine *0.9??*"]
    )


def test_only_the_last_run_of_a_repeated_test_counts(run, pytester):
    pytester.makeconftest(
        """
        from _pytest.runner import runtestprotocol

        def pytest_runtest_protocol(item, nextitem):
            for report in runtestprotocol(item, nextitem=nextitem, log=False):
                report.outcome = "rerun"  # as pytest-rerunfailures logs what it runs again
                item.ihook.pytest_runtest_logreport(report=report)
            runtestprotocol(item, nextitem=nextitem)
            return True
        """
    )
    body = """
times = []

def test_it(distbench):
    times.append(1)
    distbench.check(first if len(times) == 1 else pca, X_test, reference=X_train, continuity=0.1)
"""
    run(body, "--distbench-report=json:out.json").assert_outcomes(passed=1)
    rows = json.loads((pytester.path / "out.json").read_text(encoding="utf-8"))["rows"]
    assert {row["encoder"] for row in rows} == {"PCA"}


def test_a_marker_with_limits_that_nothing_looked_at_fails(run):
    body = """
@pytest.mark.distbench(limits={"continuity": 0.1})
def test_forgot(distbench):
    pass

@pytest.mark.distbench(limits={"continuity": 0.1})
def test_no_fixture():
    pass

@pytest.mark.distbench(limits={"continuity": 0.1})
def test_measured(distbench):
    distbench.evaluate(first, X_test)

@pytest.mark.distbench(limits={"continuity": 0.1})
def test_checked(distbench):
    distbench.check(first, X_test)
"""
    result = run(body)
    result.assert_outcomes(passed=1, failed=3)
    fault = "its marker has limits, but the test checked nothing; *"
    result.stdout.fnmatch_lines_random([f"*::test_{name}: {fault}" for name in ("forgot", "no_fixture", "measured")])


def test_encoders_of_one_test_are_ranked_and_those_of_one_name_stay_apart(run):
    body = """
def test_ranked(distbench):
    for name, encoder in {"two": pca.transform, "naught": lambda X: 0 * X[:, :5]}.items():
        distbench.evaluate(encoder, X_test, reference=X_train, name=name)

def test_of_one_name(distbench):
    for columns in (2, 3, 3):
        distbench.check(lambda X: X[:, :2] * columns, X_test, continuity=0.1)
    distbench.check(lambda X: X[:, :2] * 2, X_test, stress=9)
"""
    result = run(body)
    result.assert_outcomes(passed=2)
    head = "test_mine.py::test_ranked, code size 5 (k = 10, m = 60 test points, M = 259*"
    result.stdout.fnmatch_lines([head, "1  two * 0.9?? * to *", "2  naught *"])
    result.stdout.fnmatch_lines_random(["1= *<lambda> *", "1= *<lambda> (2) *", "4 checks: 4 met"])
    result.stdout.no_fnmatch_line("*<lambda> (3)*")


def test_failures_notes_and_undecided_checks_in_all_reports(run):
    body = """
def boom(X):
    raise RuntimeError("out of order")  # its own line

class Boom:
    def fit(self, X, code_size, seed):
        raise RuntimeError("diverged")

def test_it(distbench):
    distbench.check(boom, X_test, continuity=0.1)

def test_codes(distbench):
    distbench.check(lambda X: X[:, :2] * np.nan, X_test, name="lost", continuity=0.1)

def test_others_frames(distbench):
    distbench.check(pca, X_test[:, :4], continuity=0.1)

def test_file(distbench):
    from pathlib import Path
    Path("half.keras").write_bytes(b"PK cut")
    distbench.check("half.keras", X_test, continuity=0.1)

def test_cautions(distbench):
    distbench.check(lambda X: X * 0.9, X_test, reference=X_test, name="whole", continuity=0.1)

def test_undecided(distbench):
    limit = distbench.evaluate(first, X_test)["continuity"].value - 1e-6
    distbench.check(first, X_test, continuity=limit, undecided="fail")

@pytest.mark.distbench(dataset="swiss_roll", code_size=2, limits={"continuity": 0.1})
def test_recipe(distbench):
    distbench.check(Boom)
"""
    result = run(body, "--distbench-report=md:r.md", "--distbench-report=html:r.html", "--distbench-report=json:r.json")
    result.assert_outcomes(failed=6, passed=1)
    result.stdout.fnmatch_lines([">*raise RuntimeError*# its own line"])
    text = result.stdout.str()
    for internal in ("site-packages", "sklearn/", "_keras_files.py", "zipfile"):
        assert internal not in text
    result.stdout.fnmatch_lines(["*the value itself is on the good side: fails because undecided='fail'"])
    result.stdout.fnmatch_lines(["next: evaluate more test points, *pass undecided='value'"])
    result.stdout.fnmatch_lines(["7 checks: 1 met, 1 undecided, 5 not evaluated (1 failed as undecided='fail' says)"])
    result.stdout.fnmatch_lines_random(["no score: test_mine.py::test_file half.keras: failed: *"])
    notes = ("codes have as many columns as the points", "60 of the 60 test points equal a reference point")
    for output in (text, *(Path(f"r.{kind}").read_text(encoding="utf-8") for kind in ("md", "html", "json"))):
        for note in notes:
            assert note in " ".join(output.split())
    result.stdout.fnmatch_lines(["no place: Boom: *RuntimeError: diverged"])
    result.stdout.fnmatch_lines_random(
        ["no score: test_mine.py::test_it boom: failed: RuntimeError: out of order", "no score: *::test_codes lost: *"]
    )


def test_names_that_are_no_plain_text_reach_files_and_other_processes(run, pytester):
    body = """
@pytest.mark.distbench(dataset=np.str_("swiss_roll"), code_size=2, limits={"continuity": 0.1})
def test_recipe(distbench):
    distbench.check("pca", name=np.str_("one"))

def test_it(distbench):
    distbench.check(first, X_test, name=5, continuity=0.1)
    distbench.check(first, X_test, name="half " + chr(0xD800), continuity=0.1)
"""
    result = run(body, "-n", "1", "--distbench-report=json:r.json")
    result.assert_outcomes(passed=2)
    assert result.ret == 0
    text = (pytester.path / "r.json").read_text(encoding="utf-8")
    assert all(f'"encoder": "{name}"' in text for name in ("one", "5", r"half \\ud800"))


def test_no_name_controls_the_terminal_or_a_ci_service(run):
    body = """
from distbench import checks

EVIL = "::error::x" + chr(27) + "[2J" + chr(13) + chr(10) + "##[error]y" + chr(0x202E)

def named(encode):
    encode.__name__ = EVIL
    return encode

def test_broken(distbench):
    distbench.check(named(lambda X: X[:, :1]), X_test, continuity=0.99, labels=[EVIL] * 60)

def test_failing(distbench):
    def fails(X):
        raise ValueError(EVIL)

    distbench.check(named(fails), X_test, continuity=0.99)

def test_hunt(distbench):
    distbench.hunt(named(lambda X: X[:, :1]), X_test, contraction=1.0, budget=500)

def test_print(distbench):
    print(distbench.evaluate(first, X_test, name=EVIL))
    assert False

@checks({EVIL: first, "vso ##vso[task.x]" + "z" * 99_999: first})
def test_ids(distbench, encoder):
    distbench.check(encoder, X_test, continuity=0.99)

@pytest.mark.parametrize("own", [5], ids=["##vso[task.x]"])
def test_own_id(distbench, own):
    distbench.check(first, X_test, continuity=0.99)
"""
    not_escaped = "disable_test_id_escaping_and_forfeit_all_rights_to_community_support=true"
    result = run(body, "--distbench-report=term:out.txt", "-p", "no:xdist", "-rN", "-o", not_escaped)
    result.assert_outcomes(failed=7)
    assert "rerun: pytest --distbench 'test_mine.py::test_own_id[#''#vso[task.x]]'" in result.stdout.str()
    for text in (result.stdout.str(), Path("out.txt").read_text(encoding="utf-8")):
        assert r"\x3a:error::x\x1b[2J\r\n\x23#[error]y\u202e" in text
        lines = [line for line in text.split("\n") if "EVIL = " not in line and "_ test_own_id[" not in line]
        assert all(map(str.isprintable, lines))
        assert not [line for line in lines if line.lstrip().startswith("::") or "##[" in line]


NOTED = """
def near(X):
    return 0.9 * X

@pytest.mark.parametrize("number", range(6))
def test_near(distbench, number):
    distbench.check(near, X_test + number, name=f"near {number}", continuity=0.5)

def test_both(distbench):
    distbench.check(near, X_test, name="near 6", continuity=0.5)
    distbench.check(near, 2 * X_test, name="near 7", continuity=0.5)
"""


def test_a_note_is_shown_once_a_run_with_a_count_and_can_be_silenced_by_its_code(run):
    text = " ".join(run(NOTED).stdout.str().split())
    assert text.count("codes have as many columns as the points") == 1
    assert "8 encoders (test_mine.py::test_both near 6, " in text
    assert "and 4 more): codes have as many columns" in text
    assert "pass only its encoder [code_size]" in text
    assert "as many columns" not in run(NOTED, "--distbench-silence=code_size").stdout.str()
    mistaken = run(NOTED, "--distbench-silence=code_sise")
    mistaken.stderr.fnmatch_lines(["*--distbench-silence: found 'code_sise'; did you mean 'code_size'?"])


def test_a_failure_names_what_is_better_in_the_run_and_never_the_encoder_itself(run):
    body = """
from sklearn.decomposition import KernelPCA

def test_better(distbench):
    distbench.check(lambda X: X[:, :5], X_test, reference=X_train, name="five", continuity=0.9)
    distbench.check(lambda X: X[:, [0, 0, 0, 0, 0]], X_test, reference=X_train, name="one", continuity=0.9)

def test_itself(distbench):
    distbench.check(PCA(2).fit(X_train), X_test, reference=X_train, continuity=0.99)
"""
    text = run(body).stdout.str()
    assert "better at code size 5: five (in this run), continuity = 0.9" in text
    assert "see how five does it (in this run)" in text
    assert "best baseline" not in text
    assert "PairwiseDistanceLoss" not in text


def test_the_command_that_reruns_a_failure_has_the_options_that_decide_it(run):
    result = run(FAILING.replace("continuity=0.99", "continuity=0.1"), "--distbench-limit", "continuity:0.99")
    result.stdout.fnmatch_lines(["rerun: pytest --distbench --distbench-limit=continuity:0.99 test_mine.py::test_it"])


EACH_K = """
def test_it(distbench):
    report = distbench.check(first, X_test, k=(5, 20), limits={"knn_recall@20": 0.1}, metrics=["continuity"])
    assert list(report) == ["continuity@5", "continuity@20", "knn_recall@20", "lcmc@7"]
    with pytest.raises(PreservationError, match="knn_recall@20 = .*limit at least 0.98"):
        distbench.check(first, X_test, k=(5, 20), limits={"knn_recall@20": 0.98})

@pytest.mark.distbench(k=(3, 9), limits={"continuity@9": 0.2})
def test_marked(distbench):
    assert "continuity@3" in distbench.check(first, X_test, metrics=["continuity"])
    assert "lcmc" in distbench.check_codes(X_test, first(X_test), k=7, name="codes")
"""


def test_limits_on_metrics_at_several_numbers_of_neighbors(run, pytester):
    pytester.makeini("[pytest]\ndistbench_limit = lcmc@7:-0.9\n")
    result = run(EACH_K, "--distbench-report=json:r.json", "--distbench-sort=continuity")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["4 checks: 3 met, 1 broken"])
    rows = json.loads(Path("r.json").read_text())["rows"]
    assert {(row["test"], row["metric"], row["k"]) for row in rows if row.get("limit") is not None} == {
        *[("test_mine.py::test_it", metric, 5) for metric in ("knn_recall@20", "lcmc@7")],
        *[("test_mine.py::test_marked", metric, 3) for metric in ("continuity@9", "lcmc@7")],
        *[("test_mine.py::test_marked", metric, 7) for metric in ("continuity@9", "lcmc@7")],
    }
    gate = ("--distbench-compare=r.json", "--distbench-compare-fail=continuity@20:5%")
    assert run(EACH_K, *gate).ret == 0
    worse = run(EACH_K.replace("first, X_test, k", "lambda X: X[:, :1].round(), X_test, name='first', k"), *gate)
    worse.stdout.fnmatch_lines(["continuity@20:5%: first, *continuity@20 0.* -> 0.*, worse by *%*"])
    wrong = run(EACH_K, "--distbench-limit=stress@3:1")
    wrong.stderr.fnmatch_lines(
        ["ERROR: --distbench-limit stress@3:1: stress@3: found no metric of that name; stress *"]
    )
    wrong = run(EACH_K.replace("k=(3, 9)", "k=(3, 0)"))
    wrong.stderr.fnmatch_lines(["*k is (3, 0); give an integer from 1, or several*"])


def test_pages_count_what_was_not_measured_and_say_if_the_run_was_cut(run, pytester):
    body = """
def test_a(distbench):
    distbench.check(lambda X: X[:, :2], X_test, continuity=0.1)

def test_b(distbench):
    distbench.check("", X_test, continuity=0.5)

def test_c(distbench):
    distbench.check(lambda X: X[:, :2], X_test, metrics="all", continuity=2)

def test_d():
    raise KeyboardInterrupt
"""
    run(body, "--distbench-report=md:r.md", "--distbench-report=html:r.html", "--distbench-report=json:r.json")
    page = (pytester.path / "r.md").read_text(encoding="utf-8")
    assert "**the run ended before its last test**; **2 checks not evaluated**; limits: 1 met" in page
    page = (pytester.path / "r.html").read_text(encoding="utf-8")
    assert all(text in page for text in ("run ended before the last test", "checks not evaluated"))
    rows = json.loads((pytester.path / "r.json").read_text(encoding="utf-8"))["rows"]
    assert "encoder" in {row["encoder"] for row in rows}  # without a name, the file could not be read
