"""The examples run on what comes with fastopt, on real data where there are some, and reach what they should."""

import gzip
import importlib
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

import fastopt
from fastopt.__main__ import main
from fastopt.data import load_mnist, save_idx
from fastopt.examples import EXAMPLES, sources

DATA = os.environ.get("FASTOPT_DATA")
DRAWS = find_spec("matplotlib") is not None
FEW = {"autoencoder": 20, "classifier": 10, "regression": 50, "mlp_by_hand": 800}


def holds(name):
    return bool(DATA) and any((Path(DATA) / place / name).is_file() for place in (".", "mnist", "tabular"))


@pytest.fixture
def without_data(monkeypatch):
    monkeypatch.delenv("FASTOPT_DATA", raising=False)


def learn(name, folder, **options):
    return importlib.import_module(f"fastopt.examples.{name}").main(output=folder, **options)


def reaches(name, result):
    """The bar of each example after FEW epochs."""
    if name == "autoencoder":
        loss, average = result
        return loss < 0.31 < 0.42 < average < 0.43
    if name == "classifier":
        accuracy, confusion = result
        return accuracy > 0.93 and confusion.shape == (10, 10) and accuracy == pytest.approx(np.trace(confusion) / confusion.sum())
    if name == "regression":
        error, straight = result
        return error < 0.8 * straight
    loss, p = result
    return loss < 0.02 and (np.abs(p - [[0], [1], [1], [0]]) < 0.05).all()


@pytest.mark.parametrize("name", EXAMPLES)
def test_each_reaches_its_bar(name, without_data, tmp_path, capsys):
    assert reaches(name, learn(name, tmp_path, epochs=FEW[name]))
    out, err = capsys.readouterr()
    assert err == ""
    assert re.match(rf"(Epochs|Steps): {FEW[name]}, in \d+\.\d\d s", out.splitlines()[-2])  # what it reached comes last
    assert max(map(len, out.splitlines())) <= 132
    picture = tmp_path / f"{name}.png"
    assert picture.is_file() is DRAWS
    assert ("pip install matplotlib" in out) is not DRAWS
    if DRAWS:
        assert picture.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
        assert f"Picture: {picture}" in out


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_seed_decides(name, without_data, tmp_path):
    first, again, other = (learn(name, tmp_path, epochs=1, seed=seed)[0] for seed in (5, 5, 6))
    assert first == again != other


@pytest.mark.parametrize("name", EXAMPLES)
def test_without_matplotlib_it_is_said_and_the_rest_goes_on(name, without_data, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    learn(name, tmp_path, epochs=1)
    out = capsys.readouterr().out
    assert "No picture: matplotlib is not installed" in out
    assert out.splitlines()[-2].startswith(("Epochs: 1, in ", "Steps: 1, in "))
    assert not list(tmp_path.iterdir())


def test_the_classifier_stops_early(without_data, tmp_path, capsys):
    learn("classifier", tmp_path, epochs=500)
    ran, best = re.search(
        r"^Epochs: (\d+), .* of which number (\d+) was the best\.", capsys.readouterr().out, re.MULTILINE
    ).groups()
    assert int(ran) == int(best) + 5 < 100


def test_gradients_of_the_perceptron():
    from fastopt.examples import mlp_by_hand as example

    rng = np.random.default_rng(2)
    weights = [rng.normal(size=(3, example.HIDDEN)), rng.normal(size=(example.HIDDEN, 1))]
    _, grads = example.gradients(weights, example.POINTS, example.LABELS)
    for w, grad in zip(weights, grads):
        direction = rng.normal(size=w.shape)
        losses = []
        for step in (1e-5, -2e-5):
            w += step * direction
            losses.append(example.gradients(weights, example.POINTS, example.LABELS)[0])
        w += 1e-5 * direction
        assert np.sum(grad * direction) == pytest.approx((losses[0] - losses[1]) / 2e-5, rel=1e-7)


def test_the_command_runs_one(tmp_path):
    env = {name: value for name, value in os.environ.items() if name != "FASTOPT_DATA"}
    env["PYTHONPATH"] = os.pathsep.join([str(Path(fastopt.__file__).parents[1]), env.get("PYTHONPATH", "")])
    argv = [sys.executable, "-m", "fastopt", "example", "classifier", "--epochs", "3", "--output", "new/folder"]
    done = subprocess.run(argv, cwd=tmp_path, env=env, capture_output=True, text=True, check=True)
    assert done.stderr == ""  # no progress bar where nobody watches
    assert "accuracy 0." in done.stdout.splitlines()[-1]
    assert [path.name for path in (tmp_path / "new" / "folder").iterdir()] == ["classifier.png"] * DRAWS


def test_without_a_name_they_are_listed(capsys):
    assert main(["example"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in out[: len(EXAMPLES)]] == list(EXAMPLES)
    folder = Path(out[-1])
    assert {path.stem for path in folder.glob("*.py")} == {*EXAMPLES, "__init__", "pictures", "sources"}


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["autoencode"], "no example 'autoencode', nearest known: 'autoencoder'"),
        (["MLP-by-hand"], "no example 'MLP-by-hand', nearest known: 'mlp_by_hand'"),
        (["regresion"], "nearest known: 'regression'"),
        (["xyz"], "there are autoencoder, classifier,"),
        (["classifier", "--epochs", "0"], "--epochs: expected an integer of at least 1, got '0'"),
        (["classifier", "--seed", "x"], "--seed: expected an integer of at least 0, got 'x'"),
        (["classifier", "regression"], "unrecognized arguments: regression"),
    ],
)
def test_a_command_line_that_is_wrong_exits_with_2(argv, words, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["example", *argv])
    assert stopped.value.code == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(("name", "file"), [("autoencoder", "train-images-idx3-ubyte"), ("regression", "ENB2012_data.csv")])
