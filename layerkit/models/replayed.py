"""compile(jit_compile=True): training steps captured once and replayed, without Python.

The first two batches of a kind (structure, shapes and dtypes) run as they are, the third one is
captured and replayed, and so are all later ones. Whatever Python does inside `train_step` happens
while capturing only: what it keeps from step to step must be in variables, and an attribute that is
changed later counts after the next `compile`. Learning rates, schedules, step counters, dropout,
weights and metrics are followed. Each kind takes the memory of one step more.
"""

from __future__ import annotations

import warnings
from collections import deque
from typing import Any

import numpy as np

from layerkit.backend import Variable, tree
from layerkit.backend.registry import backend_of, default_backend
from layerkit.backend.replay import NotReplayable, Rehearsal, Replay

from ..layers import Layer

_WARM_UP = 2  # runs as they are: they build, compile kernels, make slots and arenas
_WAYS = 8  # of one kind of batch that are kept: steps of which the host decides differently


def replayed_step(model: Any, jit_compile: Any, overridden: bool) -> ReplayedStep | None:
    """What runs the training steps of `model` on a device: None for as they are.

    ValueError unless `jit_compile` is True, False or 'auto'. Warns where it is True and there is
    nothing to compile; on the CPU, because `train_step` is `overridden`: see `models.traced`.
    """
    if jit_compile not in (True, False, "auto"):
        raise ValueError(
            f"`jit_compile` must be True, False or 'auto'. Received: jit_compile={jit_compile!r}"
        )
    backend = default_backend()
    on_cpu = backend.array_type is np.ndarray
    if jit_compile is not True or (on_cpu and not overridden):
        return None
    if backend.can_replay:
        return ReplayedStep(model)
    reason = f"the backend '{backend.name}' has nothing to compile"
    if on_cpu:
        reason = f"on the backend '{backend.name}' a `train_step` of one's own is not traced"
    warnings.warn(
        f"jit_compile=True: {reason}, so model '{model.name}' runs as it is. Leave `jit_compile` "
        "out, or choose a backend that replays steps before compiling: set_backend('cupy').",
        stacklevel=3,
    )
    return None


class ReplayedStep:
    """`model.train_step`, run, captured and replayed: see above.

    NotReplayable, with the layer, the place and the remedy, where it cannot be captured; model,
    optimizer and random generators are then as they were before that step.
    """

    def __init__(self, model: Any):
        self._model = model
        self._ways: dict[Any, deque[_Way]] = {}

    def __call__(self, data: Any) -> Any:
        ways = self._ways.setdefault(self._kind(data), deque(maxlen=_WAYS))
        way = next((way for way in ways if way.rehearsal.holds()), None)
        if way is None:
            way = _Way()
            ways.append(way)
        if way.runs < _WARM_UP:
            logs = way.rehearsal.run(self._model.train_step, data)
            way.runs += 1
            return logs
        if way.replay is None:
            way.replay = self._captured(data)
        return way.replay(data)

    def _kind(self, data: Any) -> tuple:
        """What a capture is good for: the form of a batch, what trains, and by what."""
        form = tree.map_structure(lambda x: x is not None and (x.shape, x.dtype.str), data)
        trained = tuple(map(id, self._model.trainable_variables))
        return repr(form), trained, id(self._model.optimizer)

    def _captured(self, data: Any) -> Replay:
        model = self._model
        backend = backend_of(model.trainable_variables[0].array)
        try:
            return Replay(model.train_step, data, self._variables(), backend)
        except NotReplayable as error:
            model._forget_losses()
            raise NotReplayable(
                f"jit_compile=True: the training step of model '{model.name}' cannot be captured"
                f"{_layer_of(error.__cause__, model)}: {error} "
                "Compile the model with jit_compile=False to run it as it is."
            ) from error.__cause__

    def _variables(self) -> list[Variable]:
        model = self._model
        of_metrics = [variable for metric in model.metrics for variable in metric.variables]
        of_optimizer = [] if model.optimizer is None else model.optimizer.variables
        return [*model.variables, *of_metrics, *of_optimizer]


class _Way:
    """One way through the step: its runs so far, and then its replay."""

    def __init__(self) -> None:
        self.runs = 0
        self.rehearsal = Rehearsal()
        self.replay: Replay | None = None


def _layer_of(error: BaseException | None, model: Any) -> str:
    """Which layer of the model was being called when the error came."""
    step, found = error.__traceback__ if error else None, ""
    while step is not None:
        layer = step.tb_frame.f_locals.get("self")
        if isinstance(layer, Layer) and layer is not model:
            found = f" in layer '{layer.name}'"
        step = step.tb_next
    return found
