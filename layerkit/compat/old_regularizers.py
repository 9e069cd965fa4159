"""Regularizers by their names in Keras 1."""

from __future__ import annotations

from ..regularizers import L1, L1L2, L2

__all__ = ["activity_l1", "activity_l1l2", "activity_l2", "l1l2"]

activity_l1, activity_l2 = L1, L2
activity_l1l2 = l1l2 = L1L2

REMEDIES = {
    "activity_l1": "use L1",
    "activity_l1l2": "use L1L2",
    "activity_l2": "use L2",
    "l1l2": "use L1L2",
}
