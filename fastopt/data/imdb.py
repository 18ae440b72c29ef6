"""The IMDB reviews: 50,000 of films, half of them good, as sequences of words by number.

The files hold a review a line, as JSON: {"id": 0, "label": 0, "rating": 3, "text": "Story of a man who ..."}.
"""

import json
import lzma
import os
from pathlib import Path

import numpy as np

from ..files import opened
from .folders import find
from .tokenizer import FILTERS

FILES = ("train.jsonl.xz", "test.jsonl.xz", "imdb_word_index.json")
START, RARE, FIRST = 1, 2, 3  # numbers as in Keras: the start of a review, a word left out, what is added to a word's rank
MOST_RANK = 2**31 - 1 - FIRST
LONGEST = 2**20  # bytes of a review, its length 14 kB at most in the set
MOST_EXPANSION = 100  # reviews pack to a fifth; what unpacks to a hundred times its size is none
SPACES = bytes.maketrans(FILTERS.encode(), b" " * len(FILTERS))


def load_imdb(folder=None, num_words=10000, maxlen=None, *, shuffle=True, seed=0):
    """(x_train, y_train), (x_test, y_test): lists of int32 arrays (T_i,), and int64 (N,), 1 for praise and 0 for its opposite.

    folder: holds train.jsonl.xz, test.jsonl.xz (unpacked, without ".xz", will do) and imdb_word_index.json, or has a subfolder
    "imdb" which does; None takes the folder in the environment variable FASTOPT_DATA.
    num_words: words of number num_words and above become 2; None keeps all. maxlen: only reviews shorter than it, as in Keras.
    shuffle: whether reviews are mixed, the same way for the same seed; in the files all of one label stand together.

    The numbers are those of keras.datasets.imdb: 1 begins a review, a word is its rank by frequency + 3, 0 is left for padding.
    Words without a rank are dropped. Raises FileNotFoundError naming files that are missing, ValueError naming file and line where
    one is damaged.

    Source: A. L. Maas, R. E. Daly, P. T. Pham, D. Huang, A. Y. Ng, C. Potts, "Learning word vectors for sentiment analysis",
    ACL 2011.
    """
    for name, value in (("num_words", num_words), ("maxlen", maxlen)):
        if value is not None and (isinstance(value, bool) or not hasattr(value, "__index__") or value < 1):
            raise ValueError(f"load_imdb: {name} must be an integer >= 1 or None, got {value!r}")
    *reviews, words = _paths(folder)
    ranks = imdb_word_index(words)
    most = num_words if num_words is not None else max(ranks.values(), default=0) + FIRST + 1
    numbers = {word.encode(): rank + FIRST if rank + FIRST < most else RARE for word, rank in ranks.items()}
    rng = np.random.default_rng(seed)
    sets = []
    for path in reviews:
        x, y = _read(path, numbers, maxlen)
        if shuffle:
            order = rng.permutation(len(x))
            x, y = [x[i] for i in order], y[order]
        sets.append((x, y))
    return tuple(sets)


def imdb_word_index(path=None):
    """The ranks of words by frequency, 1 for the commonest, as a dict, from imdb_word_index.json; in load_imdb a word is rank + 3.

    path: the file, or what `folder` is to load_imdb.
    """
    path = Path(os.fsdecode(path)) if path is not None else None
    if path is None or path.is_dir():
        path = _paths(path)[-1]
    try:
        with opened("load_imdb", path) as file:
            ranks = json.load(file)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"load_imdb: {str(path)!r} is no JSON: {error}") from error
    if not isinstance(ranks, dict) or not all(type(rank) is int and 0 < rank <= MOST_RANK for rank in ranks.values()):
        raise ValueError(f"load_imdb: {str(path)!r} must hold an object of words and their ranks, integers from 1 to {MOST_RANK}")
    return ranks


def _read(path, numbers, maxlen):
    """The reviews of one file and their labels."""
    x, y = [], []
    line = 0  # the last one read
    try:
        with opened("load_imdb", path) as packed, lzma.open(packed) if path.suffix == ".xz" else packed as file:
            most = os.fstat(packed.fileno()).st_size * MOST_EXPANSION + LONGEST
            while row := file.readline(LONGEST):
                line += 1
                most -= len(row)
                if len(row) == LONGEST or most < 0:
                    raise ValueError("more text than reviews have" if most < 0 else f"longer than {LONGEST} bytes")
                review = json.loads(row)
                label, text = review["label"], review["text"]
                if type(label) is not int or label not in (0, 1) or not isinstance(text, str):
                    raise ValueError(f'expected "label" 0 or 1 and a string as "text", got {label!r:.20} and {text!r:.40}')
                # in UTF-8 all that parts words is one byte, and a table for bytes is much quicker than one for characters
                words = text.lower().encode("utf-8", "surrogatepass").translate(SPACES).split(b" ")
                review = np.array([START, *filter(None, map(numbers.get, words))], np.int32)
                if maxlen is None or len(review) < maxlen:
                    x.append(review)
                    y.append(label)
    except (lzma.LZMAError, EOFError) as error:
        raise ValueError(f"load_imdb: the xz data of {str(path)!r} are damaged or cut short after line {line} ({error})") from error
    except KeyError as error:
        raise ValueError(f"load_imdb: {str(path)!r}, line {line}: no entry {error}") from error
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"load_imdb: {str(path)!r}, line {line}: {error}") from error
    if not x:
        raise ValueError(f"load_imdb: {str(path)!r} has no review{f' shorter than maxlen={maxlen}' if line else ''}")
    return x, np.array(y, np.int64)


def _paths(folder):
    """The three files, unpacked where they are."""
    return find("load_imdb", folder, FILES, "imdb", lambda name: (name.removesuffix(".xz"), name))
