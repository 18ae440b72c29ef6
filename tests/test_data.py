"""fastopt.data: files, splits, scaling, filling and encoding, against numbers worked by hand, scikit-learn, and real files."""

import gzip
import json
import os
import struct
from collections import Counter
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from fastopt.data import (
    Imputer,
    MinMaxScaler,
    Standardizer,
    fill_missing,
    inverse_one_hot,
    k_fold,
    load_idx,
    load_mnist,
    load_table,
    one_hot,
    save_idx,
    train_test_split,
)

FOLDER = os.environ.get("FASTOPT_DATA")
INF, NAN = np.inf, np.nan


def refused(error, words, function, *args, **kwargs):
    """function(*args, **kwargs) raises `error` with all these words in its message."""
    with pytest.raises(error) as caught:
        function(*args, **kwargs)
    missing = [word for word in words if word not in str(caught.value)]
    assert not missing, f"{missing} not in {caught.value}"


def real(*parts):
    """A real file, or the test is skipped."""
    if not FOLDER:
        pytest.skip("FASTOPT_DATA is not set")
    path = Path(FOLDER, *parts)
    if not path.exists():
        pytest.skip(f"{path} is not there")
    return path


def equal(a, b):
    """Same dtype, shape and bits, NaN included."""
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


# ---- IDX files

SMALL = b"\0\0\x0b\x02" + struct.pack(">II", 2, 3) + struct.pack(">6h", 1, -2, 300, 4, 5, -32768)


def written(tmp_path, content, name="file"):
    path = tmp_path / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_idx_by_hand(tmp_path, pack):
    array = load_idx(written(tmp_path, pack(SMALL), "misnamed.gz"))
    assert array.dtype == np.int16
    assert array.dtype.isnative
    assert array.flags.writeable
    assert array.tolist() == [[1, -2, 300], [4, 5, -32768]]


@pytest.mark.parametrize(
    ("code", "form", "values"),
    [
        (8, "B", (0, 255)),
        (9, "b", (-128, 127)),
        (11, "h", (-2, 258)),
        (12, "i", (-2, 2**30 + 1)),
        (13, "f", (0.5, -3)),
        (14, "d", (1e300, -0.1)),
    ],
)
def test_idx_element_types(tmp_path, code, form, values):
    content = bytes([0, 0, code, 1]) + struct.pack(">I", 2) + struct.pack(f">2{form}", *values)
    array = load_idx(written(tmp_path, content))
    assert array.dtype == np.dtype(form)
    assert array.tolist() == list(values)
    save_idx(tmp_path / "again", array[::-1][::-1])
    assert (tmp_path / "again").read_bytes() == content


@settings(max_examples=60, deadline=None)
@given(
    hnp.arrays(
        st.sampled_from(["u1", "i1", "<i2", ">i2", "<i4", ">i4", "<f4", "<f8", ">f8"]),
        hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5),
    ),
    st.sampled_from(["", ".gz"]),
)
def test_idx_round_trip(tmp_path_factory, array, ending):
    path = tmp_path_factory.getbasetemp() / f"round_trip{ending}"
    save_idx(path, array)
    assert path.read_bytes().startswith(b"\x1f\x8b" if ending else b"\0\0")
    assert equal(load_idx(path), array.astype(array.dtype.newbyteorder("=")))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", ["no IDX file"]),
        (b"\0\0\x08", ["no IDX file", "00 00 08"]),
        (b"\x89PNG\r\n", ["no IDX file", "89 50 4e 47"]),
        (b"\0\0\x0a\x01" + bytes(8), ["no IDX file", "00 00 0a 01"]),
        (b"\0\0\x08\x03" + bytes(11), ["within its header", "3 dimensions"]),
        (b"\0\0\x08\xff" + bytes(1020), ["255 dimensions"]),
        (SMALL[:-1], ["int16", "(2, 3)", "12 bytes", "23 at most"]),
        (SMALL + b"x", ["(2, 3)", "goes on"]),
        (b"\0\0\x0e\x04" + b"\xff" * 16, ["float64", "4294967295", "allows for 20"]),
        (b"\0\0\x08\x05" + bytes(4) + b"\xff" * 16, ["too large for an array"]),
    ],
)
def test_idx_refused(tmp_path, content, words):
    refused(ValueError, ["load_idx", "file", *words], load_idx, written(tmp_path, content))
    if len(content) not in (0, 23) and b"\xff" * 16 not in content:  # the size of a packed file says less
        refused(ValueError, ["load_idx", "file", *words], load_idx, written(tmp_path, gzip.compress(content)))


