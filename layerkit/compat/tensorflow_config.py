"""tensorflow.config: what devices there are."""

from __future__ import annotations

from typing import Any

from layerkit import backend as K


def list_physical_devices(device_type: str | None = None) -> list[str]:
    """Names of the processors, or of the GPUs where CuPy's backend is the default."""
    gpus = ["/physical_device:GPU:0"] if K.backend() == "cupy" else []
    cpus = ["/physical_device:CPU:0"]
    return {"GPU": gpus, "CPU": cpus}.get(device_type or "", [*cpus, *gpus])


list_logical_devices = list_physical_devices


def run_functions_eagerly(run_eagerly: Any) -> None:
    """Nothing to do: functions always run as they are."""


class experimental:
    """Names from before they moved."""

    list_physical_devices = staticmethod(list_physical_devices)

    @staticmethod
    def set_memory_growth(device: Any, enable: bool) -> None:
        """Nothing to do: memory is taken as it is needed. ValueError for False."""
        if not enable:
            raise ValueError("layerkit takes a GPU's memory as it is needed: leave the call out.")


set_memory_growth = experimental.set_memory_growth

__all__ = [
    "experimental",
    "list_logical_devices",
    "list_physical_devices",
    "run_functions_eagerly",
    "set_memory_growth",
]
