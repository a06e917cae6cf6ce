from __future__ import annotations

import re
from xml.etree import ElementTree

import numpy as np
import pytest
from frameworks import needs

import distbench
from distbench import MissingDependencyError
from distbench.render.diagrams import diagrams_of
from distbench.render.figures import BINS, curve_svg, map_svg, shepard_svg

pytestmark = needs("matplotlib")

SVG = "{http://www.w3.org/2000/svg}"
FIGURES = [shepard_svg, map_svg, curve_svg]
RNG = np.random.default_rng(5)
X = RNG.normal(size=(1200, 6))


def made(codes, labels=None, **options):
    return diagrams_of(distbench.evaluate_codes(X[: len(codes)], codes, k=5, **options), labels=labels)


@pytest.fixture(scope="module")
def many():
    return made(X[:, :3] @ RNG.normal(size=(3, 3)), labels=RNG.choice(["a<b", "$x$ & y", "c\x00\u2028"], 1200))


@pytest.mark.parametrize("figure", FIGURES)
def test_small_and_the_same_each_time(figure, many):
    text = figure(many, "p1")
    assert text == figure(many, "p1")
    assert len(text.encode()) < 60_000
    root = ElementTree.fromstring(text)
    assert root.attrib["role"] == "img"
    assert many["encoder"] in root.attrib["aria-label"]
    assert "width" not in root.attrib


@pytest.mark.parametrize("figure", FIGURES)
def test_stands_in_a_page_with_a_strict_policy(figure, many):
    text = figure(many, "p1")
    assert not re.search(r"\sstyle=|<style|<script|<!DOCTYPE|<\?xml|\son\w+=", text)
    outside = re.findall(r"(?:href|src)=\"(?!#|data:image/png)[^\"]*", text)
    assert outside == []
    assert "background" not in text


@pytest.mark.parametrize("figure", FIGURES)
def test_ids_are_those_that_are_used_and_have_the_prefix(figure, many):
    text = figure(many, "p1")
    ids = set(re.findall(r'\sid="([^"]+)"', text))
    used = set(re.findall(r'url\(#([^)]+)\)|href="#([^"]+)"', text))
    used = {name for pair in used for name in pair if name}
    assert ids == used
    assert all(name.startswith("p1") for name in ids)
    assert ids.isdisjoint(re.findall(r'\sid="([^"]+)"', figure(many, "p2")))


def test_map_draws_every_point_once_in_its_colour(many):
    root = ElementTree.fromstring(map_svg(many))
    drawn = {}
    for path in root.iter(f"{SVG}path"):
        for name in path.attrib.get("class", "").split():
            if name.startswith("s-bin"):
                drawn[name] = path.attrib["d"].count("h.01")
    scores = many["map"]["continuity"]
    edges = [-np.inf, *(upto for upto, _ in BINS)]
    wanted = {f"s-bin{place}": n for place, n in enumerate(np.histogram(scores, edges)[0].tolist()) if n}
    assert drawn == wanted
    assert sum(drawn.values()) == 1000


def test_names_of_classes_stay_text(many):
    root = ElementTree.fromstring(map_svg(many))
    names = [element.text for element in root.iter(f"{SVG}text") if "f-name" in element.attrib.get("class", "")]
    assert sorted(names) == ["$x$ & y", "a<b", "c??"]
    long = made(X[:30, :2], labels=["n" * 80] * 30)
    assert f">{'n' * 21}...<" in map_svg(long)


def test_the_ideal_line_is_missing_where_codes_coincide(many):
    def dashed(text):
        return [e for e in ElementTree.fromstring(text).iter(f"{SVG}path") if "s-ideal" in e.attrib.get("class", "")]

    assert len(dashed(shepard_svg(many))) == 1
    assert dashed(shepard_svg(made(np.zeros((30, 2))))) == []


@pytest.mark.parametrize(
    "codes",
    [
        np.zeros((30, 2)),
        X[:30, :1],
        X[:30, :2] * 1e-12,
        X[:30, :2] * 1e12,
        np.repeat(X[:1, :2], 30, axis=0) + np.eye(30)[:, :2],
    ],
    ids=["collapsed", "one column", "tiny", "huge", "nearly collapsed"],
)
@pytest.mark.parametrize("figure", FIGURES)
def test_odd_codes_can_be_drawn(figure, codes):
    ElementTree.fromstring(figure(made(codes)))


@pytest.mark.parametrize("figure", FIGURES)
def test_few_points_and_scores_of_none(figure):
    found = diagrams_of(distbench.evaluate_codes(X[:4], X[:4, :2], k=1, metrics=["stress"]))
    ElementTree.fromstring(figure(found))


def test_curve_says_k_and_reaches_below_chance():
    worse = made(X[:60, ::-1] @ np.diag([50, 0, 0, 0, 0, 1e-9]))
    text = curve_svg(worse)
    assert ">k = 5<" in text
    ElementTree.fromstring(text)


def test_without_matplotlib(many, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    with pytest.raises(MissingDependencyError, match=r'pip install "distbench\[report\]"'):
        shepard_svg(many)
