"""The engine: tensors, variables, the tape that remembers operations and plays them backwards.

An operation is one function over arrays that returns its value and one vector-Jacobian product
(vjp) per argument; `primitive` makes it work on tensors. The closure of a vjp is what the
operation saved. Broadcasting is undone, contributions are added and what nobody asked for is
skipped here, once, for every operation. Gradients are of first order.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from inspect import CO_VARARGS
from typing import Any

import numpy as np

from . import allowance, recording, registry, tree
from .base import Backend
from .config import floatx, is_floating
from .registry import backend_of, beside, default_backend, gathered, is_array
from .session import in_scope


class Tensor:
    """An array that a tape can watch. Arithmetic, indexing and comparison give tensors again."""

    __slots__ = ("__weakref__", "_keras_mask", "array")

    _keras_mask: Tensor | None  # which steps of a sequence count; absent where nobody said

    # Operators are bound in `operators`, on top of the operations; this tells the type checker.
    __add__: Any
    __radd__: Any
    __sub__: Any
    __rsub__: Any
    __mul__: Any
    __rmul__: Any
    __truediv__: Any
    __rtruediv__: Any
    __floordiv__: Any
    __rfloordiv__: Any
    __mod__: Any
    __rmod__: Any
    __pow__: Any
    __rpow__: Any
    __matmul__: Any
    __rmatmul__: Any
    __neg__: Any
    __abs__: Any
    __getitem__: Any
    __lt__: Any
    __le__: Any
    __gt__: Any
    __ge__: Any
    __and__: Any
    __rand__: Any
    __or__: Any
    __ror__: Any
    __xor__: Any
    __rxor__: Any
    __invert__: Any
    T: Any
    sum: Any
    mean: Any
    var: Any
    std: Any
    max: Any
    min: Any
    prod: Any
    argmax: Any
    argmin: Any
    any: Any
    all: Any
    reshape: Any
    transpose: Any
    squeeze: Any
    flatten: Any
    ravel: Any
    astype: Any
    tolist: Any

    def __init__(self, array: Any):
        self.array = array

    @property
    def shape(self) -> tuple[int, ...]:
        return self.array.shape

    @property
    def ndim(self) -> int:
        return self.array.ndim

    @property
    def size(self) -> int:
        return self.array.size

    @property
    def dtype(self) -> np.dtype:
        return self.array.dtype

    def numpy(self) -> np.ndarray:
        """The value as a NumPy array."""
        _not_traced("reading the value of a tensor")
        return backend_of(self.array).to_numpy(self.array)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        raise_if_tracked(self, "Handing it to NumPy", "use layerkit.backend, or x.numpy()")
        return np.array(self.numpy(), dtype=dtype, copy=copy)

    def item(self) -> Any:
        """The value of a tensor with one element as a Python number."""
        return self.numpy().item()

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __index__(self) -> int:
        if self.array.dtype.kind not in "iu" or self.ndim:
            raise TypeError(f"Only an integer scalar can be an index; received {self!r}.")
        return int(self.item())

    def __bool__(self) -> bool:
        return bool(self.numpy())

    def __format__(self, spec: str) -> str:
        return format(self.item() if spec else str(self), spec)

    def __len__(self) -> int:
        if not self.ndim:
            raise TypeError("len() of a scalar tensor.")
        return self.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        return (self[i] for i in range(len(self)))

    def __hash__(self) -> int:
        return id(self)

    def __str__(self) -> str:
        return str(self.numpy())

    def __repr__(self) -> str:
        return f"<Tensor shape={self.shape} dtype={self.dtype} numpy={self.numpy()!r}>"


class Variable(Tensor):
    """Named state: a tensor that can be given a new value, and which tapes watch by themselves.

    `initializer` is the value (anything `convert_to_tensor` takes), or a function of
    (shape, dtype) that gives it; the function needs `shape`. Tapes watch floating variables that
    are `trainable`. Inside a layer that computes in another float type, operations use the
    variable cast to it, unless `autocast` is False. Assigning leaves alone what was computed or
    recorded before. Optimizers write into `array` and count `version` up, which makes a tape that
    recorded the variable raise.
    """

    __slots__ = (
        "autocast",
        "born_trainable",
        "constraint",
        "name",
        "path",
        "regularizer",
        "trainable",
        "version",
    )
    constraint: Any
    regularizer: Any

    def __init__(
        self,
        initializer: Any,
        shape: tuple[int, ...] | None = None,
        dtype: Any = None,
        trainable: bool = True,
        name: str | None = None,
        autocast: bool = True,
    ):
        if callable(initializer):
            if shape is None:
                raise ValueError(
                    "When creating a Variable from an initializer, the `shape` argument should "
                    f"be specified. Received: initializer={initializer} and shape={shape}"
                )
            dtype = dtype or floatx()
            allowance.spend(shape, dtype, name or "variable")
        waits = callable(initializer) and allowance.waits(shape, dtype)
        first = default_backend().xp.zeros(shape, dtype=dtype) if waits else None
        super().__init__(_initial(initializer, shape, dtype, name) if first is None else first)
        self.name = name or "variable"
        self.path = in_scope(self.name)
        self.trainable = trainable
        self.born_trainable = trainable  # its place in files; freezing does not move it
        self.autocast = autocast
        self.regularizer = None
        self.constraint = None
        self.version = 0  # counts the changes in place
        if first is not None:

            def fill() -> None:
                if self.array is first:  # no file gave another value
                    self.array = _initial(initializer, shape, dtype, name)

            allowance.at_the_end(fill)

    @property
    def value(self) -> Variable:
        """The variable itself: it is a tensor."""
        return self

    def numpy(self) -> np.ndarray:
        """A copy of the value as a NumPy array."""
        return np.array(super().numpy())

    def assign(self, value: Any) -> Variable:
        """Set the value, in the variable's dtype. ValueError where the shape is another one."""
        backend = backend_of(self.array)
        value = _array_on(backend, value)
        if value.shape != self.shape:
            raise ValueError(
                "The shape of the target variable and the shape of the target value in "
                f"`variable.assign(value)` must match. Variable '{self.path}' has shape "
                f"{self.shape}; received a value of shape {value.shape}."
            )
        _before_change(self)
        self.array = backend.xp.array(value, dtype=self.dtype, order="C")
        return self

    def assign_add(self, value: Any) -> Variable:
        """Add `value`, which is broadcast, to the variable."""
        return self._become(self.array + self._operand(value))

    def assign_sub(self, value: Any) -> Variable:
        """Subtract `value`, which is broadcast, from the variable."""
        return self._become(self.array - self._operand(value))

    def _become(self, result: Any) -> Variable:
        """`assign` the result of arithmetic, which nobody else holds: no copy is needed."""
        if result.dtype != self.array.dtype or result.shape != self.array.shape:
            return self.assign(result)
        _before_change(self)
        self.array = np.asarray(result) if isinstance(result, np.generic) else result
        return self

    def _operand(self, value: Any) -> Any:
        value = as_operand(value)
        return beside(value, self.array) if hasattr(value, "dtype") else value

    def __repr__(self) -> str:
        return f"<Variable path={self.path} shape={self.shape} dtype={self.dtype} value={self}>"


