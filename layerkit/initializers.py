"""Initializers: functions of (shape, dtype) that give a weight's first value.

A seeded initializer gives the same numbers whenever it is called, and an unseeded one takes its
seed from the global generator when it is made, as Keras's do. With an int seed the numbers equal,
bit for bit, those of Keras on its NumPy backend.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from layerkit.backend import SeedGenerator, Tensor, floatx, is_array, to_numpy
from layerkit.backend.names import explain_missing
from layerkit.backend.random import generator, make_seed
from layerkit.backend.registry import default_backend
from layerkit.backend.threads import blas_on_one_thread

from . import configurable
from .configurable import Configurable, serialize
from .window_functions import check_window, window

Shape = tuple[int, ...]


class Initializer(Configurable):
    """Base of all initializers: override `__call__(shape, dtype=None)`, which returns an array."""

    keras_module = "keras.initializers"
    accepts_callables = True
    aliases = {
        "normal": "RandomNormal",
        "one": "Ones",
        "uniform": "RandomUniform",
        "zero": "Zeros",
        "IdentityInitializer": "Identity",
        "OrthogonalInitializer": "Orthogonal",
        "STFTInitializer": "STFT",
    }

    def __call__(self, shape: Shape, dtype: Any = None) -> Any:
        raise NotImplementedError(
            "Initializer subclasses must implement the `__call__()` method: "
            f"{type(self).__name__} has none."
        )

    def clone(self) -> Initializer:
        """A new initializer of the same config."""
        return type(self).from_config(self.get_config())


def _born(array: np.ndarray, dtype: Any = None) -> Any:
    """`array` on the backend where new arrays are born, as `dtype` (default `floatx()`)."""
    return default_backend().asarray(array.astype(dtype or floatx(), copy=False))


class Zeros(Initializer):
    """All zeros."""

    def __call__(self, shape: Shape, dtype: Any = None) -> Any:
        return _born(np.zeros(shape), dtype)


class Ones(Initializer):
    """All ones."""

    def __call__(self, shape: Shape, dtype: Any = None) -> Any:
        return _born(np.ones(shape), dtype)


class Constant(Initializer):
    """`value` everywhere: a number, or an array that broadcasts to the shape."""

    def __init__(self, value: Any = 0.0):
        self.value = value

    def __call__(self, shape: Shape, dtype: Any = None) -> Any:
        value = to_numpy(self.value) if is_array(self.value) else self.value
        return _born(np.array(np.broadcast_to(value, shape)), dtype)


class Identity(Initializer):
    """`gain` on the diagonal of a matrix, zeros elsewhere. ValueError unless the shape is 2D."""

    former_name = "IdentityInitializer"

    def __init__(self, gain: float = 1.0):
        self.gain = gain

    def __call__(self, shape: Shape, dtype: Any = None) -> Any:
        if len(shape) != 2:
            raise ValueError(
                "Identity matrix initializer can only be used for 2D matrices. "
                f"Received: shape={shape} of rank {len(shape)}."
            )
        return _born(self.gain * np.eye(*shape), dtype)


class STFT(Initializer):
    """The kernel of a convolution that gives the short-time Fourier transform of a signal.

    `side`: the 'real' or the 'imag' part. `window`: the name of one ('hann', 'hamming'...), its
    values, or None. `scaling`: divide by the window's 'density' (its length as a vector) or its
    'spectrum' (its sum), or None. `periodic`: one period of the window, not a symmetric one.
    """

    def __init__(
        self,
        side: str = "real",
        window: Any = "hann",
        scaling: str | None = "density",
        periodic: bool = False,
    ):
        if side not in ("real", "imag"):
            raise ValueError(f"side should be 'real' or 'imag', not {side}")
        if isinstance(window, str):
            check_window(window)
        if scaling not in (None, "density", "spectrum"):
            raise ValueError(
                "Scaling is invalid, it must be `None`, 'density' or 'spectrum'. Received "
                f"scaling={scaling}"
            )
        self.side = side
        self.window = window
        self.scaling = scaling
        self.periodic = periodic

    def __call__(self, shape: Shape, dtype: Any = None) -> Any:
        """A kernel of `shape` (time, 1, frequencies)."""
        length, _, frequencies = shape
        time = np.arange(length)[:, None, None]
        angle = -2 * np.pi * time * np.arange(frequencies) / (2 * (frequencies - 1))
        kernel = np.cos(angle) if self.side == "real" else np.sin(angle)
        return _born(kernel * self._weights(length)[:, None, None], dtype)

    def _weights(self, length: int) -> np.ndarray:
        if self.window is None:
            return np.ones(length)
        named = isinstance(self.window, str)
        values = window(self.window, length, self.periodic) if named else to_numpy(self.window)
        if values.shape != (length,):
            raise ValueError(
                "The shape of `window` must be equal to [frame_length]. Received: window "
                f"shape={values.shape}, frame_length={length}"
            )
        if self.scaling == "density":
            return values / np.sqrt(np.sum(values**2))
        return values / np.sum(abs(values)) if self.scaling else values


class RandomInitializer(Initializer):
    """Base of the random ones. `seed`: an int, None, or a SeedGenerator for ever new numbers."""

    def __init__(self, seed: int | SeedGenerator | None = None):
        if seed is not None and not isinstance(seed, (int, np.integer, SeedGenerator)):
            raise ValueError(
                "`seed` argument should be an instance of `layerkit.random.SeedGenerator()` or an "
                f"integer. Received: seed={seed}"
            )
        self.seed = seed
        self._drawn_seed = make_seed() if seed is None else seed

    def generator(self) -> np.random.Generator:
        """The numbers of one call: the same ones each time, unless `seed` is a SeedGenerator."""
        return generator(self._drawn_seed)


class RandomNormal(RandomInitializer):
    """Normally distributed."""

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Any = None):
        super().__init__(seed)
        self.mean = mean
        self.stddev = stddev

    def __call__(self, shape: Shape, dtype: Any = None) -> Any:
        return _born(self.generator().normal(self.mean, self.stddev, shape), dtype)


class RandomUniform(RandomInitializer):
    """Uniformly distributed from `minval` (included) to `maxval` (excluded)."""

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: Any = None):
        super().__init__(seed)
        self.minval = minval
        self.maxval = maxval

    def __call__(self, shape: Shape, dtype: Any = None) -> Any:
        return _born(self.generator().uniform(self.minval, self.maxval, shape), dtype)


class TruncatedNormal(RandomInitializer):
    """Normally distributed; what is further from the mean than two `stddev` is drawn again."""

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Any = None):
        super().__init__(seed)
        self.mean = mean
        self.stddev = stddev

    def __call__(self, shape: Shape, dtype: Any = None) -> Any:
        return _born(_truncated_normal(self.generator(), shape, self.mean, self.stddev), dtype)


def _truncated_normal(
    rng: np.random.Generator, shape: Shape, mean: float, stddev: float
) -> np.ndarray:
    count = math.prod(shape)
    kept = np.empty(0)
    while kept.size < count:
        drawn = rng.normal(mean, stddev, count)
        inside = (drawn >= mean - 2 * stddev) & (drawn <= mean + 2 * stddev)
        kept = np.append(kept, drawn[inside])
    return kept[:count].reshape(shape)


# Standard deviation of a standard normal distribution that is cut off at two.
_TRUNCATED_STDDEV = 0.87962566103423978


class VarianceScaling(RandomInitializer):
    """Variance `scale / n`, with n the number of a unit's inputs or outputs, or their average.

    `mode`: 'fan_in', 'fan_out' or 'fan_avg'. `distribution`: 'truncated_normal' (also 'normal'),
    'untruncated_normal' or 'uniform'. `input_axes`, `output_axes`: the shape's axes that count as
    inputs and outputs, both or none: see `compute_fans`.
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: Any = None,
        input_axes: Any = None,
        output_axes: Any = None,
    ):
        super().__init__(seed)
        if (input_axes is None) != (output_axes is None):
            raise ValueError(
                "Give `input_axes` and `output_axes` together, or neither. Received: "
                f"input_axes={input_axes}, output_axes={output_axes}"
            )
        if scale <= 0:
            raise ValueError(f"Argument `scale` must be positive float. Received: scale={scale}")
        distribution = distribution.lower()
        self.scale = scale
        self.mode = _one_of("mode", mode, _FANS)
        self.distribution = _one_of(
            "distribution",
            "truncated_normal" if distribution == "normal" else distribution,
            ("truncated_normal", "untruncated_normal", "uniform"),
        )
        self.input_axes = input_axes
        self.output_axes = output_axes

    def __call__(self, shape: Shape, dtype: Any = None) -> Any:
        variance = self.scale / max(1.0, _FANS[self.mode](*self._fans(shape)))
        rng = self.generator()
        if self.distribution == "truncated_normal":
            stddev = math.sqrt(variance) / _TRUNCATED_STDDEV
            return _born(_truncated_normal(rng, shape, 0.0, stddev), dtype)
        if self.distribution == "untruncated_normal":
            return _born(rng.normal(0.0, math.sqrt(variance), shape), dtype)
        limit = math.sqrt(3.0 * variance)
        return _born(rng.uniform(-limit, limit, shape), dtype)

    def _fans(self, shape: Shape) -> tuple[int, int]:
        return compute_fans(shape, self.input_axes, self.output_axes)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        for key in ("input_axes", "output_axes"):  # unknown to older Keras versions
            if config[key] is None:
                del config[key]
        return config


