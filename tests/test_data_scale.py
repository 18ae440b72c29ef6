"""Scalers: numbers by hand and as fractions, scikit-learn, round trips, dtypes, refusals."""

from fractions import Fraction

import numpy as np
import pytest
from expected import COLUMNS, refused
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from fastopt.data import MinMaxScaler, Standardizer

INF, NAN = np.inf, np.nan


def test_standardizer_by_hand():
    scaler = Standardizer().fit(COLUMNS)
    assert scaler.mean.tolist() == [3, 10, 6]
    np.testing.assert_allclose(scaler.scale, [np.sqrt(14 / 3), 1, np.sqrt(2)], rtol=1e-15)
    np.testing.assert_allclose(scaler.transform([[3 + np.sqrt(14 / 3), 12, 6]]), [[1, 2, 0]], rtol=1e-15)
    over_all = Standardizer(axis=None).fit([[0, 0], [4, 4]])
    assert (over_all.mean, over_all.scale) == (2, 2)
    assert over_all.transform([8.0, -2.0]).tolist() == [3, -2]


def test_minmax_by_hand():
    scaler = MinMaxScaler((-1, 3)).fit(COLUMNS)
    assert (scaler.min.tolist(), scaler.max.tolist()) == ([1, 10, 5], [6, 10, 8])
    np.testing.assert_allclose(scaler.transform(COLUMNS), [[-1, -1, -1], [-0.2, -1, -1], [3, -1, 3]], rtol=1e-15)
    assert scaler.transform([[11, 11, 2.0]]).tolist() == [[7, 3, -5]]
    assert MinMaxScaler(axis=None).fit_transform(np.array([[0, 255], [51, 102]], np.uint8)).tolist() == [
        [0, 1],
        [np.float32(0.2), np.float32(0.4)],
    ]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_scalers_against_sklearn(rng, dtype):
    theirs = pytest.importorskip("sklearn.preprocessing")
    x = (rng.normal(size=(3000, 41)) * 10.0 ** rng.integers(-3, 4, 41) + rng.normal(size=41)).astype(dtype)
    x[rng.random(x.shape) < 0.1] = NAN
    x[:, 7] = 0.1
    for ours, other in ((Standardizer(), theirs.StandardScaler()), (MinMaxScaler((-2, 1)), theirs.MinMaxScaler((-2, 1)))):
        scaled = ours.fit_transform(x)
        assert scaled.dtype == dtype
        atol = {np.float32: 1e-6, np.float64: 1e-10}[dtype]  # their means are off by up to 1e-14, and some are 10^4 deviations
        np.testing.assert_allclose(scaled, other.fit_transform(x.astype(np.float64)), rtol=np.finfo(dtype).eps, atol=atol)
        assert np.nanmax(abs(ours.inverse_transform(scaled) - x) / np.nanmax(abs(x), axis=0)) < 8 * np.finfo(dtype).eps


def test_standardizer_exact(rng):
    """Mean and variance of 1,000 numbers, NaN between them, against their sums as fractions."""
    x = rng.normal(size=(1500, 1)) * 1e-3 + 1
    x[::3] = NAN
    known = [Fraction(value) for value in x[~np.isnan(x)].tolist()]
    mean = sum(known) / len(known)
    variance = sum((value - mean) ** 2 for value in known) / len(known)
    scaler = Standardizer().fit(x)
    assert abs(Fraction(scaler.mean.item()) / mean - 1) < 2e-16
    assert abs(Fraction(scaler.scale.item()) ** 2 / variance - 1) < 1e-14


SCALERS = [Standardizer(), Standardizer(None), MinMaxScaler(), MinMaxScaler((-3.5, 0.1), None)]