def _initial(initializer: Any, shape: Any, dtype: Any, name: str | None) -> Any:
    """A new array of a variable's initial value, from an initializer or from a value."""
    made = initializer(tuple(shape), dtype=dtype) if callable(initializer) else initializer
    value = convert_to_tensor(made, dtype).array
    if shape is not None and value.shape != tuple(shape):
        raise ValueError(
            f"Variable '{name or 'variable'}' expects shape {tuple(shape)}; "
            f"its initial value has shape {value.shape}."
        )
    return value.copy()


def convert_to_tensor(x: Any, dtype: Any = None) -> Tensor:
    """`x` as a Tensor: NumPy arrays, lists and numbers on the default backend, others as they are.

    Python floats become `floatx()`, Python ints int32 (int64 where they need it), bools bool;
    `dtype` overrides. ValueError for what is no rectangular nesting of numbers.
    """
    if isinstance(x, Tensor):
        if dtype is None or x.dtype == dtype:
            return x
        raise_if_tracked(x, "convert_to_tensor", "use cast(x, dtype)")
        return Tensor(x.array.astype(dtype))
    if is_array(x):
        if isinstance(x, np.ndarray):
            if x.dtype.kind in "USO":
                raise ValueError(_NO_NUMBERS.format(x.dtype))
            x = default_backend().asarray(x)
        return Tensor(x if dtype is None or x.dtype == dtype else x.astype(dtype))
    array = _numbers(x)
    if dtype is None and not isinstance(x, np.generic):
        dtype = natural_dtype(array)
    return Tensor(default_backend().asarray(array, dtype=dtype))


