"""Global numeric settings: the default float type, the fuzz factor, the image layout."""

from __future__ import annotations

from typing import Any

_FLOATS = ("float16", "float32", "float64")
_LAYOUTS = ("channels_last", "channels_first")

_floatx = "float32"
_epsilon = 1e-7
_image_data_format = "channels_last"


def floatx() -> str:
    """Name of the default float type: 'float32' unless changed."""
    return _floatx


def set_floatx(value: str) -> None:
    """Set the default float type: 'float16', 'float32' or 'float64'. ValueError for others."""
    global _floatx
    if value not in _FLOATS:
        raise ValueError(f"Unknown `floatx` value: {value}. Expected one of {list(_FLOATS)}.")
    _floatx = str(value)


def require_bfloat16() -> None:
    """Let NumPy know the type 'bfloat16'. ImportError, with the remedy, without ml_dtypes."""
    try:
        import ml_dtypes  # noqa: F401 (registers the type by being imported)
    except ImportError:
        raise ImportError(
            "bfloat16 needs the package ml_dtypes, which gives NumPy that type: "
            "pip install 'layerkit[bfloat16]', or use float16."
        ) from None


def is_floating(dtype: Any) -> bool:
    """Whether `dtype`, an array's, is a float type; NumPy counts bfloat16 as a foreign one."""
    return dtype.kind == "f" or dtype.name == "bfloat16"


def epsilon() -> float:
    """The small number that keeps logarithms and divisions finite: 1e-7 unless changed."""
    return _epsilon


def set_epsilon(value: float) -> None:
    """Set the fuzz factor that losses, metrics and normalizations use."""
    global _epsilon
    _epsilon = float(value)


def image_data_format() -> str:
    """The default layout of images: 'channels_last' unless changed."""
    return _image_data_format


def set_image_data_format(data_format: str) -> None:
    """Set the default layout of images. ValueError for anything but the two layouts."""
    global _image_data_format
    _image_data_format = standardize_data_format(data_format)


def standardize_data_format(data_format: str | None) -> str:
    """`data_format`, or the default one for None. ValueError for anything but the two layouts."""
    if data_format is None:
        return _image_data_format
    data_format = str(data_format).lower()
    if data_format not in _LAYOUTS:
        raise ValueError(
            "The `data_format` argument must be one of {'channels_first', 'channels_last'}. "
            f"Received: data_format={data_format}"
        )
    return data_format
