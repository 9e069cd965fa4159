"""NVIDIA's cuDNN through its graph API: convolutions and their gradients on channels-last images.

It gives `engines` an engine, `CudnnGraph.open(device)`, once, and then a `plan` for each shape. It
needs the package nvidia-cudnn-frontend (imported as `cudnn`) beside libcudnn.so.9. Unlike the
legacy API (see `cudnn`) it takes pads that differ before and after without a copy, and has neither
pooling nor float64. https://docs.nvidia.com/deeplearning/cudnn/frontend/latest/
"""

from __future__ import annotations

import importlib
import logging
import os
import threading
import warnings
import weakref
from collections.abc import Callable
from typing import Any

from .cudnn_layout import CONVOLUTIONS, Layout, Unsupported, four, two
from .nvidia import Device, Flags

_log = logging.getLogger(__name__)

_PACKAGE = "nvidia-cudnn-frontend"
_FIRST, _END = (1, 23), (1, 29)  # from 1.29 on, half a gigabyte of packages comes with it
_DATA_TYPES = {"float32": "FLOAT", "float16": "HALF", "bfloat16": "BFLOAT16"}
_UIDS = {"x": 1, "w": 2, "y": 3}  # names of arrays in a graph
_ALIGNMENT = 16  # bytes, which a graph assumes of every array
# By kernel: the graph's method, and its names for the arrays.
_METHODS = {
    "conv": ("conv_fprop", {"x": "image", "w": "weight"}),
    "conv_input_grad": ("conv_dgrad", {"y": "loss", "w": "filter"}),
    "conv_kernel_grad": ("conv_wgrad", {"x": "image", "y": "loss"}),
}
_FAILURES = (RuntimeError, ValueError)  # as the package translates statuses of cuDNN and CUDA


class GraphError(RuntimeError):
    """A function of cuDNN's graph API failed."""

    def __init__(self, doing: str, error: Exception) -> None:
        super().__init__(
            f"cuDNN's graph API failed at {doing}: {str(error).strip()} "
            "The environment variable LAYERKIT_CUDNN_FRONTEND=0 runs without it."
        )


class CudnnGraph:
    """The package `frontend`, with the handles that graphs need."""

    name = "cudnn graph"

    @classmethod
    def open(cls, device: Device) -> CudnnGraph | None:
        """The graph API on `device`; None where it is not installed, or is switched off.

        LAYERKIT_CUDNN_FRONTEND=0 refuses it, and LAYERKIT_CUDNN=0 all of cuDNN.
        """
        try:
            frontend = load_frontend()
            if frontend is None:
                return None
            graphs = cls(frontend, device)
            graphs.handle()
        except Exception as error:  # whatever a package in a foreign installation raises
            warnings.warn(
                f"{_PACKAGE} was found but does not start: {str(error).strip()} Convolutions run "
                "without it; LAYERKIT_CUDNN_FRONTEND=0 silences this warning.",
                RuntimeWarning,
                stacklevel=2,
            )
            return None
        return graphs

    def __init__(self, frontend: Any, device: Device) -> None:
        self.frontend, self.device = frontend, device
        self._thread = threading.local()

    def plan(
        self, kernel: str, dtype: str, shapes: tuple, arguments: tuple, flags: Flags
    ) -> Callable:
        """What computes a kernel of `Backend`, to be called with arrays of such dtype and shapes.

        `kernel` is the method's name and `arguments` what follows its arrays. Unsupported where
        cuDNN cannot; GraphError where it fails.
        """
        reason = _unsupported(kernel, dtype, shapes)
        if reason:
            raise Unsupported(reason)
        try:
            return _Convolution(self, kernel, dtype, shapes, arguments, flags)
        except self.frontend.cudnnGraphNotSupportedError as error:
            raise Unsupported(str(error)) from error
        except _FAILURES as error:
            raise GraphError(f"planning {kernel}", error) from error

    def handle(self) -> Handle:
        """This thread's handle for the current device, bound to the current stream."""
        handles = self._thread.__dict__.setdefault("handles", {})  # by device
        device = self.device.id()
        handle = handles.get(device) or handles.setdefault(device, Handle(self.frontend))
        handle.bind(self.device.stream_pointer())
        return handle


class Handle:
    """A handle of cuDNN's for the current device, destroyed with the last reference to it."""

    def __init__(self, frontend: Any) -> None:
        self.frontend, self.value = frontend, frontend.create_handle()
        self.stream: int | None = None
        end = weakref.finalize(self, frontend.destroy_handle, self.value)
        end.atexit = False  # CUDA may be gone by then

    def bind(self, stream: int) -> None:
        """Send what follows to `stream`."""
        if stream != self.stream:
            self.frontend.set_stream(handle=self.value, stream=stream)
            self.stream = stream


