"""Symbolic tensors: shapes and dtypes without values, and the graph of calls that made them.

Calling a layer or an operation on a `KerasTensor` computes nothing: it gives symbolic tensors that
know the call, a `Node`. From the outputs of a functional model the graph is found by walking back.
What comes out of a call is found by running it on zeros, unless a layer knows its output's shape.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from inspect import Parameter, signature
from typing import Any, NamedTuple, TypeVar

import numpy as np

from layerkit import backend as K
from layerkit.backend import StatelessScope, SymbolicScope, Tensor, tree
from layerkit.backend.allowance import check_sample, check_together, sampling
from layerkit.backend.symbol import Symbol

from .configurable import Configurable
from .constructors import is_ours, note_arguments
from .naming import auto_name, snake_case

F = TypeVar("F", bound=Callable)
Shape = tuple[int | None, ...]


class History(NamedTuple):
    """Which call gave a symbolic tensor, and as which of its outputs."""

    operation: Any
    node_index: int  # among the calls of that operation
    tensor_index: int


class KerasTensor(Symbol):
    """A placeholder for a shape (None for free axes) and a dtype. It has no values.

    Arithmetic, indexing and `layerkit.ops` take it and give symbolic tensors again.
    """

    _keras_history: History
    _keras_mask: KerasTensor | None = None
    _ways: Sequence[tuple[KerasTensor, int]] = ()  # of a mask: see `Layer.ways_to_mask`

    def __init__(self, shape: Any, dtype: Any = "float32", name: str | None = None):
        self.shape: Shape = tuple(shape)
        self.dtype = str(np.dtype(dtype)) if dtype != "string" else dtype
        self.name = name or auto_name("keras_tensor")

    @property
    def ndim(self) -> int:
        return len(self.shape)

    rank = ndim

    def __getitem__(self, key: Any) -> Any:
        """A list picks rows; Keras's files hold a tuple as a list."""
        return named("GetItem")(self, np.array(key) if isinstance(key, list) else key)

    def reshape(self, *shape: Any) -> Any:
        """As `ops.reshape`."""
        return named("Reshape")(self, shape[0] if len(shape) == 1 else shape)

    def squeeze(self, axis: Any = None) -> Any:
        """As `ops.squeeze`."""
        return named("Squeeze")(self, axis)

    @property
    def T(self) -> Any:
        return named("Transpose")(self)

    def _refuse(what: str) -> Callable:  # type: ignore[misc]
        def method(self: KerasTensor, *_: Any) -> Any:
            raise TypeError(
                "A KerasTensor is symbolic: it's a placeholder for a shape an a dtype. It doesn't "
                f"have any actual numerical value. {what} Received: {self!r}"
            )

        return method

    __array__ = _refuse(
        "You cannot convert it to a NumPy array: use layerkit.ops instead of np, or give the "
        "model arrays."
    )
    __float__ = __int__ = __index__ = _refuse("You cannot make a number of it.")
    __bool__ = _refuse("It cannot be used as a boolean: use ops.where or ops.cond.")
    __iter__ = _refuse("Iterating over it is not supported: use ops.unstack or ops.split.")
    __len__ = _refuse("It has no length that Python could know: use its `shape`.")

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        """What NumPy calls for `array + tensor`, and for its own functions, which are refused."""
        if method == "__call__" and not options and ufunc in _UFUNCS:
            return named(_UFUNCS[ufunc])(*inputs)
        raise TypeError(
            "A KerasTensor is symbolic: it's a placeholder for a shape an a dtype. It doesn't have "
            "any actual numerical value. NumPy's functions cannot take it: use the function of "
            f"layerkit.ops in place of np.{ufunc.__name__}. Received: {self!r}"
        )

    def __repr__(self) -> str:
        return f"<KerasTensor shape={self.shape}, dtype={self.dtype}, name={self.name}>"


