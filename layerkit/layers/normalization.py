"""Normalization: mean 0 and variance 1, over the batch or over each sample's own features."""

from __future__ import annotations

from typing import Any

from layerkit import backend as K
from layerkit.backend.recording import effect

from .. import constraints, initializers, regularizers
from .arguments import is_int, known_size
from .input_spec import InputSpec
from .layer import Layer, Shape
from .wrapping import Wrapper


class _Normalization(Layer):
    """What they share: after normalizing, `scale` multiplies by gamma, `center` adds beta."""

    supports_masking = True

    def __init__(
        self,
        axis: Any = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.axis: Any = axis if is_int(axis) else list(axis)
        self.epsilon = float(epsilon)
        self.center = center
        self.scale = scale
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)

    def _sizes(self, input_shape: Shape) -> tuple[int, ...]:
        """The sizes of the axes that gamma and beta have, in Keras's order of axes."""
        axes = [self.axis] if is_int(self.axis) else sorted(self.axis)
        rank = len(input_shape)
        if any(not -rank <= axis < rank for axis in axes):
            raise ValueError(
                f"Axis {self.axis} is out of bounds for input shape {input_shape} of layer "
                f"'{self.name}'. Received: axis={self.axis}"
            )
        return tuple(known_size(self, input_shape, axis) for axis in axes)

    def _add_gamma_and_beta(self, shape: tuple[int, ...]) -> None:
        self.gamma = self.beta = None
        if self.scale:
            self.gamma = self.add_weight(
                name="gamma",
                shape=shape,
                initializer=self.gamma_initializer,
                regularizer=self.gamma_regularizer,
                constraint=self.gamma_constraint,
                autocast=False,
            )
        if self.center:
            self.beta = self.add_weight(
                name="beta",
                shape=shape,
                initializer=self.beta_initializer,
                regularizer=self.beta_regularizer,
                constraint=self.beta_constraint,
                autocast=False,
            )

    def _widened(self, inputs: Any) -> Any:
        """Halves in float32: squares of them overflow."""
        halves = self.compute_dtype in ("float16", "bfloat16")
        return K.cast(inputs, "float32") if halves else inputs

    def _narrowed(self, outputs: Any) -> Any:
        same = outputs.dtype == self.compute_dtype
        return outputs if same else K.cast(outputs, self.compute_dtype)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape


