"""Codes that the processes of one run share, so that each recipe is fitted once on a machine.

Shared are the codes of the points and not the encoder, which would have to be pickled. What cannot be shared is fitted
in each process: no failure in here is one of a test.
"""

from __future__ import annotations

import contextlib
import inspect
import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

from distbench import errors
from distbench.errors import DistbenchError, InputError
from distbench.suites.recipes import Recipe, _Key

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Codes", "fit_key", "once"]


@dataclass(frozen=True)
class Codes:
    """What a fitted encoder made of a data set.

    Attributes
    ----------
    test, train : array
        Codes of the test and of the train points.
    seconds : float
        How long the fit took, in the process that made it.
    note : str
        What a reader of the scores must know of the encoder; mostly empty.
    """

    test: NDArray[np.floating]
    train: NDArray[np.floating]
    seconds: float
    note: str = ""


def fit_key(recipe: Recipe, data_sha256: str, code_size: int, seed: int, in_sample: bool) -> str:
    """Return a name for a fit that is the same in every process; empty where there is none.

    A baseline, ``module:object`` and a class of a module have one; an object, and a class that was made in a function
    or in ``__main__``, have not: another process cannot know that it has the same.
    """
    identity = _identity(recipe)
    if identity is None:
        return ""
    options = dict(recipe.options)
    told = json.dumps([identity, options, data_sha256, code_size, seed, in_sample], sort_keys=True)
    return sha256(told.encode()).hexdigest()


def _identity(recipe: Recipe) -> list[str] | None:
    given = recipe.key[0] if isinstance(recipe.key, tuple) else None
    if not isinstance(given, _Key):
        return None
    if isinstance(given.of, str):
        from distbench.suites.recipe_hash import recipe_hash

        try:
            return [given.of, recipe_hash(given.of)]
        except InputError:  # there is no source to tell it by
            return None
    return _identity_of_class(given.of) if isinstance(given.of, type) else None


def _identity_of_class(recipe: type) -> list[str] | None:
    module: Any = sys.modules.get(recipe.__module__)
    path = getattr(module, "__file__", None)
    if recipe.__module__ == "__main__" or path is None:
        return None
    found: Any = module
    for part in recipe.__qualname__.split("."):
        found = inspect.getattr_static(found, part, None)
    if found is not recipe:  # made in a function, or another has taken its name
        return None
    try:
        source = Path(path).read_bytes()
    except OSError:
        return None
    return [str(Path(path).resolve()), recipe.__qualname__, sha256(source).hexdigest()]


def once(folder: Path, key: str, make: Callable[[], Codes]) -> Codes:
    """Return what another process of this run has made under a key, or make it, for the others too.

    While one process makes it the others wait; where that one dies, the next goes ahead.

    Parameters
    ----------
    folder : Path
        Shared by the processes of one run, and by nothing else.
    key : str
        From :func:`fit_key`.
    make : callable
        Fits and encodes.

    Returns
    -------
    Codes

    Raises
    ------
    DistbenchError
        What ``make`` raised in another process, if it is one of ours; of others the text alone could be told, so
        that every process finds out for itself.
    """
    from filelock import FileLock

    path = folder / f"{key}.npz"
    found = _read(path)
    with contextlib.ExitStack() as stack:
        if found is None:
            with contextlib.suppress(OSError, NotImplementedError):  # without locks here, each process fits
                stack.enter_context(FileLock(folder / f"{key}.lock"))
            found = _read(path)
        if found is None:
            found = _made(make)
            _write(path, found)
    if isinstance(found, DistbenchError):
        raise found
    return found


def _made(make: Callable[[], Codes]) -> Codes | DistbenchError:
    try:
        return make()
    except DistbenchError as error:
        if not _is_ours(error):
            raise
        return error


def _is_ours(error: DistbenchError) -> bool:
    """Say whether type and text are all that there is to an error."""
    return getattr(errors, type(error).__name__, None) is type(error)


def _read(path: Path) -> Codes | DistbenchError | None:
    """Return what is there, None where nothing is or it cannot be read."""
    import numpy as np

    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            about = json.loads(stored["about"].tobytes())
            if "error" in about:
                raised: DistbenchError = getattr(errors, about["error"])(about["text"])
                return raised
            return Codes(stored["test"], stored["train"], about["seconds"], about["note"])
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        return None


def _write(path: Path, found: Codes | DistbenchError) -> None:
    """Leave it for the other processes, whole or not at all; where that cannot be, each fits for itself."""
    import numpy as np

    about: dict[str, str | float]
    arrays: dict[str, NDArray[Any]] = {}
    if isinstance(found, DistbenchError):
        about = {"error": type(found).__name__, "text": str(found)}
    else:
        about = {"seconds": found.seconds, "note": found.note}
        arrays = {"test": found.test, "train": found.train}
    if not all(_is_plain(array) for array in arrays.values()):
        return
    arrays["about"] = np.frombuffer(json.dumps(about).encode(), dtype=np.uint8)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    with contextlib.suppress(OSError):
        try:
            with part.open("wb") as file:
                np.savez(file, allow_pickle=False, **arrays)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)


def _is_plain(array: Any) -> bool:
    """Say whether a file holds all there is to it: not a masked array, nor a tensor of some framework."""
    import numpy as np

    return type(array) is np.ndarray and array.dtype.kind in "buif"
