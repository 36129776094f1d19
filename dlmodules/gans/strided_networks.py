"""Generators that upsample and discriminators with strides, for ``DCGAN(generator=..., discriminator=...)``."""

from collections.abc import Sequence
from math import prod
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dlmodules.errors import UserError
from dlmodules.layers.initialization import normal_
from dlmodules.layers.same_padding import SameConv2d, SameConvTranspose2d
from dlmodules.validation.images import check_image_shape

KERNEL = 5
# Of foster's batch normalization; torch's momentum is the fraction of the new batch.
EPS = 1e-3


class UpsamplingGenerator(nn.Module):
    """Noise to image in [-1, 1]: a dense layer, then 5x5 convolutions, each perhaps after a doubling of the image.

    The defaults are those of foster F4.1: 844,161 parameters, 6,784 of which are running statistics and buffers here.
    A doubling repeats rows and columns, or is the stride of a transposed convolution, which can leave a checkerboard.

    Args:
        image_shape: channels, height and width of the images; each doubling halves the dense layer's side.
        latent_dim: size of the noise vector.
        bottom_channels: channels of the dense layer's output.
        filters: of the convolutions but the last, whose are the image's channels.
        factors: 2 for each convolution that doubles, else 1; one more than ``filters``.
        doubling: ``repeat`` or ``transposed``.
        leak: slope of the activation below zero; 0 for ReLU.
        momentum: of the batch normalization, as Keras counts it: the fraction that is kept.
    """

    output_range = (-1.0, 1.0)

    def __init__(
        self,
        image_shape: Sequence[int] = (1, 28, 28),
        latent_dim: int = 100,
        bottom_channels: int = 64,
        filters: Sequence[int] = (128, 64, 64),
        factors: Sequence[int] = (2, 2, 1, 1),
        doubling: Literal["repeat", "transposed"] = "repeat",
        leak: float = 0.0,
        momentum: float = 0.9,
    ) -> None:
        super().__init__()
        self.image_shape, self.latent_dim, self.bottom_channels = tuple(image_shape), latent_dim, bottom_channels
        self.filters, self.factors, self.doubling = tuple(filters), tuple(factors), doubling
        self.leak, self.momentum = leak, momentum
        check_image_shape(image_shape)
        if doubling not in ("repeat", "transposed"):
            raise UserError(f"doubling {doubling!r} is unknown; choose repeat or transposed")
        if len(factors) != len(filters) + 1 or not set(factors) <= {1, 2}:
            raise UserError(f"factors is {list(factors)}; it needs {len(filters) + 1} numbers, each 1 or 2")
        channels, height, width = image_shape
        scale = prod(factors)
        if height % scale or width % scale:
            raise UserError(
                f"images of {height}x{width} are no multiple of {scale}, which factors {list(factors)} make"
            )
        self.bottom = (bottom_channels, height // scale, width // scale)
        self.dense = nn.Linear(latent_dim, prod(self.bottom))
        self.dense_norm = nn.BatchNorm1d(prod(self.bottom), eps=EPS, momentum=1 - momentum)
        widths = (bottom_channels, *filters, channels)
        self.convs = nn.ModuleList(
            SameConvTranspose2d(before, after, KERNEL, stride=2)
            if doubling == "transposed" and factor == 2
            else SameConv2d(before, after, KERNEL)
            for before, after, factor in zip(widths, widths[1:], factors, strict=False)
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(n, eps=EPS, momentum=1 - momentum) for n in filters)
        normal_(self)

    def forward(self, z: Tensor) -> Tensor:
        """Map noise ``(B, latent_dim)`` to images ``(B, C, H, W)`` in [-1, 1]."""
        x = F.leaky_relu(self.dense_norm(self.dense(z)), self.leak).view(-1, *self.bottom)
        for index, (conv, factor) in enumerate(zip(self.convs, self.factors, strict=True)):
            if factor == 2 and self.doubling == "repeat":
                x = F.interpolate(x, scale_factor=2.0, mode="nearest")
            x = conv(x)
            if index < len(self.norms):
                x = F.leaky_relu(self.norms[index](x), self.leak)
        return torch.tanh(x)


class StridedDiscriminator(nn.Module):
    """Image to output: 5x5 convolutions with dropout, then a dense layer. 720,833 parameters at the defaults (F4.1).

    Args:
        image_shape: channels, height and width of the images.
        filters: of the convolutions.
        strides: of the convolutions.
        leak: slope of the activation below zero; 0 for ReLU.
        dropout: fraction of the activations that is dropped after each convolution.
    """

    def __init__(
        self,
        image_shape: Sequence[int] = (1, 28, 28),
        filters: Sequence[int] = (64, 64, 128, 128),
        strides: Sequence[int] = (2, 2, 2, 1),
        leak: float = 0.0,
        dropout: float = 0.4,
    ) -> None:
        super().__init__()
        self.image_shape, self.filters, self.strides = tuple(image_shape), tuple(filters), tuple(strides)
        self.leak, self.dropout = leak, dropout
        check_image_shape(image_shape)
        if len(strides) != len(filters):
            raise UserError(f"there are {len(filters)} filters but {len(strides)} strides")
        channels, height, width = image_shape
        widths = (channels, *filters)
        self.convs = nn.ModuleList(
            SameConv2d(before, after, KERNEL, stride=stride)
            for before, after, stride in zip(widths, filters, strides, strict=False)
        )
        for stride in strides:
            height, width = -(-height // stride), -(-width // stride)
        self.dense = nn.Linear(filters[-1] * height * width, 1)
        normal_(self)

    def forward(self, x: Tensor) -> Tensor:
        """Map images ``(B, C, H, W)`` to outputs ``(B,)``; positive means real."""
        for conv in self.convs:
            x = F.dropout(F.leaky_relu(conv(x), self.leak), self.dropout, self.training)
        outputs: Tensor = self.dense(x.flatten(1)).squeeze(1)
        return outputs
