"""Packages that add to distbench by entry points: those of docs/extending.md, and ones that are broken."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
from suite_texts import SMALL

import distbench
from distbench._util.registry import EntryPointTable, PluginWarning, _points
from distbench.errors import DatasetError, InputError
from distbench.metrics import METRICS, Cases, Metric, adopt, knn_recall, point_metric

PAGE = (Path(__file__).parents[1] / "docs/extending.md").read_text(encoding="utf-8")
BLOCKS = dict(re.findall(r"```python\n# my_package/(\w+)\.py\n(.*?)```", PAGE, re.DOTALL))
GROUPS = tomllib.loads(re.search(r"```toml\n(.*?)```", PAGE, re.DOTALL)[1])["project"]["entry-points"]
RNG = np.random.default_rng(2)
X, X_REF = RNG.normal(size=(120, 6)), RNG.normal(size=(150, 6))


def install(folder, groups, package="my-package"):
    """Put a package's metadata into a folder, as an installer does."""
    info = folder / f"{package.replace('-', '_')}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n", encoding="utf-8")
    lines = [f"[{group}]\n" + "\n".join(f"{k} = {v}" for k, v in points.items()) for group, points in groups.items()]
    (info / "entry_points.txt").write_text("\n".join(lines), encoding="utf-8")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Return a folder with the package of the page."""
    folder = tmp_path_factory.mktemp("site")
    install(folder, GROUPS)
    (folder / "my_package").mkdir()
    (folder / "my_package/__init__.py").touch()
    for name, text in BLOCKS.items():
        (folder / f"my_package/{name}.py").write_text(text, encoding="utf-8")
    return folder


def run_python(site, *arguments, cwd=None):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")])}
    environment |= {"PYTEST_ADDOPTS": "-p no:cacheprovider", "COLUMNS": "200"}
    command = [sys.executable, *arguments]
    return subprocess.run(command, env=environment, cwd=cwd, capture_output=True, text=True, timeout=300, check=False)


USING = """
import json, sys
import distbench
assert not any(name.startswith(("my_package", "importlib.metadata")) for name in sys.modules)
data = distbench.load_dataset("rings")
assert "my_package.metrics" not in sys.modules
encoder = distbench.fit_baseline("whitened_pca", data.train, code_size=2)
from distbench.suites.recipe_hash import recipe_hash
from distbench.metrics import METRICS
report = distbench.evaluate(encoder, data.test, reference=data.train, metrics=["continuity", "nearest_kept"])
score = report["nearest_kept"]
try:
    report.check(nearest_kept=1.5)
except distbench.InputError as error:
    refused = str(error)
sizes = len(data.train), len(data.test), len(data.sha256), len(recipe_hash("whitened_pca"))
print(json.dumps([sizes, [score.low, score.value, score.high], list(METRICS)[-1], refused]))
"""


def test_metric_data_set_and_baseline_of_a_package_work_like_ours(site):
    assert all(2 <= len([line for line in text.splitlines() if line.strip()]) <= 15 for text in BLOCKS.values())
    done = run_python(site, "-c", USING)
    assert done.returncode == 0, done.stderr
    sizes, (low, value, high), last, refused = json.loads(done.stdout)
    assert (sizes, last) == ([320, 80, 64, 64], "nearest_kept")
    assert 0 <= low < value <= high <= 1
    assert refused == "nearest_kept: found the limit 1.5; pass one between 0 and 1"


SUITE = (
    SMALL.replace("swiss_roll", "rings")
    + """
[[encoder]]
name = "white"
recipe = "whitened_pca"
limits = { continuity = 0.5, nearest_kept = 0.01 }
"""
)
MARKED = """
import pytest
@pytest.mark.distbench(dataset="rings", code_size=2, limits={"nearest_kept": 0.01})
def test_white(distbench):
    distbench.check("whitened_pca")
