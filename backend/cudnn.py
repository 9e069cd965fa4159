"""NVIDIA's cuDNN through ctypes: convolutions, their gradients and pooling on channels-last images.

It gives `engines` an engine, `Cudnn.open(device)`, once, and then a `plan` for each shape. It
calls the "legacy" C API of libcudnn.so.9, which needs no package beyond that library and, unlike
the graph API (see `cudnn_graph`), has pooling and float64.
https://docs.nvidia.com/deeplearning/cudnn/backend/latest/api/cudnn-cnn-library.html
"""

from __future__ import annotations

import ctypes
import logging
import os
import sys
import warnings
from collections.abc import Callable
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from .base import output_size, pad, padded_shape, unpad
from .cudnn_layout import CONVOLUTIONS, Layout, Unsupported, four, require_outputs, two
from .nvidia import Device, Flags, Library

_log = logging.getLogger(__name__)

# Values are those of cuDNN's headers.
_DATA_TYPES = {"float32": 0, "float64": 1, "float16": 2, "bfloat16": 9}
_NCHW, _NHWC = 0, 1
_TENSOR_OP_MATH, _FMA_MATH, _DEFAULT_MATH = 1, 3, 0
_MATH = {"float16": _TENSOR_OP_MATH, "bfloat16": _TENSOR_OP_MATH}
_CROSS_CORRELATION = 1
_DETERMINISTIC = 1
_POOL_MAX, _POOL_MEAN_WITH_PADS, _POOL_MAX_DETERMINISTIC = 0, 1, 3
_PROPAGATE_NAN = 1


class CudnnError(RuntimeError):
    """A function of cuDNN failed; `status` is what it returned."""

    def __init__(self, function: str, status: int, text: str, detail: str = "") -> None:
        self.status = status
        super().__init__(
            f"{function} failed with {text} (status {status}). {detail.strip()} "
            "The environment variable LAYERKIT_CUDNN=0 runs without cuDNN."
        )

    @property
    def unsupported(self) -> bool:
        """Whether cuDNN cannot do this at all: BAD_PARAM (2...) or NOT_SUPPORTED (3...)."""
        return self.status // 1000 in (2, 3)


class Cudnn(Library):
    """An open libcudnn, with the plans and handles that calls through it need."""

    name = "cudnn"
    handle_functions = ("cudnnCreate", "cudnnDestroy", "cudnnSetStream")

    @classmethod
    def open(cls, device: Device) -> Cudnn | None:
        """cuDNN on `device`, or None where it is not installed or LAYERKIT_CUDNN is 0."""
        library = load_library()
        if library is None:
            return None
        try:
            cudnn = cls(library, device)
            cudnn.handle()
        except (AttributeError, CudnnError) as error:
            warnings.warn(
                f"cuDNN was found ({library._name}) but does not start: {error} Convolutions run "
                "without it, more slowly; LAYERKIT_CUDNN=0 silences this warning.",
                RuntimeWarning,
                stacklevel=2,
            )
            return None
        return cudnn

    def __init__(self, library: Any, device: Device) -> None:
        super().__init__(library, device, _SIGNATURES, _RESULTS)

    def plan(
        self, kernel: str, dtype: str, shapes: tuple, arguments: tuple, flags: Flags
    ) -> Callable:
        """What computes a kernel of `Backend`, to be called with arrays of such dtype and shapes.

        `kernel` is the method's name and `arguments` what follows its arrays. `max_pool`'s second
        result is here not a winner per cell but a pair of arrays, and `max_pool_grad` takes
        (g, *pair). Unsupported where cuDNN cannot; CudnnError where it fails.
        """
        reason = _unsupported(kernel, dtype, shapes)
        if reason:
            raise Unsupported(reason)
        plan = _Convolution if kernel in CONVOLUTIONS else _Pooling
        try:
            return plan(self, kernel, dtype, shapes, arguments, flags)
        except CudnnError as error:
            if not error.unsupported:
                raise
            raise Unsupported(str(error)) from error

    def _error(self, function: str, status: int) -> CudnnError:
        detail = ctypes.create_string_buffer(512)
        self._functions["cudnnGetLastErrorString"](detail, len(detail))
        text = self._functions["cudnnGetErrorString"](status).decode()
        return CudnnError(function, status, text, detail.value.decode(errors="replace"))

    def descriptor(self, kind: str, settings: str, *values: int) -> ctypes.c_void_p:
        """A descriptor ('Tensor', 'Filter', ...) on which the function `settings` was called."""
        pointer = self.own(f"cudnnCreate{kind}Descriptor", f"cudnnDestroy{kind}Descriptor")
        self.call(settings, pointer, *values)
        return pointer

    def images(self, shape: tuple, dtype: str) -> ctypes.c_void_p:
        """The descriptor of C-contiguous images (batch, height, width, channels)."""
        if not 0 < prod(shape) < 2**31:
            raise Unsupported(f"images {shape}: empty, or more than its 32-bit strides can count")
        n, h, w, c = shape
        sizes, strides = (n, c, h, w), (h * w * c, 1, w * c, c)
        settings = "cudnnSetTensor4dDescriptorEx"
        return self.descriptor("Tensor", settings, _DATA_TYPES[dtype], *sizes, *strides)