_FANS = {
    "fan_in": lambda inputs, outputs: inputs,
    "fan_out": lambda inputs, outputs: outputs,
    "fan_avg": lambda inputs, outputs: (inputs + outputs) / 2.0,
}


def _one_of(argument: str, value: str, allowed: Any) -> str:
    if value not in allowed:
        raise ValueError(
            f"Invalid `{argument}` argument: {value}. Please use one of {sorted(allowed)}"
        )
    return value


def compute_fans(shape: Shape, input_axes: Any = None, output_axes: Any = None) -> tuple[int, int]:
    """How many inputs a unit has, and how many outputs an input goes to.

    Matrices are (inputs, outputs), convolution kernels (*window, channels, filters), unless the
    axes of both are given.
    """
    if input_axes is not None:
        inputs, outputs = (
            math.prod(int(shape[axis]) for axis in axes) for axes in (input_axes, output_axes)
        )
        return inputs, outputs
    if not shape:
        return 1, 1
    if len(shape) == 1:
        return int(shape[0]), int(shape[0])
    window = math.prod(shape[:-2])
    return int(shape[-2] * window), int(shape[-1] * window)


class GlorotUniform(VarianceScaling):
    """Uniform within sqrt(6 / (fan_in + fan_out)); Glorot and Bengio, 2010."""

    def __init__(self, seed: Any = None, input_axes: Any = None, output_axes: Any = None):
        super().__init__(1.0, "fan_avg", "uniform", seed, input_axes, output_axes)


