"""FeatureSpace: the columns of a table, each by its kind, as the numbers that a model takes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from layerkit import backend as K
from layerkit.backend import Tensor
from layerkit.backend.names import did_you_mean

from ..configurable import Configurable, deserialize, serialize
from ..data import PyDataset, Source, is_stream
from ..layers import (
    CategoryEncoding,
    Discretization,
    HashedCrossing,
    Hashing,
    Input,
    IntegerLookup,
    Layer,
    Normalization,
    Rescaling,
    StringLookup,
)
from ..layers.preprocessing.host import batches, on_host, one_of
from ..naming import auto_name
from ..saving import save_model
from ..symbolic import KerasTensor

_KERAS_MODULE = "keras.src.layers.preprocessing.feature_space"
_BATCH = 32  # rows of one dataset without batches that are learned from at once


class Cross(Configurable):
    """Several features, crossed: each combination of their values in one of `crossing_dim` bins."""

    keras_module = _KERAS_MODULE

    def __init__(self, feature_names: Any, crossing_dim: int, output_mode: str = "one_hot"):
        self.feature_names = tuple(feature_names)
        self.crossing_dim = crossing_dim
        self.output_mode = one_of("FeatureSpace", "output_mode", output_mode, ("int", "one_hot"))

    @property
    def name(self) -> str:
        return "_X_".join(self.feature_names)


class Feature(Configurable):
    """A column: the dtype of its values, the layer that makes numbers of them, and their form.

    `output_mode`: 'float' or 'int' for the layer's numbers as they are, 'one_hot' for its integers
    as rows of zeros and a one.
    """

    keras_module = _KERAS_MODULE

    def __init__(self, dtype: str, preprocessor: Any, output_mode: str):
        modes = ("int", "one_hot", "float")
        self.dtype = dtype
        self.preprocessor = deserialize(preprocessor)
        self.output_mode = one_of("FeatureSpace", "output_mode", output_mode, modes)


class FeatureSpace(Layer):
    """Columns of a table as one row of floats for each of its rows, or as a dict of encodings.

    `features`: {name: kind}, a kind being what `float`, `float_normalized`, `integer_categorical`
    and the other methods below give, or the name of one, for its defaults. `output_mode`: 'concat'
    for one tensor (batch, features), in the order of the names with crosses last; 'dict' for one
    per name. `crosses`: tuples of names, or what `cross` gives; `crossing_dim`: their bins.
    `hashing_dim`, `num_discretization_bins`: the bins of 'integer_hashed' and 'string_hashed', and
    of 'float_discretized', by name.

    `adapt` it to data, then call it on dicts of columns, or take `get_inputs` and
    `get_encoded_features` as the beginning of a functional model.
    """

    keras_module = "keras.utils"
    family = "utils"

    @classmethod
    def cross(cls, feature_names: Any, crossing_dim: int, output_mode: str = "one_hot") -> Cross:
        """A cross of features whose encodings are integers. `output_mode`: 'one_hot' or 'int'."""
        return Cross(feature_names, crossing_dim, output_mode)

    @classmethod
    def feature(cls, dtype: str, preprocessor: Any, output_mode: str) -> Feature:
        """A feature of values of `dtype` by any layer. `output_mode`: see `Feature`."""
        return Feature(dtype, preprocessor, output_mode)

    @classmethod
    def float(cls, name: str | None = None) -> Feature:
        """Floats, as they are."""
        return Feature("float32", TFDIdentity(dtype="float32", name=_of(name, "float")), "float")

    @classmethod
    def float_rescaled(
        cls, scale: Any = 1.0, offset: Any = 0.0, name: str | None = None
    ) -> Feature:
        """Floats times `scale`, plus `offset`."""
        layer = Rescaling(scale, offset, name=_of(name, "float_rescaled"))
        return Feature("float32", layer, "float")

    @classmethod
    def float_normalized(cls, name: str | None = None) -> Feature:
        """Floats, to the mean 0 and the variance 1 in what was seen."""
        return Feature("float32", Normalization(name=_of(name, "float_normalized")), "float")

    @classmethod
    def float_discretized(
        cls,
        num_bins: int | None,
        bin_boundaries: Any = None,
        output_mode: str = "one_hot",
        name: str | None = None,
    ) -> Feature:
        """Floats by their bins: `num_bins` equally full ones, or those between `bin_boundaries`."""
        layer = Discretization(bin_boundaries, num_bins, name=_of(name, "float_discretized"))
        return Feature("float32", layer, output_mode)

    @classmethod
    def integer_categorical(
        cls,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        output_mode: str = "one_hot",
        name: str | None = None,
    ) -> Feature:
        """Integers by their place in a vocabulary of those seen, by IntegerLookup."""
        layer = IntegerLookup(max_tokens, num_oov_indices, name=_of(name, "integer_categorical"))
        return Feature("int32", layer, output_mode)

    @classmethod
    def string_categorical(
        cls,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        output_mode: str = "one_hot",
        name: str | None = None,
    ) -> Feature:
        """Strings by their place in a vocabulary of those seen, by StringLookup."""
        layer = StringLookup(max_tokens, num_oov_indices, name=_of(name, "string_categorical"))
        return Feature("string", layer, output_mode)

    @classmethod
    def integer_hashed(
        cls, num_bins: int, output_mode: str = "one_hot", name: str | None = None
    ) -> Feature:
        """Integers by their hash, in one of `num_bins` bins."""
        layer = Hashing(num_bins, name=_of(name, "integer_hashed"))
        return Feature("int32", layer, output_mode)

    @classmethod
    def string_hashed(
        cls, num_bins: int, output_mode: str = "one_hot", name: str | None = None
    ) -> Feature:
        """Strings by their hash, in one of `num_bins` bins."""
        return Feature("string", Hashing(num_bins, name=_of(name, "string_hashed")), output_mode)

    def __init__(
        self,
        features: dict[str, Any],
        output_mode: str = "concat",
        crosses: Any = None,
        crossing_dim: int = 32,
        hashing_dim: int = 32,
        num_discretization_bins: int = 32,
        name: str | None = None,
    ):
        super().__init__(name=name)
        if not features:
            raise ValueError(
                "The `features` argument cannot be None or empty. Pass a dict of kinds by name, "
                f"such as {{'age': 'float_normalized'}}. Received: features={features}"
            )
        self.crossing_dim = crossing_dim
        self.hashing_dim = hashing_dim
        self.num_discretization_bins = num_discretization_bins
        self.output_mode = one_of("FeatureSpace", "output_mode", output_mode, ("dict", "concat"))
        self.features = {name: self._as_feature(name, kind) for name, kind in features.items()}
        self.crosses = [self._as_cross(cross) for cross in crosses or ()]
        self.crosses_by_name = {cross.name: cross for cross in self.crosses}
        self.inputs = {
            name: Input((1,), dtype=feature.dtype, name=name)
            for name, feature in self.features.items()
        }
        self.preprocessors = {name: kind.preprocessor for name, kind in self.features.items()}
        self.crossers = {
            name: HashedCrossing(cross.crossing_dim, name=name)
            for name, cross in self.crosses_by_name.items()
        }
        self.one_hot_encoders: dict[str, CategoryEncoding] = {}
        self.concat: TFDConcat | None = None
        self.encoded_features: Any = None
        self._is_adapted = not self._learning()

    def _as_feature(self, name: str, kind: Any) -> Feature:
        kind = deserialize(kind)
        if isinstance(kind, Feature):
            return kind
        if kind not in _KINDS:
            near = did_you_mean(kind, _KINDS) if isinstance(kind, str) else ""
            raise ValueError(
                f"Invalid feature type: {kind}. Feature '{name}' expects one of {_KINDS}, or what "
                f"a method such as `FeatureSpace.float()` gives.{near}"
            )
        bins = {
            "float_discretized": self.num_discretization_bins,
            "integer_hashed": self.hashing_dim,
            "string_hashed": self.hashing_dim,
        }
        options = {"num_bins": bins[kind]} if kind in bins else {}
        return getattr(self, kind)(name=name, **options)

    def _as_cross(self, given: Any) -> Cross:
        given = deserialize(given)
        if not isinstance(given, Cross) and not self.crossing_dim:
            raise ValueError(
                "When specifying `crosses`, the argument `crossing_dim` (dimensionality of the "
                "crossing space) should be specified as well. "
                f"Received: crossing_dim={self.crossing_dim}"
            )
        cross = given if isinstance(given, Cross) else Cross(given, self.crossing_dim)
        unknown = [name for name in cross.feature_names if name not in self.features]
        if unknown:
            raise ValueError(
                "All features referenced in the `crosses` argument should be present in the "
                f"`features` dict, which has {list(self.features)}. Received unknown features: "
                f"{unknown} in {cross.feature_names}"
            )
        if len(cross.feature_names) < 2:
            raise ValueError(
                "Each of the `crosses` takes at least two features. Received: "
                f"{cross.feature_names}"
            )
        return cross

    # Learning.

    def adapt(self, dataset: Any) -> None:
        """Learn vocabularies, moments and boundaries from `dataset`.

        A dict of columns (arrays or lists), or an iterable of such dicts: a list, a generator, a
        PyDataset, a Source. They may be batches, or single rows, scalars. Of (inputs, targets) the
        inputs count. ValueError for anything else.
        """
        dataset = _checked_dataset(dataset)
        for name in self._learning():
            self.preprocessors[name].adapt(_Column(dataset, name))
        self._is_adapted = True
        self.encoded_features = None  # vocabularies may have another size now
        self._build_encoders()

    def _learning(self) -> list[str]:
        """The features whose layer has something to learn."""
        return [name for name, layer in self.preprocessors.items() if _learns(layer)]

    def _build_encoders(self) -> None:
        """Make the layers behind the features' own, once it is known how many numbers these give.

        ValueError where nothing was learned yet, and for features that cannot be encoded so.
        """
        if self.encoded_features is not None:
            return
        if not self._is_adapted:
            raise ValueError(
                "You need to call `.adapt(dataset)` on the FeatureSpace before you can start using "
                f"it: {self._learning()} have something to learn."
            )
        numbers = self._numbers(self.inputs)
        self.one_hot_encoders = {
            name: self._encoder_of(name, x)
            for name, x in numbers.items()
            if self._output_mode_of(name) == "one_hot"
        }
        self.concat = TFDConcat(axis=-1) if self.output_mode == "concat" else None
        self.encoded_features = self._encoded(numbers)
        self.built = True

    def _output_mode_of(self, name: str) -> str:
        return (self.features.get(name) or self.crosses_by_name[name]).output_mode

    def _encoder_of(self, name: str, x: KerasTensor) -> CategoryEncoding:
        if not x.dtype.startswith("int"):
            raise ValueError(
                f"Feature '{name}' has `output_mode='one_hot'`. Thus its preprocessor should "
                f"return an integer dtype. Instead it returns a {x.dtype} dtype: use "
                "`output_mode='float'`."
            )
        size = _how_many(self.preprocessors.get(name) or self.crossers[name])
        if size is None:
            raise ValueError(
                f"Feature '{name}' has `output_mode='one_hot'`. However it isn't a standard "
                "feature and the dimensionality of its output space is not known, thus it cannot "
                "be one-hot encoded. Try using `output_mode='int'`."
            )
        return CategoryEncoding(num_tokens=size, output_mode="multi_hot")

    # Encoding.

    def get_inputs(self) -> dict[str, KerasTensor]:
        """{name: symbolic tensor (None, 1) of the feature's dtype}: the inputs of a model."""
        self._build_encoders()
        return self.inputs

    def get_encoded_features(self) -> Any:
        """What encoding `get_inputs` gives: a symbolic tensor, or a dict of them."""
        self._build_encoders()
        return self.encoded_features

    def __call__(self, data: dict[str, Any]) -> Any:  # type: ignore[override]
        """The encoding of `data`, a dict of columns (batch,) or (batch, 1), or of scalars: one row.

        Arrays, tensors, lists, or symbolic tensors. ValueError where columns are missing, unknown,
        or of unequal length.
        """
        self._build_encoders()
        self._check_names(data)
        columns = {name: self._column(name, data[name]) for name in self.features}
        is_row = any(not len(x.shape) for x in columns.values())
        columns = {name: _as_matrix(x) for name, x in columns.items()}
        self._check_lengths(columns)
        encoded = self._encoded(self._numbers(columns))
        if not is_row:
            return encoded
        return {name: x[0] for name, x in encoded.items()} if self.concat is None else encoded[0]

    def _check_names(self, data: Any) -> None:
        if not isinstance(data, dict):
            raise ValueError(
                "A FeatureSpace can only be called with a dict: {name of a feature: its values}. "
                f"Received: data={data} (of type {type(data)})"
            )
        missing = [name for name in self.features if name not in data]
        unknown = [name for name in data if name not in self.features]
        if missing or unknown:
            raise ValueError(
                f"FeatureSpace '{self.name}' expects values of the features "
                f"{list(self.features)}. Received: {list(data)}. Missing: {missing}, to be left "
                f"out: {unknown}"
            )

    def _column(self, name: str, values: Any) -> Any:
        x = values if isinstance(values, (Tensor, KerasTensor)) else on_host(values)
        dtype = self.features[name].dtype
        if x.dtype == object and dtype != "string":
            raise ValueError(
                f"Feature '{name}' of FeatureSpace '{self.name}' expects {dtype} values; received "
                "strings: make numbers of them, or use 'string_categorical'."
            )
        return x

    def _check_lengths(self, columns: dict[str, Any]) -> None:
        lengths = {name: x.shape[0] for name, x in columns.items()}
        if len(set(lengths.values())) > 1:
            raise ValueError(
                f"FeatureSpace '{self.name}' expects as many values of each feature. Received: "
                f"{lengths}"
            )

    def _numbers(self, columns: dict[str, Any]) -> dict[str, Any]:
        """What the features' own layers and the crosses give, in the order of an encoded row."""
        numbers = {name: layer(columns[name]) for name, layer in self.preprocessors.items()}
        crossed = {
            name: self.crossers[name](self._to_be_crossed(cross, numbers))
            for name, cross in self.crosses_by_name.items()
        }
        return {**dict(sorted(numbers.items())), **dict(sorted(crossed.items()))}

    def _to_be_crossed(self, cross: Cross, numbers: dict[str, Any]) -> list[Any]:
        """ValueError for floats, which have no combinations worth a bin."""
        for name in cross.feature_names:
            dtype = str(numbers[name].dtype)
            if not dtype.startswith("int"):
                raise ValueError(
                    f"Cross '{cross.name}' takes features whose preprocessor gives integers. "
                    f"Received: '{name}', whose gives {dtype}: put it into bins first, as "
                    "'float_discretized' does."
                )
        return [numbers[name] for name in cross.feature_names]

    def _encoded(self, numbers: dict[str, Any]) -> Any:
        one_hot = self.one_hot_encoders
        encoded = {name: one_hot[name](x) if name in one_hot else x for name, x in numbers.items()}
        if self.concat is None:
            return encoded
        for name, x in encoded.items():
            if not str(x.dtype).startswith(("float", "bfloat")):
                raise ValueError(
                    f"Cannot concatenate features because feature '{name}' has not been encoded "
                    f"(it has dtype {x.dtype}). Consider using `output_mode='dict'`."
                )
        return self.concat(list(encoded.values()))

    # Files.

    def get_config(self) -> dict[str, Any]:
        """The arguments apart from the name; what was learned is weights and assets."""
        names = "features output_mode crosses crossing_dim hashing_dim num_discretization_bins"
        return {name: serialize(getattr(self, name)) for name in names.split()}

    def get_build_config(self) -> dict[str, Any] | None:
        """What the features' layers were built for; None where nothing was learned yet."""
        if not self._is_adapted:
            return None
        layers = {n: layer for n, layer in self.preprocessors.items() if isinstance(layer, Layer)}
        return {name: layer.get_build_config() or {} for name, layer in layers.items()}

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Build the features' layers as they were built in the saved one, which had learned."""
        for name, build_config in config.items():
            layer = self.preprocessors[name]
            if build_config and not layer.built:
                layer.build_from_config(build_config)
        self._is_adapted = self.built = True

    def save(self, filepath: Any) -> None:
        """Write it as a `.keras` file, which `models.load_model` reads, here and in Keras."""
        save_model(self, filepath)


_KINDS = (
    "float",
    "float_rescaled",
    "float_normalized",
    "float_discretized",
    "integer_categorical",
    "string_categorical",
    "integer_hashed",
    "string_hashed",
)


class TFDIdentity(Layer):
    """Numbers as floats of the layer's type."""

    keras_module = _KERAS_MODULE
    family = "feature_space"

    def call(self, inputs: Any) -> Any:
        return K.cast(inputs, self.compute_dtype)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape


class TFDConcat(Layer):
    """Tensors side by side along `axis`; there may be one alone."""

    keras_module = _KERAS_MODULE
    family = "feature_space"

    def __init__(self, axis: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.axis = axis

    def call(self, inputs: Any) -> Any:
        return K.concatenate(inputs, axis=self.axis)


def _of(name: str | None, kind: str) -> str:
    """The name of a feature's layer."""
    return f"{name or auto_name(kind)}_preprocessor"


def _learns(layer: Any) -> bool:
    """Whether `adapt` has something to find out."""
    if getattr(layer, "_has_input_vocabulary", False):
        return False
    if isinstance(layer, Normalization):
        return layer.input_mean is None
    if isinstance(layer, Discretization):
        return layer.num_bins is not None
    return hasattr(layer, "adapt")


def _how_many(layer: Any) -> int | None:
    """How many integers a layer gives; None where that is not known."""
    if isinstance(layer, (IntegerLookup, StringLookup)):
        return layer.vocabulary_size()
    if isinstance(layer, CategoryEncoding):
        return layer.num_tokens
    if isinstance(layer, Discretization):
        return layer.num_bins or len(layer.bin_boundaries or ()) + 1
    return layer.num_bins if isinstance(layer, (HashedCrossing, Hashing)) else None


# Columns of a dataset, and of what is to be encoded.


class _Column:
    """The batches of one feature in a dataset, pass after pass: arrays (batch, 1), or wider ones.

    Scalars are put into batches of 32, and vectors get an axis, as Keras does.
    """

    def __init__(self, dataset: Any, name: str):
        self._dataset, self._name = dataset, name

    def __iter__(self) -> Iterator[Any]:
        waiting: list[Any] = []
        for x in self._values():
            if x.ndim:
                yield x[:, None] if x.ndim == 1 else x
                continue
            waiting.append(x[()])
            if len(waiting) == _BATCH:
                yield on_host(waiting)[:, None]
                waiting = []
        if waiting:
            yield on_host(waiting)[:, None]

    def _values(self) -> Iterator[Any]:
        if isinstance(self._dataset, dict):
            return iter(map(on_host, on_host(self._of(self._dataset))))
        return (on_host(self._of(batch)) for batch in batches(self._dataset))

    def _of(self, batch: Any) -> Any:
        if not isinstance(batch, dict):
            raise ValueError(
                "`adapt()` of a FeatureSpace expects a dataset that gives dicts: {name of a "
                f"feature: its values}}. It gave {batch!r} (of type {type(batch)})"
            )
        if self._name not in batch:
            raise ValueError(
                f"`adapt()` of a FeatureSpace expects values of feature '{self._name}'. Received: "
                f"values of {list(batch)}"
            )
        return batch[self._name]


def _checked_dataset(dataset: Any) -> Any:
    """`dataset`, which may be passed through again and again."""
    known = isinstance(dataset, (dict, list, tuple, PyDataset, Source)) or is_stream(dataset)
    if not known:
        raise ValueError(
            "`adapt()` can only be called on a dict of arrays/lists, or on a dataset (an iterable) "
            f"of such dicts. Received instead: {dataset} (of type {type(dataset)})"
        )
    return list(dataset) if hasattr(dataset, "__next__") else dataset


def _as_matrix(x: Any) -> Any:
    """Scalars as (1, 1), vectors (batch,) as (batch, 1)."""
    if len(x.shape) == 0:
        return x[None, None]
    return x[:, None] if len(x.shape) == 1 else x