# By kernel: what cuDNN calls it, and in which order it takes images x, kernel w and outputs y.
_DIRECTIONS = {
    "conv": ("Forward", "xw"),
    "conv_input_grad": ("BackwardData", "wy"),
    "conv_kernel_grad": ("BackwardFilter", "xy"),
}
_POOLINGS = ("max_pool", "max_pool_grad", "sum_pool", "sum_pool_grad")


class _Convolution:
    """A convolution, or one of its gradients, for arrays of one dtype and set of shapes."""

    def __init__(
        self,
        cudnn: Cudnn,
        kernel: str,
        dtype: str,
        shapes: tuple,
        arguments: tuple,
        flags: Flags,
    ) -> None:
        self.cudnn = cudnn
        self.direction, self.order = _DIRECTIONS[kernel]
        *_, strides, pads, dilation, groups = arguments
        pads, inner_pads = _split_pads(pads)
        # NVIDIA's tables list float64 only for filters laid out as (filters, channels, *window).
        channels_last = dtype != "float64"
        self.layout = layout = Layout(kernel, shapes, arguments, pads, channels_last)
        self.descriptors = {
            "x": cudnn.images(four(layout.shape["x"]), dtype),
            "w": cudnn.descriptor(
                "Filter",
                "cudnnSetFilter4dDescriptor",
                _DATA_TYPES[dtype],
                _NHWC if channels_last else _NCHW,
                *layout.filters,
            ),
            "y": cudnn.images(four(layout.shape["y"]), dtype),
        }
        accumulator = _DATA_TYPES["float64" if dtype == "float64" else "float32"]
        self.convolution = cudnn.descriptor(
            "Convolution",
            "cudnnSetConvolution2dDescriptor",
            *two(inner_pads, 0),
            *two(strides, 1),
            *two(dilation, 1),
            _CROSS_CORRELATION,
            accumulator,
        )
        cudnn.call("cudnnSetConvolutionGroupCount", self.convolution, groups)
        self.one, self.zero = _scalar(dtype, 1), _scalar(dtype, 0)
        self.algorithm, self.nbytes = self._choose(dtype, flags)

    def _choose(self, dtype: str, flags: Flags) -> tuple[int, int]:
        """The algorithm that the heuristics rank first of those allowed, and its workspace."""
        cudnn, handle = self.cudnn, self.cudnn.handle()
        first, second = (self.descriptors[array] for array in self.order)
        problem = (handle, first, second, self.convolution, self.descriptors[self.layout.result])
        exact = dtype == "float32" and not flags.tf32
        self._set_math(_FMA_MATH if exact else _MATH.get(dtype, _DEFAULT_MATH))
        found, ranking = ctypes.c_int(), (_Performance * 10)()
        function = f"cudnnGetConvolution{self.direction}Algorithm_v7"
        cudnn.call(function, *problem, len(ranking), ctypes.byref(found), ranking)
        for entry in ranking[: found.value]:
            if entry.status or flags.deterministic and entry.determinism != _DETERMINISTIC:
                continue
            if not exact:
                self._set_math(entry.math_type)
            nbytes = self._workspace(problem, entry.algorithm)
            if nbytes is not None and nbytes <= flags.workspace_limit:
                return entry.algorithm, nbytes
        raise Unsupported(f"none of {found.value} ranked algorithms is usable under {flags}")

    def _set_math(self, math_type: int) -> None:
        self.cudnn.call("cudnnSetConvolutionMathType", self.convolution, math_type)

    def _workspace(self, problem: tuple, algorithm: int) -> int | None:
        """Bytes of scratch memory that `algorithm` needs; None where it cannot do this."""
        nbytes = ctypes.c_size_t()
        function = f"cudnnGetConvolution{self.direction}WorkspaceSize"
        try:
            self.cudnn.call(function, *problem, algorithm, ctypes.byref(nbytes))
        except CudnnError as error:
            if error.unsupported:
                return None
            raise
        return nbytes.value

    def __call__(self, *arrays: Any) -> Any:
        device, layout = self.cudnn.device, self.layout
        arguments: list[Any] = []
        named = zip(layout.given, arrays, strict=True)
        ready = {name: layout.laid_out(device.xp, name, array) for name, array in named}
        for name in self.order:
            arguments += self.descriptors[name], device.pointer(ready[name])
        result = device.xp.empty(layout.shape[layout.result], arrays[0].dtype)
        workspace = device.empty(self.nbytes) if self.nbytes else None
        self.cudnn.call(
            f"cudnnConvolution{self.direction}",
            self.cudnn.handle(),
            ctypes.byref(self.one),
            *arguments,
            self.convolution,
            self.algorithm,
            None if workspace is None else device.pointer(workspace),
            self.nbytes,
            ctypes.byref(self.zero),
            self.descriptors[layout.result],
            device.pointer(result),
        )
        return layout.taken_back(device.xp, result)


