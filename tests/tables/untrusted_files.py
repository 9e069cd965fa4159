"""Files that mean harm, as rows: what is in the file, and the words with which it is refused.

The ids begin with the number of the check of Keras 3.15 that stops the same attack there, or that
was added after an attack had succeeded ("k1" to "k26"; CVE numbers where they are known), with
"gap" for what Keras leaves open, and with "more" for what neither had. The HDF5 attacks (k12 to
k14) are in `test_fuzzed_files`, in every format; the rows of archives (k20, k21) and names of
downloads (k22) in `test_get_file`; k23 also in `test_file_editor`; pickles in `.npz` files (k17)
in `test_weights_formats`; what pickled data sets may hold (k24) in `test_keras_datasets`.
"""

from __future__ import annotations

import base64
import marshal
from typing import Any, NamedTuple

N = 10**9


class Attack(NamedTuple):
    """`what`: put into a whole file. `refused`: the message, a regular expression; "" where the
    file loads and nothing happens."""

    name: str
    what: Any
    refused: str = ""


def described(module: Any, name: Any, config: Any = None, **more: Any) -> dict[str, Any]:
    """A description as Keras 3 writes it."""
    inner = {} if config is None else config
    return {"module": module, "class_name": name, "config": inner, "registered_name": None, **more}


def layer(kind: Any, /, **config: Any) -> dict[str, Any]:
    return described("keras.layers", kind, config)


def function(name: Any, module: Any = "builtins") -> dict[str, Any]:
    return described(module, "function", name, registered_name="function")


# Python code that would write a file, if anybody ran it: see `CANARY` in the tests.
_CODE = compile("lambda x: __import__('canary_of_untrusted_files').sing()", "x", "eval")
_MARSHALLED = base64.b64encode(marshal.dumps(_CODE.co_consts[0])).decode()
LAMBDA = {"class_name": "__lambda__", "config": {"code": _MARSHALLED, "defaults": None}}
OLD_LAMBDA = [_MARSHALLED, None, None]
CANARY = "canary_of_untrusted_files"

_NO_CODE = "never runs code from a file"
_NO_CLASS = "Could not locate class"
_NO_NAME = "Expected 'class_name' to be the name of a class"
_NO_FUNCTION = "Could not locate function"

# --- one more layer in a model, in `.keras`, `.h5` and JSON --------------------------------------

