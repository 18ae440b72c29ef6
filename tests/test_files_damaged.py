"""What readers make of files that are cut short, spoiled or foreign: a stated ValueError, and nothing is touched."""

import gzip
import lzma
import os
import pickle
import struct

import numpy as np
import pytest
from readers import ARCHIVES, READERS, RNG, OfTable, OfText, header, sample, saved, seconds, zipped

of_all = pytest.mark.parametrize("reader", READERS, indirect=True, ids=lambda cls: cls.__name__)


@pytest.fixture
def reader(request, tmp_path):
    return request.param(tmp_path)


# --- cut short and spoiled ---------------------------------------------------------------------------------------------


def truncations(reader, slow):
    for n in {0, 1, 2, 4, len(reader.good) - 1, *sample(range(len(reader.good)), 40, slow)}:
        got = reader.judge(reader.good[:n])
        assert got is None or not reader.checked, f"the first {n} bytes are taken for the whole"
        assert got is None or n > 2 or isinstance(reader, (OfTable, OfText))


def flips(reader, slow):
    """One bit of some bytes, in the slow test of each."""
    places = [8 * at + int(RNG.integers(8)) for at in range(len(reader.good))]
    for place in sample(places, 100, slow):
        spoiled = bytearray(reader.good)
        spoiled[place // 8] ^= 1 << place % 8
        got = reader.judge(bytes(spoiled))
        assert got is None or got == reader.wanted or not reader.checked, f"bit {place % 8} of byte {place // 8}"


def cuttings(reader, slow):
    """Pieces cut out, doubled, exchanged, zeroed, overwritten by chance."""
    n = len(reader.good)
    for _ in range(100 if slow else 12):
        a, b, c = sorted(RNG.integers(0, n + 1, 3))
        x, y, z = reader.good[:a], reader.good[a:b], reader.good[b:c]
        rest = reader.good[c:]
        chance = RNG.bytes(b - a)
        for content in (x + z + rest, x + y + y + z + rest, x + z + y + rest, x + bytes(b - a) + z + rest, x + chance + z + rest):
            got = reader.judge(content)
            assert got is None or got == reader.wanted or not reader.checked


@of_all
@pytest.mark.parametrize("spoil", [truncations, flips, cuttings])
def test_spoiled(reader, spoil):
    spoil(reader, slow=False)


@pytest.mark.slow
@of_all
@pytest.mark.parametrize("spoil", [truncations, flips, cuttings])
def test_spoiled_everywhere(reader, spoil):
    spoil(reader, slow=True)


# --- foreign -----------------------------------------------------------------------------------------------------------


FOREIGN = {
    "empty": b"",
    "zeros": bytes(5000),
    "noise": RNG.bytes(5000),
    "text": b"step,loss\n1,2\nthree\n",
    "other text": "Ärger".encode("latin-1") * 99,
    "npz": saved(np.savez, w=np.ones(3), b=np.zeros(1)),
    "npy": saved(np.save, np.ones(3)),
    "pickled npy": saved(np.save, np.array([{}], object), allow_pickle=True),
    "pickle": pickle.dumps({"state": {}}),
    "torch": zipped([("archive/data.pkl", pickle.dumps({"w": 1})), ("archive/version", b"3\n"), ("archive/data/0", bytes(64))]),
    "zip": zipped([("a.txt", b"hello")]),
    "empty zip": zipped([]),
    "gzip": gzip.compress(b"hello" * 100),
    "xz": lzma.compress(b"hello" * 100),
    "hdf5": b"\x89HDF\r\n\x1a\n" + bytes(2000),
    "safetensors": struct.pack("<Q", 2**40) + b'{"w":{"dtype":"F32"}}',
    "png": b"\x89PNG\r\n\x1a\n" + bytes(100),
    "elf": b"\x7fELF\x02\x01\x01" + bytes(100),
    "header alone": saved(np.savez, header=np.arange(5)),
    "other format": zipped([("header.npy", header(format="other 7"))]),
    "format alone": zipped([("header.npy", header(format="fastopt model 1"))]),
    "weights alone": zipped([("header.npy", header(format="fastopt weights 1"))]),
    "optimizer alone": zipped([("header.npy", header(format="fastopt optimizer 1"))]),
    "deep JSON": b"[" * 200_000,
    "deep objects": b'{"a":' * 100_000,
    "JSON": b'{"a": [1, 2, NaN, Infinity, -1e999, "\\ud800"]}',
    "JSON of a list": b"[]",
    "long number": b"1" * 20_000,
}  # fmt: skip


@of_all
@pytest.mark.parametrize("content", FOREIGN)
def test_foreign(reader, content):
    if isinstance(reader, (OfTable, OfText)):  # which take any text
        reader.judge(FOREIGN[content])
    else:
        assert reader.judge(FOREIGN[content]) is None


@of_all
def test_what_is_no_file(reader, tmp_path):
    """Folders, pipes and devices: an error at once."""
    if reader.owner == "tokenizer_from_json":
        pytest.skip("takes a string")
    before = reader.state()
    reader.prepare = lambda: None
    os.unlink(reader.path)
    for make in (os.mkdir, os.mkfifo, lambda path: os.symlink("/dev/zero", path), lambda path: os.symlink("/dev/null", path)):
        make(reader.path)
        with seconds(20), pytest.raises((OSError, ValueError), match=r"[Ii]s a directory|no regular file|not found in"):
            reader.read(reader.path)
        (os.rmdir if reader.path.is_dir() else os.unlink)(reader.path)
    assert reader.state() == before


@pytest.mark.slow
def test_states_of_torch(tmp_path):
    torch = pytest.importorskip("torch")
    layer = torch.nn.Linear(3, 2)
    for what in (layer, layer.state_dict(), torch.optim.Adam(layer.parameters()).state_dict()):
        for cls in ARCHIVES:
            reader = cls(tmp_path)
            torch.save(what, reader.path)
            assert reader.judge() is None