class _Pooling:
    """A pooling, or its gradient, for arrays of one dtype and set of shapes."""

    def __init__(
        self,
        cudnn: Cudnn,
        kernel: str,
        dtype: str,
        shapes: tuple,
        arguments: tuple,
        flags: Flags,
    ) -> None:
        self.cudnn = cudnn
        self.is_max, self.is_grad = kernel.startswith("max"), kernel.endswith("grad")
        *x_shape, window, strides, pads = arguments
        self.x_shape = x_shape[0] if self.is_grad else shapes[0]
        ones = (1,) * len(window)
        sizes = tuple(map(output_size, self.x_shape[1:-1], window, strides, pads, ones))
        require_outputs(sizes, shapes[0][1:-1] if self.is_grad else sizes)
        self.pads, inner_pads = _split_pads(pads)
        if any(p >= k for p, k in zip(inner_pads, window, strict=True)):  # cuDNN knows no such pads
            self.pads, inner_pads = pads, (0,) * len(window)
        self.padded = padded_shape(self.x_shape, self.pads)
        self.y_shape = (self.padded[0], *sizes, self.padded[-1])
        self.x = cudnn.images(four(self.padded), dtype)
        self.y = cudnn.images(four(self.y_shape), dtype)
        largest = _POOL_MAX_DETERMINISTIC if flags.deterministic else _POOL_MAX
        self.pooling = cudnn.descriptor(
            "Pooling",
            "cudnnSetPooling2dDescriptor",
            largest if self.is_max else _POOL_MEAN_WITH_PADS,
            _PROPAGATE_NAN,
            *two(window, 1),
            *two(inner_pads, 0),
            *two(strides, 1),
        )
        # A sum is a mean times the number of cells, which cuDNN multiplies in for nothing.
        self.scale = _scalar(dtype, 1 if self.is_max else prod(window))
        self.zero = _scalar(dtype, 0)

    def __call__(self, *arrays: Any) -> Any:
        return self._gradient(*arrays) if self.is_grad else self._forward(*arrays)

    def _forward(self, x: Any) -> Any:
        device = self.cudnn.device
        x = pad(device.xp, x, self.pads, -np.inf if self.is_max else 0)
        x = device.xp.ascontiguousarray(x)
        y = device.xp.empty(self.y_shape, x.dtype)
        self._call("cudnnPoolingForward", [(self.x, x)], (self.y, y))
        return (y, (x, y)) if self.is_max else y

    def _gradient(self, g: Any, x: Any = None, y: Any = None) -> Any:
        device = self.cudnn.device
        g = device.xp.ascontiguousarray(g)
        result = device.xp.empty(self.padded, g.dtype)
        x, y = (x, y) if self.is_max else (result, g)  # a mean's gradient asks, but does not read
        operands = [(self.y, y), (self.y, g), (self.x, x)]
        self._call("cudnnPoolingBackward", operands, (self.x, result))
        return unpad(device.xp, result, self.x_shape, self.pads)

    def _call(self, function: str, operands: list, result: tuple) -> None:
        """`function` of pairs (descriptor, array)."""
        cudnn, scale, zero = self.cudnn, ctypes.byref(self.scale), ctypes.byref(self.zero)
        given, (last,) = (
            [(descriptor, cudnn.device.pointer(array)) for descriptor, array in pairs]
            for pairs in (operands, [result])
        )
        cudnn.call(function, cudnn.handle(), self.pooling, scale, *sum(given, ()), zero, *last)