LAYERS = [
    Attack("k1 CVE-2024-3660 code", layer("Lambda", name="l", function=LAMBDA), _NO_CODE),
    Attack("k1 code of Keras 2", layer("Lambda", name="l", function=OLD_LAMBDA), _NO_CODE),
    Attack(
        "k1 code that says where a shape is from",
        layer("Lambda", name="l", function=function("relu"), output_shape=LAMBDA),
        _NO_CODE,
    ),
    Attack(
        "k1 code as a mask",
        layer("Lambda", name="l", function=function("relu"), mask=LAMBDA),
        _NO_CODE,
    ),
    Attack("k1 code as an activation", layer("Dense", units=2, activation=LAMBDA), _NO_CODE),
    Attack(
        "k1 code as an initializer", layer("Dense", units=2, kernel_initializer=LAMBDA), _NO_CODE
    ),
    Attack(
        "k2 code in a model inside that says it is safe",
        layer(
            "Sequential",
            name="s",
            safe_mode=False,
            layers=[layer("Lambda", name="l", function=LAMBDA)],
        ),
        _NO_CODE,
    ),
    Attack("k3 CVE-2025-1550 os.system", described("os", "system", "true"), _NO_CLASS),
    Attack("k3 subprocess.Popen", described("subprocess", "Popen", {"args": "true"}), _NO_CLASS),
    Attack("k3 builtins.eval", described("builtins", "eval", "1"), _NO_CLASS),
    Attack("k3 a module of the disk", described(CANARY, "Layer", {}), _NO_CLASS),
    Attack(
        "k3 a module by the registered name",
        described(None, "Layer", {}, registered_name=f"{CANARY}>Sing"),
        _NO_CLASS,
    ),
    Attack("k3 a module below keras", described("keras.os", "system", {}), _NO_CLASS),
    Attack("k3 a path for a name", described("keras.layers", "os.system", {}), _NO_CLASS),
    Attack(
        "k3 a function of the system",
        layer("Activation", activation=function("system", "os")),
        _NO_FUNCTION,
    ),
    Attack(
        "k3 a builtin as a function",
        layer("Lambda", name="l", function=function("eval")),
        _NO_FUNCTION,
    ),
    Attack("k3 an attribute of a class", described("keras.layers", "__class__", {}), _NO_CLASS),
    Attack(
        "k3 a class that is not for files",
        described("keras.saving", "KerasFileEditor", {"filepath": "x"}),
        _NO_CLASS,
    ),
    *[
        Attack(
            f"k4 CVE-2025-8747 {module}.{name}",
            described(module, name, {"filepath": "x"}),
            _NO_CLASS,
        )
        for module, name in [
            ("keras.utils", "get_file"),
            ("layerkit.utils", "get_file"),
            ("keras.models", "load_model"),
            ("keras.saving", "save_model"),
            ("keras.config", "enable_unsafe_deserialization"),
            ("keras.utils", "load_img"),
            ("keras.utils", "image_dataset_from_directory"),
            ("keras.datasets.imdb", "load_data"),
            ("keras.saving", "deserialize_keras_object"),
            ("keras.saving", "register_keras_serializable"),
            ("keras.utils", "clear_session"),
            ("keras.callbacks", "CSVLogger"),
            ("keras.callbacks", "RemoteMonitor"),
            ("keras.callbacks", "BackupAndRestore"),
        ]
    ],
    Attack(
        "k4 CVE-2025-9906 as a function",
        layer("Lambda", name="l", function=function("get_file", "keras.utils")),
        _NO_FUNCTION,
    ),
    Attack(
        "k5 a builtin that says it is the user's",
        {**layer("Flatten", name="d"), "registered_name": "Evil>Shadow"},
    ),
    Attack("k6 no config", layer("Dense") | {"config": "x"}, "Expected 'config' to be a dict"),
    Attack(
        "k6 a list for a function", layer("Activation", activation=function(["relu"])), _NO_FUNCTION
    ),
    Attack("k6 a type", described("builtins", "__typespec__", "x"), _NO_CLASS),
    Attack("k6 a number for a module", {**layer("Dense", units=3), "module": 5}, _NO_CLASS),
    Attack(
        "k6 a list for a class",
        {**layer("Dense", units=3), "class_name": ["Dense"]},
        _NO_NAME,
    ),
    Attack(
        "k6 a dict for a class",
        {**layer("Dense", units=3), "class_name": {}},
        _NO_NAME,
    ),
    Attack(
        "k7 a loss for a layer", described("keras.losses", "MeanSquaredError"), "Only instances of"
    ),
    Attack(
        "k7 an optimizer for a layer", described("keras.optimizers", "Adam"), "Only instances of"
    ),
    Attack("k8 CVE-2025-49655 a pickle", layer("TorchModuleWrapper", module="gASV"), _NO_CLASS),
    Attack("k9 a SavedModel", layer("TFSMLayer", filepath="/tmp/x"), _NO_CLASS),
    Attack("k9 a function of JAX", layer("JaxLayer", call_fn=LAMBDA), _NO_CODE),
    *[
        Attack(
            f"k11 CVE-2025-12058 {name}",
            layer(name, vocabulary="/etc/passwd"),
            "vocabulary file outside",
        )
        for name in ("StringLookup", "IntegerLookup", "TextVectorization")
    ],
    Attack(  # slashes in names are dots here, and the file has no weights of that layer
        "k18 a name that leads elsewhere",
        layer("Dense", units=3, name="../../x"),
        "cannot contain|Layer count mismatch",
    ),
    # Numbers that declare more than the file can hold.
    *[
        Attack(f"gap {name} {config}"[:60], layer(name, name="big", **config), "declares '")
        for name, config in [
            ("Dense", {"units": N}),
            ("Dense", {"units": 10**30}),
            ("Embedding", {"input_dim": N, "output_dim": N}),
            ("EinsumDense", {"equation": "ab,bc->ac", "output_shape": N}),
            ("MaxoutDense", {"units": N, "nb_feature": N}),
            ("SpectralNormalization", {"layer": layer("Dense", units=N, name="big")}),
        ]
    ],
    Attack("more units that are no number", layer("Dense", units=float("nan")), "units"),
    Attack("more units that are endless", layer("Dense", units=float("inf")), "units"),
    Attack("more a text of a million digits", layer("Dense", units="9" * 10**6), r"9 \[\.\.\.\] 9"),
    Attack(
        "more texts of a gigabyte",
        layer(
            "Dense",
            units=3,
            name={"class_name": "__numpy__", "config": {"value": ["a"], "dtype": "U500000000"}},
        ),
        "expected one of numbers",
    ),
    Attack(
        "more objects of a gigabyte",
        layer(
            "Dense",
            units=3,
            name={"class_name": "__tensor__", "config": {"value": [], "dtype": "V2000000000"}},
        ),
        "expected one of numbers",
    ),
    Attack(
        "more names that steer the terminal",
        layer("Dropout", rate=0.5, name="\x1b[31mred\x1b]0;title\x07"),
    ),
    Attack(
        "more classes that steer the terminal",
        layer("\x1b[2J\x9b31m\u202eEvil"),
        r"\\x1b\[2J\\x9b31m\\u202eEvil",
    ),
    Attack("more half a character", layer("Dropout", rate=0.5, name="\ud800")),
    Attack("more a nul", layer("Dense\0"), _NO_CLASS),
]

