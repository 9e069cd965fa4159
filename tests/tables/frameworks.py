"""Real Keras and layerkit behind one small interface, for comparing the two."""

from __future__ import annotations

from typing import Any

import numpy as np

from .random_layers import leaves, mapped


def upstream(shape: tuple[int, ...]) -> np.ndarray:
    """The upstream gradient of an output."""
    return np.cos(np.arange(np.prod(shape, dtype=int))).reshape(shape)


def is_floating(x: Any) -> bool:
    return "float" in str(x.dtype)


class Keras:
    """Real Keras, on JAX or PyTorch."""

    name = "keras"

    def __init__(self) -> None:
        import keras

        self.keras, self.layers = keras, keras.layers

    def fresh(self) -> None:
        """Names are counted from the beginning."""
        self.keras.utils.clear_session(free_memory=False)

    def tensor(self, x: np.ndarray, mask: np.ndarray | None = None) -> Any:
        from keras.src.backend import set_keras_mask

        y = self.keras.ops.convert_to_tensor(x)
        if mask is not None:
            set_keras_mask(y, self.keras.ops.convert_to_tensor(mask))
        return y

    def mask_of(self, y: Any) -> Any:
        from keras.src.backend import get_keras_mask

        return get_keras_mask(y)

    def numpy(self, y: Any) -> np.ndarray:
        return np.asarray(self.keras.ops.convert_to_numpy(y))

    def gradients(self, layer: Any, args: list, masks: list, call: Any) -> tuple[list, list]:
        """Gradients of trainable weights and of the inputs `args`.

        `call`: calls a function like the layer on inputs and masks.
        """
        if self.keras.backend.backend() == "torch":
            return self._torch_gradients(layer, args, masks, call)
        import jax

        state = [v.value for v in layer.non_trainable_variables]

        def function(trainable, xs):
            def stateless(*given, **options):
                return layer.stateless_call(trainable, state, *given, **options)[0]

            return [y for y in leaves(call(stateless, xs, masks)) if is_floating(y)]

        ys, vjp = jax.vjp(function, [v.value for v in layer.trainable_variables], args)
        return vjp([jax.numpy.asarray(upstream(y.shape), y.dtype) for y in ys])

    def _torch_gradients(self, layer: Any, args: list, masks: list, call: Any) -> tuple:
        import torch

        for x in args:
            x.requires_grad_(True)
        weights = [v.value for v in layer.trainable_variables]
        ys = [y for y in leaves(call(layer, args, masks)) if y.is_floating_point()]
        ups = [torch.from_numpy(upstream(y.shape)).to(y.dtype) for y in ys]
        sources = [*weights, *args]
        found = torch.autograd.grad(ys, sources, ups, allow_unused=True)
        filled = [
            torch.zeros_like(x) if g is None else g for x, g in zip(sources, found, strict=True)
        ]
        return filled[: len(weights)], filled[len(weights) :]


class Layerkit:
    """The framework that is tested."""

    name = "layerkit"

    def __init__(self) -> None:
        import layerkit

        self.keras, self.layers, self.K = layerkit, layerkit.layers, layerkit.backend

    def fresh(self) -> None:
        self.keras.utils.clear_session()

    def tensor(self, x: np.ndarray, mask: np.ndarray | None = None) -> Any:
        y = self.K.convert_to_tensor(x)
        if mask is not None:
            y._keras_mask = self.K.convert_to_tensor(mask)
        return y

    def mask_of(self, y: Any) -> Any:
        return getattr(y, "_keras_mask", None)

    def numpy(self, y: Any) -> np.ndarray:
        return self.K.to_numpy(y)

    def gradients(self, layer: Any, args: list, masks: list, call: Any) -> tuple[list, list]:
        with self.K.GradientTape() as tape:
            tape.watch(args)
            ys = [y for y in leaves(call(layer, args, masks)) if is_floating(y)]
        ups = [upstream(y.shape).astype(y.dtype) for y in ys]
        variables = layer.trainable_variables
        of_weights, of_args = tape.gradient(ys, [variables, args], output_gradients=ups)
        zeros = self.K.zeros_like
        return (
            [zeros(v) if g is None else g for v, g in zip(variables, of_weights, strict=True)],
            [zeros(x) if g is None else g for x, g in zip(args, of_args, strict=True)],
        )


__all__ = ["Keras", "Layerkit", "is_floating", "leaves", "mapped", "upstream"]