_NO_NUMBERS = (
    "Cannot convert an array of dtype {} to a tensor: expected numbers. Strings go through a layer "
    "of texts first, TextVectorization or StringLookup."
)


def natural_dtype(numbers: Any) -> Any:
    """The dtype that Python's numbers get: `floatx()`, int32 (int64 where they need it), bool."""
    array = np.asarray(numbers)
    if array.dtype.kind == "f":
        return floatx()
    return "int32" if array.dtype.kind == "i" and _fits_int32(array) else array.dtype


def _array_on(backend: Backend, x: Any) -> Any:
    """`x` (whatever `convert_to_tensor` takes) as an array of `backend`."""
    x = x.array if isinstance(x, Tensor) else x
    return backend.asarray(x if is_array(x) else _numbers(x))


def _numbers(x: Any) -> np.ndarray:
    """A number, or numbers and tensors in lists, as an array on the host."""
    if isinstance(x, (list, tuple)):
        x = tree.map_structure(_host_value, x)
    try:
        array = np.asarray(x)
    except ValueError:  # rows of unequal length
        array = np.empty(0, object)
    if array.dtype.kind not in "biuf":
        raise ValueError(
            f"Cannot convert {type(x).__name__} to a tensor: expected numbers in a rectangular "
            "nesting; received rows of unequal length or objects that are no real numbers."
        )
    return array


def _host_value(leaf: Any) -> Any:
    if not isinstance(leaf, Tensor):
        return leaf
    raise_if_tracked(leaf, "A list in place of a tensor", "use stack(list)")
    return leaf.numpy()


def _fits_int32(array: np.ndarray) -> bool:
    return not array.size or (array.min() >= -(2**31) and array.max() < 2**31)


def raise_if_tracked(x: Tensor, what: str, remedy: str) -> None:
    """Raise where `what` would cut `x` off from a tape that watches it."""
    if any(tape.watches(x) for tape in _local.tapes):
        raise TypeError(f"{what} would lose the gradient of a watched tensor: {remedy}.")


def as_operand(x: Any) -> Any:
    """What an operation's body computes with: a raw array, or a Python number.

    Numbers stay numbers beside arrays, so that `x * 2.0` keeps the dtype of x.
    """
    if isinstance(x, Tensor):
        return x.array
    if x is None or (isinstance(x, (bool, int, float)) and not isinstance(x, np.generic)):
        return x
    if isinstance(x, np.generic):
        return x.item()  # a NumPy scalar would promote float32 to float64
    return x if is_array(x) else convert_to_tensor(x).array


class _Local(threading.local):
    tapes: tuple[GradientTape, ...] = ()  # the tapes now recording in this thread
    compute_dtype: str | None = None  # what float variables are cast to
    tracer: Any = None  # who is told of every operation: see `traced`
    scope: Any = None  # the StatelessScope that is told of variables before they change


_local = _Local()


def _before_change(variable: Variable) -> None:
    recording.meet(variable)
    if _local.scope is not None:
        _local.scope.before_change(variable)


def compute_in(dtype: str | None) -> str | None:
    """Let this thread's operations use float variables in `dtype`; None: as they are.

    Returns what held before, for the caller to restore.
    """
    outer, _local.compute_dtype = _local.compute_dtype, dtype
    return outer


