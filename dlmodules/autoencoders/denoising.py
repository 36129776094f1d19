"""The denoising autoencoder."""

from collections.abc import Sequence
from typing import Literal

import torch
from pytorch_lightning.cli import LRSchedulerCallable, OptimizerCallable
from torch import Tensor, nn

from dlmodules.autoencoders.autoencoder import Autoencoder
from dlmodules.errors import UserError
from dlmodules.validation.arguments import check_at_least, check_fractions


def gaussian_noise(x: Tensor, mean: float, std: float, generator: torch.Generator | None = None) -> Tensor:
    """Add N(mean, std^2) to every pixel of ``x`` and clip to [0, 1]."""
    noise = torch.randn(x.shape, generator=generator, device=x.device, dtype=x.dtype)
    return (x + mean + std * noise).clamp(0.0, 1.0)


def salt(x: Tensor, share: float, generator: torch.Generator | None = None) -> Tensor:
    """Set each pixel of ``x``, in all its channels, to white with the probability ``share``."""
    drawn = torch.rand((len(x), 1, *x.shape[2:]), generator=generator, device=x.device, dtype=x.dtype)
    return torch.where(drawn < share, 1.0, x)


class DenoisingAutoencoder(Autoencoder):
    """Restore an image from a noisy one; the networks are those of ``Autoencoder``: 178,001 parameters.

    Noise is drawn anew in every step of training; validation and test draw the same in every epoch.

    Paper: Vincent et al. 2008, Extracting and Composing Robust Features with Denoising Autoencoders.
    Books: atienza 3.3.1, atienza 3.3.1-N, foster F3.10, vasilev 6.2.

    Args:
        image_shape: channels, height and width of the images, which lie in [0, 1].
        latent_dim: size of the code.
        noise: ``gaussian``, added to every pixel, after which the image is clipped to [0, 1]; or ``salt``, which sets
            some pixels to white.
        mean: of the Gaussian noise.
        std: standard deviation of the Gaussian noise, 0 or more.
        share: of the pixels that salt falls on, in [0, 1].
        encoder: maps images to codes; None builds ``ConvEncoder``.
        decoder: maps codes to the logits of images; None builds ``ConvDecoder``.
        loss: ``mse``, the book's; ``bce``, the cross-entropy of the pixels; or ``ssim``, one minus the structural
            similarity.
        optimizer: makes the optimizer; the default is Adam with Keras' defaults.
        scheduler: makes a schedule of the learning rate, stepped after each epoch; None keeps the rate.
    """

    def __init__(
        self,
        image_shape: Sequence[int] = (1, 28, 28),
        latent_dim: int = 16,
        noise: Literal["gaussian", "salt"] = "gaussian",
        mean: float = 0.5,
        std: float = 0.5,
        share: float = 0.3,
        encoder: nn.Module | None = None,
        decoder: nn.Module | None = None,
        loss: Literal["mse", "bce", "ssim"] = "mse",
        optimizer: OptimizerCallable = lambda p: torch.optim.Adam(p, lr=1e-3, eps=1e-7),
        scheduler: LRSchedulerCallable | None = None,
    ) -> None:
        if noise not in ("gaussian", "salt"):
            raise UserError(f"noise {noise!r} is unknown; choose gaussian or salt")
        check_at_least(0, std=std)
        check_fractions(share=share)
        super().__init__(image_shape, latent_dim, encoder, decoder, loss, optimizer, scheduler)
        self.noise = noise
        self.mean = mean
        self.std = std
        self.share = share

    def corrupt(self, x: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Return noisy copies ``(B, C, H, W)`` of images in [0, 1]; ``generator`` draws the noise."""
        if self.noise == "salt":
            return salt(x, self.share, generator)
        return gaussian_noise(x, self.mean, self.std, generator)
