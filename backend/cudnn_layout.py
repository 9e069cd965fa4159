"""How the arrays of a convolution lie in memory for cuDNN: what both of its interfaces share.

It gives them `Layout`, the shapes cuDNN sees and the few copies that make them, and `Unsupported`.
"""

from __future__ import annotations

from math import prod
from typing import Any

from .base import output_size, pad, padded_shape, unpad

# Which arrays are images x, kernel w and outputs y: as the backend passes them, and the result.
CONVOLUTIONS = {
    "conv": ("xw", "y"),
    "conv_input_grad": ("yw", "x"),
    "conv_kernel_grad": ("xy", "w"),
}


class Unsupported(Exception):
    """There is no plan for this; says why."""


class Layout:
    """The arrays of a convolution, or of one of its gradients, as cuDNN takes and gives them.

    `kernel`, `shapes`, `arguments` are those of a method of `Backend`. `pads`: cells to add, or
    where negative to cut, before cuDNN sees the images; it does the rest. Filters are laid out as
    (filters, *window, channels), or with `channels_last` off as (filters, channels, *window).
    Unsupported where there are no outputs, or not those of cuDNN's own formula.
    """

    def __init__(
        self, kernel: str, shapes: tuple, arguments: tuple, pads: tuple, channels_last: bool = True
    ) -> None:
        self.given, self.result = CONVOLUTIONS[kernel]
        *result_shape, strides, all_pads, dilation, _ = arguments
        shape = dict(zip(self.given + self.result, (*shapes, *result_shape), strict=False))
        self.x_shape, self.pads, window = shape["x"], pads, shape["w"][:-2]
        sizes = tuple(map(output_size, self.x_shape[1:-1], window, strides, all_pads, dilation))
        require_outputs(sizes, shape["y"][1:-1] if "y" in shape else sizes)

        # cuDNN wants the filters outermost. Its planner takes this framework's own order too, by
        # strides, but whether it then computes the right thing is unproven: hence a small copy.
        rank = len(window)
        axes = [*range(rank), rank] if channels_last else [rank, *range(rank)]
        self.outermost = (rank + 1, *axes)
        self.innermost = tuple(self.outermost.index(axis) for axis in range(rank + 2))

        padded = padded_shape(self.x_shape, pads)
        self.filters = (shape["w"][-1], shape["w"][-2], *two(window, 1))  # in cuDNN's order
        self.shape = {
            "x": padded,
            "w": tuple(shape["w"][axis] for axis in self.outermost),
            "y": (padded[0], *sizes, shape["w"][-1]),
        }
        if not all(map(prod, self.shape.values())):
            raise Unsupported(f"empty: images {self.x_shape}, kernel {shape['w']}")

    def laid_out(self, xp: Any, name: str, array: Any) -> Any:
        """An operand, 'x', 'w' or 'y', as cuDNN wants it in memory."""
        if name == "x":
            array = pad(xp, array, self.pads)
        elif name == "w":
            array = array.transpose(self.outermost)
        return xp.ascontiguousarray(array)

    def taken_back(self, xp: Any, array: Any) -> Any:
        """A result as this framework wants it."""
        if self.result == "x":
            return unpad(xp, array, self.x_shape, self.pads)
        if self.result == "w":
            return xp.ascontiguousarray(array.transpose(self.innermost))
        return array


def require_outputs(sizes: tuple, given: tuple) -> None:
    """Refuse what has no output cells, or not those that cuDNN's own formula gives."""
    if min(sizes) < 1 or tuple(sizes) != tuple(given):
        raise Unsupported(f"output sizes {given} where cuDNN computes {sizes}")


def two(values: tuple, fill: int) -> tuple[int, ...]:
    """`values`, one per spatial axis, of images that have at least a height of 1."""
    return (fill,) * (2 - len(values)) + tuple(values)


def four(shape: tuple) -> tuple[int, ...]:
    """The shape of images, seen as having a height."""
    return (shape[0], *two(shape[1:-1], 1), shape[-1])
