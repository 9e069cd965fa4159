"""What the layers below a call inherit from it."""

from __future__ import annotations

import threading
from typing import Any


class _Call(threading.local):
    training: bool | None = None
    root: Any = None  # the outermost layer being called


current = _Call()
