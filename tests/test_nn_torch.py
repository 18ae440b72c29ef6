"""The autoencoder of the README on MNIST reaches the loss that torch reaches with the same settings."""

import os

import numpy as np
import pytest

from fastopt import nn
from fastopt.data import load_mnist

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.skipif("FASTOPT_DATA" not in os.environ, reason="FASTOPT_DATA names no folder with mnist/")
EPOCHS, BATCH = int(os.environ.get("FASTOPT_EPOCHS", "3")), 256


@pytest.fixture(scope="module")
def images():
    (train, _), (test, _) = load_mnist()
    return tuple(x.reshape(-1, 784).astype(np.float32) / 255 for x in (train, test))


def fastopt_loss(x_train, x_test):
    nn.set_random_seed(1)
    encoder = nn.Dense(256, activation="relu", input_shape=(784,))
    decoder = nn.Dense(784, activation="sigmoid")
    input_layer = nn.Input(shape=(784,))
    autoencoder = nn.Model(input_layer, decoder(encoder(input_layer)))
    autoencoder.compile(optimizer="adam", loss="binary_crossentropy")
    autoencoder.fit(x_train, x_train, epochs=EPOCHS, batch_size=BATCH, shuffle=True, verbose=0)
    return autoencoder.evaluate(x_test, x_test, verbose=0)


def torch_loss(x_train, x_test):
    torch.manual_seed(1)
    encoder, decoder = torch.nn.Linear(784, 256), torch.nn.Linear(256, 784)
    for layer in (encoder, decoder):  # as Keras begins
        torch.nn.init.xavier_uniform_(layer.weight)
        torch.nn.init.zeros_(layer.bias)
    model = torch.nn.Sequential(encoder, torch.nn.ReLU(), decoder)
    loss = torch.nn.BCEWithLogitsLoss()
    adam = torch.optim.Adam(model.parameters(), lr=1e-3, eps=1e-7)
    x = torch.from_numpy(x_train)
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(x)).split(BATCH):
            adam.zero_grad()
            loss(model(x[batch]), x[batch]).backward()
            adam.step()
    with torch.no_grad():
        return loss(model(torch.from_numpy(x_test)), torch.from_numpy(x_test)).item()


def test_autoencoder_reaches_the_loss_of_torch(images, record_property):
    ours, theirs = fastopt_loss(*images), torch_loss(*images)
    record_property("fastopt", ours)
    record_property("torch", theirs)
    print(f"binary cross-entropy on the test images after {EPOCHS} epochs: fastopt {ours:.5f}, torch {theirs:.5f}")
    assert ours == pytest.approx(theirs, rel=0.01)
