"""A program as a user with a type checker writes it: mypy --strict accepts it, and tests/test_typing.py runs it, too."""

import numpy as np
from numpy.typing import NDArray

import fastopt
from fastopt import kernels, nn
from fastopt.data import Standardizer, Tokenizer, load_digits, one_hot, train_test_split
from fastopt.nn.callbacks import Callback, EarlyStopping, History
from fastopt.nn.layers import LSTM, Bidirectional, Dense, Dropout, Embedding
from fastopt.optim import LastStep, Optimizer
from fastopt.optim.schedules import Cosine, Warmup
from fastopt.typing import Array, Preset


def by_hand(x: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """A softmax regression from kernels and an optimizer."""
    w, b = np.zeros((x.shape[1], 10), np.float32), np.zeros(10, np.float32)
    opt = fastopt.Adam({"w": w, "b": b}, lr=Warmup(Cosine(1e-2, steps=100), steps=10), betas=(0.9, 0.99))
    value = 0.0
    for _ in range(3):
        z = kernels.dense_forward(x, w, b)
        value, dz = kernels.sparse_categorical_crossentropy(labels, z, from_logits=True)
        _, dw, db = kernels.dense_backward(dz, x, w, z, need=(False, True, True))
        opt.step({"w": dw, "b": db}, clip_norm=1.0, skip_nonfinite=True)
    report: LastStep = opt.last_step
    assert report.grad_norm is not None
    return value


def every_preset(params: list[Array], like: Preset) -> Optimizer:
    return fastopt.SGD(params, lr=0.1, momentum=0.9, like=like)


class Counter(Callback):
    def __init__(self) -> None:
        super().__init__()
        self.epochs = 0

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self.epochs += 1


def digits() -> History:
    x, y = load_digits()
    x_train, x_test, y_train, y_test = train_test_split(x, one_hot(y), test_size=0.25, seed=0)
    scale = Standardizer().fit(x_train)
    model = nn.Sequential([nn.Input(shape=(64,)), Dense(16, activation="relu", name="hidden"), Dropout(0.2), Dense(10, "softmax")])
    model.compile(nn.optimizers.Adam(learning_rate=1e-3, global_clipnorm=1.0), "categorical_crossentropy", metrics=["accuracy"])
    counter = Counter()
    history = model.fit(
        scale.transform(x_train),
        y_train,
        epochs=2,
        verbose=0,
        validation_data=(scale.transform(x_test), y_test),
        callbacks=[counter, EarlyStopping(patience=3, restore_best_weights=True)],
    )
    assert counter.epochs == len(history.history["val_loss"]) == 2
    return history


def sentences() -> NDArray[np.float32]:
    tokenizer = Tokenizer(num_words=100)
    texts = ["a good film", "bad", "so good", "not good at all"]
    tokenizer.fit_on_texts(texts)
    x = [np.array(ids) for ids in tokenizer.texts_to_sequences(texts)]
    model = nn.Sequential([Embedding(100, 4), Bidirectional(LSTM(3, dropout=0.2)), Dense(1, activation="sigmoid")])
    model.compile(optimizer="adam", loss="binary_crossentropy")
    model.fit(x, np.array([1, 0, 1, 0]), epochs=1, verbose=0)
    predicted: NDArray[np.float32] = model.predict(x, verbose=0)
    return predicted


def main() -> None:
    x, y = load_digits()
    assert by_hand(x, y) < 2.4
    every_preset([np.zeros(3), np.zeros((2, 2), np.float32)], "keras").step([np.ones(3), None])
    assert digits().epoch == [0, 1]
    assert sentences().shape == (4, 1)
    with fastopt.num_threads(1):
        assert fastopt.get_num_threads() == 1
    print("fastopt", fastopt.info()["version"])


if __name__ == "__main__":
    main()