def test_idx_gzip_refused(tmp_path):
    packed = gzip.compress(np.random.default_rng(0).bytes(1000).join([b"\0\0\x08\x01" + struct.pack(">I", 1000), b""]))
    assert len(load_idx(written(tmp_path, packed))) == 1000
    for end in (2, 5, 100, len(packed) - 1):
        refused(ValueError, ["load_idx", "damaged or cut short"], load_idx, written(tmp_path, packed[:end]))
    for at in (500, len(packed) - 6):  # within the data, within the checksum
        wrong = packed[:at] + bytes([packed[at] ^ 1]) + packed[at + 1 :]
        refused(ValueError, ["load_idx", "damaged"], load_idx, written(tmp_path, wrong))
    refused(ValueError, ["damaged"], load_idx, written(tmp_path, packed + b"more"))
    refused(ValueError, ["12 bytes", "ends after 11"], load_idx, written(tmp_path, gzip.compress(SMALL[:-1])))


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_idx_header_takes_no_memory(tmp_path, pack):
    """A header that claims 2^62 bytes is refused before anything is allocated."""
    content = b"\0\0\x08\x02" + struct.pack(">II", 2**31, 2**31) + bytes(100)
    refused(ValueError, [str(2**62), "allows for"], load_idx, written(tmp_path, pack(content)))


def test_idx_cannot_hold(tmp_path):
    for array in (np.zeros(3, np.int64), np.zeros(3, bool), np.array(["a"]), np.zeros(2, np.float16)):
        refused(TypeError, ["save_idx", str(array.dtype), "uint8"], save_idx, tmp_path / "x", array)
    assert not (tmp_path / "x").exists()
    with pytest.raises(FileNotFoundError):
        load_idx(tmp_path / "x")


def tiny_mnist(folder, **other):
    """Four files, two of them gzipped; `other` replaces one."""
    folder.mkdir(exist_ok=True)
    arrays = {
        "train-images-idx3": np.arange(48, dtype=np.uint8).reshape(3, 4, 4),
        "train-labels-idx1": np.array([7, 0, 9], np.uint8),
        "t10k-images-idx3": np.full((2, 4, 4), 255, np.uint8),
        "t10k-labels-idx1": np.array([1, 2], np.uint8),
    }
    for k, (name, array) in enumerate((arrays | other).items()):
        save_idx(folder / f"{name}-ubyte{'.gz' if k % 2 else ''}", array)


def test_mnist(tmp_path, monkeypatch):
    tiny_mnist(tmp_path / "mnist")
    monkeypatch.setenv("FASTOPT_DATA", str(tmp_path))
    for folder in (tmp_path, str(tmp_path / "mnist"), None):
        (x_train, y_train), (x_test, y_test) = load_mnist(folder)
        assert x_train[2, 3].tolist() == [44, 45, 46, 47]
        assert y_train.tolist() == [7, 0, 9]
        assert x_test.shape == (2, 4, 4)
        assert y_test.tolist() == [1, 2]


