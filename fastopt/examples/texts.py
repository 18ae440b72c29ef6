"""The texts that the examples learn from: files where there is a folder of them, else sentences made up by rule."""

import os
from pathlib import Path

import numpy as np

from ..data import Tokenizer, load_imdb, load_text
from .sources import settle

PRAISE = "good great lovely clever moving funny superb fresh warm brilliant".split()
BLAME = "bad dull awful stupid boring silly dreadful stale cold clumsy".split()
NEUTRAL = "the a this that film story plot cast scene music actor ending and with of in it was is so we saw then all one".split()
SLOTS = (
    "The A Our Your Every".split(),
    "old young sleepy noble merry weary humble gentle".split(),
    "king queen soldier baker sailor poet miller shepherd".split(),
    "sings walks waits dreams laughs speaks stands rests".split(),
    "by in near beyond".split(),
    "the my some".split(),
    "river. forest. castle. garden. harbour. market. mountain. meadow.".split(),
)


def reviews(data=None, samples=None):
    """(x_train, y_train), (x_test, y_test), and the number of words to read of each review.

    x are lists of int32 arrays of numbers below 10,000, y arrays of 1 for praise and 0 for its opposite; shuffled. The IMDB reviews
    from the folder `data` or FASTOPT_DATA, 25,000 and 25,000, of which 200 words are read; else 3,000 and 1,000 made up, of which
    25 are: three to six words tell, and "not" turns the next one round. samples: at most so many of each. Raises Unusable where the
    folder `data` has no such files.
    """
    if data or os.environ.get("FASTOPT_DATA"):
        try:
            sets = load_imdb(data or None, num_words=10000)
        except (OSError, ValueError) as error:
            settle(data, error)
        else:
            return *_first(sets, samples, "IMDB: {} reviews to train on, {} to test."), 200
    rng = np.random.default_rng(0)
    texts, labels = zip(*(review(rng) for _ in range(4000)))
    tokenizer = Tokenizer(num_words=10000)
    tokenizer.fit_on_texts(texts[:3000])
    x = [np.array(sequence, np.int32) for sequence in tokenizer.texts_to_sequences(texts)]
    y = np.array(labels)
    sets = (x[:3000], y[:3000]), (x[3000:], y[3000:])
    return *_first(sets, samples, "No reviews given (--data), so {} are made up to train on, {} to test."), 25


def letters(data=None, samples=None):
    """A text to learn to write, and the least bits per character that it can be predicted with, None where nobody knows.

    The plays of Shakespeare in tinyshakespeare/input.txt in the folder `data` or FASTOPT_DATA (A. Karpathy, char-rnn, 2015), 1.1
    million characters; else 60,000 of sentences of seven words, each drawn from its own list. samples: at most so many. Raises
    Unusable where the folder `data` has no such file.
    """
    folder = data or os.environ.get("FASTOPT_DATA")
    if folder:
        places = [Path(folder) / "input.txt", Path(folder) / "tinyshakespeare" / "input.txt"]
        path = next((path for path in places if path.is_file()), None)
        try:
            if path is None:
                raise FileNotFoundError(f"input.txt not found in {folder!r} nor in its subfolder 'tinyshakespeare'")
            text = load_text(path)[:samples]
        except (OSError, ValueError) as error:
            settle(data, error)
        else:
            print(f"Plays of Shakespeare: {len(text):,} characters.")
            return text, None
    rng = np.random.default_rng(0)
    mean = sum(np.mean([len(word) + 1 for word in words]) for words in SLOTS)  # characters in a sentence, with what follows words
    bits = sum(np.log2(len(words)) for words in SLOTS) / mean
    text = "".join(" ".join(words[rng.integers(len(words))] for words in SLOTS) + "\n" for _ in range(1600))[: samples or 60000]
    print(f"No text given (--data), so sentences are made up: {len(text):,} characters of {bits:.3f} bits each, by the rule.")
    return text, bits


def _first(sets, samples, words):
    """At most so many of each set, and what they are, printed."""
    sets = [(x[:samples], y[:samples]) for x, y in sets]
    print(words.format(*(f"{len(x):,}" for x, _ in sets)))
    return sets


def review(rng):
    """A made-up review and its label: all words that tell are for it, if need be by a "not" before them."""
    label = int(rng.integers(2))
    words = [NEUTRAL[i] for i in rng.integers(len(NEUTRAL), size=rng.integers(6, 16))]
    for _ in range(rng.integers(3, 7)):
        negated = rng.random() < 0.3
        told = (PRAISE if label ^ negated else BLAME)[rng.integers(10)]
        words.insert(rng.integers(len(words)), f"not {told}" if negated else told)
    return " ".join(words), label