# --- the training configuration: what cannot be had is left out, and told ------------------------

COMPILED = [
    Attack("k1 code as a loss", {"loss": LAMBDA}),
    Attack("k1 code as a metric", {"metrics": [LAMBDA]}),
    Attack(
        "k1 code as a schedule",
        {"optimizer": described("keras.optimizers", "SGD", {"learning_rate": LAMBDA})},
    ),
    Attack("k3 a module as a loss", {"loss": described(CANARY, "sing")}),
    Attack("k3 a module's function as a metric", {"metrics": [function("sing", CANARY)]}),
    Attack(
        "k4 a download as a metric",
        {"metrics": [described("layerkit.utils", "get_file", {"origin": "http://127.0.0.1:9/x"})]},
    ),
    Attack(
        "k4 a download as a metric's function", {"metrics": [function("get_file", "keras.utils")]}
    ),
    Attack(
        "k4 a loader as an optimizer",
        {"optimizer": described("keras.models", "load_model", {"filepath": "x"})},
    ),
    Attack(
        "k4 a loader as a schedule",
        {
            "optimizer": described(
                "keras.optimizers",
                "SGD",
                {"learning_rate": described("keras.models", "load_model", {"filepath": "x"})},
            )
        },
    ),
    Attack("k4 a layer as an optimizer", {"optimizer": layer("Dense", units=N)}),
    Attack("k6 a list for an optimizer", {"optimizer": [1]}),
    Attack("k6 a number for a loss", {"loss": 5}),
    Attack(
        "gap a metric that is a bomb",
        {"metrics": [described("keras.metrics", "MeanIoU", {"num_classes": N})]},
    ),
    Attack(
        "gap a metric of many thresholds",
        {"metrics": [described("keras.metrics", "AUC", {"num_thresholds": N})]},
    ),
    Attack(
        "more a pattern that takes for ever",
        {"optimizer": described("keras.optimizers", "Muon", {"exclude_layers": ["(d|d|.)*$x"]})},
    ),
    Attack(
        "more many repetitions",
        {"optimizer": described("keras.optimizers", "Muon", {"exclude_layers": [".*.*.*.*.*x"]})},
    ),
    Attack(
        "more gradients of a million steps",
        {"optimizer": described("keras.optimizers", "SGD", {"momentum": float("nan")})},
    ),
    Attack("more what steers the terminal", {"loss": "\x1b[2J"}),
]

# --- operations of functional models, which are tried on samples ---------------------------------


class Call(NamedTuple):
    """An operation on inputs of these shapes, the batch apart. `times`: the inputs are given so
    often, in one list."""

    operation: str
    shapes: list[tuple[int, ...]]
    options: dict[str, Any]
    dtypes: tuple[str, ...] = ("float32",) * 3
    times: int = 0


