"""The book's original DCGAN, in Keras 3 on TensorFlow: ``python -m benchmarks.peers.keras_dcgan OUT UPDATES``."""

import json
import os
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

BATCH_SIZE = 64
LATENT_DIM = 100


def build() -> tuple[Any, Any, Any]:
    """Return the compiled discriminator, the generator, and both as the adversary that trains the generator."""
    os.environ["KERAS_BACKEND"] = "tensorflow"
    import keras
    from keras import layers

    noise = keras.Input((LATENT_DIM,))
    x = layers.Dense(7 * 7 * 128)(noise)
    x = layers.Reshape((7, 7, 128))(x)
    for filters, strides in ((128, 2), (64, 2), (32, 1), (1, 1)):
        x = layers.BatchNormalization()(x)
        x = layers.Activation("relu")(x)
        x = layers.Conv2DTranspose(filters, 5, strides=strides, padding="same")(x)
    generator = keras.Model(noise, layers.Activation("sigmoid")(x))
    image = keras.Input((28, 28, 1))
    x = image
    for filters, strides in ((32, 2), (64, 2), (128, 2), (256, 1)):
        x = layers.LeakyReLU(negative_slope=0.2)(x)
        x = layers.Conv2D(filters, 5, strides=strides, padding="same")(x)
    discriminator = keras.Model(image, layers.Dense(1, activation="sigmoid")(layers.Flatten()(x)))
    discriminator.compile(loss="binary_crossentropy", optimizer=keras.optimizers.RMSprop(2e-4), metrics=["accuracy"])
    # The adversary has layers of its own model, whose weights it must leave alone.
    discriminator.trainable = False
    adversary = keras.Model(noise, discriminator(generator(noise)))
    adversary.compile(loss="binary_crossentropy", optimizer=keras.optimizers.RMSprop(1e-4), metrics=["accuracy"])
    return discriminator, generator, adversary


def main(result: str, updates: str) -> None:
    """Write the processor's seconds of a median update, the first three left out, and the number of parameters."""
    import tensorflow as tf

    threads = int(os.environ.get("OMP_NUM_THREADS", "1"))
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    discriminator, generator, adversary = build()
    random = np.random.default_rng(0)
    images = random.random((1000, 28, 28, 1), dtype=np.float32)
    labels = np.concatenate([np.ones((BATCH_SIZE, 1)), np.zeros((BATCH_SIZE, 1))])
    seconds = []
    for _ in range(int(updates)):
        begin = time.process_time()
        real = images[random.integers(0, len(images), BATCH_SIZE)]
        fake = generator.predict(random.uniform(-1, 1, (BATCH_SIZE, LATENT_DIM)), verbose=0)
        discriminator.train_on_batch(np.concatenate([real, fake]), labels)
        adversary.train_on_batch(random.uniform(-1, 1, (BATCH_SIZE, LATENT_DIM)), np.ones((BATCH_SIZE, 1)))
        seconds.append(time.process_time() - begin)
    found = {"seconds": median(seconds[3:]), "generator": generator.count_params()}
    Path(result).write_text(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
