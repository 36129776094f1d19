"""An encoder that was never trained: what a random projection tells of an image."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SIDE = 8


class UntrainedEncoder(nn.Module):
    """A random linear map of an image of 8 x 8 pixels, always the same one; it stands in for a VAE of any images.

    Args:
        image_shape: channels, height and width of the images.
        latent_dim: size of the code.
    """

    def __init__(self, image_shape: Sequence[int] = (3, 64, 64), latent_dim: int = 16) -> None:
        super().__init__()
        self.image_shape, self.latent_dim = tuple(image_shape), latent_dim
        draw = torch.Generator().manual_seed(0)
        weight = torch.randn(latent_dim, image_shape[0] * SIDE * SIDE, generator=draw)
        self.weight = nn.Parameter(weight / weight.shape[1] ** 0.5, requires_grad=False)

    def posterior(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log-variance of the codes of images ``x``, each ``(B, latent_dim)``."""
        mean = F.linear(F.adaptive_avg_pool2d(x, SIDE).flatten(1), self.weight)
        return mean, torch.full_like(mean, -4.0)
