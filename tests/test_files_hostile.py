"""What readers make of files made to harm: refused for a stated reason, no memory taken on their word, nothing executed."""

import contextlib
import copy
import gzip
import io
import json
import lzma
import os
import struct
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from readers import ARCHIVES, OfIdx, OfImdb, OfModel, OfTable, OfTokenizer, header, memory, sample, saved, seconds, zipped

from fastopt import archive, nn

of_archives = pytest.mark.parametrize("reader", ARCHIVES, indirect=True, ids=lambda cls: cls.__name__)


@pytest.fixture
def reader(request, tmp_path):
    return request.param(tmp_path)


# --- archives made to harm ---------------------------------------------------------------------------------------------


def members(content):
    with zipfile.ZipFile(io.BytesIO(content)) as made:
        return [(name, made.read(name)) for name in made.namelist()]


def fields(content):
    npy = dict(members(content))["header.npy"]
    return json.loads(npy[10 + int.from_bytes(npy[8:10], "little") :])


def with_fields(content, changed):
    """The file with another header: an object, or bytes in the place of its JSON."""
    text = changed if isinstance(changed, bytes) else json.dumps(changed).encode()
    npy = saved(np.save, np.frombuffer(text, np.uint8))
    return zipped([(name, npy if name == "header.npy" else old) for name, old in members(content)])


def first(content):
    """The name of the first array beside the header, and its bytes."""
    return next((name, npy) for name, npy in members(content) if name != "header.npy")


def with_array(content, npy):
    name, _ = first(content)
    return zipped([(other, npy if other == name else old) for other, old in members(content)])


def described(content, text):
    """The first array under another description, of any length."""
    _, npy = first(content)
    data = npy[10 + int.from_bytes(npy[8:10], "little") :]
    return with_array(content, b"\x93NUMPY\x02\x00" + struct.pack("<I", len(text)) + text.encode() + data)


def of_array(change):
    """A file whose first array is changed."""
    return lambda good: with_array(good, saved(np.save, change(np.load(io.BytesIO(first(good)[1])))))


def claiming(shape, dtype="<f4", order="False", more=""):
    return lambda good: described(good, f"{{'descr': '{dtype}', 'fortran_order': {order}, 'shape': {shape}, {more}}}\n")


def patched(field, value, signature=b"PK\1\2"):
    """Every record of the directory of the archive with another number at this place."""

    def change(good):
        content, at = bytearray(good), good.find(signature)
        while at >= 0:
            content[at + field : at + field + 4] = struct.pack("<I", value)
            at = good.find(signature, at + 4)
        return bytes(content)

    return change


class Trap:
    """A pickle of this has an effect."""

    def __reduce__(self):
        return (exec, ("import os; os.environ['FASTOPT_TRAP'] = 'sprung'",))


