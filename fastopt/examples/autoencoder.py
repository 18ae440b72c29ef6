"""An autoencoder: a network that returns its input, through a layer too narrow for all of it, and so learns what images share."""

import time

import numpy as np

from .. import nn
from ..nn.layers import Dense, Input
from ..nn.models import Model
from .pictures import figure, save
from .sources import images

SHOWN = 10  # images in the picture


def main(data=None, epochs=50, seed=0, output="."):
    """Returns (loss on the test images, that of the mean image)."""
    nn.set_random_seed(seed)
    (x_train, _), (x_test, _) = images(data)
    pixels = x_train.shape[1]
    units, batch_size = (256, 256) if pixels == 784 else (16, 32)  # MNIST, or a few small images

    encoder = Dense(units, activation="relu", input_shape=(pixels,))
    decoder = Dense(pixels, activation="sigmoid")
    input_layer = Input(shape=(pixels,))
    autoencoder = Model(input_layer, decoder(encoder(input_layer)))
    autoencoder.compile(optimizer="adam", loss="binary_crossentropy")
    autoencoder.summary()

    start = time.perf_counter()
    autoencoder.fit(x_train, x_train, epochs=epochs, batch_size=batch_size, shuffle=True)
    seconds = time.perf_counter() - start
    decoded = autoencoder.predict(x_test)

    loss = autoencoder.evaluate(x_test, x_test, batch_size=batch_size)
    entropy = nn.losses.BinaryCrossentropy()
    least = entropy(x_test, x_test)  # of a perfect copy: grey pixels count, however well they are met
    average = entropy(x_test, np.broadcast_to(x_train.mean(axis=0), x_test.shape))
    off = np.sqrt(np.mean((decoded - x_test) ** 2))
    draw(x_test[:SHOWN], decoded[:SHOWN], output)
    print(
        f"Epochs: {epochs}, in {seconds:.2f} s. Binary cross-entropy on the test images {loss:.4f}; of the mean training image\n"
        f"{average:.4f}, of a perfect copy {least:.4f}. Pixels are {off:.3f} off (root mean square)."
    )
    return loss, average


def draw(originals, decoded, output):
    """Originals over reconstructions."""
    drawing, axes = figure(2, len(originals), (len(originals), 2.2))
    if drawing is None:
        return
    side = round(originals.shape[1] ** 0.5)
    for row, pictures in zip(axes, (originals, decoded)):
        for axis, picture in zip(row, pictures):
            axis.imshow(picture.reshape(side, side), cmap="gray_r", vmin=0, vmax=1)
            axis.set_axis_off()
    save(drawing, output, "autoencoder.png")
