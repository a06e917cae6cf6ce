"""Reports as pictures, in notebooks, as frames and in TensorBoard."""

from __future__ import annotations

import sys
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

import distbench
from distbench.errors import InputError, MissingDependencyError
from distbench.results.diagrams import diagrams_of

RNG = np.random.default_rng(1)
X = RNG.normal(size=(150, 5))
EVIL = "<script>alert(1)</script>"
KINDS = ["shepard", "points", "ranks"]


@pytest.fixture(scope="module")
def report():
    return distbench.evaluate_codes(X, X[:, :2], k=6, name=EVIL)


@pytest.fixture(scope="module")
def axes(report):
    pytest.importorskip("matplotlib")
    from matplotlib.figure import Figure

    drawn = Figure(figsize=(12, 4)).subplots(1, 3)
    assert report.plot(ax=drawn) is not None
    return dict(zip(KINDS, drawn, strict=True))


def test_pictures_hold_the_numbers_of_the_report(report, axes):
    found = diagrams_of(report)
    image = axes["shepard"].images[0].get_array()
    assert np.array_equal(np.asarray(image)[..., 3] > 0, np.array(found["shepard"]["counts"]) > 0)
    line = axes["shepard"].lines[0]
    assert line.get_ydata()[1] / line.get_xdata()[1] == pytest.approx(found["shepard"]["slope"])
    dots = np.concatenate([patch.get_path().vertices[::2] for patch in axes["points"].patches])
    assert sorted(map(tuple, dots)) == sorted(map(tuple, found["map"]["points"]))
    torn = [[*line.get_xydata().ravel()] for line in axes["points"].lines if len(line.get_xdata()) == 2]
    assert torn == [pair["line"] for pair in found["map"]["torn"]]
    curve = next(line for line in axes["ranks"].lines if len(line.get_xdata()) == len(found["curve"]["K"]))
    assert curve.get_ydata().tolist() == found["curve"]["kept"]


def test_titles_labels_and_legends(axes):
    titles = [ax.get_title("left").partition(": ") for ax in axes.values()]
    assert [title for title, *_ in titles] == ["Distances kept", "Where it breaks", "Neighbors kept"]
    assert len({name for *_, name in titles}) == 1
    assert axes["shepard"].get_xlabel() == "input distance (euclidean)"
    assert axes["ranks"].get_ylabel() == "kept beyond chance, R_NX(K)"
    assert [text.get_text() for text in axes["points"].get_legend().get_texts()] == [
        *("0.98 to 1", "0.95 to 0.98", "0.9 to 0.95", "0.8 to 0.9", "below 0.8"),
    ]


def test_curves_of_several_reports_have_names_and_colors(report):
    pytest.importorskip("matplotlib")
    from matplotlib.figure import Figure

    axes = Figure().subplots()
    for name in ("first", "second"):
        replace(report, encoder=name).plot("ranks", ax=axes)
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["first", "second"]
    assert len({line.get_color() for line in axes.lines if line.get_label() in ("first", "second")}) == 2
    assert axes.get_title("left") == "Neighbors kept"


def test_pyplot_makes_figures_only_without_axes(report):
    plt = pytest.importorskip("matplotlib.pyplot")
    from matplotlib.figure import Figure

    before = plt.get_fignums(), dict(plt.rcParams)
    own_axes = Figure().subplots()
    assert report.plot("ranks", ax=own_axes) is own_axes
    assert (plt.get_fignums(), dict(plt.rcParams)) == before
    every = report.plot(labels=["a"] * 150)
    one = report.plot("points")
    assert len(plt.get_fignums()) == len(before[0]) + 2
    assert every.shape == (3,)
    assert [text.get_text() for text in every[1].texts].count("a") == 1
    plt.close(every[0].figure)
    plt.close(one.figure)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kind": "rank"}, "kind: found 'rank'; did you mean 'ranks'"),
        ({"kind": 3}, "kind: found 3"),
        ({"ax": 3}, "ax: found 3; pass 3 axes"),
        ({"kind": "ranks", "ax": "x"}, "ax: found 'x'; pass the axes of one picture"),
        ({"labels": [1, 2]}, "labels: found 2 for 150 test points"),
    ],
)
def test_invalid_arguments_of_plot(report, arguments, message):
    plt = pytest.importorskip("matplotlib.pyplot")
    before = plt.get_fignums()
    with pytest.raises(InputError, match=message):
        report.plot(**arguments)
    assert plt.get_fignums() == before


def test_missing_packages_are_named(report, monkeypatch):
    calls = {
        "matplotlib": (report.plot, r'plot\(\) needs matplotlib.*pip install "distbench\[report\]"'),
        "pandas": (report.to_frame, r"to_frame\(\) needs pandas.*pip install pandas"),
    }
    for package, (call, message) in calls.items():
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, package, None)
            with pytest.raises(MissingDependencyError, match=message):
                call()