class Node:
    """One call of an operation on symbolic tensors."""

    def __init__(self, operation: Any, args: tuple, kwargs: dict[str, Any], outputs: Any):
        self.operation, self.args, self.kwargs = operation, args, kwargs
        self.outputs = outputs  # a structure of symbolic tensors
        for x in self.output_tensors:
            if not isinstance(x, KerasTensor):
                raise ValueError(
                    f"All operation outputs must be tensors. Operation {operation} returned a "
                    f"non-tensor. Non-tensor received: {x}. Leave it out of what `call` returns."
                )
        index = len(operation._inbound_nodes)
        operation._inbound_nodes.append(self)
        for number, tensor in enumerate(self.output_tensors):
            tensor._keras_history = History(operation, index, number)

    @property
    def input_tensors(self) -> list[KerasTensor]:
        """The symbolic tensors among the arguments."""
        return list(symbols((self.args, self.kwargs)))

    @property
    def output_tensors(self) -> list[KerasTensor]:
        return tree.flatten(self.outputs)

    @property
    def is_input(self) -> bool:
        return not self.input_tensors

    @property
    def parent_nodes(self) -> list[Node]:
        """The calls that made the arguments, in the order of the arguments."""
        return [node_of(x) for x in self.input_tensors if hasattr(x, "_keras_history")]

    def arguments_from(self, values: dict[int, Any]) -> tuple[tuple, dict[str, Any]]:
        """Its arguments with each symbolic tensor replaced by the value under its id."""

        def value(x: Any) -> Any:
            return values[id(x)] if isinstance(x, KerasTensor) else x

        return tree.map_structure(value, self.args), {
            key: tree.map_structure(value, x) for key, x in self.kwargs.items()
        }


