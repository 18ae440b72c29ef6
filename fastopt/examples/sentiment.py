"""Sentiment: does a review praise the film? An LSTM reads the words in their order; Keras's lines, with other imports.

Padded, reviews are cut or filled up to one length, and the network reads the filling, too; ragged, each is read as long as it is.
"""

import time

from .. import nn
from ..nn.layers import LSTM, Dense, Embedding
from ..nn.models import Sequential
from ..nn.utils import pad_sequences
from .texts import reviews


def main(data=None, epochs=10, seed=0, output=".", samples=None, ragged=False):
    """Returns (loss, accuracy) on the test reviews. `output` is for the examples that draw."""
    nn.set_random_seed(seed)
    (x_train, y_train), (x_test, y_test), length = reviews(data, samples)  # shuffled
    if ragged:
        x_train, x_test = ([review[-length:] for review in x] for x in (x_train, x_test))
    else:
        x_train, x_test = (pad_sequences(x, maxlen=length) for x in (x_train, x_test))
    words = sum(map(len, x_train))
    print(f"{'Ragged' if ragged else 'Padded'}: of each review the last {length} words, {words:,} to train on.")

    model = Sequential()
    model.add(Embedding(10000, 128))
    model.add(LSTM(64, dropout=0.2, recurrent_dropout=0.2))
    model.add(Dense(1, activation="sigmoid"))
    model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])

    start = time.perf_counter()
    history = model.fit(x_train, y_train, epochs=epochs, batch_size=128, validation_split=0.2).history
    seconds = time.perf_counter() - start
    for epoch, scores in enumerate(zip(history["accuracy"], history["val_accuracy"]), 1):
        print("epoch {:2}  accuracy {:.4f}  on the reviews set aside {:.4f}".format(epoch, *scores))

    loss, accuracy = model.evaluate(x_test, y_test, batch_size=128)
    print(
        f"Epochs: {epochs}, in {seconds:.2f} s, {seconds / epochs:.2f} each. On the test reviews: loss {loss:.4f},\n"
        f"accuracy {accuracy:.4f}."
    )
    return loss, accuracy