class GlorotNormal(VarianceScaling):
    """Truncated normal of variance 2 / (fan_in + fan_out); Glorot and Bengio, 2010."""

    def __init__(self, seed: Any = None, input_axes: Any = None, output_axes: Any = None):
        super().__init__(1.0, "fan_avg", "truncated_normal", seed, input_axes, output_axes)


class HeUniform(VarianceScaling):
    """Uniform within sqrt(6 / fan_in); He et al., 2015."""

    def __init__(self, seed: Any = None, input_axes: Any = None, output_axes: Any = None):
        super().__init__(2.0, "fan_in", "uniform", seed, input_axes, output_axes)


class HeNormal(VarianceScaling):
    """Truncated normal of variance 2 / fan_in; He et al., 2015."""

    def __init__(self, seed: Any = None, input_axes: Any = None, output_axes: Any = None):
        super().__init__(2.0, "fan_in", "truncated_normal", seed, input_axes, output_axes)


class LecunUniform(VarianceScaling):
    """Uniform within sqrt(3 / fan_in); LeCun et al., 1998."""

    def __init__(self, seed: Any = None, input_axes: Any = None, output_axes: Any = None):
        super().__init__(1.0, "fan_in", "uniform", seed, input_axes, output_axes)


class LecunNormal(VarianceScaling):
    """Truncated normal of variance 1 / fan_in; LeCun et al., 1998."""

    def __init__(self, seed: Any = None, input_axes: Any = None, output_axes: Any = None):
        super().__init__(1.0, "fan_in", "truncated_normal", seed, input_axes, output_axes)


