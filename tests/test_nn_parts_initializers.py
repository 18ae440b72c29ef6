"""Initialisers: limits, moments and exact forms, and Keras's configurations."""

import json
import os

import numpy as np
import pytest

from fastopt.nn import initializers, utils

os.environ.setdefault("KERAS_BACKEND", "torch")  # read when keras is imported

DRAWN = ("RandomNormal", "TruncatedNormal", "RandomUniform", "VarianceScaling", "GlorotUniform", "GlorotNormal", "HeUniform",
         "HeNormal", "LecunUniform", "LecunNormal", "Orthogonal")  # fmt: skip
# of a kernel (200, 300): standard deviation, and the limit that no value passes
FORMS = [
    ("RandomNormal", {}, 0.05, np.inf), ("RandomNormal", {"stddev": 2.0}, 2.0, np.inf),
    ("TruncatedNormal", {}, 0.05 * 0.87962566, 0.1), ("RandomUniform", {}, 0.1 / np.sqrt(12), 0.05),
    ("GlorotUniform", {}, np.sqrt(2 / 500), np.sqrt(6 / 500)),
    ("GlorotNormal", {}, np.sqrt(2 / 500), 2 / 0.8796 * np.sqrt(2 / 500)),
    ("HeUniform", {}, np.sqrt(2 / 200), np.sqrt(6 / 200)), ("HeNormal", {}, np.sqrt(2 / 200), 2 / 0.8796 * np.sqrt(2 / 200)),
    ("LecunUniform", {}, np.sqrt(1 / 200), np.sqrt(3 / 200)), ("LecunNormal", {}, np.sqrt(1 / 200), 2 / 0.8796 * np.sqrt(1 / 200)),
    ("VarianceScaling", {"mode": "fan_out", "scale": 3.0, "distribution": "untruncated_normal"}, 0.1, np.inf),
    ("VarianceScaling", {"mode": "fan_avg", "distribution": "uniform"}, np.sqrt(1 / 250), np.sqrt(3 / 250)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "options", "deviation", "limit"), FORMS, ids=[f"{f[0]}-{'-'.join(f[1])}" for f in FORMS])
def test_moments_and_limits(name, options, deviation, limit):
    drawn = getattr(initializers, name)(**options, seed=3)((200, 300), "float64")
    assert drawn.std() == pytest.approx(deviation, rel=0.015)  # 60000 values: a standard error of 0.3 %
    assert abs(drawn.mean()) < 4 * deviation / np.sqrt(drawn.size)
    assert abs(drawn).max() <= limit
    if limit < np.inf:
        assert abs(drawn).max() > 0.99 * limit


@pytest.mark.parametrize(("shape", "expected"), [
    ((), (1, 1)), ((5,), (5, 5)), ((4, 6), (4, 6)), ((3, 4, 6), (12, 18)), ((2, 3, 4, 6), (24, 36)),
])  # fmt: skip
def test_fans(shape, expected):
    assert initializers.fans(shape) == expected


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (4, 4), (2, 3, 4)])
def test_orthogonal(shape):
    w = initializers.Orthogonal(gain=2.0, seed=1)(shape, "float64")
    assert w.shape == shape
    w = w.reshape(-1, shape[-1])
    product = w.T @ w if w.shape[0] >= w.shape[1] else w @ w.T
    np.testing.assert_allclose(product, 4 * np.eye(min(w.shape)), atol=1e-14)


def test_orthogonal_matrices_have_either_determinant():
    determinants = [np.linalg.det(initializers.Orthogonal(seed=seed)((3, 3), "float64")) for seed in range(40)]
    assert {round(d) for d in determinants} == {-1, 1}


