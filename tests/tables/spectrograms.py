"""Layers of signals, and ReversibleEmbedding: (name, layer, arguments, shape of the inputs).

`signal` and `vectors` make what goes in. Real Keras makes the golden values from the same rows.
"""

from __future__ import annotations

import numpy as np

MEL = {"fft_length": 16, "sequence_stride": 6, "num_mel_bins": 5, "sampling_rate": 4000}
STFT = {"frame_length": 8, "frame_step": 3}
TABLE = {"input_dim": 5, "output_dim": 3}

ROWS = [
    ("mel", "MelSpectrogram", MEL, (2, 40)),
    ("mel one", "MelSpectrogram", MEL, (40,)),
    ("mel power", "MelSpectrogram", {**MEL, "power_to_db": False, "mag_exp": 1.0}, (2, 37)),
    (
        "mel more",
        "MelSpectrogram",
        {
            **MEL,
            "sequence_length": 12,
            "window": "hamming",
            "min_freq": 100.0,
            "max_freq": 1800.0,
            "top_db": 15.0,
            "ref_power": 3.0,
            "min_power": 1e-3,
        },
        (2, 40),
    ),
    *(
        (f"stft {mode}", "STFTSpectrogram", {**STFT, "mode": mode}, (2, 20, 2))
        for mode in ("log", "magnitude", "psd", "real", "imag", "angle", "stft")
    ),
    ("stft same", "STFTSpectrogram", {**STFT, "padding": "same"}, (2, 21, 1)),
    (
        "stft more",
        "STFTSpectrogram",
        {
            **STFT,
            "mode": "magnitude",
            "fft_length": 16,
            "window": "hamming",
            "periodic": True,
            "scaling": "spectrum",
        },
        (2, 20, 2),
    ),
    ("stft default", "STFTSpectrogram", {"frame_length": 6, "scaling": None}, (2, 20, 2)),
    *(
        (
            f"stft picture {order}",
            "STFTSpectrogram",
            {**STFT, "mode": "stft", "expand_dims": True, "data_format": f"channels_{order}"},
            (2, 20, 2) if order == "last" else (2, 2, 20),
        )
        for order in ("last", "first")
    ),
    ("stft first", "STFTSpectrogram", {**STFT, "data_format": "channels_first"}, (2, 2, 20)),
    ("reverse", "ReversibleEmbedding", TABLE, (2, 4, 3)),
    ("reverse own", "ReversibleEmbedding", {**TABLE, "tie_weights": False}, (2, 4, 3)),
    (
        "reverse cap",
        "ReversibleEmbedding",
        {**TABLE, "logit_soft_cap": 1.5, "reverse_dtype": "float32"},
        (4, 3),
    ),
]


def signal(shape: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng(7).normal(size=shape).astype("float32")


def weights(layer) -> list[np.ndarray]:
    """Values for the weights of a ReversibleEmbedding; of other layers those they have."""
    if not hasattr(layer, "embeddings"):
        return layer.get_weights()
    rng = np.random.default_rng(3)
    return [rng.normal(size=tuple(w.shape)).astype("float32") for w in layer.weights]


IDS = [[1, 0, 4, 2], [3, 3, 0, 1]]
