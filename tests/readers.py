"""Readers of files, and how their answers to damaged, foreign and hostile ones are judged; bytes of such files."""

import contextlib
import gzip
import io
import json
import lzma
import signal
import tracemalloc
import warnings
import zipfile

import numpy as np
from snapshots import frozen

from fastopt import AdamW, nn, optim
from fastopt.data import Tokenizer, imdb_word_index, load_idx, load_imdb, load_table, load_text, save_idx, tokenizer_from_json

RNG = np.random.default_rng(20261122)


class Reader:
    """A kind of file: `good` one's bytes, read(path) -> what it holds as a comparable value.

    state(): what must be as before where read raises. checked: the file has checksums, so what is read is what was written.
    """

    checked, owner = True, ""

    def __init__(self, folder):
        self.path = folder / "file"
        self.write(self.path)
        self.good = self.path.read_bytes()
        self.wanted = self.read(self.path)
        self.prepare()

    def prepare(self):
        pass

    def state(self):
        return None

    def judge(self, content=None):
        """What a file of this content holds; None where it is refused with a reason and without an effect."""
        if content is not None:
            self.path.write_bytes(content)
        before = self.state()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return self.read(self.path)
        except ValueError as error:
            said = str(error)
        assert self.owner in said
        assert 20 < len(said) < 3000, said
        assert self.state() == before
        return None


def network():
    return nn.Sequential([nn.Dense(2, "tanh", input_shape=(3,), name="first"), nn.Dropout(0.5), nn.Dense(1)], name="net")


def trained():
    model = network()
    rate = nn.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)
    model.compile(nn.optimizers.AdamW(rate), nn.losses.Huber(0.5), metrics=["mae"])
    model.train_on_batch(np.ones((2, 3)), np.ones((2, 1)))
    return model


class OfModel(Reader):
    owner = "load_model"

    def write(self, path):
        trained().save(path)

    def read(self, path):
        model = nn.load_model(path)
        state = model.optimizer and model.optimizer.state_dict()
        return frozen([model.get_weights(), [layer.get_config() for layer in model.layers], state])


class OfWeights(Reader):
    owner = "load_weights"

    def write(self, path):
        trained().save_weights(path)

    def prepare(self):
        self.model = network()

    def state(self):
        return frozen(self.model.get_weights())

    def read(self, path):
        self.prepare()
        self.model.load_weights(path)
        return self.state()

    def judge(self, content=None):
        self.prepare = lambda: None
        got = super().judge(content)
        del self.prepare
        if got is not None:
            self.prepare()
        return got


class OfOptimizer(OfWeights):
    owner = "load"

    def prepare(self):
        self.opt = AdamW([np.ones((2, 3), np.float32), np.ones(4)], ema=0.9)

    def write(self, path):
        self.prepare()
        self.opt.step([np.full((2, 3), 0.5, np.float32), np.full(4, 0.25)])
        optim.save(path, self.opt)

    def state(self):
        return frozen([self.opt.state_dict(), self.opt.steps])

    def read(self, path):
        self.prepare()
        optim.load(path, self.opt)
        return self.state()


class OfTokenizer(Reader):
    checked, owner = False, "tokenizer_from_json"

    def write(self, path):
        tokenizer = Tokenizer(9, oov_token="?")
        tokenizer.fit_on_texts(["The cat sat.", "The dog, a cat"])
        path.write_text(tokenizer.to_json())

    def read(self, path):
        tokenizer = tokenizer_from_json(path.read_bytes())
        if tokenizer.oov_token in (None, *tokenizer.word_index):
            tokenizer.texts_to_sequences(["a cat"])
            tokenizer.sequences_to_texts([[1, 2]])
        return frozen(vars(tokenizer))


class OfIdx(Reader):
    checked, owner = False, "load_idx"

    def write(self, path):
        save_idx(path, np.arange(60, dtype=np.int16).reshape(3, 4, 5))

    def read(self, path):
        return frozen(load_idx(path))


class OfIdxGz(OfIdx):
    checked = True

    def write(self, path):
        super().write(path)
        path.write_bytes(gzip.compress(path.read_bytes(), mtime=0))


REVIEWS = "".join(json.dumps({"id": i, "label": i % 2, "text": f"the film {i} was"}) + "\n" for i in range(20)).encode()


class OfImdb(Reader):
    owner = "load_imdb"
    checked, name = True, "train.jsonl.xz"

    def write(self, path):
        self.folder = path.parent
        (self.folder / "test.jsonl.xz").write_bytes(lzma.compress(REVIEWS))
        (self.folder / "train.jsonl.xz").write_bytes(lzma.compress(REVIEWS))
        (self.folder / "imdb_word_index.json").write_text(json.dumps({"the": 1, "film": 2, "was": 3}))
        self.path = self.folder / self.name

    def __init__(self, folder):
        self.path = folder / "file"
        self.write(self.path)
        self.good, self.wanted = self.path.read_bytes(), self.read(self.path)

    def read(self, path):
        (x, y), _ = load_imdb(self.folder)
        return frozen([x, y])


class OfImdbPlain(OfImdb):
    checked, name = False, "train.jsonl"

    def write(self, path):
        super().write(path)
        self.path.with_name("train.jsonl.xz").unlink()
        self.path.write_bytes(REVIEWS)


class OfImdbIndex(OfImdb):
    checked, name = False, "imdb_word_index.json"

    def read(self, path):
        imdb_word_index(path)
        return super().read(path)


class OfTable(Reader):
    checked, owner = False, "load_table"

    def write(self, path):
        path.write_text('size;kind;"a price"\n1.5;old;"3"\n?;new;2\n' + "7;old;2\n" * 5)

    def read(self, path):
        return frozen(list(load_table(path)))


class OfText(Reader):
    checked, owner = False, "load_text"

    def write(self, path):
        path.write_text("Ein kleines Stück Text\n" * 3, encoding="utf-8")

    def read(self, path):
        return load_text(path)


ARCHIVES = [OfModel, OfWeights, OfOptimizer]
READERS = [*ARCHIVES, OfTokenizer, OfIdx, OfIdxGz, OfImdb, OfImdbPlain, OfImdbIndex, OfTable, OfText]


@contextlib.contextmanager
def memory(most):
    """Whatever happens within takes no more bytes than that."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < most
    finally:
        tracemalloc.stop()


@contextlib.contextmanager
def seconds(most):
    """What would wait for ever fails."""

    def late(*_):
        raise AssertionError(f"hangs: more than {most} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(most)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def sample(places, most, slow):
    """All of them, or as many as there is time for."""
    places = list(places)
    return places if slow or len(places) <= most else sorted(RNG.choice(places, most, replace=False))


def saved(save, *arguments, **named):
    file = io.BytesIO()
    save(file, *arguments, **named)
    return file.getvalue()


def zipped(members, **options):
    file = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(file, "w", **options) as made:
        warnings.simplefilter("ignore")  # of two members of one name
        for name, content in members:
            made.writestr(name, content)
    return file.getvalue()


def header(**fields):
    return saved(np.save, np.frombuffer(json.dumps(fields).encode(), np.uint8))
