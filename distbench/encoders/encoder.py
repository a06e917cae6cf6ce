"""One interface to all encoders."""

from __future__ import annotations

import inspect
import math
import unittest
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench._util.checks import whole_number
from distbench._util.text import first_line
from distbench.encoders.resolve import call_of, is_path, loaded_file, name_of
from distbench.errors import DistbenchError, EncoderError, InputError
from distbench.inputs.batches import batches, describe_batch, detached, rows_of_points
from distbench.inputs.frames import (
    MAX_INTEGER,
    TOO_LARGE,
    frame_numbers,
    has_rounded,
    is_arrow_table,
    is_frame,
    row_of_other_names,
    rows_in_cells,
)
from distbench.inputs.sparse import as_csr, is_sparse, row_count, stacked_rows
from distbench.inputs.table_names import in_another_order, row_names

__all__ = ["Encoder", "as_encoder", "flat_codes"]


@dataclass(frozen=True)
class Encoder:
    """An encoder of any kind, called batch by batch; each result is checked.

    Attributes
    ----------
    name : str
        Name in reports.
    call : callable
        Takes a batch of points and returns one code for each.
    batch_size : int
        Number of points in a call.
    code_bytes : int or None
        Number of bytes of a stored code, if the encoder says so; one of quantized codes may return them decoded.
    """

    name: str
    call: Callable[[Any], Any]
    batch_size: int = 1024
    code_bytes: int | None = None

    def encode(self, X: Any) -> NDArray[np.floating]:
        """Encode all points.

        Parameters
        ----------
        X : array_like, shape (m, ...)
            Points. The encoder gets a copy of each batch in the points' shape: frames as frames, lists of texts or
            other objects as lists. Arrays of HDF5, Zarr or Dask are read block by block.

        Returns
        -------
        numpy.ndarray, shape (m, code_size)
            Codes, float32 or float64. If the encoder returns one number for each point, the code size is 1; further
            axes are flattened.

        Raises
        ------
        distbench.errors.EncoderError
            The encoder did not return one finite, real code of the same size for each point; or it raised an error,
            which is the ``__cause__``.
        distbench.errors.InputError
            ``X`` has no rows.
        """
        codes = self.outputs(X)
        dense: NDArray[np.floating] = flat_codes(codes.toarray() if is_sparse(codes) else codes)
        return dense

    def outputs(self, X: Any) -> Any:
        """Encode all points as `encode` does, without a change of the codes' form: bytes and sparse codes stay so.

        Parameters
        ----------
        X : array_like, shape (m, ...)
            Points.

        Returns
        -------
        numpy.ndarray or sparse matrix, shape (m, size) or (m, ...)
            Codes as the encoder returns them, of float16, float32, float64, uint8, int8 or bool.

        Raises
        ------
        distbench.errors.EncoderError, distbench.errors.InputError
            As `encode` does.
        """
        rows = rows_of_points(X)
        if getattr(rows, "ndim", 1) == 0:
            raise InputError("X", "not an array of points", "pass one row for each point")
        total = len(rows) if isinstance(rows, list) else rows.shape[0]
        if total == 0:
            raise InputError("X", "no rows", "pass one row for each point")
        parts: list[Any] = []
        for start, batch in batches(rows, self.batch_size):
            count = row_count(batch)
            part = self._checked_codes(self._call_on_batch(batch, start, total), count, start)
            if parts and part.shape[1:] != parts[0].shape[1:]:
                sizes = [math.prod(codes.shape[1:]) for codes in (part, parts[0])]
                size, before = sizes if sizes[0] != sizes[1] else (part.shape[1:], parts[0].shape[1:])
                raise self._error(f"codes of size {size} from row {start} on, {before} before")
            parts.append(part)
        return stacked_rows(parts)

    def _call_on_batch(self, batch: Any, start: int, total: int) -> Any:
        __tracebackhide__ = True
        kind, names = describe_batch(batch), row_names(batch)  # the call may change the batch
        size = row_count(batch)
        if is_sparse(batch) and getattr(getattr(self.call, "__self__", None), "takes_dense", False):
            batch = batch.toarray()
        try:
            codes = self.call(batch)
        except (DistbenchError, unittest.SkipTest) as error:
            error.add_note(f"distbench: encoder {self.name!r} raised this for rows {start} to {start + size - 1}")
            raise
        except Exception as error:
            advice = "; if it needs dense rows, pass a function that calls batch.toarray()" if is_sparse(batch) else ""
            raise EncoderError(
                f"encoder {self.name!r} raised {type(error).__name__}: {first_line(error)}; it got rows {start} "
                f"to {start + size - 1} of {total}, {kind}{advice}"
            ) from error
        if inspect.isawaitable(codes) and not hasattr(codes, "__array__"):  # arrays of Dask can be awaited, too
            if inspect.iscoroutine(codes):
                codes.close()  # else Python warns that it was never awaited
            waiting = "a coroutine; pass a function that waits for it: lambda batch: asyncio.run(encode(batch))"
            raise self._error("an object of Dask; return codes.compute()" if hasattr(codes, "dask") else waiting)
        if names is not None and hasattr(codes, "iloc") and in_another_order(names, row_names(codes) or []):
            raise self._error("codes whose rows have another order than the points; return codes.loc[batch.index]")
        return codes

    def _checked_codes(self, raw: Any, rows: int, start: int) -> Any:
        """Check the result of one call and return a copy of it."""
        codes = self._as_numbers(raw, rows)
        if codes.ndim == 0 or codes.shape[0] != rows:
            found = "a single number" if codes.ndim == 0 else f"shape {codes.shape}"
            raise self._error(f"{found} for {rows} points of one call; return one code for each point")
        codes = codes[:, None] if codes.ndim == 1 else codes
        if 0 in codes.shape:
            raise self._error("codes of size 0; return at least one number for each point")
        if is_sparse(codes):
            not_finite = np.unique(codes.nonzero()[0][~np.isfinite(codes.data[codes.data != 0])])
        else:
            not_finite = np.flatnonzero(~np.isfinite(codes).all(axis=tuple(range(1, codes.ndim))))
        if not_finite.size:
            more = f" and {not_finite.size - 1} more rows of its batch" if not_finite.size > 1 else ""
            raise self._error(f"NaN or infinity in the code of row {start + not_finite[0]}{more}; codes must be finite")
        return codes.copy()  # some encoders write the codes of every batch into the same memory

    def _as_numbers(self, raw: Any, rows: int) -> Any:
        raw = rows_in_cells(raw)
        if place := row_of_other_names(raw):
            raise self._error(f"codes whose names in row 0 are not in row {place}, or in another order; return a frame")
        if (is_frame(raw) or is_arrow_table(raw)) and (numbers := frame_numbers(raw)) is not None:
            if has_rounded(raw, numbers):
                raise self._error(f"{TOO_LARGE}; subtract an offset first")
            raw = numbers
        if isinstance(raw, tuple | list) and len(raw) != rows and any(hasattr(part, "shape") for part in raw):
            raise self._error(f"a {type(raw).__name__} of {len(raw)} arrays for {rows} points; return only the codes")
        if raw is None or isinstance(raw, dict):
            raise self._error(f"{type(raw).__name__}; return one array with a row for each point")
        if isinstance(raw, tuple) and all(getattr(part, "ndim", 0) > 1 and len(part) == rows for part in raw):
            raise self._error(f"a tuple of {len(raw)} arrays for {rows} points; return only the codes")
        if np.ma.is_masked(raw) or (isinstance(raw, tuple | list) and any(map(np.ma.is_masked, raw))):
            raise self._error("a masked array with masked values; codes must be complete")
        try:
            codes = as_csr(raw, f"encoder {self.name!r}") if is_sparse(raw) else np.asarray(detached(raw))
        except Exception as error:
            if isinstance(raw, list | tuple):
                raise self._error(f"a {type(raw).__name__} of codes of different sizes; return one size") from error
            raise self._error(f"{type(raw).__name__}, which numpy cannot read ({first_line(error)})") from error
        if codes.dtype == object and codes.ndim == 0:
            raise self._error(f"{type(raw).__name__}; return one array with a row for each point")
        if codes.dtype.kind in "iu" and codes.size and max(-int(codes.min()), int(codes.max())) > MAX_INTEGER:
            raise self._error(f"{TOO_LARGE}; subtract an offset first")
        is_short = codes.dtype.name in ("bfloat16", "float16", "float32")
        if codes.dtype.kind not in "buif" and not is_short:
            raise self._error(f"values of type {codes.dtype}; codes must be real numbers")
        if codes.dtype in (np.uint8, np.int8, np.bool_, np.float16):
            return codes
        return codes.astype(np.float32 if is_short else np.float64, copy=False)

    def _error(self, returned: str) -> EncoderError:
        return EncoderError(f"encoder {self.name!r} returned {returned}")


