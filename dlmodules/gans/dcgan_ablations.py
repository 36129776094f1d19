"""Networks of ``DCGAN`` with one thing changed: ablations of its design (atienza 4.2.1-V, 5.1.2-B)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dlmodules.gans.dcgan import DCGANDiscriminator, DCGANGenerator
from dlmodules.layers.normalization import keras_batch_norm


class LateStridesGenerator(DCGANGenerator):
    """The generator of ``DCGAN`` whose last two convolutions double the size, not its first two."""

    strides = (1, 1, 2, 2)


class TanhGenerator(DCGANGenerator):
    """The generator of ``DCGAN`` that ends in a hyperbolic tangent: images in [-1, 1]."""

    output_range = (-1.0, 1.0)

    def output(self, x: Tensor) -> Tensor:
        """Bring what the last convolution gives to [-1, 1]."""
        return torch.tanh(x)


class NormalizedDiscriminator(DCGANDiscriminator):
    """The discriminator of ``DCGAN`` with batch normalization before each activation, as critic of ``WGAN`` too.

    Args:
        image_shape: channels, height and width of the images.
        width: multiplies the filters.
    """

    def __init__(self, image_shape: Sequence[int] = (1, 28, 28), width: float = 1.0) -> None:
        super().__init__(image_shape, width)
        channels = [conv.out_channels for conv in self.convs if isinstance(conv, nn.Conv2d)]
        self.norms = nn.ModuleList(keras_batch_norm(n) for n in channels[:-1])

    def hidden(self, x: Tensor) -> Tensor:
        """Return the features ``(B, hidden_dim)`` of images ``(B, C, H, W)``."""
        x = self.convs[0](x)
        for norm, conv in zip(self.norms, self.convs[1:], strict=True):
            x = conv(F.leaky_relu(norm(x), 0.2))
        return x.flatten(1)