"""


def test_pytest_takes_them_in_suites_limits_markers_and_reports(site, tmp_path):
    (tmp_path / "mine.toml").write_text(SUITE, encoding="utf-8")
    (tmp_path / "test_mine.py").write_text(MARKED, encoding="utf-8")
    (tmp_path / "distbench.csv").write_text("test,encoder,metric,value\nold,old,old,1\n", encoding="utf-8")
    options = ["--distbench-encoder", "other=pca", "--distbench-limit", "nearest_kept:0.01"]
    options += ["--distbench-report=csv", "--distbench-report=csv:test_mine.py"]
    done = run_python(site, "-m", "pytest", ".", "mine.toml", *options, cwd=tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    assert (done.stdout.count("NOT WRITTEN"), " failed" in done.stdout) == (1, False), done.stdout
    assert "test_mine.py exists and is another kind of file; name another file" in done.stdout
    assert (tmp_path / "test_mine.py").read_text(encoding="utf-8") == MARKED
    lines = (tmp_path / "distbench.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "test,encoder,metric,value"
    measured = {line.split(",")[1] for line in lines[1:] if ",nearest_kept," in line}
    assert measured == {"whitened_pca", "other", "white"}
    done = run_python(site, "-m", "pytest", "--distbench-report=cvs", "-q", cwd=tmp_path)
    assert done.returncode == 4
    assert "no report is called 'cvs'; did you mean 'csv'?" in done.stderr


BRINGING = """
import sys
from distbench.metrics import point_metric
mine = point_metric(direction="up", default=True)(lambda cases: cases.Z[:, 0])

def leaves(outcome):
    outcome.rows.clear()
    sys.exit(0)
"""
BROKEN_LIMIT = """
import numpy as np
def test_it(distbench):
    distbench.check(lambda X: X[:, :2], np.random.default_rng(0).normal(size=(60, 5)), continuity=0.999)
"""


@pytest.fixture
def bringing(tmp_path):
    """Return a folder with a package whose metric is measured everywhere and whose report ends the process."""
    groups = {"distbench.metrics": {"mine": "bringing:mine"}, "distbench.reports": {"leaves": "bringing:leaves"}}
    install(tmp_path, groups, "bringing")
    (tmp_path / "bringing.py").write_text(BRINGING, encoding="utf-8")
    return tmp_path


def test_a_default_metric_of_a_package_makes_no_stored_row_stale(bringing):
    suite = Path(__file__).parents[1] / "suites/distbench_suites/digits.toml"
    done = run_python(bringing, "-m", "pytest", "--distbench", "-q", suite, "-k", "pca[8]")
    assert done.returncode == 0, done.stdout
    assert "stored" in done.stdout


@pytest.mark.nightly
def test_a_report_of_a_package_turns_no_run_green_and_changes_no_other_report(bringing):
    (bringing / "test_it.py").write_text(BROKEN_LIMIT, encoding="utf-8")
    options = ("--distbench-report=leaves:a.txt", "--distbench-report=json:b.json")
    done = run_python(bringing, "-m", "pytest", *options, cwd=bringing)
    assert done.returncode == 1
    assert "a.txt: SystemExit: 0" in done.stdout
    assert "1 failed" in done.stdout
    assert json.loads((bringing / "b.json").read_text())["rows"]


@pytest.mark.nightly
def test_suites_say_why_a_name_of_a_broken_package_stands_for_nothing(tmp_path):
    broken = {f"distbench.{kind}": {"mine": "no_such_module:it"} for kind in ("metrics", "datasets", "baselines")}
    install(tmp_path, broken, "broken")
    text = SUITE.replace("rings", "digits").replace("whitened_pca", "pca").replace(", nearest_kept = 0.01", "")
    for change in (('"digits"', '"mine"'), ('recipe = "pca"', 'recipe = "mine"'), ("continuity =", "mine =")):
        (tmp_path / "mine.toml").write_text(text.replace(*change), encoding="utf-8")
        done = run_python(tmp_path, "-m", "pytest", "--distbench", "mine.toml", cwd=tmp_path)
        assert "package broken: entry point 'mine' (no_such_module:it) of distbench." in done.stdout, change
        assert "Traceback" not in done.stdout


@pytest.fixture
def table(tmp_path, monkeypatch):
    """Return a function that installs packages with entry points, and returns a table of metrics that sees them."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def installed(**packages):
        (tmp_path / "c_bad_module.py").write_text("raise RuntimeError('no licence')", encoding="utf-8")
        (tmp_path / "c_fine_module.py").write_text(BRINGING, encoding="utf-8")
        for package, points in packages.items():
            install(tmp_path, {"distbench.metrics": points}, package)
        _points.cache_clear()
        return EntryPointTable("metric", "distbench.metrics", adopt, METRICS.builtin())

    yield installed
    _points.cache_clear()


