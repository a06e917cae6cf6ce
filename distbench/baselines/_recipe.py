"""The class of recipes and their registry."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol, cast

from distbench._util.checks import whole_number
from distbench._util.registry import Registry
from distbench.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

__all__ = [
    "BASELINES",
    "FittedEncoder",
    "Progress",
    "Recipe",
    "Transformer",
    "baseline",
    "fit_baseline",
]

Progress = Callable[[int, int], None]


class FittedEncoder(Protocol):
    """A fitted baseline.

    Some recipes give it more attributes: ``codes_`` (n, code_size), the codes of the points that it was fitted on
    (``mds``, ``tsne``, ``umap``); ``note``, a short text for readers of results; and ``note_out_of_sample``, one that
    concerns only the codes of new points.
    """

    @property
    def name(self) -> str:
        """The name of the recipe."""

    def encode(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the codes of points ``X`` (m, ...) as an array (m, code_size)."""

    def transform(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the codes of points ``X`` (m, ...), under the name that scikit-learn uses."""


class Transformer:
    """A fitted encoder that scikit-learn can call, too."""

    takes_dense = True  # rows of sparse points are made dense before it is called
    fitted_table: Any = None  # the table it was fitted on, without its rows

    def transform(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the codes of points ``X`` (m, ...), under the name that scikit-learn uses.

        Raises
        ------
        distbench.errors.InputError
            ``X`` is a table whose columns have other names than those fitted on, or another order.
        """
        from distbench._util.float_errors import default_float_errors
        from distbench.inputs.table_names import check_column_names

        check_column_names((self.fitted_table, "the points that it was fitted on"), (X, "X"))
        with default_float_errors():
            return cast("FittedEncoder", self).encode(X)


@dataclass(frozen=True)
class Recipe:
    """How to fit one baseline.

    Attributes
    ----------
    name : str
        Name of the recipe.
    deterministic : bool
        Whether the seed changes nothing, so that one fit is enough.
    summary : str
        One line that describes it.
    run : callable
        The decorated function; points are checked before it is called.
    in_sample_only : bool
        Whether the encoder has codes of the fitted points (``codes_``) and of no others.
    requires : str
        Name of an optional package that the recipe imports; empty for none.
    """

    name: str
    deterministic: bool
    summary: str
    run: Callable[..., FittedEncoder]
    in_sample_only: bool = False
    requires: str = ""

    @property
    def options(self) -> tuple[str, ...]:
        """Names of the options that ``fit`` takes beside its four named arguments."""
        parameters = inspect.signature(self.run).parameters.values()
        return tuple(parameter.name for parameter in parameters if parameter.kind is parameter.KEYWORD_ONLY)

    def fit(
        self, X: ArrayLike, code_size: int, seed: int = 0, progress: Progress | None = None, **options: Any
    ) -> FittedEncoder:
        """Return an encoder fitted on train points.

        Parameters
        ----------
        X : array-like of shape (n, ...)
            Train points.
        code_size, seed, progress, **options
            As for :func:`fit_baseline`.

        Returns
        -------
        FittedEncoder
            Has ``encode``, ``transform`` and ``name``, as :func:`fit_baseline` says.

        Raises
        ------
        InputError
            An argument cannot be used, or the recipe has no such option.
        """
        from distbench._util.float_errors import default_float_errors

        points = _checked(X)
        whole_number(code_size, "code_size", 1)
        whole_number(seed, "seed", 0)
        unknown = sorted(set(options) - set(self.options))
        if unknown:
            known = ", ".join(self.options) or "none"
            raise InputError(f"options: {self.name} has no {unknown[0]!r}; it takes {known}")
        with default_float_errors(), _keras_defaults():
            encoder = self.run(points, int(code_size), int(seed), progress, **options)
        if isinstance(encoder, Transformer) and hasattr(X, "columns"):
            object.__setattr__(encoder, "fitted_table", cast("Any", X)[:0])  # encoders are frozen
        return encoder if hasattr(encoder, "encode") and hasattr(encoder, "name") else _Named(self.name, encoder)


@contextmanager
def _keras_defaults() -> Iterator[None]:
    """Give Keras its default settings during a fit, so that those of the user change no recipe; restore them after.

    If Keras is not loaded, the user has set nothing.
    """
    config = getattr(sys.modules.get("keras"), "config", None)
    if config is None:
        yield
        return
    policy, number, layout = config.dtype_policy(), config.floatx(), config.image_data_format()
    _set_keras(config, "float32", "float32", "channels_last")
    try:
        yield
    finally:
        _set_keras(config, policy, number, layout)


def _set_keras(config: Any, policy: Any, number: str, layout: str) -> None:
    config.set_dtype_policy(policy)
    config.set_floatx(number)
    config.set_image_data_format(layout)


class _Named:
    """A fitted encoder around what a recipe of another package returned, such as a scikit-learn estimator."""

    def __init__(self, name: str, found: Any) -> None:
        from distbench.encoders.encoder import as_encoder

        self.name = name
        self._found, self._encoder = found, replace(as_encoder(found), name=name)

    def encode(self, X: ArrayLike) -> NDArray[np.float64]:
        return self._encoder.encode(X).astype(float, copy=False)

    transform = encode

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._found, name)


