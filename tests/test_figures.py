from __future__ import annotations

import re
from xml.etree import ElementTree

import numpy as np
import pytest
from frameworks import needs

import distbench
from distbench.render.drawing import COLORS, EDGES, IDEAL, NAME
from distbench.render.pictures import KINDS, picture_svg
from distbench.results.diagrams import diagrams_of

pytestmark = needs("matplotlib")

SVG = "{http://www.w3.org/2000/svg}"
RNG = np.random.default_rng(5)
X = RNG.normal(size=(1200, 6))


def made(codes, labels=None, **options):
    return diagrams_of(distbench.evaluate_codes(X[: len(codes)], codes, **{"k": 5, **options}), labels=labels)


@pytest.fixture(scope="module")
def many():
    return made(X[:, :3] @ RNG.normal(size=(3, 3)), labels=RNG.choice(["a<b", "$x$ & y", "c\x00\u2028"], 1200))


@pytest.mark.parametrize("kind", KINDS)
def test_small_the_same_each_time_and_at_home_in_a_page_with_a_strict_policy(kind, many):
    text = picture_svg(many, kind, "p1")
    assert text == picture_svg(many, kind, "p1")
    assert len(text.encode()) < 60_000
    root = ElementTree.fromstring(text)
    assert root.attrib["role"] == "img"
    assert many["encoder"] in root.attrib["aria-label"]
    assert not re.search(r"<style|<script|<!DOCTYPE|<\?xml|\son\w+=|background", text)
    assert re.findall(r"(?:href|src)=\"(?!#|data:image/png)[^\"]*", text) == []
    ids = re.findall(r'\sid="([^"]+)"', text)
    used = {name for pair in re.findall(r'url\(#([^)]+)\)|href="#([^"]+)"', text) for name in pair if name}
    assert used <= set(ids)
    assert len(ids) == len(set(ids)) > 0
    others = [picture_svg(many, other, "p2") for other in KINDS]
    assert set(ids).isdisjoint(re.findall(r'\sid="([^"]+)"', "".join(others))), "pictures of a page share no id"


def test_map_draws_every_point_once_in_its_color(many):
    root = ElementTree.fromstring(picture_svg(many, "points"))
    drawn = {}
    for path in root.iter(f"{SVG}path"):
        color = re.search(r"opacity: 0.85; stroke: (#\w+)", path.attrib.get("style", ""))
        if color:
            drawn[color[1]] = path.attrib["d"].count("M")
    scores = many["map"]["continuity"]
    counts = np.histogram(scores, [-np.inf, *EDGES, np.inf])[0].tolist()
    assert drawn == {color: count for color, count in zip(COLORS, counts, strict=True) if count}
    assert sum(drawn.values()) == 1000


def test_names_of_classes_stay_text(many):
    root = ElementTree.fromstring(picture_svg(many, "points"))
    names = [element.text for element in root.iter(f"{SVG}text") if NAME in element.attrib["style"]]
    assert sorted(names) == ["$x$ & y", "a<b", r"c\x00\u2028"]
    long = made(X[:30, :2], labels=["n" * 80] * 30)
    assert f">{'n' * 21}...<" in picture_svg(long, "points")


def test_the_ideal_line_is_missing_where_codes_coincide(many):
    def dashed(text):
        return [e for e in ElementTree.fromstring(text).iter(f"{SVG}path") if IDEAL in e.attrib.get("style", "")]

    assert len(dashed(picture_svg(many, "shepard"))) == 1
    assert dashed(picture_svg(made(np.zeros((30, 2))), "shepard")) == []


@pytest.mark.parametrize(
    ("codes", "options"),
    [
        (np.zeros((30, 2)), {}),
        (X[:30, :1], {}),
        (X[:30, :2] * 1e-12, {}),
        (X[:30, :2] * 1e12, {}),
        (np.repeat(X[:1, :2], 30, axis=0) + np.eye(30)[:, :2], {}),
        (X[:4, :2], {"k": 1, "metrics": ["stress"]}),
    ],
    ids=["collapsed", "one column", "tiny", "huge", "nearly collapsed", "few points, no scores"],
)
@pytest.mark.parametrize("kind", KINDS)
def test_odd_codes_can_be_drawn(kind, codes, options):
    ElementTree.fromstring(picture_svg(made(codes, **options), kind))


def test_curve_says_k_and_reaches_below_chance():
    worse = made(X[:60, ::-1] @ np.diag([50, 0, 0, 0, 0, 1e-9]))
    text = picture_svg(worse, "ranks")
    assert ">k = 5<" in text
    ElementTree.fromstring(text)


def test_a_code_far_out_leaves_the_others_room_on_the_map():
    from matplotlib.figure import Figure

    from distbench.render.drawing import draw_map

    codes = X[:100, :2].copy()
    axes = Figure().subplots()
    draw_map(axes, made(codes))
    (low, high), spread = axes.get_xlim(), np.ptp(codes[:, 0])
    assert low <= codes[:, 0].min() < codes[:, 0].max() <= high, "all are shown where none is far out"
    codes[0] = 1000
    axes = Figure().subplots()
    draw_map(axes, made(codes))
    assert np.diff(axes.get_xlim())[0] < 3 * spread
