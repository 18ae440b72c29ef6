"""Batches of sequences of like length, for training on ragged data."""

import numpy as np


class BatchesByLength:
    """Batches (x, y), or (x,) without y, of sequences of like length: model.fit(BatchesByLength(x, y, 128)) trains on them, ragged.

    x: a list of N arrays or sequences (T_i, ...); y: an array (N, ...), or a list of N arrays (T_i, ...), which stays a list;
    sample_weight like y. In a batch, x is a list of arrays. Every sample is in one batch of an epoch; one batch may be smaller.
    shuffle: before each epoch samples are mixed, those of like length grouped, and the batches mixed; False leaves them ascending.
    pool: samples are sorted by length among so many batches at a time; fewer mix samples more, and lengths too; None for all.
    seed: an integer, a numpy.random.Generator, or None, which draws one. fit takes batches by number and mixes their order itself,
    unless it is given shuffle=False; a loop over the object is one epoch.

    >>> batches = BatchesByLength([[1, 2], [3], [4, 5], [6]], [0, 1, 2, 3], batch_size=2, shuffle=False)
    >>> [y.tolist() for x, y in batches]
    [[1, 3], [0, 2]]
    """

    def __init__(self, x, y=None, batch_size=32, *, sample_weight=None, seed=None, shuffle=True, pool=50):
        self.batch_size, self.shuffle = _positive("batch_size", batch_size), bool(shuffle)
        self.pool = None if pool is None else _positive("pool", pool)
        self.x = [np.asarray(sequence) for sequence in x]
        for i, sequence in enumerate(self.x):
            if sequence.ndim == 0 or sequence.dtype.kind not in "biuf":
                raise ValueError(f"BatchesByLength: x[{i}] is {sequence.dtype} of shape {sequence.shape}, not numbers (T, ...)")
        if not self.x:
            raise ValueError("BatchesByLength: there are no samples: x is empty")
        self.y, self.sample_weight = self._each("y", y), self._each("sample_weight", sample_weight)
        if y is None and sample_weight is not None:
            raise ValueError("BatchesByLength: sample_weight was given, but no y")
        self._lengths = np.array([len(sequence) for sequence in self.x])
        self._rng = np.random.default_rng(seed)
        self.on_epoch_end()

    def __len__(self):
        """The number of batches in an epoch."""
        return len(self._batches)

    def __getitem__(self, number):
        """A batch by its number."""
        rows = self._batches[number]
        batch = [self.x[row] for row in rows]
        others = (part for part in (self.y, self.sample_weight) if part is not None)
        return (batch, *([part[row] for row in rows] if isinstance(part, list) else part[rows] for part in others))

    def __iter__(self):
        """One epoch; the next one is another."""
        yield from (self[number] for number in range(len(self)))
        self.on_epoch_end()

    def on_epoch_end(self):
        """Groups and mixes anew."""
        count, size = len(self.x), self.batch_size
        order = self._rng.permutation(count) if self.shuffle else np.arange(count)
        together = count if self.pool is None or not self.shuffle else self.pool * size
        pools = [order[start : start + together] for start in range(0, count, together)]
        pools = [pool[np.argsort(self._lengths[pool], kind="stable")] for pool in pools]
        batches = [pool[start : start + size] for pool in pools for start in range(0, len(pool), size)]
        if self.shuffle:
            self._rng.shuffle(batches)
        self._batches = batches

    def _each(self, name, values):
        """One entry for each sample: an array, or a list where they are of unequal length."""
        if values is None:
            return None
        if len(values) != len(self.x):
            raise ValueError(f"BatchesByLength: {name} has {len(values)} samples, expected {len(self.x)} as x")
        if isinstance(values, (list, tuple)) and any(np.ndim(value) for value in values):
            return [np.asarray(value) for value in values]
        return np.asarray(values)


def _positive(name, value):
    if isinstance(value, bool) or not hasattr(value, "__index__") or value < 1:
        raise ValueError(f"BatchesByLength: {name} must be an integer >= 1, got {value!r}")
    return int(value)
