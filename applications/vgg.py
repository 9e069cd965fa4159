"""VGG16: thirteen 3×3 convolutions in five blocks, and three dense layers."""

from __future__ import annotations

from typing import Any

from layerkit.layers import (
    Conv2D,
    Dense,
    Flatten,
    GlobalAveragePooling2D,
    GlobalMaxPooling2D,
    Input,
    MaxPooling2D,
)
from layerkit.models import Sequential

from .weights import weights_file

_BLOCKS = ((2, 64), (2, 128), (3, 256), (3, 512), (3, 512))  # convolutions, filters
_POOLING = {"avg": GlobalAveragePooling2D, "max": GlobalMaxPooling2D}


def VGG16(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_shape: tuple[int, int, int] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "vgg16",
) -> Sequential:
    """VGG16 as a Sequential: 138,357,544 parameters with its top for 1,000 classes.

    Reads images (batch, height, width, channels), 224×224×3 where `input_shape` is None. `weights`:
    a weights file, or None for random ones; layerkit ships none ('imagenet' raises ValueError
    that says so). Without `include_top`: features (batch, height/32, width/32, 512), or pooled over
    space to (batch, 512) with `pooling` 'avg' or 'max'. ValueError for images below 32×32.

    Reference: Simonyan & Zisserman, Very deep convolutional networks for large-scale image
    recognition, 2015.
    """
    if pooling not in (None, *_POOLING):
        raise ValueError(f"`pooling` must be None, 'avg' or 'max'. Received: pooling={pooling}")
    shape = (224, 224, 3) if input_shape is None else tuple(input_shape)
    if len(shape) != 3:
        raise ValueError(f"`input_shape` must be a tuple of three integers. Received: {shape}")
    if any(size is not None and size < 32 for size in shape[:2]):
        raise ValueError(f"Input size must be at least 32x32; Received: input_shape={shape}")
    if include_top and None in shape:
        raise ValueError(
            f"If `include_top` is True, you should specify a static `input_shape`. Got {shape}"
        )
    file = weights_file(weights, {})
    stack: list[Any] = [Input(shape)]
    for block, (convolutions, filters) in enumerate(_BLOCKS, start=1):
        for i in range(1, convolutions + 1):
            conv_name = f"block{block}_conv{i}"
            stack.append(Conv2D(filters, 3, padding="same", activation="relu", name=conv_name))
        stack.append(MaxPooling2D(2, strides=2, name=f"block{block}_pool"))
    if include_top:
        stack += [
            Flatten(name="flatten"),
            Dense(4096, activation="relu", name="fc1"),
            Dense(4096, activation="relu", name="fc2"),
            Dense(classes, activation=classifier_activation, name="predictions"),
        ]
    elif pooling is not None:
        stack.append(_POOLING[pooling]())
    model = Sequential(stack, name=name)
    if file is not None:
        model.load_weights(file)
    return model