class Operation(Configurable):
    """A function of tensors that takes symbolic ones too: layers are such, and what users write.

    Subclass it: call `super().__init__(name)` and compute in `call`; where running that on samples
    does not tell what comes out, say it in `compute_output_spec`. The config of a user's class is
    what its constructor was called with.

    `name`: made from the class where None. ValueError for another that is no string, or has a
    slash.
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        operation = super().__new__(cls)
        if not is_ours(cls):
            note_arguments(operation, args, kwargs)
        return operation

    def __init__(self, name: str | None = None):
        if name is None:
            name = auto_name(type(self))
        if not isinstance(name, str) or "/" in name:
            raise ValueError(
                "Argument `name` must be a string and cannot contain character `/`. Received: "
                f"name={name} (of type {type(name)})"
            )
        self.name = name
        self._inbound_nodes: list[Node] = []  # its calls on symbolic tensors

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if is_symbolic((args, kwargs)):
            return self.symbolic_call(*args, **kwargs)
        return self.call(*args, **kwargs)

    def symbolic_call(self, *args: Any, **kwargs: Any) -> Any:
        """The call as part of a graph: symbolic tensors which know that this gave them."""
        outputs = self.compute_output_spec(*args, **kwargs)
        Node(self, args, kwargs, outputs)
        return outputs

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """The formula: tensors in, tensors out."""
        raise NotImplementedError(f"Operation {type(self).__name__} does not implement `call()`.")

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """The symbolic tensors that a call on these gives, found by running `call`."""
        try:
            return spec_by_running(self.call, args, kwargs)
        except (TypeError, ValueError, NotImplementedError) as error:
            kind = type(self).__name__
            raise type(error)(
                "Could not automatically infer the output shape / dtype of "
                f"'{self.name}' (of type {kind}). Either the `{kind}.call()` method is incorrect, "
                f"or you need to implement the `{kind}.compute_output_spec()` method. Error "
                f"encountered:\n\n{error}"
            ) from error

    def spec_of_call(self, *args: Any, **kwargs: Any) -> Any:
        """The symbolic tensors that a call gives, with their masks, and no trace of that call."""
        return self.compute_output_spec(*args, **kwargs)

    @property
    def input(self) -> Any:
        """The symbolic tensor, or the list of them, that it was first called on."""
        tensors = self._first_node().input_tensors
        return tensors[0] if len(tensors) == 1 else tensors

    @property
    def output(self) -> Any:
        """The symbolic tensor, or the list of them, that the first such call gave."""
        tensors = self._first_node().output_tensors
        return tensors[0] if len(tensors) == 1 else tensors

    def _first_node(self) -> Node:
        if not self._inbound_nodes:
            raise AttributeError(
                f"The layer {self.name} has never been called and thus has no defined input or "
                "output: call it on an Input, or put it in a Sequential that has one."
            )
        return self._inbound_nodes[0]

    def __repr__(self) -> str:
        return f"<Operation name={self.name}>"


class FunctionOperation(Operation):
    """A function of tensors as an operation: what `ops.relu(symbolic)` adds to the graph."""

    def __init__(self, function: Callable, name: str | None = None):
        self.class_name = class_name(function)  # what summaries and drawings call it
        super().__init__(name or auto_name(self.class_name))
        self.function = self.call = function  # type: ignore[method-assign]

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        if self.function in _specs:
            return _specs[self.function](*args, **kwargs)
        return spec_by_running(self.function, args, kwargs)

    def options(self, node: Node) -> tuple[list[Any], dict[str, Any]]:
        """A call's arguments as Keras's files part them: tensors, and options by name."""
        parameters = signature(self.function).parameters
        given = signature(self.function).bind(*node.args, **node.kwargs).arguments
        tensors: list[Any] = []
        skipped: list[Any] = []  # defaults, which only count where a tensor follows
        for name in filter(_TENSORS.__contains__, parameters):
            if name not in given:
                skipped.append(parameters[name].default)
            elif parameters[name].kind is Parameter.VAR_POSITIONAL:
                tensors += [*skipped, *given[name]]
            else:
                tensors += [*skipped, given[name]]
                skipped = []
        return tensors, {name: x for name, x in given.items() if name not in _TENSORS}

    def with_options(self, tensors: Sequence[Any], kwargs: dict[str, Any]) -> tuple[tuple, dict]:
        """The arguments of a call that `options` parted, or Keras: `tensors` in order, all else by
        name, though in the function's own order options may stand between tensors."""
        form = signature(self.function)
        free = [name for name in form.parameters if name not in kwargs]
        places = [name for name in free if name in _TENSORS]
        every = [name for name in places if form.parameters[name].kind is Parameter.VAR_POSITIONAL]
        places = places if every or len(tensors) <= len(places) else free
        if kwargs.keys() - form.parameters.keys() or len(tensors) > len(places) and not every:
            return tuple(tensors), kwargs  # which Python refuses, and says why
        placed = form.bind_partial()
        placed.arguments.update(zip(places, tensors, strict=False))
        for name in every:
            placed.arguments[name] = tuple(tensors[places.index(name) :])
        placed.arguments.update(kwargs)
        return placed.args, placed.kwargs


_operations: dict[str, Callable] = {}  # by the class names that Keras's files give them

_specs: dict[Callable, Callable] = {}  # of functions that have a `spec`

# Keras's names of operations whose function is called otherwise.
_CLASS_NAMES = {
    "allclose": "AllClose",
    "batch_normalization": "BatchNorm",
    "cdist": "CDist",
    "extract_patches_3d": "ExtractPatches",
    "ctc_decode": "CTCDecode",
    "ctc_loss": "CTCLoss",
    "fft": "FFT",
    "fft2": "FFT2",
    "hsv_to_rgb": "HSVToRGB",
    "ifft2": "IFFT2",
    "irfft": "IRFFT",
    "isin": "IsIn",
    "istft": "ISTFT",
    "layer_normalization": "LayerNorm",
    "psnr": "PSNR",
    "rfft": "RFFT",
    "rgb_to_grayscale": "RGBToGrayscale",
    "rgb_to_hsv": "RGBToHSV",
    "rms_normalization": "RMSNorm",
    "searchsorted": "SearchSorted",
    "ssim": "SSIM",
    "stft": "STFT",
    "svd": "SVD",
}

