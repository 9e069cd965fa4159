"""Where layerkit is not as Keras 3.15 and stays so, with the reason.

A row: names of layers, a part of the text of the case, a part of the line that says the difference
(regular expressions), and why.
"""

from __future__ import annotations

import re

KNOWN: list[tuple[str, str, str, str]] = [
    (
        ".*",
        "",
        "accepted, in Keras (NotImplementedError|RuntimeError|.*not supported by the PyTorch)",
        "what one of Keras's engines cannot compute",
    ),
    (".*", "float16", r"^losses .*: float32\(\)", "penalties are summed in the weights' own type"),
    (
        "LayerNormalization|RMSNormalization|TimeDistributed",
        "",
        r"\['axis'\] is -?\d, in Keras \[",
        "a config says what was given; Keras's changes when the layer is built",
    ),
    (
        "SpectralNormalization",
        "Embedding",
        "outputs|gradients|symbolic",
        "Keras casts vectors to the integers that the ids are",
    ),
    (
        "SimpleRNN",
        "activity_regularizer",
        "losses|activity_regularizer",
        "Keras's SimpleRNN drops the argument that it documents",
    ),
    (
        "RMSNormalization",
        r"axis=[\[(]1, -1",
        "outputs|gradients",
        "Keras multiplies by the weight as if it had the last axes",
    ),
    ("SpatialDropout.*", "", r"config\['dtype'\]", "Keras's config forgets the policy"),
    ("Reshape", r"target_shape=-?\d", "accepted", "an int is a shape of one axis"),
    (
        "MultiHeadAttention|GroupQueryAttention",
        "return_attention_scores",
        "symbolic|free axes",
        "Keras says that there are as many keys as queries",
    ),
    (
        "GroupNormalization",
        "groups=-1",
        r"config\['groups'\]",
        "a config says what was given; Keras's changes when the layer is built",
    ),
    (
        "CategoryEncoding",
        "",
        "output shape|symbolic|free axes",
        "Keras's formula counts over another axis than its values",
    ),
    (
        "StackedRNNCells",
        "",
        r"structure: tuple\(., list\(.\)\)",
        "the states of one cell come back as they were given",
    ),
    ("Multiply", "masks", "accepted", "Keras's masks do not fit where there are no features"),
    (
        "graph|stack",
        "Sequential",
        r"functional_\d",
        "Keras counts a hidden functional model in every Sequential",
    ),
    (
        "graph|stack",
        "",
        r"concatenate_\d|logical_or_\d",
        "Keras counts the operations of masks where it names layers",
    ),
    ("stack", "Bidirectional", "^weights", "Keras builds both directions when it reads a config"),
    (
        "RNN",
        "cell=\\[",
        r"config\['cell'\]\['config'\]\['dtype'\]",
        "the stack that RNN makes of cells computes in RNN's own type",
    ),
    (
        "LayerNormalization|RMSNormalization|GroupNormalization",
        r"on u?int",
        "outputs|gradients",
        "Keras rounds what it gives to the integers that came in, and says that it gives floats",
    ),
    (
        "CategoryEncoding",
        "dtype=mixed_",
        r"outputs \[0\]: b?float16.*, in Keras float32",
        "what Keras's symbolic tensors say",
    ),
    (
        "SimpleRNN|GRU|LSTM|RNN|Bidirectional",
        "unroll=True.*masks",
        "accepted, in Keras AttributeError",
        "Keras on PyTorch cannot unroll with masks",
    ),
    (
        "SimpleRNN|GRU|LSTM|RNN|Bidirectional",
        "dtype=float64.*masks",
        r"up to \d\.\d+e-0[78] ",
        "Keras on PyTorch takes float32 where there are masks",
    ),
    (
        "Dot|.*Attention",
        "dtype=float64",
        "in Keras float32",
        "Keras on PyTorch computes products in float32",
    ),
    ("SimpleRNN", "seed=", r"config\['seed'\]", "Keras's config forgets the argument"),
    (
        "Global.*Pooling.*",
        r"keepdims=(-?\d|None)",
        "accepted, in Keras TypeError",
        "any truth value, as in Keras on JAX",
    ),
    (
        "Adaptive.*",
        r"data_format=(0|\(\)|\[\])",
        "refused",
        "Keras takes what is false for None",
    ),
    ("MultiHeadAttention", "output_shape=0", "", "Keras takes 0 for None"),
    ("EinsumDense", "None", "output shape|symbolic|free axes", "sizes that are known are told"),
]


def reason(name: str, case: str, line: str) -> str | None:
    """Why a difference stays; None where it is not known."""
    for names, cases, lines, why in KNOWN:
        if re.fullmatch(names, name) and re.search(cases, case) and re.search(lines, line):
            return why
    return None