def test_a_broken_package_gives_one_line_and_takes_no_other_down(table):
    metrics = table(bad={"bad": "c_bad_module:it", "gone": "no_such_module:it"}, fine={"fine": "c_fine_module:mine"})
    with pytest.warns(PluginWarning) as warnings:
        assert list(metrics)[-1] == "fine"
    assert [str(warning.message) for warning in warnings] == [
        "package bad: entry point 'bad' (c_bad_module:it) of distbench.metrics: cannot be loaded: "
        "raised RuntimeError: no licence (at c_bad_module.py:1); repair or uninstall the package",
        "package bad: entry point 'gone' (no_such_module:it) of distbench.metrics: cannot be loaded: "
        "No module named 'no_such_module'; repair or uninstall the package",
    ]
    assert (type(metrics["fine"]), metrics["fine"].name) == (Metric, "fine")
    with pytest.raises(InputError, match=r"bad: .*'bad'.*no licence"):
        _ = "bad" in metrics
    assert "other" not in metrics


def test_names_that_are_taken_are_refused(table):
    point = "c_fine_module:mine"
    metrics = table(first={"mine": point, "stress": point}, second={"mine": point})
    with pytest.warns(PluginWarning) as warnings:
        assert "mine" in metrics
    assert [str(warning.message).partition(" of ")[0] for warning in warnings] == [
        "package second: entry point 'mine' (c_fine_module:mine)",
        "package first: entry point 'stress' (c_fine_module:mine)",
    ]
    assert all("is taken; give it another" in str(warning.message) for warning in warnings)
    assert metrics["stress"] is METRICS["stress"]


@pytest.mark.parametrize(
    ("name", "target", "message"),
    [
        ("draws", "mine", "the name 'draws' is that of an option"),
        ("dataset", "mine", "the name 'dataset' is that of an option"),
        ("not-a-name", "mine", "cannot be written as a limit"),
        ("text", "__name__", "found str; give a metric made with distbench.metrics.point_metric"),
    ],
)
def test_what_cannot_be_a_metric_is_refused(table, name, target, message):
    metrics = table(package={name: f"c_fine_module:{target}"})
    with pytest.warns(PluginWarning, match=re.escape(message)):
        assert len(metrics) == len(METRICS)


def test_data_sets_of_a_package_are_checked():
    from distbench.datasets._dataset import DatasetEntry, _adopt

    def entry(made):
        return _adopt("mine", DatasetEntry("other", "here", "CC0", made))

    loaded = entry(lambda: (X.tolist(), [0, 1] * 60)).load()
    assert (loaded.name, loaded.train.shape, loaded.labels_test.dtype) == ("mine", (96, 6), np.int64)
    wrong = {
        "labels: found shape \\(2,\\) for 120 points": lambda: (X, [0, 1]),
        "return points and classes": lambda: X,
        "ZeroDivisionError": lambda: 1 / 0,
        "found 3 points": lambda: (X[:3], None),
        "NaN": lambda: (np.full((9, 2), np.nan), None),
    }
    for message, make in wrong.items():
        with pytest.raises(DatasetError, match=f"data set 'mine': .*{message}"):
            entry(make).load()


def of_test(function=None, **options):
    """Return a recall like ours."""

    def recall(cases):
        a, b = cases.distances()
        near = [np.argpartition(side, cases.k, axis=1)[:, : cases.k] for side in (a, b)]
        return [len(set(by_input) & set(by_code)) / cases.k for by_input, by_code in zip(*near, strict=True)]

    return point_metric(direction="up", bounds=(0, 1), **options)(function or recall)


def score_of(metric, monkeypatch, Z, **options):
    monkeypatch.setitem(METRICS._entries, "mine", adopt("mine", metric))
    Z_ref = options.pop("Z_ref", None)
    reference = None if Z_ref is None else (X_REF, Z_ref)
    return distbench.evaluate_codes(X, Z, reference=reference, k=5, metrics=["knn_recall", "mine"], **options)


@pytest.mark.parametrize(
    "options", [{}, {"Z_ref": X_REF[:, :3]}, {"Z_ref": X_REF[:, :3], "include_queries": False}, {"queries": 70}]
)
def test_a_copy_of_knn_recall_has_its_value_and_about_its_interval(monkeypatch, options):
    report = score_of(of_test(), monkeypatch, X[:, :3], **options)
    ours, mine = report["knn_recall"], report["mine"]
    assert mine.value == pytest.approx(ours.value)
    assert np.allclose(mine.points, ours.points)
    assert mine.leave_one_out.shape == mine.points.shape
    width = (mine.high - mine.low) / (ours.high - ours.low)
    assert 0.75 < width < 1.6  # of forty groups, the width is known to about a tenth


