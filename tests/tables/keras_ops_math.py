"""Rows of `keras.ops`' mathematics beside NumPy's."""

from __future__ import annotations

import numpy as np

from .golden_row import Row, distinct, normal, positive

X, Y = normal(3, 4), normal(2, 3, 8)
IDS = np.array([2, 0, 2, 3, 2, 7, -1], "int32")
DATA = distinct(7, 2)
SIGNAL = normal(2, 40)
PAIR = [normal(2, 6), normal(2, 6, seed=1)]
IMAGES = [normal(2, 4, 3), normal(2, 4, 3, seed=1)]
SPECTRA = [normal(2, 5, 9), normal(2, 5, 9, seed=1)]
MATRICES = normal(2, 3, 3) + 2 * np.eye(3, dtype="float32")
CPU = {"gradient": False, "numpy_only": "CuPy has no multiply.at"}


def stft(name, window, center=True, length=12):
    options = {"window": window, "center": center}
    return Row(f"stft:{name}", [SIGNAL, length, 4, 16], options)


def istft(name, window, center=True, length=None):
    options = {"window": window, "center": center, "length": length}
    return Row(f"istft:{name}", [SPECTRA, 12, 4, 16], options)


ROWS = [
    Row("segment_sum", [DATA, IDS, 5]),
    Row("segment_max", [DATA, IDS, 5], gradient=False),
    Row("segment_max:integers", [np.arange(7, dtype="int32"), IDS, 5], {"sorted": False}),
    Row("segment_min", [DATA, IDS, 5], gradient=False),
    Row("segment_prod", [DATA, IDS, 5], **CPU),
    Row("top_k", [distinct(3, 6), 2]),
    Row("top_k:integers", [np.array([3, 9, -2, 9, 5], "int32"), 3]),
    Row("in_top_k", [np.array([1, 0, 3], "int32"), X, 2]),
    Row("logsumexp", [X]),
    Row("logsumexp:axis", [X], {"axis": 1, "keepdims": True}),
    Row("rsqrt", [positive(3, 4)]),
    Row("erf", [X]),
    Row("erfc", [X]),
    Row("erfc:large", [np.array([-9.0, 3.0, 5.0, 8.0], "float32")], gradient=False, tolerance=1e-5),
    Row("erfinv", [np.tanh(X)]),
    Row("erfinv:edges", [np.array([-1.0, 0.0, 1.0, 1.5], "float32")], gradient=False),
    Row("view_as_complex", [normal(3, 2)], gradient=False),
    Row("view_as_real", [normal(3, 2)], gradient=False),
    Row("logdet", [MATRICES]),
    Row("cdist", [normal(2, 3, 4), normal(2, 5, 4)]),
    Row("extract_sequences", [Y, 3, 2]),
    Row("fft", [PAIR]),
    Row("fft2", [IMAGES]),
    Row("ifft2", [IMAGES]),
    *[Row(f"rfft:{n}", [normal(2, 6), n]) for n in (None, 5, 4, 8)],
    *[Row(f"irfft:{n}", [PAIR, n]) for n in (None, 7, 10, 12)],
    stft("hann", "hann"),
    stft("hamming", "hamming", center=False),
    stft("none", None),
    stft("weights", positive(12)),
    istft("hann", "hann"),
    istft("hamming", "hamming", center=False),
    istft("weights", positive(12), length=10),
]
