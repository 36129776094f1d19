"""The dense networks of the first GAN."""

from collections.abc import Sequence
from math import prod

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dlmodules.layers.initialization import glorot_uniform_

LEAK = 0.2


class DenseGenerator(nn.Module):
    """Noise to image in [-1, 1]: layers of [dense, leaky ReLU, batch norm], then a dense layer and tanh.

    576,912 parameters at the defaults, and 1,792 running statistics.

    Args:
        image_shape: channels, height and width of the images.
        latent_dim: size of the noise vector.
        hidden_dims: units of the layers.
    """

    output_range = (-1.0, 1.0)

    def __init__(
        self,
        image_shape: Sequence[int] = (1, 28, 28),
        latent_dim: int = 64,
        hidden_dims: Sequence[int] = (128, 256, 512),
    ) -> None:
        super().__init__()
        self.image_shape, self.latent_dim, self.hidden_dims = tuple(image_shape), latent_dim, tuple(hidden_dims)
        widths = (latent_dim, *hidden_dims)
        self.layers = nn.ModuleList(
            nn.Linear(before, after) for before, after in zip(widths, hidden_dims, strict=False)
        )
        # Keras' momentum of 0.8 is the fraction that is kept.
        self.norms = nn.ModuleList(nn.BatchNorm1d(width, eps=1e-3, momentum=0.2) for width in hidden_dims)
        self.to_image = nn.Linear(widths[-1], prod(image_shape))
        glorot_uniform_(self)

    def forward(self, z: Tensor) -> Tensor:
        """Map noise ``(B, latent_dim)`` to images ``(B, C, H, W)`` in [-1, 1]."""
        for layer, norm in zip(self.layers, self.norms, strict=True):
            z = norm(F.leaky_relu(layer(z), LEAK))
        return torch.tanh(self.to_image(z)).view(-1, *self.image_shape)


class DenseDiscriminator(nn.Module):
    """Image to logit: dense layers with leaky ReLU, then a dense layer. 233,985 parameters at the defaults.

    Args:
        image_shape: channels, height and width of the images.
        hidden_dims: units of the layers.
    """

    def __init__(self, image_shape: Sequence[int] = (1, 28, 28), hidden_dims: Sequence[int] = (256, 128)) -> None:
        super().__init__()
        self.image_shape, self.hidden_dims = tuple(image_shape), tuple(hidden_dims)
        widths = (prod(image_shape), *hidden_dims)
        self.layers = nn.ModuleList(
            nn.Linear(before, after) for before, after in zip(widths, hidden_dims, strict=False)
        )
        self.dense = nn.Linear(widths[-1], 1)
        glorot_uniform_(self)

    def forward(self, x: Tensor) -> Tensor:
        """Map images ``(B, C, H, W)`` to logits ``(B,)``; positive means real."""
        x = x.flatten(1)
        for layer in self.layers:
            x = F.leaky_relu(layer(x), LEAK)
        logits: Tensor = self.dense(x).squeeze(1)
        return logits
