"""What HDF5 files of strangers may contain, and what their library must never see."""

from __future__ import annotations

import io
import re
import struct
import zlib

import h5py
import numpy as np
import pytest
from fuzzing import latest_hdf5

from layerkit.saving import hdf5
from layerkit.saving.hdf5_latest import lookup3
from layerkit.saving.hdf5_structure import problem_of

pytestmark = pytest.mark.numpy_only("about files")


def written(fill, **options) -> bytearray:
    file = io.BytesIO()
    with h5py.File(file, "w", **options) as root:
        fill(root)
    return bytearray(file.getvalue())


def opened(content):
    return hdf5.open_hdf5(io.BytesIO(content), "a.h5")


# --- chunks ------------------------------------------------------------------------------------

GZIP, SHUFFLE, FLETCHER32, LZF = 1, 2, 3, 32000
NUMBERS = np.arange(4, dtype="f4").tobytes()


def packed(filters, content, shape=(4,), chunks=(4,)):
    """Writes a dataset 'd' of one chunk, which is `content` as it is in the file."""

    def fill(root):
        plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plan.set_chunk(chunks)
        for code in filters:
            plan.set_filter(code, h5py.h5z.FLAG_OPTIONAL, (4, 0, 16) if code == LZF else (4,))
        kind, space = h5py.h5t.IEEE_F32LE, h5py.h5s.create_simple(shape, (h5py.h5s.UNLIMITED,))
        dataset = h5py.h5d.create(root.id, b"d", kind, space, plan)
        if content is not None:
            dataset.write_direct_chunk((0,) * len(shape), content)

    return fill


ZEROS_IN_LZF = bytes([0, 0, 0xE0, 255, 0]) * 100  # each five bytes stand for 265
CHUNKS = {
    "a filter that a program in a folder would be": (packed([32004], b"x"), r"filters \[32004\]"),
    "two such filters": (packed([32015, 307], b"x"), r"filters \[307, 32015\].*h5repack"),
    "gzip of too much": (packed([GZIP], zlib.compress(bytes(10**6))), "do not unpack to what"),
    "gzip of too little": (packed([GZIP], zlib.compress(b"x")), "do not unpack to what"),
    "gzip of nothing": (packed([GZIP], b"x"), "do not unpack to what"),
    "gzip of gzip": (packed([GZIP] * 2, zlib.compress(zlib.compress(NUMBERS))), "more than once"),
    "gzip and lzf": (packed([GZIP, LZF], b"x"), "more than once"),
    "lzf of too much": (packed([LZF], ZEROS_IN_LZF), "do not unpack to what"),
    "lzf that is cut off": (packed([LZF], b"\xff"), "do not unpack to what"),
    "no checksum": (packed([FLETCHER32], b"x"), "do not unpack to what"),
    "a large chunk": (packed([GZIP], bytes(5000)), "larger than they should be"),
    "millions of chunks": (packed([], None, (2**20,), (1,)), "declares far more"),
    "a chunk of gigabytes": (packed([], None, (4,), (2**29,)), "declares far more"),
}


@pytest.mark.parametrize("case", CHUNKS)
def test_chunks_that_take_the_memory_or_run_programs_are_not_read(case):
    fill, message = CHUNKS[case]
    with pytest.raises(ValueError, match=message), opened(written(fill)) as root:
        hdf5.read(hdf5.find_datasets(root)["d"])


@pytest.mark.parametrize("libver", ["earliest", "latest"])
def test_ordinary_chunks_are_read(libver):
    numbers = np.arange(12, dtype="f4").reshape(4, 3)
    options = (
        {"compression": "gzip"},
        {"compression": "gzip", "shuffle": True, "fletcher32": True},
        {"compression": "lzf", "chunks": (2, 2)},
        {"compression": "lzf", "shuffle": True, "maxshape": (None, 3)},
        {"fletcher32": True, "maxshape": (None, None)},
        {"chunks": (4, 2)},
    )

    def fill(root):
        for number, each in enumerate(options):
            root.create_dataset(str(number), data=numbers, **each)
        root["plain"] = numbers
        random = np.random.default_rng(0).normal(size=(40, 40)).astype("f4")
        root.create_dataset("random", data=random, compression="lzf")  # is kept as it is
        root["scale"] = numbers[0]
        root["scale"].make_scale("x")
        root["plain"].dims[1].attach_scale(root["scale"])

    with opened(written(fill, libver=libver)) as root:
        found = {name: hdf5.read(each) for name, each in hdf5.find_datasets(root).items()}
    assert len(found) == len(options) + 3
    for name in [*map(str, range(len(options))), "plain"]:
        assert np.array_equal(found[name], numbers)


