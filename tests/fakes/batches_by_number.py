"""A PyDataset that other processes can import."""

from __future__ import annotations

import os

import numpy as np

from layerkit.utils import PyDataset


class Numbered(PyDataset):
    """Five batches: their number, and whether another process made them."""

    def __init__(self, **options):
        super().__init__(**options)
        self.process = os.getpid()

    def __len__(self):
        return 5

    def __getitem__(self, index):
        return (np.array([[index, os.getpid() != self.process]], "float32"),)