def _autocast(x: Any) -> Any:
    """A float variable in the type now computed in, by a recorded cast; others as they are."""
    dtype = _local.compute_dtype
    if not isinstance(x, Variable) or not x.autocast or x.dtype == dtype:
        return x
    if not is_floating(x.dtype):
        return x
    value = Tensor(x.array.astype(dtype))
    for tape in _local.tapes:
        tape.record((value,), (x,), (lambda g: g,))  # it comes back in the variable's dtype
        tape.overflows = True
    return value


def _through_float32(function: Callable[..., tuple]) -> Callable[..., tuple]:
    """`function`, an operation's body, where halves are computed in float32 and results rounded.

    That is what devices with half-precision units do inside an operation. NumPy has none: it adds
    up float16 without BLAS, and lets bfloat16 become float32 beside a number.
    """
    code = function.__code__
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    place = names.index("dtype") if "dtype" in names else None

    def chosen(operands: tuple, options: dict[str, Any]) -> Any:
        """The dtype that the result was asked for in, if any."""
        if place is None or place >= len(operands):
            return options.get("dtype")
        return operands[place]

    def compute(*operands: Any, **options: Any) -> tuple:
        floats = [x.dtype for x in operands if hasattr(x, "dtype") and is_floating(x.dtype)]
        if not any(map(_is_emulated, operands)):
            return function(*operands, **options)
        value, *vjps = function(*map(_widened, operands), **options)
        if len(set(floats)) == 1 and chosen(operands, options) is None:
            value = tree.map_structure(lambda y: _rounded(y, floats[0]), value)
        widen = [remembered(_widened) for _ in (value if isinstance(value, tuple) else (value,))]
        return value, *[vjp and _of_widened(vjp, widen) for vjp in vjps]

    return compute


def _is_emulated(x: Any) -> bool:
    return is_array(x) and x.dtype.name in backend_of(x).emulated_floats


def _widened(x: Any) -> Any:
    return x.astype("float32") if _is_emulated(x) else x


def _rounded(x: Any, dtype: Any) -> Any:
    return x.astype(dtype) if x.dtype == "float32" else x


def _of_widened(vjp: Callable, widen: list[Callable]) -> Callable:
    """`vjp` of the upstream gradients in float32, of which all vjps share one copy."""
    return lambda *upstream: vjp(*[w(g) for w, g in zip(widen, upstream, strict=True)])


def primitive(function: Callable[..., tuple]) -> Callable[..., Any]:
    """Make `function(*arrays, /, **options) -> (value, *vjps)` an operation on tensors.

    Parameters before the `/` are tensors, arrays or numbers; those after it are options. Returned:
    the value, then one vjp per tensor in order: a function of the upstream gradient (an array of
    the value's shape) that gives the gradient of that tensor, before broadcasting is undone. None
    for a tensor without gradient; trailing Nones may be left out. A tuple as value makes an
    operation with several results: its vjps take one upstream gradient per result, None for a
    result that nothing used.
    """
    code = function.__code__
    names = code.co_varnames[: code.co_posonlyargcount]
    count = len(names)
    variadic = bool(code.co_flags & CO_VARARGS)
    emulated = _through_float32(function)

    @wraps(function)  # every operation comes through here: its microseconds count
    def operation(*args: Any, **options: Any) -> Any:
        inputs, rest = args, ()
        if len(args) != count and not variadic:
            inputs, rest = args[:count], args[count:]
            if len(inputs) < count and options:
                inputs += _named(names[len(inputs) :], options)
        compute = function
        if _local.compute_dtype is not None:
            inputs, compute = tuple(map(_autocast, inputs)), emulated
        operands = [x.array if isinstance(x, Tensor) else as_operand(x) for x in inputs]
        kinds = [x.dtype.kind for x in operands if hasattr(x, "dtype")]
        if not kinds:
            operands = [x if x is None else convert_to_tensor(x).array for x in operands]
        elif "V" in kinds:  # bfloat16, which NumPy forgets beside a number
            compute = emulated
        if not registry.one_home:
            operands = gathered(operands, [isinstance(x, Tensor) for x in inputs])
        operands += rest
        returned = compute(*operands, **options)
        value = returned[0]
        single = not isinstance(value, tuple)
        outputs = (_wrap(value),) if single else tuple(map(_wrap, value))
        for tape in _local.tapes:
            tape.record(outputs, inputs, returned[1:])
        if _local.tracer is not None:
            _tell_tracer(compute, inputs, operands, options, outputs, returned[1:])
        return outputs[0] if single else outputs

    return operation


