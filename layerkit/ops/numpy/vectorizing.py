"""A function of single elements as a function of tensors."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Collection
from typing import Any

import numpy as np

from layerkit import backend as K


def vectorize(
    pyfunc: Callable, *, excluded: Collection[int | str] | None = None, signature: str | None = None
) -> Callable:
    """`pyfunc`, a function of scalar tensors, as one that is called for each element of tensors.

    Its positional arguments are broadcast together, but for those whose numbers are in `excluded`;
    arguments by name are handed on. With a `signature`, as "(m,n),(n)->(m)", it is a function of
    tensors of these shapes, called for each of what earlier axes hold. The calls are made one by
    one: what is said in operations on whole tensors is faster. ValueError for no function, and for
    arguments that do not fit the signature.
    """
    if not callable(pyfunc):
        raise ValueError(f"Expected argument `pyfunc` to be a callable. Received: pyfunc={pyfunc}")

    def vectorized(*args: Any, **options: Any) -> Any:
        mapped = [i for i in range(len(args)) if i not in (excluded or ())]
        tensors = [K.convert_to_tensor(args[i]) for i in mapped]
        ranks = _core_ranks(signature, tensors)
        outer = np.broadcast_shapes(
            *(_outer(x, rank) for x, rank in zip(tensors, ranks, strict=True))
        )
        if 0 in outer:
            raise ValueError(
                "A vectorized function has no element to be called for, so that the shape of its "
                f"results is unknown; received arguments of shape {outer}."
            )
        spread = [
            K.broadcast_to(x, outer + x.shape[len(x.shape) - rank :])
            for x, rank in zip(tensors, ranks, strict=True)
        ]
        results = []
        for place in itertools.product(*map(range, outer)):
            given = list(args)
            for i, x in zip(mapped, spread, strict=True):
                given[i] = x[place]
            results.append(pyfunc(*given, **options))
        return _joined(results, outer)

    return vectorized


def _outer(x: Any, rank: int) -> tuple[int, ...]:
    return x.shape[: x.ndim - rank]


def _core_ranks(signature: str | None, tensors: list) -> list[int]:
    """How many last axes of each tensor a call gets."""
    if signature is None:
        return [0] * len(tensors)
    cores = re.findall(r"\(([^)]*)\)", signature.partition("->")[0])
    cores = [[name.strip() for name in core.split(",") if name.strip()] for core in cores]
    if len(cores) != len(tensors):
        raise ValueError(
            f"The signature '{signature}' has {len(cores)} arguments; received {len(tensors)}."
        )
    lengths: dict[str, int] = {}
    for core, x in zip(cores, tensors, strict=True):
        found = x.shape[x.ndim - len(core) :]
        fits = len(found) == len(core) and x.ndim >= len(core)
        if not fits or any(lengths.setdefault(n, m) != m for n, m in zip(core, found, strict=True)):
            raise ValueError(
                f"The signature '{signature}' wants ({','.join(core)}), with {lengths}; "
                f"received a tensor of shape {x.shape}."
            )
    return list(map(len, cores))


def _joined(results: list, outer: tuple[int, ...]) -> Any:
    """The results of all calls as one tensor; where a call has several, one tensor for each."""
    if isinstance(results[0], tuple):
        return tuple(_joined(list(parts), outer) for parts in zip(*results, strict=True))
    whole = K.stack(results)
    return K.reshape(whole, outer + whole.shape[1:])