class BatchNormalization(_Normalization):
    """gamma * (x - mean) / sqrt(variance + epsilon) + beta, one mean and variance per channel.

    In training they are those of the batch (the variance biased), and the moving averages follow:
    moving = momentum * moving + (1 - momentum) * batch's. Otherwise, and where the layer is not
    `trainable`, the moving averages are used. `axis`: the channels'. What a `mask` (of the inputs'
    shape without the last axis) excludes does not count for the batch's. Ioffe and Szegedy 2015.

    `renorm`: training corrects the batch's statistics towards averages of their own, which follow
    with `renorm_momentum`, and takes the correction for a constant; `renorm_clipping` limits it by
    'rmin', 'rmax' (of the factor) and 'dmax' (of the shift). Ioffe 2017.
    """

    unavailable = {"synchronized": False}

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        renorm: bool = False,
        renorm_clipping: dict[str, float] | None = None,
        renorm_momentum: float = 0.99,
        **kwargs: Any,
    ):
        if isinstance(axis, (list, tuple)) and len(axis) == 1:  # as Keras 2 saved it
            axis = axis[0]
        if not is_int(axis):
            raise ValueError(f"`axis` of BatchNormalization must be an int. Received: axis={axis}")
        super().__init__(
            axis=int(axis),
            epsilon=epsilon,
            center=center,
            scale=scale,
            beta_initializer=beta_initializer,
            gamma_initializer=gamma_initializer,
            beta_regularizer=beta_regularizer,
            gamma_regularizer=gamma_regularizer,
            beta_constraint=beta_constraint,
            gamma_constraint=gamma_constraint,
            **kwargs,
        )
        self.momentum = float(momentum)
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)
        self.renorm = renorm
        clipping = _checked_clipping(renorm_clipping)
        self.renorm_clipping = clipping or {} if renorm else clipping
        self.renorm_momentum = float(renorm_momentum)

    def build(self, input_shape: Shape) -> None:
        (size,) = self._sizes(input_shape)
        self._add_gamma_and_beta((size,))
        mean, variance = self.moving_mean_initializer, self.moving_variance_initializer
        self.moving_mean = self._add_statistic("moving_mean", size, mean)
        self.moving_variance = self._add_statistic("moving_variance", size, variance)
        if self.renorm:
            stddev = _root_of(variance)
            self.moving_stddev = self._add_statistic("moving_stddev", size, stddev)
            self.renorm_mean = self._add_statistic("renorm_mean", size, mean)
            self.renorm_stddev = self._add_statistic("renorm_stddev", size, stddev)
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: size})

    def _add_statistic(self, name: str, size: int, initializer: Any) -> Any:
        return self.add_weight(
            name=name, shape=(size,), initializer=initializer, trainable=False, autocast=False
        )

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        if mask is not None:
            mask = self._checked_mask(K.cast(mask, "bool"), inputs)
        x = self._widened(inputs)
        if not (training and self.trainable):
            y = self._by(self.moving_mean, self.moving_variance, x, self.gamma, self.beta)
            return self._narrowed(y)
        if self.renorm:
            return self._narrowed(self._renormalized(x, mask))
        if mask is None:
            y, mean, variance = K.batch_normalize(
                x, self.gamma, self.beta, axis=self.axis, epsilon=self.epsilon
            )
        else:
            mean, variance = self._masked_moments(x, mask)
            y = self._by(mean, variance, x, self.gamma, self.beta)
        effect(self._move, mean, self._averaged(variance, x))
        return self._narrowed(y)

    def _averaged(self, variance: Any, x: Any) -> Any:
        """What goes into the moving average for a batch `x` of this variance."""
        return variance

    def _by(self, mean: Any, variance: Any, x: Any, gamma: Any, beta: Any) -> Any:
        """x normalized by statistics that are given."""
        return K.batch_normalization(
            x,
            mean,
            variance,
            axis=self.axis,
            offset=beta,
            scale=gamma,
            epsilon=self.epsilon,
        )

    def _renormalized(self, x: Any, mask: Any) -> Any:
        """x by the batch's statistics, corrected as if by the averages of them."""
        if mask is None:
            mean, variance = K.moments(x, axes=self._summed_axes(x))
        else:
            mean, variance = self._masked_moments(x, mask)
        now = K.sqrt(variance + self.epsilon)
        long = K.maximum(self.renorm_stddev, self.epsilon**0.5)
        clipping: dict[str, float] = self.renorm_clipping or {}
        r, d = now / long, (mean - self.renorm_mean) / long
        r = r if clipping.get("rmin") is None else K.maximum(r, clipping["rmin"])
        r = r if clipping.get("rmax") is None else K.minimum(r, clipping["rmax"])
        limit = clipping.get("dmax")
        r, d = K.stop_gradient(r), K.stop_gradient(d if limit is None else K.clip(d, -limit, limit))
        gamma, beta = (r, d) if self.gamma is None else (r * self.gamma, d * self.gamma)
        y = self._by(mean, variance, x, gamma, beta if self.beta is None else beta + self.beta)
        effect(self._move_all, mean, variance)
        return y

    def _move_all(self, mean: Any, variance: Any) -> None:
        """Take the arrays of one batch into all averages; the variance follows its root."""
        stddev = (variance + self.epsilon) ** 0.5
        for moving, now, momentum in (
            (self.renorm_mean, mean, self.renorm_momentum),
            (self.renorm_stddev, stddev, self.renorm_momentum),
            (self.moving_mean, mean, self.momentum),
            (self.moving_stddev, stddev, self.momentum),
        ):
            moving.assign(momentum * moving.array + (1 - momentum) * now)
        moved = self.moving_stddev.array**2 - self.epsilon
        self.moving_variance.assign(moved * (moved > 0))

    def _summed_axes(self, x: Any) -> tuple[int, ...]:
        return tuple(axis for axis in range(x.ndim) if axis != self.axis % x.ndim)

    def _masked_moments(self, x: Any, mask: Any) -> tuple[Any, Any]:
        """Mean and variance of each channel over what the mask leaves, as Keras divides them."""
        mask = K.broadcast_to(K.expand_dims(mask, -1), x.shape)
        axes = self._summed_axes(x)
        count = K.sum(K.cast(mask, x.dtype), axis=axes, keepdims=True) + K.epsilon()
        mean = K.sum(K.where(mask, x, 0), axis=axes, keepdims=True) / count
        squares = K.square(K.where(mask, x - mean, 0))
        variance = K.sum(squares, axis=axes, keepdims=True) / count
        return K.reshape(mean, (-1,)), K.reshape(variance, (-1,))

    def _checked_mask(self, mask: Any, inputs: Any) -> Any:
        if mask.ndim != inputs.ndim - 1:
            raise ValueError(
                "The mask provided should be one dimension less than the inputs. Layer "
                f"'{self.name}' received: mask.shape={mask.shape}, inputs.shape={inputs.shape}"
            )
        return mask

    def _move(self, mean: Any, variance: Any) -> None:
        """Take the arrays of one batch into the moving averages."""
        for moving, now in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(self.momentum * moving.array + (1 - self.momentum) * now)

    def get_config(self) -> dict[str, Any]:
        """Keras's config; older versions of it know nothing of `renorm`."""
        config = super().get_config()
        if not self.renorm:
            for key in ("renorm", "renorm_clipping", "renorm_momentum"):
                del config[key]
        return config


