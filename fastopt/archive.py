"""fastopt's own files: named arrays and a JSON header in one .npz without pickle, and how one is read without being believed."""

import io
import json
import math
import os
import re
import zipfile

import numpy as np

from . import files

MEMBER = re.compile(r"[a-z]+(/[0-9]+(/\w+)?)?\.npy", re.ASCII)
MOST_HEADER = 2**26  # bytes of JSON, which take some thirty times as many in memory
FLOATS = ("float32", "float64")
HDF5 = b"\x89HDF\r\n\x1a\n"
TAKEN_OVER = "build the model with fastopt.nn and take the weights over by get_weights and set_weights"
READERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


def write(path, header, arrays, plain):
    """Writes an archive at exactly `path`, whole or not at all; `plain` is for what json does not know."""
    text = json.dumps(header, default=plain).encode()
    if len(text) > MOST_HEADER:
        raise ValueError(f"{os.fsdecode(path)!r}: the description takes {len(text)} bytes, expected at most {MOST_HEADER}")
    with files.replacing(path) as file:
        np.savez(file, **arrays, header=np.frombuffer(text, np.uint8))


class Intact(ValueError):
    """No sign of damage: says what the file has, or is, and what is to be done."""


def brief(reason, most=1000):
    """The text, cut where a file made it long."""
    return reason if len(reason) <= most else f"{reason[:most]}..."


class Archive:
    """An archive under suspicion, as a context: `header` is its dict, of one of the formats; array(name) an array.

    No more memory is taken than a multiple of the file's size. Whatever is wrong raises ValueError that names owner and path.
    """

    def __init__(self, owner, path, formats, written_by):
        self.owner, self.path, self.formats, self.written_by = owner, os.fsdecode(path), formats, written_by

    def __enter__(self):
        self.file = files.opened(self.owner, self.path)
        try:
            self.zip = self.attempt(self._open)
            self.header = self.attempt(self._header)
        except BaseException:
            self.file.close()
            raise
        return self

    def __exit__(self, *error):
        self.zip.close()
        self.file.close()

    def attempt(self, read, *arguments):
        """read(*arguments); whatever damage makes zipfile, NumPy, json or anyone behind them raise is a ValueError here."""
        try:
            return read(*arguments)
        except Intact as error:
            raise ValueError(f"{self.owner}: {self.path!r} {error}") from None
        except Exception as error:
            reason = brief(f"{type(error).__name__}: {error}")
            raise ValueError(
                f"{self.owner}: {self.path!r} is not what {self.written_by} wrote, or it is damaged ({reason})"
            ) from error

    def _open(self):
        self.size = os.fstat(self.file.fileno()).st_size
        hdf5 = self.file.read(len(HDF5)) == HDF5
        self.file.seek(0)
        if hdf5:
            raise Intact("is an HDF5 file, as Keras writes them, which fastopt does not read; " + TAKEN_OVER)
        archive = zipfile.ZipFile(self.file)
        members = archive.infolist()
        names = [member.filename for member in members]
        if {"config.json", "model.weights.h5"} <= set(names):
            raise Intact("is a file of Keras's, which fastopt does not read; " + TAKEN_OVER)
        for name in names:
            if not MEMBER.fullmatch(name):
                raise ValueError(f"it has a member {name!r}")
        if len(set(names)) < len(names):
            raise ValueError("it has two members of one name")
        if any(member.compress_type != zipfile.ZIP_STORED or member.compress_size != member.file_size for member in members):
            raise ValueError("it is compressed")
        if sum(member.file_size for member in members) > self.size:
            raise ValueError("its members are longer than the file")
        return archive

    def _header(self):
        if self.zip.getinfo("header.npy").file_size > MOST_HEADER:
            raise ValueError(f"its header is longer than {MOST_HEADER} bytes")
        header = json.loads(self.array("header", ("uint8",)).tobytes())
        known = isinstance(header, dict) and header.get("format")
        if known not in self.formats:
            raise ValueError(f"its format is {known!r}, expected {' or '.join(map(repr, self.formats))}")
        return header

    def names(self):
        """Those of the arrays, as given to write."""
        return [name.removesuffix(".npy") for name in self.zip.namelist() if name != "header.npy"]

    def entries(self, *names):
        """Those of the header."""
        return self.attempt(lambda: [self.header[name] for name in names])

    def array(self, name, dtypes=FLOATS, shape=None):
        """The array `name`, read-only, of one of the dtypes in native byte order and of the shape, its checksum verified."""
        content = self.zip.read(f"{name}.npy")
        start = io.BytesIO(content)
        found, fortran, stored = READERS[np.lib.format.read_magic(start)](start)
        if stored not in map(np.dtype, dtypes) or (shape is not None and found != tuple(shape)):
            expected = " or ".join(map(str, dtypes)) + (f" of shape {tuple(shape)}" if shape is not None else "")
            raise ValueError(f"{name} is {stored} of shape {found}, expected {expected}")
        at, count = start.tell(), math.prod(found)
        if min(found, default=0) < 0 or count * stored.itemsize != len(content) - at:
            raise ValueError(f"{name} claims {count} elements of {stored}, but has {len(content) - at} bytes")
        return np.frombuffer(content, stored, count, at).reshape(found, order="F" if fortran else "C")
