"""IDX files and MNIST: bytes by hand, round trips, damage, and the real files."""

import gzip
import struct

import numpy as np
import pytest
from expected import equal, real, refused, written
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from fastopt.data import load_idx, load_mnist, save_idx

SMALL = b"\0\0\x0b\x02" + struct.pack(">II", 2, 3) + struct.pack(">6h", 1, -2, 300, 4, 5, -32768)


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_idx_by_hand(tmp_path, pack):
    array = load_idx(written(tmp_path, pack(SMALL), "misnamed.gz"))
    assert array.dtype == np.int16
    assert array.dtype.isnative
    assert array.flags.writeable
    assert array.tolist() == [[1, -2, 300], [4, 5, -32768]]


@pytest.mark.parametrize(
    ("code", "form", "values"),
    [
        (8, "B", (0, 255)),
        (9, "b", (-128, 127)),
        (11, "h", (-2, 258)),
        (12, "i", (-2, 2**30 + 1)),
        (13, "f", (0.5, -3)),
        (14, "d", (1e300, -0.1)),
    ],
)
def test_idx_element_types(tmp_path, code, form, values):
    content = bytes([0, 0, code, 1]) + struct.pack(">I", 2) + struct.pack(f">2{form}", *values)
    array = load_idx(written(tmp_path, content))
    assert array.dtype == np.dtype(form)
    assert array.tolist() == list(values)
    save_idx(tmp_path / "again", array[::-1][::-1])
    assert (tmp_path / "again").read_bytes() == content


@settings(max_examples=60, deadline=None)
@given(
    hnp.arrays(
        st.sampled_from(["u1", "i1", "<i2", ">i2", "<i4", ">i4", "<f4", "<f8", ">f8"]),
        hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5),
    ),
    st.sampled_from(["", ".gz"]),
)
def test_idx_round_trip(tmp_path_factory, array, ending):
    path = tmp_path_factory.getbasetemp() / f"round_trip{ending}"
    save_idx(path, array)
    assert path.read_bytes().startswith(b"\x1f\x8b" if ending else b"\0\0")
    assert equal(load_idx(path), array.astype(array.dtype.newbyteorder("=")))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", ["no IDX file"]),
        (b"\0\0\x08", ["no IDX file", "00 00 08"]),
        (b"\x89PNG\r\n", ["no IDX file", "89 50 4e 47"]),
        (b"\0\0\x0a\x01" + bytes(8), ["no IDX file", "00 00 0a 01"]),
        (b"\0\0\x08\x03" + bytes(11), ["within its header", "3 dimensions"]),
        (b"\0\0\x08\xff" + bytes(1020), ["255 dimensions"]),
        (SMALL[:-1], ["int16", "(2, 3)", "12 bytes", "23 at most"]),
        (SMALL + b"x", ["(2, 3)", "goes on"]),
        (b"\0\0\x0e\x04" + b"\xff" * 16, ["float64", "4294967295", "allows for 20"]),
        (b"\0\0\x08\x05" + bytes(4) + b"\xff" * 16, ["too large for an array"]),
    ],
)
def test_idx_refused(tmp_path, content, words):
    refused(ValueError, ["load_idx", "file", *words], load_idx, written(tmp_path, content))
    if len(content) not in (0, 23) and b"\xff" * 16 not in content:  # the size of a packed file says less
        refused(ValueError, ["load_idx", "file", *words], load_idx, written(tmp_path, gzip.compress(content)))