_IMAGE, _LINE, _TALL, _WIDE = (4, 4, 3), (100, 3), (2**18, 1), (1, 2**18)
OPERATIONS = [
    Call("Tile", [(4,)], {"repeats": [1, N]}),
    Call("Repeat", [(4,)], {"repeats": N, "axis": 1}),
    Call("Pad", [(4,)], {"pad_width": [[0, 0], [N, 0]]}),
    Call("Pad", [(4,)], {"pad_width": [[0, 0], [N, 0]], "mode": "wrap"}),
    Call("OneHot", [(4,)], {"num_classes": N}, ("int32",)),
    Call("MultiHot", [(4,)], {"num_classes": N}, ("int32",)),
    Call("Bincount", [(4,)], {"minlength": N}, ("int32",)),
    Call("Unique", [(4,)], {"size": N}),
    Call("Resize", [_IMAGE], {"size": [10**5, 10**5]}),
    Call("Resize", [_IMAGE], {"size": [10**8, 1]}),
    Call("Resize", [_IMAGE], {"size": [N, N], "interpolation": "nearest"}),
    Call(
        "PadImages",
        [_IMAGE],
        {"top_padding": N, "bottom_padding": 0, "left_padding": 0, "right_padding": 0},
    ),
    Call("ExtractPatches", [_IMAGE], {"size": [10**5, 10**5], "padding": "same"}),
    Call("GaussianBlur", [_IMAGE], {"kernel_size": [10**6, 10**6]}),
    Call("ElasticTransform", [_IMAGE], {"sigma": N}),
    Call("SSIM", [_IMAGE, _IMAGE], {"filter_size": 10**6}),
    Call("Unfold", [(3, 64, 64)], {"kernel_size": 10**5, "padding": 10**5}),
    Call("Outer", [(2**18,), (2**18,)], {}),
    Call("Kron", [(2**10, 2**5), (2**10, 2**5)], {}),
    Call("Add", [(2**20, 1), (1, 2**20)], {}),
    Call("Where", [(2**20, 1), (1, 2**20), (1, 1)], {}),
    Call("Matmul", [_TALL, _WIDE], {}),
    Call("Dot", [_TALL, _WIDE], {}),
    Call("Tensordot", [_TALL, _WIDE], {"axes": [[2], [1]]}),
    Call("Einsum", [(2**15, 1), (2**15, 1)], {"subscripts": "abc,def->abcdef"}),
    Call("CDist", [_TALL, _TALL], {}),
    Call("DotProductAttention", [(2**18, 1, 1)] * 3, {}),
    Call("Linspace", [(4,), (4,)], {"num": N}),
    Call("Logspace", [(4,), (4,)], {"num": N}),
    Call("Geomspace", [(4,), (4,)], {"num": N}),
    Call("Full", [()], {"shape": [N, N]}),
    Call("Meshgrid", [(2**18,), (2**18,)], {}),
    Call("Diagflat", [(2**17,)], {}),
    Call("Scatter", [(1,), (4,)], {"shape": [N]}, ("int32", "float32")),
    Call("Take", [(2**20, 1), (2**20,)], {"axis": 0}, ("float32", "int32")),
    Call("TakeAlongAxis", [(2**20, 1), (1, 2**10)], {"axis": 2}, ("float32", "int32")),
    Call("Conv", [_LINE, (3, 4)], {"padding": "same", "dilation_rate": N}),
    Call("ConvTranspose", [_LINE, (4, 3)], {"strides": N}),
    Call("MaxPool", [_LINE], {"pool_size": N, "padding": "same"}),
    Call("AveragePool", [_LINE], {"pool_size": N, "padding": "same"}),
    Call("AdaptiveAveragePool", [_LINE], {"output_size": N}),
    Call("AdaptiveMaxPool", [_LINE], {"output_size": N}),
    Call("RFFT", [(4,)], {"fft_length": N}),
    Call("STFT", [(1000,)], {"sequence_length": 10, "sequence_stride": 1, "fft_length": N}),
    Call("ExtractSequences", [(2**18,)], {"sequence_length": 2**17, "sequence_stride": 1}),
    Call("CTCLoss", [(2**14,), (2**14, 2), (), ()], {}, ("int32", "float32", "int32", "int32")),
    Call(
        "CTCDecode",
        [(100, 5), ()],
        {"strategy": "beam_search", "top_paths": 10**7},
        ("float32", "int32"),
    ),
    Call("ArraySplit", [(4,)], {"indices_or_sections": N, "axis": 1}),
    Call("Stack", [(2**20,)], {}, times=200),
    Call("Concatenate", [(2**20,)], {}, times=200),
    Call("Inv", [(2**11, 2**11)], {}),
    Call("SVD", [(2**11, 2**11)], {}),
]
HARMLESS_OPERATIONS = [
    Call("Matmul", [(2, 2**15), (2**15, 2)], {}),
    Call("Einsum", [(2, 2**15), (2**15, 2)], {"subscripts": "abc,acd->abd"}),
    Call("Take", [(2**15, 4), (2**12,)], {"axis": 1}, ("float32", "int32")),
    Call("Diff", [(4,)], {"n": N}),
    Call("Roll", [(4,)], {"shift": 10**30, "axis": 1}),
    Call("Rot90", [(4, 4)], {"k": 10**18}),
]


def model_of(call: Call) -> dict[str, Any]:
    """The config of a functional model of one call."""
    names = [f"in{i}" for i in range(len(call.shapes))]
    layers: list[dict[str, Any]] = [
        {
            **layer("InputLayer", batch_shape=[None, *shape], dtype=dtype, name=name),
            "name": name,
            "inbound_nodes": [],
        }
        for name, shape, dtype in zip(
            names, call.shapes, (*call.dtypes, *("float32",) * 9), strict=False
        )
    ]
    args: Any = [tensor(name) for name in names]
    args = [args * call.times] if call.times else args
    operation = described("keras.src.ops.numpy", call.operation, {"name": "op", **call.options})
    layers.append({**operation, "name": "op", "inbound_nodes": [{"args": args, "kwargs": {}}]})
    return functional(layers, names, "op")


