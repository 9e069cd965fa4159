"""What the tests of KerasFileEditor do to `jax-mlp.keras`, one step a row; Keras does the same.

(method, arguments): an argument that is a dict stands for weights, {name: shape}, of zeros.
The model that the file is compared with after each step has `UNITS` units and `INPUTS` inputs.
"""

FILE = "jax-mlp.keras"
INPUTS = 6
UNITS = (5, 3, 2)

STEPS = (
    ("compare",),
    ("delete_object", "optimizer"),
    ("add_object", "layers/dense_3", {"0": (3, 2)}),
    ("rename_object", "dense_3", "dense_4"),
    ("rename_object", "layers/dense_4", "dense_2"),
    ("add_weights", "dense_2", {"1": (7,)}),
    ("delete_weight", "dense_2", "1"),
    ("add_weights", "layers/dense_2", {"1": (2,)}),
    ("add_object", "extra", {"0": (1,), "1": ()}),
    ("delete_object", "extra"),
)

# (method, arguments) that raise ValueError, and how Keras's message begins.
ERRORS = (
    ("rename_object", "dense", "a/b"),
    ("rename_object", "dense_9", "a"),
    ("delete_object", "layers/dense_9"),
    ("delete_object", "nowhere/dense"),
    ("delete_object", "0"),
    ("add_object", "a/b/c", {"0": (1,)}),
    ("add_object", "a", [1]),
    ("add_weights", "dense", [1]),
    ("delete_weight", "layers/dense", "7"),
    ("save", "a.keras"),
)
