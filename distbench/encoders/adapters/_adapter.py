"""What is known of one framework: its objects, how they are asked, and its files.

Frameworks are never imported to look at an object: it can only come from one that its owner has imported already, so
looking in ``sys.modules`` is enough.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from distbench.errors import EncoderError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Adapter", "as_type", "in_batches_of", "is_instance", "is_text", "only", "owns_encode", "rows_as_array"]


@dataclass(frozen=True)
class Adapter:
    """One framework.

    Attributes
    ----------
    objects, files : str
        What its objects and its files are called in messages; files are empty where none are loaded.
    recognises : callable
        Says whether an object is one of its own.
    call : callable
        Takes such an object, returns what turns a batch of points into codes.
    opens : callable
        Says whether it loads a file or folder of that name.
    load : callable
        Loads it, running no code that is in it.
    method : callable
        Takes such an object and a method of it, or a part, and returns what asks that as the object itself is asked.
    alone : bool
        Whether it is asked for codes that rest on the point's own row alone, as in eval mode.
    """

    objects: str
    recognises: Callable[[Any], bool]
    call: Callable[[Any], Callable[[Any], Any]]
    files: str = ""
    opens: Callable[[str], bool] = lambda path: False
    load: Callable[[Any], Any] = lambda path: path
    method: Callable[[Any, Callable[[Any], Any]], Callable[[Any], Any]] = lambda obj, method: method
    alone: bool = False


def is_instance(obj: Any, module: str, name: str) -> bool:
    """Say whether an object is of a class, without importing the module that has it."""
    kind = getattr(sys.modules.get(module), name, None)
    return isinstance(kind, type) and isinstance(obj, kind)


def owns_encode(obj: Any) -> bool:
    """Say whether an object has an ``encode`` of its own: of an autoencoder it is what is meant."""
    return callable(getattr(obj, "encode", None))


def rows_as_array(batch: Any) -> Any:
    """Return a batch as frameworks take it: lists of texts and the like as they are, all else as an array.

    Frames of numbers of several types, or of types that may be missing, become float64.
    """
    import numpy as np

    if isinstance(batch, list):
        return batch
    array = np.asarray(batch)
    if array.dtype == object and hasattr(batch, "iloc"):
        dtypes = batch.dtypes if batch.ndim == 2 else [batch.dtype]
        if all(dtype.kind in "biuf" for dtype in dtypes):
            return batch.to_numpy(dtype=np.float64, na_value=np.nan)
    return array


def is_text(points: Any) -> bool:
    """Say whether an array holds texts or other objects."""
    return getattr(getattr(points, "dtype", None), "kind", "-") in "OSTU"


def as_type(points: NDArray[Any], dtype: Any) -> NDArray[Any]:
    """Return points in the type that a graph takes.

    Raises
    ------
    EncoderError
        They are no whole numbers, or too large, and the graph takes just these: others would be judged.
    """
    import numpy as np

    with np.errstate(invalid="ignore", over="ignore"):
        taken = points.astype(dtype)
    if points.dtype.kind in "biuf":
        is_other = taken != points if taken.dtype.kind in "biu" else ~np.isfinite(taken) & np.isfinite(points)
        others = points[np.asarray(is_other)]
        if others.size:
            raise EncoderError(
                "encoder",
                f"its input is {taken.dtype}, which cannot hold {others.flat[0]}",
                "pass a function that makes its inputs of points",
            )
    return taken


def in_batches_of(size: Any, points: NDArray[Any], call: Callable[[Any], Any]) -> Any:
    """Ask for codes of a batch; where a graph was made for batches of one `size`, in such parts, the last one filled.

    Raises
    ------
    EncoderError
        A part came back as another number of codes.
    """
    import numpy as np

    if not isinstance(size, int) or size == len(points):
        return call(points)
    parts = []
    for start in range(0, len(points), size):
        part = points[start : start + size]
        filled = np.concatenate([part, np.repeat(part[-1:], size - len(part), axis=0)])
        codes = np.asarray(call(filled))
        if codes.ndim == 0 or len(codes) != size:
            raise EncoderError(
                "encoder",
                f"found codes of shape {codes.shape} for a batch of {size}, the one size it takes",
                "it has to return one code a point",
            )
        parts.append(codes[: len(part)])
    return np.concatenate(parts)


def only(names: Collection[str], what: str, of: str, remedy: str) -> str:
    """Return the one name there is.

    Raises
    ------
    EncoderError
        There are others, which are listed, or none.
    """
    if len(names) != 1:
        from distbench._util.text import join_names

        raise EncoderError("encoder", f"{of} has {len(names)} {what} ({join_names(list(names)) or 'none'})", remedy)
    return next(iter(names))
