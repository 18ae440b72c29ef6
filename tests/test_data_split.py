"""Training and test sets and folds: by hand, against scikit-learn's rules, refusals."""

from collections import Counter

import numpy as np
import pytest
from expected import refused
from hypothesis import given, settings
from hypothesis import strategies as st

from fastopt.data import k_fold, one_hot, train_test_split

NAN = np.nan


SIZES = [
    (None, None),
    (0.25, None),
    (3, None),
    (None, 0.5),
    (None, 7),
    (0.2, 0.3),
    (1, 0.31),
    (0.34, 4),
    (0.9, None),
    (None, 0.99),
]


@pytest.mark.parametrize(("test_size", "train_size"), SIZES)
@pytest.mark.parametrize("n", [10, 11, 64, 101])
def test_split_sizes(n, test_size, train_size):
    """scikit-learn's sizes, and without shuffling its sets."""
    theirs = pytest.importorskip("sklearn.model_selection").train_test_split
    ours = train_test_split(np.arange(n), test_size=test_size, train_size=train_size, shuffle=False)
    for a, b in zip(ours, theirs(np.arange(n), test_size=test_size, train_size=train_size, shuffle=False)):
        assert a.tolist() == b.tolist()
    train, test = train_test_split(range(n), test_size=test_size, train_size=train_size, seed=3)
    assert [len(train), len(test)] == [len(part) for part in ours]
    assert len({*train, *test}) == len(train) + len(test)


def test_split_by_hand():
    x, y, words = np.arange(20).reshape(10, 2), np.arange(10) * 10, [[i] * i for i in range(10)]
    parts = train_test_split(x, y, words, test_size=3, train_size=0.45, seed=1)
    assert [len(part) for part in parts] == [4, 3, 4, 3, 4, 3]
    for k in (0, 1):
        assert (parts[k][:, 0] * 5 == parts[2 + k]).all()
        assert [i * 10 for i in map(len, parts[4 + k])] == parts[2 + k].tolist()
        assert isinstance(parts[4 + k], list)
        assert parts[k].base is None or not np.shares_memory(parts[k], x)


def test_split_seeds():
    def sets(seed):
        return [part.tolist() for part in train_test_split(np.arange(50), stratify=np.arange(50) % 2, seed=seed)]

    assert sets(5) == sets(5) == sets(np.random.default_rng(5))
    assert sets(5) != sets(6)
    assert sets(None) != sets(None)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(2, 40), min_size=1, max_size=6), st.floats(0.05, 0.6), st.floats(0.05, 0.4), st.integers(0, 99))
def test_split_stratified(counts, test_share, train_share, seed):
    """Each class in proportion, within one of its exact share."""
    y = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    n_test, n_train = int(np.ceil(test_share * len(y))), int(train_share * len(y))
    if min(n_test, n_train) < len(counts) or n_test + n_train > len(y):
        return
    train, test = train_test_split(np.arange(len(y)), test_size=test_share, train_size=train_share, stratify=y, seed=seed)
    assert (len(train), len(test)) == (n_train, n_test)
    assert len(np.unique([*train, *test])) == n_train + n_test
    of_train, of_test = (np.bincount(y[part], minlength=len(counts)) for part in (train, test))
    assert (abs(of_train - np.array(counts) * n_train / len(y)) < 1).all()
    rest = np.array(counts) - of_train
    assert (abs(of_test - rest * n_test / rest.sum()) < 1).all()


