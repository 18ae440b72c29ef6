"""The cells of the grid of matrix products, against NumPy's matmul, both at all threads and into an array that is there."""

import functools
import itertools
from dataclasses import dataclass

import numpy as np

from .. import kernels

SIZES = (1, 4, 16, 64, 256, 1024, 2048)


@dataclass(frozen=True)
class Product:
    """c (m, n) = a (m, k) b (k, n), C-contiguous."""

    m: int
    k: int
    n: int
    dtype: str = "float32"

    table = "Products"
    goal = None
    seconds = 0.05

    @property
    def pause(self):
        """OpenBLAS cuts products above 64^3 among threads, which spin afterwards."""
        return 0.003 if self.m * self.k * self.n <= 64**3 else 0.2

    @property
    def workload(self):
        return f"{self.m}x{self.k}x{self.n}, {self.dtype}"

    @property
    def id(self):
        return f"{self.table}: {self.workload}"

    @property
    def flops(self):
        return 2 * self.m * self.k * self.n

    def contestants(self):
        rng = np.random.default_rng(0)
        a, b = rng.standard_normal((self.m, self.k), self.dtype), rng.standard_normal((self.k, self.n), self.dtype)
        ours, theirs = np.empty((2, self.m, self.n), self.dtype)
        return {
            "fastopt": functools.partial(kernels.gemm, a, b, out=ours),
            "NumPy": functools.partial(np.matmul, a, b, out=theirs),
        }


GRID = [Product(m, k, n) for k, m, n in itertools.product(SIZES, repeat=3)]
CUBES = [Product(1024, 1024, 1024, dtype) for dtype in ("float32", "float64")]  # held to the FMA peak
