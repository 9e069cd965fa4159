"""Window functions: weights that let a piece of a signal begin and end at nothing."""

from __future__ import annotations

import numpy as np

from layerkit.backend.names import did_you_mean

# w(t) = sum of a_k cos(2 pi k t), with t from -1/2 to 1/2. Harris 1978, Nuttall 1981.
_COSINES = {
    "blackman": (0.42, 0.5, 0.08),
    "blackmanharris": (0.35875, 0.48829, 0.14128, 0.01168),
    "boxcar": (1.0,),
    "flattop": (0.21557895, 0.41663158, 0.277263158, 0.083578947, 0.006947368),
    "hamming": (0.54, 0.46),
    "hann": (0.5, 0.5),
    "nuttall": (0.3635819, 0.4891775, 0.1365995, 0.0106411),
}
_OTHERS = {
    "bartlett": lambda n, length: 1 - abs(2 * n / (length - 1) - 1),
    "cosine": lambda n, length: np.sin(np.pi * (n + 0.5) / length),
    "triang": lambda n, length: 1 - abs(2 * n - length + 1) / (length + length % 2),
}


def check_window(name: str) -> None:
    """ValueError for the name of a window that is not here."""
    known = (*_COSINES, *_OTHERS)
    if name not in known:
        raise ValueError(
            f"Unknown window: '{name}'. Use one of {sorted(known)}, or give the window's values."
            f"{did_you_mean(name, known)}"
        )


def window(name: str, length: int, periodic: bool = True) -> np.ndarray:
    """`length` weights, float64: of a symmetric window, or, for `periodic`, of one period of it.

    `name` as in scipy.signal.windows. ValueError for unknown ones.
    """
    check_window(name)
    if length <= 1:
        return np.ones(length)
    whole = length + 1 if periodic else length
    n = np.arange(length)
    if name in _OTHERS:
        return _OTHERS[name](n, whole)
    t = n / (whole - 1) - 0.5
    return sum(a * np.cos(2 * np.pi * k * t) for k, a in enumerate(_COSINES[name])) + np.zeros(
        length
    )
