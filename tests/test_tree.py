"""`layerkit.tree`: nested structures, as Keras has them."""

from __future__ import annotations

from collections import OrderedDict, defaultdict, deque, namedtuple

import pytest

from layerkit import tree

Point = namedtuple("Point", "x y")
ORDERED = OrderedDict([("b", 1), ("a", 2)])
DEFAULT = defaultdict(list, {"b": 1, "a": 2})
QUEUE = deque([1, 2], maxlen=5)
MIXED = {"b": 1, "a": [2, None, Point(3, 4)]}


@pytest.mark.parametrize(
    ("structure", "leaves"),
    [
        (MIXED, [2, None, 3, 4, 1]),
        (ORDERED, [1, 2]),
        (DEFAULT, [2, 1]),
        (QUEUE, [1, 2]),
        ({2: 1, "a": 2}, [1, 2]),
        (None, [None]),
        (5, [5]),
        ([[], {}, ()], []),
    ],
)
def test_flatten_and_pack(structure, leaves):
    assert tree.flatten(structure) == leaves
    packed = tree.pack_sequence_as(structure, leaves)
    assert packed == structure
    assert type(packed) is type(structure)
    if isinstance(structure, dict):
        assert list(packed) == list(structure)


def test_containers_keep_their_settings():
    doubled = tree.map_structure(lambda x: 2 * x, [DEFAULT, QUEUE])
    assert doubled == [{"b": 2, "a": 4}, deque([2, 4])]
    assert doubled[0].default_factory is list
    assert doubled[1].maxlen == 5


def test_flatten_with_path():
    paths = [(("a", 0), 2), (("a", 1), None), (("a", 2, 0), 3), (("a", 2, 1), 4), (("b",), 1)]
    assert tree.flatten_with_path(MIXED) == paths
    assert tree.flatten_with_path(ORDERED) == [(("b",), 1), (("a",), 2)]
    assert tree.flatten_with_path(5) == [((), 5)]


@pytest.mark.parametrize("structure", [[], (), {}, Point(1, 2), ORDERED, QUEUE])
def test_containers_are_nested(structure):
    assert tree.is_nested(structure)


@pytest.mark.parametrize("leaf", ["a", None, 1, {1, 2}])
def test_others_are_not(leaf):
    assert not tree.is_nested(leaf)


def test_map_structure():
    assert tree.map_structure(lambda x: x * 2, {"b": 1, "a": [2]}) == {"b": 2, "a": [4]}
    assert tree.map_structure(lambda x: x is None, [1, None]) == [False, True]
    assert tree.map_structure(lambda a, b: (a, b), {"a": 1, "b": 2}, ORDERED) == {
        "a": (1, 2),
        "b": (2, 1),
    }
    assert tree.map_structure(lambda x: x + 1, [1, None], none_is_leaf=False) == [2, None]
    pairs = tree.map_structure(lambda a, b: (a, b), [1, None], [2, None], none_is_leaf=False)
    assert pairs == [(1, 2), None]


def test_map_structure_up_to():
    def same(x):
        return x

    deep = [[1, 2], {"a": (3, 4)}]
    assert tree.map_structure_up_to([1, {"a": 2}], same, deep) == deep
    assert tree.map_structure_up_to([1, 2], lambda x, y: (x, y), [1, 2], [3, [4]]) == [
        (1, 3),
        (2, [4]),
    ]
    assert tree.map_structure_up_to(1, same, [1, 2]) == [1, 2]


def test_traverse():
    def to_tuple(x):
        return tuple(x) if isinstance(x, list) else None

    assert tree.traverse(lambda x: None, MIXED) == MIXED
    assert tree.traverse(to_tuple, [1, [2]]) == (1, [2])
    assert tree.traverse(to_tuple, [1, [2]], top_down=False) == (1, (2,))
    assert tree.traverse(lambda x: tree.MAP_TO_NONE if x == 2 else None, [1, 2]) == [1, None]


def test_lists_to_tuples_and_shapes():
    assert tree.lists_to_tuples({"a": [1, [2]], "b": Point([1], 2)}) == {
        "a": (1, (2,)),
        "b": Point((1,), 2),
    }
    shapes = {"a": (1, None), "b": [[1, 2], (3,)], "c": ()}
    assert tree.map_shape_structure(len, shapes) == {"a": 2, "b": [2, 1], "c": 0}


def test_same_structure_and_same_paths():
    tree.assert_same_structure([1, {"a": None}], [2, {"a": 3}])
    tree.assert_same_structure({"a": 1, "b": 3}, ORDERED)
    tree.assert_same_paths([1, 2], Point(1, 2))
    tree.assert_same_paths({0: 1}, [1])
    with pytest.warns(DeprecationWarning, match="`check_types` argument is deprecated"):
        tree.assert_same_structure([1], [2], check_types=False)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: tree.map_structure(print, [1], [1, 2]), "lengths are 1 and 2"),
        (lambda: tree.map_structure(print, [1], (1,)), "expected an instance of list, got tuple"),
        (lambda: tree.map_structure(print, [1], [[1]]), r"a leaf stands beside \[1\]"),
        (lambda: tree.map_structure(print, [1], 1), "expected an instance of list, got int"),
        (lambda: tree.map_structure(print, {"a": 1}, {"b": 1}), r"keys \['a'\] and \['b'\]"),
        (lambda: tree.map_structure(print), "Must provide at least one structure"),
        (lambda: tree.map_structure_up_to([1], print), "Must provide at least one structure"),
        (
            lambda: tree.map_structure(print, [1], [None], none_is_leaf=False),
            "None stands beside",
        ),
        (lambda: tree.map_structure_up_to([1, 2], print, [1]), "lengths are 2 and 1"),
        (lambda: tree.assert_same_structure(Point(1, 2), (1, 2)), "an instance of Point, got"),
        (lambda: tree.assert_same_structure(1, [1]), "Structures don't have the same nested"),
        (lambda: tree.assert_same_paths([1], [[1]]), r"missing in `b`:\n\{\(0,\)\}"),
        (lambda: tree.pack_sequence_as([0, 0], [1]), "2 leaves; `flat_sequence` has 1"),
        (lambda: tree.pack_sequence_as([0, 0], [1, 2, 3]), "2 leaves; `flat_sequence` has 3"),
    ],
)
def test_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_leaf_is_no_sequence():
    with pytest.raises(TypeError, match="received 5: put it in a list"):
        tree.pack_sequence_as([0, 0], 5)
