"""Hand-written training loops over tensors in memory, as a user writes them with plain torch.

``python -m benchmarks.instruments.loops RESULT EPOCHS BATCHES`` times epochs of the VAE's loop in a process of its own.
"""

import json
import sys
import time
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path

import torch
from pytorch_lightning import LightningModule
from torch import Tensor
from torch.nn import functional as F

from benchmarks.instruments.epoch import Epoch
from benchmarks.instruments.text_loops import language_model_epoch
from benchmarks.instruments.translation_loops import cyclegan_epoch, pix2pix_epoch
from datamodules import CorpusDataModule, MNISTDataModule
from datamodules.images.vision import VisionDataModule
from datamodules.pairs.image_pairs import ImagePairsDataModule
from dlmodules import DCGAN, VAE, CycleGAN, Pix2Pix
from dlmodules.classifiers.classifier import Classifier
from dlmodules.text.neural import NeuralLanguageModel


def batches(images: Tensor, batch_size: int, drop_last: bool = False) -> Iterator[Tensor]:
    """Yield shuffled rows."""
    for rows in torch.split(torch.randperm(len(images)), batch_size):
        if not (drop_last and len(rows) < batch_size):
            yield rows


def hand_written_epoch(
    module: LightningModule, data: VisionDataModule | CorpusDataModule | ImagePairsDataModule, limit: int | None = None
) -> Epoch:
    """Return a function that trains copies of the networks of ``module`` for one epoch.

    Args:
        module: whose networks, weights and optimizer settings are taken.
        data: whose training images or tokens, batch size and ``drop_last`` are taken; it must be set up.
        limit: batches in an epoch; all where None.
    """
    if isinstance(module, NeuralLanguageModel):
        assert isinstance(data, CorpusDataModule)
        assert limit is not None
        return language_model_epoch(module, data, limit)
    if isinstance(data, ImagePairsDataModule):
        assert limit is not None
        if isinstance(module, CycleGAN):
            return cyclegan_epoch(module, data, limit)
        assert isinstance(module, Pix2Pix)
        return pix2pix_epoch(module, data, limit)
    assert not isinstance(data, CorpusDataModule)
    assert data.train_set is not None
    rows = data.train_set.indices
    end = None if limit is None else limit * data.batch_size
    images, labels = (
        (tensor if rows is None else tensor[rows])[:end] for tensor in (data.train_set.images, data.train_set.labels)
    )
    if isinstance(module, Classifier):
        return classifier_epoch(module, images, labels, data.batch_size)
    if isinstance(module, VAE):
        return vae_epoch(module, images, data.batch_size)
    assert isinstance(module, DCGAN)
    return dcgan_epoch(module, images, data.batch_size, data.drop_last)


def classifier_epoch(module: Classifier, images: Tensor, labels: Tensor, batch_size: int) -> Epoch:
    network = deepcopy(module.network).train()
    optimizer = module.optimizer(network.parameters())

    def epoch() -> None:
        for rows in batches(images, batch_size):
            loss = F.cross_entropy(network(images[rows].float() / 255), labels[rows])
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]  # torch has no types there
            optimizer.step()

    return epoch


def vae_epoch(module: VAE, images: Tensor, batch_size: int) -> Epoch:
    encoder, decoder = deepcopy(module.encoder).train(), deepcopy(module.decoder).train()
    optimizer = module.optimizer([*encoder.parameters(), *decoder.parameters()])

    def epoch() -> None:
        for rows in batches(images, batch_size):
            x = images[rows].float() / 255
            mean, log_var = encoder(x)
            logits = decoder(mean + torch.exp(0.5 * log_var) * torch.randn_like(mean))
            reconstruction = F.binary_cross_entropy_with_logits(logits, x, reduction="sum")
            kl = -0.5 * torch.sum(1 + log_var - mean.square() - log_var.exp())
            loss = (reconstruction + kl) / len(x)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]  # torch has no types there
            optimizer.step()

    return epoch


def dcgan_epoch(module: DCGAN, images: Tensor, batch_size: int, drop_last: bool) -> Epoch:
    generator, discriminator = deepcopy(module.generator).train(), deepcopy(module.discriminator).train()
    weights_g, weights_d = list(generator.parameters()), list(discriminator.parameters())
    optimizer_d, optimizer_g = module.optimizer_d(weights_d), module.optimizer_g(weights_g)
    latent_dim = module.latent_dim

    def noise(n: int) -> Tensor:
        return torch.rand(n, latent_dim) * 2 - 1

    def epoch() -> None:
        for rows in batches(images, batch_size, drop_last):
            real = images[rows].float() / 255
            with torch.no_grad():
                fake = generator(noise(len(real)))
            d_loss = 0.5 * (F.softplus(-discriminator(real)).mean() + F.softplus(discriminator(fake)).mean())
            optimizer_d.zero_grad()
            d_loss.backward()  # type: ignore[no-untyped-call]  # torch has no types there
            optimizer_d.step()
            g_loss = F.softplus(-discriminator(generator(noise(len(real))))).mean()
            optimizer_g.zero_grad()
            g_loss.backward(inputs=weights_g)  # type: ignore[no-untyped-call]  # torch has no types there
            optimizer_g.step()

    return epoch


def main(result: str, epochs: str, limit: str) -> None:
    """Run ``epochs`` epochs of the VAE's loop and write the processor seconds of each to ``result``."""
    data = MNISTDataModule(batch_size=128)
    data.setup("fit")
    epoch = hand_written_epoch(VAE(), data, int(limit) or None)
    seconds = []
    for _ in range(int(epochs)):
        begin = time.process_time()
        epoch()
        seconds.append(time.process_time() - begin)
    Path(result).write_text(json.dumps({"loop": seconds}))


if __name__ == "__main__":
    main(*sys.argv[1:])
