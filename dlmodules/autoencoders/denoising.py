"""The denoising autoencoder."""

from typing import Any, Literal

import torch
from torch import Tensor

from dlmodules.autoencoders.autoencoder import Autoencoder
from dlmodules.errors import UserError
from dlmodules.validation.arguments import check_at_least, check_fractions


def gaussian_noise(x: Tensor, mean: float, std: float, generator: torch.Generator | None = None) -> Tensor:
    """Add N(mean, std^2) to every pixel of ``x`` and clip to [0, 1]."""
    noise = torch.randn(x.shape, generator=generator, device=x.device, dtype=x.dtype)
    return (x + mean + std * noise).clamp(0.0, 1.0)


def salt(x: Tensor, fraction: float, generator: torch.Generator | None = None) -> Tensor:
    """Set each pixel of ``x``, in all its channels, to white with probability ``fraction``."""
    drawn = torch.rand((len(x), 1, *x.shape[2:]), generator=generator, device=x.device, dtype=x.dtype)
    return torch.where(drawn < fraction, 1.0, x)


class DenoisingAutoencoder(Autoencoder):
    """Reconstruct the clean image from a noisy one; the networks are those of ``Autoencoder``: 178,001 parameters.

    Training samples new noise in every step; validation and test use the same noise in every epoch.

    Paper: Vincent et al. 2008, Extracting and Composing Robust Features with Denoising Autoencoders.
    Books: atienza 3.3.1, atienza 3.3.1-N, foster F3.10, vasilev 6.2.

    Args:
        noise: ``gaussian``, added to every pixel, after which the image is clipped to [0, 1]; or ``salt``, which sets
            some pixels to white.
        mean: of the Gaussian noise.
        std: standard deviation of the Gaussian noise, 0 or more.
        share: fraction of the pixels that salt sets to white, in [0, 1].
        **kwargs: arguments of ``Autoencoder``.
    """

    def __init__(
        self,
        noise: Literal["gaussian", "salt"] = "gaussian",
        mean: float = 0.5,
        std: float = 0.5,
        share: float = 0.3,
        **kwargs: Any,
    ) -> None:
        if noise not in ("gaussian", "salt"):
            raise UserError(f"noise {noise!r} is unknown; choose gaussian or salt")
        check_at_least(0, std=std)
        check_fractions(share=share)
        super().__init__(**kwargs)
        self.noise = noise
        self.mean = mean
        self.std = std
        self.share = share

    def corrupt(self, x: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Return noisy copies ``(B, C, H, W)`` of images in [0, 1]; ``generator`` draws the noise."""
        if self.noise == "salt":
            return salt(x, self.share, generator)
        return gaussian_noise(x, self.mean, self.std, generator)
