"""Layers that make one tensor of several: sums, products, extremes, concatenation, dot products.

They are called on a list of tensors. Where ranks differ, tensors of lower rank get axes of size 1
after the batch axis; then sizes of 1 are broadcast.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any, ClassVar

from layerkit import backend as K

from .arguments import is_int
from .layer import Layer, Shape
from .normalization import unit_length


class _Merge(Layer):
    """Element by element: what is done with the tensors is the subclass's `merge`.

    A step of the output is masked out where it is in all inputs; without a mask of every input
    there is none.
    """

    supports_masking = True

    def build(self, input_shape: Any) -> None:
        _check_is_list(self, input_shape)
        self._check_batches(input_shape, ())
        self.compute_output_shape(input_shape)  # raises where shapes do not fit

    def _build_for(self, inputs: Any, *others: Any, **kwargs: Any) -> None:
        shapes = _shapes_of(inputs)
        _check_is_list(self, shapes)
        self._check_batches(shapes, ())
        super()._build_for(inputs, *others, **kwargs)

    def _check_batches(self, shapes: list[Shape], allowed: tuple[int, ...]) -> None:
        """ValueError for batches of different sizes, apart from those that are `allowed`."""
        sizes = {shape[0] for shape in shapes if shape}.difference((None, *allowed))
        if len(sizes) > 1:
            raise ValueError(
                "Cannot merge tensors with different batch sizes. Layer "
                f"'{self.name}' received tensors with shapes {shapes}: give it as many rows of "
                "each."
            )

    def call(self, inputs: Any, mask: Any = None) -> Any:
        shapes = _shapes_of(inputs)
        _check_is_list(self, shapes)
        self._check_batches(shapes, (1,))  # one row may be for all, where a graph says so
        rank = max(x.ndim for x in inputs)
        return self.merge([_of_rank(rank, x) for x in inputs], masks_of_each(self, inputs, mask))

    def merge(self, xs: list[Any], masks: list[Any]) -> Any:
        """The output, of tensors of one rank and their masks (or None for each)."""
        raise NotImplementedError

    def compute_output_shape(self, input_shape: Any) -> Shape:
        _check_is_list(self, input_shape)
        sizes = [shape[0] for shape in input_shape if shape[0] is not None]
        return (sizes[0] if sizes else None, *reduce(self._broadcast, (s[1:] for s in input_shape)))

    def _broadcast(self, first: Shape, second: Shape) -> Shape:
        """The shape of an operation on two tensors, without their batch axes."""
        rank = max(len(first), len(second))
        pairs = zip(_grown(first, rank), _grown(second, rank), strict=True)
        return tuple(self._common_size(a, b, first, second) for a, b in pairs)

    def _common_size(self, a: int | None, b: int | None, first: Shape, second: Shape) -> int | None:
        if a is None or b is None:
            return None
        if a != b and 1 not in (a, b):
            raise ValueError(
                f"Inputs have incompatible shapes. Received shapes {first} and {second} (without "
                f"the batch axis) in layer '{self.name}' ({type(self).__name__}): an axis must "
                "have the same size in both, or size 1 in one of them."
            )
        return max(a, b)

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        if previous_mask is None:
            return None
        masks = masks_of_each(self, inputs, previous_mask)
        return None if any(mask is None for mask in masks) else reduce(K.logical_or, masks)

    def ways_to_mask(self, inputs: list[Any], masks: list[Any]) -> list[tuple[Any, int]]:
        last = len(masks) - 1  # the first two meet in one operation, each other one in a further
        return [
            (x, n + last - max(place - 1, 0))
            for place, mask in enumerate(masks)
            if mask is not None
            for x, n in mask._ways
        ]


class Add(_Merge):
    """The sum of all inputs."""

    def merge(self, xs: list[Any], masks: list[Any]) -> Any:
        return reduce(K.add, xs)


class Subtract(_Merge):
    """The first input minus the second."""

    def build(self, input_shape: Any) -> None:
        _check_are_two(self, input_shape)
        super().build(input_shape)

    def merge(self, xs: list[Any], masks: list[Any]) -> Any:
        _check_are_two(self, [x.shape for x in xs])
        return K.subtract(*xs)


class Multiply(_Merge):
    """The product of all inputs. Masked steps count as ones; where all are masked it is zero."""

    def merge(self, xs: list[Any], masks: list[Any]) -> Any:
        masks = [m if m is None else K.expand_dims(m, -1) for m in masks]
        factors = [x if m is None else K.where(m, x, 1) for x, m in zip(xs, masks, strict=True)]
        product = reduce(K.multiply, factors)
        if any(mask is None for mask in masks):
            return product
        return K.where(reduce(K.logical_or, masks), product, 0)


class Average(_Merge):
    """The mean of all inputs."""

    def merge(self, xs: list[Any], masks: list[Any]) -> Any:
        return reduce(K.add, xs) / len(xs)


class _Extreme(_Merge):
    """The largest or smallest of the inputs, of those that are not masked out."""

    choose: ClassVar[Callable[..., Any]]

    def merge(self, xs: list[Any], masks: list[Any]) -> Any:
        masks = [None if m is None else K.expand_dims(m, -1) for m in masks]
        output, known = xs[0], masks[0]
        for x, mask in zip(xs[1:], masks[1:], strict=True):
            if mask is not None:
                x = K.where(mask, x, output)
            if known is not None:
                output = K.where(known, output, x)
            both = mask is not None and known is not None
            known = K.logical_or(known, mask) if both else None
            output = type(self).choose(output, x)
        return output


class Maximum(_Extreme):
    """The largest value of all inputs, element by element."""

    choose = K.maximum


class Minimum(_Extreme):
    """The smallest value of all inputs, element by element."""

    choose = K.minimum


class Concatenate(_Merge):
    """The inputs one after the other along `axis`; their other axes must agree."""

    def __init__(self, axis: int = -1, **kwargs: Any):
        super().__init__(**kwargs)
        if not is_int(axis):
            raise ValueError(
                f"`axis` of Concatenate must be an int, and its inputs come in one list. Received: "
                f"axis={axis}"
            )
        self.axis = int(axis)

    def _check_batches(self, shapes: list[Shape], allowed: tuple[int, ...]) -> None:
        """Nothing: batches are an axis as others are, and may be concatenated."""

    def call(self, inputs: Any, mask: Any = None) -> Any:
        self.compute_output_shape(_shapes_of(inputs))
        return K.concatenate(inputs, axis=self.axis)

    def compute_output_shape(self, input_shape: Any) -> Shape:
        _check_is_list(self, input_shape)
        sizes = [list(shape) for shape in input_shape]
        if not all(-len(shape) <= self.axis < len(shape) for shape in sizes):
            raise ValueError(
                f"Axis {self.axis} is out of bounds for inputs of shapes {input_shape} of layer "
                f"'{self.name}'. Received: axis={self.axis}"
            )
        along = [shape[self.axis] for shape in sizes]
        for shape in sizes:
            shape[self.axis] = 0
        if len({len(shape) for shape in sizes}) > 1 or any(
            len(set(column) - {None}) > 1 for column in zip(*sizes, strict=False)
        ):
            raise ValueError(
                "A `Concatenate` layer requires inputs with matching shapes except for the "
                f"concatenation axis. Received: input_shape={input_shape} in layer '{self.name}', "
                f"axis={self.axis}"
            )
        merged = sizes[0]  # as in Keras, which looks at no other for the sizes that agree
        merged[self.axis] = None if None in along else sum(along)
        return tuple(merged)

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        if previous_mask is None:
            return None
        masks = masks_of_each(self, inputs, previous_mask)
        if all(mask is None for mask in masks):
            return None
        masks = [spread(mask, x) for mask, x in zip(masks, inputs, strict=True)]
        return K.any(K.concatenate(masks, axis=self.axis), axis=-1)

    def ways_to_mask(self, inputs: list[Any], masks: list[Any]) -> list[tuple[Any, int]]:
        """From a mask by `expand_dims`, from an input by `zeros_like`; then `logical_or`,
        `concatenate` and `any`; where there is no mask by `ones_like`, `concatenate` and `any`."""
        ways = []
        for x, mask in zip(inputs, masks, strict=True):
            ways.append((x, 3 if mask is None else 4))
            ways += [(source, n + 4) for source, n in getattr(mask, "_ways", ())]
        return ways


class Dot(_Merge):
    """The sum of products over one axis of each of two inputs, sample by sample.

    `axes`: an int, or a pair (axis of the first, axis of the second), counted with the batch axis.
    With `normalize` the inputs are divided by their norms along these axes, which makes it the
    cosine of their angle. (batch, 3, 5) and (batch, 4, 3) with axes (1, 2) give (batch, 5, 4);
    two vectors give (batch, 1).
    """

    def __init__(self, axes: Any, normalize: bool = False, **kwargs: Any):
        super().__init__(**kwargs)
        self.axes = _checked_axes(axes)
        self.normalize = normalize

    def _check_batches(self, shapes: list[Shape], allowed: tuple[int, ...] = ()) -> None:
        sizes = {shape[0] for shape in shapes}
        if None not in sizes and len(sizes) > 1:
            raise ValueError(
                "Cannot do batch_dot on inputs with different batch sizes. Layer "
                f"'{self.name}' received inputs with shapes {shapes}: give it as many rows of each."
            )

    def call(self, inputs: Any, mask: Any = None) -> Any:
        shapes = _shapes_of(inputs)
        output_shape = self.compute_output_shape(shapes)
        self._check_batches(shapes)
        axes = self._two_axes(shapes)
        if self.normalize:
            inputs = [
                unit_length(x, axis, K.epsilon()) for x, axis in zip(inputs, axes, strict=True)
            ]
        rows, columns = (K.moveaxis(x, axis, -1) for x, axis in zip(inputs, axes, strict=True))
        matrices = [K.reshape(x, (x.shape[0], -1, x.shape[-1])) for x in (rows, columns)]
        products = K.matmul(matrices[0], K.swapaxes(matrices[1], 1, 2))
        return K.reshape(products, output_shape)

    def compute_output_shape(self, input_shape: Any) -> Shape:
        _check_are_two(self, input_shape)
        first, second = (list(shape) for shape in input_shape)
        axes = self._two_axes(input_shape)
        sizes = [shape.pop(axis) for shape, axis in zip((first, second), axes, strict=True)]
        if None not in sizes and sizes[0] != sizes[1]:
            raise ValueError(
                f"Incompatible input shapes: axis values {sizes[0]} (at axis {axes[0]}) != "
                f"{sizes[1]} (at axis {axes[1]}). Full input shapes: {input_shape[0]}, "
                f"{input_shape[1]} in layer '{self.name}': choose axes of equal size."
            )
        shape = (first[0], *first[1:], *second[1:])
        return shape if len(shape) > 1 else (*shape, 1)

    def _two_axes(self, shapes: Any) -> list[int]:
        """The axis of each input that is summed over, counted from 0."""
        axes = (self.axes, self.axes) if is_int(self.axes) else self.axes
        ranks = [len(shape) for shape in shapes]
        if not all(-rank <= axis < rank for axis, rank in zip(axes, ranks, strict=True)):
            raise ValueError(
                f"`axes` of layer '{self.name}' are out of bounds for inputs of shapes {shapes}. "
                f"Received: axes={self.axes}"
            )
        found = [axis % rank for axis, rank in zip(axes, ranks, strict=True)]
        if 0 in found:
            raise ValueError(
                "Cannot perform batch_dot over axis 0, the batch axis: layer "
                f"'{self.name}' received axes={self.axes} for inputs of shapes {shapes}."
            )
        return found

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        return None


def add(inputs: Sequence[Any], **kwargs: Any) -> Any:
    """`Add` of a list of tensors; `kwargs` are the layer's."""
    return Add(**kwargs)(inputs)


