"""Megabytes of this process, by the system's own account; imports next to nothing itself."""

from __future__ import annotations

import os
import sys


def peak() -> float:
    """The most that was ever in memory."""
    if os.path.exists("/proc/self/status"):
        return _status("VmHWM")
    import resource  # on Linux it would start at what the parent process had

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1e6 if sys.platform == "darwin" else 1e3)


def now() -> float | None:
    """What is in memory now; None where the system does not say."""
    return _status("VmRSS") if os.path.exists("/proc/self/status") else None


def _status(name: str) -> float:
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith(name))
