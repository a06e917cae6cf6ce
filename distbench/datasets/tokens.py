"""Token embeddings that wordllama ships in its wheel: nothing is downloaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from distbench.datasets._dataset import dataset
from distbench.errors import DatasetError, MissingDependencyError

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

__all__ = ["tokens"]

_FILE = "weights/l2_supercat_256.safetensors"
_TABLE = "embedding.weight"
_POINTS = 5000
_FIRST_TEXT = 259  # earlier rows are no text: unknown, start, end, and the 256 single bytes


@dataset(
    "tokens",
    source="WordLlama (Miller 2024), https://github.com/dleemiller/wordllama: its table l2_supercat, one embedding for "
    "each token of the LLaMA 2 vocabulary, trained from the embeddings of several language models; 5,000 of the "
    "31,741 tokens of text, picked with seed 0, shipped by wordllama",
    licence="MIT, as wordllama states for its package",
    requires="wordllama",
)
def tokens() -> tuple[NDArray[np.float32], None]:
    """5,000 real token embeddings of 256 numbers, as trained: neither centered nor scaled."""
    import numpy as np

    table = _table(_folder() / _FILE)
    # RandomState draws the same numbers in all versions of numpy (NEP 19); otherwise the hash would change.
    rows = np.random.RandomState(0).permutation(np.arange(_FIRST_TEXT, len(table)))[:_POINTS]
    return table[np.sort(rows)].astype(np.float32), None


def _folder() -> Path:
    """Return wordllama's folder without importing the package, which would load its tokenizer and more."""
    from importlib.util import find_spec
    from pathlib import Path

    spec = find_spec("wordllama")
    if spec is None or not spec.submodule_search_locations:
        raise MissingDependencyError(
            'data set "tokens": needs wordllama, which is not installed; pip install "distbench[tokens]"'
        )
    return Path(spec.submodule_search_locations[0])


def _table(path: Path) -> NDArray[np.float16]:
    """Return the embeddings, one row for each token."""
    try:
        from safetensors.numpy import load_file
    except ImportError as error:
        raise MissingDependencyError(
            'data set "tokens": needs safetensors, which is not installed; pip install "distbench[tokens]"'
        ) from error
    try:
        table: NDArray[np.float16] = load_file(path)[_TABLE]
    except (OSError, KeyError) as error:
        raise DatasetError(
            f'data set "tokens": wordllama as installed has no {_TABLE!r} in {_FILE} ({error}); install a version that '
            'ships it: pip install "distbench[tokens]"'
        ) from error
    return table
