"""Filling what is missing: by hand, against scikit-learn, refusals."""

import numpy as np
import pytest
from expected import equal, refused

from fastopt.data import Imputer, fill_missing

NAN = np.nan


def test_imputer_by_hand():
    x = np.array([[1, NAN, 7], [2, 4, 7], [9, 4, NAN], [NAN, 1, 3]])
    fills = {"mean": [4, 3, 17 / 3], "median": [2, 4, 7], "most_frequent": [1, 4, 7]}
    for strategy, fill in fills.items():
        imputer = Imputer(strategy).fit(x)
        np.testing.assert_allclose(imputer.fill, fill, rtol=1e-15)
        filled = imputer.transform(x)
        np.testing.assert_allclose(filled, np.where(np.isnan(x), fill, x), rtol=1e-15)
        assert np.array_equal(filled, fill_missing(x, strategy))
        assert not np.shares_memory(filled, x)
    assert fill_missing(x, "constant")[0].tolist() == [1, 0, 7]
    assert fill_missing(x, "constant", -2)[0].tolist() == [1, -2, 7]
    assert fill_missing(x.astype(np.float32)).dtype == np.float32
    assert fill_missing(np.full((2, 2), NAN), "constant", 1).tolist() == [[1, 1], [1, 1]]
    assert fill_missing([1.0, NAN, 5.0]).tolist() == [1, 3, 5]


@pytest.mark.parametrize("strategy", ["mean", "median", "most_frequent"])
def test_imputer_against_sklearn(rng, strategy):
    theirs = pytest.importorskip("sklearn.impute").SimpleImputer(strategy=strategy)
    x = rng.integers(0, 6, (200, 9)).astype(float)
    x[rng.random(x.shape) < 0.2] = NAN
    np.testing.assert_allclose(fill_missing(x, strategy), theirs.fit_transform(x), rtol=1e-14)
    assert equal(fill_missing(x.reshape(200, 3, 3), strategy), fill_missing(x, strategy).reshape(200, 3, 3))


def test_imputer_refused():
    refused(ValueError, ["strategy", "'mode'", "'most_frequent'"], Imputer, "mode")
    refused(ValueError, ["value", "'constant'", "3"], Imputer, "mean", 3)
    refused(TypeError, ["value", "'x'"], Imputer, "constant", "x")
    refused(ValueError, ["value", "nan"], Imputer, "constant", NAN)