# Names of parameters that are tensors; Keras's files keep all others with the operation itself.
_TENSORS = set(
    """a abs_ angle array b beta bias condition condlist choicelist constant_values coordinates data
    default depthwise_kernel end_points fill_value gamma images indices inputs kernel key mean
    image1 image2 mask offset operands output output_length pointwise_kernel predictions query scale
    segment_ids sequence_lengths sorted_sequence start start_indices start_points stop target
    target_length targets tensor transform translation updates value values variable variance
    volumes weights x x1 x2 xs y""".split()  # noqa: SIM905
)


def class_name(function: Callable) -> str:
    """The name of a function's operation in Keras's files: 'relu' is 'Relu'."""
    name = function.__name__
    return _CLASS_NAMES.get(name) or "".join(part.capitalize() for part in name.split("_"))


def operation(function: F, spec: Callable | None = None) -> F:
    """`function` of tensors, which takes symbolic ones too, by its name in Keras's files.

    `spec`: gives the symbolic results for such arguments, where running `function` on samples
    cannot, for their sizes would have to be those of the data.
    """
    if spec is not None:
        _specs[function] = spec
    _operations[class_name(function)] = called = of_symbols(function)
    return called


def of_symbols(function: F) -> F:
    """`function` of tensors, which takes symbolic ones too and then gives symbolic ones."""

    @wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        if is_symbolic(args) or kwargs and is_symbolic(kwargs):
            return FunctionOperation(function)(*args, **kwargs)
        return function(*args, **kwargs)

    return called  # type: ignore[return-value]


def named(name: str) -> Callable:
    """The operation that Keras's files call so. KeyError where layerkit has none of that name."""
    if name not in _operations:
        importlib.import_module("layerkit.ops")  # which few programs need: loaded when asked for
    return _operations[name]


def is_operation(name: str) -> bool:
    """Whether Keras's files may call one of layerkit's operations so."""
    try:
        return bool(named(name))
    except KeyError:
        return False


def is_symbolic(structure: Any) -> bool:
    """Whether there is a symbolic tensor in nested lists, tuples and dicts."""
    if isinstance(structure, (list, tuple)):
        return any(
            isinstance(x, KerasTensor) or isinstance(x, (list, tuple, dict)) and is_symbolic(x)
            for x in structure
        )
    if isinstance(structure, dict):
        return is_symbolic(list(structure.values()))
    return isinstance(structure, KerasTensor)


def symbols(structure: Any) -> Iterator[KerasTensor]:
    """The symbolic tensors in nested lists, tuples and dicts, in order."""
    return (x for x in tree.flatten(structure) if isinstance(x, KerasTensor))


def node_of(tensor: KerasTensor) -> Node:
    """The call that gave a symbolic tensor."""
    if not hasattr(tensor, "_keras_history"):
        raise ValueError(
            f"Graph disconnected: cannot find parent for tensor {tensor!r}: it is not the output "
            "of a layer, of an operation or of Input. Only what these give, and the `inputs` of a "
            "Function, can be part of a graph."
        )
    return tensor._keras_history.operation._inbound_nodes[tensor._keras_history.node_index]


def get_source_inputs(tensor: KerasTensor) -> list[KerasTensor]:
    """The outputs of Input that a symbolic tensor was computed from, each once."""
    found: dict[int, KerasTensor] = {}
    seen: set[Node] = set()
    waiting = [node_of(tensor)]
    while waiting:
        node = waiting.pop()
        if node.is_input:
            found.update((id(x), x) for x in node.output_tensors)
        elif node not in seen:
            seen.add(node)
            waiting += reversed(node.parent_nodes)
    return list(found.values())


def spec_by_running(function: Callable, args: Any, kwargs: dict[str, Any]) -> Any:
    """What `function` gives for symbolic tensors, found by two runs on zeros, or unit matrices.

    Variables keep their values, and no loss is added. Free axes have other sizes in the second
    run, and an axis of the output that differs between the two is free. The sizes differ by enough
    that pooling cannot make them equal; where a table, as of positions, ends before them, smaller
    ones are tried.
    """
    for size in _SIZES:
        try:
            with sampling(), StatelessScope(), SymbolicScope():
                first = _spec(_run(function, args, kwargs, batch=2, size=size))
                second = _spec(_run(function, args, kwargs, batch=3, size=2 * size))
        except IndexError:
            if size == _SIZES[-1]:
                raise
        else:
            break
    return tree.map_structure(_spec_of_both, first, second)


