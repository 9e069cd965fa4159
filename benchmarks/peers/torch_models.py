"""The workloads in plain PyTorch: an nn.Module each, a training loop and a prediction loop.

Images lie channels-last in memory, as everywhere here: `permute` alone gives what PyTorch calls the
channels_last format. Which format is faster depends on the model and the processor.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn

from .workloads import WORKLOADS, data


class TorchModel:
    """A workload on a device: `fit` and `predict` as `frameworks.KerasLike` has them."""

    def __init__(self, name: str, device: str = "cpu", channels_last: bool = False):
        self.work, self.device = WORKLOADS[name], device
        self.format = torch.channels_last if channels_last else torch.contiguous_format
        body = [KINDS[kind](*rest) for kind, *rest in self.work.layers]
        self.module = nn.Sequential(*body, nn.LazyLinear(self.work.classes)).to(device)
        empty = torch.zeros((2, *self.work.shape), dtype=torch.int64 if self.work.words else None)
        self.module(self.batch(empty))  # lazy layers learn their sizes
        self.module.to(memory_format=self.format)
        self.optimizer = self._optimizer()

    def _optimizer(self) -> torch.optim.Optimizer:
        kind, learning_rate = self.work.optimizer
        options = {"alpha": 0.9} if kind == "RMSprop" else {}  # Keras's rho
        return getattr(torch.optim, kind)(self.module.parameters(), learning_rate, **options)

    def batch(self, x: torch.Tensor) -> torch.Tensor:
        x = x.to(self.device)
        return x.permute(0, 3, 1, 2).contiguous(memory_format=self.format) if x.ndim == 4 else x

    def loss(self, logits: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        if self.work.classes == 1:
            return nn.functional.binary_cross_entropy_with_logits(logits[:, 0], y)
        return nn.functional.cross_entropy(logits, y)

    def fit(self, x: np.ndarray, y: np.ndarray, batch_size: int, epochs: int) -> float:
        """The mean loss of the last epoch: a number on the host, so it is over."""
        inputs, labels = torch.from_numpy(x), torch.from_numpy(y)
        labels = labels if self.work.classes == 1 else labels.long()
        self.module.train()
        for _ in range(epochs):
            total, batches = torch.zeros((), device=self.device), 0
            for chosen in torch.randperm(len(inputs)).split(batch_size):
                self.optimizer.zero_grad(set_to_none=True)
                logits = self.module(self.batch(inputs[chosen]))
                loss = self.loss(logits, labels[chosen].to(self.device))
                loss.backward()
                self.optimizer.step()
                total, batches = total + loss.detach(), batches + 1
        return float(total / batches)

    @torch.inference_mode()
    def predict(self, x: np.ndarray, batch_size: int) -> np.ndarray:
        """Probabilities."""
        self.module.eval()
        parts = [self.module(self.batch(part)) for part in torch.from_numpy(x).split(batch_size)]
        logits = torch.cat(parts)
        return (logits.sigmoid() if self.work.classes == 1 else logits.softmax(-1)).cpu().numpy()

    def __call__(self, x: np.ndarray) -> np.ndarray:
        return self.predict(x, len(x))


def faster(name: str, steps: int = 5) -> TorchModel:
    """The model with images in the format in which some steps of training take less time."""
    work = WORKLOADS[name]
    if len(work.shape) < 3:
        return TorchModel(name)
    x, y = data(name, steps * work.batch_size)
    models = [TorchModel(name, channels_last=kind) for kind in (True, False)]
    seconds: list[list[float]] = [[], []]
    for _ in range(3):
        for model, taken in zip(models, seconds, strict=True):
            start = time.perf_counter()
            model.fit(x, y, work.batch_size, 1)
            taken.append(time.perf_counter() - start)
    return min(zip(models, seconds, strict=True), key=lambda pair: min(pair[1]))[0]


class Residual(nn.Module):
    def __init__(self, filters: int):
        super().__init__()
        self.conv1, self.conv2 = (nn.LazyConv2d(filters, 3, padding=1) for _ in range(2))
        self.norm1, self.norm2 = (nn.LazyBatchNorm2d() for _ in range(2))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = torch.relu(self.norm1(self.conv1(x)))
        return torch.relu(self.norm2(self.conv2(y)) + x)


class LastState(nn.Module):
    """An LSTM's output after the last step."""

    def __init__(self, units: int):
        super().__init__()
        self.units = units
        self.lstm: Any = None  # PyTorch has no lazy one

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.lstm is None:
            self.lstm = nn.LSTM(x.shape[-1], self.units, batch_first=True, device=x.device)
        return self.lstm(x)[0][:, -1]


def _dense(units: int, activation: str) -> nn.Module:
    return nn.Sequential(nn.LazyLinear(units), nn.ReLU() if activation == "relu" else nn.Sigmoid())


def _conv(filters: int, padding: str) -> nn.Module:
    return nn.Sequential(nn.LazyConv2d(filters, 3, padding=padding), nn.ReLU())


def _average() -> nn.Module:
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())


KINDS: dict[str, Callable[..., Any]] = {
    "dense": _dense,
    "conv": _conv,
    "pool": lambda: nn.MaxPool2d(2),
    "dropout": nn.Dropout,
    "flatten": nn.Flatten,
    "embedding": nn.Embedding,
    "lstm": LastState,
    "average": _average,
    "residual": Residual,
}