def test_a_folder_without_the_files_is_refused_if_named_and_said_if_in_the_environment(name, file, tmp_path, monkeypatch, capsys):
    argv = ["example", name, "--epochs", "1", "--output", str(tmp_path / "out")]
    assert main([*argv, "--data", str(tmp_path)]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith(f"fastopt example {name}: ")
    assert file in err
    monkeypatch.setenv("FASTOPT_DATA", str(tmp_path))
    assert main(argv) == 0
    first, second = capsys.readouterr().out.splitlines()[:2]
    assert first.startswith("FASTOPT_DATA is of no use here: ")
    assert file in first
    assert "come with fastopt" in second or "made up" in second


def test_damaged_files_are_refused(tmp_path, capsys):
    for name in ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"):
        (tmp_path / name).write_bytes(gzip.compress(b"no IDX file"))
    (tmp_path / "ENB2012_data.csv").write_text("X1,Y1,Y2\n1,2\n")
    for name, words in (("classifier", "is no IDX file"), ("regression", "ENB2012_data.csv")):
        assert main(["example", name, "--data", str(tmp_path), "--output", str(tmp_path / "out")]) == 2
        assert words in capsys.readouterr().err


def test_an_output_that_is_no_folder_is_refused_before_the_work(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert main(["example", "classifier", "--output", str(tmp_path / "file")]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("fastopt example: --output: ")


@pytest.mark.skipif(not holds("train-images-idx3-ubyte.gz"), reason="FASTOPT_DATA has no MNIST")
@pytest.mark.parametrize("name", ["autoencoder", "classifier"])
def test_on_a_slice_of_mnist(name, tmp_path, capsys):
    (x_train, y_train), (x_test, y_test) = load_mnist()
    for part, array in zip(("train-images-idx3", "train-labels-idx1"), (x_train, y_train)):
        save_idx(tmp_path / f"{part}-ubyte", array[:3000])
    for part, array in zip(("t10k-images-idx3", "t10k-labels-idx1"), (x_test, y_test)):
        save_idx(tmp_path / f"{part}-ubyte", array[:500])
    first = learn(name, tmp_path, data=str(tmp_path), epochs=1)[0]
    assert first < 0.35 if name == "autoencoder" else first > 0.7
    assert "MNIST: 3,000 images of 28x28 pixels to train on, 500 to test." in capsys.readouterr().out


@pytest.mark.skipif(not holds("ENB2012_data.csv"), reason="FASTOPT_DATA has no tables")
def test_regression_on_the_table(tmp_path, capsys):
    error, straight = learn("regression", tmp_path, data=DATA)
    assert error < 1.5 < 3 < straight < 3.6
    assert "heating load" in capsys.readouterr().out


def test_the_digits_are_parted_in_proportion(without_data):
    (x_train, _), (x_test, y_test) = sources.images()
    assert (x_train.shape, x_test.shape, x_train.dtype) == ((1437, 64), (360, 64), np.float32)
    assert np.bincount(y_test).min() >= 34
    assert len(np.unique(np.concatenate([x_train, x_test]), axis=0)) == 1797
