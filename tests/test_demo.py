"""The command line, the demo and the digits that come with fastopt."""

import functools
import json
import os
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest

import fastopt
from fastopt import reference
from fastopt.__main__ import main
from fastopt.demo import digits, line, network
from fastopt.demo.training import Training, forward, gradients, new_network
from fastopt.optim.rules import RULES


@pytest.fixture(scope="module")
def images():
    return fastopt.data.load_digits()


def accuracies(printed):
    """{call: accuracy} from the demo's table of optimizers."""
    rows = [line for line in printed.splitlines() if line[:40].rstrip().endswith(")") and line[:1].isupper()]
    return {row[:40].strip(): float(row[40:].split()[0]) for row in rows}


def trained(printed):
    """{way: accuracy} from the demo's last table."""
    rows = [row.rsplit(maxsplit=2) for row in printed.split("milliseconds per epoch\n")[1].splitlines()[:2]]
    return {way.strip(): float(accuracy) for way, accuracy, _ in rows}


def fails_with(code, argv, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(argv)
    assert stopped.value.code == code
    return capsys.readouterr().err


def test_digits_are_the_known_ones(images):
    x, y = images
    assert (x.shape, x.dtype, y.shape, y.dtype) == ((1797, 64), np.float32, (1797,), np.int64)
    assert (x.min(), x.max()) == (0, 1)
    assert np.bincount(y).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert (x[0, :8] * 16).tolist() == [0, 0, 5, 13, 9, 1, 0, 0]  # the first row of the first image, a zero
    assert y[:10].tolist() == list(range(10))


def test_digits_are_those_of_sklearn(images):
    bunch = pytest.importorskip("sklearn.datasets").load_digits()
    np.testing.assert_array_equal(images[0] * 16, bunch.data)
    np.testing.assert_array_equal(images[1], bunch.target)


def test_each_load_is_a_fresh_copy(images):
    x, y = fastopt.data.load_digits()
    x[:], y[:] = -1, -1
    assert images[0].min() == 0 == images[1].min()


def test_demo_learns_and_every_check_passes(compiled, capsys):
    assert main(["demo", "--epochs", "2"]) == 0
    out, err = capsys.readouterr()
    assert err == ""  # no progress bar where nobody watches
    found = accuracies(out)
    assert len(found) == len(digits.OPTIMIZERS) == 14
    assert all(0.5 < accuracy <= 1 for accuracy in found.values())
    assert sum(accuracy > 0.85 for accuracy in found.values()) >= 12
    assert all(method.name in out for method in line.METHODS)
    assert set(trained(out)) == {"plain NumPy", "fastopt.nn"}
    assert max(map(len, out.splitlines())) <= 90  # fits a terminal


def test_the_seed_decides(capsys):
    def run(seed):
        assert main(["demo", "--epochs", "1", "--optimizers", "Adam, lion", "--seed", seed]) == 0
        out = capsys.readouterr().out
        return accuracies(out), out.split("A line:")[1].split("The whole training:")[0], trained(out)

    first = run("3")
    assert list(first[0]) == ["Adam(lr=0.01)", "Lion(lr=0.003)"]
    assert first == run("3")
    assert first != run("4")


def test_every_optimizer_takes_part():
    assert {choice.optimizer.__name__ for choice in digits.OPTIMIZERS.values()} == set(RULES)


@pytest.mark.parametrize("shape", [(64, 32), (32,), (32, 10), (10,)])
def test_gradients_of_the_network(shape, images):
    rng = np.random.default_rng(5)
    x, y = images[0][:7].astype(float), images[1][:7]
    params = [p + rng.normal(size=p.shape) / 9 for p in new_network(rng)]

    def loss():
        scores = forward(params, x)[1]
        return np.mean(np.log(np.exp(scores).sum(axis=1)) - scores[np.arange(7), y])

    which = [p.shape for p in params].index(shape)
    param, grad, direction = params[which], gradients(params, x, y)[which], rng.normal(size=shape)
    param += 1e-5 * direction
    above = loss()
    param -= 2e-5 * direction
    assert np.sum(grad * direction) == pytest.approx((above - loss()) / 2e-5, rel=1e-6)


@pytest.mark.parametrize("name", digits.OPTIMIZERS)
def test_numpy_steps_never_call_the_optimizers(name, monkeypatch):
    training = Training(digits.OPTIMIZERS[name], 0, in_numpy=True)
    assert training.stepper.update.__module__ == "fastopt.reference.optimizers"
    monkeypatch.delattr(fastopt.optim.Optimizer, "step")
    before = [p.copy() for p in training.params]
    training.epoch()
    assert not any(np.array_equal(p, b) for p, b in zip(training.params, before))


def fails_for_adamax_alone(capsys):
    assert main(["demo", "--epochs", "1", "--optimizers", "adam,adamax,nadam"]) == 1
    out, err = capsys.readouterr()
    assert err.startswith("FAILED: adamax: weights after epoch 1 differ by ")
    assert err.count("\n") == 1
    assert "All checks passed" not in out


def test_one_weight_that_is_off_is_found(compiled, monkeypatch, capsys):
    right = fastopt.Adamax.step

    def wrong(self, grads):
        right(self, grads)
        self.param_groups[0]["params"][3][7] += 1e-9  # one of 2410

    monkeypatch.setattr(fastopt.Adamax, "step", wrong)
    fails_for_adamax_alone(capsys)


def test_another_definition_is_found(compiled, monkeypatch, capsys):
    right = reference.adamax

    @functools.wraps(right)
    def wrong(*args, eps, **options):
        right(*args, eps=2 * eps, **options)

    monkeypatch.setattr(reference, "adamax", wrong)
    fails_for_adamax_alone(capsys)


def test_a_weight_that_is_nan_is_found(monkeypatch, capsys):
    monkeypatch.setattr(fastopt.Lion, "step", lambda self, grads: self.param_groups[0]["params"][0].fill(np.nan))
    assert main(["demo", "--epochs", "1", "--optimizers", "lion"]) == 1
    assert "FAILED: lion: " in capsys.readouterr().err


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_slopes_are_those_of_least_squares(seed):
    rng = np.random.default_rng(seed)
    x, y = line.points(rng)
    assert x.shape == y.shape == (100,)
    assert 0 <= (y - 3 * x).min() < 0.2 < 0.8 < (y - 3 * x).max() < 1
    expected = np.linalg.lstsq(x[:, None], y)[0][0]
    assert 3.6 < expected < 3.9
    for method in line.METHODS:
        assert line.fit(method, x, y, rng) == pytest.approx(expected, abs=5e-3 if method.single else 1e-6, rel=0), method.name


def test_printed_slopes_are_those_of_least_squares(capsys):
    assert line.run(7) == []
    x, y = line.points(np.random.default_rng(7))
    expected = np.linalg.lstsq(x[:, None], y)[0][0]
    out = capsys.readouterr().out
    assert f"slope {expected:.6f}, not 3" in out
    assert out.count(f"  {expected:.6f}  ") >= 4  # all but the stochastic one, to six digits


def test_a_slope_that_is_off_is_found(monkeypatch, capsys):
    right = line.fit
    monkeypatch.setattr(line, "fit", lambda method, *rest: right(method, *rest) + 1e-5 * (method.name == "momentum"))
    assert main(["demo", "--epochs", "1", "--optimizers", "sgd"]) == 1
    assert capsys.readouterr().err.startswith("FAILED: momentum: slope ")


def test_the_model_starts_from_the_same_weights_and_sees_the_same_batches():
    plain, model = Training(network.CHOICE, 3, in_numpy=True), network.Network(3)
    assert all(np.array_equal(w, p) for w, p in zip(model.model.get_weights(), plain.params))
    plain.epoch()
    before = [w.copy() for w in model.model.get_weights()]
    model.epoch()
    assert digits.difference(before, plain.params) > 1e-3
    assert digits.difference(model.model.get_weights(), plain.params) < 1e-12
    assert model.accuracy() == plain.accuracy() > 0.8


def test_a_model_that_trains_otherwise_is_found(monkeypatch, capsys):
    right = network.Network.epoch

    def wrong(self):
        right(self)
        self.model.get_layer(index=-1).params["bias"][7] += 1e-8

    monkeypatch.setattr(network.Network, "epoch", wrong)
    assert main(["demo", "--epochs", "1", "--optimizers", "sgd"]) == 1
    err = capsys.readouterr().err
    assert err.startswith("FAILED: fastopt.nn: weights after epoch 1 differ by ")
    assert err.count("\n") == 1


def test_info_prints_every_fact_in_one_column(capsys):
    assert main(["info"]) == 0
    lines = capsys.readouterr().out.splitlines()
    facts = fastopt.info()
    width = max(map(len, facts)) + 2
    assert [line[:width].strip() for line in lines] == list(facts)
    told = {line[:width].strip(): line[width:] for line in lines}
    assert told["path"] == facts["path"]
    assert told["isas"] == ", ".join(facts["isas"])


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["nope"], "invalid choice: 'nope'"),
        ([], "required: command"),
        (["info", "more"], "unrecognized arguments: more"),
        (["demo", "--epochs", "0"], "--epochs: expected an integer of at least 1, got '0'"),
        (["demo", "--epochs", "two"], "got 'two'"),
        (["demo", "--seed", "-1"], "--seed"),
        (["demo", "--optimizers", "adam,adm"], "no optimizer 'adm'; there are sgd, momentum,"),
    ],
)
def test_a_command_line_that_is_wrong_exits_with_2(argv, words, capsys):
    assert words in fails_with(2, argv, capsys)


