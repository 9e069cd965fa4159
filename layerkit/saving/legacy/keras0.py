"""Architectures of Keras 0 in the form of Keras 1: {"name": class, ...} as class and config."""

from __future__ import annotations

from collections import Counter
from typing import Any

Described = dict[str, Any]  # {"class_name", "config"}

_ABOUT = ("name", "custom_name", "cache_enabled", "optimizer", "loss", "sample_weight_mode")


def is_of_keras_0(config: Any) -> bool:
    """Whether `config` is what `to_json` of Keras 0 gave of a Sequential or a Graph."""
    if not isinstance(config, dict) or "class_name" in config:
        return False
    return isinstance(config.get("layers"), list) or isinstance(config.get("node_config"), list)


def node_order(config: Any) -> tuple[str, ...]:
    """The names of a Graph's nodes in the order of their weights; () for other models."""
    if not is_of_keras_0(config) or "node_config" not in config:
        return ()
    return tuple(node["name"] for node in config["node_config"])


def as_keras_1(config: dict[str, Any]) -> Described:
    """The description of a model of Keras 0, whose layers get the names that Keras 1 gave."""
    described = _graph(config) if "node_config" in config else _described(config, Counter())
    return {**described, "keras_version": "0"}


def _described(config: dict[str, Any], seen: Counter[str]) -> Described:
    inner = {key: x for key, x in config.items() if key not in _ABOUT}
    name = str(config["name"])
    if isinstance(inner.get("layers"), list):
        inner["layers"] = [_described(layer, seen) for layer in inner["layers"]]
    if "input_shape" in inner:
        inner["batch_input_shape"] = [None, *inner.pop("input_shape")]
    seen[name] += 1
    return {"class_name": name, "config": {**inner, "name": f"{name.lower()}_{seen[name]}"}}


# --- graphs --------------------------------------------------------------------------------------


def _graph(config: dict[str, Any]) -> Described:
    """The functional model that a Graph is: its nodes, and a layer for each output."""
    entries = [_input(each) for each in config["input_config"]]
    for node in config["node_config"]:
        described = _described(config["nodes"][node["name"]], Counter())
        entries += _called(node, described["class_name"], described["config"])
    for output in config["output_config"]:
        if not any(entry["name"] == output["name"] for entry in entries):  # else it is a node
            entries += _called(output, "Activation", {"activation": "linear"})
    ends = {
        f"{end}_layers": [[name, 0, 0] for name in config[f"{end}_order"]]
        for end in ("input", "output")
    }
    return {"class_name": "Model", "config": {"name": "graph", "layers": entries, **ends}}


def _input(described: dict[str, Any]) -> Described:
    dtype = "int32" if described.get("dtype") == "int" else "float32"
    shape = [None, *described["input_shape"]]
    return _entry("InputLayer", described["name"], {"batch_input_shape": shape, "dtype": dtype}, [])


def _called(node: dict[str, Any], class_name: str, config: dict[str, Any]) -> list[Described]:
    """A layer on what feeds it, which is merged first where it is more than one."""
    fed_by = node.get("inputs") or [node["input"]]
    entries = []
    if len(fed_by) > 1:
        name = f"merge_inputs_for_{node['name']}"
        merge = {key: node.get(key, -1) for key in ("concat_axis", "dot_axes")}
        entries.append(_entry("Merge", name, {**merge, "mode": node["merge_mode"]}, fed_by))
        fed_by = [name]
    return [*entries, _entry(class_name, node["name"], config, fed_by)]


def _entry(class_name: str, name: str, config: dict[str, Any], fed_by: list[str]) -> Described:
    nodes = [[[each, 0, 0] for each in fed_by]] if fed_by else []
    config = {**config, "name": name}
    return {"class_name": class_name, "config": config, "name": name, "inbound_nodes": nodes}
