"""One-hot rows: by hand, round trips, refusals."""

import numpy as np
import pytest
from expected import equal, refused
from hypothesis import given, settings
from hypothesis import strategies as st

from fastopt.data import inverse_one_hot, one_hot

NAN = np.nan


def test_one_hot_by_hand():
    assert one_hot([[1, 0], [2, 2]]).tolist() == [[[0, 1, 0], [1, 0, 0]], [[0, 0, 1], [0, 0, 1]]]
    assert one_hot([1.0, 0.0], 3, np.int8).tolist() == [[0, 1, 0], [1, 0, 0]]
    assert one_hot(np.uint8(2)).tolist() == [0, 0, 1]
    assert one_hot([30, 10], [30, 10, 20]).tolist() == [[1, 0, 0], [0, 1, 0]]
    assert one_hot(["b", "a"], ["a", "b"], bool).tolist() == [[False, True], [True, False]]
    assert one_hot([True, False]).tolist() == [[0, 1], [1, 0]]
    assert one_hot([], 4).shape == (0, 4)
    assert one_hot([], ["a", "b"]).shape == (0, 2)
    assert one_hot([0]).dtype == np.float32
    assert inverse_one_hot([[0, 0, 1], [0.5, 0.5, 0]]).tolist() == [2, 0]
    assert inverse_one_hot([[0, 0, 1], [1, 0, 0]], [7, 8, 9]).tolist() == [9, 7]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(["x", "yy", "", "zz z"]), max_size=20), st.permutations(["x", "yy", "", "zz z", "w"]))
def test_one_hot_round_trip(labels, classes):
    rows = one_hot(labels, classes)
    assert (rows.sum(-1) == 1).all()
    assert inverse_one_hot(rows, classes).tolist() == labels
    codes = [classes.index(label) for label in labels]
    assert equal(one_hot(codes, len(classes)), rows)
    assert inverse_one_hot(rows).tolist() == codes


@pytest.mark.parametrize(
    ("labels", "classes", "error", "words"),
    [
        ([0, 3, 1], 3, ValueError, ["3", "index (1,)", "0 to 2"]),
        ([[0], [-1]], None, ValueError, ["-1", "index (1, 0)"]),
        ([0.5], None, ValueError, ["0.5", "expected integers"]),
        ([NAN], 3, ValueError, ["nan", "expected integers"]),
        ([2**63], 3, ValueError, ["9223372036854775808"]),
        (["a"], None, TypeError, ["<U1", "pass classes"]),
        (["a"], 2, TypeError, ["<U1", "pass classes"]),
        (["a", "c"], ["a", "b"], ValueError, ["'c'", "index (1,)", "one of the 2 classes"]),
        ([1], ["a", "b"], TypeError, ["int64", "<U1"]),
        ([b"a"], ["a", "b"], TypeError, ["|S1", "<U1"]),
        (["a"], ["a", "a"], ValueError, ["twice"]),
        ([0], 0, ValueError, ["classes", "0"]),
        ([0], True, ValueError, ["classes", "True"]),
        ([0], 2.0, TypeError, ["classes", "2.0"]),
        ([0], [], TypeError, ["classes", "[]"]),
        ([None], 2, TypeError, ["object"]),
    ],
)
def test_one_hot_refused(labels, classes, error, words):
    refused(error, ["one_hot", *words], one_hot, labels, classes)


def test_inverse_one_hot_refused():
    refused(ValueError, ["(2,)", "(..., 3)"], inverse_one_hot, [0, 1], 3)
    refused(ValueError, ["()"], inverse_one_hot, 1.0)
    refused(ValueError, ["NaN at index (1, 0)"], inverse_one_hot, [[0.0, 1.0], [NAN, 1.0]])
    refused(TypeError, ["<U1"], inverse_one_hot, [["a"]])
    refused(TypeError, ["one_hot", "dtype", "<U1"], one_hot, [0], 1, "U1")
