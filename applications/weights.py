"""Where an application's weights come from."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from layerkit.models import Sequential


def load_weights(model: Sequential, weights: Any, shipped: Mapping[str, Path]) -> None:
    """Load `weights` into `model`: a name of `shipped`, a file, or None for no loading.

    ValueError for what is neither, saying which there are.
    """
    if weights is None:
        return
    path = shipped.get(weights, weights) if isinstance(weights, str) else weights
    if not isinstance(path, (str, os.PathLike)) or not os.path.exists(path):
        names = ", ".join(repr(name) for name in shipped) or "none come with layerkit"
        raise ValueError(
            "The `weights` argument should be either `None` (random initialization), the path to "
            f"a weights file, or a name of trained weights ({names}). Received: weights={weights!r}"
        )
    model.load_weights(path)
