"""Layers that turn signals into pictures of their frequencies: MelSpectrogram, STFTSpectrogram."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from layerkit import backend as K
from layerkit.backend.registry import backend_of

from ... import initializers
from ...ops.math import stft
from ...symbolic import KerasTensor
from ...window_functions import check_window
from ..input_spec import InputSpec
from ..layer import Layer, Shape


class MelSpectrogram(Layer):
    """How strong the bands of the mel scale are in each piece of a signal.

    Inputs (time,) or (batch, time); outputs (..., num_mel_bins, pieces), in decibels for
    `power_to_db`. Pieces of `sequence_length` samples (by default `fft_length`), windowed, each
    `sequence_stride` after the one before, are transformed with `fft_length`; magnitudes are taken
    to the power `mag_exp` and summed up in triangular bands from `min_freq` to `max_freq` Hz (by
    default half of `sampling_rate`). Decibels are over `ref_power`, at least those of `min_power`,
    and at most `top_db` below the loudest of the batch. Stevens, Volkmann and Newman 1937.
    """

    def __init__(
        self,
        fft_length: int = 2048,
        sequence_stride: int = 512,
        sequence_length: int | None = None,
        window: Any = "hann",
        sampling_rate: int = 16000,
        num_mel_bins: int = 128,
        min_freq: float = 20.0,
        max_freq: float | None = None,
        power_to_db: bool = True,
        top_db: float = 80.0,
        mag_exp: float = 2.0,
        min_power: float = 1e-10,
        ref_power: float = 1.0,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.fft_length = fft_length
        self.sequence_stride = sequence_stride
        self.sequence_length = sequence_length or fft_length
        if self.fft_length < self.sequence_length:
            raise ValueError(
                "`fft_length` must be greater than or equal to `sequence_length`. Received: "
                f"`sequence_length`={self.sequence_length}, `fft_length`={self.fft_length}."
            )
        self.window = window
        self.sampling_rate = sampling_rate
        self.num_mel_bins = num_mel_bins
        self.min_freq = min_freq
        self.max_freq = max_freq or int(sampling_rate / 2)
        self.power_to_db = power_to_db
        self.top_db = top_db
        self.mag_exp = mag_exp
        self.min_power = min_power
        self.ref_power = ref_power

    def call(self, inputs: Any) -> Any:
        real, imaginary = stft(
            inputs, self.sequence_length, self.sequence_stride, self.fft_length, self.window
        )
        power = K.power(K.square(real) + K.square(imaginary), self.mag_exp / 2)
        bands = backend_of(inputs.array).constant(
            self.linear_to_mel_weight_matrix(
                self.num_mel_bins,
                self.fft_length // 2 + 1,
                self.sampling_rate,
                self.min_freq,
                self.max_freq,
            ).astype(power.dtype)
        )
        y = K.matmul(power, bands)
        if self.power_to_db:
            y = self._decibels(y)
        return K.cast(K.swapaxes(y, -1, -2), self.compute_dtype)

    def linear_to_mel_weight_matrix(
        self,
        num_mel_bins: int = 20,
        num_spectrogram_bins: int = 129,
        sampling_rate: float = 8000,
        lower_edge_hertz: float = 125.0,
        upper_edge_hertz: float = 3800.0,
        dtype: str = "float32",
    ) -> np.ndarray:
        """(num_spectrogram_bins, num_mel_bins): the weight of each frequency in each band.

        Triangles on the mel scale, of height 1, whose ends are the middles of their neighbours.
        """
        mels = _mel(np.linspace(0, sampling_rate / 2, num_spectrogram_bins))[1:, None]
        edges = np.linspace(_mel(lower_edge_hertz), _mel(upper_edge_hertz), num_mel_bins + 2)
        low, middle, high = edges[:-2], edges[1:-1], edges[2:]
        rising, falling = (mels - low) / (middle - low), (high - mels) / (high - middle)
        bands = np.maximum(0, np.minimum(rising, falling))
        return np.pad(bands, ((1, 0), (0, 0))).astype(dtype)  # frequency 0 belongs to none

    def _decibels(self, power: Any) -> Any:
        reference = 10 * math.log10(max(abs(self.ref_power), self.min_power))
        y = K.log(K.maximum(power, self.min_power)) * (10 / math.log(10)) - reference
        return K.maximum(y, K.max(y) - self.top_db)

    def _convert(self, inputs: Any) -> Any:
        """Signals as float32, or float64 where the layer computes in it: halves hold too little."""
        if isinstance(inputs, KerasTensor):
            return inputs
        dtype = "float64" if self.compute_dtype == "float64" else "float32"
        return K.cast(K.convert_to_tensor(inputs), dtype)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        *batch, time = input_shape
        if time is None:
            return (*batch, self.num_mel_bins, None)
        room = time + 2 * (self.fft_length // 2) - self.fft_length
        return (*batch, self.num_mel_bins, room // self.sequence_stride + 1)


def _mel(hertz: Any) -> Any:
    return 1127.0 * np.log(1 + np.asarray(hertz) / 700.0)


_MODES = ("log", "magnitude", "psd", "real", "imag", "angle", "stft")


class STFTSpectrogram(Layer):
    """The short-time Fourier transform of signals, by convolutions whose kernels can be trained.

    Inputs (batch, time, channels), or (batch, channels, time) for 'channels_first'; outputs
    (batch, pieces, channels * frequencies), or (batch, channels * frequencies, pieces). With
    `expand_dims` (batch, pieces, frequencies, channels), or (batch, channels, pieces, frequencies).
    `mode`: the 'log' of the 'magnitude', the power 'psd', the 'real' or 'imag' part, the 'angle',
    or both parts, 'stft', which has twice the frequencies. Pieces of `frame_length` samples, each
    `frame_step` (by default half of that) after the one before, are transformed with `fft_length`,
    by default the next power of two. `window`, `periodic`, `scaling`: of `initializers.STFT`.
    """

    def __init__(
        self,
        mode: str = "log",
        frame_length: int = 256,
        frame_step: int | None = None,
        fft_length: int | None = None,
        window: Any = "hann",
        periodic: bool = False,
        scaling: str | None = "density",
        padding: str = "valid",
        expand_dims: bool = False,
        data_format: str | None = None,
        **kwargs: Any,
    ):
        if frame_step is not None and not 1 <= frame_step <= frame_length:
            raise ValueError(
                "`frame_step` should be a positive integer not greater than `frame_length`. "
                f"Received frame_step={frame_step}, frame_length={frame_length}"
            )
        if fft_length is not None and fft_length < frame_length:
            raise ValueError(
                "`fft_length` should be not less than `frame_length`. Received "
                f"fft_length={fft_length}, frame_length={frame_length}"
            )
        if fft_length is not None and fft_length & (fft_length - 1):
            warnings.warn(
                f"`fft_length` is recommended to be a power of two. Received "
                f"fft_length={fft_length}",
                stacklevel=2,
            )
        if mode not in _MODES:
            raise ValueError(
                f"Output mode is invalid, it must be one of {', '.join(_MODES)}. Received: "
                f"mode={mode}"
            )
        if scaling not in (None, "density", "spectrum"):
            raise ValueError(
                "Scaling is invalid, it must be `None`, 'density' or 'spectrum'. Received "
                f"scaling={scaling}"
            )
        if padding not in ("valid", "same"):
            raise ValueError(
                f"Padding is invalid, it should be 'valid', 'same'. Received: padding={padding}"
            )
        if isinstance(window, str):
            check_window(window)
        super().__init__(**kwargs)
        self.mode = mode
        self.frame_length = frame_length
        self.frame_step = frame_step
        self.fft_length = fft_length
        self.window = window
        self.periodic = periodic
        self.scaling = scaling
        self.padding = padding
        self.expand_dims = expand_dims
        self.data_format = K.standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=3)
        self._step = frame_step or frame_length // 2
        self._frequencies = (fft_length or 2 ** math.ceil(math.log2(frame_length))) // 2 + 1

    def build(self, input_shape: Any) -> None:
        if self.mode != "imag":
            self.real_kernel = self._kernel("real")
        if self.mode != "real":
            self.imag_kernel = self._kernel("imag")

    def _kernel(self, side: str) -> Any:
        return self.add_weight(
            name=f"{side}_kernel",
            shape=(self.frame_length, 1, self._frequencies),
            initializer=initializers.STFT(side, self.window, self.scaling, self.periodic),
        )

    def call(self, inputs: Any) -> Any:
        if not K.is_floating(inputs.dtype):
            raise TypeError(
                "Invalid input type. Expected `float16`, `float32` or `float64`. Received: input "
                f"type={inputs.dtype}, in layer '{self.name}': cast it."
            )
        x = inputs if self.data_format == "channels_first" else K.swapaxes(inputs, 1, 2)
        if self.mode in ("real", "imag"):
            side = self.real_kernel if self.mode == "real" else self.imag_kernel
            return self._arranged(self._convolved(x, side))
        real, imaginary = (
            self._convolved(x, kernel) for kernel in (self.real_kernel, self.imag_kernel)
        )
        return self._arranged(self._combined(real, imaginary))

    def _combined(self, real: Any, imaginary: Any) -> Any:
        """What `mode` asks for, of both parts (batch, channels, pieces, frequencies)."""
        if self.mode == "angle":
            return K.arctan2(imaginary, real)
        if self.mode == "stft":
            return K.concatenate([real, imaginary], axis=-1)
        power = K.square(real) + K.square(imaginary)
        if self.mode == "psd":  # all frequencies but the ends stand for their negative ones too
            sides = [(0, 0)] * 3 + [(1, 1)]
            return power + K.pad(power[..., 1:-1], sides)
        magnitude = K.sqrt(K.maximum(power, K.epsilon()))
        if self.mode == "magnitude":
            return magnitude
        return K.log(K.maximum(magnitude, K.epsilon()))

    def _convolved(self, x: Any, kernel: Any) -> Any:
        """(batch, channels, pieces, frequencies) of signals (batch, channels, time)."""
        _, channels, time = x.shape
        signals = K.reshape(x, (-1, time, 1))
        y = K.conv(signals, kernel, self._step, self.padding, "channels_last")
        return K.reshape(y, (-1, channels, *y.shape[1:]))

    def _arranged(self, y: Any) -> Any:
        first = self.data_format == "channels_first"
        if self.expand_dims:
            return y if first else K.transpose(y, (0, 2, 3, 1))
        _, channels, pieces, frequencies = y.shape
        if first:
            y = K.swapaxes(y, 2, 3)
            return K.reshape(y, (-1, channels * frequencies, pieces))
        return K.reshape(K.swapaxes(y, 1, 2), (-1, pieces, channels * frequencies))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        first = self.data_format == "channels_first"
        batch, channels, time = input_shape if first else [input_shape[i] for i in (0, 2, 1)]
        frequencies = self._frequencies * (2 if self.mode == "stft" else 1)
        pieces = None
        if time is not None:
            room = time - (self.frame_length if self.padding == "valid" else 1)
            pieces = room // self._step + 1
        if self.expand_dims:
            sizes = (channels, pieces, frequencies) if first else (pieces, frequencies, channels)
            return (batch, *sizes)
        together = None if channels is None else channels * frequencies
        return (batch, together, pieces) if first else (batch, pieces, together)