class LayerNormalization(_Normalization):
    """gamma * (x - mean) / sqrt(variance + epsilon) + beta, over `axis` of each sample.

    `axis`: an int or several; gamma and beta have their sizes. Ba et al. 2016.
    """

    unavailable = {"rms_scaling": False}

    def build(self, input_shape: Shape) -> None:
        self._add_gamma_and_beta(self._sizes(input_shape))

    def call(self, inputs: Any) -> Any:
        y = K.layer_normalization(
            self._widened(inputs), self.gamma, self.beta, axis=self.axis, epsilon=self.epsilon
        )
        return self._narrowed(y)


class GroupNormalization(_Normalization):
    """gamma * (x - mean) / sqrt(variance + epsilon) + beta, over groups of channels of each sample.

    `groups`: how many parts of equal size the channels, `axis`, are cut into; -1 for one channel
    each. Mean and variance are those of a group at all places; gamma and beta are one per channel.
    Wu and He 2018.
    """

    def __init__(
        self,
        groups: int = 32,
        axis: int = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ):
        if not is_int(groups) or (groups <= 0 and groups != -1):
            raise ValueError(
                "Received an invalid value for argument `groups`, expected a positive integer (or "
                f"`-1` for instance normalization). Received: groups={groups}"
            )
        if not is_int(axis):
            raise ValueError(f"`axis` of GroupNormalization must be an int. Received: axis={axis}")
        super().__init__(
            axis=int(axis),
            epsilon=epsilon,
            center=center,
            scale=scale,
            beta_initializer=beta_initializer,
            gamma_initializer=gamma_initializer,
            beta_regularizer=beta_regularizer,
            gamma_regularizer=gamma_regularizer,
            beta_constraint=beta_constraint,
            gamma_constraint=gamma_constraint,
            **kwargs,
        )
        self.groups = int(groups)

    def build(self, input_shape: Shape) -> None:
        (channels,) = self._sizes(input_shape)
        if channels < self.groups:
            raise ValueError(
                f"Number of groups ({self.groups}) cannot be more than the number of channels "
                f"({channels}) of layer '{self.name}'."
            )
        if channels % self.groups:
            raise ValueError(
                f"Number of groups ({self.groups}) must divide the number of channels "
                f"({channels}) of layer '{self.name}'."
            )
        self._add_gamma_and_beta((channels,))
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: channels})

    def call(self, inputs: Any) -> Any:
        x, axis = self._widened(inputs), self.axis % inputs.ndim
        channels = x.shape[axis]
        groups = channels if self.groups == -1 else self.groups
        grouped = K.reshape(x, (*x.shape[:axis], groups, channels // groups, *x.shape[axis + 1 :]))
        axes = tuple(i for i in range(1, grouped.ndim) if i != axis)
        y = K.layer_normalization(grouped, axis=axes, epsilon=self.epsilon)
        y = K.reshape(y, x.shape)
        per_channel = [channels if i == axis else 1 for i in range(x.ndim)]
        if self.gamma is not None:
            y = y * K.reshape(self.gamma, per_channel)
        if self.beta is not None:
            y = y + K.reshape(self.beta, per_channel)
        return self._narrowed(y)


class RMSNormalization(Layer):
    """scale * x / sqrt(mean(x²) + epsilon), over `axis` of each sample.

    `axis`: an int or several; the weight `scale` has their sizes. Zhang and Sennrich 2019.
    """

    def __init__(self, axis: Any = -1, epsilon: float = 1e-6, **kwargs: Any):
        super().__init__(**kwargs)
        self.axis = _checked_axis(self, axis)
        self.epsilon = float(epsilon)

    def build(self, input_shape: Shape) -> None:
        axes = [self.axis] if is_int(self.axis) else sorted(self.axis)
        _check_in_bounds(self, axes, input_shape)
        shape = tuple(known_size(self, input_shape, axis) for axis in axes)
        self.scale = self.add_weight(name="scale", shape=shape, initializer="ones")

    def call(self, inputs: Any) -> Any:
        return K.rms_normalization(inputs, self.scale, axis=self.axis, epsilon=self.epsilon)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape


class UnitNormalization(Layer):
    """x divided by its length: the sum of squares over `axis`, an int or several, becomes 1."""

    supports_masking = True

    def __init__(self, axis: Any = -1, **kwargs: Any):
        super().__init__(**kwargs)
        self.axis = _checked_axis(self, axis)

    def call(self, inputs: Any) -> Any:
        halves = self.compute_dtype in ("float16", "bfloat16")
        x = K.cast(inputs, "float32") if halves else inputs
        y = unit_length(x, self.axis if is_int(self.axis) else tuple(self.axis), 1e-12)
        return K.cast(y, self.compute_dtype) if halves else y

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        _check_in_bounds(self, [self.axis] if is_int(self.axis) else self.axis, input_shape)
        return input_shape


class SpectralNormalization(Wrapper):
    """A layer whose kernel (or table of embeddings) is divided by its largest singular value.

    That is estimated in training, before each call, by `power_iterations` steps of the power method
    from the weight `vector_u` (1, units) on; the layer's own weight is changed. Miyato et al. 2018.
    """

    def __init__(self, layer: Layer, power_iterations: int = 1, **kwargs: Any):
        super().__init__(layer, **kwargs)
        if not is_int(power_iterations) or power_iterations <= 0:
            raise ValueError(
                "`power_iterations` should be greater than zero. Received: "
                f"`power_iterations={power_iterations}`"
            )
        self.power_iterations = power_iterations

    def build(self, input_shape: Shape) -> None:  # type: ignore[override]
        super().build(input_shape)
        self.input_spec = InputSpec(min_ndim=1, axes={-1: input_shape[-1]})
        names = [name for name in ("kernel", "embeddings") if hasattr(self.layer, name)]
        if not names:
            raise ValueError(
                f"{type(self.layer).__name__} object has no attribute 'kernel' nor 'embeddings': "
                f"layer '{self.name}' (SpectralNormalization) has nothing to normalize."
            )
        self.kernel = getattr(self.layer, names[0])
        self.vector_u = self.add_weight(
            name="vector_u",
            shape=(1, self.kernel.shape[-1]),
            initializer=initializers.TruncatedNormal(stddev=0.02),
            trainable=False,
            dtype=self.kernel.dtype,
        )

    def call(self, inputs: Any, training: bool | None = False) -> Any:
        if training:
            effect(self._assign, *self._normalized())
        return self.layer(inputs)

    def _normalized(self) -> tuple[Any, Any]:
        """The next vector_u, and the kernel divided by its largest singular value, or zeros."""
        matrix = K.stop_gradient(K.reshape(self.kernel, (-1, self.kernel.shape[-1])))
        u = self.vector_u
        for _ in range(self.power_iterations):
            v = unit_length(K.matmul(u, K.transpose(matrix)), None, K.epsilon())
            u = unit_length(K.matmul(v, matrix), None, K.epsilon())
        largest = K.matmul(K.matmul(v, matrix), K.transpose(u))
        nothing = K.equal(largest, 0)
        kernel = K.reshape(matrix / K.where(nothing, 1, largest), self.kernel.shape)
        return K.where(nothing, self.vector_u, u), kernel

    def _assign(self, u: Any, kernel: Any) -> None:
        self.vector_u.assign(u)
        self.kernel.assign(kernel)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return self.layer.compute_output_shape(input_shape)


def _checked_clipping(clipping: Any) -> dict[str, float] | None:
    if clipping is None:
        return None
    known = ["rmax", "rmin", "dmax"]
    if not isinstance(clipping, dict) or set(clipping) - set(known):
        raise ValueError(
            f"Received invalid keys for `renorm_clipping` argument: {clipping}. Supported values: "
            f"{known}."
        )
    rmax, rmin, dmax = (clipping.get(key) for key in known)
    if rmax is not None and rmin is not None and rmax < rmin:
        raise ValueError(
            "rmax should be greater than rmin in the `renorm_clipping` argument. Received: "
            f"rmax={rmax}, rmin={rmin}."
        )
    if dmax is not None and dmax < 0:
        raise ValueError(
            f"dmax should be non-negative in the `renorm_clipping` argument. Received: dmax={dmax}."
        )
    return clipping


def _root_of(initializer: Any) -> Any:
    """An initializer of standard deviations, from that of variances."""
    return lambda shape, dtype=None: K.sqrt(initializer(shape, dtype))


def _checked_axis(layer: Layer, axis: Any) -> Any:
    if is_int(axis):
        return int(axis)
    if isinstance(axis, (list, tuple)) and all(map(is_int, axis)):
        return list(axis)
    raise TypeError(
        f"Invalid value for `axis` argument of {type(layer).__name__}: expected an int or a "
        f"list/tuple of ints. Received: axis={axis}"
    )


def _check_in_bounds(layer: Layer, axes: list[int], input_shape: Shape) -> None:
    if not all(-len(input_shape) <= axis < len(input_shape) for axis in axes):
        raise ValueError(
            f"Axis {axes} is out of bounds for input shape {input_shape} of layer '{layer.name}'."
        )


def unit_length(x: Any, axis: Any, epsilon: float) -> Any:
    """x divided by the root of the sum of its squares along `axis`, or by `epsilon` if larger."""
    squares = K.sum(K.square(x), axis=axis, keepdims=True)
    return x * K.rsqrt(K.maximum(squares, epsilon**2))
