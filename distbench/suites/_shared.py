"""Codes that the processes of one run share, so that each recipe is fitted once on a machine.

What is shared are the codes of the points and not the encoder, which would have to be pickled. What cannot be shared
is fitted in each process: nothing here makes a test fail.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from distbench._util.imports import imported
from distbench.errors import InputError
from distbench.suites.recipe_hash import recipe_hash
from distbench.suites.recipes import Recipe

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


def fit_key(recipe: Recipe, about: Sequence[str | int]) -> str:
    """Return a name for a fit that is the same in every process; empty where there is none.

    A baseline, ``module:object`` and a class of a module have one; an object, and a class that was made in a function
    or in ``__main__``, have not: another process cannot know that it has the same.

    Parameters
    ----------
    recipe : Recipe
        What is fitted, with its options.
    about : sequence
        The data's hash, code size, seed and whatever else the fit depends on.
    """
    name = recipe.source
    try:
        if isinstance(name, type):
            recipe_class, name = name, f"{name.__module__}:{name.__qualname__}"
            if recipe_class.__module__ == "__main__" or imported(name) is not recipe_class:
                return ""
        if not isinstance(name, str):
            return ""
        return sha256(json.dumps([recipe_hash(name, recipe.options), *about]).encode()).hexdigest()
    except InputError:  # made in a function, or without source to hash
        return ""


def once(path: Path, make: Callable[[], Codes]) -> Codes:
    """Return the codes that another process of this run has left in a file, or make and leave them.

    While one process makes them the others wait; if it dies, the next one makes them.

    Parameters
    ----------
    path : Path
        Named after a :func:`fit_key`, in a folder for the processes of one run alone.
    make : callable
        Fits and encodes; what it raises goes to the caller, and the next process makes the codes.
    """
    from filelock import FileLock

    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError, NotImplementedError):  # without locks here, each process fits
            stack.enter_context(FileLock(path.with_suffix(".lock")))
        codes = _read(path)
        if codes is None:
            codes = make()
            _write(path, codes)
    return codes


def _read(path: Path) -> Codes | None:
    import numpy as np

    if not path.exists():
        return None
    with np.load(path, allow_pickle=False) as stored:
        return Codes(stored["test"], stored["train"], float(stored["seconds"]), str(stored["note"]))


def _write(path: Path, codes: Codes) -> None:
    """Leave codes for the other processes, whole or not at all."""
    import numpy as np

    # A file does not hold all there is to a masked array, or to a tensor of some framework.
    if not all(type(array) is np.ndarray and array.dtype.kind in "buif" for array in (codes.test, codes.train)):
        return
    part = path.with_suffix(f".{os.getpid()}.part")
    with contextlib.suppress(OSError):
        with part.open("wb") as file:
            np.savez(file, allow_pickle=False, **vars(codes))
        part.replace(path)
