"""Layer: configuration, weights and formula, and what happens around a call of it."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from inspect import Parameter, signature
from typing import Any, ClassVar

import numpy as np

from layerkit import backend as K
from layerkit.backend import StatelessScope, Tensor, Variable, tree
from layerkit.backend.autodiff import stateless_scope
from layerkit.backend.session import in_scope, name_scope, open_scopes

from .. import activations, constraints, dtype_policies, initializers, regularizers
from ..configurable import did_you_mean
from ..constructors import parameters_of
from ..data.rows import is_strings
from ..dtype_policies import DTypePolicy, DTypePolicyMap
from ..masks import masks_of, put_masks
from ..symbolic import KerasTensor, Node, Operation, Shape, is_symbolic, spec_by_running, symbols
from .call_context import current
from .holder import Holder
from .input_spec import InputSpec
from .shapes import as_shape, map_shapes, pop_batch_input_shape, shapes_of
from .signatures import parameters_after_self
from .structure import Structure


class Layer(Operation, Holder):
    """A function with weights: configuration in `__init__`, weights in `build`, formula in `call`.

    Subclass it: call `super().__init__(**kwargs)`, store the arguments under their own names, make
    weights with `add_weight` in `build(input_shape)`, compute in `call(inputs, training=...)`.
    Weights and sublayers are found by walking the attributes, lists and dicts included.

    `name`: unique within a model; made from the class where None. `dtype`: of weights and
    computation, or a policy for both ('mixed_float16' computes in halves and keeps float32
    weights); the global policy where None. `input_shape`: without the batch axis, for the first
    layer of a Sequential.
    """

    keras_module = "keras.layers"
    family = "layers"
    takes_more = True
    supports_masking = False  # whether masks of the inputs are handed on; so where they are made
    input_hint = ""  # what to do about an input of the wrong shape; families say it
    _build_shape: Any = None  # what `build` was called with
    _path: str | None = None
    unavailable: ClassVar[dict[str, Any]] = {}  # Keras's arguments taken at these defaults only

    def __init__(
        self,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        name: str | None = None,
        **kwargs: Any,
    ):
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self.dtype_policy = dtype_policies.get(dtype)
        super().__init__(name if name is None else str(name))
        self._trainable = bool(trainable)
        self._weights: list[Variable] = []
        self._losses: list[Tensor] = []
        self._added_losses: list[list[Tensor]] = []  # of the layers below, by the last call
        self._frozen: Structure | None = None
        self._settled = -1  # Structure.builds when all below were found built
        self.built = False
        self.input_spec: InputSpec | None = None
        self.batch_input_shape = pop_batch_input_shape(kwargs)
        self._refuse_unavailable(kwargs)
        if kwargs:
            hints = [did_you_mean(name, parameters_of(type(self))) for name in kwargs]
            raise ValueError(
                f"Unrecognized keyword arguments passed to {type(self).__name__}: {kwargs}."
                + "".join(hints)
            )

    def __init_subclass__(cls, **kwargs: Any):
        super().__init_subclass__(**kwargs)
        cls._gets_strings = cls.__module__.partition(".")[0] != __name__.partition(".")[0]
        if "build" in cls.__dict__:
            cls.build = _marking_built(cls.__dict__["build"])  # type: ignore[method-assign]
            cls._built_from = parameters_after_self(cls.__dict__["build"])
        if "compute_output_shape" in cls.__dict__:
            cls._shaped_from = parameters_after_self(cls.__dict__["compute_output_shape"])
        if "compute_mask" in cls.__dict__:
            cls.supports_masking = cls._makes_masks = True
        if "call" in cls.__dict__:
            names = cls._call_parameters = parameters_after_self(cls.__dict__["call"])
            cls._training_index = names.index("training") - 1 if "training" in names else None
            cls._masks_taken = [n for n in names if n == "mask" or n.endswith("_mask")]

    _gets_strings = False  # whether `call` may get them, NumPy arrays: a user's may
    _call_parameters: tuple[str, ...] = ("inputs",)  # names of what `call` takes
    _training_index: int | None = None  # where it takes `training`, after the inputs; or None
    _masks_taken: ClassVar[list[str]] = []  # its parameters that are masks
    _built_from: tuple[str, ...] = ("input_shape",)  # names of what `build` takes
    _shaped_from: tuple[str, ...] = ()  # ... and `compute_output_shape`; () where nobody wrote one
    _makes_masks = False  # whether it has a `compute_mask` of its own

    # What a subclass writes.

    def build(self, input_shape: Any) -> None:
        """Make the weights for inputs of `input_shape` (a tuple, or a structure of tuples)."""
        self.built = True

    def call(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """The layer's formula: tensors in, tensors out."""
        raise NotImplementedError(
            f"Layer {type(self).__name__} does not have a `call()` method implemented."
        )

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the output for inputs of `input_shape`: found by running a sample."""
        return _shape_by_running(self, input_shape)

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """The symbolic tensors that a call on these symbolic tensors gives.

        Of `compute_output_shape` and `compute_dtype`; of a run on zeros where nobody wrote one.
        """
        if not self._shaped_from:
            return self._run_on_zeros(args, kwargs)
        shapes = self._shapes_for(self._shaped_from, args, kwargs)
        if len(shapes) == 1:
            found = self.compute_output_shape(*shapes.values())
        else:
            found = self.compute_output_shape(**shapes)
        return map_shapes(lambda shape: KerasTensor(shape, self.compute_dtype), found)

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """The mask of the output, given that of the inputs: the same one."""
        return previous_mask

    def ways_to_mask(self, inputs: list[Any], masks: list[Any]) -> list[tuple[KerasTensor, int]]:
        """The symbolic tensors that its mask is computed from, and by how many operations.

        Keras's graphs hold these operations, and its order of layers counts them. `masks`: those
        of `inputs`, or None for each. By default the mask is handed on, or made by one operation.
        """
        handed = [way for mask in symbols(masks) for way in mask._ways]
        return handed or [(x, 1) for x in symbols(inputs)]

    # What it may use.

    def add_weight(
        self,
        shape: Any = (),
        initializer: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        name: str | None = None,
        autocast: bool = True,
        **kwargs: Any,
    ) -> Variable:
        """A new Variable of `shape` that belongs to this layer.

        `initializer`: 'glorot_uniform' by default for floats, 'zeros' for others. `dtype`: the
        policy's `variable_dtype` by default; `autocast` False keeps it from being cast to the
        policy's `compute_dtype` where it is used.
        """
        if isinstance(shape, str):  # Keras 2 passed the name first
            shape, name = kwargs.pop("shape", ()), shape
        if kwargs:
            raise TypeError(f"add_weight() got unexpected arguments: {sorted(kwargs)}")
        self._check_initialized()
        shape = (shape,) if isinstance(shape, (int, np.integer)) else tuple(shape)
        dtype = np.dtype(dtype or self.variable_dtype)
        if initializer is None:
            initializer = "glorot_uniform" if K.is_floating(dtype) else "zeros"
        name = name or "variable"
        variable = Variable(
            initializers.get(initializer),
            shape=tuple(int(n) for n in shape),
            dtype=dtype.name,
            trainable=trainable,
            name=name,
            autocast=autocast,
        )
        with name_scope(self.name, self):
            variable.path = in_scope(name)
        variable.regularizer = regularizers.get(regularizer)
        variable.constraint = constraints.get(constraint)
        variable.trainable = trainable and self.trainable
        self._weights.append(variable)
        return variable

    def add_loss(self, loss: Any) -> None:
        """Add a scalar (or a list of them) to what the model minimizes; only inside `call`."""
        if current.root is None:
            raise ValueError(
                "`add_loss()` can only be called from inside `call()`: what it adds counts for "
                f"one call. Layer '{self.name}' is not being called."
            )
        scope = stateless_scope()
        if scope is not None and not scope.collect_losses:
            return
        for value in tree.flatten(loss):
            self._losses.append(K.convert_to_tensor(value))
            if scope is not None:
                scope.add_loss(self._losses[-1], until_exit=self._losses)
        current.root._added_losses.append(self._losses)

    # Calling.

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Build on the first call, check the inputs, then `call`.

        `training` is handed down: a layer called inside another's `call` without it inherits it.
        Masks that come with the inputs fill `mask`, or `<argument>_mask` of each argument.
        """
        given = args, kwargs
        if not args:
            args, kwargs = self._first_by_position(kwargs)
        inputs, others = self._convert(args[0]), list(args[1:])
        alone = type(inputs) is Tensor and not others and kwargs.keys() <= _TRAINING
        if not alone:
            others, kwargs = self._convert_others(others, kwargs)
        if not self.built:
            self._check_initialized()
            self._find_path()
            if self._dtype_policy is not self.dtype_policy:  # a map, which knows the layer now
                inputs = self._convert(args[0])
                others, kwargs = self._convert_others(others, kwargs)
            self._check_input(inputs)
            self._build_for(inputs, *others, **kwargs)
        self._check_input(inputs)
        if not alone and is_symbolic((inputs, others, kwargs)):
            return self._call_symbolically((inputs, *others), kwargs, given)
        masked = not alone or getattr(inputs, "_keras_mask", None) is not None
        mask = self._take_masks(inputs, others, kwargs) if masked else None
        outer = current.training
        training = self._given_training(others, kwargs)
        if training is None and self._training_index is not None:
            training = outer
            if training is not None:
                kwargs["training"] = training
        root = current.root
        if root is None:
            self._forget_losses()
            current.root = self
        current.training = training if training is not None else outer
        outer_dtype = K.compute_in(self._autocast_dtype)
        try:
            if self._settled == Structure.builds:
                outputs = self.call(inputs, *others, **kwargs)
            else:
                outputs = self._call_in_scope(inputs, others, kwargs)
        finally:
            current.training, current.root = outer, root
            K.compute_in(outer_dtype)
        if self.activity_regularizer is not None:
            self._regularize_activity(outputs, root)
        if mask is not None or self._makes_masks:
            self._hand_mask_on(inputs, outputs, mask)
        return outputs

    def _call_in_scope(self, inputs: Any, others: list, kwargs: dict) -> Any:
        """`call`, with this layer's name before those of the variables that it makes.

        Once all layers below are built, it makes none: calls are without a scope then.
        """
        with name_scope(self.name, self):
            outputs = self.call(inputs, *others, **kwargs)
        if all(layer.built for layer in self._flatten_layers()):
            self._settled = Structure.builds
        return outputs

    def _first_by_position(self, kwargs: dict) -> tuple[tuple, dict]:
        """The arguments of a call by keywords alone, with the first one by position."""
        name = self._call_parameters[0] if self._call_parameters else "inputs"
        if name not in kwargs:
            raise TypeError(
                f"Layer '{self.name}' ({type(self).__name__}) expects `{name}` as its first "
                f"argument; received only {sorted(kwargs)}."
            )
        return (kwargs[name],), {key: value for key, value in kwargs.items() if key != name}

    def _convert_others(self, args: list, kwargs: dict) -> tuple[list, dict]:
        """The arguments after the first: arrays become tensors, all else stays."""

        def convert(x: Any) -> Any:
            is_data = isinstance(x, Tensor) or K.is_array(x)
            return self._convert_leaf(x) if is_data else x

        def each(x: Any) -> Any:
            return x if x is None or isinstance(x, (bool, str)) else tree.map_structure(convert, x)

        return [each(x) for x in args], {key: each(x) for key, x in kwargs.items()}

    def _given(self, args: Any, kwargs: dict) -> dict[str, Any]:
        """The arguments of a call by the names of `call`'s parameters."""
        return {**dict(zip(self._call_parameters, args, strict=False)), **kwargs}

    # Calls on symbolic tensors.

    def _call_symbolically(self, args: tuple, kwargs: dict, given: tuple[tuple, dict]) -> Any:
        """What the call gives, as symbolic tensors which know that this layer made them.

        `given`: the arguments as they were before they were converted.
        """
        self._check_call(args, kwargs)
        outputs = self._spec_with_masks(*args, **kwargs)
        Node(self, *given, outputs)
        return outputs

    def _check_call(self, args: tuple, kwargs: dict) -> None:
        """TypeError for arguments that `call` does not take: on symbols it may never be run."""
        handed_down = () if self._training_index is not None else ("training",)
        try:
            signature(self.call).bind(
                *args, **{key: x for key, x in kwargs.items() if key not in handed_down}
            )
        except TypeError as error:
            raise TypeError(
                f"Layer '{self.name}' ({type(self).__name__}): {error}. Its call takes "
                f"{', '.join(self._call_parameters)}."
            ) from error

    def spec_of_call(self, *args: Any, **kwargs: Any) -> Any:
        """The symbolic tensors that a call gives, with their masks, and no trace of that call."""
        if not args:
            args, kwargs = self._first_by_position(kwargs)
        others, kwargs = self._convert_others(list(args[1:]), kwargs)
        inputs = self._convert(args[0])
        self._check_input(inputs)
        return self._spec_with_masks(inputs, *others, **kwargs)

    def _spec_with_masks(self, *args: Any, **kwargs: Any) -> Any:
        """`compute_output_spec` with masks, symbolic too: layers behind may need them."""
        outputs = self.compute_output_spec(*args, **kwargs)
        mask = masks_of(args[0])
        if self.supports_masking and (mask is not None or self._makes_masks):
            if self._makes_masks:
                before = mask
                mask = spec_by_running(self.compute_mask, (args[0], before), {})
                for made in symbols(mask):
                    made._ways = self.ways_to_mask(tree.flatten(args[0]), tree.flatten(before))
            put_masks(outputs, mask)
        return outputs

    def _run_on_zeros(self, args: tuple, kwargs: dict) -> Any:
        """The spec of a call, by running it."""
        return spec_by_running(self, args, kwargs)

    def _shapes_for(self, names: tuple[str, ...], args: Any, kwargs: dict) -> dict[str, Any]:
        """The shapes of a call's tensors as `build` or `compute_output_shape` takes them.

        The first one's, where there is one parameter; else `<argument>_shape` of each.
        """
        given = self._given(args, kwargs)
        if len(names) == 1:
            return {names[0]: shapes_of(args[0])}
        found = {}
        for name in names:
            argument = name.removesuffix("_shape")
            if argument == name or argument not in self._call_parameters:
                raise ValueError(
                    f"Layer '{self.name}' ({type(self).__name__}): where `build()` or "
                    "`compute_output_shape()` takes more than one argument, each is called as an "
                    f"argument of `call()` with `_shape` after it. Received: `{name}`, while "
                    f"`call()` takes {list(self._call_parameters)}."
                )
            if given.get(argument) is not None:
                found[name] = shapes_of(given[argument])
        return found

    def _require(self, given: Iterable[str]) -> None:
        """TypeError where a shape that `build` cannot do without is not among those `given`."""
        for name, parameter in signature(type(self).build).parameters.items():
            needed = parameter.default is Parameter.empty and name in self._built_from
            if needed and name not in given:
                raise TypeError(
                    f"Layer '{self.name}' ({type(self).__name__}) is missing a required argument: "
                    f"'{name.removesuffix('_shape')}'. Its call takes "
                    f"{', '.join(self._call_parameters)}."
                )

    @property
    def input(self) -> Any:
        """The symbolic tensor (or a structure of them) that the layer was first called on."""
        args = self._first_node().args
        return args[0] if len(args) == 1 else args

    @property
    def output(self) -> Any:
        """The symbolic tensor (or a structure of them) that the first such call gave."""
        return self._first_node().outputs

    # Masks.

    def _take_masks(self, inputs: Any, others: list, kwargs: dict) -> Any:
        """Fill the masks that `call` takes from its inputs; returns that of the first one."""
        if self._masks_taken:
            given = self._given((inputs, *others), kwargs)
            data = {key: x for key, x in given.items() if _is_data(x) and "mask" not in key}
            wanted = (
                {f"{key}_mask": x for key, x in data.items()} if len(data) > 1 else {"mask": inputs}
            )
            for name, x in wanted.items():
                if name in self._masks_taken and given.get(name) is None:
                    mask = masks_of(x)
                    if mask is not None:
                        kwargs[name] = mask
        mask = kwargs.get("mask")
        return masks_of(inputs) if mask is None else mask

    def _hand_mask_on(self, inputs: Any, outputs: Any, mask: Any) -> None:
        if not self.supports_masking:
            if masks_of(inputs) is not None:  # not one that was given by hand
                warnings.warn(
                    f"Layer '{self.name}' (of type {type(self).__name__}) was passed an input with "
                    "a mask attached to it. However, this layer does not support masking and will "
                    "therefore destroy the mask information. Downstream layers will not see the "
                    "mask.",
                    stacklevel=3,
                )
            return
        put_masks(outputs, self.compute_mask(inputs, mask))

    # Inputs.

    def _convert(self, inputs: Any) -> Any:
        if type(inputs) is Tensor and inputs.array.dtype == self._dtype_policy.compute_dtype:
            return inputs
        if isinstance(inputs, (list, tuple)) and not _holds_arrays(inputs):
            inputs = K.convert_to_tensor(inputs)
        return tree.map_structure(self._convert_leaf, inputs)

    def _convert_leaf(self, x: Any) -> Any:
        if x is None or isinstance(x, KerasTensor) or self._gets_strings and is_strings(x):
            return x
        tensor = K.convert_to_tensor(x)
        if K.is_floating(tensor.dtype) and tensor.dtype != self.compute_dtype:
            mask = getattr(tensor, "_keras_mask", None)
            tensor = K.cast(tensor, self.compute_dtype)
            if mask is not None:
                tensor._keras_mask = mask
        return tensor

    def _check_input(self, inputs: Any) -> None:
        if self.input_spec is not None and isinstance(inputs, (Tensor, KerasTensor)):
            self.check_input_shape(inputs.shape)
        elif self.input_spec is not None and inputs is None:
            raise ValueError(
                "Inputs to a layer should be tensors. Got 'None' as input for layer "
                f"'{self.name}': does what made it return its result?"
            )

    def check_input_shape(self, shape: Shape) -> None:
        """ValueError, with the layer's name and a remedy, where `shape` is not what it takes."""
        if self.input_spec is not None:
            self.input_spec.check(self.name, shape, self.input_hint)

    def _build_for(self, *args: Any, **kwargs: Any) -> None:
        self._first_shape = shapes_of(args[0])
        shapes = self._shapes_for(self._built_from, args, kwargs)
        self._require(shapes)
        if len(shapes) == 1:
            self.build(*shapes.values())
        else:
            self.build(**shapes)
        self.built = True
        Structure.builds += 1

    def _given_training(self, args: list, kwargs: dict) -> bool | None:
        index = self._training_index
        if index is None:
            return kwargs.pop("training", None)  # handed down to the layers inside
        if "training" in kwargs:
            if kwargs["training"] is None:
                del kwargs["training"]
                return None
            return kwargs["training"]
        return args[index] if index < len(args) else None

    def _forget_losses(self) -> None:
        scope = stateless_scope()
        for losses in self._added_losses:
            if scope is not None:
                scope.drop_losses(losses)
            losses.clear()
        self._added_losses.clear()

    def _regularize_activity(self, outputs: Any, root: Layer | None) -> None:
        """Keras divides the penalty by the batch size."""
        penalty = self.activity_regularizer
        outer, current.root = current.root, root or self
        try:
            for y in tree.flatten(outputs):
                self.add_loss(penalty(y) / float(y.shape[0]))
        finally:
            current.root = outer

    # Losses, dtypes, and calls on other weights.

    @property
    def losses(self) -> list[Tensor]:
        """Scalars added by `add_loss`, activity and weight regularizers, as of the last call."""
        added = [loss for layer in self._flatten_layers() for loss in layer._losses]
        penalties = [
            variable.regularizer(variable)
            for variable in self.trainable_variables
            if variable.regularizer is not None
        ]
        return added + penalties

    @property
    def path(self) -> str | None:
        """The names of the layers that it was built in, and its own: 'block/dense'; None before."""
        return self._path

    def _find_path(self) -> None:
        """Take note of the path where the layer is built, and of the policy that is for it."""
        if self._path is None:
            with name_scope(self.name, self):
                object.__setattr__(self, "_path", open_scopes())
            if isinstance(self._given_policy, DTypePolicyMap):
                self._take_policy()

    @property
    def dtype_policy(self) -> DTypePolicy:
        """What the layer computes in and what its weights are; set by name, config or policy.

        Of a DTypePolicyMap the default policy counts until the layer is built, then the one for
        its path; setting another sets it there.
        """
        return self._given_policy

    @dtype_policy.setter
    def dtype_policy(self, policy: Any) -> None:
        policy, held = dtype_policies.get(policy), self.__dict__.get("_given_policy")
        if isinstance(held, DTypePolicyMap) and self._path is not None:
            if self._path in held:
                del held[self._path]
            held[self._path] = policy
        else:
            self._given_policy = policy
        self._take_policy()

    def _take_policy(self) -> None:
        policy = self._given_policy
        if isinstance(policy, DTypePolicyMap):
            policy = policy.default_policy if self._path is None else policy[self._path]
        self._dtype_policy = policy
        halves = policy.compute_dtype in ("float16", "bfloat16")
        self._autocast_dtype = policy.compute_dtype if halves or policy.is_mixed else None

    @property
    def compute_dtype(self) -> str:
        """Name of the type computed in: float inputs are cast to it."""
        return self._dtype_policy.compute_dtype

    @property
    def variable_dtype(self) -> str:
        """Name of the type of new weights."""
        return self._dtype_policy.variable_dtype

    dtype = variable_dtype

    def stateless_call(
        self,
        trainable_variables: Sequence[Any],
        non_trainable_variables: Sequence[Any],
        *args: Any,
        return_losses: bool = False,
        **kwargs: Any,
    ) -> tuple:
        """The layer called as if its variables had these values; its own stay as they are.

        Returned: the outputs and the non-trainable variables after the call; with `return_losses`
        the losses too. Gradients with respect to the values given go through. ValueError before
        the layer is built, and for lists of another length than the layer's. Random generators are
        no variables: they go on.
        """
        name = type(self).__name__
        if not self.built:
            raise ValueError(
                f"To call stateless_call, {name} '{self.name}' must be built (i.e. its variables "
                "must have been already created). You can build it by calling it on some data."
            )
        mapping = [
            *self._with_values("trainable_variables", trainable_variables),
            *self._with_values("non_trainable_variables", non_trainable_variables),
        ]
        with StatelessScope(mapping, collect_losses=return_losses) as scope:
            outputs = self(*args, **kwargs)
            losses = self.losses if return_losses else []
        state = [scope.get_current_value(variable) for variable in self.non_trainable_variables]
        return (outputs, state, losses) if return_losses else (outputs, state)

    def _with_values(self, name: str, values: Sequence[Any]) -> list[tuple[Variable, Any]]:
        """The variables in the attribute `name`, each with its value."""
        own = getattr(self, name)
        if len(values) != len(own):
            raise ValueError(
                f"Argument `{name}` must be a list of tensors corresponding 1:1 to "
                f"{type(self).__name__}().{name}. Received list with length {len(values)}, but "
                f"expected {len(own)} variables."
            )
        return list(zip(own, values, strict=True))

    # Files.

    def get_config(self) -> dict[str, Any]:
        """What `from_config` needs to make this layer again, without its weights."""
        config = super().get_config()
        if config.get("activity_regularizer") is None:
            config.pop("activity_regularizer", None)
        for key in ("activation", "recurrent_activation"):
            if key in config:
                config[key] = activations.serialize(getattr(self, key))
        if "dtype" in config:
            config["dtype"] = self._dtype_config()
        first = [key for key in ("name", "trainable", "dtype") if key in config]
        return {key: config[key] for key in dict.fromkeys([*first, *config])}

    def _dtype_config(self) -> Any:
        """A plain name where it says all, which every version of Keras reads."""
        policy = self.dtype_policy
        plain = type(policy) is DTypePolicy and not policy.is_mixed
        return policy.name if plain else dtype_policies.serialize(policy)

    def get_build_config(self) -> dict[str, Any] | None:
        """What `build_from_config` needs to make the weights again; None if not built."""
        if self._build_shape is None:
            return None
        several = len(self._built_from) > 1
        return {"shapes_dict" if several else "input_shape": self._build_shape}

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Make the weights as they were made in the saved layer."""
        if config.get("input_shape") is not None:
            self.build(as_shape(config["input_shape"]))
        elif "shapes_dict" in config:
            shapes = config["shapes_dict"].items()
            self.build(**{name: shape and as_shape(shape) for name, shape in shapes})

    def _refuse_unavailable(self, kwargs: dict[str, Any]) -> None:
        for key in self.unavailable.keys() & kwargs.keys():
            value, default = kwargs.pop(key), self.unavailable[key]
            if value != default:
                raise ValueError(
                    f"`{key}` of {type(self).__name__} is not available in layerkit: leave it at "
                    f"{default}. Received: {key}={value}"
                )

    def _check_initialized(self) -> None:
        if "_weights" not in self.__dict__:
            raise RuntimeError(
                f"In layer '{type(self).__name__}', you forgot to call `super().__init__()` as "
                "the first statement in the `__init__()` method. Go add it!"
            )

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("__") and "_weights" not in self.__dict__ and name in _BASE_STATE:
            self._check_initialized()
        if isinstance(getattr(type(self), name, None), property):
            return getattr(type(self), name).fget(self)  # raises again what it has to say
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"


_TRAINING = {"training"}

_BASE_STATE = (
    "built",
    "name",
    "_dtype_policy",
    "_given_policy",
    "input_spec",
    "_weights",
    "_losses",
    "_added_losses",
)


def _marking_built(build: Callable) -> Callable:
    """`build` that also remembers its shape and that it ran, as callers of it expect."""

    @wraps(build)
    def marked(self: Layer, *args: Any, **kwargs: Any) -> None:
        self._check_initialized()
        self._find_path()
        with name_scope(self.name, self):
            build(self, *args, **kwargs)
        if len(self._built_from) > 1:
            self._build_shape = {**dict(zip(self._built_from, args, strict=False)), **kwargs}
        elif args or kwargs:
            self._build_shape = args[0] if args else next(iter(kwargs.values()))
        self.built = True

    return marked


def _holds_arrays(inputs: Any) -> bool:
    leaves = tree.flatten(inputs)
    return any(isinstance(x, (Tensor, KerasTensor)) or K.is_array(x) for x in leaves)


def _is_data(x: Any) -> bool:
    """Whether a call's argument is a tensor, or a structure of nothing but tensors and None."""
    leaves = [leaf for leaf in tree.flatten(x) if leaf is not None]
    return bool(leaves) and all(isinstance(leaf, (Tensor, KerasTensor)) for leaf in leaves)


def _shape_by_running(layer: Layer, input_shape: Any) -> Any:
    """The shape of the output for inputs of `input_shape`, by `Layer._run_on_zeros`."""
    inputs = map_shapes(lambda shape: KerasTensor(shape, layer.dtype), input_shape)
    return tree.map_structure(lambda y: y.shape, layer._run_on_zeros((inputs,), {}))
