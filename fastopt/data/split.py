"""Indices that part samples: one training and one test set, or k folds; by chance, in order, or with every class in proportion."""

import math
import operator
import warnings

import numpy as np


def train_test_split(*arrays, test_size=None, train_size=None, shuffle=True, stratify=None, seed=None):
    """Each of `arrays` parted into a training and a test set, in step: x_train, x_test, y_train, y_test for x and y.

    arrays: arrays (N, ...), or lists of N samples of any kind, which stay lists. What is returned is fresh.
    test_size, train_size: a share in (0, 1), rounded up for the test set and down for the training set, or a number of samples.
        One alone leaves the rest to the other; with neither, test_size is 0.25; together they may be less than all.
    shuffle: False takes the first samples to train on and those that follow to test, as time series want it.
    stratify: labels (N,), or rows (N, C), whose every class (two members at least) is shared out in proportion, within a sample.
    seed: an integer, or a numpy.random.Generator; the same seed always gives the same sets. None draws one.

    The rules are scikit-learn's; its sets for a seed are others. Raises ValueError where a set would be empty or sizes do not fit.

    >>> train_test_split(np.arange(8), list("abcdefgh"), test_size=0.25, shuffle=False)
    [array([0, 1, 2, 3, 4, 5]), array([6, 7]), ['a', 'b', 'c', 'd', 'e', 'f'], ['g', 'h']]
    """
    owner = "train_test_split"
    if not arrays:
        raise TypeError(f"{owner}: no array given, expected at least one")
    arrays = [_samples(owner, f"array {i}", array) for i, array in enumerate(arrays)]
    n = len(arrays[0])
    for i, array in enumerate(arrays):
        if len(array) != n:
            raise ValueError(f"{owner}: array {i} has {len(array)} samples, expected {n} like array 0")
    n_train, n_test = _sizes(owner, n, train_size, test_size)
    if stratify is not None:
        if not shuffle:
            raise ValueError(f"{owner}: stratify needs shuffle=True, got shuffle={shuffle!r}")
        train, test = _proportional(owner, _classes(owner, stratify, n), n_train, n_test, _generator(owner, seed))
    else:
        order = _generator(owner, seed).permutation(n) if shuffle else np.arange(n)
        train, test = order[:n_train], order[n_train : n_train + n_test]
    return [_take(array, chosen) for array in arrays for chosen in (train, test)]


def k_fold(n, folds=5, *, shuffle=True, stratify=None, seed=None):
    """k-fold cross-validation over n samples: a list of (train, test), index arrays in ascending order, one pair for each fold.

    Every sample is in exactly one test set; their sizes differ by one at most, the first being the larger. shuffle=False tests on
    consecutive samples. stratify: labels (n,) or rows (n, C), whose every class is dealt out evenly over the folds; warns where one
    has fewer members than there are folds. seed as in train_test_split.

    >>> [test.tolist() for _, test in k_fold(7, folds=3, shuffle=False)]
    [[0, 1, 2], [3, 4], [5, 6]]
    """
    n, folds = _count("k_fold", "n", n), _count("k_fold", "folds", folds)
    if not 2 <= folds <= n:
        raise ValueError(f"k_fold: folds must be from 2 to the number of samples, got {folds} for {n}")
    rng = _generator("k_fold", seed)
    fold = np.sort(np.arange(n) % folds)
    if stratify is not None:
        fold = _dealt(_classes("k_fold", stratify, n), folds, rng if shuffle else None)
    elif shuffle:
        rng.shuffle(fold)
    return [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(folds)]


def _sizes(owner, n, train_size, test_size):
    """How many samples to train and to test on."""
    if train_size is None and test_size is None:
        test_size = 0.25
    n_test = None if test_size is None else _size(owner, "test_size", test_size, n, math.ceil)
    n_train = None if train_size is None else _size(owner, "train_size", train_size, n, math.floor)
    n_train, n_test = n - n_test if n_train is None else n_train, n - n_train if n_test is None else n_test
    shares = isinstance(train_size, (float, np.floating)) and isinstance(test_size, (float, np.floating))
    if n_train + n_test > n or (shares and train_size + test_size > 1):
        raise ValueError(
            f"{owner}: train_size={train_size!r} and test_size={test_size!r} are {n_train} + {n_test} samples, got {n}"
        )
    if n_train < 1 or n_test < 1:
        raise ValueError(
            f"{owner}: {n} samples would be parted into {n_train} to train and {n_test} to test on, expected some in each"
        )
    return n_train, n_test


