"""The README's listings in Python, run as they stand, one after the other; what they take for granted is made up here."""

import re
from pathlib import Path

import numpy as np

import fastopt
from fastopt import nn

TEXT = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
FILES = "load_mnist"  # of listings that read files of the user's


def given():
    """What the listings name and do not make."""
    rng = np.random.default_rng(0)
    x, labels = rng.standard_normal((8, 4)), rng.integers(3, size=8)
    params = [rng.standard_normal((3, 2)), rng.standard_normal(2)]
    return {
        "np": np, "fastopt": fastopt, "params": params, "grads": [np.ones_like(p) for p in params], "lr": 0.1,
        "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "batches": [(None, None)] * 3,
        "backward": lambda params, x, y: [p - 1 for p in params],
        "w1": rng.standard_normal((4, 5)), "b1": np.zeros(5), "w2": rng.standard_normal((5, 3)), "b2": np.zeros(3),
        "x_by_hand": x, "labels_by_hand": labels,
        "gradient_of_the_loss": lambda prediction: prediction - 1,
    }  # fmt: skip


def test_listings_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    scope, results = given(), {}
    for code in re.findall(r"```python\n(.*?)```", TEXT, re.S):
        if FILES in code:
            continue
        if "kernels.dense_forward" in code:
            scope |= {"x": scope["x_by_hand"], "labels": scope["labels_by_hand"]}
        if "model.backward" in code:
            scope |= {"model": nn.Sequential([nn.Dense(2, activation="tanh")]), "x": np.ones((4, 3), np.float32)}
        for name in ("params", "m", "v"):
            scope[name] = [np.copy(p) for p in given()["params"]] if name == "params" else None
        exec(compile(code, "README.md", "exec"), scope)
        results[code] = [np.copy(p) for p in scope["params"]]
    by_hand, fast = (next(r for code, r in results.items() if mark in code) for mark in ("np.zeros_like", "opt.step(backward("))
    for theirs, ours in zip(by_hand, fast):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)
    assert "[1. 2. 3.]" in capsys.readouterr().out
    assert scope["accuracy"] > 0.9
    assert (tmp_path / "digits.fastopt").exists()