def flat_codes(codes: Any) -> Any:
    """Return what `Encoder.outputs` returns as a matrix of float32 or float64; sparse codes stay as they are."""
    if is_sparse(codes):
        return codes
    kind = np.float32 if codes.dtype in (np.float16, np.float32) else np.float64
    return codes.reshape(len(codes), -1).astype(kind, copy=False)


def as_encoder(obj: Any, batch_size: int = 1024) -> Encoder:
    """Return an `Encoder` around anything that encodes.

    Parameters
    ----------
    obj : object
        One of the following, tried in this order. The path of a ``.keras`` file (loaded in Keras's safe mode), of an
        ``.onnx`` file or of the folder of a SavedModel. An :class:`Encoder`, which only gets the new batch size. A
        Keras model: its ``encode`` is called if it has one, else the model in inference mode. A torch module: likewise,
        in eval mode and without gradients, with tensors of the type of its weights. A session of onnxruntime or a
        loaded SavedModel with one input and one output. An object with ``transform``, ``encode`` or ``predict``. A
        function of a batch of points.
    batch_size : int, default 1024
        Number of points in a call.

    Returns
    -------
    Encoder
        It has ``encode(X)``, ``name``, and ``code_bytes`` if the object has such a whole number.

    Raises
    ------
    distbench.errors.EncoderError
        ``obj`` is none of these, or a class in place of an instance; or a file cannot be loaded safely.
    distbench.errors.MissingDependencyError
        The package that loads the file is not installed.
    distbench.errors.InputError
        ``batch_size`` is not a whole number above 0.
    """
    batch_size = whole_number(batch_size, "batch_size", 1, "pass a whole number above 0, e.g. 1024")
    if isinstance(obj, Encoder):
        return Encoder(obj.name, obj.call, batch_size, obj.code_bytes)
    model = loaded_file(obj)
    size = getattr(model, "code_bytes", None)
    has_name = isinstance(getattr(model, "name", None), str)  # a model without a name gets the name of its file
    name = name_of(obj if is_path(obj) and not has_name else model)
    return Encoder(name, call_of(model), batch_size, size if isinstance(size, int) else None)
