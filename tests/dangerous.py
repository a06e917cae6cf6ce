"""What in a module's source could run data as code, or make objects of bytes.

Names are followed through imports and through ``name = module.function``. Not seen: names that are put together at
run time (``getattr(numpy, "lo" + "ad")``), and methods of objects whose class the source does not show, but for those
in ``METHODS``.
"""

from __future__ import annotations

import ast

__all__ = ["dangerous"]

MODULES = (
    *("pickle", "_pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve", "yaml", "jsonpickle"),
    *("runpy", "pty", "multiprocessing.reduction", "sklearn.externals", "sympy", "numexpr", "subprocess", "ctypes"),
)
"""Nothing of them is used."""
IMPORTED = ("code", "codeop", "imp", "pdb", "timeit")
"""Nor of these, whose names are words for other things too, so that imports of them alone are looked for."""
NAMES = {
    *("eval", "exec", "compile", "__import__", "__builtins__"),
    *("builtins.eval", "builtins.exec", "builtins.compile", "builtins.__import__"),
    *("os.system", "os.popen", "os.startfile"),
    *("torch.load", "torch.jit.load", "torch.hub.load", "tensorflow.saved_model.load", "pandas.eval"),
    *("importlib.import_module", "importlib.util.spec_from_file_location", "importlib.machinery.SourceFileLoader"),
    *("jinja2.Template", "pydoc.locate", "pkgutil.resolve_name", "numpy.core.multiarray._reconstruct"),
    "numpy._core.multiarray._reconstruct",
}
STARTS = ("os.exec", "os.spawn", "os.posix_spawn")
METHODS = {
    *("exec_module", "load_module", "enable_unsafe_deserialization", "from_string", "read_pickle", "to_pickle"),
    *("extractall", "model_from_json", "deserialize", "deserialize_keras_object"),
}
ALLOW_PICKLE = {"load", "save", "savez", "savez_compressed", "read_array", "write_array", "NpzFile"}
"""Of numpy: only as calls that say ``allow_pickle=False``."""
REFUSED = {"allow_pickle": False, "shell": False, "safe_mode": True}
"""Words of any call, and the one value that they may have."""


def dangerous(tree: ast.AST) -> set[str]:
    """Return what a module has that could run data as code."""
    names = aliases(tree)
    calls = {id(node.func): node for node in ast.walk(tree) if isinstance(node, ast.Call)}
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            found |= {name for name in whole_names(node) if is_refused_import(name)}
        elif isinstance(node, ast.Name | ast.Attribute):
            found |= of_reference(node, resolved(node, names), calls.get(id(node)))
        elif isinstance(node, ast.Call):
            found |= {f"{word.arg}=" for word in node.keywords if is_wrong_word(word)}
    return found


def of_reference(node: ast.Name | ast.Attribute, name: str, call: ast.Call | None) -> set[str]:
    last = name.rpartition(".")[2]
    wrong = is_refused(name) or (isinstance(node, ast.Attribute) and last in METHODS)
    wrong |= name.startswith("numpy.") and last in ALLOW_PICKLE and not says(call, "allow_pickle", False)
    is_own = name == last or name.startswith("distbench.")
    wrong |= last == "load_model" and not is_own and not says(call, "safe_mode", True)
    wrong |= last == "eval" and call is not None and bool(call.args or call.keywords)  # of a table; a model's has none
    return {name} if wrong else set()


def says(call: ast.Call | None, word: str, value: object) -> bool:
    """Say whether a call has a word with just this value, and no words that come from elsewhere."""
    if call is None:
        return False
    return any(one.arg == word and getattr(one.value, "value", None) is value for one in call.keywords)


def is_wrong_word(word: ast.keyword) -> bool:
    if word.arg is None and isinstance(word.value, ast.Dict):
        keys = {getattr(key, "value", None) for key in word.value.keys}
        return bool(keys & set(REFUSED))
    return word.arg in REFUSED and getattr(word.value, "value", None) is not REFUSED[word.arg]


def is_module(name: str) -> bool:
    return any(name == module or name.startswith(f"{module}.") for module in MODULES)


def is_refused(name: str) -> bool:
    return is_module(name) or name in NAMES or name.startswith(STARTS)


def is_refused_import(name: str) -> bool:
    return is_refused(name) or name.partition(".")[0] in IMPORTED or name.rpartition(".")[2] in METHODS


def whole_names(node: ast.Import | ast.ImportFrom) -> set[str]:
    if isinstance(node, ast.Import):
        return {one.name for one in node.names}
    return set() if node.level else {f"{node.module}.{one.name}" for one in node.names}


def imported(node: ast.Import | ast.ImportFrom) -> dict[str, str]:
    """Return the names that an import makes, and what they are names of."""
    if isinstance(node, ast.ImportFrom):
        return {} if node.level else {one.asname or one.name: f"{node.module}.{one.name}" for one in node.names}
    whole = [one.name if one.asname else one.name.partition(".")[0] for one in node.names]
    return {one.asname or name: name for one, name in zip(node.names, whole, strict=True)}


def aliases(tree: ast.AST) -> dict[str, str]:
    names = {"np": "numpy", "pd": "pandas", "tf": "tensorflow"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names |= imported(node)
    return names


def resolved(node: ast.expr, names: dict[str, str]) -> str:
    """Return the whole name of what is read: ``np.load`` is ``numpy.load``; the last part alone of what is no name."""
    if isinstance(node, ast.Name):
        return names.get(node.id, node.id)
    if isinstance(node, ast.Attribute):
        return f"{resolved(node.value, names)}.{node.attr}"
    return "?"