def _tell_tracer(compute: Callable, *notes: Any) -> None:
    if _local.compute_dtype is not None:
        _local.tracer.refuse("casting variables to the type that a layer computes in")
    _local.tracer.note(compute, *notes)


@contextmanager
def traced_by(tracer: Any) -> Iterator[None]:
    """In the `with` block, this thread's operations tell `tracer` what they did, and with what."""
    outer, _local.tracer = _local.tracer, tracer
    try:
        yield
    finally:
        _local.tracer = outer


def is_taped() -> bool:
    """Whether a tape records in this thread."""
    return bool(_local.tapes)


def _not_traced(what: str) -> None:
    """Raise while operations are traced: no operation, and so no trace, would do `what` again."""
    if _local.tracer is not None:
        _local.tracer.refuse(what)


def change_scope(scope: Any) -> Any:
    """Let `scope` be told of this thread's variables before they change. Returns who was."""
    outer, _local.scope = _local.scope, scope
    return outer


def stateless_scope() -> Any:
    """The StatelessScope that this thread is in; None outside of any."""
    return _local.scope


def array_for(variable: Variable, value: Any) -> Any:
    """`value` as an array of the variable's dtype, on its device; the array itself if it is so."""
    array = _array_on(backend_of(variable.array), value)
    return array.astype(variable.dtype, copy=False)


def record_same(variable: Variable, value: Any) -> None:
    """Let gradients with respect to `variable` from here on go to `value`, where it is watched."""
    for tape in _local.tapes:
        tape.record((variable,), (value,), (lambda g: g,))