def subtract(inputs: Sequence[Any], **kwargs: Any) -> Any:
    """`Subtract` of a list of two tensors; `kwargs` are the layer's."""
    return Subtract(**kwargs)(inputs)


def multiply(inputs: Sequence[Any], **kwargs: Any) -> Any:
    """`Multiply` of a list of tensors; `kwargs` are the layer's."""
    return Multiply(**kwargs)(inputs)


def average(inputs: Sequence[Any], **kwargs: Any) -> Any:
    """`Average` of a list of tensors; `kwargs` are the layer's."""
    return Average(**kwargs)(inputs)


def maximum(inputs: Sequence[Any], **kwargs: Any) -> Any:
    """`Maximum` of a list of tensors; `kwargs` are the layer's."""
    return Maximum(**kwargs)(inputs)


def minimum(inputs: Sequence[Any], **kwargs: Any) -> Any:
    """`Minimum` of a list of tensors; `kwargs` are the layer's."""
    return Minimum(**kwargs)(inputs)


def concatenate(inputs: Sequence[Any], axis: int = -1, **kwargs: Any) -> Any:
    """`Concatenate` of a list of tensors along `axis`; `kwargs` are the layer's."""
    return Concatenate(axis=axis, **kwargs)(inputs)


def dot(inputs: Sequence[Any], axes: Any = -1, **kwargs: Any) -> Any:
    """`Dot` of a list of two tensors over `axes`; `kwargs` are the layer's."""
    return Dot(axes=axes, **kwargs)(inputs)