def _unsupported(kernel: str, dtype: str, shapes: tuple) -> str:
    """Why cuDNN is not even asked, or ''."""
    if kernel not in CONVOLUTIONS and kernel not in _POOLINGS:
        return "unknown kernel"
    if dtype not in _DATA_TYPES or (dtype == "bfloat16" and kernel in _POOLINGS):
        return "dtype"
    if len(shapes[0]) not in (3, 4):
        return "not 1 or 2 spatial axes"
    return ""


def _split_pads(pads: tuple) -> tuple[tuple, tuple[int, ...]]:
    """(cells to add or cut before cuDNN sees the images, pads left to cuDNN: one int per axis)."""
    if all(before == after >= 0 for before, after in pads):
        return ((0, 0),) * len(pads), tuple(before for before, _ in pads)
    return pads, (0,) * len(pads)


def _scalar(dtype: str, value: float) -> Any:
    """A factor in the type in which cuDNN reads it for arrays of `dtype`."""
    return ctypes.c_double(value) if dtype == "float64" else ctypes.c_float(value)


class _Performance(ctypes.Structure):
    """cudnnConvolution{Fwd,BwdData,BwdFilter}AlgoPerf_t: one line of the heuristics' ranking."""

    _fields_ = [
        ("algorithm", ctypes.c_int),
        ("status", ctypes.c_int),
        ("time", ctypes.c_float),
        ("memory", ctypes.c_size_t),
        ("determinism", ctypes.c_int),
        ("math_type", ctypes.c_int),
        ("reserved", ctypes.c_int * 3),
    ]


# Arguments of every function used; see `Library`.
_SIGNATURES = {
    "cudnnGetErrorString": "i",
    "cudnnGetLastErrorString": "pz",
    "cudnnCreate": "p",
    "cudnnDestroy": "p",
    "cudnnSetStream": "pp",
    "cudnnCreateTensorDescriptor": "p",
    "cudnnDestroyTensorDescriptor": "p",
    "cudnnSetTensor4dDescriptorEx": "piiiiiiiii",
    "cudnnCreateFilterDescriptor": "p",
    "cudnnDestroyFilterDescriptor": "p",
    "cudnnSetFilter4dDescriptor": "piiiiii",
    "cudnnCreateConvolutionDescriptor": "p",
    "cudnnDestroyConvolutionDescriptor": "p",
    "cudnnSetConvolution2dDescriptor": "piiiiiiii",
    "cudnnSetConvolutionGroupCount": "pi",
    "cudnnSetConvolutionMathType": "pi",
    "cudnnCreatePoolingDescriptor": "p",
    "cudnnDestroyPoolingDescriptor": "p",
    "cudnnSetPooling2dDescriptor": "piiiiiiii",
    "cudnnPoolingForward": "pppppppp",
    "cudnnPoolingBackward": "pppppppppppp",
}
for _direction in ("Forward", "BackwardData", "BackwardFilter"):
    _SIGNATURES |= {
        f"cudnnGetConvolution{_direction}Algorithm_v7": "pppppipp",
        f"cudnnGetConvolution{_direction}WorkspaceSize": "pppppip",
        f"cudnnConvolution{_direction}": "pppppppipzppp",
    }
_RESULTS = {"cudnnGetErrorString": ctypes.c_char_p, "cudnnGetLastErrorString": None}


def load_library() -> ctypes.CDLL | None:
    """libcudnn.so.9 of an installed package or of the system; None without, or if switched off."""
    if os.environ.get("LAYERKIT_CUDNN") == "0":
        return None
    for path in (*_installed(), "libcudnn.so.9"):
        try:
            return ctypes.CDLL(path)
        except OSError as error:
            _log.info("%s is not loaded: %s", path, error)
    return None


def _installed() -> list[str]:
    """Where packages of NVIDIA's, or a PyTorch that brings its own, keep the library."""
    places = ("nvidia/cudnn/lib", "torch/lib")
    paths = (Path(folder, place, "libcudnn.so.9") for folder in sys.path for place in places)
    return [str(path) for path in paths if path.exists()]
