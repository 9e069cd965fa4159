"""The one place that decides what computes a convolution: cuDNN, by which interface, or we.

It gives the CuPy backend `Engines.open(device)`, once, and then `engine_for` each call. Engines are
asked in order, and the first that has a plan keeps that shape:

1. cuDNN's graph API, where its package is installed. Its heuristics know the engines of today's
   GPUs, which those of the legacy API, frozen since cuDNN 9.0, may miss; and unequal pads cost no
   copy.
2. cuDNN's legacy API, which needs no package and also has float64.
3. None: kernels of our own, which compute everything, and at once what cuDNN is not good at.

That this order is the fastest is measured by `benchmarks/gpu.py`, where each engine stands alone.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterable
from math import prod
from typing import Any, Protocol

from .cudnn import Cudnn
from .cudnn_graph import CudnnGraph
from .cudnn_layout import CONVOLUTIONS, Unsupported
from .nvidia import Device, Flags

_log = logging.getLogger(__name__)


class Engine(Protocol):
    """An interface of a library, open on a device."""

    name: str

    def plan(
        self, kernel: str, dtype: str, shapes: tuple, arguments: tuple, flags: Flags
    ) -> Callable:
        """What computes a kernel of `Backend` for such arrays. Unsupported: ask another."""


class Engines:
    """The engines that were found, in the order in which they are asked.

    `flags`: what they may do; can be set. `names`: those in use; can be set to fewer of `found`,
    or to another order. ValueError for a name that is not of an engine found.
    """

    @classmethod
    def open(cls, device: Device) -> Engines:
        """All that is installed and starts."""
        found = (CudnnGraph.open(device), Cudnn.open(device))
        return cls([engine for engine in found if engine is not None], device)

    def __init__(self, found: Iterable[Engine], device: Device) -> None:
        self.found = {engine.name: engine for engine in found}
        self.device, self.flags, self._names = device, Flags(), tuple(self.found)
        # Shapes recur from step to step; plans of shapes long gone are dropped.
        self._choice = functools.lru_cache(maxsize=4096)(self._choose)

    @property
    def names(self) -> tuple[str, ...]:
        return self._names

    @names.setter
    def names(self, names: Iterable[str]) -> None:
        names = tuple(names)
        absent = [name for name in names if name not in self.found]
        if absent:
            raise ValueError(
                f"Expected `engines` to be some of those found, {list(self.found)}; received "
                f"{list(names)}, of which {absent} are not among them: install them, or leave "
                "them out."
            )
        self._names = names

    def engine_for(self, kernel: str, arrays: tuple, *arguments: Any) -> Callable | None:
        """The plan for a kernel of `Backend`, to be called with `arrays`; None: it is ours.

        `kernel` is the method's name, `arrays` its arrays and `arguments` the rest, in its order.
        """
        return self._chosen(kernel, arrays, arguments)[1]

    def name_for(self, kernel: str, arrays: tuple, *arguments: Any) -> str | None:
        """The name of the engine whose plan `engine_for` gives."""
        return self._chosen(kernel, arrays, arguments)[0]

    def _chosen(self, kernel: str, arrays: tuple, arguments: tuple) -> tuple:
        """(name, plan), or (None, None)."""
        dtype = arrays[0].dtype
        if not self.names or any(array.dtype != dtype for array in arrays):
            return None, None
        shapes, device = tuple(array.shape for array in arrays), self.device.id()
        return self._choice(kernel, dtype.name, shapes, arguments, self.names, self.flags, device)

    def _choose(
        self,
        kernel: str,
        dtype: str,
        shapes: tuple,
        arguments: tuple,
        names: tuple,
        flags: Flags,
        device: int,
    ) -> tuple:
        """The choice for such arrays on the current device (its number is here for the cache)."""
        what = f"{kernel} of {dtype} {shapes} {arguments}"
        ours = _better_without(kernel, shapes, arguments) if kernel in CONVOLUTIONS else ""
        if ours:
            _log.info("no engine for %s: %s", what, ours)
            return None, None
        for name in names:
            try:
                run = self.found[name].plan(kernel, dtype, shapes, arguments, flags)
            except Unsupported as reason:
                _log.info("no %s for %s: %s", name, what, reason)
            else:
                _log.info("%s for %s", name, what)
                return name, run
        return None, None


def _better_without(kernel: str, shapes: tuple, arguments: tuple) -> str:
    """Why our own kernels take a convolution that cuDNN could do, or ''."""
    *result_shape, strides, pads, _, groups = arguments
    w_shape = result_shape[0] if kernel == "conv_kernel_grad" else shapes[1]
    if groups > 1 and w_shape[-2] == 1:
        return "depthwise: bound by memory, one pass in a kernel of our own"
    if prod(w_shape[:-2]) == 1 and set(strides) == {1} and not any(map(any, pads)):
        return "pointwise: a product of matrices as it stands, filters where they are"
    return ""
