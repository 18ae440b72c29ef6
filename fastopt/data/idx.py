"""IDX files, the format of MNIST and its kin: a type, a shape, the elements in big-endian order; often gzipped.

Byte 0 and 1 are zero, byte 2 names the type of an element, byte 3 counts the dimensions; then comes the size of each
dimension as four bytes, then the elements in C order.
"""

import gzip
import math
import os
import zlib

import numpy as np

from ..files import opened, replacing
from .folders import find

TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
MOST_DIMENSIONS = 64  # of an array in NumPy
MOST_EXPANSION = 1040  # deflate makes at most 1032 bytes of one
PIECE = 2**20  # bytes read at once: what a header claims costs nothing until the bytes are there
MNIST = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


def load_idx(path):
    """The array in the IDX file `path`, gzipped or not (told by its first bytes, not by its name).

    Returns a fresh array of uint8, int8, int16, int32, float32 or float64 in the machine's byte order. Raises ValueError with the
    reason where the file is foreign, damaged, shorter or longer than its header says; no more memory is taken than the file fills.

    Source: Y. LeCun, C. Cortes, C. J. C. Burges, "The MNIST database of handwritten digits", 1998.
    """
    path = os.fsdecode(path)
    with opened("load_idx", path) as file:
        most = os.fstat(file.fileno()).st_size
        if file.peek(2)[:2] != b"\x1f\x8b":
            return _read(file, path, most)
        try:
            with gzip.open(file) as unpacked:
                return _read(unpacked, path, most * MOST_EXPANSION)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise ValueError(f"load_idx: the gzip data of {path!r} are damaged or cut short ({error})") from error


def _read(file, path, most):
    """The array in an open file of at most `most` bytes, counted after unpacking."""
    start = file.read(4)
    if len(start) < 4 or start[:2] != b"\0\0" or start[2] not in TYPES:
        kinds = ", ".join(f"{kind:02x}" for kind in TYPES)
        raise ValueError(
            f"load_idx: {path!r} is no IDX file: its first bytes are [{start.hex(' ')}], expected 00 00, a type "
            f"({kinds}) and the number of dimensions"
        )
    dtype, ndim = np.dtype(TYPES[start[2]]), start[3]
    if ndim > MOST_DIMENSIONS:
        raise ValueError(f"load_idx: {path!r} claims {ndim} dimensions, expected at most {MOST_DIMENSIONS}")
    sizes = file.read(4 * ndim)
    if len(sizes) < 4 * ndim:
        raise ValueError(f"load_idx: {path!r} ends within its header, which claims {ndim} dimensions")
    shape = tuple(np.frombuffer(sizes, ">u4").tolist())
    claim = f"{path!r} claims {dtype.newbyteorder('=')} of shape {shape}"
    nbytes = math.prod(shape) * dtype.itemsize
    if 4 + 4 * ndim + nbytes > most:
        raise ValueError(f"load_idx: {claim}, {nbytes} bytes, but its size allows for {most} at most")
    if math.prod(max(size, 1) for size in shape) * dtype.itemsize >= 2**63:  # empty, and yet refused by NumPy
        raise ValueError(f"load_idx: {claim}, too large for an array")

    buffer, got = np.empty(nbytes, np.uint8), 0
    while got < nbytes and (more := file.readinto(buffer[got : got + PIECE])):
        got += more
    if got < nbytes:
        raise ValueError(f"load_idx: {claim}, {nbytes} bytes, but ends after {got} of them")
    if file.read(1):
        raise ValueError(f"load_idx: {claim}, {nbytes} bytes, but goes on after them")
    array = buffer.view(dtype).reshape(shape)
    return array if dtype.isnative else array.byteswap(inplace=True).view(dtype.newbyteorder("="))


def save_idx(path, array):
    """Writes `array` as the IDX file `path`, gzipped where its name ends in ".gz".

    array: uint8, int8, int16, int32, float32 or float64. load_idx reads it back to the bit; equal arrays give equal bytes.
    """
    path, array = os.fsdecode(path), np.asarray(array)
    kinds = {np.dtype(kind).newbyteorder("="): code for code, kind in TYPES.items()}
    code = kinds.get(array.dtype.newbyteorder("="))
    if code is None:
        raise TypeError(f"save_idx: array has dtype {array.dtype}, expected {', '.join(map(str, kinds))}; convert it with .astype")
    if max(array.shape, default=0) >= 2**32:
        raise ValueError(f"save_idx: array has shape {array.shape}, expected sizes below 2^32")
    header = bytes([0, 0, code, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    content = header + array.astype(TYPES[code]).tobytes()
    with replacing(path) as file:
        file.write(gzip.compress(content, mtime=0) if path.endswith(".gz") else content)


def load_mnist(folder=None):
    """(x_train, y_train), (x_test, y_test) from the four files of MNIST, or of a set in its form (Fashion-MNIST, KMNIST).

    folder: holds the files under their original names, with or without ".gz", or has a subfolder "mnist" which does; None takes
    the folder in the environment variable FASTOPT_DATA. x is uint8 (60000, 28, 28) and (10000, 28, 28), 0 for paper to 255 for ink;
    y uint8 (60000,) and (10000,). Nothing is downloaded: raises FileNotFoundError naming the files that are missing.

        (x_train, y_train), (x_test, y_test) = load_mnist("data/mnist")
        x_train = x_train.reshape(-1, 784).astype("float32") / 255
    """
    paths = find("load_mnist", folder, MNIST, "mnist", lambda name: (name, f"{name}.gz"), " (.gz or not)")
    x_train, y_train, x_test, y_test = map(load_idx, paths)
    for x, y, x_path, y_path in ((x_train, y_train, *paths[:2]), (x_test, y_test, *paths[2:])):
        if x.ndim != 3 or y.ndim != 1 or len(x) != len(y) or not x.dtype == y.dtype == np.uint8:
            raise ValueError(
                f"load_mnist: {str(x_path)!r} holds {x.dtype} {x.shape} and {str(y_path)!r} {y.dtype} {y.shape}, "
                "expected images uint8 (N, H, W) and labels uint8 (N,)"
            )
    return (x_train, y_train), (x_test, y_test)
