"""The judge of dropout's definition: the known answers of Philox, and the rule that makes a mask of its words."""

import numpy as np
import pytest

from fastopt.reference import dropout
from fastopt.reference.dropout import philox, words


@pytest.mark.parametrize(("counter", "key", "expected"), [  # the known-answer vectors of the Random123 distribution, 10 rounds
    ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
])  # fmt: skip
def test_philox(counter, key, expected):
    counter, key = ([np.uint64(int(word, 16)) for word in text.split()] for text in (counter, key))
    assert [f"{word:08x}" for word in philox(counter, key)] == expected.split()


def test_seed_is_the_key_step_the_upper_half_of_the_counter():
    want = philox([np.uint64(n) for n in (1, 0, 0x89ABCDEF, 0x1234567)], [np.uint64(n) for n in (0x76543210, 0xFEDCBA98)])
    got = words(0xFEDCBA9876543210, 0x123456789ABCDEF, 7)
    assert got.size == 7
    assert got[4:].tolist() == [int(w) for w in want[:3]]  # elements 4 to 6 are of block 1


def test_mask():
    """Seed and step 0 begin with 6627e8d5 e169c58d bc57ac4c 9b00dbd8: 0.399, 0.881, 0.736, 0.605 of 2^32."""
    x = np.array([1.0, 2.0, 3.0, 4.0])
    np.testing.assert_array_equal(dropout(x, 0.7, seed=0), np.array([0, 2, 3, 0]) * (1 / (1 - 0.7)))
    np.testing.assert_array_equal(dropout(x, 0.5, seed=0), [0, 4, 6, 8])
    np.testing.assert_array_equal(dropout(x, 0.25, seed=0), x * (1 / 0.75))
    np.testing.assert_array_equal(dropout(x, 0, seed=0), x)
    np.testing.assert_array_equal(dropout(x, 1, seed=0), np.zeros(4))
    at = 0x6627E8D5 / 2**32
    assert dropout(x, at, seed=0)[0] > 0  # its word is not below the bound
    assert dropout(x, at + 2.0**-32, seed=0)[0] == 0


def test_dropped_is_zero_whatever_it_was():
    x = np.array([np.nan, np.inf, -np.inf, np.nan], np.float32)
    np.testing.assert_array_equal(dropout(x, 1.0, seed=3), np.zeros(4))
    np.testing.assert_array_equal(dropout(x, 0.7, seed=0), [0, np.inf, -np.inf, 0])


def test_index_counts_in_c_order(rng):
    x = rng.uniform(1, 2, (5, 7, 3)).astype(np.float32)
    flat = dropout(x.ravel(), 0.4, seed=5, step=2)
    np.testing.assert_array_equal(dropout(np.asfortranarray(x), 0.4, seed=5, step=2), flat.reshape(x.shape))
    out = np.empty_like(x)
    assert dropout(x, 0.4, seed=5, step=2, out=out) is out
    np.testing.assert_array_equal(out.ravel(), flat)
    assert dropout(x[:0], 0.4, seed=5).shape == (0, 7, 3)
    assert dropout(x[0, 0, 0], 0.4, seed=5).shape == ()


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_shares(rate):
    """As many are kept as should be, one step and seed unlike another: within five standard deviations."""
    n = 200_000
    kept = [dropout(np.ones(n), rate, seed=seed, step=step) > 0 for seed, step in ((1, 0), (1, 1), (2, 0), (1 + 2**32, 0))]
    for mask in kept:
        assert abs(mask.mean() - (1 - rate)) < 5 * np.sqrt(rate * (1 - rate) / n)
        assert abs((mask[1:] & mask[:-1]).mean() - (1 - rate) ** 2) < 5 / np.sqrt(n)
    for other in kept[1:]:
        assert abs((kept[0] & other).mean() - (1 - rate) ** 2) < 5 / np.sqrt(n)
