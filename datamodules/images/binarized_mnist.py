"""Statically binarized MNIST, on which likelihoods are compared."""

import torch
from torch import Tensor
from typing_extensions import override

from datamodules.images.mnist import MNISTDataModule


class BinarizedMNISTDataModule(MNISTDataModule):
    """MNIST with each pixel drawn once as black or white, its grey value being the probability of white.

    The draw is the same in every run, whatever the seed, as likelihoods of other draws cannot be compared.
    Arguments and errors are those of ``MNISTDataModule``.
    """

    @override
    def load(self, train: bool) -> tuple[Tensor, Tensor]:
        """Return the 60,000 training or the 10,000 test images, of zeros and 255s."""
        images, labels = super().load(train)
        generator = torch.Generator().manual_seed(0 if train else 1)
        white = torch.bernoulli(images.float() / 255, generator=generator)
        return white.to(torch.uint8) * 255, labels
