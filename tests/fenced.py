"""Arrays against a page that may not be touched, NaN around them: what is read or written beyond them is a crash, or is seen."""

import ctypes
import mmap

import numpy as np
from numpy.lib.stride_tricks import as_strided

PROT_NONE, PROT_BOTH = 0, mmap.PROT_READ | mmap.PROT_WRITE
MAP_NORESERVE = 0x4000
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


class Field:
    """One stretch of memory between two fences, for one array after the other."""

    FRAME = 4096  # bytes of NaN on the open side

    def __init__(self, nbytes):
        nbytes = -(-nbytes // mmap.PAGESIZE) * mmap.PAGESIZE
        address = reserve(nbytes + 2 * mmap.PAGESIZE) + mmap.PAGESIZE
        open_up(address, nbytes)
        self.bytes = np.frombuffer((ctypes.c_char * nbytes).from_address(address), np.uint8)

    def place(self, values, strides, side):
        """The values at these strides, in elements, against the fence "before" or "behind" them; NaN between and around.

        Along an axis of stride 0 the first value stands for all.
        """
        itemsize, dtype = values.dtype.itemsize, values.dtype
        reach = [(n - 1) * s if values.size else 0 for n, s in zip(values.shape, strides)]
        first, extent = -sum(r for r in reach if r < 0), (sum(map(abs, reach)) + 1) * (values.size > 0)
        used, frame = extent * itemsize, self.FRAME
        assert used + frame <= len(self.bytes)
        self.whole = self.bytes[: used + frame] if side == "before" else self.bytes[len(self.bytes) - used - frame :]
        self.whole.view(dtype)[:] = np.nan
        flat = self.whole.view(dtype)[:extent] if side == "before" else self.whole.view(dtype)[frame // itemsize :]
        self.frame = self.whole[used:] if side == "before" else self.whole[:frame]
        view = as_strided(flat[first:], values.shape, [s * itemsize for s in strides])
        view[...] = values[tuple(slice(0, 1) if s == 0 else slice(None) for s in strides)]
        self.before = self.frame.tobytes()
        return view

    def intact(self):
        """Whether nothing was written around the last array."""
        return self.frame.tobytes() == self.before
