"""Whether numbers lie where they may: the compiled checks against their definitions, for every CPU target."""

import numpy as np
import pytest

from fastopt.nn import losses
from fastopt.reference import core as definition

SIZES = [0, 1, 2, 7, 16, 17, 33, 100]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n", SIZES)
def test_numbers_within(n, dtype, isa, compiled):
    inside = np.linspace(0, 1, n, dtype=dtype)
    assert compiled.all_within(inside)
    assert compiled.all_within(inside, 0, 1)
    for at in range(n):
        for wrong in np.nan, np.inf, -np.inf, np.nextafter(dtype(1), dtype(2)), -np.finfo(dtype).smallest_subnormal:
            outside = inside.copy()
            outside[at] = wrong
            assert not compiled.all_within(outside, 0, 1)
            assert compiled.all_within(outside) == definition.all_within(outside) == np.isfinite(wrong)


def test_numbers_of_any_strides(compiled):
    numbers = np.full((8, 6), np.nan)
    numbers[::2, 1:4] = 0.5
    assert compiled.all_within(numbers[::2, 1:4], 0, 1)
    assert not compiled.all_within(numbers[::2, 1:5], 0, 1)


@pytest.mark.parametrize("dtype", [np.int64, np.int32, np.uint8, np.uint64])
@pytest.mark.parametrize("n", SIZES)
def test_first_index_outside(n, dtype, isa, compiled):
    inside = np.arange(n).astype(dtype) % 10
    assert compiled.first_outside(inside, 10) == -1
    for at in range(n):
        for wrong in (10, 200) if np.dtype(dtype).kind == "u" else (10, -1, np.iinfo(dtype).min):
            outside = inside.copy()
            outside[at:] = wrong
            assert compiled.first_outside(outside, 10) == definition.first_outside(outside, 10) == at


@pytest.mark.parametrize("kind", ["?", "i1", "u1", "i8", "f2", ">f4", ">f8", "g"])
def test_numbers_of_any_type(kind, compiled):
    ones = np.ones(9, kind)
    assert compiled.all_within(ones, 0, 1)
    assert not compiled.all_within(ones, 0, 0.5)
    if ones.dtype.kind == "f":
        ones[8] = np.nan
        assert not compiled.all_within(ones)
    assert losses.MeanSquaredError().prepare("test", np.ones((9, 1), kind), (None, 1), None).dtype == np.dtype(kind)


def test_indices_are_converted_piece_by_piece(compiled):
    indices = np.zeros((2, 70_000), np.int32)
    indices[1, 60_000] = 1
    assert compiled.first_outside(indices, 1) == 130_000
    assert compiled.first_outside(indices.T, 1) == 120_001
    assert compiled.first_outside(indices, 2) == -1


def test_limits_of_any_size(compiled):
    assert compiled.first_outside(np.array([0, 2**63 - 2]), 2**80) == -1
    assert compiled.first_outside(np.array([-1]), -(2**80)) == 0
    with pytest.raises(TypeError, match="float"):
        compiled.first_outside(np.array([2]), 2.9)


@pytest.mark.parametrize("limit", [0, -3])
def test_no_index_is_within_nothing(limit, compiled):
    indices = np.zeros((2, 2), np.int64)
    assert compiled.first_outside(indices, limit) == definition.first_outside(indices, limit) == 0
