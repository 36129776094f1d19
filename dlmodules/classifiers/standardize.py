"""Standardization of image channels inside a network, so that every network takes images in [0, 1]."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

CIFAR10_MEAN, CIFAR10_STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class Standardize(nn.Module):
    """Subtract ``mean`` and divide by ``std``, one value for each channel of images ``(B, C, H, W)`` in [0, 1]."""

    shift: Tensor
    scale: Tensor

    def __init__(self, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        self.mean, self.std = tuple(mean), tuple(std)
        # Constants of the network, which its constructor makes again: no part of the weights.
        self.register_buffer("shift", torch.tensor(self.mean).view(-1, 1, 1), persistent=False)
        self.register_buffer("scale", torch.tensor(self.std).view(-1, 1, 1), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return the standardized images, of the same shape."""
        return (x - self.shift) / self.scale
