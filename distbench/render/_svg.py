"""From a matplotlib figure to an SVG that can stand inside a page: small, the same each time, coloured by the page.

A page's content policy forbids styles on elements, so each becomes attributes. Colours that have a role become a class
too, by which the page gives them another colour in the dark; the attribute is what an SVG alone shows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from io import StringIO
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from distbench._util.imports import require

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["as_svg"]

SVG, XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
HREF = f"{{{XLINK}}}href"
NUMBER = re.compile(r"-?\d+\.\d+(?:e-?\d+)?")
REFERENCE = re.compile(r"url\(#([^)]+)\)")
DOT = re.compile(r"M (\S+ \S+) L \1(?= M|$)")
TEXT_SIZE = re.compile(r"([\d.]+)px")
DROPPED = {"stroke-linejoin: round", "stroke-linejoin: miter", "stroke-linecap: butt", "text-anchor: start", ""}


def as_svg(figure: Figure, roles: Mapping[str, str], title: str, prefix: str) -> str:
    """Return a figure as SVG text.

    Parameters
    ----------
    figure : Figure
        Drawn without pyplot.
    roles : mapping of str to str
        Class names by colour, such as ``#0072b2``.
    title : str
        What is read out in place of the picture.
    prefix : str
        Of ids, which must not be those of another picture on the page.
    """
    root = ElementTree.fromstring(_drawn(figure))  # noqa: S314 - matplotlib has just written it
    for name in ("width", "height", "version"):
        root.attrib.pop(name, None)
    root.set("role", "img")
    root.set("aria-label", title)
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in (f"{{{SVG}}}metadata", f"{{{SVG}}}style"):
                parent.remove(child)
    _unused_ids(root, prefix)
    for element in root.iter():
        _plain(element, roles)
    _without_empty(root)
    ElementTree.register_namespace("", SVG)
    ElementTree.register_namespace("xlink", XLINK)
    return ElementTree.tostring(root, encoding="unicode")


def _drawn(figure: Figure) -> str:
    require("matplotlib")
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    out = StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "distbench"}):
        FigureCanvasSVG(figure)
        figure.savefig(out, format="svg", transparent=True, metadata={"Date": None})
    return out.getvalue()


def _unused_ids(root: ElementTree.Element, prefix: str) -> None:
    """Take away the ids that nothing refers to, and put the prefix before the others."""
    used = set()
    for element in root.iter():
        used |= {name for value in element.attrib.values() for name in REFERENCE.findall(value)}
        used |= {element.attrib[HREF][1:]} if element.attrib.get(HREF, "").startswith("#") else set()
    for element in root.iter():
        name = element.attrib.pop("id", "")
        if name in used:
            element.set("id", f"{prefix}{name}")
        if element.attrib.get(HREF, "").startswith("#"):
            element.set(HREF, f"#{prefix}{element.attrib[HREF][1:]}")
        for key, value in element.attrib.items():
            element.set(key, REFERENCE.sub(rf"url(#{prefix}\1)", value))


def _plain(element: ElementTree.Element, roles: Mapping[str, str]) -> None:
    """Turn an element's style into attributes and classes, and round its numbers."""
    for declaration in map(str.strip, element.attrib.pop("style", "").split(";")):
        if declaration in DROPPED or declaration.startswith("font-family"):
            continue
        name, _, value = (part.strip() for part in declaration.partition(":"))
        if name == "font":
            # The family is the page's.
            size = TEXT_SIZE.search(value)
            name, value = "font-size", size[1] if size else "10"
        element.set(name, value)
    classes = [f"{'f' if name == 'fill' else 's'}-{roles[color]}" for name, color in _colors(element) if color in roles]
    if classes:
        element.set("class", " ".join(classes))
    if element.attrib.get("transform", "").startswith("rotate(-0 "):
        del element.attrib["transform"]
    for name in ("d", "x", "y", "width", "height", "transform"):
        if name in element.attrib:
            element.set(name, _short(element.attrib[name]))
    if element.text and not element.text.strip():
        element.text = None
    element.tail = None


def _colors(element: ElementTree.Element) -> list[tuple[str, str]]:
    if element.tag == f"{{{SVG}}}text" and "fill" not in element.attrib:
        element.set("fill", "#000000")
    return [(name, element.attrib[name]) for name in ("fill", "stroke") if name in element.attrib]


def _short(numbers: str) -> str:
    """Round numbers; a line without length, which some browsers leave out, gets one that nobody sees."""
    text = " ".join(NUMBER.sub(_rounded, numbers).split())
    return DOT.sub(r"M\1h.01", text)


def _rounded(number: re.Match[str]) -> str:
    return f"{float(number[0]):.5f}".rstrip("0").rstrip(".") if abs(float(number[0])) < 0.01 else _two(number[0])


def _two(number: str) -> str:
    return f"{float(number):.2f}".rstrip("0").rstrip(".")


def _without_empty(root: ElementTree.Element) -> None:
    """Take away groups that hold nothing, and unwrap none: positions stay as they are."""
    for parent in reversed(list(root.iter())):
        for child in list(parent):
            if child.tag in (f"{{{SVG}}}g", f"{{{SVG}}}defs") and not len(child):
                parent.remove(child)