def test_mnist_refused(tmp_path, monkeypatch):
    monkeypatch.delenv("FASTOPT_DATA", raising=False)
    refused(FileNotFoundError, ["load_mnist", "FASTOPT_DATA", "train-images-idx3-ubyte"], load_mnist)
    tiny_mnist(tmp_path)
    (tmp_path / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(FileNotFoundError, match=r"load_mnist: t10k-labels-idx1-ubyte \(.gz or not\) not found in") as caught:
        load_mnist(tmp_path)
    assert "train" not in str(caught.value).partition("not found")[0]
    tiny_mnist(tmp_path, **{"t10k-labels-idx1": np.zeros(3, np.uint8)})
    refused(ValueError, ["t10k-images", "(2, 4, 4)", "t10k-labels", "(3,)"], load_mnist, tmp_path)
    tiny_mnist(tmp_path, **{"train-images-idx3": np.zeros((3, 4, 4), np.float32)})
    refused(ValueError, ["float32", "expected images uint8"], load_mnist, tmp_path)


def test_mnist_real():
    """Shapes and means as published, and the first labels."""
    (x_train, y_train), (x_test, y_test) = load_mnist(real("mnist").parent)
    assert (x_train.shape, x_test.shape) == ((60000, 28, 28), (10000, 28, 28))
    assert (round(x_train.mean() / 255, 4), round(x_test.mean() / 255, 4)) == (0.1307, 0.1325)
    assert y_train[:5].tolist() == [5, 0, 4, 1, 9]
    assert np.bincount(y_test).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


# ---- splits

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


# ---- scaling

COLUMNS = np.array([[1.0, 10, 5], [2, 10, 5], [6, 10, 8]])  # means 3, 10, 6; variances 14/3, 0, 2


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


# ---- missing values


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


# ---- one-hot


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


# ---- tables


def text(*lines, end="\n"):
    return [line + end for line in lines]


def test_table_by_hand():
    table = load_table(text("a, b ,kind", "1,2.5,x", "", '3,?,"y, z"', "-1e2,NA,"))
    assert table.names == ["a", "b", "kind"]
    assert table.categories == {"kind": ["x", "y, z"]}
    assert np.array_equal(table.data, [[1, 2.5, 0], [3, NAN, 1], [-100, NAN, NAN]], equal_nan=True)
    x, y = table.split("a")
    assert y.tolist() == [1, 3, -100]
    assert x.shape == (3, 2)
    assert table.split("a", -1)[1].shape == (3, 2)
    assert np.array_equal(table.select(1, "a"), table.data[:, [1, 0]], equal_nan=True)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", ""])
def test_table_delimiters(delimiter, end):
    lines = text(*(row.replace(";", delimiter) for row in ("1;2", "3;4.5", "5;6")), end=end)
    table = load_table(lines, delimiter=None if delimiter != "|" else "|")
    assert table.data.tolist() == [[1, 2], [3, 4.5], [5, 6]]
    assert table.names == ["0", "1"]


def test_table_headers():
    assert load_table(text("1,2", "3,4"), header=True).names == ["1", "2"]
    assert load_table(text("x", "3")).names == ["x"]
    assert load_table(text(",x", "0,3")).names == ["0", "x"]
    assert load_table(text("a,b", "c,d")).data.shape == (2, 2)  # no number anywhere: no header
    assert load_table(text("a,?", "c,1")).data.shape == (2, 2)  # a missing value is no name


def test_table_one_hot():
    rows = text("n,kind,size", "1,b,s", "2,a,?", "3,b,l")
    table = load_table(rows, one_hot="kind")
    assert table.names == ["n", "kind=a", "kind=b", "size"]
    assert table.select("kind").tolist() == [[0, 1], [1, 0], [0, 1]]
    assert table.split("kind")[0].shape == (3, 2)
    everything = load_table(rows, one_hot=True)
    assert everything.names == ["n", "kind=a", "kind=b", "size=l", "size=s"]
    assert np.array_equal(everything.select("size"), [[0, 1], [NAN, NAN], [1, 0]], equal_nan=True)
    assert load_table(rows, one_hot=["n"], categories={"n": []}).select("n").tolist() == np.eye(3).tolist()


def test_table_options():
    rows = text("d,k,v", "2020-01-01,x,1", "2020-01-02,-,2")
    table = load_table(rows, drop=["d"], missing="-")
    assert table.names == ["k", "v"]
    assert np.isnan(table.data[1, 0])
    assert load_table(rows, drop=(0, 1)).data.tolist() == [[1], [2]]
    other = load_table(text("k,v", "y,1", "x.,2"), categories={"k": ["y", "x"]}, aliases={"x.": "x"})
    assert other.data.tolist() == [[0, 1], [1, 2]]
    assert load_table(text("1", "10", "9"), categories={0: []}).categories == {"0": ["1", "10", "9"]}


def test_table_files(tmp_path):
    path = written(tmp_path, "\ufeffa;é\r\n1;2\r\n".encode(), "t.csv")
    assert load_table(path).names == ["a", "é"]
    with open(path, encoding="utf-8-sig") as file:
        assert load_table(file).data.tolist() == [[1, 2]]
    refused(ValueError, ["t.csv", "UTF-8", "encoding="], load_table, written(tmp_path, b"a,\xe9\n1,2\n", "t.csv"))
    with pytest.raises(FileNotFoundError):
        load_table(tmp_path / "none.csv")


@pytest.mark.parametrize(
    ("lines", "options", "words"),
    [
        ([], {}, ["empty"]),
        (text("", " "), {}, ["empty"]),
        (text("a,b"), {"header": True}, ["no rows"]),
        (text("a,b", "1,2", "3"), {}, ["line 3 has 1 cells", "expected 2"]),
        (text("a,a", "1,2"), {}, ["two columns 'a'", "header=False"]),
        (text("a,b", "1,2", "1,2x", "3,4"), {}, ["column 'b'", "line 3", "'2x'"]),
        (text("x", "2", "1_0"), {}, ["line 3", "'1_0'"]),
        (text("a,b", '1,"2', "3,4"), {}, ["line", "unexpected end"]),
        (text("x" * 200000 + ",b", "1,2"), {}, ["line 1", "field limit"]),
        (text("a,b", "1,2"), {"delimiter": ",,"}, ["delimiter", "',,'"]),
        (text("a,b", "1,2"), {"drop": "c"}, ["drop", "'c'", "a, b"]),
        (text("a,b", "1,2"), {"drop": 2}, ["drop", "2"]),
        (text("a,b", "1,2"), {"drop": ["a", "b"]}, ["every column"]),
        (text("a,b", "1,2"), {"one_hot": "a"}, ["one_hot", "'a'", "numeric"]),
        (text("a,b", "x,2"), {"categories": {"a": ["y", "z"]}}, ["'a'", "line 2", "'x'", "'y', 'z'"]),
        (text("a,b", "x,2"), {"categories": {"q": ["y"]}}, ["categories", "'q'"]),
        (text(*(f"v{i},1" for i in range(1001))), {"one_hot": True}, ["1001 values", "1000"]),
    ],
)
def test_table_refused(lines, options, words):
    refused(ValueError, ["load_table", *words], load_table, lines, **options)


def test_table_columns_refused():
    table = load_table(text("a,b", "1,2"))
    refused(ValueError, ["Table", "'c'", "a, b"], table.split, "c")
    refused(ValueError, ["Table", "5"], table.select, 5)
    refused(TypeError, ["Table.split", "no target"], table.split)


@settings(max_examples=60, deadline=None)
@given(
    hnp.arrays(np.float64, st.tuples(st.integers(1, 6), st.integers(2, 5)), elements=st.floats(width=64)),
    st.sampled_from(",;\t"),
    st.booleans(),
)
def test_table_round_trip(data, delimiter, header):
    rows = [delimiter.join(map(repr, row)) for row in data.tolist()]
    lines = text(*([delimiter.join(f"c{j}" for j in range(data.shape[1]))] if header else []), *rows)
    table = load_table(lines, header=header)
    assert np.array_equal(table.data, data, equal_nan=True)


# name: rows, columns, columns of categories, missing values
TABLES = {
    "ENB2012_data": (768, 10, 0, 0),
    "ETTh1": (17420, 8, 1, 0),
    "ETTh2": (17420, 8, 1, 0),
    "abalone": (4177, 9, 1, 0),
    "adult-test": (16281, 15, 9, 2203),
    "adult-train": (32561, 15, 9, 4262),
    "airline-passengers": (144, 2, 1, 0),
    "auto-insurance": (63, 2, 0, 0),
    "banknote_authentication": (1372, 5, 0, 0),
    "california_housing": (20640, 10, 1, 207),
    "daily-min-temperatures": (3650, 2, 1, 0),
    "housing": (506, 14, 0, 0),
    "iris": (150, 5, 1, 0),
    "monthly-sunspots": (2820, 2, 1, 0),
    "pima-indians-diabetes": (768, 9, 0, 0),
    "pollution": (43824, 13, 1, 2067),
    "shampoo": (36, 2, 1, 0),
    "sonar": (208, 61, 1, 0),
    "winequality-red": (1599, 12, 0, 0),
    "winequality-white": (4898, 12, 0, 0),
}


@pytest.mark.parametrize("name", TABLES)
def test_table_real(name):
    table = load_table(real("tabular", f"{name}.csv"))
    assert (*table.data.shape, len(table.categories), np.isnan(table.data).sum()) == TABLES[name]


def test_table_real_train_and_test():
    """The test set in the codes of the training set, of which it lacks a country and whose labels it ends with a dot."""
    train = load_table(real("tabular", "adult-train.csv"))
    test = load_table(real("tabular", "adult-test.csv"), categories=train.categories, aliases={"<=50K.": "<=50K", ">50K.": ">50K"})
    assert test.categories == train.categories
    assert (train.split(-1)[1] == 1).sum() == 7841
    assert (test.split(-1)[1] == 1).sum() == 3846
