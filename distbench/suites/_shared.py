"""Shares codes between the processes of a run, and with the run after an interrupted one: each recipe is fitted once.

Encoders would have to be pickled, codes do not. A recipe whose codes cannot be shared is fitted in each process.
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
from distbench.errors import InputError, TrainingError
from distbench.results.environment import package_versions
from distbench.suites.recipe_hash import recipe_hash
from distbench.suites.recipes import Recipe

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Codes", "fit_key", "once"]


@dataclass(frozen=True)
class Codes:
    """The codes of a data set, the duration of the fit in seconds, and the encoder's note for readers of its scores.

    `code_bytes` is the number of bytes of a stored code if the encoder says so, else 0.
    """

    test: NDArray[np.floating]
    train: NDArray[np.floating]
    seconds: float
    note: str = ""
    code_bytes: int = 0


def fit_key(recipe: Recipe, setting: Sequence[str | int]) -> str:
    """Return a key for a fit that is the same in every process, or an empty text if there is none.

    A baseline, ``module:object`` and a class of a module have a key. An object, and a class defined in a function or in
    ``__main__``, have no key, because another process cannot know whether it has the same one. `setting` is the data's
    hash, the code size, the seed, and everything else that the fit depends on, except the versions of packages, which
    are part of every key.
    """
    name = recipe.source
    try:
        if isinstance(name, type):
            recipe_class, name = name, f"{name.__module__}:{name.__qualname__}"
            if recipe_class.__module__ == "__main__" or imported(name) is not recipe_class:
                return ""
        if not isinstance(name, str):
            return ""
        hashed = [recipe_hash(name, recipe.options), *setting, package_versions()]
        return sha256(json.dumps(hashed).encode()).hexdigest()
    except InputError:  # the class is defined in a function, or its source cannot be read
        return ""


def once(path: Path, make: Callable[[], Codes]) -> Codes:
    """Return the codes that another process of this run stored in a file, or make and store them.

    Meanwhile the other processes wait. If `make` raises a TrainingError, they raise it too. If the process that makes
    the codes dies, the next one makes them.
    """
    from filelock import FileLock

    failed = path.with_suffix(".failed")
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError, NotImplementedError):  # if files cannot be locked, each process fits
            stack.enter_context(FileLock(path.with_suffix(".lock")))
        codes = _read(path)
        if codes is None:
            if failed.exists():
                raise TrainingError(failed.read_text(encoding="utf-8"))
            try:
                codes = make()
            except TrainingError as error:
                with contextlib.suppress(OSError):
                    failed.write_text(str(error), encoding="utf-8", errors="replace")
                raise
            _write(path, codes)
    return codes


def _read(path: Path) -> Codes | None:
    import numpy as np

    if not path.exists():
        return None
    with np.load(path, allow_pickle=False) as stored:
        size = int(stored["code_bytes"])
        return Codes(stored["test"], stored["train"], float(stored["seconds"]), str(stored["note"]), size)


def _write(path: Path, codes: Codes) -> None:
    """Store codes for the other processes; the file appears only when it is complete."""
    import numpy as np

    # A masked array or a tensor cannot be stored in the file.
    if not all(type(array) is np.ndarray and array.dtype.kind in "buif" for array in (codes.test, codes.train)):
        return
    part = path.with_suffix(f".{os.getpid()}.part")
    with contextlib.suppress(OSError):
        with part.open("wb") as file:
            np.savez(file, allow_pickle=False, **vars(codes))
        part.replace(path)