def test_independent_scores_have_the_interval_of_a_mean(monkeypatch):
    calls = []

    def first(cases: Cases):
        calls.append(len(cases.X))
        return 1 / (1 + np.exp(-cases.Z[:, 0]))

    score = score_of(of_test(first, independent=True), monkeypatch, X[:, :3])["mine"]
    assert calls == [120]
    assert np.allclose(score.leave_one_out, (score.points.sum() - score.points) / 119)
    ones = score_of(of_test(lambda cases: np.ones(len(cases.X))), monkeypatch, X[:, :3])["mine"]
    assert 0.9 < ones.low < ones.high == 1  # scores that all lie at a bound are not taken for certain


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda cases: 1 / 0, r"^metrics: mine raised ZeroDivisionError: division by zero \(at .*\); .* the function$"),
        (lambda cases: [1.0], r"returned shape \(1,\); return one score a test point"),
        (lambda cases: np.full(len(cases.X), 2.0), "returned 2 for test point 0; return finite numbers from 0 to 1"),
        (lambda cases: np.full(len(cases.X), np.nan), "returned nan for test point 0"),
    ],
)
def test_a_function_that_goes_wrong_is_one_line(monkeypatch, function, message):
    with pytest.raises(InputError, match=message):
        score_of(of_test(function), monkeypatch, X[:, :3])
    endless = point_metric(direction="up")(lambda cases: np.full(len(cases.X), np.inf))
    with pytest.raises(InputError, match=r"^metrics: mine returned inf .*; return finite numbers from -inf to inf"):
        score_of(endless, monkeypatch, X[:, :3])


def test_packed_bits_are_floats_in_a_users_metric_though_they_are_kept_as_bytes(monkeypatch):
    packed = np.packbits(X > 0, axis=1)
    difference = point_metric(direction="up")(lambda cases: cases.Z[:, 0] - 255)  # of bytes it would be at least 0
    report = score_of(difference, monkeypatch, packed, distance_z="packed_hamming")
    assert report["mine"].value == pytest.approx(packed[:, 0].mean() - 255)
    assert report.clouds.Z.dtype == np.uint8


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"direction": "more"}, "direction"),
        ({"direction": "up", "bounds": (1, 0)}, "bounds"),
        ({"direction": "up", "bounds": 3}, "bounds"),
        ({"direction": "up", "bounds": (0, 1), "chance": 2}, "chance"),
        ({"direction": "up", "version": 0}, "version"),
    ],
)
def test_arguments_of_a_metric_are_checked(options, name):
    with pytest.raises(InputError, match=f"^{name}: found"):
        point_metric(**options)


def test_its_chance_is_that_of_shuffled_codes(monkeypatch):
    from distbench.inference.chance import chance

    monkeypatch.setitem(METRICS._entries, "mine", adopt("mine", of_test()))
    shuffled = chance(X, X[:, :3], "mine", k=5)
    assert shuffled == pytest.approx(5 / 119, abs=0.02)
    assert shuffled < knn_recall(X, X[:, :3], k=5)


@pytest.mark.parametrize("among", [True, False])
def test_distances_without_some_test_points_are_those_of_the_others(among):
    from scipy.spatial.distance import cdist

    cases = Cases(X, X[:, :3], X_REF, X_REF[:, :3], among, 5)
    whole = cases.distances()
    kept = np.delete(np.arange(len(X)), [0, 3, 50, 119])
    left = cases.without(np.array([3, 50, 119])).without(np.array([0])).distances()
    for side, (points, others) in enumerate(((X, X_REF), (X[:, :3], X_REF[:, :3]))):
        for place, row in enumerate(kept):
            own = [np.delete(cdist(points[[row]], points[kept])[0], place)] * among
            expected = np.concatenate([*own, cdist(points[[row]], others)[0]])
            np.testing.assert_allclose(left[side][place], expected, rtol=1e-12)
    assert all(map(np.array_equal, whole, cases.distances()))


def test_names_of_options_are_reserved():
    import inspect

    from distbench.metrics.user_metrics import RESERVED
    from distbench.suites.check_flow import check_encoder

    options = {*inspect.signature(distbench.evaluate).parameters, *inspect.signature(check_encoder).parameters}
    assert options - {"options"} <= RESERVED


def test_a_recipe_of_a_package_returns_an_encoder_as_all_recipes_do():
    from sklearn.decomposition import PCA

    from distbench.baselines import Recipe

    recipe = Recipe("mine", True, "PCA.", lambda X, code_size, seed, progress=None: PCA(code_size).fit(X))
    encoder = recipe.fit(X, 2)
    assert (encoder.name, encoder.n_components_) == ("mine", 2)
    assert np.array_equal(encoder.encode(X), encoder.transform(X))
    with pytest.raises(InputError, match="cannot encode with 'NoneType'"):
        Recipe("none", True, "Nothing.", lambda X, code_size, seed, progress=None: None).fit(X, 2)