def test_split_stratified_literal():
    """Halves of 6, 4 and 2; strings are classes, and so are rows."""
    y = np.array(list("aaaaaabbbbcc"))
    for stratify in (y, one_hot(y, ["a", "b", "c"])):
        train, test = train_test_split(y, test_size=6, stratify=stratify, seed=0)
        assert Counter(train.tolist()) == Counter(test.tolist()) == {"a": 3, "b": 2, "c": 1}
    assert train.tolist() != sorted(train)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"test_size": 0.0}, ValueError, ["test_size", "(0, 1)", "0.0"]),
        ({"test_size": 1.0}, ValueError, ["test_size", "1.0"]),
        ({"test_size": NAN}, ValueError, ["test_size", "nan"]),
        ({"test_size": 0}, ValueError, ["test_size", "at least 1"]),
        ({"train_size": 10}, ValueError, ["train_size", "less than", "10"]),
        ({"test_size": -3}, ValueError, ["test_size", "-3"]),
        ({"test_size": "half"}, TypeError, ["test_size", "'half'"]),
        ({"test_size": True}, TypeError, ["test_size", "True"]),
        ({"test_size": 0.6, "train_size": 0.6}, ValueError, ["0.6", "6 + 6"]),
        ({"test_size": 0.55, "train_size": 0.49}, ValueError, ["0.55", "0.49"]),
        ({"train_size": 0.05}, ValueError, ["0 to train"]),
        ({"stratify": [0] * 9 + [1]}, ValueError, ["one member"]),
        ({"stratify": [0, 1] * 4}, ValueError, ["(8,)", "(10,)"]),
        ({"stratify": [0, 1] * 5, "shuffle": False}, ValueError, ["stratify", "shuffle=True"]),
        ({"stratify": [0, 1, 2, 3, 4] * 2, "test_size": 4}, ValueError, ["test set has 4", "5 classes"]),
        ({"stratify": [NAN, 1.0] * 5}, ValueError, ["stratify", "NaN"]),
        ({"seed": -1}, ValueError, ["seed", "-1"]),
        ({"seed": "x"}, TypeError, ["seed", "'x'"]),
    ],
)
def test_split_refused(options, error, words):
    refused(error, ["train_test_split", *words], train_test_split, np.arange(10), **options)


def test_split_refuses_arrays():
    refused(TypeError, ["no array"], train_test_split)
    refused(ValueError, ["array 1 has 4 samples", "expected 5"], train_test_split, np.zeros(5), [1, 2, 3, 4])
    refused(TypeError, ["array 0", "no sequence"], train_test_split, 3)
    for samples in ([], [1], np.zeros(0), np.zeros(1)):
        refused(ValueError, [f"{len(samples)} samples"], train_test_split, samples)


@pytest.mark.parametrize(("n", "folds"), [(2, 2), (7, 3), (10, 10), (64, 5), (65, 4)])
def test_k_fold(n, folds):
    theirs = pytest.importorskip("sklearn.model_selection").KFold(folds).split(np.zeros(n))
    for (train, test), (a, b) in zip(k_fold(n, folds, shuffle=False), theirs, strict=True):
        assert train.tolist() == a.tolist()
        assert test.tolist() == b.tolist()
    shuffled = k_fold(n, folds, seed=4)
    assert [len(test) for _, test in shuffled] == [len(range(k, n, folds)) for k in range(folds)]
    for train, test in shuffled:
        assert sorted([*train, *test]) == list(range(n))
        assert (np.diff(train) > 0).all()
        assert (np.diff(test) > 0).all()
    assert sorted(i for _, test in shuffled for i in test) == list(range(n))


def test_k_fold_seeds():
    def folds(seed, **options):
        return [test.tolist() for _, test in k_fold(30, 3, seed=seed, **options)]

    assert folds(1) == folds(1) != folds(2)
    labels = ["a"] * 20 + ["b"] * 10
    assert folds(1, stratify=labels) == folds(1, stratify=labels) != folds(2, stratify=labels)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(5, 30), min_size=1, max_size=5), st.integers(2, 5), st.integers(0, 99))
def test_k_fold_stratified(counts, folds, seed):
    """Without shuffling scikit-learn's folds; shuffled, as many of every class."""
    theirs = pytest.importorskip("sklearn.model_selection").StratifiedKFold(folds)
    y = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    plain, shuffled = k_fold(len(y), folds, shuffle=False, stratify=y), k_fold(len(y), folds, stratify=y, seed=seed)
    for (train, test), (a, b), (_, other) in zip(plain, theirs.split(y, y), shuffled, strict=True):
        assert train.tolist() == a.tolist()
        assert test.tolist() == b.tolist()
        assert np.bincount(y[other], minlength=len(counts)).tolist() == np.bincount(y[b], minlength=len(counts)).tolist()


def test_k_fold_refused():
    refused(ValueError, ["k_fold", "folds", "got 1"], k_fold, 10, 1)
    refused(ValueError, ["k_fold", "got 11 for 10"], k_fold, 10, 11)
    refused(TypeError, ["k_fold", "n must be an integer"], k_fold, 10.0)
    refused(TypeError, ["k_fold", "folds", "2.5"], k_fold, 10, 2.5)
    refused(ValueError, ["k_fold", "4", "the largest has 3"], k_fold, 6, 4, stratify=[0, 0, 0, 1, 1, 1])
    with pytest.warns(UserWarning, match="a class has 2 members, fewer than the 3 folds"):
        k_fold(6, 3, stratify=[0, 0, 0, 0, 1, 1])