def test_idx_gzip_refused(tmp_path):
    packed = gzip.compress(np.random.default_rng(0).bytes(1000).join([b"\0\0\x08\x01" + struct.pack(">I", 1000), b""]))
    assert len(load_idx(written(tmp_path, packed))) == 1000
    for end in (2, 5, 100, len(packed) - 1):
        refused(ValueError, ["load_idx", "damaged or cut short"], load_idx, written(tmp_path, packed[:end]))
    for at in (500, len(packed) - 6):  # within the data, within the checksum
        wrong = packed[:at] + bytes([packed[at] ^ 1]) + packed[at + 1 :]
        refused(ValueError, ["load_idx", "damaged"], load_idx, written(tmp_path, wrong))
    refused(ValueError, ["damaged"], load_idx, written(tmp_path, packed + b"more"))
    refused(ValueError, ["12 bytes", "ends after 11"], load_idx, written(tmp_path, gzip.compress(SMALL[:-1])))


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_idx_header_takes_no_memory(tmp_path, pack):
    """A header that claims 2^62 bytes is refused before anything is allocated."""
    content = b"\0\0\x08\x02" + struct.pack(">II", 2**31, 2**31) + bytes(100)
    refused(ValueError, [str(2**62), "allows for"], load_idx, written(tmp_path, pack(content)))


def test_idx_cannot_hold(tmp_path):
    for array in (np.zeros(3, np.int64), np.zeros(3, bool), np.array(["a"]), np.zeros(2, np.float16)):
        refused(TypeError, ["save_idx", str(array.dtype), "uint8"], save_idx, tmp_path / "x", array)
    assert not (tmp_path / "x").exists()
    with pytest.raises(FileNotFoundError):
        load_idx(tmp_path / "x")


def tiny_mnist(folder, **other):
    """Four files, two of them gzipped; `other` replaces one."""
    folder.mkdir(exist_ok=True)
    arrays = {
        "train-images-idx3": np.arange(48, dtype=np.uint8).reshape(3, 4, 4),
        "train-labels-idx1": np.array([7, 0, 9], np.uint8),
        "t10k-images-idx3": np.full((2, 4, 4), 255, np.uint8),
        "t10k-labels-idx1": np.array([1, 2], np.uint8),
    }
    for k, (name, array) in enumerate((arrays | other).items()):
        save_idx(folder / f"{name}-ubyte{'.gz' if k % 2 else ''}", array)


def test_mnist(tmp_path, monkeypatch):
    tiny_mnist(tmp_path / "mnist")
    monkeypatch.setenv("FASTOPT_DATA", str(tmp_path))
    for folder in (tmp_path, str(tmp_path / "mnist"), None):
        (x_train, y_train), (x_test, y_test) = load_mnist(folder)
        assert x_train[2, 3].tolist() == [44, 45, 46, 47]
        assert y_train.tolist() == [7, 0, 9]
        assert x_test.shape == (2, 4, 4)
        assert y_test.tolist() == [1, 2]


def test_mnist_refused(tmp_path, monkeypatch):
    monkeypatch.delenv("FASTOPT_DATA", raising=False)
    refused(FileNotFoundError, ["load_mnist", "FASTOPT_DATA", "train-images-idx3-ubyte"], load_mnist)
    tiny_mnist(tmp_path)
    (tmp_path / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(FileNotFoundError, match=r"load_mnist: t10k-labels-idx1-ubyte \(.gz or not\) not found in") as caught:
        load_mnist(tmp_path)
    assert "train" not in str(caught.value).partition("not found")[0]
    tiny_mnist(tmp_path, **{"t10k-labels-idx1": np.zeros(3, np.uint8)})
    refused(ValueError, ["t10k-images", "(2, 4, 4)", "t10k-labels", "(3,)"], load_mnist, tmp_path)
    tiny_mnist(tmp_path, **{"train-images-idx3": np.zeros((3, 4, 4), np.float32)})
    refused(ValueError, ["float32", "expected images uint8"], load_mnist, tmp_path)


def test_mnist_real():
    """Shapes and means as published, and the first labels."""
    (x_train, y_train), (x_test, y_test) = load_mnist(real("mnist").parent)
    assert (x_train.shape, x_test.shape) == ((60000, 28, 28), (10000, 28, 28))
    assert (round(x_train.mean() / 255, 4), round(x_test.mean() / 255, 4)) == (0.1307, 0.1325)
    assert y_train[:5].tolist() == [5, 0, 4, 1, 9]
    assert np.bincount(y_test).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
