"""A session: the names given so far and the global policy."""

from __future__ import annotations

from .. import naming
from ..dtype_policies import set_dtype_policy


def clear_session() -> None:
    """Forget the names given so far and the global dtype policy: the next model is as the first."""
    naming.clear_session()
    set_dtype_policy(None)