def _adopt(name: str, found: Any) -> Recipe:
    """Return the recipe of another package under its registered name."""
    if not isinstance(found, Recipe):
        raise InputError(f"found {type(found).__name__}; give a distbench.baselines.Recipe")
    return replace(found, name=name)


BASELINES: Registry[Recipe] = Registry("distbench.baselines", "baseline", _adopt)


def baseline(
    name: str, *, deterministic: bool, in_sample_only: bool = False, requires: str = ""
) -> Callable[[Callable[..., FittedEncoder]], Callable[..., FittedEncoder]]:
    """Register the decorated function as the recipe ``name``.

    The function takes ``(X, code_size, seed, progress)`` with ``X`` a checked float64 array (n, d); its
    keyword-only arguments are the recipe's options, the first line of its docstring is the summary. A recipe that
    ``requires`` an optional package raises ``MissingDependencyError``, which names the extra, when run without it.
    """

    def register(run: Callable[..., FittedEncoder]) -> Callable[..., FittedEncoder]:
        summary = (inspect.getdoc(run) or "").split("\n", 1)[0]
        BASELINES.add(name, Recipe(name, deterministic, summary, run, in_sample_only, requires))
        return run

    return register


def fit_baseline(
    name: str,
    X: ArrayLike,
    code_size: int,
    seed: int = 0,
    progress: Progress | None = None,
    **options: Any,
) -> FittedEncoder:
    """Fit a baseline by name.

    Parameters
    ----------
    name : str
        One of :data:`distbench.baselines.BASELINES`.
    X : array_like, shape (n, ...)
        Train points; images are flattened.
    code_size : int
        Columns of the codes. ``identity``, ``isometry`` and ``isometry_sigmoid`` ignore it.
    seed : int, default 0
        The same seed gives the same encoder on the same machine.
    progress : callable, optional
        Called as ``progress(done, total)`` while a network trains.
    **options
        Settings of the recipe, such as ``epochs``; ``BASELINES[name].options`` lists them.

    Returns
    -------
    FittedEncoder
        Has ``encode``, ``transform`` and ``name``; ``pca`` and ``linear_autoencoder`` also ``components_``; ``mds``,
        ``tsne`` and ``umap`` also ``codes_``, the codes of the train points. ``encode`` of ``tsne`` refuses other
        points.

    Raises
    ------
    distbench.errors.InputError
        The name or an option is unknown, or an argument cannot be used.
    distbench.errors.MissingDependencyError
        The recipe needs an optional package, such as Keras, which is not installed.
    distbench.errors.TrainingError
        Training diverged, or the points leave nothing to fit.

    Examples
    --------
    >>> import distbench
    >>> data = distbench.load_dataset("digits")
    >>> encoder = distbench.fit_baseline("pca", data.train, code_size=8)
    >>> encoder.transform(data.test).shape
    (360, 8)
    """
    if name not in BASELINES:
        raise InputError(f"name: {BASELINES.hint(name)}")
    return BASELINES[name].fit(X, code_size, seed, progress, **options)


def _checked(X: ArrayLike) -> NDArray[np.float64]:
    import numpy as np

    from distbench.inputs.arrays import as_points

    points = as_points(X, "X")
    if len(points) < 2:
        raise InputError(f"X: {len(points)} points; at least 2 are needed to fit an encoder")
    return np.asarray(points, dtype=np.float64)
