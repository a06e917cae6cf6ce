"""Loads Keras models from untrusted files, so that they run no code and import no module.

In its safe mode Keras refuses files with code. This module checks the configuration before Keras reads it, because
with versions before 3.9 a file could import any module.
"""

from __future__ import annotations

import importlib
import json
import math
import os
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from distbench._util.files import kind_of
from distbench._util.text import first_line
from distbench.encoders.adapters._adapter import refuse_numbers
from distbench.errors import EncoderError
from distbench.inputs.size_guards import other_method, understated_member

if TYPE_CHECKING:
    from types import ModuleType

__all__ = ["load_model"]

ENDING = ".keras"
CONFIG = "config.json"
OURS = "distbench>"
RUN_CODE = ("Lambda", "__lambda__", "TorchModuleWrapper", "TFSMLayer", "JaxLayer", "FlaxLayer")
"""Layers that hold code, or name another file that does."""
PARTS = (
    *("activations", "constraints", "dtype_policies", "initializers", "layers", "losses", "metrics", "models", "ops"),
    *("optimizers", "quantizers", "random", "regularizers"),
)
"""Modules of Keras with parts of models; others are refused, such as ``utils``, which downloads files."""
MAX_BYTES = 1 << 28  # any file may have so many bytes uncompressed
MAX_RATIO = 200  # a larger file, so many times its compressed size: weights can hardly be compressed
MAX_CONFIG_BYTES = 1 << 26
WIDTHS = ("units", "filters", "code_size")
TRUSTED = "if you trust it, load it with keras.saving.load_model(path, safe_mode=False) and pass the model"


def load_model(path: str | os.PathLike[str]) -> Any:
    """Load a Keras model from a file, in Keras's safe mode and without its optimizer.

    Layers of ``distbench.keras`` are known; other custom layers are known once their module is imported. Raises
    EncoderError if the file is missing, is no model, or could run code.
    """
    from distbench._util.keras import require_keras

    path = Path(path)
    config, stored = _read_config(path)
    parts = list(_parts(config))
    keras = require_keras()
    for part in parts:
        _refuse_unsafe(part, path, keras)
    refuse_numbers(_count_weights(reversed(parts)), stored, path, "keras.saving.load_model(path)")
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras and HDF5 raise errors of many kinds for an inconsistent file
        if "safe_mode" in str(error):
            raise _code_error(path, "a layer") from None
        # Keras puts the configuration of the whole model before the reason.
        reason = str(error).rpartition("Exception encountered: ")[2] or str(error)
        raise EncoderError(
            "encoder",
            f"{path}: Keras cannot make a model of it ({first_line(ValueError(reason))})",
            "if it has custom objects, load it with keras.saving.load_model(path, custom_objects=...) and "
            "pass the model",
        ) from None


def _read_config(path: Path) -> tuple[Any, int]:
    """Return the configuration in a file, and the number of bytes of all its other parts."""
    if path.suffix.lower() != ENDING:
        advice = f"pass a file whose name ends in {ENDING}, or the loaded model"
        raise EncoderError("encoder", f"found {str(path)!r}", advice)
    if not path.is_file():
        kind = f"is {kind_of(path)}" if kind_of(path) else "no such file"
        raise EncoderError("encoder", f"{path}: {kind}", f'pass a file that model.save("NAME{ENDING}") has written')
    size = path.stat().st_size
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            total = sum(member.file_size for member in members)
            config_bytes = max((member.file_size for member in members if member.filename == CONFIG), default=0)
            if config_bytes > MAX_CONFIG_BYTES or total > max(MAX_BYTES, MAX_RATIO * size):
                found = f"{path}: {size:,} bytes that unpack to {total:,}, which no model does"
                raise EncoderError("encoder", found, "it is not loaded")
            if other := other_method(members):
                raise EncoderError("encoder", f"{path}: has {other}, whose compression is not read", "save it again")
            if understated := understated_member(archive):
                raise EncoderError("encoder", f"{path}: {understated} unfolds to more than it claims", "save it again")
            with archive.open(CONFIG) as file:
                config = json.loads(file.read(config_bytes))
    except EncoderError:
        raise
    except (
        zipfile.BadZipFile,
        zlib.error,
        struct.error,
        KeyError,
        ValueError,
        RuntimeError,
    ) as error:  # RuntimeError: too deep
        raise EncoderError(
            "encoder",
            f"{path}: not a complete Keras 3 model ({first_line(error)})",
            f'save it again with model.save("NAME{ENDING}")',
        ) from None
    except (OSError, EOFError) as error:
        raise EncoderError("encoder", f"{path}: cannot be read: {first_line(error)}") from None
    stored = sum(member.compress_size for member in members if member.filename != CONFIG)
    if isinstance(config, dict):
        config.pop("compile_config", None)  # the optimizer is not loaded
    return config, min(stored, size)  # an archive may list members that it does not contain


