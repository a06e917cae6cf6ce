"""Models from files that somebody else may have written: no code in them runs, and nothing is imported for them.

Keras refuses code in its safe mode. What a file asks for is looked at before Keras is, too: versions before 3.9 could
be made to import any module, and a model that is only judged needs none of that.
"""

from __future__ import annotations

import json
import math
import os
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from distbench._util.text import first_line
from distbench.errors import EncoderError

if TYPE_CHECKING:
    from types import ModuleType

__all__ = ["load_model", "weights_asked"]


ENDING = ".keras"
CONFIG = "config.json"
OURS = "distbench>"
RUN_CODE = ("Lambda", "__lambda__", "TorchModuleWrapper", "TFSMLayer", "JaxLayer", "FlaxLayer")
"""Layers that hold code, or name another file that does."""
PARTS = (
    *("activations", "constraints", "dtype_policies", "initializers", "layers", "losses", "metrics", "models", "ops"),
    *("optimizers", "quantizers", "random", "regularizers"),
)
"""What of Keras models are made of; its other modules (``utils`` downloads files) have no place in one."""
BOMB = 1 << 28  # bytes that a file may unfold to, however small it is
RATIO = 200  # times its size that it may unfold to beyond that; weights hardly shrink
LARGEST_CONFIG = 1 << 26
FEW_WEIGHTS = 1 << 24  # numbers for which memory is taken whatever the file holds
PER_BYTE = 4  # numbers beyond that for each byte of stored weights, which take half a byte at least; an estimate


def load_model(path: str | os.PathLike[str]) -> Any:
    """Load a Keras model from a file, in Keras's safe mode and without its optimizer.

    Parameters
    ----------
    path : str or path-like
        A file that ``model.save("NAME.keras")`` has written. Layers of ``distbench.keras`` are known; others of a
        user's own are where the module that registers them (``keras.saving.register_keras_serializable``) has been
        imported.

    Returns
    -------
    keras.Model

    Raises
    ------
    distbench.errors.EncoderError
        There is no such file, it is no such model, or it could run code of its own: what was found and what to do.
    distbench.errors.MissingDependencyError
        Keras is not installed.
    """
    from distbench.keras.registered import require_keras

    path = Path(path)
    config, stored = _config(path)
    parts = list(_parts(config))
    keras = require_keras()
    for part in parts:
        _refuse_unsafe(part, path, keras)
    _refuse_large(parts, stored, path)
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras and HDF5 raise all kinds for what does not fit together
        if "safe_mode" in str(error):
            raise _runs_code(path, "a layer") from None
        raise EncoderError(
            "encoder",
            f"{path}: Keras cannot make a model of it ({_reason(error)})",
            "where it has objects of your own, load it with keras.saving.load_model(path, "
            "custom_objects=...) and pass the model",
        ) from None


def _config(path: Path) -> tuple[Any, int]:
    """Return what a file says its model is made of, and how many bytes of all else it has; nothing is run yet."""
    if path.suffix.lower() != ENDING:
        raise EncoderError(
            "encoder", f"found {str(path)!r}", f"give a file that ends in {ENDING}, or pass the loaded model"
        )
    if not path.is_file():
        kind = "is a folder" if path.is_dir() else "no such file"
        raise EncoderError("encoder", f"{path}: {kind}", f'give one that model.save("NAME{ENDING}") has written')
    try:
        with zipfile.ZipFile(path) as archive:
            _refuse_bomb(archive, path)
            config = json.loads(archive.read(CONFIG))
            stored = sum(member.compress_size for member in archive.infolist() if member.filename != CONFIG)
    except EncoderError:
        raise
    except (zipfile.BadZipFile, zlib.error, KeyError, ValueError, RuntimeError) as error:  # also nested too deep
        raise EncoderError(
            "encoder",
            f"{path}: no whole model of Keras 3 ({first_line(error)})",
            f'save it anew with model.save("NAME{ENDING}")',
        ) from None
    except (OSError, EOFError) as error:
        raise EncoderError("encoder", f"{path}: cannot be read: {first_line(error)}") from None
    # How it was trained is left out when it is loaded, so that it does not matter here either.
    used = {key: value for key, value in config.items() if key != "compile_config"} if isinstance(config, dict) else {}
    return used, min(stored, path.stat().st_size)  # a directory may list what is not there


def _refuse_bomb(archive: zipfile.ZipFile, path: Path) -> None:
    unfolded = sum(member.file_size for member in archive.infolist())
    is_config_large = any(
        member.filename == CONFIG and member.file_size > LARGEST_CONFIG for member in archive.infolist()
    )
    if is_config_large or unfolded > max(BOMB, RATIO * path.stat().st_size):
        raise EncoderError(
            "encoder",
            f"{path}: {path.stat().st_size:,} bytes that unfold to {unfolded:,}, which no model does",
            "it is not loaded",
        )


def _refuse_large(parts: Sequence[Mapping[str, Any]], stored: int, path: Path) -> None:
    """Refuse layers that are much larger than their weights in the file: they are made before those are read."""
    asked = weights_asked(reversed(parts))
    if asked > max(FEW_WEIGHTS, PER_BYTE * stored):
        raise EncoderError(
            "encoder",
            f"{path}: its layers ask for about {min(asked, 10**15):,} weights, and the file "
            f"has {stored:,} bytes of them",
            "it is not loaded; if you trust it, load it with keras.saving.load_model(path) and pass it",
        )


