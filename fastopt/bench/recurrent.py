"""The rows of recurrent layers: forward and backward over whole sequences, inference, and ragged batches, against torch.

A kernel writes to the arrays and the workspace of its last call, as it does inside fit; torch takes its own from a cache.
"""

import functools
from dataclasses import dataclass

import numpy as np

from .. import kernels, threads
from .peers import installed, torch_counts

GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}
SIZES = [  # steps, batch, inputs, units
    (100, 1, 64, 64), (63, 1, 24, 32), (100, 32, 128, 64), (80, 128, 128, 64), (35, 20, 200, 200), (113, 16, 128, 128),
    (50, 64, 256, 256), (25, 32, 512, 512), (16, 32, 1024, 1024),
]  # fmt: skip


@dataclass(frozen=True)
class Layer:
    """One layer, one direction, float32."""

    cell: str
    size: tuple
    inference: bool = False
    ragged: bool = False  # lengths uniform in 1 .. T; otherwise T

    seconds = 0.1
    pause = 0.12  # so long that each batch is preceded by one that wakes the cores

    @property
    def table(self):
        return f"{self.cell} {'inference' if self.inference else 'ragged' if self.ragged else 'training'}"

    @property
    def workload(self):
        return "{} steps, batch {}, {} inputs, {} units".format(*self.size)

    @property
    def id(self):
        return f"{self.table}: {self.workload}"

    @property
    def flops(self):
        """Of the products, all sequences whole."""
        steps, batch, inputs, units = self.size
        return (2 if self.inference else 6) * steps * batch * (inputs + units) * GATES[self.cell] * units

    @property
    def goal(self):
        """Over the better torch."""
        if self.ragged:
            return 5 if self.size[3] <= 128 else 1.5
        return None if self.inference else 1.4 if self.size[3] >= 256 and self.cell != "LSTM" else 1.1

    def draw(self):
        """x, kernel, recurrent kernel, bias, dy, lengths."""
        steps, batch, inputs, units = self.size
        rng, columns = np.random.default_rng(0), GATES[self.cell] * units
        x, dy = rng.standard_normal((batch, steps, inputs), np.float32), rng.standard_normal((batch, steps, units), np.float32)
        weights = [rng.uniform(-1, 1, (n, columns)).astype(np.float32) / units**0.5 for n in (inputs, units)]
        bias = np.zeros((2, columns) if self.cell == "GRU" else columns, np.float32)
        return x, *weights, bias, dy, rng.integers(1, steps + 1, batch) if self.ragged else None

    def contestants(self):
        *arrays, lengths = self.draw()
        ours = {"fastopt": self._kernels(*arrays, lengths)}
        if self.ragged:
            ours["fastopt, padded"] = self._kernels(*arrays, None)
        return ours | self._torch(arrays[0], arrays[4], lengths)

    def _kernels(self, x, kernel, recurrent_kernel, bias, dy, lengths):
        name = self.cell.lower()
        forward, backward = getattr(kernels, f"{name}_forward"), getattr(kernels, f"{name}_backward")
        forward = functools.partial(forward, x, kernel, recurrent_kernel, bias, lengths=lengths, keep=not self.inference)
        slopes = (dy, None, None) if self.cell == "LSTM" else (dy, None)
        results = forward()
        gradients = None if self.inference else backward(*slopes, results[-1])

        def train():
            nonlocal results
            results = forward(out=results)
            backward(*slopes, results[-1], out=gradients)

        prepare = functools.partial(
            threads.set_num_threads, threads.default_count()
        )  # torch's, where it shares our OpenMP, limits us
        return prepare, forward if self.inference else train

    def _torch(self, x, dy, lengths):
        if not installed("torch"):
            return {}
        import torch

        module = getattr(torch.nn, self.cell)(*self.size[2:], batch_first=True)
        x, dy = torch.from_numpy(x).requires_grad_(not self.inference), torch.from_numpy(dy)
        inputs = x
        if lengths is not None:
            lengths = torch.from_numpy(lengths)
            packed = torch.nn.utils.rnn.pack_padded_sequence(dy, lengths, batch_first=True, enforce_sorted=False).data

        def infer():
            with torch.no_grad():
                module(inputs)

        def train():
            module.zero_grad(set_to_none=True)
            x.grad = None
            if lengths is None:
                module(x)[0].backward(dy)
            else:
                sequences = torch.nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
                module(sequences)[0].data.backward(packed)

        return torch_counts(infer if self.inference else train)


RECURRENT = [Layer(cell, size) for cell in GATES for size in SIZES]
RECURRENT += [Layer(cell, size, inference=True) for cell in GATES for size in SIZES]
RECURRENT += [Layer("LSTM", size, ragged=True) for size in SIZES if size[1] > 1]