class _Convolution:
    """A convolution, or one of its gradients, for arrays of one dtype and set of shapes."""

    def __init__(
        self,
        graphs: CudnnGraph,
        kernel: str,
        dtype: str,
        shapes: tuple,
        arguments: tuple,
        flags: Flags,
    ) -> None:
        self.graphs, self.kernel = graphs, kernel
        *_, strides, pads, dilation, _ = arguments  # groups follow from the numbers of channels
        cuts, pads = _split_pads(pads)
        self.layout = Layout(kernel, shapes, arguments, cuts)
        geometry = {
            "pre_padding": two(tuple(before for before, _ in pads), 0),
            "post_padding": two(tuple(after for _, after in pads), 0),
            "stride": two(strides, 1),
            "dilation": two(dilation, 1),
        }
        self.handle = graphs.handle()  # kept: the plan refers to it for as long as it lives
        self.graph = self._described(dtype, {name: list(v) for name, v in geometry.items()})
        self.nbytes = self._built(dtype, flags)
        # That a graph may be executed by two threads at a time is nowhere promised.
        self._lock = threading.Lock()

    def _described(self, dtype: str, geometry: dict[str, list[int]]) -> Any:
        """A graph of one operation."""
        frontend, layout = self.graphs.frontend, self.layout
        types = frontend.data_type
        io_type = getattr(types, _DATA_TYPES[dtype])
        graph = frontend.pygraph(
            io_data_type=io_type,
            intermediate_data_type=types.FLOAT,
            compute_data_type=types.FLOAT,
            handle=self.handle.value,
        )
        method, names = _METHODS[self.kernel]
        operands = {}
        for name in layout.given:
            dim, stride = _channels_last(layout.shape[name])
            operands[names[name]] = graph.tensor(
                dim=dim, stride=stride, data_type=io_type, name=name, uid=_UIDS[name]
            )
        result = getattr(graph, method)(**operands, **geometry)
        dim, stride = _channels_last(layout.shape[layout.result])
        result.set_output(True).set_data_type(io_type).set_uid(_UIDS[layout.result])
        result.set_dim(dim).set_stride(stride)  # of a gradient, several would fit
        return graph

    def _built(self, dtype: str, flags: Flags) -> int:
        """Build the first plan, by the heuristics' ranking, that `flags` allow: its workspace."""
        graph, modes = self.graph, self.graphs.frontend.heur_mode
        notes = self.graphs.frontend.numerical_note
        graph.validate()
        try:
            graph.build_operation_graph()
        except RuntimeError as error:  # parameters refused: it has no type of its own for that
            raise Unsupported(f"cuDNN refuses the operation: {error}") from error
        graph.create_execution_plans([modes.A, modes.FALLBACK])
        graph.deselect_numeric_notes([getattr(notes, note) for note in _refused(dtype, flags)])
        graph.deselect_workspace_greater_than(flags.workspace_limit)
        graph.check_support()
        graph.build_plans()
        nbytes = graph.get_workspace_size()
        if nbytes > flags.workspace_limit:
            raise Unsupported(f"the plan needs {nbytes} bytes of workspace under {flags}")
        return nbytes

    def __call__(self, *arrays: Any) -> Any:
        device, layout = self.graphs.device, self.layout
        named = zip(layout.given, arrays, strict=True)
        ready = {name: _aligned(device, layout.laid_out(device.xp, name, x)) for name, x in named}
        result = device.xp.empty(layout.shape[layout.result], arrays[0].dtype)
        workspace = device.empty(self.nbytes) if self.nbytes else None
        pointers = {
            _UIDS[name]: device.pointer(array)
            for name, array in (*ready.items(), (layout.result, result))
        }
        scratch = 0 if workspace is None else device.pointer(workspace)
        try:
            with self._lock:
                self.graph.execute(pointers, scratch, handle=self.graphs.handle().value)
        except (self.graphs.frontend.cudnnGraphNotSupportedError, *_FAILURES) as error:
            raise GraphError(self.kernel, error) from error
        return layout.taken_back(device.xp, result)


def _unsupported(kernel: str, dtype: str, shapes: tuple) -> str:
    """Why cuDNN is not even asked, or ''."""
    if kernel not in CONVOLUTIONS:
        return "not a convolution"
    if dtype not in _DATA_TYPES:
        return "dtype"
    if len(shapes[0]) not in (3, 4):
        return "not 1 or 2 spatial axes"
    return ""


def _refused(dtype: str, flags: Flags) -> list[str]:
    """The notes on a plan's numbers that rule it out."""
    notes = ["DOWN_CONVERT_INPUTS"]
    if dtype == "float32" and not flags.tf32:
        notes += ["TENSOR_CORE", "REDUCED_PRECISION_REDUCTION"]
    return notes + ["NONDETERMINISTIC"] * flags.deterministic


def _split_pads(pads: tuple) -> tuple[tuple, tuple]:
    """(cells to cut before cuDNN sees the images, as negative pads; pads left to cuDNN)."""
    cuts = tuple((min(before, 0), min(after, 0)) for before, after in pads)
    return cuts, tuple((max(before, 0), max(after, 0)) for before, after in pads)


def _channels_last(shape: tuple) -> tuple[list[int], list[int]]:
    """Sizes (n, c, h, w), as cuDNN counts axes, and strides of an array (n, *sizes, c)."""
    n, h, w, c = four(shape)
    return [n, c, h, w], [h * w * c, 1, w * c, c]


def _aligned(device: Device, array: Any) -> Any:
    """The array, or a copy where it is a part of another that begins where no graph may read."""
    return array.copy() if device.pointer(array) % _ALIGNMENT else array


def load_frontend() -> Any:
    """The package's module; None where it is absent, of another version, or switched off."""
    for variable in ("LAYERKIT_CUDNN", "LAYERKIT_CUDNN_FRONTEND"):
        if os.environ.get(variable) == "0":
            _log.info("%s is not used: %s=0", _PACKAGE, variable)
            return None
    version = _installed_version()
    if version is None:
        _log.info("%s is not installed", _PACKAGE)
        return None
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if not _FIRST <= numbers < _END:
        _log.info("%s %s is not used: needs >=1.23,<1.29", _PACKAGE, version)
        return None
    return importlib.import_module("cudnn")


def _installed_version() -> str | None:
    from importlib import metadata  # slow to import, and needed with a GPU alone

    try:
        return metadata.version(_PACKAGE)
    except metadata.PackageNotFoundError:
        return None
