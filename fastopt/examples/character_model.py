"""A language model of characters: an LSTM that foretells the next one, and then writes.

The text is laid out in rows, read side by side, and cut into pieces. Gradients go back to the beginning of a piece (truncated
back-propagation, Williams & Peng 1990), while the state is carried on from piece to piece: batch k + 1 continues batch k. Every so
often it is zeros again: a network that always goes on from something does not learn how to begin.
"""

import time

import numpy as np

from .. import nn
from ..data import Characters
from ..nn.callbacks import Callback
from ..nn.layers import LSTM, Dense, Embedding, Input
from ..nn.models import Sequential
from .sources import Unusable
from .texts import letters

CARRIED = 16  # pieces over which the state is carried
WRITTEN = 400  # characters of the sample


def main(data=None, epochs=3, seed=0, output=".", samples=None):
    """Returns (bits per character on held-out text, a sample). `output` is for the examples that draw."""
    nn.set_random_seed(seed)
    text, least = letters(data, samples)
    rows, steps, units = (32, 64, 256) if len(text) > 200_000 else (8, 32, 96)
    characters = Characters(text)
    numbers = characters.encode(text)
    cut = int(0.9 * len(text))  # the last tenth is held out
    train, test = (Pieces(part, rows, steps) for part in (numbers[:cut], numbers[cut:]))

    model = network(rows, steps, len(characters), units)
    model.compile(optimizer=nn.optimizers.Adam(learning_rate=0.002), loss="sparse_categorical_crossentropy")
    model.summary()

    start = time.perf_counter()
    history = model.fit(train, epochs=epochs, shuffle=False, validation_data=test, callbacks=[FromZero()]).history
    seconds = time.perf_counter() - start
    bits = [loss / np.log(2) for loss in history["val_loss"]]
    for epoch, value in enumerate(bits, 1):
        print(f"epoch {epoch:2}  {value:.3f} bits per character on held-out text")

    sample = write(model, characters, units, np.random.default_rng(seed))
    print(f"It writes:\n{sample}\n")
    known = "" if least is None else f"; whoever knows the rule needs {least:.3f}"
    print(
        f"Epochs: {epochs}, in {seconds:.2f} s, {seconds / epochs * 1e6 / train.size:.1f} us a character. On held-out text "
        f"{bits[-1]:.3f} bits per character,\nequally likely characters would take {np.log2(len(characters)):.3f}{known}."
    )
    return bits[-1], sample


class Pieces:
    """The batches (x, y), each (rows, steps), of a text in numbers: row r of one goes on where it ended in the one before.

    y is x one character on. What is left over at the end of a row is not used.
    """

    def __init__(self, numbers, rows, steps):
        count = (len(numbers) - 1) // (rows * steps)
        if not count:
            raise Unusable(f"the text is too short: a part of it has {len(numbers)} characters, expected more than {rows * steps}")
        self.size = rows * count * steps
        self._parts = [part[: self.size].reshape(rows, count, steps).swapaxes(0, 1) for part in (numbers, numbers[1:])]

    def __len__(self):
        return len(self._parts[0])

    def __getitem__(self, k):
        return tuple(part[k] for part in self._parts)


def network(rows, steps, characters, units):
    """The model for batches (rows, steps); its weights do not depend on these two."""
    return Sequential([
        Input(batch_shape=(rows, steps), dtype="int32"),
        Embedding(characters, 32),
        LSTM(units, return_sequences=True, stateful=True),
        Dense(characters, activation="softmax"),
    ])  # fmt: skip


class FromZero(Callback):
    """Where the state is zeros: at every CARRIED-th piece, and at the beginning of the held-out text."""

    def on_train_batch_begin(self, batch, logs=None):
        if batch % CARRIED == 0:
            self.model.layers[1].reset_states()

    def on_test_begin(self, logs=None):
        self.model.layers[1].reset_states()


def write(model, characters, units, rng):
    """A text drawn from the model's probabilities, character by character, by a copy of it that reads one at a time."""
    writer = network(1, 1, len(characters), units)
    writer.set_weights(model.get_weights())
    text = "\n" if "\n" in str(characters) else str(characters)[0]
    for _ in range(WRITTEN):
        p = writer.predict(characters.encode(text[-1:])[None], verbose=0)[0, 0].astype(np.float64)
        text += characters.decode([rng.choice(len(p), p=p / p.sum())])
    return text.strip()
