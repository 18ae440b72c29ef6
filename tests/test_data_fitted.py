"""What scalers and imputers share: state that survives a file, and refusals."""

import json

import numpy as np
import pytest
from expected import COLUMNS, equal, refused

from fastopt.data import Imputer, MinMaxScaler, Standardizer

INF, NAN = np.inf, np.nan
SCALERS = [Standardizer(), Standardizer(None), MinMaxScaler(), MinMaxScaler((-3.5, 0.1), None)]


@pytest.mark.parametrize(
    "make",
    [*[lambda s=s: type(s)(**{n: getattr(s, n) for n in s.SETTINGS}) for s in SCALERS], Imputer, lambda: Imputer("constant", 3)],
)
def test_fitted_state(make):
    """The state survives JSON, continues to the bit, and what does not fit changes nothing."""
    fitted, other = make().fit(COLUMNS), make()
    state = fitted.state_dict()
    other.load_state_dict(json.loads(json.dumps(state, default=lambda value: value.tolist())))
    x = np.array([[3.0, NAN, 0.1]])
    assert equal(other.transform(x), fitted.transform(x))
    moved, last, setting = {name: state[name] - 1 for name in fitted.STATISTICS}, fitted.STATISTICS[-1], fitted.SETTINGS[0]
    before = repr(other.state_dict())
    for bad in (
        {},
        None,
        state | {"more": 1},
        state | moved | {last: [NAN, 1, 1]},
        state | moved | {last: ["a"]},
        state | moved | {setting: "no"},
    ):
        with pytest.raises((ValueError, TypeError)):
            other.load_state_dict(bad)
        assert repr(other.state_dict()) == before
    state[last][...] = 77
    assert equal(other.transform(x), fitted.transform(x))


def test_fitted_state_refused():
    refused(ValueError, ["scale must be > 0"], Standardizer().load_state_dict, {"axis": 0, "mean": [1.0], "scale": [0.0]})
    refused(ValueError, ["shape of mean"], Standardizer().load_state_dict, {"axis": 0, "mean": [1.0], "scale": 1.0})
    refused(ValueError, ["single numbers", "(1,)"], Standardizer().load_state_dict, {"axis": None, "mean": [1.0], "scale": [1.0]})
    state = {"feature_range": (0, 1), "axis": 0, "min": [2.0], "max": [1.0]}
    refused(ValueError, ["min must not be above max"], MinMaxScaler().load_state_dict, state)


@pytest.mark.parametrize("make", [Standardizer, MinMaxScaler, Imputer])
def test_fitted_refused(make):
    name = make.__name__
    refused(RuntimeError, [f"{name}.transform", "fit first"], make().transform, COLUMNS)
    refused(RuntimeError, [f"{name}.state_dict", "fit first"], make().state_dict)
    refused(ValueError, [f"{name}.fit", "(0, 3)", "at least one sample"], make().fit, COLUMNS[:0])
    refused(ValueError, [f"{name}.fit", "()"], make().fit, 3.0)
    refused(TypeError, [f"{name}.fit", "complex128"], make().fit, COLUMNS * 1j)
    refused(TypeError, [f"{name}.fit", "object"], make().fit, np.array([[None, 1.0]]))
    refused(TypeError, [f"{name}.fit", "<U1"], make().fit, [["a"]])
    refused(ValueError, [f"{name}.fit", "no array"], make().fit, [[1.0], [1.0, 2.0]])
    refused(ValueError, [f"{name}.fit", "column 2"], make().fit, np.where(COLUMNS == 8, INF, COLUMNS))
    refused(ValueError, [f"{name}.fit", "column 1"], make().fit, np.where(COLUMNS == 10, NAN, COLUMNS))
    refused(ValueError, [f"{name}.transform", "(3, 2)", "(N, 3)"], make().fit(COLUMNS).transform, COLUMNS[:, :2])
    refused(ValueError, [f"{name}.transform", "(3,)", "(N, 3)"], make().fit(COLUMNS).transform, COLUMNS[0])