# --- attributes --------------------------------------------------------------------------------


def texts(root, key="names", count=3, text="x" * 100):
    root.attrs.create(key, np.array([text] * count, object), dtype=h5py.string_dtype())


def test_texts_are_read_from_everywhere():
    """From a header, its continuation, a heap of the newer layout, and where it is large."""

    def fill(root):
        for number in range(12):
            root.attrs[f"text{number}"] = "é" * number
        texts(root, count=300, text="name")
        texts(root, "many0", 3000)
        root.attrs["many1"] = [b"x", b"y"]
        root.attrs["empty"] = h5py.Empty(h5py.string_dtype())

    for libver in ("earliest", "v108", "latest"):
        with opened(written(fill, libver=libver)) as root:
            assert [hdf5.text(root, f"text{n}") for n in range(12)] == ["é" * n for n in range(12)]
            assert hdf5.names_in(root, "names") == ["name"] * 300
            assert hdf5.names_in(root, "many") == ["x" * 100] * 3000 + ["x", "y"]
            assert hdf5.text(root, "empty") == ""


def first_text(data: bytearray, key: bytes = b"names") -> int:
    """Where the length of the first text of an attribute is, of version 1 in an old header."""
    place = data.index(key + b"\0") - 8
    sizes = struct.unpack_from("<HHH", data, place + 2)
    return place + 8 + sum(-(-n // 8) * 8 for n in sizes)


def text_of_gigabytes(data):
    struct.pack_into("<I", data, first_text(data), 2**32 - 1)


def letters_of_gigabytes(data):
    place = data.index(b"names\0") + 8
    struct.pack_into("<I", data, place + 12, 2**30)  # the base of the type of texts


def one_text_many_times(data):
    start = first_text(data)
    long = data.index(b"z" * 10) - 16
    index = struct.unpack_from("<H", data, long)[0]
    heap = data.rindex(b"GCOL", 0, long)
    for number in range(700):
        struct.pack_into("<IQI", data, start + 16 * number, 100_000, heap, index)


ATTRIBUTES = {
    text_of_gigabytes: "its attribute 'names' is too large",
    letters_of_gigabytes: "its attribute 'names' is too large|unusually large",
    one_text_many_times: "its attribute 'names' is too large",
}


@pytest.mark.parametrize("change", ATTRIBUTES, ids=lambda change: change.__name__)
def test_texts_that_take_the_memory_are_not_read(change):
    def fill(root):
        texts(root, count=700, text="n")
        root.attrs["long"] = "z" * 100_000

    data = written(fill)
    change(data)
    with pytest.raises(ValueError, match=ATTRIBUTES[change]), opened(data) as root:
        hdf5.names_in(root, "names")


def test_attributes_of_odd_types_are_not_read():
    def fill(root):
        root["type"] = np.dtype("S3")
        root["text"] = h5py.string_dtype()
        reference = h5py.ref_dtype
        root.attrs.create("reference", root.ref, dtype=reference)
        root.attrs.create("region", h5py.RegionReference(), dtype=h5py.regionref_dtype)
        space = h5py.h5s.create(h5py.h5s.SCALAR)
        h5py.h5a.create(root.id, b"named", root["text"].id, space)

    with opened(written(fill)) as root:
        for key in ("reference", "region"):
            with pytest.raises(ValueError, match="is no text and no number"):
                hdf5.text(root, key)
        with pytest.raises(ValueError, match="'named' is kept in an odd way"):
            hdf5.text(root, "named")


def test_names_come_to_a_limit(monkeypatch):
    def fill(root):
        for number in range(40):
            root.attrs[f"names{number}"] = [b"x" * 60] * 1000

    monkeypatch.setattr(hdf5, "_TOTAL", 2**20)
    monkeypatch.setattr(hdf5, "_TOTAL_RATIO", 1)
    with (
        pytest.raises(ValueError, match="far more than the file can hold"),
        opened(written(fill)) as root,
    ):
        hdf5.names_in(root, "names")


def test_objects_with_thousands_of_attributes():
    def fill(root):
        group = root.create_group("g")
        for number in range(40):
            group.attrs[str(number)] = 1

    content = written(fill)
    with opened(content) as root:
        hdf5.find_groups(root)
    with pytest.MonkeyPatch.context() as patch, opened(content) as root:
        patch.setattr(hdf5, "_MOST_MESSAGES", 30)
        with pytest.raises(ValueError, match="'/g'.*too many attributes"):
            hdf5.find_groups(root)


# --- groups ------------------------------------------------------------------------------------


def test_objects_that_hold_no_numbers():
    def fill(root):
        root["reference"] = np.array([root.ref] * 2, dtype=h5py.ref_dtype)
        root.create_dataset("region", (2,), dtype=h5py.regionref_dtype)
        root.create_dataset("texts", data=["a"], dtype=h5py.string_dtype())
        root["type"] = np.dtype("f4")

    with opened(written(fill)) as root:
        found = hdf5.find_datasets(root)
        assert list(found) == ["reference", "region", "texts"]
        for dataset in found.values():
            with pytest.raises(ValueError, match="expected numbers; it holds object"):
                hdf5.read(dataset)
        assert hdf5.find_groups(root) == {}


def test_links_of_a_users_kind():
    def fill(root):
        root["link_of_mine"] = h5py.ExternalLink("a", "b")

    data = written(fill, libver="latest")
    structures = latest_hdf5.structures(bytes(data))
    place = data.index(b"link_of_mine") - 2
    while data[place] != 64:  # the kind of external links
        place -= 1
    data[place] = 70
    for structure in structures:
        latest_hdf5.repair(data, structure)
    with (
        pytest.raises(ValueError, match="it is a link, which may point anywhere"),
        opened(data) as root,
    ):
        hdf5.find_groups(root)


def test_a_group_in_a_circle_is_seen_once():
    def fill(root):
        group = root.create_group("g")
        group["d"] = 1.0
        for number in range(30):
            group[f"back{number}"] = root
            group[f"self{number}"] = group

    with opened(written(fill)) as root:
        assert hdf5.groups_with_data(root) == {"g": [()]}


def test_a_group_with_too_many_names(monkeypatch):
    def fill(root):
        for number in range(40):
            root.create_group(f"group{number}")

    monkeypatch.setattr(hdf5, "_MOST_GROUPS", 30)
    with (
        pytest.raises(ValueError, match="too many names, or too long ones"),
        opened(written(fill)) as root,
    ):
        hdf5.find_groups(root)


# --- structures of the newer layout ------------------------------------------------------------


def whole(root):
    for number in range(60):
        root.create_group(f"group{number}")
    for number in range(60):
        root.attrs[f"attribute{number}"] = "text" * number
    numbers = np.ones((40, 30), "f4")
    root.create_dataset("tree", data=numbers, chunks=(10, 2), maxshape=(None, None))
    root.create_dataset("array", data=numbers, chunks=(10, 10), maxshape=(None, 30))
    root.create_dataset("fixed", data=numbers, chunks=(10, 10), compression="gzip")


@pytest.fixture(scope="module")
def latest() -> bytes:
    return bytes(written(whole, libver="latest"))


def test_checksums_are_those_of_the_library(latest):
    assert lookup3(latest[:44]) == struct.unpack_from("<I", latest, 44)[0]
    found = {structure.signature for structure in latest_hdf5.structures(latest)}
    assert found >= {
        b"OHDR",
        b"BTHD",
        b"BTIN",
        b"BTLF",
        b"FRHP",
        b"FHDB",
        b"FHIB",
        b"EAHD",
        b"FAHD",
    }
    assert problem_of(io.BytesIO(latest)) == ""


TREE = "a B-tree is not as HDF5's library makes it"
NODE = "a B-tree contains what is no node of it"
COUNT = "a B-tree counts wrongly"
HEAP = "a heap is not as HDF5's library makes it"
BLOCK = "a heap contains what is no block of it"
ARRAY = "an array of chunks is not as HDF5's library makes it"
SIZE = "an array of chunks is far larger than the file"
FORGERIES = [  # signature, place in it, what is written there, what is said
    ("BTHD", 5, b"\x03", TREE),
    ("BTHD", 6, b"\0\0\0\0", TREE),
    ("BTHD", 10, b"\xff\xff", TREE),
    ("BTHD", 14, b"\x00", TREE),
    ("BTHD", 12, b"\xff\xff", "a B-tree is deeper than its file"),
    ("BTHD", 12, b"\x00\x00", NODE),
    ("BTHD", 16, b"\xff" * 8, COUNT),
    ("BTHD", 16, b"\x00" * 8, NODE),
    ("BTHD", 24, b"\xff\xff", NODE),
    ("BTHD", 26, b"\x01" + bytes(7), COUNT),
    ("FRHP", 7, b"\x01", HEAP),
    ("FRHP", 110, b"\x00", HEAP),
    ("FRHP", 112, b"\x00" * 8, HEAP),
    ("FRHP", 132, b"\x00" * 8, BLOCK),
    ("FRHP", 140, b"\xff\xff", HEAP),
    ("FRHP", 140, b"\x02", f"{BLOCK}|a structure is cut off"),
    ("EAHD", 7, b"\xff", ARRAY),
    ("EAHD", 11, b"\xff", ARRAY),
    ("EAHD", 44, b"\xff" * 8, SIZE),
    ("FAHD", 7, b"\xff", ARRAY),
    ("FAHD", 8, b"\xff" * 8, SIZE),
]


@pytest.mark.parametrize("row", FORGERIES, ids=lambda row: f"{row[0]}-{row[1]}-{row[2].hex()}")
def test_structures_that_the_library_would_believe(row, latest):
    signature, at, value, message = row
    data = bytearray(latest)
    found = [x for x in latest_hdf5.structures(latest) if x.signature == signature.encode()]
    data[found[0].start + at : found[0].start + at + len(value)] = value
    assert problem_of(io.BytesIO(data)) == ""  # its checksum is wrong: the library sees it
    latest_hdf5.repair(data, found[0])
    assert re.match(message, problem_of(io.BytesIO(data)))
    with pytest.raises(ValueError, match="a.h5' is not a readable HDF5 file"), opened(data):
        pass


def test_a_node_of_two_trees_and_a_shared_attribute(latest):
    trees = [x for x in latest_hdf5.structures(latest) if x.signature == b"BTHD"]
    data = bytearray(latest)
    data += latest[trees[0].start : trees[0].start + 38]
    assert "a B-tree contains a node twice" in problem_of(io.BytesIO(data))

    data = bytearray(latest)
    for leaf in latest_hdf5.structures(latest):
        if leaf.signature == b"BTLF" and data[leaf.start + 5] == 8:  # names of attributes
            data[leaf.start + 6 + 8] |= 2
            latest_hdf5.repair(data, leaf)
    assert "an attribute is shared" in problem_of(io.BytesIO(data))


# --- other structures --------------------------------------------------------------------------


def test_a_superblock_with_more():
    paged = written(lambda root: root.create_group("g"), fs_strategy="page")
    assert "its superblock has extensions" in problem_of(io.BytesIO(paged))
    plain = written(lambda root: root.create_group("g"))
    assert "it ends where it begins" in problem_of(io.BytesIO(plain[:20]))
    plain[48:56] = bytes(8)  # of a driver
    assert "its superblock has extensions" in problem_of(io.BytesIO(plain))


def test_the_names_of_a_group_many_times():
    data = written(lambda root: [root.create_group(f"group{n}") for n in range(20)])
    tree = data.index(b"TREE")
    data[tree + 6] = 2
    data[tree + 48 : tree + 56] = data[tree + 32 : tree + 40]
    assert "a B-tree contains a node twice" in problem_of(io.BytesIO(data))


@pytest.mark.parametrize("part", [b"GCOL\1\0\0\0" + struct.pack("<Q", 2**21), b"TREE\1\1\x40\0"])
def test_structures_in_one_another_take_no_time(part):
    data = bytes(written(lambda root: root.create_group("g"))) + part * 2**18
    assert "its structures lie in one another" in problem_of(io.BytesIO(data))
