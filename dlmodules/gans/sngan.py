"""The GAN with spectral normalization."""

from collections.abc import Sequence

from pytorch_lightning.cli import OptimizerCallable
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from dlmodules.adversarial.losses import LossName
from dlmodules.adversarial.module import UpdateOrder
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
    """A DCGAN with a hinge loss whose discriminator is smooth by construction. It logs what ``GAN`` logs.

    Paper: Miyato et al. 2018, Spectral Normalization for Generative Adversarial Networks, arXiv:1802.05957.
    Books: atienza 4.2.1.

    Args:
        image_shape: channels, height and width of the images; the default networks need multiples of 4.
        latent_dim: size of the noise vector.
        width: multiplies the filters of the default networks; 0.25 trains on a CPU.
        generator: maps noise to images; its attribute ``output_range`` (default [0, 1]) says in which range.
            None builds ``DCGANGenerator`` (1,301,505 parameters).
        discriminator: maps images in the generator's range to outputs ``(B,)``. None builds
            ``SpectralDiscriminator`` (1,080,577 parameters).
        noise: ``uniform`` on [-1, 1] or ``normal``.
        loss: ``non_saturating``, ``minimax``, ``least_squares``, ``wasserstein`` or ``hinge``.
        optimizer_d: makes the discriminator's optimizer.
        optimizer_g: makes the generator's optimizer.
        n_critic: turns of the discriminator for each update of the generator.
        update: ``alternating``; ``simultaneous`` with one batch of fakes for both networks; or ``separate`` updates of
            the discriminator on real and on made images.
        clip_grad_norm: largest norm of each network's gradient; None does not clip.
    """

    def __init__(
        self,
        image_shape: Sequence[int] = (1, 28, 28),
        latent_dim: int = 100,
        width: float = 1.0,
        generator: nn.Module | None = None,
        discriminator: nn.Module | None = None,
        noise: Noise = "normal",
        loss: LossName = "hinge",
        optimizer_d: OptimizerCallable = lambda p: AdversarialAdam(p, lr=2e-4, beta1=0.5),
        optimizer_g: OptimizerCallable = lambda p: AdversarialAdam(p, lr=2e-4, beta1=0.5),
        n_critic: int = 1,
        update: UpdateOrder = "alternating",
        clip_grad_norm: float | None = None,
    ) -> None:
        super().__init__(
            image_shape,
            latent_dim,
            width,
            generator,
            discriminator or SpectralDiscriminator(image_shape, width),
            noise,
            loss,
            0.0,
            optimizer_d,
            optimizer_g,
            n_critic,
            update,
            clip_grad_norm,
        )
