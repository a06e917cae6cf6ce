"""Every public name has a docstring that says what goes in and out, what is raised, and where it comes from."""

from __future__ import annotations

import ast
import doctest
import importlib
import inspect
import re
import textwrap
from functools import cache

import numpy as np
from frameworks import Lazy, dk, keras, needs

import distbench
from distbench.baselines import BASELINES

pytestmark = needs("keras", "tensorflow", "numpydoc")
numpydoc, validation = Lazy("numpydoc.docscrape"), Lazy("numpydoc.validate")

CHECKED = {
    "GL05": "tabs",
    "GL06": "an unknown section",
    "GL07": "sections in another order",
    "GL08": "no docstring",
    "SS03": "a summary without a full stop",
    "SS05": "a summary that does not begin with an infinitive",
    "SS06": "a summary of more than one line",
    "PR01": "a parameter that is not described",
    "PR02": "a parameter that does not exist",
    "PR03": "parameters in another order",
    "PR04": "a parameter without a type",
    "PR07": "a parameter without a description",
    "PR10": "no blank before a colon",
    "RT01": "no section Returns",
    "RT03": "a return value without a description",
    "YD01": "no section Yields",
}
KERAS_CALLS = {  # by Keras, with what its own documentation says
    "build",
    "call",
    "compute_loss",
    "compute_output_shape",
    "get_config",
    "on_epoch_end",
    "on_train_begin",
    "set_model",
}
MODULES = {
    "distbench": distbench.__all__,
    "distbench.baselines": None,
    "distbench.datasets": None,
    "distbench.render.diagrams": None,
    "distbench.encoders": ("Encoder", "as_encoder"),
    "distbench.errors": None,
    "distbench.hunting": None,
    "distbench.inference.attainable": ("attainable",),
    "distbench.inference.chance": ("chance",),
    "distbench.inference.floors": ("check_floors", "floors"),
    "distbench.inference.intervals": None,
    "distbench.inference.verdicts": None,
    "distbench.keras": None,
    "distbench.results.leaderboard": None,
    "distbench.metrics": None,
    "distbench.results.run": None,
    "distbench.results.gates": None,
    "distbench.render.figures": None,
    "distbench.results.file": ("read_results", "write_results"),
    "distbench.strategies": None,
    "pytest_distbench": ("DistbenchFixture", "checks"),
}
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
    "distbench.keras._layers.OrthogonalProjection.build: raises": "its class says so; Keras calls it",
    "distbench.keras._layers.Reflection: PR01": "dtype is told of with **kwargs of Rotation",
    "distbench.keras._layers.Rotation: PR01": "dtype is told of with **kwargs",
}
READERS = {  # what a reader of an example has
    "np": np,
    "X_test": np.random.default_rng(0).normal(size=(40, 3)),
    "encode": lambda X: X[:, :2],
    "keras": keras,
}
ARRAYS = re.compile(r"\b(nd)?array|\btensor")


def of_public():
    """Yield the path and the object of every public name that has a docstring of its own, once."""
    seen = set()
    for name, names in MODULES.items():
        module = importlib.import_module(name)
        for one in names or module.__all__:
            found = getattr(module, one)
            if not inspect.isroutine(found) and not inspect.isclass(found):
                continue
            path = f"{found.__module__}.{found.__qualname__}"
            if path in seen or not path.startswith(("distbench", "pytest_distbench")):
                continue
            seen.add(path)
            yield path, found
            for base in found.__mro__ if inspect.isclass(found) else ():
                if base.__module__.startswith(("distbench", "pytest_distbench")):
                    yield from methods(base)


def methods(found):
    for name, member in vars(found).items():
        if not name.startswith("_") and inspect.isroutine(member) and not isinstance(member, staticmethod):
            yield f"{found.__module__}.{found.__qualname__}.{name}", inspect.unwrap(getattr(found, name))


@cache
def public():
    """Return every public name's path and object; they load Keras, which tests that are only collected do without."""
    return dict(of_public())


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
    method = inspect.isroutine(obj) and "." in obj.__qualname__
    terms = set() if inspect.isclass(obj) else set(inspect.signature(obj).parameters) - {"self"}
    brief = method and not sections["Parameters"] and all(re.search(rf"\b{name}\b", docs) for name in terms)
    refers = {
        name.strip()
        for one in sections["Parameters"]
        for name in one.name.split(",")
        if " ".join(one.desc).startswith("As ")
    }
    for code, told in validation.validate(path)["errors"]:
        if code not in CHECKED or (method and obj.__name__ in KERAS_CALLS and code in ("PR01", "RT01")):
            continue
        if code == "PR01" and sections["Attributes"]:
            continue  # of a data class
        if code == "PR02" and any(one.kind is one.VAR_KEYWORD for one in inspect.signature(obj).parameters.values()):
            continue  # handed on by **kwargs
        if (brief and code == "PR01") or (method and code == "RT01" and docs.startswith("Return ")):
            continue  # the first line says it
        if code == "PR04" and told.split('"')[1] in refers:
            continue
        yield f"{code} {told}"
    if inspect.isroutine(obj):
        yield from (f"raises {error}, and does not say so" for error in raised(obj) if not re.search(error, docs))
    for one in sections["Parameters"]:
        if ARRAYS.search(one.type) and "shape" not in f"{one.type} {' '.join(one.desc)}" and one.name not in refers:
            yield f"{one.name} is an array of no shape"


def test_public_names_say_what_goes_in_and_out_and_what_is_raised():
    wrong = [f"{path}: {fault}" for path, obj in public().items() for fault in faults(path, obj)]
    assert [line for line in wrong if not line.startswith(tuple(EXCEPTIONS))] == []
    stale = [path for path in EXCEPTIONS if not any(line.startswith(path) for line in wrong)]
    assert stale == [], "these need no exception any more"


def test_metrics_say_their_range_and_direction():
    wrong = []
    for name, metric in distbench.metrics.METRICS.items():
        sections = numpydoc.NumpyDocString(inspect.getdoc(getattr(distbench.metrics, name)))
        told = " ".join("".join(one.desc) for one in sections["Returns"])
        low, high = (f"{end:g}" for end in metric.bounds)
        better = "larger" if metric.direction == "up" else "smaller"
        if not re.search(rf"In [(\[]{low}, {high}[)\]]; {better} is better", told):
            wrong.append(f"{name}: {told!r}, bounds {metric.bounds}, {metric.direction}")
    assert wrong == []


def test_metrics_and_baselines_cite_where_they_come_from():
    named = {name: getattr(distbench.metrics, name) for name in distbench.metrics.METRICS}
    named |= {name: recipe.run for name, recipe in BASELINES.items() if recipe.run.__module__.startswith("distbench")}
    silent = {name for name, run in named.items() if not YEAR.search(inspect.getdoc(run) or "")}
    assert silent == set(NO_SOURCE)


def examples():
    finder = doctest.DocTestFinder(recurse=False, exclude_empty=True)
    for path, obj in public().items():
        yield from (test for test in finder.find(obj, path, globs={}) if test.examples)


def test_the_names_used_first_have_an_example():
    first = "evaluate", "evaluate_codes", "compare", "hunt", "load_dataset", "fit_baseline", "continuity", "stress"
    shown = {test.name.rpartition(".")[2] for test in examples()}
    assert set(first) <= shown


def test_examples_of_docstrings_print_what_they_show(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    told = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    for example in examples():
        example.globs |= {**READERS, "PairwiseDistanceLoss": dk.PairwiseDistanceLoss}
        runner.run(example, out=told.append, clear_globs=False)
    assert "".join(told) == ""
