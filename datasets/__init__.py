"""Data sets, loaded as NumPy arrays: `mnist` and `fashion_mnist`.

Needs NumPy, and tqdm while it downloads. Files are kept in `~/.layerkit/datasets`; the environment
variable `LAYERKIT_HOME` moves `~/.layerkit`. Offline, `mnist.load_sample()` is always there.
"""

from . import fashion_mnist, mnist

__all__ = ["fashion_mnist", "mnist"]