class Orthogonal(RandomInitializer):
    """A matrix with orthogonal rows or columns, times `gain`; Saxe et al., 2014.

    All axes but the last count as rows. ValueError for shapes of less than two axes.
    """

    former_name = "OrthogonalInitializer"

    def __init__(self, gain: float = 1.0, seed: Any = None):
        super().__init__(seed)
        self.gain = gain

    def __call__(self, shape: Shape, dtype: Any = None) -> Any:
        if len(shape) < 2:
            raise ValueError(
                "The tensor to initialize must be at least two-dimensional. Received: "
                f"shape={shape} of rank {len(shape)}."
            )
        rows, columns = math.prod(shape[:-1]), shape[-1]
        tall = (max(rows, columns), min(rows, columns))
        numbers = self.generator().normal(size=tall).astype(dtype or floatx())
        numbers = numbers.astype(np.promote_types(numbers.dtype, "float32"))  # LAPACK's smallest
        with blas_on_one_thread():  # LAPACK hands out small pieces: its threads mostly wait
            q, r = np.linalg.qr(numbers)
        q *= np.sign(np.diag(r))  # makes the draw uniform
        return _born(self.gain * (q.T if rows < columns else q).reshape(shape), dtype)


def get(identifier: Any) -> Any:
    """The initializer that a name, a config, a class, a function or an array of values means."""
    if isinstance(identifier, Tensor) or is_array(identifier):
        return _FromArray(identifier)
    return configurable.get(Initializer, identifier)


class _FromArray(Constant):
    """The values of an array, which has to have the weight's own shape."""

    def __call__(self, shape: Shape, dtype: Any = None) -> Any:
        if tuple(shape) != tuple(self.value.shape):
            raise ValueError(
                f"Expected `shape` to be {self.value.shape} for direct tensor as initializer. "
                f"Received shape={shape}"
            )
        return super().__call__(shape, dtype)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The initializer that `serialize` described."""
    return configurable.deserialize(config, custom_objects, family="initializers")


IdentityInitializer = identity = Identity
STFTInitializer = stft = STFT
OrthogonalInitializer = orthogonal = Orthogonal
zeros, ones, constant = Zeros, Ones, Constant
random_normal, random_uniform, truncated_normal = RandomNormal, RandomUniform, TruncatedNormal
variance_scaling = VarianceScaling
glorot_normal, glorot_uniform = GlorotNormal, GlorotUniform
he_normal, he_uniform = HeNormal, HeUniform
lecun_normal, lecun_uniform = LecunNormal, LecunUniform

__all__ = [
    "STFT",
    "Constant",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Identity",
    "IdentityInitializer",
    "Initializer",
    "LecunNormal",
    "LecunUniform",
    "Ones",
    "Orthogonal",
    "OrthogonalInitializer",
    "RandomInitializer",
    "RandomNormal",
    "RandomUniform",
    "STFTInitializer",
    "TruncatedNormal",
    "VarianceScaling",
    "Zeros",
    "compute_fans",
    "constant",
    "deserialize",
    "get",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "identity",
    "lecun_normal",
    "lecun_uniform",
    "ones",
    "orthogonal",
    "random_normal",
    "random_uniform",
    "serialize",
    "stft",
    "truncated_normal",
    "variance_scaling",
    "zeros",
]

explain_missing(__name__)
