"""Layers that choose among others at random: RandAugment, AugMix."""

from __future__ import annotations

from typing import Any

from layerkit import backend as K

from .image_color import (
    AutoContrast,
    Equalization,
    RandomBrightness,
    RandomColorDegeneration,
    RandomContrast,
    RandomPosterization,
    RandomSharpness,
    Solarization,
)
from .image_geometry import RandomRotation, RandomShear, RandomTranslation
from .image_layer import RandomImageLayer, interval, two_numbers


class _PolicyLayer(RandomImageLayer):
    """A layer that has others, made with one `factor`, and chooses among them."""

    def __init__(
        self,
        value_range: Any = (0, 255),
        factor: Any = 0.5,
        interpolation: str = "bilinear",
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(seed=seed, **kwargs)
        self.value_range = two_numbers("value_range", value_range)
        self.factor = interval("factor", factor, 0, 1)
        self.interpolation = interpolation

    def _made(self, names: tuple[str, ...]) -> dict[str, Any]:
        """The layers of these names."""
        low_high = self.factor
        common: dict[str, Any] = {
            "data_format": self.data_format,
            "bounding_box_format": self.bounding_box_format,
            "dtype": self.dtype_policy,
        }
        moving: dict[str, Any] = {"interpolation": self.interpolation, "seed": self.seed, **common}
        color: dict[str, Any] = {"value_range": self.value_range, "seed": self.seed, **common}
        ranged: dict[str, Any] = {"value_range": self.value_range, **common}
        bits = max(1, int(8 * low_high[1]))
        makers = {
            "random_shear": lambda: RandomShear(low_high, low_high, **moving),
            "random_translation": lambda: RandomTranslation(low_high, low_high, **moving),
            "random_rotation": lambda: RandomRotation(low_high, **moving),
            "random_brightness": lambda: RandomBrightness(low_high, **color),
            "random_color_degeneration": lambda: RandomColorDegeneration(low_high, **color),
            "random_contrast": lambda: RandomContrast(low_high, **color),
            "random_sharpness": lambda: RandomSharpness(low_high, **color),
            "random_posterization": lambda: RandomPosterization(bits, **color),
            "solarization": lambda: Solarization(low_high, low_high, **color),
            "auto_contrast": lambda: AutoContrast(**ranged),
            "equalization": lambda: Equalization(**ranged),
        }
        return {name: makers[name]() for name in names}

    def _drawn(self, seed: Any, count: int) -> int:
        """A number from 0 to count - 1."""
        return int(K.random_randint((), 0, count, seed=seed))


_MOVING = ("random_shear", "random_translation", "random_rotation")
_COLORS = (
    "random_brightness",
    "random_color_degeneration",
    "random_contrast",
    "random_sharpness",
)
_FIXED = ("random_posterization", "solarization", "auto_contrast", "equalization")


class RandAugment(_PolicyLayer):
    """In training does `num_ops` random ones of eleven things, one after the other.

    `factor`: how strongly. The same things are done to all images of a batch, each with numbers
    drawn for it. Cubuk et al. 2019.
    """

    def __init__(
        self,
        value_range: Any = (0, 255),
        num_ops: int = 2,
        factor: Any = 0.5,
        interpolation: str = "bilinear",
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(
            value_range, factor, interpolation, seed, data_format=data_format, **kwargs
        )
        self.num_ops = num_ops
        self._choices = self._made((*_MOVING, *_COLORS, *_FIXED))

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """A list of what is done: pairs of a layer's name and its transformation."""
        if not training:
            return None
        seed = self.generator if seed is None else seed
        names = list(self._choices)
        chosen = [names[self._drawn(seed, len(names))] for _ in range(self.num_ops)]
        return [
            (name, self._choices[name].get_random_transformation(data, seed=seed))
            for name in chosen
        ]

    def _transformed(self, images: Any, transformation: Any) -> Any:
        for name, own in transformation:
            images = self._choices[name].transform_images(images, own)
        return images

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Any, training: bool = True
    ) -> Any:
        """The masks, moved as the images."""
        for name, own in transformation or ():
            layer = self._choices[name]
            segmentation_masks = layer.transform_segmentation_masks(segmentation_masks, own)
        return segmentation_masks

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Any, training: bool = True
    ) -> Any:
        """The boxes, moved as the images."""
        for name, own in transformation or ():
            bounding_boxes = self._choices[name].transform_bounding_boxes(bounding_boxes, own)
        return bounding_boxes


class AugMix(_PolicyLayer):
    """In training mixes images with a mixture of `num_chains` augmentations of them.

    Each chain does up to `chain_depth` random things; the weights are drawn from a Dirichlet and
    a Beta distribution of parameter `alpha`. `all_ops` False leaves out brightness, contrast,
    sharpness and color degeneration. Hendrycks et al. 2019.
    """

    def __init__(
        self,
        value_range: Any = (0, 255),
        num_chains: int = 3,
        chain_depth: int = 3,
        factor: Any = 0.3,
        alpha: float = 1.0,
        all_ops: bool = True,
        interpolation: str = "bilinear",
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(
            value_range, factor, interpolation, seed, data_format=data_format, **kwargs
        )
        self.num_chains = num_chains
        self.chain_depth = chain_depth
        self.alpha = alpha
        self.all_ops = all_ops
        self._choices = self._made((*_MOVING, *_FIXED, *(_COLORS if all_ops else ())))

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """`chain_mixing_weights` (num_chains,), `weight_sample` (), and `chain_transforms`."""
        if not training:
            return None
        seed = self.generator if seed is None else seed
        weights = K.random_gamma((self.num_chains,), self.alpha, seed=seed)
        return {
            "chain_mixing_weights": weights / K.sum(weights),
            "weight_sample": K.random_beta((), self.alpha, self.alpha, seed=seed),
            "chain_transforms": [self._chain(data, seed) for _ in range(self.num_chains)],
        }

    def _chain(self, data: Any, seed: Any) -> list[dict[str, Any]]:
        """What one chain does: up to `chain_depth` things, for to do nothing is a choice too."""
        names = list(self._choices)
        drawn = [self._drawn(seed, len(names) + 1) for _ in range(self.chain_depth)]
        chosen = [names[number] for number in drawn if number < len(names)]
        return [
            {
                "layer_name": name,
                "transformation": self._choices[name].get_random_transformation(data, seed=seed),
            }
            for name in chosen
        ]

    def _transformed(self, images: Any, transformation: Any) -> Any:
        mixed = self._mixed(images, transformation, "transform_images")
        return K.clip(mixed, *map(float, self.value_range))

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Any, training: bool = True
    ) -> Any:
        """The masks, mixed as the images."""
        if not training or transformation is None:
            return segmentation_masks
        masks = K.cast(segmentation_masks, self.compute_dtype)
        return self._mixed(masks, transformation, "transform_segmentation_masks")

    def _mixed(self, x: Any, transformation: Any, method: str) -> Any:
        weights = K.cast(transformation["chain_mixing_weights"], x.dtype)
        kept = K.cast(transformation["weight_sample"], x.dtype)
        total: Any = 0.0
        for i, chain in enumerate(transformation["chain_transforms"]):
            y = x
            for step in chain:
                layer = self._choices[step["layer_name"]]
                y = getattr(layer, method)(y, step["transformation"])
            total = total + y * weights[i]
        return kept * x + (1 - kept) * total
