"""Whatever turns points into codes, behind one interface.

Frameworks are never imported here: an object can only come from one that its owner has imported already, so
looking in ``sys.modules`` is enough.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench.errors import EncoderError, InputError
from distbench.storage import is_stored, stored_blocks

__all__ = ["Encoder", "as_encoder"]

_WORKS = "a Keras model, an object with .transform, .encode or .predict, or a function"


@dataclass(frozen=True)
class Encoder:
    """An encoder of any kind, called batch by batch and checked each time.

    Attributes
    ----------
    name : str
        What reports call it: its ``name``, or the name of its function or class.
    call : callable
        Takes a batch of points, returns one code a point.
    batch_size : int
        Points a call.
    """

    name: str
    call: Callable[[Any], Any]
    batch_size: int = 1024

    def encode(self, X: Any) -> NDArray[np.floating]:
        """Encode all points.

        Parameters
        ----------
        X : array_like, shape (m, ...)
            Points, handed on in the shape they have; frames are handed on as frames. They are never changed:
            the encoder sees a copy of each batch. Arrays of HDF5, Zarr or Dask are read block by block.

        Returns
        -------
        numpy.ndarray, shape (m, code_size)
            Codes, float32 or float64. One number a point makes codes of size 1; further axes are flattened.

        Raises
        ------
        distbench.errors.EncoderError
            What came back is not one finite, real code a point, all of one size.
        distbench.errors.InputError
            ``X`` has no rows.

        Notes
        -----
        What the encoder itself raises is passed on as it is, with a note that says which rows it was given.
        """
        rows = X if _is_frame(X) or is_stored(X) else np.asarray(X)
        if rows.ndim == 0 or rows.shape[0] == 0:
            raise InputError(f"X: {'not an array of points' if rows.ndim == 0 else 'no rows'}; pass one row a point")
        parts: list[NDArray[np.floating]] = []
        for start, batch in _batches(rows, self.batch_size):
            part = self._codes(self._called(batch, start, rows.shape[0]), len(batch), start)
            if parts and part.shape[1] != parts[0].shape[1]:
                raise self._error(f"codes of size {part.shape[1]} from row {start} on, {parts[0].shape[1]} before")
            parts.append(part)
        return np.concatenate(parts)

    def _called(self, batch: Any, start: int, total: int) -> Any:
        stop = start + len(batch) - 1
        try:
            return self.call(batch)
        except Exception as error:
            error.add_note(f"distbench: encoder {self.name!r} raised this for rows {start} to {stop} of {total}")
            raise

    def _codes(self, raw: Any, rows: int, start: int) -> NDArray[np.floating]:
        """Check what one call returned and bring it into shape (rows, code size)."""
        codes = self._floats(raw)
        if codes.ndim == 0 or len(codes) != rows:
            found = "a single number" if codes.ndim == 0 else f"shape {codes.shape}"
            raise self._error(f"{found} for {rows} points; return one code a point")
        codes = codes.reshape(rows, -1) if codes.size else codes.reshape(rows, 0)
        if codes.shape[1] == 0:
            raise self._error("codes of size 0; return at least one number a point")
        bad = np.flatnonzero(~np.isfinite(codes).all(axis=1))
        if bad.size:
            more = f" and {bad.size - 1} more rows of its batch" if bad.size > 1 else ""
            raise self._error(f"NaN or infinity in the code of row {start + bad[0]}{more}; codes must be finite")
        return codes

    def _floats(self, raw: Any) -> NDArray[np.floating]:
        if raw is None or isinstance(raw, dict):
            raise self._error(f"{type(raw).__name__}; return one array with a row a point")
        if np.ma.is_masked(raw):
            raise self._error("a masked array with masked values; codes must be complete")
        try:
            codes = np.asarray(raw.toarray() if _is_sparse(raw) else raw)
        except Exception as error:
            reason = str(error).split("\n", 1)[0]
            raise self._error(f"{type(raw).__name__}, which numpy cannot read ({reason})") from error
        if codes.dtype.name == "bfloat16":
            return codes.astype(np.float32)
        if codes.dtype.kind not in "buif":
            raise self._error(f"values of type {codes.dtype}; codes must be real numbers")
        if codes.dtype == np.float16:
            return codes.astype(np.float32)
        return codes if codes.dtype == np.float32 else codes.astype(np.float64)

    def _error(self, found: str) -> EncoderError:
        return EncoderError(f"encoder {self.name!r} returned {found}")


def as_encoder(obj: Any, batch_size: int = 1024) -> Encoder:
    """Wrap anything that encodes.

    Parameters
    ----------
    obj : object
        Tried in this order: an :class:`Encoder` (returned as it is, with this batch size); a Keras model (its
        ``encode`` where it has one, else its output without training behaviour); an object with ``transform``,
        ``encode`` or ``predict``; a function of a batch of points.
    batch_size : int, default 1024
        Points a call.

    Returns
    -------
    Encoder
        Has ``encode(X)`` and ``name``.

    Raises
    ------
    distbench.errors.EncoderError
        ``obj`` is none of these, or a class where an instance is needed.
    distbench.errors.InputError
        ``batch_size`` is not a whole number above 0.
    """
    if isinstance(batch_size, bool) or not isinstance(batch_size, (int, np.integer)) or batch_size < 1:
        raise InputError(f"batch_size: {batch_size!r} is not a whole number above 0")
    if isinstance(obj, Encoder):
        return Encoder(obj.name, obj.call, int(batch_size))
    return Encoder(_name(obj), _method(obj), int(batch_size))


def _method(obj: Any) -> Callable[[Any], Any]:
    """Find the call that turns a batch of points into codes."""
    if isinstance(obj, type):
        raise EncoderError(
            f"encoder: got the class {obj.__name__!r}; pass an instance of it that is ready to encode{_if_recipe(obj)}"
        )
    if _is_keras_model(obj):
        # The output of an autoencoder is a reconstruction: its own encode() is what is meant.
        return obj.encode if callable(getattr(obj, "encode", None)) else functools.partial(_call_keras, obj)
    for name in ("transform", "encode", "predict"):
        # Strings have an encode of their own, which encodes something else.
        method = None if isinstance(obj, str) else getattr(obj, name, None)
        if callable(method):
            if name == "predict" and hasattr(obj, "classes_"):
                raise EncoderError(f"encoder: {type(obj).__name__!r} predicts classes, not codes; pass {_WORKS}")
            return method  # type: ignore[no-any-return]
    if callable(obj):
        return obj  # type: ignore[no-any-return]
    raise EncoderError(f"encoder: cannot encode with {type(obj).__name__!r}{_hint(obj)}; pass {_WORKS}")


def _hint(obj: Any) -> str:
    if isinstance(obj, str):
        return (
            f" (found {obj!r}; names are of recipes, which are fitted: distbench.fit_baseline({obj!r}, X_train, "
            "code_size=8), or leave the test points out and mark the test with dataset= and code_size=)"
        )
    if isinstance(obj, np.ndarray):
        return " (for ready codes use distbench.evaluate_codes)"
    if recipe := _if_recipe(obj):
        return recipe
    if hasattr(obj, "fit_transform"):
        return ", which has fit_transform alone and so no way to encode new points"
    return ""


def _if_recipe(obj: Any) -> str:
    """Return what to do with a recipe, which is not fitted yet."""
    try:
        parameters = inspect.signature(obj.fit).parameters
    except (AttributeError, TypeError, ValueError):
        return ""
    if "code_size" not in parameters:
        return ""
    return (
        " (it is a recipe, with fit(X, code_size, seed): pass what its fit returns, or leave the points out and mark "
        "the test with dataset= and code_size=)"
    )


def _name(obj: Any) -> str:
    while isinstance(obj, functools.partial):
        obj = obj.func
    own = getattr(obj, "name", None)
    if isinstance(own, str) and own:
        return own
    function = getattr(obj, "__name__", None)
    return function if isinstance(function, str) else type(obj).__name__


def _is_keras_model(obj: Any) -> bool:
    model = getattr(sys.modules.get("keras"), "Model", None)
    return isinstance(model, type) and isinstance(obj, model)


def _call_keras(model: Any, batch: Any) -> Any:
    codes = model.predict_on_batch(np.asarray(batch))
    if isinstance(codes, (list, tuple, dict)):
        raise EncoderError(
            f"encoder {model.name!r} has {len(codes)} outputs; pass the part of it that returns the codes alone"
        )
    return codes


def _is_frame(X: Any) -> bool:
    return hasattr(X, "iloc") and hasattr(X, "ndim")


def _is_sparse(raw: Any) -> bool:
    sparse = sys.modules.get("scipy.sparse")
    return sparse is not None and bool(sparse.issparse(raw))


def _batches(rows: Any, size: int) -> Iterator[tuple[int, Any]]:
    """Copy consecutive batches, each with the number of its first row."""
    if is_stored(rows):
        yield from _stored_batches(rows, size)
        return
    for start in range(0, len(rows), size):
        batch = rows.iloc[start : start + size] if _is_frame(rows) else rows[start : start + size]
        yield start, batch.copy()


def _stored_batches(rows: Any, size: int) -> Iterator[tuple[int, Any]]:
    """Cut what is read in blocks into the batches that an array in memory would give."""
    start, held = 0, np.empty((0, *rows.shape[1:]), dtype=rows.dtype)
    for block in stored_blocks(rows, "X"):
        held = np.concatenate([held, block])
        whole = len(held) - len(held) % size
        for first in range(0, whole, size):
            yield start + first, held[first : first + size].copy()
        start, held = start + whole, held[whole:]
    if len(held):
        yield start, held