def _is_list(inputs: Any) -> bool:
    return isinstance(inputs, (list, tuple))


def _shapes_of(inputs: Any) -> Any:
    return [x.shape for x in inputs] if _is_list(inputs) else inputs.shape


def _check_is_list(layer: Layer, shapes: Any) -> None:
    if not shapes or not all(_is_list(shape) for shape in shapes):
        kind = type(layer).__name__
        raise ValueError(
            f"A merge layer should be called on a list of inputs; a `{kind}` layer should be "
            f"called on a list of at least 1 input. Layer '{layer.name}' received: "
            f"input_shape={shapes} (not a list of shapes)"
        )


def _check_are_two(layer: Layer, shapes: Any) -> None:
    _check_is_list(layer, shapes)
    if len(shapes) != 2:
        raise ValueError(
            f"A `{type(layer).__name__}` layer should be called on exactly 2 inputs, a list of 2. "
            f"Layer '{layer.name}' received: input_shape={shapes}"
        )


def _checked_axes(axes: Any) -> Any:
    if is_int(axes):
        return int(axes)
    if not _is_list(axes):
        raise TypeError(
            "Invalid type for argument `axes`: it should be a list or an int. "
            f"Received: axes={axes}"
        )
    if len(axes) != 2 or not all(map(is_int, axes)):
        raise ValueError(
            "Invalid format for argument `axes`: it should contain two elements, and list "
            f"elements should be integers. Received: axes={axes}"
        )
    return tuple(axes)


