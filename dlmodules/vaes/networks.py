"""Encoders and decoders of the books' VAEs; foster's, which are deeper, are in ``stack_networks``.

An encoder maps images ``(B, C, H, W)`` to mean and log-variance, each ``(B, latent_dim)``; a decoder
maps codes ``(B, latent_dim)`` to logits ``(B, C, H, W)``, whose sigmoid is the image.
"""

from collections.abc import Sequence
from math import prod

from torch import Tensor, nn
from torch.nn import functional as F

from dlmodules.layers.conv_stack import bottom_shape, convolutions, transposed_convolutions
from dlmodules.layers.initialization import glorot_uniform_
from dlmodules.layers.same_padding import SameConvTranspose2d


class ConvEncoder(nn.Module):
    """Convolutions of 3x3 with stride 2, a small dense layer, and two linear heads: mean and log-variance.

    Args:
        image_shape: channels, height and width of the images.
        latent_dim: size of the code.
        channels: filters of each convolution.
        hidden_dim: units of the dense layer.
    """

    def __init__(
        self,
        image_shape: Sequence[int] = (1, 28, 28),
        latent_dim: int = 2,
        channels: Sequence[int] = (32, 64),
        hidden_dim: int = 16,
    ) -> None:
        super().__init__()
        self.image_shape, self.latent_dim = tuple(image_shape), latent_dim
        self.channels, self.hidden_dim = tuple(channels), hidden_dim
        _, height, width = bottom_shape(image_shape, channels[-1], [2] * len(channels))
        self.convs = nn.ModuleList(convolutions(image_shape[0], channels, [2] * len(channels)))
        self.hidden = nn.Linear(channels[-1] * height * width, hidden_dim)
        self.mean = nn.Linear(hidden_dim, latent_dim)
        self.log_var = nn.Linear(hidden_dim, latent_dim)
        glorot_uniform_(self)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log-variance of the codes, each ``(B, latent_dim)``."""
        for conv in self.convs:
            x = F.relu(conv(x))
        h = F.relu(self.hidden(x.flatten(1)))
        return self.mean(h), self.log_var(h)


class ConvDecoder(nn.Module):
    """A dense layer, transposed convolutions of 3x3 with stride 2, and one to the image's channels.

    Args:
        image_shape: channels, height and width of the images.
        latent_dim: size of the code.
        channels: filters of each transposed convolution but the last; the dense layer's output has as many channels
            as the first.
    """

    def __init__(
        self,
        image_shape: Sequence[int] = (1, 28, 28),
        latent_dim: int = 2,
        channels: Sequence[int] = (64, 32),
    ) -> None:
        super().__init__()
        self.image_shape, self.latent_dim, self.channels = tuple(image_shape), latent_dim, tuple(channels)
        self.bottom = bottom_shape(image_shape, channels[0], [2] * len(channels))
        self.hidden = nn.Linear(latent_dim, prod(self.bottom))
        self.deconvs = nn.ModuleList(transposed_convolutions(channels, [2] * len(channels)))
        self.to_image = SameConvTranspose2d(channels[-1], image_shape[0], 3)
        glorot_uniform_(self)

    def forward(self, z: Tensor) -> Tensor:
        """Return the logits ``(B, C, H, W)`` of codes ``(B, latent_dim)``."""
        x = F.relu(self.hidden(z)).view(-1, *self.bottom)
        for deconv in self.deconvs:
            x = F.relu(deconv(x))
        logits: Tensor = self.to_image(x)
        return logits


class MLPEncoder(nn.Module):
    """A dense layer, then two linear heads.

    Args:
        image_shape: channels, height and width of the images.
        latent_dim: size of the code.
        hidden_dim: units of the dense layer.
    """

    def __init__(self, image_shape: Sequence[int] = (1, 28, 28), latent_dim: int = 2, hidden_dim: int = 512) -> None:
        super().__init__()
        self.image_shape, self.latent_dim, self.hidden_dim = tuple(image_shape), latent_dim, hidden_dim
        self.hidden = nn.Linear(prod(image_shape), hidden_dim)
        self.mean = nn.Linear(hidden_dim, latent_dim)
        self.log_var = nn.Linear(hidden_dim, latent_dim)
        glorot_uniform_(self)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log-variance of the codes, each ``(B, latent_dim)``."""
        h = F.relu(self.hidden(x.flatten(1)))
        return self.mean(h), self.log_var(h)


class MLPDecoder(nn.Module):
    """A dense layer, then one to the pixels.

    Args:
        image_shape: channels, height and width of the images.
        latent_dim: size of the code.
        hidden_dim: units of the first layer.
    """

    def __init__(self, image_shape: Sequence[int] = (1, 28, 28), latent_dim: int = 2, hidden_dim: int = 512) -> None:
        super().__init__()
        self.image_shape, self.latent_dim, self.hidden_dim = tuple(image_shape), latent_dim, hidden_dim
        self.hidden = nn.Linear(latent_dim, hidden_dim)
        self.to_image = nn.Linear(hidden_dim, prod(image_shape))
        glorot_uniform_(self)

    def forward(self, z: Tensor) -> Tensor:
        """Return the logits ``(B, C, H, W)`` of codes ``(B, latent_dim)``."""
        logits: Tensor = self.to_image(F.relu(self.hidden(z)))
        return logits.view(-1, *self.image_shape)
