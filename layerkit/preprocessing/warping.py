"""An image moved, turned, sheared and zoomed: sampled at other places, as SciPy does it."""

from __future__ import annotations

from typing import Any

import numpy as np

FILL_MODES = ("nearest", "constant", "reflect", "wrap")


def apply_affine_transform(
    x: Any,
    theta: float = 0,
    tx: float = 0,
    ty: float = 0,
    shear: float = 0,
    zx: float = 1,
    zy: float = 1,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    order: int = 1,
) -> np.ndarray:
    """An image of rank 3 rotated, shifted, sheared and zoomed around its centre.

    theta, shear: degrees. tx, ty: rows and columns. zx, zy: factors of rows and columns, below 1
    to enlarge. row_axis, col_axis, channel_axis: where they are in `x`. fill_mode: what lies
    outside: "nearest" edge, "constant" `cval`, "reflect" (d c b a | a b c d), "wrap". order: of the
    interpolation, 0 (nearest pixel) or 1 (between four).

    ValueError for anything else.
    """
    x = np.asarray(x)
    _check(x, (row_axis, col_axis, channel_axis), fill_mode, order)
    matrix = _matrix(theta, tx, ty, shear, zx, zy)
    if matrix is None:
        return x
    centre = np.array([x.shape[row_axis], x.shape[col_axis]]) / 2 - 0.5
    linear = matrix[:2, :2]
    offset = matrix[:2, 2] + centre - linear @ centre
    if col_axis < row_axis:  # then the transformation is of columns and rows
        linear, offset = linear[::-1, ::-1], offset[::-1]
    image = np.moveaxis(x, (row_axis, col_axis, channel_axis), (0, 1, 2))
    warped = _sampled(image, linear, offset, fill_mode, cval, order)
    return np.moveaxis(warped, (0, 1, 2), (row_axis, col_axis, channel_axis))


def _matrix(theta: float, tx: float, ty: float, shear: float, zx: float, zy: float) -> Any:
    """From places in the result to those in the image (rows, columns, 1); None for no change."""
    matrix = None

    def then(step: Any) -> np.ndarray:
        return np.array(step) if matrix is None else matrix @ np.array(step)

    if theta:
        c, s = np.cos(np.deg2rad(theta)), np.sin(np.deg2rad(theta))
        matrix = then([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    if tx or ty:
        matrix = then([[1, 0, tx], [0, 1, ty], [0, 0, 1]])
    if shear:
        c, s = np.cos(np.deg2rad(shear)), np.sin(np.deg2rad(shear))
        matrix = then([[1, -s, 0], [0, c, 0], [0, 0, 1]])
    if zx != 1 or zy != 1:
        matrix = then([[zx, 0, 0], [0, zy, 0], [0, 0, 1]])
    return matrix


def _sampled(
    image: np.ndarray, linear: np.ndarray, offset: np.ndarray, mode: str, cval: float, order: int
) -> np.ndarray:
    """`image` (rows, columns, channels) at `linear @ place + offset` for each place."""
    rows, cols = np.mgrid[: image.shape[0], : image.shape[1]]
    places = [linear[i, 0] * rows + linear[i, 1] * cols + offset[i] for i in (0, 1)]
    axes = [
        _neighbours(at, size, mode, order) for at, size in zip(places, image.shape, strict=False)
    ]
    total = np.zeros(image.shape, "float64")
    for row, row_weight in axes[0]:
        for col, col_weight in axes[1]:
            total += (row_weight * col_weight)[..., None] * image[row, col]
    if mode == "constant":
        inside = [
            (at >= 0) & (at <= size - 1) for at, size in zip(places, image.shape, strict=False)
        ]
        total[~(inside[0] & inside[1])] = cval
    if image.dtype.kind in "iu":
        limits = np.iinfo(image.dtype)
        total = np.clip(np.floor(total + 0.5), limits.min, limits.max)
    return total.astype(image.dtype)


def _neighbours(at: np.ndarray, size: int, mode: str, order: int) -> list[tuple[Any, np.ndarray]]:
    """The pixels along one axis that places lie between, each with its weight."""
    if mode in ("nearest", "constant"):
        at = np.clip(at, 0, size - 1)
    if mode == "wrap" and size > 1:  # SciPy's period: the last pixel lies upon the first
        at = np.where((at < 0) | (at > size - 1), np.mod(at, size - 1), at)
    if order == 0:
        return [(_folded(np.floor(at + 0.5).astype(int), size), np.ones(at.shape))]
    low = np.floor(at).astype(int)
    fraction = at - low
    return [(_folded(low, size), 1 - fraction), (_folded(low + 1, size), fraction)]


def _folded(index: np.ndarray, size: int) -> np.ndarray:
    """Pixels outside as those inside that they mirror: d c b a | a b c d | d c b a."""
    index = np.mod(index, 2 * size)
    return np.where(index < size, index, 2 * size - 1 - index)


def _check(x: np.ndarray, axes: tuple[int, int, int], fill_mode: str, order: int) -> None:
    if x.ndim != 3:
        raise ValueError(
            f"Input arrays must be multi-channel 2D images, of rank 3. Received: shape={x.shape}"
        )
    if len(set(axes)) != 3:
        raise ValueError(
            f"'row_axis', 'col_axis', and 'channel_axis' must be distinct. Received: {axes}"
        )
    if set(axes) != {0, 1, 2} or axes[2] == 1:
        raise ValueError(
            f"Invalid axis' indices: {axes}. Expected 0, 1 and 2, with the channels first or last."
        )
    if fill_mode not in FILL_MODES:
        raise ValueError(f"`fill_mode` should be one of {FILL_MODES}. Received: {fill_mode}")
    if order not in (0, 1):
        raise ValueError(f"The order of interpolation should be 0 or 1. Received: {order}")
