"""The GAN with spectral normalization."""

from collections.abc import Sequence
from typing import Any

from pytorch_lightning.cli import OptimizerCallable
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from dlmodules.adversarial.losses import LossName
from dlmodules.adversarial.optimizers import AdversarialAdam
from dlmodules.gans.dcgan import DCGAN, DCGANDiscriminator
from dlmodules.gans.gan import Noise


class SpectralDiscriminator(DCGANDiscriminator):
    """The discriminator of ``DCGAN``, each of whose weights is divided by its largest singular value.

    The value is found by one step of power iteration in each forward pass of training.

    Args:
        image_shape: channels, height and width of the images.
        width: multiplies the filters.
    """

    def __init__(self, image_shape: Sequence[int] = (1, 28, 28), width: float = 1.0) -> None:
        super().__init__(image_shape, width)
        for layer in self.modules():
            if isinstance(layer, (nn.Conv2d, nn.Linear)):
                spectral_norm(layer)


class SNGAN(DCGAN):
    """A DCGAN with a hinge loss whose discriminator is Lipschitz by construction. It logs what ``GAN`` logs.

    Paper: Miyato et al. 2018, Spectral Normalization for Generative Adversarial Networks, arXiv:1802.05957.
    Books: atienza 4.2.1.

    Args:
        discriminator: maps images in the generator's range to outputs ``(B,)``. None builds
            ``SpectralDiscriminator`` (1,080,577 parameters).
        noise: ``uniform`` on [-1, 1] or ``normal``.
        loss: ``non_saturating``, ``minimax``, ``least_squares``, ``wasserstein`` or ``hinge``.
        optimizer_d: makes the discriminator's optimizer.
        optimizer_g: makes the generator's optimizer.
        **kwargs: arguments of ``DCGAN`` other than ``r1``.
    """

    def __init__(
        self,
        image_shape: Sequence[int] = (1, 28, 28),
        width: float = 1.0,
        discriminator: nn.Module | None = None,
        noise: Noise = "normal",
        loss: LossName = "hinge",
        optimizer_d: OptimizerCallable = lambda p: AdversarialAdam(p, lr=2e-4, beta1=0.5),
        optimizer_g: OptimizerCallable = lambda p: AdversarialAdam(p, lr=2e-4, beta1=0.5),
        **kwargs: Any,
    ) -> None:
        super().__init__(
            image_shape=image_shape,
            width=width,
            discriminator=discriminator or SpectralDiscriminator(image_shape, width),
            noise=noise,
            loss=loss,
            r1=0.0,
            optimizer_d=optimizer_d,
            optimizer_g=optimizer_g,
            **kwargs,
        )