def masks_of_each(layer: Layer, inputs: Any, mask: Any) -> list[Any]:
    """One mask, or None, per input."""
    if mask is None:
        return [None] * len(inputs)
    if not _is_list(mask):
        raise ValueError(
            f"`mask` should be a list, one mask or None per input of layer '{layer.name}'. "
            f"Received: mask={mask}"
        )
    if len(mask) != len(inputs):
        raise ValueError(
            "The lists `inputs` and `mask` should have the same length. Layer "
            f"'{layer.name}' received: inputs of length {len(inputs)}, and mask of length "
            f"{len(mask)}"
        )
    return [None if m is None else K.convert_to_tensor(m) for m in mask]


def spread(mask: Any, x: Any) -> Any:
    """A mask for every element of x; all True where there is none."""
    if mask is None:
        return K.ones_like(x, dtype="bool")
    return K.broadcast_to(K.reshape(mask, mask.shape + (1,) * (x.ndim - mask.ndim)), x.shape)


def _grown(shape: Shape, rank: int) -> Shape:
    """A shape without its batch axis, with ones before it up to `rank`."""
    return ((1,) * (rank - len(shape))) + tuple(shape)


def _of_rank(rank: int, x: Any) -> Any:
    missing = rank - x.ndim
    return x if not missing else K.reshape(x, (x.shape[0], *(1,) * missing, *x.shape[1:]))
