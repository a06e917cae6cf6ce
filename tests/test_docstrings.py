"""Docstrings in the API reference document parameters, returned values, errors and sources."""

from __future__ import annotations

import ast
import doctest
import inspect
import pydoc
import re
import textwrap
from functools import cache
from pathlib import Path

import numpy as np
from frameworks import Lazy, dk, keras, needs

import distbench
from distbench.baselines import BASELINES

pytestmark = needs("keras", "tensorflow", "numpydoc")
numpydoc, validation = Lazy("numpydoc.docscrape"), Lazy("numpydoc.validate")

REFERENCE = Path(__file__).parents[1] / "docs" / "api.md"
DIRECTIVE = re.compile(r"^\.\. auto(module|class|function):: (\S+)(?:\n   (:members:)(.*))?", re.MULTILINE)
# numpydoc's codes: sections and their order, the summary line, parameters, what is returned and yielded.
CHECKED = {"GL05", "GL06", "GL07", "GL08", "SS03", "SS05", "SS06", "YD01", "RT01", "RT03"}
CHECKED |= {"PR01", "PR02", "PR03", "PR04", "PR07", "PR10"}
ARRAYS = re.compile(r"\b(nd)?array|\btensor")
YEAR = re.compile(r"\b(1[89]|20)\d\d\b")
NO_SOURCE = {
    "identity": "by definition",
    "isometry": "by definition; its layers cite theirs",
    "isometry_projection": "by definition; its layers cite theirs",
    "isometry_sigmoid": "by definition; its layers cite theirs",
    "distance_encoder": "made here; the forms of its loss are cited by PairwiseDistanceLoss",
    "pairwise_autoencoder": "made here; the forms of its loss are cited by PairwiseDistanceLoss",
    "sampled_pairs_autoencoder": "made here; the forms of its loss are cited by PairwiseDistanceLoss",
}
EXCEPTIONS: dict[str, str] = {
    "distbench.baselines._recipe.FittedEncoder: PR01": "a protocol, which nobody calls",
}
READERS = {  # the names that an example may use
    "np": np,
    "X_test": np.random.default_rng(0).normal(size=(40, 3)),
    "encode": lambda X: X[:, :2],
    "keras": keras,
}


def listed():
    """Yield the objects of the API reference, of its modules and classes the members that it asks for."""
    for kind, path, asked, members in DIRECTIVE.findall(REFERENCE.read_text(encoding="utf-8")):
        obj = pydoc.locate(path)
        names = members.strip().split(", ") if members else []
        if kind != "module":
            yield obj
        elif asked and not names:
            names = obj.__all__
        yield from (getattr(obj, name) for name in names)


@cache
def public():
    """Return every listed function and class by its path; they load Keras, which collecting tests must not do."""
    objects = [obj for obj in listed() if inspect.isroutine(obj) or inspect.isclass(obj)]
    paths = {f"{obj.__module__}.{obj.__qualname__}": inspect.unwrap(obj) for obj in objects}
    recipes = [inspect.unwrap(recipe.run) for recipe in BASELINES.values()]  # they take what Recipe.fit documents
    return {path: obj for path, obj in paths.items() if path.partition(".")[0] != "builtins" and obj not in recipes}


def raised(obj):
    """Return the names of the errors that the code of a function raises itself."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(obj)))
    except (OSError, TypeError):
        return set()
    calls = [node.exc for node in ast.walk(tree) if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call)]
    return {call.func.id for call in calls if isinstance(call.func, ast.Name) and call.func.id.endswith("Error")}


def faults(path, obj):
    """Yield what is missing in a docstring."""
    docs = inspect.getdoc(obj) or ""
    sections = numpydoc.NumpyDocString(docs)
    arguments = {} if inspect.isclass(obj) and issubclass(obj, (dict, Exception)) else inspect.signature(obj).parameters
    method = inspect.isroutine(obj) and "." in obj.__qualname__
    named = all(re.search(rf"\b{name}\b", docs) for name in arguments if name != "self")
    inherited = inspect.isclass(obj) and issubclass(obj, Exception) and "__init__" not in vars(obj)
    handed_on = any(argument.kind is argument.VAR_KEYWORD for argument in arguments.values())
    elsewhere = {  # parameters whose description refers to that of another function
        name.strip()
        for parameter in sections["Parameters"]
        for name in parameter.name.split(",")
        if " ".join(parameter.desc).startswith("As ")
    }
    excused = {
        "PR01": sections["Attributes"] or (method and named and not sections["Parameters"]) or inherited,
        "PR02": handed_on,
        "RT01": docs.startswith("Return "),
    }
    for code, text in validation.validate(path)["errors"]:
        if code in CHECKED and not excused.get(code) and not (code == "PR04" and text.split('"')[1] in elsewhere):
            yield f"{code} {text}"
    if inspect.isroutine(obj):
        yield from (f"raises {error}, and does not say so" for error in raised(obj) if not re.search(error, docs))
    for parameter in sections["Parameters"]:
        text = f"{parameter.type} {' '.join(parameter.desc)}"
        if ARRAYS.search(parameter.type) and "shape" not in text and parameter.name not in elsewhere:
            yield f"{parameter.name} is an array of no shape"


def test_public_names_say_what_goes_in_and_out_and_what_is_raised():
    wrong = [f"{path}: {fault}" for path, obj in public().items() for fault in faults(path, obj)]
    assert [line for line in wrong if not line.startswith(tuple(EXCEPTIONS))] == []
    stale = [path for path in EXCEPTIONS if not any(line.startswith(path) for line in wrong)]
    assert stale == [], "these need no exception any more"


def test_metrics_say_their_range_and_direction():
    wrong = []
    for name, metric in distbench.metrics.METRICS.items():
        sections = numpydoc.NumpyDocString(inspect.getdoc(getattr(distbench.metrics, name)))
        returns = " ".join("".join(value.desc) for value in sections["Returns"])
        low, high = (f"{end:g}" for end in metric.bounds)
        better = "larger" if metric.direction == "up" else "smaller"
        if not re.search(rf"In [(\[]{low}, {high}[)\]]; {better} is better", returns):
            wrong.append(f"{name}: {returns!r}, bounds {metric.bounds}, {metric.direction}")
    assert wrong == []


def test_metrics_and_baselines_cite_where_they_come_from():
    functions = {name: getattr(distbench.metrics, name) for name in distbench.metrics.METRICS}
    functions |= {name: recipe.run for name, recipe in BASELINES.items()}
    silent = {name for name, function in functions.items() if not YEAR.search(inspect.getdoc(function) or "")}
    assert silent == set(NO_SOURCE)


def test_examples_of_docstrings_print_what_they_show(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    finder = doctest.DocTestFinder(recurse=False, exclude_empty=True)
    examples = [test for path, obj in public().items() for test in finder.find(obj, path, globs={}) if test.examples]
    used_first = {"evaluate", "evaluate_codes", "compare", "hunt", "load_dataset", "fit_baseline", "stress"}
    assert used_first <= {example.name.rpartition(".")[2] for example in examples}
    output = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    for example in examples:
        example.globs |= {**READERS, **{name: getattr(dk, name) for name in distbench.keras.__all__}}
        runner.run(example, out=output.append, clear_globs=False)
    assert "".join(output) == ""
