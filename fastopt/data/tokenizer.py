"""Words as integers: a vocabulary learnt from texts, by the rules of Keras 2's keras.preprocessing.text."""

import json
from collections import Counter

import numpy as np

FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'
LEARNT = {"word_counts": (str, int), "word_docs": (str, int), "word_index": (str, int), "index_docs": (int, int),
          "index_word": (int, str)}  # name: types of keys and values  # fmt: skip
MODES = ("binary", "count", "freq", "tfidf")


class Tokenizer:
    """Texts as lists of integers: of each word its rank by frequency, from 1, of equally frequent ones the first seen first.

    num_words: only integers below it are given out, so the num_words - 1 most frequent words; None for all.
    filters: characters that part words, as `split` does; lower: whether words are made lower-case first.
    char_level: each character is a word, and nothing is filtered. A text may also be a list of words, which are taken as they are.
    oov_token: stands for words that are unknown or too rare, with the integer 1; None leaves them out.

    word_counts, word_docs: of each word how often it came, and in how many texts; index_docs the latter by integer; word_index,
    index_word: the integer of each word and back, all of them whatever num_words; document_count: the number of texts.

    >>> tokenizer = Tokenizer(oov_token="?")
    >>> tokenizer.fit_on_texts(["The cat sat.", "The dog!"])
    >>> tokenizer.word_index
    {'?': 1, 'the': 2, 'cat': 3, 'sat': 4, 'dog': 5}
    >>> tokenizer.texts_to_sequences(["the cow sat"])
    [[2, 1, 4]]
    """

    def __init__(self, num_words=None, filters=FILTERS, lower=True, split=" ", char_level=False, oov_token=None):
        if num_words is not None and (isinstance(num_words, bool) or not hasattr(num_words, "__index__") or num_words < 0):
            raise ValueError(f"Tokenizer: num_words must be an integer >= 0 or None, got {num_words!r}")
        if not isinstance(split, str) or not split:
            raise ValueError(f"Tokenizer: split must be a string of at least one character, got {split!r}")
        self.num_words, self.filters, self.lower, self.split = num_words, filters or "", lower, split
        self.char_level, self.oov_token = char_level, oov_token
        self.document_count = 0
        self.word_counts, self.word_docs, self.index_docs = {}, {}, {}
        self.word_index, self.index_word = {}, {}

    def fit_on_texts(self, texts):
        """Adds texts, an iterable, to what was learnt before; the integers are given out anew."""
        counts, docs = Counter(self.word_counts), Counter(self.word_docs)
        added = 0
        for words in self._parted("fit_on_texts", texts):
            counts.update(words)
            docs.update(dict.fromkeys(words).keys())  # each word once, in the order of the text
            added += 1
        self.word_counts, self.word_docs = dict(counts), dict(docs)
        self.document_count += added
        ranked = [word for word, _ in counts.most_common() if word != self.oov_token]
        if self.oov_token is not None:
            ranked.insert(0, self.oov_token)
        self.word_index = {word: rank for rank, word in enumerate(ranked, 1)}
        self.index_word = dict(enumerate(ranked, 1))
        self.index_docs = {self.word_index[word]: count for word, count in docs.items()}

    def fit_on_sequences(self, sequences):
        """Counts texts that are integers already, an iterable of sequences, for the mode "tfidf"."""
        docs = Counter(self.index_docs)
        for sequence in sequences:
            docs.update(set(np.asarray(sequence).tolist()))
            self.document_count += 1
        self.index_docs = dict(docs)

    def texts_to_sequences(self, texts):
        """A list of integers for each text; words without one are left out, or are those of oov_token."""
        known = {word: index for word, index in self.word_index.items() if not self.num_words or index < self.num_words}
        parted = self._parted("texts_to_sequences", texts)
        if self.oov_token is None:
            return [[known[word] for word in words if word in known] for words in parted]
        other = self._other("texts_to_sequences")
        return [[known.get(word, other) for word in words] for words in parted]

    def sequences_to_texts(self, sequences):
        """For each of sequences, of integers, its words, joined by spaces; those without a word are left out, or are oov_token."""
        known = {index: word for index, word in self.index_word.items() if not self.num_words or index < self.num_words}
        lists = (np.asarray(sequence).tolist() for sequence in sequences)
        if self.oov_token is None:
            return [" ".join(known[index] for index in indices if index in known) for indices in lists]
        self._other("sequences_to_texts")
        return [" ".join(known.get(index, self.oov_token) for index in indices) for indices in lists]

    def texts_to_matrix(self, texts, mode="binary"):
        """float64 (texts, num_words), a column for each integer; without num_words as many as there are words, and one.

        mode: "binary" 1 where the word occurs; "count" how often, c; "freq" c / (words of the text); "tfidf"
        (1 + log c) log(1 + n / (1 + d)), n texts having been learnt from, d of them with the word.
        """
        return self.sequences_to_matrix(self.texts_to_sequences(texts), mode)

    def sequences_to_matrix(self, sequences, mode="binary"):
        """texts_to_matrix of sequences of integers; those of num_words and above are left out. mode: as in texts_to_matrix."""
        owner = "Tokenizer.sequences_to_matrix"
        if mode not in MODES:
            raise ValueError(f"{owner}: mode must be one of {', '.join(MODES)}, got {mode!r}")
        width = self.num_words or len(self.word_index) + 1
        if width == 1:
            raise ValueError(f"{owner}: no columns: pass num_words, or call fit_on_texts first")
        if mode == "tfidf" and not self.document_count:
            raise ValueError(f"{owner}: mode 'tfidf' needs texts to have been counted; call fit_on_texts or fit_on_sequences first")
        matrix = np.zeros((len(sequences), width))
        for i, (row, sequence) in enumerate(zip(matrix, sequences)):
            indices = np.asarray(sequence, np.int64)
            if indices.size and indices.min() < 0:
                raise ValueError(f"{owner}: sequence {i} holds {indices.min()}, expected integers >= 0")
            np.add.at(row, indices[indices < width], 1)
            if mode == "freq" and indices.size:
                row /= indices.size
        if mode == "binary":
            np.minimum(matrix, 1, out=matrix)
        if mode == "tfidf":
            docs = np.array([self.index_docs.get(index, 0) for index in range(width)])
            there = matrix > 0
            matrix[there] = 1 + np.log(matrix[there])
            matrix *= np.log(1 + self.document_count / (1 + docs))
        return matrix

    def get_config(self):
        """Settings and what was learnt as a dict; what is keyed by words or integers is JSON within, as in Keras."""
        settings = ("num_words", "filters", "lower", "split", "char_level", "oov_token", "document_count")
        learnt = ("word_counts", "word_docs", "index_docs", "index_word", "word_index")
        return {name: getattr(self, name) for name in settings} | {name: json.dumps(getattr(self, name)) for name in learnt}

    def to_json(self, **options):
        """What tokenizer_from_json, of Keras too, makes this tokenizer of; `options` are json.dumps's."""
        return json.dumps({"class_name": "Tokenizer", "config": self.get_config()}, **options)

    def _parted(self, method, texts):
        """The words of each text."""
        owner = f"Tokenizer.{method}"
        if isinstance(texts, (str, bytes)):
            raise TypeError(f"{owner}: texts is a single {type(texts).__name__}, expected a list of texts")
        apart = str.maketrans(dict.fromkeys(self.filters, self.split))
        for i, text in enumerate(texts):
            if isinstance(text, str):
                text = text.lower() if self.lower else text
                yield text if self.char_level else list(filter(None, text.translate(apart).split(self.split)))
            elif isinstance(text, (list, tuple)) and all(isinstance(word, str) for word in text):
                yield [word.lower() for word in text] if self.lower else text
            else:
                raise TypeError(f"{owner}: text {i} is a {type(text).__name__}, expected a string or a list of strings")

    def _other(self, method):
        """The integer of oov_token."""
        if self.oov_token not in self.word_index:
            raise ValueError(f"Tokenizer.{method}: oov_token {self.oov_token!r} is not in word_index; call fit_on_texts first")
        return self.word_index[self.oov_token]


