"""The IMDB reviews: a small set by hand, damage, and the real files against what Keras's copy of them is known to hold."""

import json
import lzma

import numpy as np
import pytest
from expected import equal, real, refused

from fastopt.data import imdb_word_index, load_imdb

RANKS = {"the": 1, "film": 2, "was": 3, "it's": 4, "été": 5, "br": 7}
TRAIN = [
    {"id": 0, "label": 0, "rating": 3, "text": "The film: was...BAD.<br />It's"},
    {"id": 1, "label": 0, "rating": 1, "text": "film film"},
    {"id": 2, "label": 1, "rating": 9, "text": "(ÉTÉ)\tthe"},
    {"id": 3, "label": 1, "rating": 9, "text": "unheard-of"},
]


def packed(rows):
    return lzma.compress("".join(json.dumps(row) + "\n" for row in rows).encode())


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "train.jsonl.xz").write_bytes(packed(TRAIN))
    (tmp_path / "test.jsonl.xz").write_bytes(packed(TRAIN[2:]))
    (tmp_path / "imdb_word_index.json").write_text(json.dumps(RANKS))
    return tmp_path


def lists(x):
    return [review.tolist() for review in x]


def test_by_hand(folder):
    (x_train, y_train), (x_test, y_test) = load_imdb(folder, shuffle=False)
    assert lists(x_train) == [[1, 4, 5, 6, 10, 7], [1, 5, 5], [1, 8, 4], [1]]
    assert lists(x_test) == [[1, 8, 4], [1]]
    assert equal(y_train, np.array([0, 0, 1, 1]))
    assert y_test.tolist() == [1, 1]
    assert {review.dtype for review in x_train} == {np.dtype(np.int32)}
    assert imdb_word_index(folder) == RANKS


def test_number_of_words_and_length(folder):
    (x_train, _), _ = load_imdb(folder, num_words=7, shuffle=False)
    assert lists(x_train) == [[1, 4, 5, 6, 2, 2], [1, 5, 5], [1, 2, 4], [1]]
    (everything, _), _ = load_imdb(folder, num_words=None, shuffle=False)
    assert lists(everything)[0] == [1, 4, 5, 6, 10, 7]
    (x_train, y_train), (x_test, _) = load_imdb(folder, maxlen=3, shuffle=False)
    assert lists(x_train) == lists(x_test) == [[1]]
    assert y_train.tolist() == [1]
    refused(ValueError, ["train.jsonl.xz", "shorter than maxlen=1"], load_imdb, folder, maxlen=1)


def test_shuffled(folder):
    many = [dict(TRAIN[0], label=i % 2, text="the " * i) for i in range(40)]
    (folder / "train.jsonl.xz").write_bytes(packed(many))

    def lengths(**options):
        (x, y), _ = load_imdb(folder, **options)
        assert [len(review) % 2 for review in x] == [1 - label for label in y]
        return [len(review) for review in x]

    assert lengths(seed=3) == lengths(seed=3) != lengths(seed=4)
    assert lengths() == lengths(seed=0) != sorted(lengths())
    assert sorted(lengths()) == lengths(shuffle=False) == list(range(1, 41))


def test_places(folder, monkeypatch):
    for name in ("train", "test"):  # unpacked files will do
        path = folder / f"{name}.jsonl.xz"
        (folder / f"{name}.jsonl").write_bytes(lzma.decompress(path.read_bytes()))
        path.unlink()
    below = folder / "data" / "imdb"
    below.parent.mkdir()
    below.mkdir()
    for path in folder.glob("*.json*"):
        path.rename(below / path.name)
    monkeypatch.setenv("FASTOPT_DATA", str(below.parent))
    for place in (None, below, str(below.parent)):
        assert len(load_imdb(place)[0][0]) == 4
        assert imdb_word_index(place) == RANKS
    assert imdb_word_index(below / "imdb_word_index.json") == RANKS
    (below / "test.jsonl").unlink()
    with pytest.raises(FileNotFoundError, match=r"load_imdb: test\.jsonl\.xz not found in .* nor in its subfolder 'imdb'"):
        load_imdb(below)
    monkeypatch.delenv("FASTOPT_DATA")
    refused(FileNotFoundError, ["FASTOPT_DATA", "train.jsonl.xz"], load_imdb)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", ["line 3"]),
        ("[1]", ["line 3"]),
        ('{"text": "x"}', ["line 3", "'label'"]),
        ('{"label": 1}', ["line 3", "'text'"]),
        ('{"label": 2, "text": "x"}', ["line 3", "label", "0 or 1", "2"]),
        ('{"label": true, "text": "x"}', ["line 3", "True"]),
        ('{"label": 1, "text": null}', ["line 3", "None"]),
        ("", ["line 3"]),
    ],
)
def test_damaged_lines(folder, line, words):
    content = "".join(json.dumps(row) + "\n" for row in TRAIN[:2]) + line + "\n"
    (folder / "test.jsonl.xz").write_bytes(lzma.compress(content.encode()))
    refused(ValueError, ["load_imdb", "test.jsonl.xz", *words], load_imdb, folder)


def test_damaged_files(folder):
    path = folder / "train.jsonl.xz"
    whole = path.read_bytes()
    for content in (whole[:-20], whole[:30], b"no xz data"):
        path.write_bytes(content)
        refused(ValueError, ["load_imdb", "train.jsonl.xz", "damaged or cut short after line"], load_imdb, folder)
    path.write_bytes(lzma.compress(b"\xff\xfe{\n"))
    refused(ValueError, ["train.jsonl.xz", "line 1"], load_imdb, folder)
    path.write_bytes(lzma.compress(b""))
    refused(ValueError, ["train.jsonl.xz", "no review"], load_imdb, folder)
    path.write_bytes(whole)
    for content in ("[]", '{"a": 0}', '{"a": "1"}', '{"a": true}', '{"a": 1'):
        (folder / "imdb_word_index.json").write_text(content)
        refused(ValueError, ["load_imdb", "imdb_word_index.json"], load_imdb, folder)


def test_options_refused(folder):
    for name in ("num_words", "maxlen"):
        for wrong in (0, 2.5, True, "x"):
            refused(ValueError, ["load_imdb", name, repr(wrong)], load_imdb, folder, **{name: wrong})


def test_real():
    """Counts as published, and the review that opens Keras's training set: number 576 of those that praise."""
    (x_train, y_train), (x_test, y_test) = load_imdb(real("imdb"), shuffle=False)
    assert (len(x_train), len(x_test), y_train.sum(), y_test.sum()) == (25000, 25000, 12500, 12500)
    assert x_train[12500 + 576][:10].tolist() == [1, 14, 22, 16, 43, 530, 973, 1622, 1385, 65]
    assert len(x_train[12500 + 576]) == 218
    lengths = [len(review) for review in x_train]
    assert (round(np.mean(lengths), 1), max(lengths)) == (238.7, 2494)
    assert max(review.max() for review in x_test) == 9999
    words = {rank + 3: word for word, rank in imdb_word_index(real("imdb")).items()}
    assert " ".join(words[i] for i in x_train[12500 + 576][1:9]) == "this film was just brilliant casting location scenery"
