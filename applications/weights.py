"""Where an application's weights come from."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def weights_file(weights: Any, shipped: Mapping[str, Path]) -> Any:
    """The file that `weights` means: a name of `shipped`, or a file; None for None.

    ValueError for what is neither, saying which there are: before a model is made.
    """
    if weights is None:
        return None
    path = shipped.get(weights, weights) if isinstance(weights, str) else weights
    if not isinstance(path, (str, os.PathLike)) or not os.path.exists(path):
        names = ", ".join(repr(name) for name in shipped) or "none come with layerkit"
        raise ValueError(
            "The `weights` argument should be either `None` (random initialization), the path to "
            f"a weights file, or a name of trained weights ({names}). Received: weights={weights!r}"
        )
    return path
