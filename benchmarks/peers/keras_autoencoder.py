"""The book's convolutional autoencoder in Keras, trained for one epoch."""

import os
import time

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from benchmarks.context import Context, row_record
from benchmarks.record import Record
from benchmarks.row import Row
from datamodules import MNISTDataModule


def measure(row: Row, seed: int, context: Context) -> Record:
    """Train for an epoch on all training images and measure on the test images."""
    # Before Keras is imported, which is here, since only this row needs it.
    os.environ["KERAS_BACKEND"] = "torch"
    import keras
    from keras import layers

    torch.set_num_threads(context.threads)
    keras.utils.set_random_seed(seed)
    data = MNISTDataModule(val_size=0)
    data.setup()
    assert data.train_set is not None
    assert data.test_set is not None
    train, test = channels_last(data.train_set.images), channels_last(data.test_set.images)
    train = train[:320] if context.quick else train
    network = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, 3, strides=2, padding="same", activation="relu"),
            layers.Conv2D(64, 3, strides=2, padding="same", activation="relu"),
            layers.Flatten(),
            layers.Dense(16),
            layers.Dense(7 * 7 * 64),
            layers.Reshape((7, 7, 64)),
            layers.Conv2DTranspose(64, 3, strides=2, padding="same", activation="relu"),
            layers.Conv2DTranspose(32, 3, strides=2, padding="same", activation="relu"),
            layers.Conv2DTranspose(1, 3, padding="same", activation="sigmoid"),
        ]
    )
    network.compile(loss="mse", optimizer="adam")
    begin = time.perf_counter()
    network.fit(train, train, batch_size=32, epochs=1, verbose=0)
    seconds = time.perf_counter() - begin
    error = float(network.evaluate(test, test, batch_size=100, verbose=0))
    return row_record(
        row,
        seed,
        begin,
        metrics={"test/mse": error},
        steps=len(train) // 32,
        wall_seconds=round(seconds, 1),
        details={"keras": keras.__version__, "parameters": network.count_params()},
    )


def channels_last(images: Tensor) -> NDArray[np.float32]:
    """Return uint8 images ``(N, C, H, W)`` as ``(N, H, W, C)`` in [0, 1]."""
    array: NDArray[np.float32] = images.permute(0, 2, 3, 1).numpy().astype(np.float32) / np.float32(255)
    return array
