"""Text in its smallest form: four sentences, their labels in a list, from words to integers to a probability."""

import time

from .. import nn
from ..nn.layers import LSTM, Dense, Embedding
from ..nn.models import Sequential
from ..nn.preprocessing.sequence import pad_sequences
from ..nn.preprocessing.text import Tokenizer

TEXTS = ["I love this film", "What a great story", "I hate this film", "What a dull story"]
LABELS = [1, 1, 0, 0]


def main(data=None, epochs=10, seed=0, output="."):
    """Returns (loss, probabilities (4, 1)). The sentences are all the data there is; `data` and `output` are for other examples."""
    nn.set_random_seed(seed)
    tokenizer = Tokenizer(num_words=1000)
    tokenizer.fit_on_texts(TEXTS)
    x = pad_sequences(tokenizer.texts_to_sequences(TEXTS), maxlen=10)

    model = Sequential()
    model.add(Embedding(1000, 64, input_length=10))
    model.add(LSTM(64))
    model.add(Dense(1, activation="sigmoid"))
    model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])

    start = time.perf_counter()
    history = model.fit(x, LABELS, epochs=epochs).history
    seconds = time.perf_counter() - start

    loss, accuracy = model.evaluate(x, LABELS)
    p = model.predict(x)
    for text, row, label, probability in zip(TEXTS, x, LABELS, p[:, 0]):
        print(f"{text:20} {' '.join(map(str, row)):22} label {label}  probability of 1: {probability:.4f}")
    print(
        f"Epochs: {epochs}, in {seconds:.2f} s. Binary cross-entropy {history['loss'][0]:.4f} at first, {loss:.4f} now;\n"
        f"{accuracy * 4:.0f} of 4 right."
    )
    return loss, p
