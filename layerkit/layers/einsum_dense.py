"""EinsumDense: a dense layer over any axes, as a formula of letters says."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any, NamedTuple

from layerkit import backend as K

from .. import activations, constraints, initializers, regularizers
from ..initializers import VarianceScaling
from .input_spec import InputSpec
from .layer import Layer, Shape


class EinsumDense(Layer):
    """activation(einsum(equation, inputs, kernel) + bias).

    `equation`: one letter per axis, of the inputs, the kernel and the output: "abc,cd->abd" is
    Dense(d) over sequences; "..." stands for further axes, at the start or at the end. The first
    axis is the batch. `output_shape`: the sizes of the output's letters without the batch (all of
    them after a "..." at the start), None for those that follow from the inputs. `bias_axes`: the
    output's letters that the bias has; no bias where None.

    Weights: kernel, of the kernel's letters; bias, of the output's letters from the first of
    `bias_axes` on, with size 1 for those that are not in it.
    """

    unavailable = {
        "lora_rank": None,
        "lora_alpha": None,
        "gptq_unpacked_column_size": None,
        "quantization_config": None,
    }

    def __init__(
        self,
        equation: str,
        output_shape: Any,
        activation: Any = None,
        bias_axes: str | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        _parsed(equation)  # raises where it is none
        self.equation = equation
        is_one = output_shape is None or isinstance(output_shape, int)
        self.output_shape = (output_shape,) if is_one else tuple(output_shape)
        self.activation = activations.get(activation)
        self.bias_axes = bias_axes
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)

    @property
    def partial_output_shape(self) -> Shape:
        """`output_shape`, under Keras's name for it."""
        return self.output_shape

    def build(self, input_shape: Shape) -> None:
        letters, sizes = self._sizes(input_shape)
        shape = tuple(_known(self, letter, sizes) for letter in letters.kernel)
        self.kernel = self.add_weight(
            name="kernel",
            shape=shape,
            initializer=self._kernel_initializer(letters),
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.bias = None
        if self.bias_axes:
            self.bias = self.add_weight(
                name="bias",
                shape=self._bias_shape(letters, sizes),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )
        self.input_spec = InputSpec(ndim=len(input_shape))

    def call(self, inputs: Any) -> Any:
        letters = _spelled(self.equation, inputs.ndim)
        summed = letters.summed_last()
        if summed:  # one product of matrices
            y = K.tensordot(inputs, self.kernel, axes=summed)
        else:
            y = K.einsum(letters.formula, inputs, self.kernel)
        return self.activation(y if self.bias is None else y + self.bias)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        letters, sizes = self._sizes(input_shape)
        return tuple(sizes[letter] for letter in letters.output)

    def _sizes(self, input_shape: Shape) -> tuple[_Letters, dict[str, int | None]]:
        """The equation's letters for inputs of this rank, and the size of each letter."""
        letters = self._letters(input_shape)
        sizes = dict(zip(letters.inputs, input_shape, strict=True))
        free = [letter for letter in letters.output[1:] if letter not in letters.spare]
        if letters.spare and letters.output[0] in letters.spare:
            free = [letter for letter in letters.output if letter not in letters.spare]
        if len(free) != len(self.output_shape):
            raise ValueError(
                f"`output_shape` of layer '{self.name}' (EinsumDense) should have one size for "
                f"each of the letters {free} of equation '{self.equation}'. Received: "
                f"output_shape={self.output_shape}"
            )
        for letter, size in zip(free, self.output_shape, strict=True):
            found = sizes.get(letter)
            if size is not None and found not in (None, size):
                raise ValueError(
                    "Input shape and output shape do not match at shared dimension "
                    f"'{letter}'. Input shape is {found}, and output shape is {size} in layer "
                    f"'{self.name}': leave None in `output_shape` for sizes of the inputs."
                )
            sizes[letter] = found if size is None else size
        return letters, sizes

    def _letters(self, input_shape: Shape) -> _Letters:
        try:
            return _spelled(self.equation, len(input_shape))
        except ValueError as error:
            raise ValueError(f"Layer '{self.name}' (EinsumDense): {error}") from None

    def _bias_shape(self, letters: _Letters, sizes: dict[str, int | None]) -> tuple[int, ...]:
        missing = [letter for letter in self.bias_axes or "" if letter not in letters.output]
        if missing:
            raise ValueError(
                f"Bias dimension '{missing[0]}' was requested, but is not part of the output "
                f"of equation '{self.equation}' in layer '{self.name}'"
            )
        axes = self.bias_axes or ""
        first = min(letters.output.index(letter) for letter in axes)
        return tuple(
            _known(self, letter, sizes) if letter in axes else 1
            for letter in letters.output[first:]
        )

    def _kernel_initializer(self, letters: _Letters) -> Any:
        """The initializer, for which inputs of a unit are the letters that are summed over."""
        if not isinstance(self.kernel_initializer, VarianceScaling):
            return self.kernel_initializer
        rows = [i for i, letter in enumerate(letters.kernel) if letter not in letters.output]
        columns = [i for i in range(len(letters.kernel)) if i not in rows]
        return _of_matrix(self.kernel_initializer, rows, columns)


class _Letters(NamedTuple):
    """One letter per axis; `spare` ones stand for the axes of "..."."""

    inputs: str
    kernel: str
    output: str
    spare: str

    @property
    def formula(self) -> str:
        return f"{self.inputs},{self.kernel}->{self.output}"

    def summed_last(self) -> int:
        """How many last axes of the inputs meet as many first ones of the kernel, if that is all.

        0 where the product of matrices would not be the formula.
        """
        n = sum(letter not in self.output for letter in self.inputs)
        kept, new = self.inputs[: len(self.inputs) - n], self.kernel[n:]
        is_product = self.inputs[len(kept) :] == self.kernel[:n] and self.output == kept + new
        return n if is_product and not set(kept) & set(new) else 0


_FORM = re.compile(r"(\.\.\.)?([a-zA-Z]+)(\.\.\.)?,([a-zA-Z]+)->(\.\.\.)?([a-zA-Z]+)(\.\.\.)?")


def _parsed(equation: str) -> tuple[str, str, str, str]:
    """Letters of inputs, kernel and output, and where dots are: 'start', 'end' or ''."""
    match = _FORM.fullmatch(equation.replace(" ", ""))
    if match:
        before, inputs, after, kernel, out_before, output, out_after = match.groups()
        if (before, after) == (out_before, out_after) and not (before and after):
            _check_letters(equation, inputs, kernel, output)
            return inputs, kernel, output, "start" if before else "end" if after else ""
    raise ValueError(
        f"Invalid einsum equation '{equation}'. Equations must be in the form "
        "[X],[Y]->[Z], ...[X],[Y]->...[Z], or [X]...,[Y]->[Z]...."
    )


def _check_letters(equation: str, inputs: str, kernel: str, output: str) -> None:
    for letter in output:
        if letter not in inputs + kernel:
            raise ValueError(
                f"Dimension '{letter}' was specified in the output '{output}' but has no "
                f"corresponding dim in the input spec '{inputs}' or weight spec '{kernel}'"
            )
    for letter in kernel:
        if letter not in inputs + output:
            raise ValueError(
                f"Weight dimension '{letter}' did not have a match in either the input spec "
                f"'{inputs}' or the output spec '{output}'. For this layer, the weight must be "
                f"fully specified. Received: equation='{equation}'"
            )


def _spelled(equation: str, rank: int) -> _Letters:
    """The equation for inputs of a rank, with letters for the dots."""
    inputs, kernel, output, dots = _parsed(equation)
    extra = rank - len(inputs)
    if extra < 0 or (extra and not dots):
        raise ValueError(
            f"equation '{equation}' is for inputs with {'at least ' * bool(dots)}{len(inputs)} "
            f"axes. Received inputs with {rank}."
        )
    unused = [letter for letter in _ALPHABET if letter not in inputs + kernel + output]
    spare = "".join(unused[:extra])
    if dots == "start":
        return _Letters(spare + inputs, kernel, spare + output, spare)
    return _Letters(inputs + spare, kernel, output + spare, spare)


_ALPHABET = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def _known(layer: Layer, letter: str, sizes: dict[str, int | None]) -> int:
    size = sizes.get(letter)
    if size is None:
        raise ValueError(
            f"Layer '{layer.name}' (EinsumDense) needs the size of axis '{letter}' of equation "
            f"'{layer.equation}' to make its weights: give it in `output_shape`, or inputs whose "
            "size along it is known."
        )
    return size


def _of_matrix(initializer: Any, rows: list[int], columns: list[int]) -> Callable[..., Any]:
    """`initializer` of kernels, for which the axes `rows` are one axis and `columns` another."""

    def initialize(shape: Shape, dtype: Any = None) -> Any:
        sizes: Any = shape
        matrix = (math.prod(sizes[i] for i in rows), math.prod(sizes[i] for i in columns))
        order = [*rows, *columns]
        values = K.reshape(initializer(matrix, dtype), [sizes[i] for i in order])
        return K.transpose(values, sorted(range(len(order)), key=order.__getitem__))

    return initialize