def test_help_names_the_commands_and_exit_codes(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["--help"])
    assert not stopped.value.code
    out = capsys.readouterr().out
    assert all(word in out for word in ("info", "demo", "example", "bench", "exit codes"))


def test_bench_gets_the_arguments_as_they_are(monkeypatch):
    got = []
    monkeypatch.setitem(sys.modules, "fastopt.bench", types.SimpleNamespace(main=lambda argv: got.append(argv) or 7))
    assert main(["bench", "Adam", "--help", "--", "-x"]) == 7
    assert got == [["Adam", "--help", "--", "-x"]]


def test_demo_on_the_reference_backend_compares_nothing_compiled(tmp_path):
    code = """
import json, sys
from fastopt.__main__ import main
from fastopt.demo import digits, line
from fastopt.demo.training import Training, forward, gradients, new_network
print(json.dumps([main(["demo", "--epochs", "1", "--optimizers", "nadam,amsgrad"]), "fastopt._core" in sys.modules]))
"""
    here = str(Path(fastopt.__file__).parents[1])  # the package that this suite tests, wherever it lies
    path = os.pathsep.join([here, os.environ.get("PYTHONPATH", "")])
    env = os.environ | {"FASTOPT_BACKEND": "reference", "PYTHONPATH": path}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=env, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.splitlines()[-1]) == [0, False]
    assert "ratio" not in done.stdout
    assert "compiled" not in done.stdout
    assert "times as fast" not in done.stdout
    assert set(trained(done.stdout)) == {"plain NumPy", "fastopt.nn"}