class Cells(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.rows, self.notes, self.tags, self._open = [], [], set(), None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        if tag == "tr":
            self.rows.append([])
        self._open = tag

    def handle_endtag(self, tag):
        self._open = None

    def handle_data(self, data):
        if self._open in ("td", "th"):
            self.rows[-1].append(data.strip())
        elif self._open == "li":
            self.notes.append(data)


def test_html_holds_the_printed_table_escaped(report):
    shown = replace(report.with_bounds(floors={"stress": 0.1}), notes=(f"mind {EVIL}",))
    found = Cells(shown._repr_html_())
    assert found.tags == {"div", "p", "table", "thead", "tbody", "tr", "th", "td", "ul", "li"}
    assert found.notes[0] == f"mind {EVIL}"
    assert found.rows[0] == ["metric", "better", "value", "95% interval", "chance", "floor"]
    for cells in found.rows[1:]:
        assert " ".join(cells) in " ".join(str(shown).split())
    assert len(found.rows) == 1 + len(report)
    assert "color:" not in shown._repr_html_()


def test_frame_has_a_row_a_metric(report):
    frame = report.with_bounds(floors={"stress": 0.1}).to_frame()
    assert frame.index.name == "metric"
    assert list(frame.index) == list(report)
    columns = ["value", "low", "high", "chance", "attainable", "floor", "direction", "draws"]
    assert list(frame.columns) == columns
    score = report["continuity"]
    assert list(frame.loc["continuity", columns[:4]]) == [score.value, score.low, score.high, score.chance]
    assert frame.dtypes[:6].eq("float64").all()
    assert frame["floor"].notna().sum() == 1
    assert np.isnan(frame.loc["distortion", "low"])
    assert frame.attrs["encoder"] == EVIL


def test_differences_print_as_a_table_and_are_still_a_dict(report):
    other = distbench.evaluate_codes(X, X[:, :3], k=6, name="three")
    found = distbench.compare(report, other)
    assert isinstance(found, dict)
    assert found["continuity"].better == "b"
    lines = str(found).splitlines()
    assert lines[0] == f"fitted encoders a = {EVIL}, b = three; m = 150 test points, M = 149 candidates each, k = 6"
    assert lines[2].split("  ")[0] == "metric"
    assert len(lines) == 4 + len(found)
    rows = Cells(found._repr_html_()).rows
    assert rows[0] == ["metric", "a", "b", "a - b", "95% interval", "better"]
    assert [" ".join(cells) for cells in rows[1:]] == [" ".join(line.split()) for line in lines[4:]]
    frame = found.to_frame()
    one = found["stress"]
    assert tuple(frame.loc["stress", ["value", "low", "high"]]) == (one.value, one.low, one.high)
    assert frame.loc["stress", "a"] - frame.loc["stress", "b"] == pytest.approx(one.value)
    assert frame.loc["stress", "better"] == one.better
    assert frame["better"].isna()["distortion"]


def scalars(folder):
    """Return what TensorBoard reads in a folder, as {tag: {step: value}}."""
    module = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    from tensorboard.util.tensor_util import make_ndarray

    found = module.EventAccumulator(str(folder))
    found.Reload()
    read = {}
    for tag in found.Tags()["tensors"]:
        read[tag] = {event.step: float(make_ndarray(event.tensor_proto)) for event in found.Tensors(tag)}
    for tag in found.Tags()["scalars"]:
        read[tag] = {event.step: event.value for event in found.Scalars(tag)}
    return read


def test_keras_hands_the_monitors_values_to_tensorboard(tmp_path):
    keras = pytest.importorskip("keras")
    pytest.importorskip("tensorflow")
    from distbench.keras import Autoencoder, PreservationMonitor

    points = X.astype("float32")
    model = Autoencoder(2, hidden=(4,))
    model.compile("adam", "mse")
    callbacks = [
        PreservationMonitor(points[:40], metrics=["continuity", "stress"]),
        PreservationMonitor(points[:40], metrics=["continuity"], prefix="kept_"),
        keras.callbacks.TensorBoard(tmp_path, write_graph=False),
    ]
    history = model.fit(points, points, epochs=2, verbose=0, callbacks=callbacks).history
    read = {"val_": scalars(tmp_path / "validation"), "kept_": scalars(tmp_path / "train")}
    for folder, tag, name in (
        ("val_", "epoch_continuity", "val_continuity"),
        ("val_", "epoch_stress", "val_stress"),
        ("kept_", "epoch_kept_continuity", "kept_continuity"),
    ):
        assert read[folder][tag] == {epoch: pytest.approx(v, rel=1e-6) for epoch, v in enumerate(history[name])}
