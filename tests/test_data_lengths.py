"""BatchesByLength: every sample once an epoch, like lengths together, the same for the same seed."""

import numpy as np
import pytest
from expected import refused
from hypothesis import given, settings
from hypothesis import strategies as st

from fastopt import nn
from fastopt.data import BatchesByLength


def samples(lengths):
    """Sequences of these lengths, each holding its own number throughout, and the numbers."""
    return [np.full(length, i) for i, length in enumerate(lengths)], np.arange(len(lengths))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 30), min_size=1, max_size=60), st.integers(1, 9), st.booleans(), st.sampled_from([None, 1, 3]))
def test_each_sample_once_an_epoch(lengths, size, shuffle, pool):
    x, y = samples(lengths)
    batches = BatchesByLength(x, y, size, seed=1, shuffle=shuffle, pool=pool)
    assert len(batches) == -(-len(x) // size)
    for _ in range(2):
        seen = []
        for part, labels in batches:
            assert isinstance(part, list)
            assert all((sequence == label).all() and len(sequence) == lengths[label] for sequence, label in zip(part, labels))
            seen += labels.tolist()
        assert sorted(seen) == y.tolist()
    assert sorted(len(batches[i][0]) for i in range(len(batches)))[1:] == [size] * (len(batches) - 1)


def test_like_lengths_are_together():
    x, y = samples(np.random.default_rng(0).integers(1, 200, 1000))
    spans = [max(map(len, part)) - min(map(len, part)) for part, _ in BatchesByLength(x, y, 20, seed=0)]
    assert max(spans) <= 12  # 50 batches over 200 lengths
    mixed = [max(map(len, part)) - min(map(len, part)) for part, _ in BatchesByLength(x, y, 20, seed=0, pool=1)]
    assert min(mixed) > 100
    ordered = [len(sequence) for part, _ in BatchesByLength(x, y, 20, shuffle=False) for sequence in part]
    assert ordered == sorted(ordered)


def test_epochs_differ_and_seeds_decide():
    def epochs(**options):
        batches = BatchesByLength(*samples([3] * 20 + [7] * 20), 4, **options)
        return [[labels.tolist() for _, labels in batches] for _ in range(3)]

    first, second, third = epochs(seed=5)
    assert first != second != third
    assert [first, second, third] == epochs(seed=5) == epochs(seed=np.random.default_rng(5))
    assert epochs(seed=6)[0] != first
    assert {tuple(sorted(batch)) for batch in first} != {tuple(sorted(batch)) for batch in second}  # of other samples, too
    assert [batch[0] < 20 for batch in first] != sorted((batch[0] < 20 for batch in first), reverse=True)  # not by length
    a, b, c = epochs(shuffle=False)
    assert a == b == c
    assert a[0] == [0, 1, 2, 3]


def test_what_a_batch_holds():
    x, y = samples([2, 1, 2, 1])
    part, labels, weights = BatchesByLength(x, y[:, None], 2, sample_weight=[0.5, 1, 1.5, 2], shuffle=False)[0]
    assert [sequence.tolist() for sequence in part] == [[1], [3]]
    assert (labels.tolist(), weights.tolist()) == ([[1], [3]], [1, 2])
    (alone,) = BatchesByLength(x, batch_size=3, shuffle=False)[-1]
    assert [len(sequence) for sequence in alone] == [2]
    _, steps = BatchesByLength(x, [[1, 2], [3], [4, 5], [6]], 2, shuffle=False)[1]
    assert [step.tolist() for step in steps] == [[1, 2], [4, 5]]
    (frames,) = BatchesByLength([np.zeros((4, 3)), np.zeros((2, 3))], batch_size=1, shuffle=False)[0]
    assert frames[0].shape == (2, 3)
    with pytest.raises(IndexError):
        BatchesByLength(x, y, 2)[2]


def test_refused():
    x, y = samples([1, 2])
    refused(ValueError, ["BatchesByLength", "x is empty"], BatchesByLength, [])
    refused(ValueError, ["y has 3 samples", "expected 2"], BatchesByLength, x, [1, 2, 3])
    refused(ValueError, ["sample_weight has 1 samples"], BatchesByLength, x, y, sample_weight=[1])
    refused(ValueError, ["sample_weight", "no y"], BatchesByLength, x, sample_weight=[1, 1])
    refused(ValueError, ["x[1]", "()"], BatchesByLength, [[1], 2])
    refused(ValueError, ["x[0]", "<U1"], BatchesByLength, [["a"]])
    for name in ("batch_size", "pool"):
        for wrong in (0, 2.5, True):
            refused(ValueError, [name, repr(wrong)], BatchesByLength, x, y, **{name: wrong})


def test_fit_trains_on_them(rng):
    """Ragged, with lists of arrays: whether the numbers of a sequence are large on the whole."""
    nn.set_random_seed(0)
    x = [rng.integers(1, 4, length) for length in rng.integers(1, 12, 200)]
    y = np.array([sequence.mean() > 2 for sequence in x], float)[:, None]
    model = nn.Sequential([nn.Embedding(4, 4), nn.GRU(8), nn.Dense(1, activation="sigmoid")])
    model.compile(optimizer=nn.optimizers.Adam(learning_rate=0.02), loss="binary_crossentropy")
    losses = model.fit(BatchesByLength(x, y, 32, seed=0), epochs=12, verbose=0).history["loss"]
    assert losses[-1] < 0.5 * losses[0]
    assert model.evaluate(BatchesByLength(x, y, 32, shuffle=False), verbose=0) == pytest.approx(model.evaluate(x, y), rel=1e-5)
