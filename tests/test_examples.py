"""The examples run on what comes with fastopt, on real data where there are some, and reach what they should."""

import gzip
import importlib
import itertools
import lzma
import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import fastopt
from fastopt.__main__ import main
from fastopt.data import load_mnist, save_idx
from fastopt.examples import EXAMPLES, sources, texts

DATA = os.environ.get("FASTOPT_DATA")
DRAWS = find_spec("matplotlib") is not None
FEW = {"autoencoder": 20, "classifier": 10, "regression": 50, "mlp_by_hand": 800, "sequence_classifier": 10, "sentiment": 4,
       "toy_text": 40, "character_model": 2, "forecast": 2}  # fmt: skip
DRAWN = {"autoencoder", "classifier", "regression", "mlp_by_hand", "forecast"}
LESS = {
    "sequence_classifier": 300,
    "sentiment": 300,
    "character_model": 6000,
    "forecast": 600,
}  # samples, where a bar is not the point


def holds(name):
    return bool(DATA) and any(
        (Path(DATA) / place / name).is_file() for place in (".", "mnist", "tabular", "imdb", "tinyshakespeare")
    )


@pytest.fixture
def without_data(monkeypatch):
    monkeypatch.delenv("FASTOPT_DATA", raising=False)


def learn(name, folder, **options):
    return importlib.import_module(f"fastopt.examples.{name}").main(output=folder, **options)


def learn_less(name, folder, **options):
    return learn(name, folder, **options, **({"samples": LESS[name]} if name in LESS else {}))


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
    if name == "sequence_classifier":
        loss, right = result
        return loss < 1.5 and right.shape == (8,) and right[0] < 0.3 < 0.6 < right[-1]
    if name == "sentiment":
        loss, accuracy = result
        return loss < 0.5 and accuracy > 0.75
    if name == "toy_text":
        loss, p = result
        return loss < 0.6 and (p[:2] > 0.5).all() and (p[2:] < 0.5).all()
    if name == "character_model":
        bits, sample = result
        return 0.43 < bits < 1 and len(sample) > 350 and "." in sample
    if name == "forecast":
        error, naive = result
        return error < 0.5 * naive < 5
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
    if name not in DRAWN:
        assert not picture.exists()
        return
    assert picture.is_file() is DRAWS
    assert ("pip install matplotlib" in out) is not DRAWS
    if DRAWS:
        assert picture.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
        assert f"Picture: {picture}" in out


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_seed_decides(name, without_data, tmp_path):
    first, again, other = (learn_less(name, tmp_path, epochs=1, seed=seed)[0] for seed in (5, 5, 6))
    assert first == again != other


@pytest.mark.parametrize("name", sorted(DRAWN))
def test_without_matplotlib_it_is_said_and_the_rest_goes_on(name, without_data, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    learn_less(name, tmp_path, epochs=1)
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
    assert {path.stem for path in folder.glob("*.py")} == {*EXAMPLES, "__init__", "pictures", "sources", "texts"}


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["autoencode"], "no example 'autoencode', nearest known: 'autoencoder'"),
        (["MLP-by-hand"], "no example 'MLP-by-hand', nearest known: 'mlp_by_hand'"),
        (["regresion"], "nearest known: 'regression'"),
        (["xyz"], "there are autoencoder, classifier,"),
        (["classifier", "--epochs", "0"], "--epochs: expected an integer of at least 1, got '0'"),
        (["sentiment", "--samples", "9"], "--samples: expected an integer of at least 10, got '9'"),
        (["classifier", "--seed", "x"], "--seed: expected an integer of at least 0, got 'x'"),
        (["classifier", "regression"], "unrecognized arguments: regression"),
    ],
)
def test_a_command_line_that_is_wrong_exits_with_2(argv, words, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["example", *argv])
    assert stopped.value.code == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(("option", "words"), [(["--ragged"], "--ragged is for"), (["--samples", "20"], "--samples is for")])
def test_an_option_of_other_examples_is_refused(option, words, tmp_path, capsys):
    assert main(["example", "regression", *option, "--output", str(tmp_path / "out")]) == 2
    out, err = capsys.readouterr()
    assert (out, err) == ("", f"fastopt example regression: {words} other examples\n")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "words"), [("forecast", "series is too short: 50 hours"), ("character_model", "text is too short")]
)
def test_too_few_samples_are_refused(name, words, without_data, tmp_path, capsys):
    assert main(["example", name, "--samples", "50", "--output", str(tmp_path)]) == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("autoencoder", "train-images-idx3-ubyte"),
        ("regression", "ENB2012_data.csv"),
        ("sentiment", "train.jsonl.xz"),
        ("character_model", "input.txt"),
        ("forecast", "ETTh1.csv"),
    ],
)
def test_a_folder_without_the_files_is_refused_if_named_and_said_if_in_the_environment(name, file, tmp_path, monkeypatch, capsys):
    argv = ["example", name, "--epochs", "1", "--output", str(tmp_path / "out")]
    argv += ["--samples", str(LESS[name])] if name in LESS else []
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