def test_constants():
    np.testing.assert_array_equal(initializers.Zeros()((2, 3)), np.zeros((2, 3)))
    np.testing.assert_array_equal(initializers.Ones()((2,)), [1, 1])
    np.testing.assert_array_equal(initializers.Constant(0.3)((2,), "float64"), [0.3, 0.3])
    np.testing.assert_array_equal(initializers.Identity(gain=2)((2, 3)), [[2, 0, 0], [0, 2, 0]])
    given = np.arange(6).reshape(2, 3)
    made = initializers.get(given)((2, 3))
    np.testing.assert_array_equal(made, given)
    assert made.flags.owndata
    assert made.flags.writeable


@pytest.mark.parametrize("name", DRAWN)
def test_a_seed_gives_the_same_values_at_every_call(name):
    cls = getattr(initializers, name)
    one = cls(seed=5)
    first = one((6, 4))
    assert first.dtype == np.float32
    assert first.flags.c_contiguous
    np.testing.assert_array_equal(one((6, 4)), first)
    np.testing.assert_array_equal(cls(seed=5)((6, 4)), first)
    np.testing.assert_array_equal(cls(seed=5)((6, 4), "float64").astype(np.float32), first)
    assert (cls(seed=6)((6, 4)) != first).any()
    assert (cls()((6, 4)) != cls()((6, 4))).any()
    utils.set_random_seed(1)
    drawn = cls()((6, 4))
    utils.set_random_seed(1)
    np.testing.assert_array_equal(cls()((6, 4)), drawn)


@pytest.mark.parametrize("name", [*DRAWN, "Zeros", "Ones", "Identity", "Constant"])
def test_configuration(name):
    options = {"seed": 4} if name in DRAWN else {}
    made = getattr(initializers, name)(**options)
    config = initializers.serialize(made)
    assert config["class_name"] == name
    again = initializers.get(json.loads(json.dumps(config)))
    np.testing.assert_array_equal(again((3, 4)), made((3, 4)))
    unseeded = getattr(initializers, name)()
    assert unseeded.get_config().get("seed") is None


@pytest.mark.parametrize("name", [*DRAWN, "Zeros", "Ones", "Constant"])  # Keras's Identity loses its gain
def test_keras_has_the_same_defaults(name):
    keras = pytest.importorskip("keras")
    theirs = getattr(keras.initializers, name)().get_config()
    ours = getattr(initializers, name)().get_config()
    assert ours == {key: value for key, value in theirs.items() if key not in ("input_axes", "output_axes")}


@pytest.mark.parametrize(("identifier", "expected"), [
    ("glorot_uniform", "GlorotUniform"), ("GlorotUniform", "GlorotUniform"), ("zeros", "Zeros"), ("normal", "RandomNormal"),
    ("uniform", "RandomUniform"), ("he_normal", "HeNormal"), (initializers.HeUniform, "HeUniform"), ("one", "Ones"),
    ({"class_name": "Constant", "config": {"value": 2.0}}, "Constant"), (0.5, "Constant"),
])  # fmt: skip
def test_get(identifier, expected):
    assert type(initializers.get(identifier)).__name__ == expected


def test_get_takes_functions_and_none():
    def first(shape, dtype="float32"):
        return np.full(shape, 7, dtype)

    assert initializers.get(first) is first
    assert initializers.get(None) is None


@pytest.mark.parametrize(("call", "error", "message"), [
    (lambda: initializers.get("glorot_unifrom"), ValueError, "unknown name 'glorot_unifrom', nearest known: 'GlorotUniform'"),
    (lambda: initializers.VarianceScaling(scale=0), ValueError, "scale must be > 0"),
    (lambda: initializers.VarianceScaling(mode="fan"), ValueError, "mode: unknown name 'fan', nearest known: 'fan_"),
    (lambda: initializers.RandomNormal(seed="x"), ValueError, "seed must be None or an integer"),
    (lambda: initializers.Identity()((2, 3, 4)), ValueError, "must have two dimensions"),
    (lambda: initializers.Orthogonal()((4,)), ValueError, "two dimensions or more"),
    (lambda: initializers.Constant([1, 2])((3,)), ValueError, r"value has shape \(2,\), expected \(3,\)"),
])  # fmt: skip
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()
