"""Rows of the Fourier transforms, of pairs of real tensors."""

from __future__ import annotations

import numpy as np

from .row import Op, normal

PAIR, IMAGES = (normal(2, 6), normal(2, 6, seed=1)), (normal(2, 4, 3), normal(2, 4, 3, seed=1))


def of_pair(transform):
    def function(x, fft_length=None):
        z = transform(x[0] + 1j * x[1], *([fft_length] if fft_length else []))
        return (z.real, z.imag) if z.dtype.kind == "c" else z

    return function


def rfft(x, fft_length=None):
    z = np.fft.rfft(x, fft_length)
    return z.real, z.imag


ROWS = [
    Op("fft", of_pair(np.fft.fft), [PAIR]),
    Op("fft2", of_pair(np.fft.fft2), [IMAGES]),
    Op("ifft2", of_pair(np.fft.ifft2), [IMAGES]),
    *[Op(f"rfft:{n}", rfft, [normal(2, 6)], {"fft_length": n}) for n in (None, 5, 4, 8)],
    *[
        Op(f"irfft:{n}", of_pair(np.fft.irfft), [PAIR], {"fft_length": n})
        for n in (None, 10, 11, 7, 12, 15)
    ],
]
