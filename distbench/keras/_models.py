"""Autoencoders with the methods ``encode`` and ``decode``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any, TypeAlias

import keras
import numpy as np
from keras import ops
from numpy.typing import ArrayLike, NDArray

from distbench._util.checks import whole_number
from distbench.errors import InputError
from distbench.keras._checks import check_points, check_shape, check_targets, numbers
from distbench.keras._history import LossMean, replicas
from distbench.keras._moments import known, moments
from distbench.keras._networks import build_stack, in_batches

__all__ = ["Activation", "Autoencoder", "LinearAutoencoder"]

Activation: TypeAlias = str | Callable[[Any], Any] | None


@keras.saving.register_keras_serializable(package="distbench")
class Autoencoder(keras.Model):  # type: ignore[misc,unused-ignore]
    """Autoencoder, fully connected or of given networks; calling it reconstructs its inputs.

    Its loss is the squared error, or the loss that it is compiled with, divided by the variance of the inputs: with the
    squared error, 1 is as good as the mean of all points. ``compile("adam")`` and ``fit(X)`` are enough.

    Parameters
    ----------
    code_size : int, optional
        Width of the code. None: `encoder` and `decoder` are given.
    hidden : sequence of int, default (128, 64)
        Widths of the encoder's hidden layers; the decoder mirrors them. The code and the output are linear.
    activation : str, callable or layer, default "relu"
        Activation of the hidden layers. Of a layer, each of them has its own copy.
    encoder, decoder : keras.Model, optional
        Networks in place of the fully connected ones, built or not, for points and codes of any shape (n, ...).
    **kwargs
        Passed to ``keras.Model``.

    Raises
    ------
    distbench.errors.InputError
        A width is not a whole number above 0, or networks and ``code_size`` are both given, or neither.
    """

    # False for a model without a decoder: its loss is only what the model adds.
    reconstructs = True
    # Arguments of a subclass that are attributes of the same name, for its configuration.
    arguments: tuple[str, ...] = ()
    # Names in the history of the losses that the model adds, in this order: always, and only while it trains.
    added: tuple[str, ...] = ()
    added_in_training: tuple[str, ...] = ()
    # The mean distance of points, of a model that needs it: a variable; 0 until it is known.
    scale: Any = None

    def __init__(
        self,
        code_size: int | None = None,
        hidden: Sequence[int] = (128, 64),
        activation: Activation = "relu",
        *,
        encoder: Any = None,
        decoder: Any = None,
        **kwargs: Any,
    ) -> None:
        # The layers cast their inputs; the inputs of losses keep their precision.
        super().__init__(autocast=False, **kwargs)
        self.encoder, self.decoder = (
            keras.saving.deserialize_keras_object(network) if isinstance(network, Mapping) else network
            for network in (encoder, decoder)
        )
        self._check_networks(code_size)
        if not isinstance(hidden, (list, tuple)):
            raise InputError("hidden", f"found {hidden!r}", "pass a list of widths")
        for width in (*(() if code_size is None else (code_size,)), *hidden):
            whole_number(width, "code_size, hidden", 1)
        self.code_size: Any = None if code_size is None else int(code_size)
        self.hidden = tuple(int(width) for width in hidden)
        given = keras.saving.deserialize_keras_object(activation) if isinstance(activation, Mapping) else activation
        # Keras would take a layer among the attributes for a part of the model; it does not look into a function.
        self._given_activation: Callable[[], Any] = lambda: given
        self.variance = self._number("variance")
        names = ("reconstruction_loss",) * self.reconstructs + self.added + self.added_in_training
        self._trackers = [LossMean(name) for name in names] if self.added else []

    def _check_networks(self, code_size: int | None) -> None:
        names = ("encoder", "decoder") if self.reconstructs else ("encoder",)
        given = [name for name in ("encoder", "decoder") if getattr(self, name) is not None]
        if code_size is not None and given:
            raise InputError(given[0], f"found beside code_size {code_size!r}", "pass one of the two")
        if code_size is None and given != list(names):
            found = f"missing, with {given[0]} given" if given else "missing"
            raise InputError("code_size", found, f"pass it, or {' and '.join(names)}")
        for name in given:
            if not isinstance(getattr(self, name), keras.layers.Layer):
                raise InputError(name, f"found {type(getattr(self, name)).__name__}", "pass a Keras model")
        # What has no networks to make is given them.
        self._has_own = not given

    def _number(self, name: str, value: float | None = None) -> Any:
        """Make a variable that is saved with the model and not trained; 0 for a number that is not known."""
        start = keras.initializers.Constant(value or 0.0)
        return self.add_weight(shape=(), initializer=start, dtype="float32", trainable=False, autocast=False, name=name)

    @property
    def activation(self) -> Any:
        """The activation of the hidden layers; of a layer a new copy, with weights and a name of its own."""
        given = self._given_activation()
        if not isinstance(given, keras.layers.Layer):
            return given
        return type(given).from_config({key: value for key, value in given.get_config().items() if key != "name"})

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Make encoder and decoder for inputs of shape ``(batch, ...)``, unless they were given."""
        self._point_shape = tuple(input_shape[1:])
        self._features = prod(size or 1 for size in self._point_shape)
        if self._has_own:
            if len(self._point_shape) != 1:
                advice = "pass shape (n, features), or networks as encoder= and decoder="
                raise InputError("inputs", f"found points of shape {self._point_shape}", advice)
            self._code_shape: Any = (self.code_size,)
            self.encoder, self.decoder = self.networks(input_shape)
            build_stack(self.encoder, input_shape)
            if self.reconstructs:
                build_stack(self.decoder, (None, self.code_size))
        else:
            # A symbolic call builds networks of any kind.
            codes = self.encoder(keras.KerasTensor((None, *self._point_shape), "float32"))
            if isinstance(codes, (list, tuple, dict)):
                raise InputError("encoder", f"found {len(codes)} outputs", "pass a model with one output")
            self._code_shape = tuple(codes.shape[1:])
            if self.reconstructs:
                self.decoder(codes)
        self.built = True

    def networks(self, input_shape: Sequence[int | None]) -> tuple[Any, Any]:
        """Return an encoder and a decoder, not built, for inputs of shape ``(batch, features)``."""
        encoder = self._stack(self.hidden, self.code_size, "encoder")
        return encoder, self._stack(self.hidden[::-1], input_shape[-1], "decoder") if self.reconstructs else None

    def _stack(self, hidden: Sequence[int], width: int | None, name: str) -> Any:
        policy = self.dtype_policy
        layers = [keras.layers.Dense(units, activation=self.activation, dtype=policy) for units in hidden]
        return keras.Sequential([*layers, keras.layers.Dense(width, dtype=policy)], name=name)

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Check that the inputs are a batch of points, of which Keras would complain in many lines, and call."""
        check_points(inputs)
        if self.built:
            check_shape("inputs", inputs.shape, self._point_shape, self._has_own)
        return super().__call__(inputs, *args, **kwargs)

    @property
    def noise_size(self) -> int:
        """Random numbers that ``call`` takes as ``noise`` for each point while training; 0: none."""
        return 0

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Reconstruct ``inputs``, shape (n, features)."""
        return self.decoder(self.encoder(inputs, training=training), training=training)

    def adapt(self, X: Any) -> None:
        """Set the variance of the points, and their mean distance if the model needs it, which are saved with it.

        Without it, or before it, each batch is divided by its own variance and mean distance.

        Parameters
        ----------
        X : array_like, shape (n, ...), or iterable of batches
            Train points, or batches of them as for ``fit``, such as a ``tf.data.Dataset``. Mean distances are those of
            2,000 points at most.

        Raises
        ------
        distbench.errors.InputError
            All points are equal, or there are none, or some number is not finite.
        """
        variance, distance = moments(X)
        self.variance.assign(variance)
        if self.scale is not None:
            self.scale.assign(distance)

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """Return the loss of a batch: that of the reconstruction, and what the model adds.

        ``y`` None: the targets are ``x``. ``sample_weight`` concerns the reconstruction alone.
        """
        share = 1.0 / replicas()
        losses = [ops.sum(loss) * share for loss in self.losses]
        shown = dict(zip(self.added + self.added_in_training * training, losses, strict=False))
        compared = self._comparison(x, y, y_pred, sample_weight)
        if compared is not None:
            shown["reconstruction_loss"] = compared
            losses.append(compared)
        for tracker in self._trackers:
            if tracker.name in shown:
                tracker.update_state(shown[tracker.name] / share, sample_weight=ops.shape(x)[0])
        return sum(losses)

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, Any]:
        """Return the logs of a batch, with compiled metrics; ``y`` None: the targets are ``x``."""
        targets = x if y is None and self.reconstructs else y
        logs: dict[str, Any] = super().compute_metrics(x, targets, y_pred, sample_weight)
        return logs

    def fit(self, x: Any = None, y: Any = None, *args: Any, **kwargs: Any) -> Any:
        """Train as ``keras.Model.fit`` does, and return its history.

        Raises
        ------
        distbench.errors.InputError
            ``sample_weight`` is given without ``y``: Keras would drop it. Or ``class_weight`` is given.
        """
        if kwargs.get("class_weight") is not None:
            raise InputError("class_weight", "found for a model without classes", "pass sample_weight, one for a point")
        if y is None and kwargs.get("sample_weight") is not None:
            raise InputError("sample_weight", "found without y", "pass the points as y too: Keras drops it without")
        return super().fit(x, y, *args, **kwargs)

    def _comparison(self, x: Any, y: Any, y_pred: Any, sample_weight: Any) -> Any:
        """Return the loss of the output, divided by the variance."""
        targets = ops.convert_to_tensor(x if y is None else y)
        found = known(ops.mean(ops.var(ops.cast(targets, "float32"), axis=0)), 1.0)
        loss = self._compile_loss
        if loss is None:
            check_targets(targets, y_pred, x)
            loss = keras.losses.MeanSquaredError(dtype="float32")
            if len(targets.shape) > 2:  # one error a point, for its sample weight
                targets, y_pred = (ops.reshape(rows, (ops.shape(rows)[0], -1)) for rows in (targets, y_pred))
        return loss(targets, y_pred, sample_weight) / known(self.variance, found)

    def encode(self, X: ArrayLike, batch_size: int | None = None) -> NDArray[np.floating]:
        """Return the codes of points ``X`` (n, ...) as numpy array (n, ...), ``batch_size`` points at once.

        None: 8192 points of up to 1,024 numbers, fewer of larger points, at least 1024.
        """
        points = numbers("X", X)
        if not self.built:
            check_points(points)
            self.build((None, *points.shape[1:]))
        check_shape("X", points.shape, self._point_shape, self._has_own)
        return in_batches(self.encoder, points, batch_size, self._features)

    def decode(self, Z: ArrayLike, batch_size: int | None = None) -> NDArray[np.floating]:
        """Return decoded codes ``Z`` (n, ...) as numpy array (n, ...), ``batch_size`` codes at once.

        None: as many as :meth:`encode` takes.

        Raises
        ------
        distbench.errors.InputError
            The model was never called on points, so their size is not known.
        """
        if not self.built:
            raise InputError("decode: this model has seen no points yet; fit it, or encode some, first")
        codes = numbers("Z", Z)
        check_shape("Z", codes.shape, self._code_shape, self._has_own)
        return in_batches(self.decoder, codes, batch_size, self._features)

    def get_config(self) -> dict[str, Any]:
        """Return what ``from_config`` needs to make this model again."""
        given = self._given_activation()
        named = given is None or isinstance(given, str)
        # Keras's own function for activations loses what it needs to restore a lambda.
        is_lambda = getattr(given, "__name__", "") == "<lambda>"
        serialize = keras.saving.serialize_keras_object if is_lambda else keras.activations.serialize
        activation = given if named else serialize(given)
        common = {"code_size": self.code_size, "hidden": list(self.hidden), "activation": activation}
        for name in ("encoder", "decoder"):
            network = None if self._has_own else getattr(self, name)
            common[name] = None if network is None else keras.saving.serialize_keras_object(network)
        return {**super().get_config(), **common, **{name: getattr(self, name) for name in self.arguments}}


@keras.saving.register_keras_serializable(package="distbench")
class LinearAutoencoder(Autoencoder):
    """Autoencoder without hidden layers: at its optimum the decoder spans the principal subspace.

    Its codes are principal components only up to an invertible linear map (Baldi & Hornik 1989), so they do not
    keep the distances that PCA keeps.

    Parameters
    ----------
    code_size : int
        Width of the code.
    **kwargs
        Passed to ``keras.Model``.
    """

    def __init__(self, code_size: int, **kwargs: Any) -> None:
        super().__init__(code_size, hidden=(), **kwargs)

    @property
    def components_(self) -> NDArray[np.floating]:
        """Basis of the decoder's span, shape (code_size, features); not orthonormal."""
        return np.asarray(self.decoder.layers[-1].get_weights()[0])

    def get_config(self) -> dict[str, Any]:
        """Return what ``from_config`` needs to make this model again."""
        config = super().get_config()
        del config["hidden"], config["activation"]
        return config