def _parts(config: Any) -> Iterator[Mapping[str, Any]]:
    """Yield all tables of a configuration that name a class, in reverse order."""
    waiting = [config]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            if "class_name" in part:
                yield part
            waiting += part.values()
        elif isinstance(part, list):
            waiting += part


def _refuse_unsafe(part: Mapping[str, Any], path: Path, keras: ModuleType) -> None:
    name, module, registered = (part.get(key) for key in ("class_name", "module", "registered_name"))
    if name in RUN_CODE:
        raise _code_error(path, f"a layer of the kind {name}")
    config = part.get("config")
    if isinstance(config, dict) and isinstance(config.get("vocabulary"), str):
        found = f"has a {str(name)[:60]} that reads its vocabulary from another file, which is refused"
        raise EncoderError("encoder", f"{path}: {found}", TRUSTED)
    if _is_registered(registered, keras):
        return
    # Keras's own configurations have functions of "builtins", and parts with neither a module nor a registered name.
    if module == "builtins" or (module is None and registered is None) or _is_part_of_keras(module):
        return
    name = f"{str(module)[:60]}:{str(name)[:60]}" if module else str(registered)[:60]
    raise EncoderError(
        "encoder",
        f"{path}: needs {name!r}, which is not imported for a file",
        "import the module that registers it first, or load it with keras.saving.load_model(path, custom_objects=...) "
        "and pass the model",
    )


def _is_registered(name: Any, keras: ModuleType) -> bool:
    """Return whether a name is registered in this process; registers it first if it is a class of distbench."""
    if not isinstance(name, str):
        return False
    if name.startswith(OURS):
        importlib.import_module("distbench.keras")  # by its name: it offers the monitor, which imports encoders
    return keras.saving.get_registered_object(name) is not None


def _is_part_of_keras(module: Any) -> bool:
    names = str(module).split(".")
    inner = [name for name in names[1:] if name != "src"]
    return names[0] == "keras" and (not inner or inner[0] in PARTS)


def _code_error(path: Path, part: str) -> EncoderError:
    return EncoderError("encoder", f"{path}: has {part}, which could run code that is in the file", TRUSTED)


def _count_weights(parts: Iterable[Mapping[str, Any]]) -> int:
    """Estimate how many weights a model's large layers have: Keras allocates them before it reads the file.

    Counts dense, recurrent, convolution, embedding, attention and normalization layers, in the order of the model. If a
    layer's configuration has no input width, it is the output width of the layer before.
    """
    total, before = 0, 1
    for part in parts:
        config, built = part.get("config"), part.get("build_config")
        if isinstance(config, dict):
            shapes: Sequence[Any] = ()
            if isinstance(built, dict):
                more = built.get("shapes_dict")
                shapes = [built.get("input_shape"), *(more.values() if isinstance(more, dict) else ())]
            total += _weights(config, max(map(_last, shapes), default=0) or before)
            width = max(_number(config.get(key)) for key in (*WIDTHS, "output_dim"))
            before = width or _last(config.get("batch_shape")) or before
    return total


def _weights(config: Mapping[str, Any], inputs: int) -> int:
    """Estimate how many weights a layer with this number of inputs has."""

    def number(*keys: str) -> int:
        return max(_number(config.get(key)) for key in keys)

    width, kernel = number(*WIDTHS), config.get("kernel_size")
    window = math.prod(_number(side) or 1 for side in (kernel if isinstance(kernel, list) else [kernel]))
    if rows := number("input_dim"):
        return rows * number("output_dim")
    if heads := number("num_heads"):
        return heads * (number("key_dim") or number("head_dim")) * inputs
    if multiplier := number("depth_multiplier"):
        return multiplier * inputs * (window + width)
    if width:
        recurrent = width * width if "recurrent_initializer" in config else 0
        return width * inputs * window // (number("groups") or 1) + recurrent
    return inputs if "gamma_initializer" in config else 0


def _last(shape: Any) -> int:
    """Return the last dimension of a shape, or the largest of the last dimensions of several shapes."""
    if not isinstance(shape, list) or not shape:
        return 0
    return max(map(_last, shape)) if isinstance(shape[-1], list) else _number(shape[-1])


def _number(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