def _size(owner, name, size, n, whole):
    if isinstance(size, (float, np.floating)):
        if not 0 < size < 1:
            raise ValueError(f"{owner}: {name} must be a share in (0, 1) or a number of samples, got {size!r}")
        return whole(float(size) * n)
    size = _count(owner, name, size)
    if not 0 < size < n:
        raise ValueError(f"{owner}: {name} must be at least 1 and less than the number of samples, {n}, got {size}")
    return size


def _proportional(owner, classes, n_train, n_test, rng):
    """Two disjoint sets with the classes in proportion, each in random order."""
    counts = np.bincount(classes)
    if counts.min() < 2:
        raise ValueError(f"{owner}: a class of stratify has one member only, expected at least two of each")
    for name, size in (("training", n_train), ("test", n_test)):
        if size < len(counts):
            raise ValueError(f"{owner}: the {name} set has {size} samples, expected one for each of the {len(counts)} classes")
    of_train = _shares(counts, n_train, rng)
    of_test = _shares(counts - of_train, n_test, rng)
    train, test = [], []
    for k in range(len(counts)):
        members = rng.permutation(np.flatnonzero(classes == k))
        train.append(members[: of_train[k]])
        test.append(members[of_train[k] : of_train[k] + of_test[k]])
    return rng.permutation(np.concatenate(train)), rng.permutation(np.concatenate(test))


def _shares(counts, draws, rng):
    """`draws` shared out in proportion to counts: rounded down, what is left to the largest remainders, ties by chance."""
    whole, rest = np.divmod(counts * draws, counts.sum())
    largest = np.lexsort((rng.random(len(counts)), -rest))
    whole[largest[: draws - whole.sum()]] += 1
    return whole


def _dealt(classes, folds, rng):
    """The fold of each sample: classes one after the other are dealt round, so each is even and so are all together."""
    counts = np.bincount(classes)
    if counts.max() < folds:
        raise ValueError(
            f"k_fold: no class of stratify has as many members as there are folds, {folds}; the largest has {counts.max()}"
        )
    if counts.min() < folds:
        warnings.warn(
            f"k_fold: a class has {counts.min()} members, fewer than the {folds} folds: some test sets lack it", stacklevel=3
        )
    fold, start = np.empty(len(classes), np.intp), 0
    for k, count in enumerate(counts):
        dealt = np.sort(np.arange(start, start + count) % folds)
        fold[classes == k] = dealt if rng is None else rng.permutation(dealt)
        start += count
    return fold


def _classes(owner, stratify, n):
    """Labels or rows as integers from 0, classes in the order in which they first appear."""
    rows = np.asarray(stratify)
    if rows.ndim not in (1, 2) or len(rows) != n:
        raise ValueError(f"{owner}: stratify has shape {rows.shape}, expected ({n},) or ({n}, C)")
    if rows.dtype.kind in "fc" and np.isnan(rows).any():
        raise ValueError(f"{owner}: stratify holds NaN, expected a label for every sample")
    _, first, codes = np.unique(rows, return_index=True, return_inverse=True, axis=0 if rows.ndim == 2 else None)
    return np.argsort(np.argsort(first))[codes.reshape(-1)]


def _samples(owner, name, array):
    if isinstance(array, (list, tuple)):
        return list(array)
    array = np.asarray(array)
    if array.ndim == 0:
        raise TypeError(f"{owner}: {name} is no sequence of samples, expected an array (N, ...) or a list")
    return array


def _take(array, chosen):
    return [array[i] for i in chosen] if isinstance(array, list) else array[chosen]


def _count(owner, name, value):
    try:
        if not isinstance(value, (bool, np.bool_)):
            return operator.index(value)
    except TypeError:
        pass
    raise TypeError(f"{owner}: {name} must be an integer, got {value!r}")


def _generator(owner, seed):
    try:
        return np.random.default_rng(seed)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{owner}: seed must be an integer >= 0, a numpy.random.Generator or None, got {seed!r}") from None