_SIZES = (64, 16, 4, 1)  # of free axes


def _run(function: Callable, args: Any, kwargs: dict[str, Any], batch: int, size: int) -> Any:
    made: dict[int, Any] = {}  # of tensors that come several times

    def sample(x: Any) -> Any:
        if not isinstance(x, KerasTensor):
            return x
        if id(x) not in made:
            made[id(x)] = new(x)
        return made[id(x)]

    def new(x: KerasTensor) -> Any:
        sizes = [size if n is None else n for n in x.shape]
        if x.shape and x.shape[0] is None:
            sizes[0] = batch
        if x.dtype == "string":
            return np.full(sizes, "")
        check_sample(sizes, x.dtype)
        values = np.zeros(sizes, x.dtype)
        if len(sizes) > 1 and sizes[-1] == sizes[-2] and values.dtype.kind == "f":
            values[..., :, :] = np.eye(sizes[-1])  # which has an inverse
        y = K.convert_to_tensor(values)
        if x._keras_mask is not None:
            y._keras_mask = K.logical_not(sample(x._keras_mask))
        return y

    args, kwargs = tree.map_structure(sample, args), tree.map_structure(sample, kwargs)
    check_together(*tree.flatten((args, kwargs)))
    with np.errstate(all="ignore"):  # 1 / x is no reason to warn
        return function(*args, **kwargs)


def _spec(outputs: Any) -> Any:
    """Symbolic tensors of the same shapes, so that the arrays need not stay."""

    def of_one(x: Any) -> Any:
        if x is None:
            return None
        if isinstance(x, np.ndarray) and x.dtype.kind in "OSU":
            return KerasTensor(x.shape, "string", "sample")
        y = x if isinstance(x, Tensor) else K.convert_to_tensor(x)
        return KerasTensor(y.shape, y.dtype, "sample")

    return tree.map_structure(of_one, outputs)


def _spec_of_both(first: Any, second: Any) -> Any:
    if first is None:
        return None
    pairs = zip(first.shape, second.shape, strict=True)
    return KerasTensor(tuple(a if a == b else None for a, b in pairs), first.dtype)


# Python's operators, and the operations that they add to the graph.
_BINARY = {
    "add": "Add",
    "sub": "Subtract",
    "mul": "Multiply",
    "truediv": "TrueDivide",
    "floordiv": "FloorDivide",
    "mod": "Mod",
    "pow": "Power",
    "matmul": "Matmul",
    "and": "LogicalAnd",
    "or": "LogicalOr",
    "xor": "LogicalXor",
}
_OTHERS = {
    "eq": "Equal",
    "ne": "NotEqual",
    "lt": "Less",
    "le": "LessEqual",
    "gt": "Greater",
    "ge": "GreaterEqual",
    "neg": "Negative",
    "abs": "Absolute",
    "invert": "LogicalNot",
}
# The ufuncs of NumPy that stand behind its operators where an array comes first.
_UFUNCS = {
    **{getattr(np, snake_case(name)): name for name in (*_BINARY.values(), *_OTHERS.values())},
    np.bitwise_and: "LogicalAnd",
    np.bitwise_or: "LogicalOr",
    np.bitwise_xor: "LogicalXor",
    np.invert: "LogicalNot",
}


def _bind() -> None:
    def method(name: str) -> Callable:
        return lambda self, *others: named(name)(self, *others)

    def reflected(name: str) -> Callable:
        return lambda self, other: named(name)(other, self)

    for operator, name in {**_BINARY, **_OTHERS}.items():
        setattr(KerasTensor, f"__{operator}__", method(name))
    for operator, name in _BINARY.items():
        setattr(KerasTensor, f"__r{operator}__", reflected(name))
    KerasTensor.__hash__ = lambda self: id(self)  # type: ignore[method-assign,assignment]


_bind()