def tensor(name: Any, call: Any = 0, output: Any = 0) -> dict[str, Any]:
    """The mark of a tensor."""
    config = {"shape": [], "dtype": "float32", "keras_history": [name, call, output]}
    return {"class_name": "__keras_tensor__", "config": config}


def functional(layers: list[Any], inputs: list[str], output: str, call: int = 0) -> dict[str, Any]:
    config = {
        "name": "f",
        "layers": layers,
        "input_layers": [[name, 0, 0] for name in inputs],
        "output_layers": [[output, call, 0]],
    }
    return described("keras.src.models.functional", "Functional", config)


# --- graphs --------------------------------------------------------------------------------------

_INPUT = {
    **layer("InputLayer", batch_shape=[None, 4], dtype="float32", name="i"),
    "name": "i",
    "inbound_nodes": [],
}


def called(name: str, *tensors: Any, kind: str = "Dense", **config: Any) -> dict[str, Any]:
    """A layer that is called on each of the tensors."""
    nodes = [{"args": [x], "kwargs": {}} for x in tensors]
    config = config if kind != "Dense" else {"units": 4}
    return {**layer(kind, name=name, **config), "name": name, "inbound_nodes": nodes}


def graph(*layers: Any, output: str = "d", call: int = 0) -> dict[str, Any]:
    return functional([_INPUT, *layers], ["i"], output, call)


def _chain(kind: str, count: int, **config: Any) -> dict[str, Any]:
    """Layers that each join what the one before gave with itself."""
    names = ["i", *(f"a{i}" for i in range(count))]
    pairs = zip(names, names[1:], strict=False)
    made = [called(new, [tensor(old)] * 2, kind=kind, **config) for old, new in pairs]
    return graph(*made, output=names[-1])


def _nested(count: int) -> dict[str, Any]:
    model = graph(called("d", tensor("i")))
    for _ in range(count):
        node = {"args": [tensor("i")], "kwargs": {}}
        model = graph({**model, "name": "m", "inbound_nodes": [node] * 2}, output="m", call=1)
    return model


def _deep(count: int) -> Any:
    value: Any = layer("Dense", units=3)
    for _ in range(count):
        value = layer("Sequential", name="s", layers=[value])
    return value


_LOOP = "has a loop, or calls on what nothing gives"
GRAPHS = [
    Attack("more a circle", graph(called("d", tensor("e")), called("e", tensor("d"))), _LOOP),
    Attack("more a layer on itself", graph(called("d", tensor("d"))), _LOOP),
    Attack("more a call that is not there", graph(called("d", tensor("i", 10**30))), _LOOP),
    Attack("more a call before the first", graph(called("d", tensor("i", -N, -5))), "out of range"),
    Attack("more a list for a name", graph(called("d", tensor(["i"]))), "unhashable"),
    Attack("more a text for a number", graph(called("d", tensor("i", "0"))), "not supported"),
    Attack(
        "more an output that is not there",
        graph(called("d", tensor("i")), output="x"),
        "unknown layer",
    ),
    Attack("more 30 doublings, of references", _chain("Add", 30)),
    Attack("more 30 doublings, of lengths", _chain("Concatenate", 40, axis=-1), "declares tensors"),
    Attack("more a model in a model, called twice each", _nested(8)),
    Attack("more nested models", _deep(90), "nested deeper than 200 levels"),
    Attack("more many calls", graph(called("d", *[tensor("i")] * 50), call=49)),
    Attack(
        "more a shape of many axes",
        described(
            "keras",
            "Sequential",
            {
                "name": "s",
                "layers": [
                    layer("InputLayer", batch_shape=[None] * 100, dtype="float32", name="i"),
                    layer("Activation", activation="relu"),
                ],
            },
        ),
    ),
    Attack(
        "more a shape that overflows",
        described(
            "keras",
            "Sequential",
            {
                "name": "s",
                "layers": [
                    layer("InputLayer", batch_shape=[None, 10**30], dtype="float32", name="i"),
                    layer("Dense", units=1),
                ],
            },
        ),
        "declares 'kernel'",
    ),
    Attack(
        "more a dtype of long texts",
        described(
            "keras",
            "Sequential",
            {
                "name": "s",
                "layers": [
                    layer("InputLayer", batch_shape=[None, 4], dtype="U1000000000", name="i")
                ],
            },
        ),
        "Invalid dtype",
    ),
]