def bomb(good):
    """A member of a hundred megabytes in a hundred kilobytes."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        for other, old in members(good):
            made.writestr(other, old, zipfile.ZIP_STORED)
        made.writestr("weights/99.npy", bytes(10**8), zipfile.ZIP_DEFLATED)
    return file.getvalue()


def overlapping(good):
    """A directory in which thousands of members are one and the same stretch of the file."""
    at = good.rindex(b"PK\5\6")
    _, start = struct.unpack("<II", good[at + 12 : at + 20])
    record = good[start : start + 46 + int.from_bytes(good[start + 28 : start + 30], "little")]
    directory = record * 2_000
    return good[:start] + directory + good[at : at + 8] + struct.pack("<HHII", 2_000, 2_000, len(directory), start) + bytes(2)


HOSTILE = {
    "bomb": bomb,
    "compressed": lambda good: zipped(members(good), compression=zipfile.ZIP_DEFLATED),
    "bzip2": lambda good: zipped(members(good), compression=zipfile.ZIP_BZIP2),
    "size of 4 GB": patched(24, 2**32 - 2),
    "both sizes": lambda good: patched(20, 2**32 - 2)(patched(24, 2**32 - 2)(good)),
    "elsewhere": patched(42, 2**31),
    "overlapping": overlapping,
    "two of a name": lambda good: zipped([*members(good), first(good)]),
    "two headers": lambda good: zipped([*members(good), ("header.npy", header(format="fastopt model 1"))]),
    "parent folder": lambda good: zipped([*members(good), ("../../evil.npy", first(good)[1])]),
    "absolute": lambda good: zipped([*members(good), ("/tmp/evil.npy", first(good)[1])]),
    "way around": lambda good: zipped([*members(good), ("weights/../header.npy", first(good)[1])]),
    "backslashes": lambda good: zipped([*members(good), ("..\\evil.npy", first(good)[1])]),
    "surplus": lambda good: zipped([*members(good), ("readme.txt", b"hello")]),
    "other digits": lambda good: zipped([*members(good), ("weights/\u0663.npy", first(good)[1])]),
    "no header": lambda good: zipped([m for m in members(good) if m[0] != "header.npy"]),
    "no arrays": lambda good: zipped([m for m in members(good) if m[0] == "header.npy"]),
    "empty array": lambda good: with_array(good, b""),
    "no array": lambda good: with_array(good, b"hello"),
    "bytes behind": lambda good: with_array(good, first(good)[1] + bytes(4)),
    "half": of_array(lambda a: a.astype("f2")),
    "other float": of_array(lambda a: a.astype("f8" if a.dtype == "f4" else "f4")),
    "integers": of_array(lambda a: a.astype("i4")),
    "complex": of_array(lambda a: a.astype("c8")),
    "booleans": of_array(lambda a: a != 0),
    "text": of_array(lambda a: a.astype("U9")),
    "dates": of_array(lambda a: a.astype("M8[s]")),
    "record": of_array(lambda a: np.zeros(a.shape, [("x", a.dtype)])),
    "other endianness": of_array(lambda a: a.astype(a.dtype.newbyteorder())),
    "transposed": of_array(np.transpose),
    "flat": of_array(np.ravel),
    "one axis more": of_array(lambda a: a[None]),
    "one row less": of_array(lambda a: a[1:]),
    "number": of_array(lambda a: a.ravel()[0]),
    "pickled": lambda good: with_array(good, saved(np.save, np.array([Trap()], object), allow_pickle=True)),
    "pickled header": lambda good: zipped(
        [("header.npy", saved(np.save, np.array([Trap()], object), allow_pickle=True)), *members(good)[1:]]),
    "huge": claiming((2**40, 2**40)),
    "beyond 2^63": claiming((2**62, 8)),
    "wraps to the right size": claiming((2**62 + 1, 6)),
    "wraps to nothing": claiming((2**32, 2**32)),
    "empty but huge": claiming((0, 2**62, 2**62)),
    "negative": claiming((-2, -3)),
    "minus one": claiming((-1,)),
    "many axes": claiming((1,) * 200),
    "long digits": claiming("(" + "1" * 6000 + ",)"),
    "too few": claiming((1, 1)),
    "object": claiming((2, 3), "|O"),
    "no dtype": claiming((2, 3), "nonsense"),
    "floats as shape": claiming("(2.0, 3)"),
    "code as shape": claiming("__import__('os')"),
    "more keys": claiming((2, 3), more="'x': 1"),
    "deep description": claiming("(" * 9000),
    "signs": claiming("-" * 9000 + "1"),
    "long description": claiming((2, 3), more=" " * 10**6),
    "deep header": lambda good: with_fields(good, b"[" * 200_000),
    "deep in the header": lambda good: with_fields(good, json.dumps(fields(good)).encode()[:-1] + b',"x":' + b"[" * 10**5),
    "header of NaN": lambda good: with_fields(good, b"NaN"),
    "no UTF-8": lambda good: with_fields(good, b'{"format": "\xff"}'),
    "header of floats": lambda good: zipped([("header.npy", saved(np.save, np.ones(9))), *members(good)[1:]]),
}  # fmt: skip


@of_archives
@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_archives(reader, what, monkeypatch):
    monkeypatch.delenv("FASTOPT_TRAP", raising=False)
    content = HOSTILE[what](reader.good)
    with seconds(60), memory(40 * len(content) + 10**7):
        assert reader.judge(content) is None
    assert "FASTOPT_TRAP" not in os.environ
    assert os.listdir(reader.path.parent) == ["file"]


@of_archives
def test_a_header_that_is_too_long(reader, monkeypatch):
    monkeypatch.setattr(archive, "MOST_HEADER", len(json.dumps(fields(reader.good))) - 1)
    assert reader.judge(reader.good) is None
    with pytest.raises(ValueError, match=r"description takes \d+ bytes, expected at most"):
        reader.write(reader.path)


@of_archives
def test_another_order_in_memory_is_the_same_array(reader):
    assert reader.judge(of_array(np.asfortranarray)(reader.good)) == reader.wanted


# --- descriptions made to harm -----------------------------------------------------------------------------------------

NASTY = [None, True, 0, -1, 1.5, 10**12, 10**30, float("nan"), float("inf"), -float("inf"), "", "x", "__import__", "os.system", [],
         {}, [None], [[]], {"class_name": "Conv9D", "config": {}}, {"class_name": [], "config": None}, {"class_name": "Dense"},
         ["x"] * 1000, "x" * 10_000, [0, 0, 0]]  # fmt: skip


def ways(value, way=()):
    """The paths to everything in nested lists and dicts."""
    if way:
        yield way
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield from ways(value[key], (*way, key))


def mutations(whole):
    """Each entry left out, doubled, and replaced by each nasty value, itself within."""
    for way in ways(whole):
        for value in ("left out", "in itself", *NASTY):
            changed = copy.deepcopy(whole)
            *path, last = way
            inner = changed
            for key in path:
                inner = inner[key]
            if value == "left out":
                del inner[last]
            elif value == "in itself":
                inner[last] = [inner[last], inner[last]]
            else:
                inner[last] = value
            yield changed


def mutated(reader, slow):
    everything = list(mutations(fields(reader.good)))
    with memory(10**8) if slow else contextlib.nullcontext():
        for i in sample(range(len(everything)), 2000 if slow else 100, False):
            reader.judge(with_fields(reader.good, everything[i]))


@of_archives
def test_hostile_descriptions(reader):
    """Whatever it says, a description is taken or refused: nothing else is raised, and no memory taken on its word."""
    mutated(reader, slow=False)


@pytest.mark.slow
@of_archives
def test_many_hostile_descriptions(reader):
    mutated(reader, slow=True)


@pytest.mark.parametrize(("way", "value", "words"), [
    (("model", "config", "layers", 0, "class_name"), "Conv9D", "unknown class 'Conv9D'"),
    (("model", "class_name"), "Popen", "unknown class 'Popen'"),
    (("model", "config", "layers", 0, "config", "activation"), "eval", "unknown name 'eval'"),
    (("model", "config", "layers", 0, "config", "units"), float("nan"), "units must be an integer"),
    (("model", "config", "layers", 1, "config", "rate"), float("nan"), "rate"),
    (("model", "config", "layers", 0, "config", "units"), 10**12, "larger than what the file holds"),
    (("weights", 0, "shape"), [float("inf")], "infinity"),
    (("state", "step"), float("nan"), "step"),
    (("state", "param_groups", 0, "weight_decay"), float("inf"), "weight_decay must be a finite number"),
    (("state", "numbers", "0", "step"), -1, "step"),
    (("model", "config", "layers", 0, "config", "units"), 10**6, "larger than what the file holds"),
    (("model", "config", "layers", 0, "config", "nonsense"), 1, "nonsense"),
    (("format",), "fastopt model 99", "its format is 'fastopt model 99', expected 'fastopt model 1'"),
    (("model",), None, "NoneType"),
    (("weights", 0, "shape"), [3, 3], r"of another architecture: layer 'first' has kernel of shape \(3, 2\)"),
    (("weights", 0, "dtype"), "U5", "'U5', expected float32 or float64"),
])  # fmt: skip
def test_reasons(tmp_path, way, value, words):
    """The reason is the one that a person can do something with."""
    reader = OfModel(tmp_path)
    whole = fields(reader.good)
    *path, last = way
    inner = whole
    for key in path:
        inner = inner[key]
    inner[last] = value
    reader.path.write_bytes(with_fields(reader.good, whole))
    with pytest.raises(ValueError, match=rf"load_model: '.*file' .*{words}"):
        nn.load_model(reader.path)


# --- data --------------------------------------------------------------------------------------------------------------

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3), max_leaves=6,
)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_tokenizers_of_any_json(tmp_path_factory, data):
    """What is accepted works."""
    reader = OfTokenizer(tmp_path_factory.mktemp("json"))
    whole = json.loads(reader.good)
    key = data.draw(st.sampled_from(list(whole["config"])))
    value = data.draw(JSON)
    whole["config"][key] = json.dumps(value) if isinstance(whole["config"][key], str) and data.draw(st.booleans()) else value
    reader.judge(json.dumps(whole).encode())


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=4), st.lists(st.integers(0, 2**32 - 1), max_size=6), st.binary(max_size=50), st.booleans())
def test_idx_files_of_any_header(tmp_path_factory, start, sizes, rest, packed):
    reader = OfIdx(tmp_path_factory.mktemp("idx"))
    content = (start or bytes([0, 0, 8, len(sizes)])) + struct.pack(f">{len(sizes)}I", *sizes) + rest
    with memory(5 * 10**6):
        reader.judge(gzip.compress(content) if packed else content)


@settings(max_examples=100, deadline=None)
@given(st.text(st.sampled_from('1a.,;\t"\n\r\0? é\ufeff'), max_size=60) | st.text(max_size=30))
def test_tables_of_any_text(tmp_path_factory, text):
    reader = OfTable(tmp_path_factory.mktemp("table"))
    reader.judge(text.encode("utf-8", "surrogatepass"))


def test_packed_data_take_no_more_than_they_hold(tmp_path):
    """An IDX file that unpacks to thirty megabytes behind a small header; a review without an end; reviews without an end."""
    idx = gzip.compress(b"\0\0\x08\1" + struct.pack(">I", 10) + bytes(3 * 10**7), 1)
    line = lzma.compress(b'{"label": 1, "text": "' + bytes(3 * 10**7), preset=0)
    lines = lzma.compress(b'{"label": 1, "text": ""}\n' * 10**6, preset=0)
    for cls, content in ((OfIdx, idx), (OfImdb, line), (OfImdb, lines)):
        reader = cls(tmp_path)
        with memory(20 * 10**6), seconds(60):
            assert reader.judge(content) is None