def tokenizer_from_json(json_string):
    """The Tokenizer that to_json, of fastopt or of Keras, made json_string of; ValueError for any other string."""
    try:
        config = dict(json.loads(json_string)["config"])
        learnt = {name: _learnt(name, config.pop(name), key, value) for name, (key, value) in LEARNT.items()}
        count = config.pop("document_count")
        config.pop("analyzer", None)
        tokenizer = Tokenizer(**config)
        if type(count) is not int or count < 0:
            raise ValueError(f"document_count is {count!r:.40}")
        if not isinstance(tokenizer.filters, str) or not isinstance(tokenizer.oov_token, (str, type(None))):
            raise ValueError("filters and oov_token must be strings")
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
        reason = f"{type(error).__name__}: {str(error)[:300]}"
        raise ValueError(f"tokenizer_from_json: this is not what Tokenizer.to_json returns ({reason})") from error
    vars(tokenizer).update(learnt, document_count=count)
    return tokenizer


def _learnt(name, text, key, value):
    """A dict from its JSON, whose keys and values are of these types."""
    entries = {key(k): v for k, v in json.loads(text).items()}
    for v in entries.values():
        if type(v) is not value or (value is int and v < 0):
            raise ValueError(f"{name} holds {v!r:.40}")
    return entries


def text_to_word_sequence(input_text, filters=FILTERS, lower=True, split=" "):
    """The list of words of input_text, as Tokenizer parts them.

    >>> text_to_word_sequence("The cat sat.")
    ['the', 'cat', 'sat']
    """
    return next(iter(Tokenizer(None, filters, lower, split)._parted("text_to_word_sequence", [input_text])))