def _parts(config: Any) -> Iterator[Mapping[str, Any]]:
    """Yield all that a model is made of, the last first: tables that name a class."""
    waiting = [config]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            if "class_name" in one:
                yield one
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one


def _refuse_unsafe(part: Mapping[str, Any], path: Path, keras: ModuleType) -> None:
    name, module, registered = (part.get(key) for key in ("class_name", "module", "registered_name"))
    if name in RUN_CODE:
        raise _runs_code(path, f"a layer of the kind {name}")
    config = part.get("config")
    if isinstance(config, dict) and isinstance(config.get("vocabulary"), str):
        raise EncoderError(
            "encoder",
            f"{path}: has a {str(name)[:60]} that reads its vocabulary from another file, which is not done",
            "if you trust it, load it with keras.saving.load_model(path, safe_mode=False) and pass the model",
        )
    if _is_known(registered, keras):
        return
    # What has neither a module nor a registered name, and functions of "builtins", Keras looks up among its own.
    if module == "builtins" or (module is None and registered is None) or _is_part_of_keras(module):
        return
    found = f"{str(module)[:60]}:{str(name)[:60]}" if module else str(registered)[:60]
    raise EncoderError(
        "encoder",
        f"{path}: needs {found!r}, which is not imported because a file says so",
        "import what registers it first, or load it with keras.saving.load_model(path, "
        "custom_objects=...) and pass the model",
    )


def _is_known(registered: Any, keras: ModuleType) -> bool:
    """Say whether a name is one that code in this process has registered, or that of a part of ours."""
    if not isinstance(registered, str):
        return False
    if registered.startswith(OURS):
        from distbench.keras.registered import register

        register(registered.removeprefix(OURS))
    return keras.saving.get_registered_object(registered) is not None


def _is_part_of_keras(module: Any) -> bool:
    names = str(module).split(".")
    inner = [name for name in names[1:] if name != "src"]
    return names[0] == "keras" and (not inner or inner[0] in PARTS)


def _reason(error: Exception) -> str:
    """Return what Keras found, without the configuration of the whole model that it puts before that."""
    told = str(error).rpartition("Exception encountered: ")[2]
    return first_line(ValueError(told or str(error)))


def _runs_code(path: Path, what: str) -> EncoderError:
    return EncoderError(
        "encoder",
        f"{path}: has {what}, which could run code that is in the file",
        "if you trust it, load it with keras.saving.load_model(path, safe_mode=False) and pass the model",
    )


WIDTHS = ("units", "filters", "code_size")


def weights_asked(parts: Iterable[Mapping[str, Any]]) -> int:
    """Return about how many weights the layers of a model ask for that take most.

    Dense, recurrent, convolution, embedding, attention and normalisation layers are looked at. Where a layer does not
    say how wide its input is, it is as wide as the layer before.

    Parameters
    ----------
    parts : iterable of mapping
        What the model is made of, in order, each with its ``config`` and, if it was built, its ``build_config``.
    """
    total, before = 0, 1
    for part in parts:
        settings = part.get("config")
        if not isinstance(settings, dict):
            continue
        entering = _entering(part) or before
        total += _weights(settings, entering)
        before = _width(settings) or before
    return total


def _entering(part: Mapping[str, Any]) -> int:
    """Return the width of the widest input that a layer was built for, 0 where it does not say."""
    built = part.get("build_config")
    if not isinstance(built, dict):
        return 0
    shapes = built.get("shapes_dict")
    found = [built.get("input_shape"), *(shapes.values() if isinstance(shapes, dict) else ())]
    return max((_last(shape) for shape in found), default=0)


def _width(settings: Mapping[str, Any]) -> int:
    widths = (*(_number(settings.get(word)) for word in WIDTHS), _number(settings.get("output_dim")))
    return max(widths) or _last(settings.get("batch_shape"))


def _weights(settings: Mapping[str, Any], entering: int) -> int:
    width, rows, heads = (
        max(_number(settings.get(word)) for word in words) for words in (WIDTHS, ("input_dim",), ("num_heads",))
    )
    kernel = settings.get("kernel_size")
    window = math.prod(_number(side) or 1 for side in kernel) if isinstance(kernel, list) else _number(kernel) or 1
    multiplier = _number(settings.get("depth_multiplier"))
    if rows:
        return rows * _number(settings.get("output_dim"))
    if heads:
        return heads * _number(settings.get("key_dim") or settings.get("head_dim")) * entering
    if multiplier:
        return multiplier * entering * (window + width)
    if width:
        again = width * width if "recurrent_initializer" in settings else 0
        return width * entering * window // (_number(settings.get("groups")) or 1) + again
    return entering if "gamma_initializer" in settings else 0


def _last(shape: Any) -> int:
    """Return the last length of a shape; of several, that of the widest."""
    if not isinstance(shape, list) or not shape:
        return 0
    if isinstance(shape[-1], list):
        return max(_last(one) for one in shape)
    return _number(shape[-1])


def _number(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