@settings(max_examples=100, deadline=None)
@given(
    hnp.arrays(np.float64, hnp.array_shapes(max_dims=3, max_side=6), elements=st.floats(-1e6, 1e6) | st.just(NAN)),
    st.sampled_from(SCALERS),
)
def test_scalers_round_trip(x, scaler):
    x[0] = np.nan_to_num(x[0])
    scaled = scaler.fit_transform(x)
    assert np.array_equal(np.isnan(scaled), np.isnan(x))
    np.testing.assert_allclose(scaler.inverse_transform(scaled), x, rtol=1e-9, atol=1e-9 * max(1, np.nanmax(abs(x))))
    if isinstance(scaler, MinMaxScaler):
        low, high = scaler.feature_range
        assert np.nanmin(scaled) == low
        assert np.nanmax(scaled) <= high
        least, greatest = (function(scaled, axis=scaler.axis) for function in (np.nanmin, np.nanmax))
        assert (least == low).all()
        assert ((greatest == high) | (scaler.max == scaler.min)).all()
    else:
        constant = np.nanmin(x, axis=scaler.axis) == np.nanmax(x, axis=scaler.axis)
        assert not np.nansum(np.where(constant, scaled, 0))


def test_scalers_constant_columns():
    """Of values that no sum of them divided by their count gives back, of huge ones, and of one sample."""
    for value in (0.1, -1e300, 1e-310, 0.0):
        x = np.full((1000, 2), value)
        for scaler in (Standardizer(), MinMaxScaler(), Standardizer(axis=None)):
            assert not scaler.fit_transform(x).any()
            assert (scaler.inverse_transform(np.zeros((3, 2))) == value).all()
    assert not Standardizer().fit_transform([[3.0, 4.0]]).any()


def test_standardizer_far_from_zero():
    """A spread of 2 around 10^15 is not lost, nor one of float32 around 10^7."""
    x = 1e15 + np.array([-1.0, 1.0] * 500)
    assert Standardizer().fit_transform(x).tolist() == [-1, 1] * 500
    x = np.float32(1e7) + np.array([-1, 1] * 50000, np.float32)
    assert Standardizer().fit_transform(x).tolist() == [-1, 1] * 50000


def test_scalers_dtypes():
    x = np.array([[1, 2], [3, 7]])
    narrow, wide = (
        (np.uint8, np.int8, np.uint16, np.int16, np.float16, np.float32, ">f4"),
        (np.int32, np.int64, np.uint64, float, ">f8"),
    )
    for dtype in (*narrow, *wide):
        for scaler in SCALERS:
            result = scaler.fit_transform(x.astype(dtype))
            assert result.dtype == (np.float32 if dtype in narrow else np.float64)
            np.testing.assert_allclose(result, scaler.fit_transform(x), rtol=1e-6)
            assert scaler.inverse_transform(result).dtype == result.dtype
    assert MinMaxScaler().fit_transform(np.array([[True], [False]])).tolist() == [[1], [0]]


def test_scalers_leave_input_alone():
    x = COLUMNS.copy(order="F")
    for scaler in SCALERS:
        result = scaler.fit_transform(x)
        assert not np.shares_memory(result, x)
        assert np.array_equal(x, COLUMNS)
    assert Standardizer().fit(x).transform(np.zeros((0, 3))).shape == (0, 3)


def test_scalers_refused():
    for axis in (1, "0", False, (0,), 0.0):
        refused(ValueError, ["Standardizer", "axis", repr(axis)], Standardizer, axis)
    for pair in ((1, 1), (2, 1), (0, INF), (NAN, 1), (-1e308, 1e308)):
        refused(ValueError, ["MinMaxScaler", "feature_range", repr(pair)], MinMaxScaler, pair)
    for pair in (1, (1, 2, 3), ("a", "b"), None):
        refused((ValueError, TypeError), ["MinMaxScaler", "feature_range", repr(pair)], MinMaxScaler, pair)
    for scaler in SCALERS:
        refused(ValueError, ["-1e+308 to 1e+308"], scaler.fit, [[-1e308], [1e308]])
    refused(ValueError, ["variance", "column 0", "overflows"], Standardizer().fit, [[0.0], [1e200]])
    refused(ValueError, ["x ranges from"], Standardizer(None).fit, [[1.0, INF]])