def test_ragged_reviews(without_data, tmp_path, capsys):
    padded, ragged = (learn("sentiment", tmp_path, epochs=2, samples=1000, ragged=way)[0] for way in (False, True))
    assert padded != ragged
    assert ragged < 0.72
    told = re.findall(
        r"^(Padded|Ragged): of each review the last 25 words, ([\d,]+) to train on", capsys.readouterr().out, re.MULTILINE
    )
    assert told[0] == ("Padded", "25,000")
    assert told[1][0] == "Ragged"
    assert 12000 < int(told[1][1].replace(",", "")) < 25000


def test_made_up_reviews_say_what_their_label_says():
    rng = np.random.default_rng(1)
    for text, label in (texts.review(rng) for _ in range(300)):
        words = text.split()
        votes = [
            (word in texts.PRAISE) ^ (before == "not")
            for before, word in zip(["", *words], words)
            if word in texts.PRAISE + texts.BLAME
        ]
        assert 3 <= len(votes) <= 6
        assert set(votes) == {bool(label)}
        assert len(words) <= 27


def test_made_up_sentences_have_the_entropy_they_claim(without_data):
    text, bits = texts.letters()
    sentences = text.split("\n")[:-1]
    assert len(text) == 60000
    assert bits == pytest.approx(np.log2(5 * 8 * 8 * 8 * 4 * 3 * 8) / np.mean([len(line) + 1 for line in sentences]), rel=0.005)
    assert len(set(sentences)) > 0.99 * len(sentences)


def test_pieces_of_a_text_go_on_in_the_next_batch():
    from fastopt.examples.character_model import Pieces

    pieces = Pieces(np.arange(26), 2, 4)
    assert (len(pieces), pieces.size) == (3, 24)
    assert [x.tolist() for x, _ in (pieces[k] for k in range(3))] == [
        [[0, 1, 2, 3], [12, 13, 14, 15]],
        [[4, 5, 6, 7], [16, 17, 18, 19]],
        [[8, 9, 10, 11], [20, 21, 22, 23]],
    ]
    assert all((y == x + 1).all() for x, y in (pieces[k] for k in range(3)))


def test_the_state_begins_anew_every_so_often():
    from fastopt.examples.character_model import CARRIED, FromZero

    batches = []
    callback = FromZero()
    callback.set_model(SimpleNamespace(layers=[None, SimpleNamespace(reset_states=lambda: batches.append(batch))]))
    for batch in range(2 * CARRIED + 1):
        callback.on_train_batch_begin(batch)
    batch = "held out"
    callback.on_test_begin()
    assert batches == [0, CARRIED, 2 * CARRIED, "held out"]


def test_windows_of_a_series():
    from fastopt.examples.forecast import AHEAD, SEEN, windows

    x, y, last = windows(np.arange(100.0) ** 2, 2.0)
    assert (x.shape, y.shape) == ((100 - SEEN - AHEAD + 1, SEEN, 3), (100 - SEEN - AHEAD + 1, AHEAD))
    assert last[3] == 50**2
    assert x[3, 0, 0] == (3**2 - 50**2) / 2
    assert y[3, 0] == (51**2 - 50**2) / 2
    np.testing.assert_allclose(x[3, 5, 1:], [np.sin(2 * np.pi * 8 / 24), np.cos(2 * np.pi * 8 / 24)], rtol=1e-6)


@pytest.mark.skipif(not holds("train.jsonl.xz"), reason="FASTOPT_DATA has no reviews")
def test_sentiment_on_some_reviews(tmp_path, capsys):
    folder = Path(DATA) / "imdb"
    shutil.copy(folder / "imdb_word_index.json", tmp_path)
    for part, count in (("train", 300), ("test", 100)):
        with lzma.open(folder / f"{part}.jsonl.xz") as file:
            rows = list(itertools.islice(file, 12500 + count))
        (tmp_path / f"{part}.jsonl").write_bytes(b"".join(rows[:count] + rows[12500:]))
    loss, accuracy = learn("sentiment", tmp_path, data=str(tmp_path), epochs=2)
    assert loss < 0.72
    assert 0.4 < accuracy < 1
    assert "IMDB: 600 reviews to train on, 200 to test." in capsys.readouterr().out


@pytest.mark.skipif(not holds("input.txt"), reason="FASTOPT_DATA has no plays")
def test_character_model_on_the_beginning_of_the_plays(tmp_path, capsys):
    bits, _ = learn("character_model", tmp_path, data=DATA, epochs=1, samples=30000)
    assert 2 < bits < 4.5
    assert "Plays of Shakespeare: 30,000 characters." in capsys.readouterr().out


@pytest.mark.skipif(not holds("ETTh1.csv"), reason="FASTOPT_DATA has no tables")
def test_forecast_of_the_oil(tmp_path, capsys):
    error, naive = learn("forecast", tmp_path, data=DATA, epochs=2)
    assert 1 < error < 0.95 * naive < 1.6
    assert "Oil of a transformer: its temperature in 17,420 hours." in capsys.readouterr().out
