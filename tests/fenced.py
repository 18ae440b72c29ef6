"""Arrays against a page that may not be touched, NaN around them: what is read or written beyond them is a crash, or is seen."""

import ctypes
import mmap
import os

import numpy as np

PROT_NONE, PROT_BOTH = 0, mmap.PROT_READ | mmap.PROT_WRITE
MAP_NORESERVE, MAP_FIXED = 0x4000, 0x10
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]


def reserve(nbytes):
    """The address of as much memory as asked for, none of which may be touched; it is never given back."""
    address = libc.mmap(None, nbytes, PROT_NONE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
    if address in (None, ctypes.c_void_p(-1).value):
        raise MemoryError(f"no {nbytes} bytes of address space")
    return address


def open_up(address, nbytes):
    """Lets the pages that hold these bytes be read and written."""
    begin, end = address // mmap.PAGESIZE * mmap.PAGESIZE, -(-(address + nbytes) // mmap.PAGESIZE) * mmap.PAGESIZE
    if libc.mprotect(begin, end - begin, PROT_BOTH):
        raise OSError(ctypes.get_errno(), "mprotect")


class Aliased:
    """A vector of so many elements that all are the same few megabytes over and over, and fences about it.

    The period is no power of two and does not divide 2^32 elements: who counts in 32 bits comes to other elements, or to a fence.
    """

    PERIOD = 1021 * 1024  # elements; a multiple of 1021 and of every power of two up to 1024
    BEFORE = 1 << 36  # bytes that an index gone negative, of eight bytes each, may reach

    def __init__(self, dtype, size, values):
        part = self.PERIOD * np.dtype(dtype).itemsize
        nbytes = -(-size * np.dtype(dtype).itemsize // part) * part
        self.stretch = reserve(self.BEFORE + nbytes + part), self.BEFORE + nbytes + part
        address, file = self.stretch[0] + self.BEFORE, os.memfd_create("aliased")
        os.truncate(file, part)
        for at in range(address, address + nbytes, part):
            assert libc.mmap(at, part, PROT_BOTH, mmap.MAP_SHARED | MAP_FIXED, file, 0) == at
        os.close(file)
        self.all = np.frombuffer((ctypes.c_char * nbytes).from_address(address), dtype)[:size]
        self.once = self.all[: self.PERIOD]
        self.once[:] = values

    def close(self):
        libc.munmap(*self.stretch)


class Field:
    """One stretch of memory between two fences, for one array after the other."""

    FRAME = 4096  # bytes on the open side
    BLANK = 255  # a float of such bytes is NaN, an integer -1 or its type's largest

    def __init__(self, nbytes):
        nbytes = -(-nbytes // mmap.PAGESIZE) * mmap.PAGESIZE
        address = reserve(nbytes + 2 * mmap.PAGESIZE) + mmap.PAGESIZE
        open_up(address, nbytes)
        self.bytes = np.frombuffer((ctypes.c_char * nbytes).from_address(address), np.uint8)

    def place(self, values, side, strides=None):
        """The values against the fence "before" or "behind" them, C-contiguous or at these strides, in elements; BLANK between
        and around. Along an axis of stride 0 the first value stands for all.
        """
        itemsize, shape = values.itemsize, values.shape
        if strides is None:
            first, used = 0, values.nbytes
        else:
            reach = [(n - 1) * s if values.size else 0 for n, s in zip(shape, strides)]
            first, used = -sum(r for r in reach if r < 0) * itemsize, (sum(map(abs, reach)) + (values.size > 0)) * itemsize
            values = values[tuple(slice(0, 1) if s == 0 else slice(None) for s in strides)]
            strides = [s * itemsize for s in strides]
        assert used + self.FRAME <= len(self.bytes)
        start = 0 if side == "before" else len(self.bytes) - used
        self.frame = self.bytes[used : used + self.FRAME] if side == "before" else self.bytes[start - self.FRAME : start]
        self.frame[:] = self.bytes[start : start + used] = self.BLANK
        view = np.ndarray(shape, values.dtype, self.bytes, start + first, strides)
        view[...] = values
        return view

    def intact(self):
        """Whether nothing was written around the last array."""
        return bool((self.frame == self.BLANK).all())


class Fields:
    """As many fields as are asked for, each used again after clear()."""

    def __init__(self, nbytes):
        self.nbytes, self.fields, self.used = nbytes, [], 0

    def place(self, values, side, strides=None):
        if self.used == len(self.fields):
            self.fields.append(Field(self.nbytes))
        self.used += 1
        return self.fields[self.used - 1].place(values, side, strides)

    def clear(self):
        """Gives all fields back; whether nothing was written around the arrays."""
        used, self.used = self.fields[: self.used], 0
        return all(field.intact() for field in used)
