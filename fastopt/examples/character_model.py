"""A language model of characters: an LSTM that foretells the next one, and then writes.

The text is laid out in rows, read side by side, and cut into pieces. Gradients go back to the beginning of a piece (truncated
back-propagation, Williams & Peng 1990), while the state is carried on from piece to piece: batch k + 1 continues batch k.
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

WRITTEN = 400  # characters of the sample


def main(data=None, epochs=5, seed=0, output=".", samples=None):
    """Returns (bits per character on held-out text, a sample). `output` is for the examples that draw."""
    nn.set_random_seed(seed)
    text, least = letters(data, samples)
    rows, steps, units = (32, 64, 256) if len(text) > 200_000 else (8, 32, 96)
    characters = Characters(text)
    numbers = characters.encode(text)
    cut = int(0.9 * len(text))  # the last tenth is held out
    (x_train, y_train), (x_test, y_test) = (pieces(part, rows, steps) for part in (numbers[:cut], numbers[cut:]))

    model = network(rows, steps, len(characters), units)
    model.compile(optimizer=nn.optimizers.Adam(learning_rate=0.002), loss="sparse_categorical_crossentropy")
    model.summary()

    start = time.perf_counter()
    history = model.fit(x_train, y_train, batch_size=rows, epochs=epochs, shuffle=False, validation_data=(x_test, y_test),
                        callbacks=[FromZero()]).history  # fmt: skip
    seconds = time.perf_counter() - start
    bits = [loss / np.log(2) for loss in history["val_loss"]]
    for epoch, value in enumerate(bits, 1):
        print(f"epoch {epoch:2}  {value:.3f} bits per character on held-out text")

    sample = write(model, characters, units, np.random.default_rng(seed))
    print(f"It writes:\n{sample}\n")
    known = "" if least is None else f"; whoever knows the rule needs {least:.3f}"
    print(
        f"Epochs: {epochs}, in {seconds:.2f} s, {seconds / epochs * 1e6 / x_train.size:.1f} us a character. On held-out text "
        f"{bits[-1]:.3f} bits per character,\nequally likely characters would take {np.log2(len(characters)):.3f}{known}."
    )
    return bits[-1], sample


def pieces(numbers, rows, steps):
    """x and y (pieces * rows, steps): batches of `rows` whose row r goes on where it ended in the batch before; y is one ahead."""
    count = (len(numbers) - 1) // (rows * steps)
    if not count:
        raise Unusable(f"the text is too short: a part of it has {len(numbers)} characters, expected more than {rows * steps}")

    def laid_out(part):
        return part[: rows * count * steps].reshape(rows, count, steps).swapaxes(0, 1).reshape(-1, steps)

    return laid_out(numbers), laid_out(numbers[1:])


def network(rows, steps, characters, units):
    """The model for batches (rows, steps); its weights do not depend on these two."""
    return Sequential([
        Input(batch_shape=(rows, steps), dtype="int32"),
        Embedding(characters, 32),
        LSTM(units, return_sequences=True, stateful=True),
        Dense(characters, activation="softmax"),
    ])  # fmt: skip


class FromZero(Callback):
    """The beginning of the text is no continuation of its end: each pass starts from a state of zeros."""

    def on_epoch_begin(self, epoch, logs=None):
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