def remembered(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function` of upstream gradients, computed once for all vjps that share them."""
    last: list[Any] = []

    def call(*gs: Any) -> Any:
        if not last or any(old is not g for old, g in zip(last[0], gs, strict=True)):
            last[:] = gs, function(*gs)
        return last[1]

    return call


def _named(names: tuple[str, ...], options: dict[str, Any]) -> tuple:
    """The tensors given by name, taken out of `options`; None for one left out before another."""
    given = [i for i, name in enumerate(names) if name in options]
    return tuple(options.pop(name, None) for name in names[: given[-1] + 1]) if given else ()


def _wrap(value: Any) -> Tensor:
    # Reductions of NumPy arrays give NumPy scalars; a tensor holds an array.
    return Tensor(np.asarray(value) if isinstance(value, np.generic) else value)


class GradientTape:
    """Remembers the operations run inside its `with` block; `gradient` plays them backwards.

    Trainable floating variables are watched by themselves unless `watch_accessed_variables` is
    False; other tensors with `watch`. `gradient` consumes the tape unless it is `persistent`.
    """

    def __init__(self, persistent: bool = False, watch_accessed_variables: bool = True):
        self.persistent = persistent
        self.watch_accessed_variables = watch_accessed_variables
        self._consumed = False
        self.reset()

    def reset(self) -> None:
        """Forget everything recorded and watched so far."""
        self._records: list[tuple[tuple[Tensor, ...], list[tuple[Tensor, Callable]]]] = []
        self._tracked: dict[int, Tensor | None] = {}  # by id; watched tensors are kept alive
        self._versions: dict[int, tuple[Variable, int]] = {}
        self._consumed = False
        self.overflows = False  # whether gradients may be infinite: loss scaling looks for it

    def __enter__(self) -> GradientTape:
        if self in _local.tapes:
            raise RuntimeError(
                "This GradientTape is recording already: leave its `with` block before entering "
                "it again, or make another tape."
            )
        _local.tapes = (*_local.tapes, self)
        return self

    def __exit__(self, *exception: Any) -> None:
        _local.tapes = tuple(tape for tape in _local.tapes if tape is not self)

    @contextmanager
    def stop_recording(self) -> Iterator[None]:
        """Pause this tape for the length of a `with` block."""
        outer = _local.tapes
        _local.tapes = tuple(tape for tape in outer if tape is not self)
        try:
            yield
        finally:
            _local.tapes = outer

    def watch(self, tensor: Any) -> None:
        """Record what is computed from `tensor` (or each tensor of a nested structure)."""
        for leaf in tree.flatten(tensor):
            if not isinstance(leaf, Tensor):
                raise TypeError(
                    f"GradientTape.watch expects a Tensor; received {type(leaf).__name__}. "
                    "Make one with convert_to_tensor(x) and compute with it."
                )
            if not is_floating(leaf.dtype):
                raise TypeError(f"Only floating tensors have gradients; received {leaf.dtype}.")
            self._tracked[id(leaf)] = leaf

    def watches(self, x: Any) -> bool:
        """Whether the gradient with respect to `x` is being recorded."""
        return id(x) in self._tracked or (
            isinstance(x, Variable)
            and x.trainable
            and self.watch_accessed_variables
            and is_floating(x.array.dtype)
        )

    def record(self, outputs: tuple[Tensor, ...], inputs: Sequence, vjps: Sequence) -> None:
        """Called by operations: keep the vjps of the inputs that are watched."""
        used = [
            (x, vjp)
            for x, vjp in zip(inputs, vjps, strict=False)  # trailing vjps may be left out
            if vjp is not None and isinstance(x, Tensor) and self.watches(x)
        ]
        if used:
            self._records.append((outputs, used))
            for output in outputs:
                self._tracked[id(output)] = None  # kept alive by the record
            for x in inputs:
                if isinstance(x, Variable):
                    self._versions.setdefault(id(x), (x, x.version))

    def gradient(self, target: Any, sources: Any, output_gradients: Any = None) -> Any:
        """The gradient of `target` with respect to each of `sources`, in their structure.

        `target`: a tensor or a structure of tensors, whose elements are summed, each weighted by
        `output_gradients` (same structure and shapes; ones where not given). A source that the
        target does not depend on gets None. RuntimeError on a tape already consumed, ValueError
        for a target that this tape did not record.
        """
        _not_traced("taking gradients")
        if self._consumed:
            raise RuntimeError(
                "A non-persistent GradientTape can only be used to compute one set of gradients "
                "(or one jacobian): make it with GradientTape(persistent=True)."
            )
        self._check_versions()
        targets, wanted = tree.flatten(target), tree.flatten(sources)
        for source in wanted:
            if not isinstance(source, Tensor):
                raise TypeError(
                    "GradientTape.gradient expects tensors as sources, those that the target was "
                    f"computed from; received {type(source).__name__}."
                )
        if output_gradients is None or isinstance(target, Tensor):
            weights = [output_gradients] * len(targets)
        else:
            weights = tree.flatten(output_gradients)
        upstream = self._seed(targets, weights)
        floats: Any = {"over": "ignore", "invalid": "ignore"} if self.overflows else {}
        try:
            with np.errstate(**floats):
                self._play_back(upstream, set(map(id, wanted)))
        finally:
            if not self.persistent:
                self.reset()
                self._consumed = True
        found = [upstream.get(id(source)) for source in wanted]
        gradients = [None if g is None else _wrap(g) for g in found]
        outputs = tuple(g for g in gradients if g is not None)
        for tape in _local.tapes:
            tape.record(outputs, targets, [_second_order] * len(targets))
        return tree.pack_sequence_as(sources, gradients)

    def _check_versions(self) -> None:
        for variable, version in self._versions.values():
            if variable.version != version:
                raise RuntimeError(
                    f"Variable '{variable.path}' was changed after this tape recorded it, so its "
                    "gradients would be wrong: compute all gradients before applying the first."
                )

    def _seed(self, targets: list, weights: list) -> dict[int, Any]:
        """What to start from: the upstream gradients of the targets, by id."""
        if len(weights) != len(targets):
            raise ValueError(
                "`output_gradients` must have the structure of the target, "
                f"{len(targets)} tensors; received {len(weights)}."
            )
        upstream: dict[int, Any] = {}
        for target, weight in zip(targets, weights, strict=True):
            if not isinstance(target, Tensor) or not self.watches(target):
                raise ValueError(
                    "The target was not computed from anything that this tape watches: compute "
                    "it inside the `with` block, from trainable variables or from tensors given "
                    f"to `watch`. Received target={target!r}"
                )
            backend = backend_of(target.array)
            g = backend.xp.ones_like(target.array)
            if weight is not None:
                weight = convert_to_tensor(weight, target.dtype)
                if weight.shape != target.shape:
                    raise ValueError(
                        f"`output_gradients` must have the shape of their target, {target.shape}; "
                        f"received {weight.shape}."
                    )
                g = g * backend.asarray(weight.array)
            key = id(target)
            upstream[key] = upstream[key] + g if key in upstream else g
        return upstream

    def _play_back(self, upstream: dict[int, Any], wanted: set[int]) -> None:
        """Fill `upstream` with the gradients of the wanted ids, last operation first."""
        needed = self._needed(wanted)
        records = list(self._records) if self.persistent else self._records
        while records:
            outputs, used = records.pop()  # a consumed tape frees activations on the way down
            gradients = [
                upstream.get(id(y)) if id(y) in wanted else upstream.pop(id(y), None)
                for y in outputs
            ]
            if all(g is None for g in gradients):
                continue
            for x, vjp in used:
                key = id(x)
                if key in needed:
                    g = _fit(vjp(*gradients), x)
                    upstream[key] = upstream[key] + g if key in upstream else g

    def _needed(self, wanted: set[int]) -> set[int]:
        """The ids of the wanted tensors and of all that was computed from them."""
        needed = set(wanted)
        for outputs, used in self._records:
            if any(id(x) in needed for x, _ in used):
                needed.update(map(id, outputs))
        return needed


def _second_order(*_: Any) -> Any:
    raise NotImplementedError(
        "Gradients are of first order: the derivative of something computed from a gradient was "
        "asked for. Cut it off with stop_gradient, or take differences of gradients."
    )


def _fit(g: Any, x: Tensor) -> Any:
    """The gradient `g` in the shape and dtype of `x`, and beside it."""
    return beside(fitted(g, x.shape, x.dtype), x.array)


def fitted(g: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    """The gradient `g` in the shape and dtype of what it is the gradient of."""
    if g.shape != shape:
        g = sum_to_shape(g, shape)
    return g if g.dtype == dtype else g.astype(dtype)


def sum_to_shape(g: Any, shape: tuple[int, ...]) -> Any:
    """Undo broadcasting: the adjoint of expanding an array of `shape` to the shape of `g`."""
    if g.shape == shape:
        return g
    extra = g.ndim - len(shape)
    axes = tuple(range(extra)) + tuple(
        i + extra for i, n in enumerate(shape) if n == 1 and g.shape[i + extra] != 1
    )
    return wide_sum(g, axes).reshape(shape) if axes else g.reshape(shape)


def wide_sum(x: Any, axes: Any = None, keepdims: bool = False) -> Any:
    """The sum of floats; those of halves are added up in float32, which loses no addend."""
    if x.dtype.itemsize == 2 and is_floating(x.dtype):
        return x.sum(axis=axes, dtype="float32", keepdims=keepdims).astype(x.dtype)
    return x.sum(axis=axes, keepdims=keepdims)


def gradients(loss: Any, variables: Any) -> Any:
    """The gradients of `loss` with respect to `variables`, in their structure.

    `loss` is a function without arguments, run under a tape of its own, or a tensor that was
    computed inside the GradientTape now open, which stays usable. RuntimeError with neither.
    """
    if callable(loss):
        with GradientTape() as tape:
            tape.watch(variables)
            value = loss()
        return tape.gradient(value, variables)
    if not _local.tapes:
        raise RuntimeError(
            "gradients(loss, variables) got a tensor, but no GradientTape is open: pass a "
            "function that computes the loss, or compute it inside `with GradientTape():`."
        )
    tape = _local.tapes[-1]
    keep, tape.persistent = tape.persistent, True
    try:
        return tape.gradient(loss, variables)
    finally:
        tape.persistent = keep
