"""What the arguments of Keras 1 and 2 are called now, for scripts and for files alike."""

from __future__ import annotations

from typing import Any

from .constructors import parameters_of

# What old arguments of constructors are now: the first of these that a class takes.
RENAMED = {
    "U_regularizer": ["recurrent_regularizer"],
    "W_constraint": ["kernel_constraint", "embeddings_constraint"],
    "W_regularizer": ["kernel_regularizer", "embeddings_regularizer"],
    "alpha": ["negative_slope"],
    "atrous_rate": ["dilation_rate"],
    "b_constraint": ["bias_constraint"],
    "b_regularizer": ["bias_regularizer"],
    "beta_init": ["beta_initializer"],
    "bias": ["use_bias"],
    "border_mode": ["padding"],
    "cropping_dims": ["cropping"],
    "depthwise_init": ["depthwise_initializer"],
    "dim_ordering": ["data_format"],
    "dims": ["target_shape"],
    "dropout_U": ["recurrent_dropout"],
    "dropout_W": ["dropout"],
    "epsilon": ["min_delta"],
    "filter_length": ["kernel_size"],
    "gamma_init": ["gamma_initializer"],
    "init": ["kernel_initializer", "embeddings_initializer", "alpha_initializer"],
    "inner_activation": ["recurrent_activation"],
    "inner_init": ["recurrent_initializer"],
    "l": ["l2", "l1"],
    "length": ["size"],
    "lr": ["learning_rate"],
    "m": ["max_value"],
    "nb_filter": ["filters"],
    "nb_epoch": ["epochs"],
    "output_dim": ["units"],
    "p": ["rate"],
    "pool_length": ["pool_size"],
    "sigma": ["stddev", "rate"],
    "stride": ["strides"],
    "subsample": ["strides"],
    "subsample_length": ["strides"],
}
TOGETHER = {
    ("nb_row", "nb_col"): "kernel_size",
    ("kernel_dim1", "kernel_dim2", "kernel_dim3"): "kernel_size",
}
_VALUES: dict[str, dict[str, str | None]] = {
    "data_format": {"th": "channels_first", "tf": "channels_last", "default": None},
}


def with_new_names(cls: type, given: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """The arguments of a constructor by their names of today, and {old: new} of those renamed."""
    taken = set(parameters_of(cls))
    new, renamed = dict(given), {}
    for group, name in TOGETHER.items():
        if group[0] in new and name in taken:
            new[name] = tuple(new.pop(part) for part in group)
            renamed[", ".join(group)] = name
    for old in [key for key in new if key not in taken]:
        for name in [n for n in RENAMED.get(old, ()) if n in taken and n not in new][:1]:
            new[name] = new.pop(old)
            renamed[old] = name
    for argument, values in _VALUES.items():
        if isinstance(new.get(argument), str):
            new[argument] = values.get(new[argument], new[argument])
    return new, renamed
