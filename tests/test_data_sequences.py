"""pad_sequences: arrays by hand, Keras's on random sequences, refusals, and the places where listings look for it."""

import os

import numpy as np
import pytest
from expected import equal, refused
from hypothesis import given, settings
from hypothesis import strategies as st

from fastopt import nn
from fastopt.data import pad_sequences

THREE = [[1, 2, 3, 4], [5], []]


def test_by_hand():
    assert equal(pad_sequences(THREE), np.array([[1, 2, 3, 4], [0, 0, 0, 5], [0, 0, 0, 0]], np.int32))
    assert pad_sequences(THREE, 2).tolist() == [[3, 4], [0, 5], [0, 0]]
    assert pad_sequences(THREE, maxlen=2, padding="post").tolist() == [[3, 4], [5, 0], [0, 0]]
    assert pad_sequences(THREE, maxlen=3, truncating="post", value=9).tolist() == [[1, 2, 3], [9, 9, 5], [9, 9, 9]]
    assert pad_sequences([[0.5], [1, 2.5]], dtype="float32", value=-1).tolist() == [[-1, 0.5], [1, 2.5]]
    assert pad_sequences(THREE, maxlen=0).shape == (3, 0)
    assert pad_sequences([]).shape == (0, 0)
    assert pad_sequences([[], []], 3).tolist() == [[0, 0, 0]] * 2
    steps = [np.array([[1, 2]]), np.zeros((0, 2)), np.array([[3, 4], [5, 6]])]
    assert pad_sequences(steps).tolist() == [[[0, 0], [1, 2]], [[0, 0], [0, 0]], [[3, 4], [5, 6]]]
    assert pad_sequences([[], [[1, 2]]]).tolist() == [[[0, 0]], [[1, 2]]]
    assert pad_sequences([["a"], ["b", "c"]], dtype=object, value="-").tolist() == [["-", "a"], ["b", "c"]]


def test_what_is_given_stays_as_it_is():
    given_ = [np.arange(3), np.arange(5)]
    padded = pad_sequences(given_, dtype=given_[0].dtype)
    padded[...] = -1
    assert [part.tolist() for part in given_] == [[0, 1, 2], [0, 1, 2, 3, 4]]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(st.integers(-9, 9), max_size=7), min_size=1, max_size=6),
    st.none() | st.integers(1, 9),
    st.sampled_from(["int32", "int64", "float32", np.int8]),
    st.sampled_from(["pre", "post"]),
    st.sampled_from(["pre", "post"]),
    st.integers(-3, 3),
    st.sampled_from([list, tuple, np.array]),
)
def test_against_keras(sequences, maxlen, dtype, padding, truncating, value, kind):
    if os.environ.get("KERAS_BACKEND") != "torch":
        pytest.skip("KERAS_BACKEND=torch is not set")
    theirs = pytest.importorskip("keras").utils.pad_sequences
    sequences = [kind(sequence) for sequence in sequences]
    options = dict(maxlen=maxlen, dtype=dtype, padding=padding, truncating=truncating, value=value)
    assert equal(pad_sequences(sequences, **options), theirs(sequences, **options))


def test_refused():
    refused(ValueError, ["pad_sequences", "padding", "'left'"], pad_sequences, THREE, padding="left")
    refused(ValueError, ["pad_sequences", "truncating", "None"], pad_sequences, THREE, truncating=None)
    for wrong in (-1, 2.5, True, "3"):
        refused(ValueError, ["maxlen", repr(wrong)], pad_sequences, THREE, wrong)
    refused(ValueError, ["'x'", "int32", "object"], pad_sequences, THREE, value="x")
    refused(ValueError, ["generator", "list of sequences"], pad_sequences, (row for row in THREE))
    refused(ValueError, ["sequence 1 is 5", "a list or an array"], pad_sequences, [[1], 5])
    refused(ValueError, ["sequence 1", "(2,)", "()"], pad_sequences, [[1], [[1, 2]]])
    refused(ValueError, ["sequence 1", "int32", "'b'"], pad_sequences, [[1], ["b"]])
    refused(OverflowError, ["sequence 0", "int8"], pad_sequences, [[300]], dtype="int8")


def test_where_listings_look():
    assert nn.utils.pad_sequences is nn.preprocessing.sequence.pad_sequences is pad_sequences
